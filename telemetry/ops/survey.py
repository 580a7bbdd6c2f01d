# SPDX-License-Identifier: Apache-2.0
"""What can be seen of the packets of a dump before anybody has said what is in them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from telemetry.wire.crc import CRC_OCTETS, crc16
from telemetry.wire.deframer import Deframer
from telemetry.wire.pus import PUS_C_VERSION
from telemetry.wire.rules import PacketRule, StreamRules
from telemetry.wire.space_packet import PRIMARY_HEADER_OCTETS
from telemetry.wire.spans import Kind, Span

PUS_OCTETS = 7  # ECSS-E-ST-70-41C 7.4.3.1, up to the time.
_MIN_PUS_OCTETS = PUS_OCTETS + CRC_OCTETS
_MIN_PACKETS = 2  # Of one packet all octets are constant, which tells nothing.


@dataclass(slots=True)
class Shape:
    """Lengths and constant octets of packet data fields."""

    packets: int = 0
    min_octets: int = 0
    max_octets: int = 0
    first: bytes = b""  # The data field of the first packet.
    _changed: "np.ndarray[tuple[int], np.dtype[np.uint8]]" = field(
        default_factory=lambda: np.zeros(0, np.uint8)
    )

    def add(self, data: bytes) -> None:
        """Take note of one more packet data field."""
        octets = np.frombuffer(data, np.uint8)
        if not self.packets:
            self.first, self._changed = data, np.zeros(len(data), np.uint8)
            self.min_octets = self.max_octets = len(data)
        self.packets += 1
        self.min_octets = min(self.min_octets, len(data))
        self.max_octets = max(self.max_octets, len(data))
        common = min(len(data), len(self._changed))
        self._changed = self._changed[:common]
        self._changed |= octets[:common] ^ np.frombuffer(self.first, np.uint8, common)

    @property
    def is_fixed(self) -> bool:
        """Whether every packet has the same length."""
        return self.min_octets == self.max_octets

    def is_constant(self, start: int, end: int) -> bool:
        """Whether the octets `start .. end - 1` are there, and the same in every packet."""
        return end <= len(self._changed) and not self._changed[start:end].any()

    def constant(self) -> list[bool]:
        """Return which octets are the same in every packet, up to the end of the shortest."""
        return [self.packets >= _MIN_PACKETS and not changed for changed in self._changed.tolist()]


@dataclass(slots=True)
class ApidSurvey:
    """What was seen of one APID."""

    every: Shape = field(default_factory=Shape)
    checked: Shape = field(default_factory=Shape)  # Of the packets that end in their CRC-16.
    with_secondary_header: int = 0
    pus: int = 0  # Packets that begin as a PUS-C secondary header does.

    def add(self, span: Span) -> None:
        """Take note of a whole packet."""
        data = span.data[PRIMARY_HEADER_OCTETS:]
        has_flag = span.header is not None and bool(span.header.secondary_header_flag)
        self.with_secondary_header += has_flag
        self.pus += has_flag and _begins_as_pus(data)
        self.every.add(data)
        if len(data) > CRC_OCTETS and crc16(span.data) == 0:
            self.checked.add(data)

    @property
    def has_crc(self) -> bool:
        """Whether packets end in a CRC-16: it holds by chance once in 65,536 packets."""
        return 2 * self.checked.packets >= self.every.packets

    @property
    def is_pus(self) -> bool:
        """Whether a PUS-C secondary header is likely: nearly every packet begins as one."""
        return self.pus > 0.9 * self.every.packets and self.every.min_octets >= _MIN_PUS_OCTETS

    @property
    def shape(self) -> Shape:
        """The shape to write down: damaged packets are left out where a CRC tells them."""
        return self.checked if self.has_crc else self.every


@dataclass(slots=True)
class Survey:
    """What was seen of a dump."""

    octets: int = 0
    packet_octets: int = 0
    apids: dict[int, ApidSurvey] = field(default_factory=dict)


def survey_chunks(chunks: Iterable[bytes]) -> Survey:
    """Walk over the packets of a stream, in bounded memory."""
    survey = Survey()
    deframer = Deframer(StreamRules(any_apid=PacketRule()))
    for chunk in chunks:
        survey.octets += len(chunk)
        _take(survey, deframer.push(chunk))
    _take(survey, deframer.close())
    return survey


def _take(survey: Survey, spans: Iterable[Span]) -> None:
    for span in spans:
        if span.kind is Kind.PACKET and span.header is not None:
            survey.packet_octets += span.length
            survey.apids.setdefault(span.header.apid, ApidSurvey()).add(span)


def _begins_as_pus(data: bytes) -> bool:
    """Judge by version, service and message subtype, which are never 0 (7.4.3.1, 8.x)."""
    return (
        len(data) >= PUS_OCTETS and data[0] >> 4 == PUS_C_VERSION and data[1] != 0 and data[2] != 0
    )
