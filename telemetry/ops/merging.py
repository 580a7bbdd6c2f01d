# SPDX-License-Identifier: Apache-2.0
"""Dumps in, tables in order of time out, and every octet booked on the way."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from telemetry.columns.column import Column
from telemetry.columns.definition import Definition
from telemetry.columns.flatten import VERDICT_COLUMN
from telemetry.columns.limits import LimitMemory
from telemetry.common.kernels import choose_kernels
from telemetry.errors import TelemetryError, UsageError
from telemetry.ops.cells import BESIDE_COLUMNS, CLOCK_COLUMN, GAP_COLUMN, HIDDEN_COLUMNS
from telemetry.ops.ledger import Ledger
from telemetry.ops.ledger_merge import absorb, move_overlaps
from telemetry.ops.options import Options
from telemetry.ops.pipeline import Pipeline
from telemetry.ops.reading import Reader
from telemetry.ops.source import Dump, Source, joined_chunks, open_source
from telemetry.ops.table import Table
from telemetry.ops.time_merge import TimeMerger, times_of
from telemetry.wire.batch import VerdictCode

if TYPE_CHECKING:
    from telemetry.ops.frame_ledger import FrameLedger


class Merging:
    """Reads dumps side by side, and merges their packets by time.

    The octets of each dump are booked as it is read; sequences of packets are followed as merged.
    """

    def __init__(
        self, definition: Definition, options: Options, reader: Reader, *, is_timed: bool = False
    ) -> None:
        self.ledger = Ledger()
        self.frame_ledgers: list[FrameLedger] = []  # One per dump, where there is a framing.
        self._definition, self._options, self._reader = definition, options, reader
        self._memories: dict[int, LimitMemory] = {}
        self._has_times = is_timed or options.wants_times
        self._timed: set[int] = set()  # Dumps with packets that have times.
        self._octets = 0  # Of the dumps, or of what their frames carry.

    def tables(
        self, sources: Sequence[Source], on_octets: Callable[[int], object] | None
    ) -> Iterator[Table]:
        """Yield the packets of all sources."""
        bases = np.cumsum([0, *(source.octets or 0 for source in sources)]).tolist()
        streams = [
            self._stream(source, sources, base, on_octets)
            for source, base in zip(sources, bases, strict=False)
        ]
        for table in TimeMerger(partial(move_overlaps, self.ledger)).merge(streams):
            yield self._finish(table)
        self.ledger.check(self._octets)

    def _stream(
        self,
        source: Source,
        sources: Sequence[Source],
        base: int,
        on_octets: Callable[[int], object] | None,
    ) -> Iterator[list[Table]]:
        """Yield the tables of a dump, chunk by chunk, and take over its ledger at the end."""
        if source.is_live:
            raise UsageError(
                f"--merge time: {source.name} is a link, which has no end; expected files"
            )
        pipeline = Pipeline(self._definition, self._options, self._reader, is_part=True)
        pipeline.begin(choose_kernels(source.octets))
        self.frame_ledgers += pipeline.frame_ledgers
        for chunk in joined_chunks(source, pipeline.chunk_octets):
            if any(other.is_stopped for other in sources):
                source.is_stopped = True  # Ctrl-C ends them all.
            yield self._checked(source, [*pipeline.push(chunk)], base)
            if on_octets:
                on_octets(len(chunk))
        yield self._checked(source, [*pipeline.end(is_cut=source.is_cut)], base)
        self._check_times(source, pipeline.ledger.rows)
        self._octets += sum(pipeline.ledger.octets.values())
        part = pipeline.ledger
        absorb(self.ledger, part, base, is_framed=bool(pipeline.frame_ledgers))
        self.ledger.end_dump(
            source.name, base, Counter(part.octets), part.rows, pipeline.frame_octets_lost
        )

    def _checked(self, source: Source, tables: list[Table], base: int) -> list[Table]:
        times = [times_of(table) for table in tables]
        if tables and all(found is None for found in times):
            apids = ", ".join(str(table.apid) for table in tables)
            raise UsageError(
                f"--merge time: {source.name}: nothing tells the time of packets of APID {apids}; "
                "name their time fields with --time"
            )
        if any(found is not None and not np.isnat(found).all() for found in times):
            self._timed.add(id(source))
        if not base:
            return tables
        return [replace(table, offsets=table.offsets + base) for table in tables]

    def _check_times(self, source: Source, rows: int) -> None:
        """Refuse a dump whose packets have no time that can be told."""
        if rows and id(source) not in self._timed:
            raise UsageError(
                f"--merge time: {source.name}: no packet has a time that can be told, as UTC is "
                "from 1972 on; --epoch says what its time fields count from"
            )

    def _finish(self, table: Table) -> Table:
        """Follow the sequence of packets as merged, and say what their values mean."""
        trusted = table.columns[VERDICT_COLUMN].raw != int(VerdictCode.DAMAGED)
        record = self.ledger.record(table.apid)
        missing = np.zeros(len(table), np.int64)
        if self._options.has_primary_header:
            counts = table.columns["sequence_count"].raw
            missing = record.sequence.add_all(counts, table.seen_at, trusted)
        steps = table.columns.get(CLOCK_COLUMN)
        if steps is not None and steps.raw.any():
            self.ledger.note_clock(table.apid, steps.raw, table.seen_at)
        ours = BESIDE_COLUMNS | HIDDEN_COLUMNS
        columns = {name: column for name, column in table.columns.items() if name not in ours}
        packet = self._definition.of(table.apid)
        if packet is not None and packet.meanings:
            memory = self._memories.setdefault(table.apid, LimitMemory())
            columns = packet.meanings.apply(columns, memory, trusted)
        kept = BESIDE_COLUMNS if self._has_times else frozenset((CLOCK_COLUMN,))
        beside = {n: c for n, c in table.columns.items() if n in kept and n != GAP_COLUMN}
        gaps = Column(name=GAP_COLUMN, raw=missing)
        return replace(table, columns={**columns, **beside, GAP_COLUMN: gaps})


def open_sources(dumps: Sequence[Dump], stack: ExitStack, problems: list[str]) -> Iterator[Source]:
    """Open dumps; one that cannot be opened does not take the others down."""
    for dump in dumps:
        try:
            yield stack.enter_context(open_source(dump))
        except TelemetryError as error:
            if len(dumps) == 1:
                raise
            problems.append(str(error))
