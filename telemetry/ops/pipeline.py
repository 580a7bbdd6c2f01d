# SPDX-License-Identifier: Apache-2.0
"""Octets in, tables of columns out, and every octet booked on the way."""

from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from telemetry.columns.column import Array, Column
from telemetry.columns.definition import Definition
from telemetry.columns.frame import LetGo
from telemetry.columns.limits import LimitMemory
from telemetry.common.kernels import Kernels
from telemetry.ops.accounts import Fate
from telemetry.ops.cells import DIGEST_COLUMN, GAP_COLUMN, OCTETS_COLUMN
from telemetry.ops.digest import digest_packets
from telemetry.ops.floors import Floors, Found
from telemetry.ops.groups import GroupFloor, Packets, Units
from telemetry.ops.ledger import Ledger
from telemetry.ops.merge import OverlapFilter, of_dump, take_packets
from telemetry.ops.options import Options
from telemetry.ops.reading import Reader, Reading, Wait
from telemetry.ops.source import Dump, Source, open_source
from telemetry.ops.table import Table, take_rows
from telemetry.ops.table_booking import PacketTable, book_table
from telemetry.ops.timeline import Arrival, Timeline
from telemetry.wire.batch import Indices, PacketBatch, VerdictCode
from telemetry.wire.framing import NO_TIME
from telemetry.wire.space_packet import SEQUENCE_FLAGS_UNSEGMENTED

if TYPE_CHECKING:
    from telemetry.ops.frame_ledger import FrameLedger


MANY_APIDS_CHUNK_OCTETS = 4 << 20


@dataclass(slots=True)
class _Work:
    """Packets that are being turned into columns."""

    found: Found
    offsets: Indices  # Of the packets in the ledger.
    base: int  # Of the dump in the ledger.
    fates: Array  # `Fate` of each packet.
    parts: list[tuple[int, Indices, Wait]]  # APID, which packets, and their columns to come.
    units: Units | None = None  # Where segments are put together: what `found` holds.
    problems: dict[int, str] = field(default_factory=dict)  # Known before the columns.
    valueless: list[LetGo] = field(default_factory=list)  # Found with the columns.


