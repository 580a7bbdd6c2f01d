# SPDX-License-Identifier: Apache-2.0
"""The time codes of CCSDS 301.0-B-4 and the P-fields that tell them apart."""

from dataclasses import dataclass
from typing import TypeAlias

_EXTENSION = 0x80  # 3.1.3: the first bit of each octet of the P-field.
_CUC_CCSDS, _CUC_AGENCY, _CDS, _CCS = 0b001, 0b010, 0b100, 0b101


@dataclass(frozen=True, slots=True, kw_only=True)
class CucFormat:
    """CCSDS unsegmented code (3.2): seconds since an epoch, and binary fractions of a second."""

    coarse_octets: int = 4  # 1..7
    fine_octets: int = 2  # 0..10
    is_agency_epoch: bool = False

    def __post_init__(self) -> None:
        if not (1 <= self.coarse_octets <= 7 and 0 <= self.fine_octets <= 10):
            raise ValueError(
                f"CUC of {self.coarse_octets} + {self.fine_octets} octets; it has 1..7 + 0..10"
            )

    @property
    def octets(self) -> int:
        """Octets of the code, without the P-field."""
        return self.coarse_octets + self.fine_octets

    @property
    def p_field(self) -> bytes:
        """The P-field that says this, of one octet or two (3.2.2)."""
        code = _CUC_AGENCY if self.is_agency_epoch else _CUC_CCSDS
        coarse, fine = min(self.coarse_octets, 4), min(self.fine_octets, 3)
        first = code << 4 | (coarse - 1) << 2 | fine
        more = (self.coarse_octets - coarse) << 5 | (self.fine_octets - fine) << 2
        return bytes((first | _EXTENSION, more)) if more else bytes((first,))


@dataclass(frozen=True, slots=True, kw_only=True)
class CdsFormat:
    """CCSDS day segmented code (3.3): days since an epoch, ms of the day, and parts of a ms."""

    day_octets: int = 2  # 2, 3
    submillisecond_octets: int = 0  # 0; 2: microseconds of the ms; 4: picoseconds of the ms
    is_agency_epoch: bool = False

    def __post_init__(self) -> None:
        if self.day_octets not in (2, 3) or self.submillisecond_octets not in (0, 2, 4):
            raise ValueError(
                f"CDS of {self.day_octets} + 4 + {self.submillisecond_octets} octets; it has "
                "2 or 3 + 4 + 0, 2 or 4"
            )

    @property
    def octets(self) -> int:
        """Octets of the code, without the P-field."""
        return self.day_octets + 4 + self.submillisecond_octets

    @property
    def p_field(self) -> bytes:
        """The P-field that says this (3.3.2)."""
        resolution = self.submillisecond_octets // 2
        is_long = self.day_octets == 3
        return bytes((_CDS << 4 | self.is_agency_epoch << 3 | is_long << 2 | resolution,))


@dataclass(frozen=True, slots=True, kw_only=True)
class CcsFormat:
    """CCSDS calendar segmented code (3.4): UTC as decimal digits, two in an octet."""

    is_day_of_year: bool = False
    subsecond_octets: int = 0  # 0..6, two digits each
    is_agency_epoch: bool = False  # It never has one.

    def __post_init__(self) -> None:
        if not 0 <= self.subsecond_octets <= 6:
            raise ValueError(f"CCS with {self.subsecond_octets} octets below 1 s; it has 0..6")

    @property
    def octets(self) -> int:
        """Octets of the code, without the P-field."""
        return 7 + self.subsecond_octets

    @property
    def p_field(self) -> bytes:
        """The P-field that says this (3.4.2)."""
        return bytes((_CCS << 4 | self.is_day_of_year << 3 | self.subsecond_octets,))


TimeFormat: TypeAlias = CucFormat | CdsFormat | CcsFormat


def parse_p_field(octets: bytes) -> tuple[TimeFormat, int] | None:
    """Return the format that a P-field says and how many octets it has; None for no format of ours.

    Only what must be looked at is: `octets` may go on with the time code.
    """
    if not octets:
        return None
    first = octets[0]
    code = first >> 4 & 0b111
    if code in (_CUC_CCSDS, _CUC_AGENCY):
        return _parse_cuc(octets)
    if first & _EXTENSION:
        return None
    if code == _CDS and first & 0b11 != 0b11:
        return CdsFormat(
            day_octets=3 if first & 0b100 else 2,
            submillisecond_octets=2 * (first & 0b11),
            is_agency_epoch=bool(first & 0b1000),
        ), 1
    if code == _CCS and first & 0b111 != 0b111:
        return CcsFormat(is_day_of_year=bool(first & 0b1000), subsecond_octets=first & 0b111), 1
    return None


def _parse_cuc(octets: bytes) -> tuple[TimeFormat, int] | None:
    first, second, used = octets[0], 0, 1
    if first & _EXTENSION:
        if len(octets) < 2 or octets[1] & _EXTENSION:
            return None
        second, used = octets[1], 2
    return CucFormat(
        coarse_octets=(first >> 2 & 0b11) + 1 + (second >> 5 & 0b11),
        fine_octets=(first & 0b11) + (second >> 2 & 0b111),
        is_agency_epoch=first >> 4 & 0b111 == _CUC_AGENCY,
    ), used
