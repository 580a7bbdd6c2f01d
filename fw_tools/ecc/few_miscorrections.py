# SPDX-License-Identifier: Apache-2.0
"""SEC-DED codes that take the fewest triple flips for single ones.

A decoder takes three flips for one where a fourth column is their sum, so it is words of weight 4
that count (`triple_miscorrection`). With columns of odd weight they cannot be fewer than
`fewest_by_fourier`; the matrices here, from simulated annealing, are near it. Any code of distance
4 is a cap, a set of columns of which no three add up to zero. Caps that are not all of odd weight
have at most 5 * 2^(r-4) columns and come from five of which four are independent by doubling
(A. A. Davydov, L. M. Tombak, Probl. Inf. Transm. 26, 1990): a quarter fewer miscorrections, in
exchange for some flips of five bits that go unseen.
"""

import json
from fractions import Fraction
from functools import cache
from importlib.resources import files
from math import ceil, comb, isqrt

import numpy as np

from fw_tools.ecc.code import CodeError, LinearCode

_MOST_CHECK_BITS = 16  # Of codes whose dual is listed word for word.


def secded_odd(data_bits: int) -> LinearCode:
    """Return the code with columns of odd weight; raise `CodeError` for a width without one."""
    return _code("secded_odd", data_bits)


def secded_any(data_bits: int) -> LinearCode:
    """Return the code with columns of any weight; raise `CodeError` for a width without one."""
    return _code("secded_any", data_bits)


def words_of_weight(code: LinearCode, weight: int) -> int | None:
    """Return how many codewords of so many ones there are; None where counting takes too long.

    By the MacWilliams identity from the weights of the dual code, 2^(n-k) words.
    """
    if code.check_bits > _MOST_CHECK_BITS:
        return None
    n = code.codeword_bits
    sums = np.arange(1 << code.check_bits, dtype=np.int64)
    weights = np.zeros(len(sums), np.int64)
    for column in code.columns:
        weights += np.bitwise_count(sums & column) & 1
    counts = np.bincount(weights).tolist()
    total = sum(int(count) * _krawtchouk(n, weight, j) for j, count in enumerate(counts) if count)
    return int(total >> code.check_bits)


def _krawtchouk(n: int, weight: int, j: int) -> int:
    terms = range(max(0, weight - (n - j)), min(weight, j) + 1)
    return sum((-1) ** i * comb(j, i) * comb(n - j, weight - i) for i in terms)


def triple_miscorrection(code: LinearCode) -> float | None:
    """Return the share of triple flips taken for a single one, of a code that corrects one."""
    words = words_of_weight(code, 4)
    return None if words is None else 4 * words / comb(code.codeword_bits, 3)


def fewest_by_fourier(codeword_bits: int, check_bits: int) -> float:
    """Return a bound from below on that share, for columns of odd weight.

    Words of weight 4 follow from the fourth powers of the Fourier coefficients of the set of
    columns. Their squares have a known sum (Parseval), and they are whole numbers, odd or even as n
    is: the powers are least when all are one of the two next to the mean.
    """
    n, size = codeword_bits, 1 << check_bits - 1  # Odd columns are a space of one dimension less.
    squares, others = size * n - n * n, size - 1
    low = isqrt(squares // others)
    low -= (low - n) % 2
    high = low + 2
    # As many of `low` and `high` as have that sum of squares.
    highs = Fraction(squares - others * low**2, high**2 - low**2)
    fourths = n**4 + highs * high**4 + (others - highs) * low**4
    words = ceil((fourths / size - 3 * n * n + 2 * n) / 24)
    return 4 * words / comb(n, 3)


def _code(name: str, data_bits: int) -> LinearCode:
    for known, check_bits, columns in _matrices():
        if known == name and _fewest_checks(data_bits) == check_bits and data_bits <= len(columns):
            identity = (1 << j for j in range(check_bits))
            return LinearCode(name, data_bits, check_bits, (*columns[:data_bits], *identity))
    widths = [str(len(columns)) for known, _, columns in _matrices() if known == name]
    raise CodeError(
        f"{name}: no matrix for {data_bits} data bits; there are: {', '.join(widths)}, and "
        "shorter ones with as many check bits"
    )


def _fewest_checks(data_bits: int) -> int:
    check_bits = 4
    while (1 << check_bits - 1) - check_bits < data_bits:
        check_bits += 1
    return check_bits


@cache
def _matrices() -> tuple[tuple[str, int, tuple[int, ...]], ...]:
    document = json.loads((files("fw_tools.ecc") / "few_miscorrections.json").read_text())
    return tuple(
        (each["code"], each["check_bits"], tuple(each["columns"])) for each in document["matrices"]
    )
