# SPDX-License-Identifier: Apache-2.0
"""What can be seen of the packets of a dump before anybody has said what is in them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.columns.column import Array
from telemetry.columns.gather import gather_rows
from telemetry.common.kernels import Kernels
from telemetry.errors import UsageError
from telemetry.ops.floors import Floors, Found
from telemetry.ops.listing import any_definition
from telemetry.ops.merge import take_packets
from telemetry.ops.options import DEFAULTS, Options
from telemetry.wire.batch import Indices, Octets, PacketBatch
from telemetry.wire.crc import CRC_OCTETS
from telemetry.wire.crc_rows import crc16_rows
from telemetry.wire.pus import PUS_C_VERSION
from telemetry.wire.space_packet import PRIMARY_HEADER_OCTETS, SEQUENCE_COUNT_MODULO
from telemetry.wire.spans import Kind

PUS_OCTETS = 7  # ECSS-E-ST-70-41C 7.4.3.1, up to the time.
_MIN_PUS_OCTETS = PUS_OCTETS + CRC_OCTETS
_BLOCK_OCTETS = 4 << 20  # Worked on at once.
_SECONDARY_HEADER_FLAG = 0x08  # In the first octet of a packet.
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

    def add(self, octets: Octets, starts: Indices, lengths: Indices) -> None:
        """Take note of packet data fields, which lie at `starts` of `octets`."""
        if not len(starts):
            return
        if not self.packets:
            self.first = octets[starts[0] : starts[0] + lengths[0]].tobytes()
            self._changed = np.zeros(len(self.first), np.uint8)
            self.min_octets = self.max_octets = len(self.first)
        self.packets += len(starts)
        self.min_octets = min(self.min_octets, int(lengths.min()))
        self.max_octets = max(self.max_octets, int(lengths.max()))
        common = self.min_octets
        self._changed = self._changed[:common]
        first = np.frombuffer(self.first, np.uint8, common)
        step = max(_BLOCK_OCTETS // max(common, 1), 1)
        for at in range(0, len(starts), step):
            rows = gather_rows(octets, starts[at : at + step], common)
            self._changed |= np.bitwise_or.reduce(rows ^ first, axis=0)

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
    octets: int = 0  # Of its packets.
    followers: int = 0  # Packets whose sequence count follows on that of the one before.
    _last_count: int = -2

    def add(self, packets: PacketBatch, counts: Array, has_header: bool) -> None:
        """Take note of whole packets, of which at least one is given."""
        before = np.concatenate(([self._last_count], counts[:-1])).astype(np.int64)
        is_next = (counts.astype(np.int64) - before) % SEQUENCE_COUNT_MODULO == 1
        is_next[0] &= self._last_count >= 0
        self.followers += int(np.count_nonzero(is_next))
        self._last_count = int(counts[-1])
        header = PRIMARY_HEADER_OCTETS if has_header else 0
        starts, lengths = packets.starts + header, packets.lengths - header
        if has_header:
            has_flag = packets.octets[packets.starts] & _SECONDARY_HEADER_FLAG != 0
            self.with_secondary_header += int(np.count_nonzero(has_flag))
            self.pus += int(_begin_as_pus(packets.octets, starts, lengths)[has_flag].sum())
        self.octets += int(packets.lengths.sum())
        self.every.add(packets.octets, starts, lengths)
        if has_header:  # The CRC is that of the whole packet.
            crcs = crc16_rows(packets.octets, packets.starts, packets.lengths, Kernels.NUMPY)
            good = np.flatnonzero((crcs == 0) & (lengths > CRC_OCTETS))
            self.checked.add(packets.octets, starts[good], lengths[good])

    @property
    def has_crc(self) -> bool:
        """Whether packets end in a CRC-16: it holds by chance once in 65,536 packets."""
        return 2 * self.checked.packets >= self.every.packets

    @property
    def is_likely(self) -> bool:
        """Whether chance alone would hardly give these packets: by their CRCs, or their counts."""
        return self.has_crc or (self.followers > 0 and 2 * self.followers >= self.every.packets - 1)

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
    carried_octets: int = 0  # Of all, or what frames carry.
    packet_octets: int = 0
    filler_octets: int = 0  # Zeros and idle packets.
    apids: dict[int, ApidSurvey] = field(default_factory=dict)
    is_cut: bool = False  # Reading was broken off.

    @property
    def share(self) -> float:
        """The share of what was carried, but for filler, that is in packets."""
        return self.packet_octets / max(self.carried_octets - self.filler_octets, 1)

    @property
    def is_likely(self) -> bool:
        """Whether this is a dump of packets: nothing else, or half of it in likely ones."""
        likely = sum(apid.octets for apid in self.apids.values() if apid.is_likely)
        octets = self.carried_octets - self.filler_octets
        return bool(self.apids) and (self.packet_octets == octets or 2 * likely >= octets)


def survey_chunks(
    chunks: Iterable[bytes],
    options: Options = DEFAULTS,
    is_cut: Callable[[], bool] = lambda: False,
) -> Survey:
    """Walk over the packets of a stream, in bounded memory.

    `is_cut` tells, behind the last chunk, whether reading was broken off, which is no damage.
    """
    survey = Survey()
    floors = Floors(any_definition(), options, Kernels.NUMPY)
    for chunk in chunks:
        _take(survey, floors.push(chunk), options)
    survey.is_cut = is_cut()
    _take(survey, floors.close(is_cut=survey.is_cut), options)
    survey.octets, survey.carried_octets = floors.octets, floors.packet_octets
    return survey


def _take(survey: Survey, batches: Iterable[Found], options: Options) -> None:
    for found in batches:
        packets = found.packets
        survey.packet_octets += int(packets.lengths.sum())
        survey.filler_octets += sum(
            span.length for span in found.others if span.kind in (Kind.IDLE, Kind.FILL)
        )
        for apid in np.unique(found.apids).tolist():
            chosen = np.flatnonzero(found.apids == apid)
            seen = survey.apids.setdefault(apid, ApidSurvey())
            taken = take_packets(packets, chosen)
            seen.add(taken, found.counts[chosen], options.has_primary_header)


def suggest_options(head: bytes, options: Options) -> tuple[str, float] | None:
    """Return how the head of a dump would be better read, and the share of packets then."""
    found = []
    for text, changed in _CANDIDATES.items():
        try:
            tried = replace(options, **changed)
            survey = survey_chunks([head], tried)
        except UsageError:
            continue
        if survey.is_likely:
            # Of SLIP and KISS the one that leaves less beside the packets.
            found.append((survey.packet_octets, -survey.carried_octets, text))
    if not found:
        return None
    octets, _, text = max(found)
    return text, octets / max(len(head), 1)


_CANDIDATES: dict[str, dict[str, Any]] = {
    **{f"--framing {name}": {"framing": name} for name in ("kiss", "slip", "cobs", "length:2be")},
    **{f"--skip {octets}": {"skip": octets} for octets in (1, 2, 4, 6, 8, 10, 12, 16)},
}


def _begin_as_pus(octets: Octets, starts: Indices, lengths: Indices) -> NDArray[np.bool_]:
    """Judge by version, service and message subtype, which are never 0 (7.4.3.1, 8.x)."""
    is_one = lengths >= PUS_OCTETS
    heads = gather_rows(octets, starts[is_one], 3)
    is_one[is_one] = (heads[:, 0] >> 4 == PUS_C_VERSION) & (heads[:, 1:] != 0).all(axis=1)
    return is_one
