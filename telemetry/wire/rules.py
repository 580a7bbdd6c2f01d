# SPDX-License-Identifier: Apache-2.0
"""What a packet of a stream may look like: the knowledge with which a deframer finds its way."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from telemetry.wire.space_packet import (
    IDLE_APID,
    MAX_DATA_OCTETS,
    MIN_DATA_OCTETS,
    PACKET_TYPE_TELEMETRY,
    PACKET_VERSION,
    PrimaryHeader,
)

DOUBTFUL_OCTETS = 4096  # Packets that are longer, without a CRC, are looked into: see the deframer.


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketRule:
    """The lengths that packets of one APID may declare, and whether they end in a CRC-16."""

    min_octets: int = MIN_DATA_OCTETS  # Octets behind the primary header.
    max_octets: int = MAX_DATA_OCTETS
    has_crc: bool = False

    @property
    def is_fixed(self) -> bool:
        """Whether every packet has the same length."""
        return self.min_octets == self.max_octets

    def __str__(self) -> str:
        if self.is_fixed:
            return f"{self.min_octets:,}"
        return f"{self.min_octets:,} to {self.max_octets:,}"


@dataclass(frozen=True, slots=True)
class StreamRules:
    """The packets that belong to a stream: rules by APID, or one rule for every APID.

    With `any_apid` set the APIDs are not known beforehand.
    """

    by_apid: Mapping[int, PacketRule] = field(default_factory=dict)
    any_apid: PacketRule | None = None

    def of(self, header: PrimaryHeader) -> PacketRule | None:
        """Return the rule of a telemetry packet that the stream knows, else None."""
        if header.packet_version != PACKET_VERSION or header.packet_type != PACKET_TYPE_TELEMETRY:
            return None
        if header.apid == IDLE_APID:
            return None
        return self.by_apid.get(header.apid, self.any_apid)

    def find(self, header: PrimaryHeader) -> PacketRule | None:
        """Return the rule of a packet whose declared length it allows, else None."""
        rule = self.of(header)
        if rule is None or not rule.min_octets <= header.data_octets <= rule.max_octets:
            return None
        return rule

    @property
    def is_vague(self) -> bool:
        """Whether nearly every header fits: no APID is known, and the length may vary."""
        return self.any_apid is not None and not self.any_apid.is_fixed

    @property
    def has_crc(self) -> bool:
        """Whether there are packets that carry a CRC."""
        rules = [*self.by_apid.values(), *([self.any_apid] if self.any_apid else [])]
        return any(rule.has_crc for rule in rules)

    def could_begin(self, rest: bytes, before: PrimaryHeader | None = None) -> bool:
        """Whether these few octets, too few for a header, could begin one (zeros: no).

        Where nearly every header fits, only one more of the APID of `before` could.
        """
        if not rest.strip(b"\0"):
            return False
        if len(rest) == 1:
            return rest[0] < 0x10 and not self.is_vague
        apid = (rest[0] << 8 | rest[1]) & 0x7FF
        is_known = apid in self.by_apid or apid == IDLE_APID
        is_known |= self.any_apid is not None and not self.is_vague
        is_known |= before is not None and apid == before.apid
        return rest[0] < 0x10 and is_known

    def is_specific(self, header: PrimaryHeader) -> bool:
        """Whether a header that fits is strong evidence: a known APID or a fixed length."""
        return header.apid in self.by_apid or (self.any_apid is not None and self.any_apid.is_fixed)

    def candidate_pattern(self) -> re.Pattern[bytes]:
        """Return a look-ahead that matches wherever six octets could be a header that fits.

        It is a sieve, not a proof: it may let through what `find` refuses, never the reverse.
        """
        rules = [*self.by_apid.values(), *([self.any_apid] if self.any_apid else [])]
        shortest = min(rule.min_octets for rule in rules) - 1
        longest = max(rule.max_octets for rule in rules) - 1
        identification = rb"[\x00-\x0f]." if self.any_apid else _identifications(self.by_apid)
        length = _octet_range(shortest >> 8, longest >> 8)
        length += (
            _octet_range(shortest & 0xFF, longest & 0xFF)
            if shortest >> 8 == longest >> 8
            else rb"."
        )
        return re.compile(rb"(?=(?:" + identification + rb").." + length + rb")", re.DOTALL)


def _identifications(apids: Iterable[int]) -> bytes:
    """Match the first two octets of telemetry packets, with or without a secondary header."""
    lows: dict[int, list[int]] = {}
    for apid in sorted(apids):
        lows.setdefault(apid >> 8, []).append(apid & 0xFF)
    return b"|".join(
        b"[" + _octet(high) + _octet(high | 8) + b"][" + b"".join(map(_octet, low)) + b"]"
        for high, low in lows.items()
    )


def _octet_range(first: int, last: int) -> bytes:
    return b"[" + _octet(first) + b"-" + _octet(last) + b"]"


def _octet(value: int) -> bytes:
    return rb"\x%02x" % value
