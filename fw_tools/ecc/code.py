# SPDX-License-Identifier: Apache-2.0
"""A systematic binary linear code, and what an encoder and a decoder make of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import combinations
from typing import ClassVar, NamedTuple

from fw_tools.ecc.distance import minimum_distance
from fw_tools.errors import InputError


class CodeError(InputError):
    """A code that cannot exist, or a word that does not fit the code."""


@dataclass(frozen=True, repr=False)
class LinearCode:
    """A code [n, k] given by the columns of its parity-check matrix H = [P | I].

    `columns[i]` is the column of codeword bit i as an integer; bit j of it belongs to check j. The
    first `data_bits` columns are free, the last `check_bits` are the identity. A decoder corrects
    up to `errors` flipped bits and no other pattern.
    """

    errors: ClassVar[int] = 1

    name: str
    data_bits: int
    check_bits: int
    columns: tuple[int, ...]

    def __post_init__(self) -> None:
        identity = tuple(1 << j for j in range(self.check_bits))
        if len(self.columns) != self.codeword_bits or self.columns[self.data_bits :] != identity:
            raise CodeError(
                f"{self.name}: H must have {self.codeword_bits} columns that end in the identity"
            )
        if not all(0 < column < 1 << self.check_bits for column in self.columns):
            raise CodeError(f"{self.name}: a column of H is zero or wider than the check bits")

    @property
    def codeword_bits(self) -> int:
        """Return n."""
        return self.data_bits + self.check_bits

    @cached_property
    def row_masks(self) -> tuple[int, ...]:
        """Return the rows of H as masks of codeword bits; row j sums to syndrome bit j."""
        return tuple(
            sum(1 << i for i, column in enumerate(self.columns) if column >> j & 1)
            for j in range(self.check_bits)
        )

    @property
    def data_masks(self) -> tuple[int, ...]:
        """Return the rows of P as masks of data bits; row j sums to check bit j."""
        low = (1 << self.data_bits) - 1
        return tuple(mask & low for mask in self.row_masks)

    @cached_property
    def corrections(self) -> Mapping[int, int]:
        """Return the flipped bits of each syndrome that is corrected.

        Raise `CodeError` when two patterns that are to be corrected have one syndrome.
        """
        found: dict[int, int] = {}
        for count in range(1, self.errors + 1):
            for flipped in combinations(range(self.codeword_bits), count):
                total = 0
                for position in flipped:
                    total ^= self.columns[position]
                if total == 0 or total in found:
                    raise CodeError(
                        f"{self.name}: two columns of H, or sums of {self.errors}, are equal; "
                        "what was flipped is not located"
                    )
                found[total] = sum(1 << position for position in flipped)
        return found

    def __repr__(self) -> str:
        parameters = f"[{self.codeword_bits},{self.data_bits},{minimum_distance(self.columns)}]"
        return f"LinearCode({self.name} {parameters})"


class Verdict(StrEnum):
    """What a decoder says of a codeword."""

    CLEAN = "clean"
    CORRECTED = "corrected"  # The syndrome is that of bits to correct: they were flipped back.
    UNCORRECTABLE = "uncorrectable"  # Any other syndrome, even or odd; data are as received.


class Decoded(NamedTuple):
    """The outputs of a decoder."""

    data: int
    syndrome: int
    verdict: Verdict


def encode(code: LinearCode, data: int) -> int:
    """Return the codeword of `data`; raise `CodeError` when it has more than `data_bits` bits."""
    _demand_width(code, data, code.data_bits, "data word")
    checks = 0
    for j, mask in enumerate(code.row_masks):
        checks |= ((data & mask).bit_count() & 1) << j
    return checks << code.data_bits | data


def syndrome(code: LinearCode, codeword: int) -> int:
    """Return H times the codeword: the sum of the columns of the flipped bits, zero without any."""
    _demand_width(code, codeword, code.codeword_bits, "codeword")
    value = 0
    for j, mask in enumerate(code.row_masks):
        value |= ((codeword & mask).bit_count() & 1) << j
    return value


def decode(code: LinearCode, codeword: int) -> Decoded:
    """Correct up to `errors` flipped bits where the syndrome is the sum of so many columns of H.

    Parity of the syndrome is not consulted: an odd syndrome that is no column is uncorrectable.
    """
    found = syndrome(code, codeword)
    data = codeword & ((1 << code.data_bits) - 1)
    if found == 0:
        return Decoded(data, found, Verdict.CLEAN)
    flipped = code.corrections.get(found)
    if flipped is None:
        return Decoded(data, found, Verdict.UNCORRECTABLE)
    return Decoded(data ^ flipped & ((1 << code.data_bits) - 1), found, Verdict.CORRECTED)


def _demand_width(code: LinearCode, word: int, bits: int, what: str) -> None:
    if not 0 <= word < 1 << bits:
        raise CodeError(f"{code.name}: {what} {word:#x} does not fit in {bits} bits")
