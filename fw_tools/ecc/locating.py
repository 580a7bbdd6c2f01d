# SPDX-License-Identifier: Apache-2.0
"""Where two flipped bits are, without a table: every bit asks by itself.

With the power sums s1 = a + b and s3 = a^3 + b^3 of the locators a and b of what was flipped, x is
one of them just if (s1 + x)^3 = s3 + x^3, which is s1^2 x + s1 x^2 = s1^3 + s3. The left side is
linear in s1, the right one the same for every bit. One flipped bit makes the right side 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from fw_tools.ecc.bch import BchCode
from fw_tools.ecc.field import powers

Masks = tuple[int, ...]  # Of each bit of a field element, the bits that it is the sum of.


@dataclass(frozen=True, slots=True)
class Locating:
    """The sums of a decoder. `pairs` are products s1[i] s1[j], i < j, in lexical order."""

    power_1: Masks  # s1, of the low 2m syndrome bits.
    power_3: Masks  # s3, of the same.
    cube: Masks  # s1^3: what of it is linear in s1.
    cube_pairs: Masks  # And the rest, of the pairs.
    pairs: tuple[tuple[int, int], ...]
    asked: tuple[Masks, ...]  # Of each codeword bit the left side, of s1.


def locating(code: BchCode) -> Locating:
    """Return the sums of a code's decoder."""
    degree = code.degree
    power = powers(degree)
    order = len(power)
    places = range(2 * degree)
    pairs = tuple(combinations(range(degree), 2))
    crossed = [power[(2 * i + j) % order] ^ power[(i + 2 * j) % order] for i, j in pairs]
    return Locating(
        power_1=_masks([power[j % order] for j in places], degree),
        power_3=_masks([power[3 * j % order] for j in places], degree),
        cube=_masks([power[3 * i % order] for i in range(degree)], degree),
        cube_pairs=_masks(crossed, degree),
        pairs=pairs,
        asked=tuple(_asked(power, power.index(x), degree) for x in code.locators),
    )


def _asked(power: Sequence[int], exponent: int, degree: int) -> Masks:
    """Return s1^2 x + s1 x^2 for x = alpha^exponent: of s1 = alpha^i, then of sums of these."""
    order = len(power)
    return _masks(
        [
            power[(2 * i + exponent) % order] ^ power[(i + 2 * exponent) % order]
            for i in range(degree)
        ],
        degree,
    )


def _masks(images: Sequence[int], degree: int) -> Masks:
    """Return the rows of the matrix whose columns are `images`."""
    return tuple(
        sum((image >> bit & 1) << i for i, image in enumerate(images)) for bit in range(degree)
    )
