# SPDX-License-Identifier: Apache-2.0
"""Several dumps as one, in order of time, without what two of them hold both.

A packet is an overlap when a packet before it in order of time, of another dump, has the same
octets. Those that one dump holds twice stay: they are duplicates, and sequence counts tell of them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.columns.column import Array
from telemetry.columns.flatten import VERDICT_COLUMN
from telemetry.ops.cells import DIGEST_COLUMN, OCTETS_COLUMN, PACKET_TIME, RECEIVED_TIME
from telemetry.ops.table import Table, concatenate_tables, take_rows
from telemetry.wire.batch import VerdictCode
from telemetry.wire.time_scales import NOT_A_TIME

WINDOW_PACKETS = 1 << 16  # Of one APID: how far back an overlap is looked for.
ALL_WINDOWS_PACKETS = 1 << 20
_NEVER = np.iinfo(np.int64).min

Numbers: TypeAlias = NDArray[np.int64]
_Timed: TypeAlias = tuple[Table, Numbers]  # Packets, and their times in ns for sorting.


def times_of(table: Table) -> Array | None:
    """Return the packets' own times, or those of their frames; None where nothing tells."""
    for name in (PACKET_TIME, RECEIVED_TIME):
        column = table.columns.get(name)
        if column is not None and column.raw.dtype.kind == "M":
            is_damaged = table.columns[VERDICT_COLUMN].raw == int(VerdictCode.DAMAGED)
            is_doubtful = is_damaged if name == PACKET_TIME else np.zeros(len(table), np.bool_)
            times: Array = np.where(is_doubtful, NOT_A_TIME, column.raw)
            return times
    return None


@dataclass(slots=True)
class _Dump:
    """What was read of a dump, and has not its turn yet."""

    stream: Iterator[Sequence[Table]]
    held: list[_Timed] = field(default_factory=list)
    _last: dict[int, int] = field(default_factory=dict)  # APID -> its latest time.

    def fill(self) -> None:
        """Read on if nothing is held."""
        while not self.held:
            tables = next(self.stream, None)
            if tables is None:
                return
            self.held = [(table, self._filled(table)) for table in tables if len(table)]

    @property
    def latest(self) -> int:
        """The latest time of what is held."""
        return max(int(times.max()) for _, times in self.held)

    def release(self, frontier: int) -> Iterator[_Timed]:
        """Give out what is not later than this."""
        rest = []
        for table, times in self.held:
            is_ready = times <= frontier
            if is_ready.all():
                yield table, times
                continue
            late = np.flatnonzero(~is_ready)
            rest.append((take_rows(table, late), times[late]))
            if is_ready.any():
                ready = np.flatnonzero(is_ready)
                yield take_rows(table, ready), times[ready]
        self.held = rest

    def _filled(self, table: Table) -> Numbers:
        """Return times for sorting; a packet without one has that of the packet before it."""
        times = times_of(table)
        before = self._last.get(table.apid, max(self._last.values(), default=_NEVER))
        if times is None:
            return np.full(len(table), before)
        places = np.maximum.accumulate(np.where(np.isnat(times), -1, np.arange(len(times))))
        filled: Numbers = np.where(places >= 0, times[places].astype(np.int64), before)
        self._last[table.apid] = int(filled[-1])
        return filled


@dataclass(slots=True)
class TimeMerger:
    """Merge the tables of dumps by time, packet by packet, holding one block of each.

    Each dump should be in order of time, but for stray packets: what comes too late stays late, and
    nothing is lost. Packets of one dump with equal times keep their order. Tables must have the
    columns with the digests and the octets of packets. `offsets` of what comes out are places in
    the merged stream, `places` those in the dumps.
    """

    on_overlap: Callable[[Table], object]  # Is told of the packets that are left out.
    _windows: dict[int, tuple[NDArray[np.uint64], NDArray[np.int32]]] = field(default_factory=dict)
    _at: int = 0  # Octets merged.

    def merge(self, streams: Sequence[Iterable[Sequence[Table]]]) -> Iterator[Table]:
        """Yield the packets of all dumps; a stream is the blocks of a dump, tables by APID."""
        dumps = [_Dump(iter(stream)) for stream in streams]
        while True:
            for dump in dumps:
                dump.fill()
            waiting = [dump for dump in dumps if dump.held]
            if not waiting:
                return
            frontier = min(dump.latest for dump in waiting)
            ready: dict[int, list[tuple[int, Table, Numbers]]] = {}
            for number, dump in enumerate(dumps):
                for table, times in dump.release(frontier):
                    ready.setdefault(table.apid, []).append((number, table, times))
            yield from self._placed([self._join(parts) for _, parts in sorted(ready.items())])

    def _join(self, parts: list[tuple[int, Table, Numbers]]) -> _Timed:
        """Return packets of one APID in order of time, without overlaps."""
        times = np.concatenate([part for _, _, part in parts])
        dumps = np.repeat([number for number, _, _ in parts], [len(table) for _, table, _ in parts])
        order = np.argsort(times, kind="stable")
        table = take_rows(concatenate_tables([table for _, table, _ in parts]), order)
        is_overlap = self._are_overlaps(table, dumps[order].astype(np.int32))
        if not is_overlap.any():
            return table, times[order]
        self.on_overlap(take_rows(table, np.flatnonzero(is_overlap)))
        kept = np.flatnonzero(~is_overlap)
        return take_rows(table, kept), times[order][kept]

    def _are_overlaps(self, table: Table, dumps: NDArray[np.int32]) -> NDArray[np.bool_]:
        nothing = np.empty(0, np.uint64), np.empty(0, np.int32)
        before, dumps_before = self._windows.get(table.apid, nothing)
        digests = np.concatenate((before, table.columns[DIGEST_COLUMN].raw))
        of_dumps = np.concatenate((dumps_before, dumps))
        _, first, group = np.unique(digests, return_index=True, return_inverse=True)
        is_overlap = (of_dumps[first][group] != of_dumps)[len(before) :]
        room = min(WINDOW_PACKETS, ALL_WINDOWS_PACKETS // (len(self._windows) + 1))
        self._windows[table.apid] = digests[-room:], of_dumps[-room:]
        # What is wrong in damaged packets may differ from dump to dump: they all stay.
        found: NDArray[np.bool_] = is_overlap & (
            table.columns[VERDICT_COLUMN].raw != int(VerdictCode.DAMAGED)
        )
        return found

    def _placed(self, tables: list[_Timed]) -> Iterator[Table]:
        """Number the octets of packets as they follow each other."""
        octets = np.concatenate([table.columns[OCTETS_COLUMN].raw for table, _ in tables])
        order = np.argsort(np.concatenate([times for _, times in tables]), kind="stable")
        offsets = np.empty(len(order), np.int64)
        offsets[order] = self._at + np.cumsum(octets[order]) - octets[order]
        self._at += int(octets.sum())
        bounds = np.cumsum([len(table) for table, _ in tables])[:-1]
        for (table, _), places in zip(tables, np.split(offsets, bounds), strict=True):
            if len(table):
                yield replace(table, offsets=places, places=table.seen_at)
