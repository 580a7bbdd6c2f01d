# SPDX-License-Identifier: Apache-2.0
"""Arithmetic in GF(2^m), elements as integers: bit i belongs to alpha^i."""

from functools import cache

# One primitive polynomial a degree, that with the fewest terms (S. Lin and D. J. Costello, "Error
# Control Coding", table 2.7).
PRIMITIVE = {
    3: 0b1011,
    4: 0b1_0011,
    5: 0b10_0101,
    6: 0b100_0011,
    7: 0b1000_1001,
    8: 0b1_0001_1101,
    9: 0b10_0001_0001,
    10: 0b100_0000_1001,
    11: 0b1000_0000_0101,
}


@cache
def powers(degree: int) -> tuple[int, ...]:
    """Return alpha^0, alpha^1, ... alpha^(2^m - 2) of GF(2^m)."""
    found, value = [], 1
    for _ in range((1 << degree) - 1):
        found.append(value)
        value = remainder(value << 1, PRIMITIVE[degree])
    return tuple(found)


@cache
def minimal_polynomial(degree: int, exponent: int) -> int:
    """Return the minimal polynomial over GF(2) of alpha^exponent, bit i for x^i."""
    order = (1 << degree) - 1
    power = powers(degree)
    logarithm = {value: i for i, value in enumerate(power)}
    product = [1]  # Of (x + root), lowest coefficient first.
    for root in sorted({(exponent << i) % order for i in range(degree)}):
        scaled = [power[(logarithm[c] + root) % order] if c else 0 for c in product]
        product = [a ^ b for a, b in zip([*scaled, 0], [0, *product], strict=True)]
    return sum(coefficient << i for i, coefficient in enumerate(product))


def product(first: int, second: int) -> int:
    """Return the product of two polynomials over GF(2)."""
    total = 0
    while second:
        total ^= first if second & 1 else 0
        first, second = first << 1, second >> 1
    return total


def remainder(dividend: int, divisor: int) -> int:
    """Return the remainder of two polynomials over GF(2)."""
    while dividend.bit_length() >= divisor.bit_length():
        dividend ^= divisor << dividend.bit_length() - divisor.bit_length()
    return dividend
