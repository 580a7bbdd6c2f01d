# SPDX-License-Identifier: Apache-2.0
"""Codes that correct two flipped bits: shortened BCH, and the same with an overall parity.

R. C. Bose, D. K. Ray-Chaudhuri, "On a class of error correcting binary group codes", Inf. Control
3 (1960). The generator has the roots alpha and alpha^3; alpha^i belongs to the coefficient of x^i.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from fw_tools.ecc.code import CodeError, LinearCode
from fw_tools.ecc.field import PRIMITIVE, minimal_polynomial, powers, product, remainder

MIN_DATA_BITS = 4
MAX_DATA_BITS = 1024


@dataclass(frozen=True, repr=False)
class BchCode(LinearCode):
    """A code that corrects two flipped bits; with an overall parity, three are detected.

    Check bit j belongs to x^j, data bit i to x^(2m + i); an overall parity stands on top.
    """

    errors: ClassVar[int] = 2

    @property
    def has_parity(self) -> bool:
        """Tell whether the last check bit is the parity of all others."""
        return self.check_bits % 2 == 1

    @property
    def degree(self) -> int:
        """Return m of GF(2^m)."""
        return self.check_bits // 2

    @cached_property
    def locators(self) -> tuple[int, ...]:
        """Return alpha^i of each codeword bit but an overall parity."""
        power = powers(self.degree)
        checks = 2 * self.degree
        return (*power[checks : checks + self.data_bits], *power[:checks])


def bch(data_bits: int, *, has_parity: bool = False) -> BchCode:
    """Return the [n, k, 5] code of `data_bits`, or [n + 1, k, 6] with an overall parity.

    Raise `CodeError` outside MIN_DATA_BITS..MAX_DATA_BITS.
    """
    if not MIN_DATA_BITS <= data_bits <= MAX_DATA_BITS:
        raise CodeError(f"bch: {data_bits} data bits; must be {MIN_DATA_BITS} to {MAX_DATA_BITS}")
    degree = next(m for m in PRIMITIVE if (1 << m) - 1 - 2 * m >= data_bits)
    generator = product(minimal_polynomial(degree, 1), minimal_polynomial(degree, 3))
    checks = generator.bit_length() - 1
    columns = [remainder(1 << checks + i, generator) for i in range(data_bits)]
    columns += [1 << j for j in range(checks)]
    if not has_parity:
        return BchCode("dec", data_bits, checks, tuple(columns))
    odd = [column | (column.bit_count() + 1 & 1) << checks for column in columns]
    return BchCode("dec_ted", data_bits, checks + 1, (*odd, 1 << checks))