class Pipeline:
    """For each dump call `begin`, `push` its chunks, and `end` it; the last two yield tables.

    The tables of one APID come in order. `ledger` tells what became of every octet of all dumps.
    With more than one dump, packets are remembered to find what two dumps hold both. `is_part` says
    that the tables will be merged with those of other dumps: they come with what that takes.
    """

    def __init__(
        self,
        definition: Definition,
        options: Options,
        reader: Reader,
        *,
        dumps: int = 1,
        is_timed: bool = False,
        is_part: bool = False,
    ) -> None:
        self.ledger = Ledger()
        self.frame_ledgers: list[FrameLedger] = []  # One per dump, where there is a framing.
        self._definition = definition
        self._options = options
        self._reader = reader
        self._memories: dict[int, LimitMemory] = {}
        self._timeline = Timeline(definition, options, self.ledger, is_timed or is_part)
        self._is_part = is_part
        self._overlaps = OverlapFilter() if dumps > 1 else None
        self._groups: GroupFloor | None = None
        if options.reassemble:
            self._groups = GroupFloor(definition, repeated_header=options.repeated_header)
            self.ledger.groups = self._groups.ledger
        self._dumps = 0
        self._base = 0  # Octets of the dumps before.
        self._waiting: deque[_Work] = deque()
        self._most_waiting = 0 if options.processes == 1 else 2 * options.processes
        self._floors = Floors(definition, options, Kernels.NUMPY)

    @property
    def chunk_octets(self) -> int:
        """What to read at a time, so that each APID has many packets in it."""
        is_one = len(self._definition.by_apid) == 1
        return 0 if is_one else MANY_APIDS_CHUNK_OCTETS

    def open(self, dump: Dump) -> AbstractContextManager[Source]:
        """Open a dump with what the options say of serial ports."""
        options = self._options
        return open_source(dump, baudrate=options.baudrate, line=options.line)

    @property
    def frame_octets_lost(self) -> int:
        """Octets of the dump at hand in damaged frames, or in none; -1 without a framing."""
        floor = self._floors.frame_ledger
        return -1 if floor is None else floor.octets_lost

    def begin(self, kernels: Kernels) -> None:
        """Declare that a dump begins."""
        self._floors = Floors(self._definition, self._options, kernels)
        self._timeline.begin()
        if self._floors.frame_ledger is not None:
            self.frame_ledgers.append(self._floors.frame_ledger)

    def push(self, chunk: bytes) -> Iterator[Table]:
        """Add octets and yield every table that is ready."""
        for found in self._floors.push(chunk):
            self._read(found)
            yield from self._ready(self._most_waiting)

    def end(self, *, is_cut: bool = False) -> Iterator[Table]:
        """Declare the end of the dump and yield what is left; the sums are asserted.

        `is_cut`: the reading was broken off, which is no damage.
        """
        for found in self._floors.close(is_cut=is_cut):
            self._read(found)
        yield from self._ready(0)
        self._base += self._floors.packet_octets
        self._dumps += 1
        self.ledger.close(self._base)
        if self._groups is not None:
            self._groups.check()

    def finish(self) -> None:
        """Declare the end of the last dump."""
        if self._groups is not None:
            self._groups.close()

    # --- Before the columns -----------------------------------------------------------------------

    def _read(self, found: Found) -> None:
        """Sort packets by APID and have them read."""
        packets = found.packets
        fates = np.zeros(len(packets), np.uint8)
        if self._options.apid is not None:
            fates[found.apids != self._options.apid] = Fate.OTHER
        if self._overlaps is not None:
            self._leave_out_overlaps(packets, fates)
        work = _Work(found, self._base + packets.offset + packets.starts, self._base, fates, [])
        self._submit(work if self._groups is None else self._grouped(work, self._groups))

    def _submit(self, work: _Work) -> None:
        is_asked = work.fates == Fate.ASKED
        is_asked[list(work.problems)] = False
        work.parts = [
            (apid, chosen, self._reader.submit(apid, _take(work.found.packets, chosen)))
            for apid, chosen in _by_apid(work.found.apids, is_asked)
        ]
        self._waiting.append(work)

    def _grouped(self, work: _Work, groups: GroupFloor) -> _Work:
        """Book packets, and return what is put together of them."""
        found = work.found
        missing = self._book(work, {})
        asked = np.flatnonzero(work.fates == Fate.ASKED)
        stamps = found.received_ns
        if stamps is None:
            stamps = np.full(len(found.packets), NO_TIME)
        places = found.seen_at(work.offsets)
        arrays = (found.apids, found.counts, work.offsets, places, missing, stamps)
        batch = _take(found.packets, asked)
        units = groups.push(Packets(batch, *(_pick(array, asked) for array in arrays)))
        packets = units.packets
        return _Work(
            Found(
                packets.batch,
                packets.apids,
                packets.counts,
                (),
                places=None if found.places is None else packets.places,
                received_ns=None if found.received_ns is None else packets.received_ns,
            ),
            packets.offsets,
            work.base,
            np.zeros(len(packets), np.uint8),
            [],
            units,
            groups.misfits(units),
        )

    def _leave_out_overlaps(self, packets: PacketBatch, fates: Array) -> None:
        """Damaged packets stay: what is wrong in them may differ from dump to dump."""
        assert self._overlaps is not None
        chosen = np.flatnonzero((fates == Fate.ASKED) & (packets.verdicts != VerdictCode.DAMAGED))
        merged = of_dump(self._dumps, take_packets(packets, chosen))
        merged = replace(merged, offsets=chosen)
        is_kept = np.isin(chosen, self._overlaps.apply(merged).offsets)
        fates[chosen[~is_kept]] = Fate.OVERLAP

    # --- Behind the columns -----------------------------------------------------------------------

    def _ready(self, most: int) -> Iterator[Table]:
        while len(self._waiting) > most:
            yield from self._finish(self._waiting.popleft())

    def _finish(self, work: _Work) -> Iterator[Table]:
        found, packets = work.found, work.found.packets
        offsets, problems = work.offsets, work.problems
        readings: list[tuple[int, Indices, dict[str, Column]]] = []
        for apid, chosen, wait in work.parts:
            reading = wait()
            problems |= {int(chosen[index]): text for index, text in reading.problems.items()}
            rows = _pick(chosen, reading.indices)
            columns = reading.columns
            work.valueless += [
                lost._replace(packet=int(chosen[lost.packet])) for lost in reading.valueless
            ]
            if not self._is_part:
                columns = self._mean(apid, reading, packets.verdicts[rows])
            beside, is_selected = self._timeline.columns(
                apid, reading.columns, _arrival(found, rows, offsets)
            )
            if is_selected is not None:
                work.fates[rows[~is_selected]] = Fate.OF_OTHER_TIME
            if not self._options.reassemble:
                self._note_segments(apid, reading.columns)
            if self._is_part:
                beside |= _marks(packets, rows)
            # A field of the user's that is called as a column of ours stays.
            beside = {name: beside[name] for name in beside if name not in columns}
            readings.append((apid, rows, {**columns, **beside}))
        if work.units is None or self._groups is None:
            missing = self._book(work, problems)
        else:
            missing = work.units.packets.missing
            self._groups.book(work.units, problems, work.fates == Fate.OF_OTHER_TIME, self.ledger)
        self._note_valueless(work)
        for apid, rows, columns in readings:
            gaps = Column(name=GAP_COLUMN, raw=_pick(missing, rows))
            places = None if found.places is None else _pick(found.places, rows)
            result = Table(apid, {**columns, GAP_COLUMN: gaps}, _pick(offsets, rows), places)
            is_kept = work.fates[rows] == Fate.ASKED
            if is_kept.any():
                yield result if is_kept.all() else take_rows(result, np.flatnonzero(is_kept))

    def _book(self, work: _Work, problems: dict[int, str]) -> Array:
        """Book everything that was found; return how many packets are missing before each."""
        found, packets = work.found, work.found.packets
        table = PacketTable(
            offsets=work.offsets,
            lengths=packets.lengths,
            apids=found.apids,
            counts=found.counts,
            verdicts=packets.verdicts,
            problems=problems,
            places=found.places,
            fates=work.fates if work.fates.any() else None,
        )
        rest = found.rest
        if work.base:
            rest = tuple(span._replace(offset=work.base + span.offset) for span in rest)
        if not len(found.passed):
            return book_table(self.ledger, table, rest, found.rest_places)
        merged, index = _with_passed(table, work)
        return book_table(self.ledger, merged, rest, found.rest_places)[index]

    def _note_valueless(self, work: _Work) -> None:
        places = work.found.seen_at(work.offsets)
        for lost in sorted(work.valueless, key=lambda lost: lost.packet):
            if work.fates[lost.packet] == Fate.ASKED:
                self.ledger.note_valueless(lost.path, lost.reason, int(places[lost.packet]))

    def _note_segments(self, apid: int, columns: dict[str, Column]) -> None:
        """Say that segments were decoded as they came."""
        flags = columns.get("sequence_flags")
        if flags is not None and (flags.raw != SEQUENCE_FLAGS_UNSEGMENTED).any():
            self.ledger.note(
                f"APID {apid}: by their sequence flags packets are segments of groups; each was "
                "decoded by itself (--reassemble puts them together)"
            )

    def _mean(self, apid: int, reading: Reading, verdicts: Array) -> dict[str, Column]:
        """Put engineering values and limit states beside the raw values."""
        packet = self._definition.of(apid)
        if packet is None or not packet.meanings:
            return reading.columns
        memory = self._memories.setdefault(apid, LimitMemory())
        trusted = verdicts != VerdictCode.DAMAGED
        return packet.meanings.apply(reading.columns, memory, trusted)


