# SPDX-License-Identifier: Apache-2.0
"""Packets behind a prefix: its length in octets, or a wrapper of which only the size is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from telemetry.wire.framing.chained import ChainedFraming
from telemetry.wire.framing.frame import MAX_FRAME_OCTETS
from telemetry.wire.rules import PacketRule, StreamRules
from telemetry.wire.space_packet import (
    DATA_LENGTH_BIAS,
    IDLE_APID,
    PACKET_VERSION,
    PRIMARY_HEADER_OCTETS,
)

_ANY_PACKET = StreamRules({}, PacketRule())


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthField:
    """An unsigned count of octets before each frame."""

    octets: int  # 1, 2 or 4
    order: Literal["big", "little"] = "big"
    is_inclusive: bool = False  # Whether the field counts itself too.

    def encode(self, payload: bytes) -> bytes:
        """Return one frame; `OverflowError` when the field is too narrow for the payload."""
        count = len(payload) + self.octets * self.is_inclusive
        return count.to_bytes(self.octets, self.order) + payload


class LengthFraming(ChainedFraming):
    """Frames of `field` and as many octets as it says, 1..`max_octets` of them.

    With `holds_packets` the first thing in each payload, behind `skip` octets, is the header of a
    space packet that ends within the frame. That is the better part of the evidence after damage.
    """

    def __init__(
        self,
        field: LengthField,
        *,
        holds_packets: bool = True,
        skip: int = 0,
        rules: StreamRules | None = None,
        max_octets: int = MAX_FRAME_OCTETS,
    ) -> None:
        super().__init__(field.octets + skip, rules, max_octets)
        self._field = field
        self._skip = skip
        self._holds_packets = holds_packets

    def end_of(self, at: int) -> int | None:
        """Return where the length field at `at` says that the frame ends."""
        field = self._field
        if not self.has(at + field.octets):
            return at + field.octets + 1  # Beyond the end of the input.
        count = int.from_bytes(self._buffer[at : at + field.octets], field.order)
        payload = count - field.octets * field.is_inclusive
        end = at + field.octets + payload
        if not max(1, self._skip) <= payload <= self._max_octets + self._skip:
            return None
        return end if not self._holds_packets or self._packet_fits(at, end) else None

    def _packet_fits(self, at: int, end: int) -> bool:
        at += self._prefix
        if at + PRIMARY_HEADER_OCTETS >= end:
            return False
        if not self.has(at + PRIMARY_HEADER_OCTETS):
            return True
        header = self.header(at)
        return header is not None and at + header.packet_octets <= end

    def is_strong(self, at: int) -> bool:  # noqa: ARG002 (`end_of` has looked at it)
        """Whether the length of a packet agrees with that of the frame."""
        return self._holds_packets

    def candidates(self, at: int, end: int) -> Iterator[int]:
        """Yield the places where the length, and that of a packet, are possible."""
        import numpy as np

        width = self._field.octets
        behind = self._prefix + PRIMARY_HEADER_OCTETS if self._holds_packets else width
        at, end = min(at, len(self._buffer)), min(end, len(self._buffer) - behind + 1)
        if at >= end:
            return
        octets = np.frombuffer(self._buffer, np.uint8, end - at + behind - 1, at).astype(np.int64)
        turn = 1 if self._field.order == "big" else -1
        counts = np.zeros(end - at, np.int64)
        for index in range(width)[::turn]:
            counts = counts << 8 | octets[index : index + end - at]
        payloads = counts - width * self._field.is_inclusive
        low, high = max(1, self._skip), self._max_octets + self._skip
        is_possible = (payloads >= low) & (payloads <= high)
        if self._holds_packets:
            version, *_, high_octet, low_octet = (
                octets[self._prefix + index :][: end - at] for index in range(PRIMARY_HEADER_OCTETS)
            )
            packets = (high_octet << 8 | low_octet) + PRIMARY_HEADER_OCTETS + DATA_LENGTH_BIAS
            is_possible &= (version >> 5 == PACKET_VERSION) & (packets + self._skip <= payloads)
        yield from (np.flatnonzero(is_possible) + at).tolist()


class SkipFraming(ChainedFraming):
    """Space packets behind `prefix` octets each; the packet's own header says where it ends."""

    def __init__(self, prefix: int, *, rules: StreamRules | None = None) -> None:
        super().__init__(prefix, rules)
        self._pattern = (rules or _ANY_PACKET).candidate_pattern()

    def end_of(self, at: int) -> int | None:
        """Return where the packet behind the prefix at `at` ends."""
        at += self._prefix
        if not self.has(at + PRIMARY_HEADER_OCTETS):
            return at + PRIMARY_HEADER_OCTETS + 1  # Beyond the end of the input.
        header = self.header(at)
        return at + header.packet_octets if header is not None else None

    def is_strong(self, at: int) -> bool:
        """Whether the rules know the packet behind the prefix at `at`."""
        header = self.header(at + self._prefix)
        if header is None or self._rules is None:
            return False
        return header.apid == IDLE_APID or self._rules.of(header) is not None

    def candidates(self, at: int, end: int) -> Iterator[int]:
        """Yield the places of packets that the rules know."""
        for match in self._pattern.finditer(self._buffer, at + self._prefix):
            start = match.start() - self._prefix
            if start >= end:
                return
            if self._rules is None or self.is_strong(start):
                yield start
