# SPDX-License-Identifier: Apache-2.0
"""Dumps and a definition in, columns and a ledger out."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from telemetry.columns.column import Array
from telemetry.columns.definition import Definition, define
from telemetry.columns.flatten import Row
from telemetry.columns.loading import load_definition
from telemetry.columns.plan import Slowness
from telemetry.common.exit_codes import ExitCode
from telemetry.common.interrupt import INTERRUPTED
from telemetry.common.kernels import choose_kernels
from telemetry.errors import InputError, TelemetryError, UsageError
from telemetry.ops.frame_ledger import FrameLedger
from telemetry.ops.ledger import Ledger
from telemetry.ops.merging import Merging, open_sources
from telemetry.ops.options import BY_TIME, DEFAULTS, Options
from telemetry.ops.output import Output, Sink, Timed
from telemetry.ops.pipeline import Pipeline
from telemetry.ops.reading import open_reader
from telemetry.ops.rows import DiskFullError
from telemetry.ops.shares import names_text
from telemetry.ops.source import Dump, Source, joined_chunks
from telemetry.ops.summary import explain_no_packet
from telemetry.ops.table import Table, concatenate_tables

Dumps: TypeAlias = Dump | Sequence[Dump]


@dataclass(frozen=True, slots=True)
class Decoded:
    """What `decode` gives back."""

    tables: Mapping[int, Table]  # APID -> packets in order of arrival; empty with an output file.
    ledger: Ledger
    outputs: tuple[Path, ...] = ()  # The files written.
    frame_ledgers: tuple[FrameLedger, ...] = ()  # One per dump, where there is a framing.
    problems: tuple[str, ...] = ()  # Dumps that could not be read, or not to their end.

    def table(self, apid: int | None = None) -> Table:
        """Return the packets of `apid`; without one, of the only APID there is."""
        return self.tables[self._only(apid)]

    def rows(self, apid: int | None = None) -> list[Row]:
        """Return the packets of `apid` as rows."""
        return self.table(apid).rows()

    def columns(self, apid: int | None = None) -> dict[str, Array]:
        """Return the packets of `apid` as numpy arrays, raw and engineering; see `Table.arrays`."""
        return self.table(apid).arrays()

    def arrow(self, apid: int | None = None) -> Any:
        """Return the packets of `apid` as a `pyarrow.Table`."""
        return self.table(apid).arrow()

    def _only(self, apid: int | None) -> int:
        if apid is not None:
            return apid
        if len(self.tables) != 1:
            raise ValueError(f"name one of the APIDs {sorted(self.tables)}")
        return next(iter(self.tables))


@dataclass(slots=True)
class Outcome:
    """What became of the input as a whole."""

    ledger: Ledger
    frame_ledgers: list[FrameLedger]  # One per dump, where there is a framing.
    names: tuple[str, ...] = ()  # Of the dumps that were read.
    problems: list[str] = field(default_factory=list)  # Dumps that could not be read, or not whole.
    code: ExitCode = ExitCode.DONE  # Interrupted, a link that broke, a full disk.
    outputs: tuple[Path, ...] = ()
    slow: tuple[Slowness, ...] = ()  # What was read packet by packet.

    sources: list[Source] = field(default_factory=list)  # That are being read.

    def note_ending(self, source: Source) -> None:
        """Tell why a source has ended early, if it has."""
        if source.problem:
            self.problems.append(source.problem)
        if source.is_cut and INTERRUPTED not in self.problems:
            self.problems.append(INTERRUPTED)
        self.code = max(self.code, source.exit_code)

    def note_full_disk(self, error: DiskFullError) -> None:
        """Tell that the output ends early, after the sources were stopped because of it."""
        self.problems = [problem for problem in self.problems if problem != INTERRUPTED]
        self.problems.append(f"the output is not whole: {error}")
        self.code = ExitCode.INPUT

    @property
    def name(self) -> str:
        """The dumps, for messages."""
        return names_text(self.names) or "no dump"


def decode(
    dump: Dumps,
    definition: object,
    *,
    output: str | os.PathLike[str] | None = None,
    apid: int | None = None,
    options: Options = DEFAULTS,
) -> Decoded:
    """Decode dumps of CCSDS space packets.

    `dump` is a path, "-" for standard input, a pyserial URL, the octets themselves, a binary
    stream, or a list of these, which are merged without what two of them hold both. `definition`
    is a construct of what follows the 6-octet primary header, a dict APID -> construct, or a text
    `FILE.py:NAME` or `MODULE:NAME`, which is run. With `output` (`.csv`, `.jsonl`, `.parquet`)
    packets go to that file, or to one file per APID, and memory stays bounded; without it they are
    in the result. `apid` selects one APID; `options` has the rest.

    Damage does not raise: see `Decoded.ledger`, and the column `crc_verdict`. Raises `InputError`
    when the input cannot be read or gives no packet at all, `UsageError` for arguments that do not
    fit together, `MissingExtraError` for Parquet without pyarrow.
    """
    options = options if apid is None else replace(options, apid=apid)
    loaded = _load(definition, options)
    dumps = _listed(dump)
    kept = _Kept(options)
    if output is None:
        outcome = decode_dumps(dumps, loaded, kept, options)
    else:
        outcome = decode_to_files(dumps, loaded, Path(output), options)
    if not outcome.ledger.rows:
        raise InputError(explain_nothing(outcome, loaded))
    return Decoded(
        kept.tables(),
        outcome.ledger,
        outcome.outputs,
        tuple(outcome.frame_ledgers),
        tuple(outcome.problems),
    )


def batches(
    dump: Dumps,
    definition: object,
    *,
    apid: int | None = None,
    options: Options = DEFAULTS,
    on_end: Callable[[Outcome], object] | None = None,
) -> Iterator[Table]:
    """Decode as `decode` does, and yield tables of some thousand packets as they come.

    Memory stays bounded however long the input is. A table holds packets of one APID; those of
    one APID come in order. `on_end` is told what became of the input.
    """
    options = options if apid is None else replace(options, apid=apid)
    loaded = _load(definition, options)
    with _running(_listed(dump), loaded, options) as (run, outcome, _):
        yield from run
    if on_end:
        on_end(outcome)


def decode_to_files(
    dumps: Sequence[Dump],
    definition: Definition,
    path: Path,
    options: Options = DEFAULTS,
    on_octets: Callable[[int], object] | None = None,
) -> Outcome:
    """Decode dumps into the file or files of `path`.

    Without a single row nothing is written. What was done before Ctrl-C, or before the disk was
    full, is kept.
    """
    is_split = options.apid is None and len(definition.by_apid) > 1
    inputs = tuple(Path(dump) for dump in dumps if isinstance(dump, str | os.PathLike))
    try:
        with Output(path, is_split=is_split, inputs=inputs, options=options) as files:
            outcome = decode_dumps(dumps, definition, files, options, on_octets)
            if outcome.ledger.rows and not files.rows and options.columns:
                raise UsageError(options.complaint())
            outcome.outputs = files.commit() if files.rows else ()
            return outcome
    except OSError as error:
        text = error.strerror or error
        raise InputError(f"{path}: {text}; could not be written, nothing was") from error


def decode_dumps(
    dumps: Sequence[Dump],
    definition: Definition,
    sink: Sink,
    options: Options = DEFAULTS,
    on_octets: Callable[[int], object] | None = None,
) -> Outcome:
    """Decode everything that the dumps hold into `sink`, in bounded memory.

    `on_octets` is told the size of each chunk when it is done.
    """
    is_timed = isinstance(sink, Timed) and sink.is_timed
    with _running(dumps, definition, options, on_octets, is_timed=is_timed) as running:
        run, outcome, pool = running
        if isinstance(sink, Output):
            sink.use_pool(pool)
        try:
            for table in run:
                sink.take(table)
            if isinstance(sink, Output):
                sink.finish()
        except DiskFullError as error:
            for source in outcome.sources:
                source.is_stopped = True
            for _ in run:
                pass  # What has been read is booked; no more is.
            outcome.note_full_disk(error)
    return outcome


@contextmanager
def _running(
    dumps: Sequence[Dump],
    definition: Definition,
    options: Options,
    on_octets: Callable[[int], object] | None = None,
    *,
    is_timed: bool = False,
) -> Iterator[tuple[Iterator[Table], Outcome, ProcessPoolExecutor | None]]:
    with open_reader(definition, options) as (reader, pool):
        if options.merge == BY_TIME and len(dumps) > 1:
            merging = Merging(definition, options, reader, is_timed=is_timed)
            outcome = Outcome(merging.ledger, merging.frame_ledgers)
            yield _merged(dumps, merging, outcome, on_octets), outcome, pool
            return
        pipeline = Pipeline(definition, options, reader, dumps=len(dumps), is_timed=is_timed)
        outcome = Outcome(pipeline.ledger, pipeline.frame_ledgers)
        yield _tables(dumps, pipeline, outcome, on_octets), outcome, pool
        outcome.slow = reader.slow


def _tables(
    dumps: Sequence[Dump],
    pipeline: Pipeline,
    outcome: Outcome,
    on_octets: Callable[[int], object] | None,
) -> Iterator[Table]:
    for dump in dumps:
        with ExitStack() as stack:
            try:
                source = stack.enter_context(pipeline.open(dump))
            except TelemetryError as error:
                if len(dumps) == 1:
                    raise
                outcome.problems.append(str(error))  # One bad file does not take the others down.
                continue
            outcome.sources = [source]
            ledger = pipeline.ledger
            before, rows = Counter(ledger.octets), ledger.rows
            yield from _of_source(source, pipeline, on_octets)
            outcome.names += (source.name,)
            if len(dumps) > 1:
                booked, lost = Counter(ledger.octets) - before, pipeline.frame_octets_lost
                ledger.end_dump(source.name, before.total(), booked, ledger.rows - rows, lost)
            outcome.note_ending(source)
            if source.is_cut:
                break
    pipeline.finish()
    if outcome.problems and not outcome.names:
        raise InputError("\n".join(outcome.problems))


def _merged(
    dumps: Sequence[Dump],
    merging: Merging,
    outcome: Outcome,
    on_octets: Callable[[int], object] | None,
) -> Iterator[Table]:
    with ExitStack() as stack:
        sources = list(open_sources(dumps, stack, outcome.problems))
        outcome.names = tuple(source.name for source in sources)
        outcome.sources = sources
        yield from merging.tables(sources, on_octets)
    for source in sources:
        outcome.note_ending(source)
    if outcome.problems and not outcome.names:
        raise InputError("\n".join(outcome.problems))


def _of_source(
    source: Source, pipeline: Pipeline, on_octets: Callable[[int], object] | None
) -> Iterator[Table]:
    pipeline.begin(choose_kernels(source.octets))
    for chunk in joined_chunks(source, pipeline.chunk_octets):
        yield from pipeline.push(chunk)
        if on_octets:
            on_octets(len(chunk))
    yield from pipeline.end(is_cut=source.is_cut)


@dataclass(slots=True)
class _Kept:
    """A sink that keeps everything."""

    options: Options
    by_apid: dict[int, list[Table]] = field(default_factory=dict)

    def take(self, table: Table) -> None:
        """Keep the columns that were asked for."""
        self.by_apid.setdefault(table.apid, []).append(table.select(self.options))

    def tables(self) -> dict[int, Table]:
        """Return one table for each APID."""
        return {apid: concatenate_tables(tables) for apid, tables in self.by_apid.items()}


def _listed(dump: Dumps) -> list[Dump]:
    if isinstance(dump, Sequence) and not isinstance(dump, str | bytes | bytearray | memoryview):
        return list(dump)
    return [dump]  # type: ignore[list-item]


def _load(definition: object, options: Options) -> Definition:
    loaded = load_definition(definition) if isinstance(definition, str) else define(definition)
    return loaded if options.apid is None else loaded.bind(options.apid)


def explain_nothing(outcome: Outcome, definition: Definition) -> str:
    """Say why nothing came out, and what would be right."""
    text = explain_no_packet(outcome.name, outcome.ledger, definition)
    return "\n".join([*outcome.problems, text])
