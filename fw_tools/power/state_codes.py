# SPDX-License-Identifier: Apache-2.0
"""State codes so far apart that a flipped bit is seen, and the nearest code found again.

With a minimum distance of 3 a word with one flipped bit is nearer to its own code than to any other
(R. W. Hamming, "Error detecting and error correcting codes", BSTJ 29, 1950, section 2).
"""

from collections.abc import Sequence

from fw_tools.power.records import RailState

MIN_STATES = 4  # Fewer leave no room for bits that all differ.
MIN_DISTANCE = 3
MAX_BITS = 10


def distance(left: int, right: int) -> int:
    """Return the number of bits in which two words differ (Hamming distance)."""
    return (left ^ right).bit_count()


def min_distance(codes: Sequence[int]) -> int:
    """Return the smallest distance between any two of at least two codes."""
    return min(
        distance(one, other) for index, one in enumerate(codes) for other in codes[index + 1 :]
    )


def find_codes(count: int, least: int = MIN_DISTANCE) -> tuple[int, tuple[int, ...]]:
    """Return the width in bits and the first `count` codes, in rising order, `least` apart.

    The narrowest width is taken. All-zero and all-one words are no codes (a dead register is seen);
    no code bit is constant, equal to another or its inverse (synthesis would fold such bits).
    Raises `ValueError` below `MIN_STATES` states or when `MAX_BITS` bits are too few.
    """
    if count < MIN_STATES:
        raise ValueError(f"{count} states: at least {MIN_STATES} are needed")
    for bits in range(least, MAX_BITS + 1):
        codes = () if _is_hopeless(count, bits, least) else _extend((), count, bits, least)
        if codes:
            return bits, codes
    raise ValueError(f"{count} states at distance {least} do not fit in {MAX_BITS} bits")


def nearest(word: int, codes: Sequence[int]) -> int | None:
    """Return the index of the code at most one bit away from `word`, or None when none is so near.

    There is never more than one where the codes are at least 3 apart.
    """
    near = [index for index, code in enumerate(codes) if distance(word, code) <= 1]
    return near[0] if near else None


def _is_hopeless(count: int, bits: int, least: int) -> bool:
    """Tell whether Plotkin's bound (IRE Trans. IT-6, 1960) leaves no room for so many codes."""
    excess = 2 * least - bits
    return excess > 0 and count > 2 * ((least + least % 2) // (excess + least % 2))


def _extend(codes: tuple[int, ...], count: int, bits: int, least: int) -> tuple[int, ...]:
    if len(codes) == count:
        return codes if _bits_all_differ(codes, bits) else ()
    for word in range(codes[-1] + 1 if codes else 1, (1 << bits) - 1):
        if all(distance(word, code) >= least for code in codes):
            found = _extend((*codes, word), count, bits, least)
            if found:
                return found
    return ()


def _bits_all_differ(codes: tuple[int, ...], bits: int) -> bool:
    columns = [tuple(code >> bit & 1 for code in codes) for bit in range(bits)]
    # Relative to its first entry, a column equals its inverse, and a constant one is all zero.
    shapes = {tuple(value ^ column[0] for value in column) for column in columns}
    return len(shapes) == bits and (0,) * len(codes) not in shapes


RAIL_STATE_BITS, _RAIL_CODES = find_codes(len(RailState))
RAIL_STATE_CODES = dict(
    zip(RailState, _RAIL_CODES, strict=True)
)  # As in hdl/rtl/power/rail_pkg.sv.
