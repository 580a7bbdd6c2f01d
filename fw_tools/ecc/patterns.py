# SPDX-License-Identifier: Apache-2.0
"""Upset patterns as masks of flipped codeword bits."""

from collections.abc import Iterator
from itertools import combinations


def flips(codeword_bits: int, count: int) -> Iterator[int]:
    """Yield every mask of exactly `count` flipped bits, in order of their lowest bits."""
    for positions in combinations(range(codeword_bits), count):
        yield sum(1 << position for position in positions)


def bursts(codeword_bits: int, length: int) -> Iterator[int]:
    """Yield every mask that spans exactly `length` bits from its lowest to its highest flip.

    A burst of length 1 is a single flip; the bits between the ends take every value.
    """
    if length == 1:
        yield from flips(codeword_bits, 1)
        return
    ends = 1 | 1 << length - 1
    for start in range(codeword_bits - length + 1):
        for inner in range(1 << length - 2):
            yield (ends | inner << 1) << start
