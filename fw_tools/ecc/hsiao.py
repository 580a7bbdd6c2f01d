# SPDX-License-Identifier: Apache-2.0
"""Hsiao's SEC-DED codes: odd-weight columns, fewest ones, balanced rows.

M. Y. Hsiao, "A class of optimal minimum odd-weight-column SEC-DED codes",
IBM J. Res. Dev. 14 (1970).
"""

from itertools import combinations
from math import comb

from fw_tools.ecc.code import CodeError, LinearCode
from fw_tools.ecc.records import MAX_DATA_BITS, MIN_DATA_BITS


def hsiao(data_bits: int) -> LinearCode:
    """Return the [n, k, 4] code of `data_bits` data bits with the fewest ones in H.

    Columns of weight 3 are taken first, then 5 and so on; row weights differ by at most one. The
    choice is the same on every run. Raise `CodeError` outside MIN_DATA_BITS..MAX_DATA_BITS.
    """
    if not MIN_DATA_BITS <= data_bits <= MAX_DATA_BITS:
        raise CodeError(f"hsiao: {data_bits} data bits; must be {MIN_DATA_BITS} to {MAX_DATA_BITS}")
    check_bits = _check_bits(data_bits)
    columns = _lightest_columns(check_bits, data_bits)
    columns += [1 << j for j in range(check_bits)]
    return LinearCode("hsiao", data_bits, check_bits, tuple(columns))


def _check_bits(data_bits: int) -> int:
    """Return the fewest check bits: 2^(r-1) odd columns, of which r are the identity's."""
    check_bits = 1
    while (1 << check_bits - 1) - check_bits < data_bits:
        check_bits += 1
    return check_bits


def _lightest_columns(check_bits: int, count: int) -> list[int]:
    """Return `count` odd columns: whole weight classes, then a balanced part of the next."""
    columns: list[int] = []
    weight = 3
    while len(columns) < count:
        wanted = min(comb(check_bits, weight), count - len(columns))
        columns += _balanced_columns(check_bits, weight, wanted)
        weight += 2
    return columns


def _balanced_columns(check_bits: int, weight: int, count: int) -> list[int]:
    """Return `count` columns of one weight whose row weights differ by at most one.

    While the heaviest row exceeds the lightest by two or more, some chosen column holds the heavy
    row but not the light one, and its twin with the two rows exchanged is not chosen: the twins of
    all such columns are distinct, and fewer chosen columns hold the light row alone. Taking the
    twin lowers the sum of squared row weights, so this ends.
    """
    chosen = [sum(1 << j for j in rows) for rows in combinations(range(check_bits), weight)][:count]
    while True:
        row_weights = [sum(column >> j & 1 for column in chosen) for j in range(check_bits)]
        heavy, light = max(row_weights), min(row_weights)
        if heavy - light <= 1:
            return sorted(chosen)
        _exchange(chosen, 1 << row_weights.index(heavy), 1 << row_weights.index(light))


def _exchange(chosen: list[int], heavy: int, light: int) -> None:
    taken = set(chosen)
    for i, column in enumerate(chosen):
        twin = column ^ heavy ^ light
        if column & heavy and not column & light and twin not in taken:
            chosen[i] = twin
            return
    raise AssertionError("a heavier row always has a column to give")
