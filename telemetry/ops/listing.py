# SPDX-License-Identifier: Apache-2.0
"""The packets of a dump one by one, and what lies between them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from typing import Any, NamedTuple

import numpy as np

from telemetry.columns.column import Array
from telemetry.columns.definition import Definition, define
from telemetry.common.kernels import Kernels
from telemetry.ops.floors import Floors, Found
from telemetry.ops.ledger import Ledger, PacketTable
from telemetry.ops.options import Options
from telemetry.wire.batch import PacketBatch, VerdictCode
from telemetry.wire.crc_rows import crc16_rows
from telemetry.wire.framing import FrameBatch
from telemetry.wire.space_packet import PrimaryHeader, parse_primary_header
from telemetry.wire.spans import CRC_DOES_NOT_HOLD, Kind, Span

_VERDICTS = {int(code): code.verdict.value for code in VerdictCode}
_GOOD, _NONE, _DAMAGED = (int(VerdictCode[name]) for name in ("GOOD", "NONE", "DAMAGED"))


class Entry(NamedTuple):
    """A packet, or a stretch that is none.

    `offset` is the place in the dump; with a framing, that of the frame in which it begins.
    """

    number: int | None  # From 1; of packets of the stream (`Kind.PACKET`) only.
    offset: int
    octets: int
    kind: Kind
    header: PrimaryHeader | None
    verdict: str
    missing_before: int  # Packets of the same APID.
    reason: str


def any_definition() -> Definition:
    """Return the definition of a user who has none: any APID, any length, octets as they are."""
    import construct

    return define(construct.GreedyBytes, "packet")


@dataclass(slots=True)
class FramePlaces:
    """Where in the dump the frames are that carry the stream of packets."""

    _starts: Array = field(default_factory=lambda: np.empty(0, np.int64))  # In the stream.
    _offsets: Array = field(default_factory=lambda: np.empty(0, np.int64))  # In the dump.

    def add(self, frames: FrameBatch, base: int, needed_from: int) -> None:
        """Add frames whose payloads begin at `base`; forget those before `needed_from`."""
        first = max(int(np.searchsorted(self._starts, needed_from, side="right")) - 1, 0)
        self._starts = np.concatenate((self._starts[first:], frames.starts + base))
        self._offsets = np.concatenate((self._offsets[first:], frames.offsets))

    def find(self, offsets: Array) -> Array:
        """Return the place of the frame of each octet of the stream; without frames, its own."""
        if not len(self._starts):
            return offsets
        indices = np.maximum(np.searchsorted(self._starts, offsets, side="right") - 1, 0)
        found: Array = self._offsets[indices]
        return found


@dataclass(slots=True)
class Lister:
    """List what a dump holds, in order; the ledger is complete when the entries are.

    Without a definition (None) a packet counts as checked if it ends in a CRC-16 that holds; that
    happens by chance once in 65,536 packets.
    """

    definition: Definition | None
    options: Options = field(default_factory=Options)
    ledger: Ledger = field(default_factory=Ledger)
    _number: int = 0
    _places: FramePlaces = field(default_factory=FramePlaces)

    def entries(self, chunks: Iterable[bytes]) -> Iterator[Entry]:
        """Yield an entry for each packet and for each stretch that is none."""
        floors = Floors(self.definition or any_definition(), self.options, Kernels.NUMPY)
        for chunk in chunks:
            for found in floors.push(chunk):
                yield from self._take(found, floors.packet_octets)
        for found in floors.close():
            yield from self._take(found, floors.packet_octets)
        self.ledger.close(floors.packet_octets)

    def _take(self, found: Found, octets: int) -> Iterator[Entry]:
        packets = found.packets
        if found.frames is not None:
            self._places.add(found.frames, octets - len(found.frames.octets), packets.offset)
        verdicts = packets.verdicts if self.definition else _guessed_verdicts(packets)
        offsets = packets.starts + packets.offset
        table = PacketTable(offsets, packets.lengths, found.apids, found.counts, verdicts, {})
        missing = self.ledger.add_table(table, found.others)
        mine = self._packets(found, table, missing)
        others = map(self._other, found.others)
        return (entry for _, entry in merge(mine, others, key=lambda pair: pair[0]))

    def _packets(
        self, found: Found, table: PacketTable, missing: Array
    ) -> Iterator[tuple[int, Entry]]:
        octets: Any = found.packets.octets.data
        rows = (
            found.packets.starts, table.offsets, self._places.find(table.offsets),
            table.lengths, table.verdicts, missing,
        )  # fmt: skip
        for start, at, offset, length, verdict, gap in zip(
            *(array.tolist() for array in rows), strict=True
        ):
            self._number += 1
            header = parse_primary_header(octets, start)
            reason = CRC_DOES_NOT_HOLD if verdict == _DAMAGED else ""
            text = _VERDICTS[verdict]
            yield at, Entry(self._number, offset, length, Kind.PACKET, header, text, gap, reason)

    def _other(self, span: Span) -> tuple[int, Entry]:
        offset = int(self._places.find(np.array([span.offset]))[0])
        verdict = _VERDICTS[_NONE]
        entry = Entry(None, offset, span.length, span.kind, span.header, verdict, 0, span.reason)
        return span.offset, entry


def _guessed_verdicts(packets: PacketBatch) -> Array:
    crcs = crc16_rows(packets.octets, packets.starts, packets.lengths, Kernels.NUMPY)
    return np.where(crcs == 0, _GOOD, _NONE).astype(np.uint8)
