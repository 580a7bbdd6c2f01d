# SPDX-License-Identifier: Apache-2.0
"""The minimum distance of a linear code, from the columns of its parity-check matrix."""

from collections.abc import Iterator, Sequence
from functools import cache, reduce
from itertools import combinations
from operator import xor


@cache
def minimum_distance(columns: tuple[int, ...]) -> int:
    """Return the smallest number of columns that sum to zero.

    That this is the minimum distance: MacWilliams and Sloane, chapter 1, theorem 10. Sums of half
    the columns meet in the middle, which is quick for the short distances of memory codes. Raise
    `ValueError` when no columns sum to zero, so that zero is the only codeword.
    """
    all_odd = all(column.bit_count() % 2 for column in columns)  # Then an odd number cannot vanish.
    for weight in range(2 if all_odd else 1, len(columns) + 1, 2 if all_odd else 1):
        if _some_sum_to_zero(columns, weight):
            return weight
    raise ValueError("the columns are independent: the code has one codeword and no distance")


def _some_sum_to_zero(columns: Sequence[int], weight: int) -> bool:
    """Tell whether `weight` columns sum to zero, given that no fewer do.

    Two selections with equal sums cannot share columns: without these, fewer would sum to zero.
    """
    small = weight // 2
    seen: set[int] = set()
    for total in _sums(columns, small):
        if weight == 2 * small and total in seen:
            return True
        seen.add(total)
    return weight != 2 * small and any(s in seen for s in _sums(columns, weight - small))


def _sums(columns: Sequence[int], count: int) -> Iterator[int]:
    return (reduce(xor, chosen, 0) for chosen in combinations(columns, count))
