# SPDX-License-Identifier: Apache-2.0
"""The packets of a dump one by one, and what lies between them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from telemetry.columns.column import Array
from telemetry.columns.definition import Definition, define
from telemetry.common.kernels import Kernels
from telemetry.ops.floors import Floors, Found
from telemetry.ops.frame_ledger import FrameLedger
from telemetry.ops.ledger import Ledger
from telemetry.ops.merge import take_packets
from telemetry.ops.options import Options
from telemetry.ops.reading import PlanReader
from telemetry.ops.table_booking import PacketTable, book_table
from telemetry.wire.batch import PacketBatch, VerdictCode
from telemetry.wire.crc_rows import crc16_rows
from telemetry.wire.space_packet import (
    DATA_LENGTH_BIAS,
    SEQUENCE_FLAGS_UNSEGMENTED,
    PrimaryHeader,
    parse_primary_header,
)
from telemetry.wire.spans import CRC_DOES_NOT_HOLD, Kind, Span

if TYPE_CHECKING:
    from telemetry.columns.frame import LetGo

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
class Lister:
    """List what a dump holds, in order; the ledger is complete when the entries are.

    Without a definition (None) a packet counts as checked if it ends in a CRC-16 that holds; that
    happens by chance once in 65,536 packets.
    """

    definition: Definition | None
    options: Options = field(default_factory=Options)
    ledger: Ledger = field(default_factory=Ledger)
    frame_ledgers: list[FrameLedger] = field(default_factory=list)  # One, if there is a framing.
    _number: int = 0
    _reader: PlanReader | None = None

    def entries(
        self, chunks: Iterable[bytes], is_cut: Callable[[], bool] = lambda: False
    ) -> Iterator[Entry]:
        """Yield an entry for each packet and for each stretch that is none.

        `is_cut` tells, behind the last chunk, whether reading was broken off, which is no damage.
        """
        floors = Floors(self.definition or any_definition(), self.options, Kernels.NUMPY)
        if floors.frame_ledger is not None:
            self.frame_ledgers.append(floors.frame_ledger)
        for chunk in chunks:
            for found in floors.push(chunk):
                yield from self._take(found)
        for found in floors.close(is_cut=is_cut()):
            yield from self._take(found)
        self.ledger.close(floors.packet_octets)

    def _take(self, found: Found) -> Iterator[Entry]:
        packets = found.packets
        verdicts = packets.verdicts if self.definition else _guessed_verdicts(packets)
        offsets = packets.starts + packets.offset
        problems, remarks = self._read(found, offsets)
        table = PacketTable(
            offsets, packets.lengths, found.apids, found.counts, verdicts, problems, found.places
        )
        missing = book_table(self.ledger, table, found.others, found.other_places)
        mine = self._packets(found, table, missing, remarks)
        places = found.other_places or [span.offset for span in found.others]
        others = map(_other, found.others, places)
        return (entry for _, entry in merge(mine, others, key=lambda pair: pair[0]))

    def _read(self, found: Found, offsets: Array) -> tuple[dict[int, str], dict[int, str]]:
        """Read the fields as `decode` does; return why packets cannot be read, and remarks.

        Segments are not read: a definition is that of whole groups.
        """
        problems: dict[int, str] = {}
        lost: list[LetGo] = []
        if self.definition is None or self.options.reassemble:
            return problems, {}
        if self._reader is None:
            has_header = self.options.has_primary_header
            self._reader = PlanReader(self.definition, has_header=has_header)
        for apid in np.unique(found.apids).tolist():
            chosen = np.flatnonzero(found.apids == apid)
            reading = self._reader.read(apid, take_packets(found.packets, chosen))
            problems |= {int(chosen[index]): why for index, why in reading.problems.items()}
            lost += [item._replace(packet=int(chosen[item.packet])) for item in reading.valueless]
        places = found.seen_at(offsets)
        for item in sorted(lost, key=lambda item: item.packet):
            self.ledger.note_valueless(item.path, item.reason, int(places[item.packet]))
        remarks = {index: f"not as defined: {why}" for index, why in problems.items()}
        remarks |= {item.packet: f"{item.path}: no value: {item.reason}" for item in lost}
        return problems, remarks

    def _packets(
        self, found: Found, table: PacketTable, missing: Array, remarks: dict[int, str]
    ) -> Iterator[tuple[int, Entry]]:
        columns = (
            table.offsets, table.seen_at, table.lengths, table.verdicts, missing
        )  # fmt: skip
        rows = zip(*(array.tolist() for array in columns), strict=True)
        first = self._number
        for header, (at, offset, length, verdict, gap) in zip(
            self._headers(found), rows, strict=True
        ):
            index = self._number - first
            self._number += 1
            reason = CRC_DOES_NOT_HOLD if verdict == _DAMAGED else remarks.get(index, "")
            text = _VERDICTS[verdict]
            yield at, Entry(self._number, offset, length, Kind.PACKET, header, text, gap, reason)

    def _headers(self, found: Found) -> Iterator[PrimaryHeader]:
        packets = found.packets
        if self.options.has_primary_header:
            octets: Any = packets.octets.data
            yield from (parse_primary_header(octets, start) for start in packets.starts.tolist())
            return
        columns = found.apids.tolist(), found.counts.tolist(), packets.lengths.tolist()
        for apid, count, length in zip(*columns, strict=True):
            flags = SEQUENCE_FLAGS_UNSEGMENTED
            yield PrimaryHeader(0, 0, 0, apid, flags, count, length - DATA_LENGTH_BIAS)


def _other(span: Span, place: int) -> tuple[int, Entry]:
    verdict = "" if span.header is None else _VERDICTS[_NONE]  # What is no packet has no CRC.
    entry = Entry(None, place, span.length, span.kind, span.header, verdict, 0, span.reason)
    return span.offset, entry


def _guessed_verdicts(packets: PacketBatch) -> Array:
    crcs = crc16_rows(packets.octets, packets.starts, packets.lengths, Kernels.NUMPY)
    return np.where(crcs == 0, _GOOD, _NONE).astype(np.uint8)