def _marks(packets: PacketBatch, rows: Indices) -> dict[str, Column]:
    """Return what finds packets again in other dumps."""
    batch = _take(packets, rows)
    marks = (DIGEST_COLUMN, digest_packets(batch)), (OCTETS_COLUMN, batch.lengths)
    return {name: Column(name=name, raw=values) for name, values in marks}


def _arrival(found: Found, rows: Indices, offsets: Indices) -> Arrival:
    """Return what is known of these packets besides their columns."""
    return Arrival(
        _pick(found.counts, rows),
        _pick(found.seen_at(offsets), rows),
        _pick(found.packets.verdicts, rows) != VerdictCode.DAMAGED,
        None if found.received_ns is None else _pick(found.received_ns, rows),
        lambda part: digest_packets(_take(found.packets, rows[part])),
    )


def _with_passed(table: PacketTable, work: _Work) -> tuple[PacketTable, Indices]:
    """Return a table of all packets, and where in it those of `table` are."""
    passed = work.found.passed
    offsets = np.concatenate(
        (table.offsets, work.base + passed.packets.offset + passed.packets.starts)
    )
    order = np.argsort(offsets)
    index = np.empty(len(order), np.int64)
    index[order] = np.arange(len(order))
    fates = np.where(passed.is_idle, Fate.IDLE, Fate.OTHER).astype(np.uint8)
    places = None
    if table.places is not None and work.found.passed_places is not None:
        places = np.concatenate((table.places, work.found.passed_places))[order]
    return PacketTable(
        offsets=offsets[order],
        lengths=np.concatenate((table.lengths, passed.packets.lengths))[order],
        apids=np.concatenate((table.apids, passed.apids))[order],
        counts=np.concatenate((table.counts, np.zeros(len(passed), np.uint16)))[order],
        verdicts=np.concatenate((table.verdicts, passed.packets.verdicts))[order],
        problems={int(index[place]): text for place, text in table.problems.items()},
        places=places,
        fates=np.concatenate((work.fates, fates))[order],
    ), index[: len(table)]


def _pick(values: Array, indices: Indices) -> Array:
    """Return `values[indices]` for ascending indices."""
    return values if len(indices) == len(values) else values[indices]


def _take(packets: PacketBatch, chosen: Indices) -> PacketBatch:
    if len(chosen) == len(packets):
        return packets
    return PacketBatch(
        packets.octets,
        packets.starts[chosen],
        packets.lengths[chosen],
        packets.offset,
        packets.verdicts[chosen],
    )


def _by_apid(apids: Array, is_asked: Array) -> Iterator[tuple[int, Indices]]:
    """Yield each APID and the places of its packets."""
    if not len(apids):
        return
    if (apids == apids[0]).all():
        if is_asked.any():
            yield int(apids[0]), np.flatnonzero(is_asked)
        return
    for apid in np.unique(apids[is_asked]).tolist():
        yield apid, np.flatnonzero((apids == apid) & is_asked)
