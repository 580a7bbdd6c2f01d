# SPDX-License-Identifier: Apache-2.0
"""Packets of one APID to columns, here or in other processes."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import NoneType
from typing import Protocol, TypeAlias

import numpy as np

from telemetry.columns.calibration import Names
from telemetry.columns.column import Column
from telemetry.columns.definition import Definition, PacketDefinition
from telemetry.columns.field import Meaning
from telemetry.columns.flatten import VERDICT_COLUMN
from telemetry.columns.frame import LetGo
from telemetry.columns.plan import Plan, Slowness, compile_packet
from telemetry.ops.cells import ENGINEERING, QUALITY_COLUMNS, STATE, TIME_COLUMNS, VALID
from telemetry.ops.merge import take_packets
from telemetry.ops.options import Options
from telemetry.wire.batch import Indices, PacketBatch


@dataclass(frozen=True, slots=True)
class Reading:
    """The columns of the packets that could be read, and why the others could not."""

    columns: dict[str, Column]
    indices: Indices  # Of the packets in `columns`, in the batch.
    problems: dict[int, str]  # By index in the batch.
    slowness: Slowness | None = None
    valueless: tuple[LetGo, ...] = ()  # Fields without a value, by index in the batch.


Wait: TypeAlias = Callable[[], Reading]


class Reader(Protocol):
    """Turns packets into columns."""

    def submit(self, apid: int, batch: PacketBatch) -> Wait:
        """Begin with a batch of packets of one APID; what is returned waits for the end of it."""

    @property
    def slow(self) -> tuple[Slowness, ...]:
        """What was slow about the packets that came, by definition."""


class PlanReader:
    """Reads in this process."""

    def __init__(self, definition: Definition, *, has_header: bool = True) -> None:
        self._definition = definition
        self._has_header = has_header
        self._plans: dict[str, Plan] = {}
        self._slow: dict[str, Slowness] = {}

    @property
    def slow(self) -> tuple[Slowness, ...]:
        """What was slow about the packets that came, by definition."""
        return tuple(found for _, found in sorted(self._slow.items()))

    def note(self, reading: Reading) -> Reading:
        """Remember what was slow, and hand the reading on."""
        if (found := reading.slowness) is not None:
            known = self._slow.get(found.label)
            self._slow[found.label] = known.merge(found) if known else found
        return reading

    def plan(self, packet: PacketDefinition) -> Plan:
        """Return the compiled form of a packet definition."""
        if packet.label not in self._plans:
            self._plans[packet.label] = compile_packet(
                packet.layout, packet.label, has_header=self._has_header
            )
        return self._plans[packet.label]

    def is_compiled(self, apid: int) -> bool:
        """Whether packets of this APID are read without construct."""
        packet = self._definition.of(apid)
        return packet is not None and self.plan(packet).is_compiled

    def column_names(self) -> list[str] | None:
        """Return the columns of all packets, lists with `[]`; None where only packets will tell."""
        packets = [*self._definition.by_apid.values(), self._definition.any_apid]
        plans = [(packet, self.plan(packet)) for packet in packets if packet is not None]
        if not all(plan.is_compiled for _, plan in plans):
            return None
        names: dict[str, None] = {}
        for packet, plan in plans:
            places = (place.text for place in packet.meanings.places)
            for name in dict.fromkeys((*plan.specs, *places)):
                names.update(dict.fromkeys((name, *_beside(name, packet.meanings.of(name)))))
        return [*names, VERDICT_COLUMN, *QUALITY_COLUMNS, *TIME_COLUMNS]

    def submit(self, apid: int, batch: PacketBatch) -> Wait:
        """Read at once."""
        reading = self.note(self.read(apid, batch))
        return lambda: reading

    def read(self, apid: int, batch: PacketBatch) -> Reading:
        """Return the columns of a batch of packets of one APID."""
        packet = self._definition.of(apid)
        if packet is None:
            raise AssertionError(f"the definition does not have APID {apid}")
        plan = self.plan(packet)
        found = plan.extract(batch)
        problems = {failure.index: str(failure.error) for failure in found.failures}
        return Reading(found.columns, found.indices, problems, plan.slowness, found.let_go)


def _beside(column: str, meaning: Meaning | None) -> Iterator[str]:
    """Yield the columns that stand beside a column of this meaning."""
    if meaning is None:
        return
    is_derived = meaning.derived is not None
    if not is_derived and not isinstance(meaning.calibration, Names | NoneType):
        yield column + ENGINEERING
    if meaning.limits is not None:
        yield column + STATE
    if is_derived or meaning.valid_if is not None:
        yield column + VALID


class PoolReader:
    """Reads in other processes what construct has to parse, and gives the same."""

    def __init__(self, reader: PlanReader, pool: ProcessPoolExecutor) -> None:
        self._reader = reader
        self._pool = pool

    def submit(self, apid: int, batch: PacketBatch) -> Wait:
        """Send the batch to a process, unless reading it takes less than that."""
        if self._reader.is_compiled(apid):
            return self._reader.submit(apid, batch)
        future = self._pool.submit(_read_in_child, apid, without_rest(batch))
        return lambda: self._reader.note(future.result())

    @property
    def slow(self) -> tuple[Slowness, ...]:
        """What was slow, in whatever process."""
        return self._reader.slow


def without_rest(batch: PacketBatch) -> PacketBatch:
    """Return a batch whose octets hold little but its packets."""
    if not len(batch):
        return PacketBatch(batch.octets[:0], batch.starts, batch.lengths, 0, batch.verdicts)
    first, last = int(batch.starts[0]), int(batch.starts[-1] + batch.lengths[-1])
    if last - first > 2 * int(batch.lengths.sum()):
        return take_packets(batch, np.arange(len(batch)))
    octets = batch.octets[first:last]
    offset = batch.offset + first
    return PacketBatch(octets, batch.starts - first, batch.lengths, offset, batch.verdicts)


@contextmanager
def open_reader(
    definition: Definition, options: Options
) -> Iterator[tuple[Reader, ProcessPoolExecutor | None]]:
    """Yield a reader, and a pool of as many processes as `options` say (None for one).

    `UsageError` for columns that are asked for and that the definition does not have.
    """
    global _child  # What a forked process finds without its being pickled.
    reader = PlanReader(definition, has_header=options.has_primary_header)
    if options.columns and (names := reader.column_names()) is not None:
        options.check_columns(names)
    if options.processes == 1:
        yield reader, None
        return
    for packet in (*definition.by_apid.values(), definition.any_apid):
        if packet is not None:
            reader.plan(packet)  # Once, for all processes.
    _child = reader
    # Forked, so that definitions with functions in them need not be sent.
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(options.processes, mp_context=context, initializer=_ignore_ctrl_c)
    try:
        yield PoolReader(reader, pool), pool
    finally:
        pool.shutdown(cancel_futures=True)
        _child = None


_child: PlanReader | None = None


def _ignore_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent decides what is kept.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _read_in_child(apid: int, batch: PacketBatch) -> Reading:
    if _child is None:
        raise AssertionError("a process without a definition")
    return _child.read(apid, batch)
