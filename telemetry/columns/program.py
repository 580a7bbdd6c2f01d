# SPDX-License-Identifier: Apache-2.0
"""The steps that a definition is compiled to. Each reads all lanes of a frame at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from telemetry.columns.bits import Cut, Reader, Table, Window
from telemetry.columns.context import Kept
from telemetry.columns.frame import Array, Frame, Slot
from telemetry.columns.gather import count_within, gather_runs
from telemetry.columns.kinds import dtype_of
from telemetry.columns.store import ListPart, Space
from telemetry.columns.values import Computation, Constant, Value
from telemetry.wire.batch import Indices

_REVERSED_BITS = np.array([int(f"{octet:08b}"[::-1], 2) for octet in range(256)], np.uint8)
_MANY = 1 << 62


class Step(Protocol):
    """One step of a program."""

    def run(self, frame: Frame) -> None:
        """Read what comes next in every lane, and move the frame behind it."""


@dataclass(frozen=True, slots=True)
class Program:
    """Steps in order; `octets` is what they always take, None when that depends on the packet."""

    steps: tuple[Step, ...]
    octets: int | None
    least_octets: int
    can_fail: bool  # Other than for want of octets.

    def run(self, frame: Frame) -> None:
        """Run every step."""
        for step in self.steps:
            step.run(frame)


def emit(frame: Frame, column: str | None, slot: Slot, values: Array) -> None:
    """Give values, one per lane, to their column and to the expressions that ask for them."""
    if column is not None:
        frame.space.deliver(column, values, frame.lanes)
    if slot.is_used:
        frame.keep(slot, values)


@dataclass(frozen=True, slots=True)
class FieldRead:
    """One field of a `Take`: where it is, and where its value goes."""

    table: int
    cut: Cut
    slot: Slot
    column: str | None


@dataclass(frozen=True, slots=True)
class Derived:
    """A table made of `octets` octets of another: those in reverse order, or the bits in each."""

    table: int
    first: int
    octets: int
    reverses_bits: bool

    def make(self, source: Table) -> Table:
        """Return the new table."""
        part = source.part(self.first, self.octets)
        found = np.ascontiguousarray(_REVERSED_BITS[part] if self.reverses_bits else part[:, ::-1])
        return Table(found.reshape(-1), 0, self.octets, source.count, self.octets)


@dataclass(frozen=True, slots=True)
class Take:
    """A run of octets with fields at fixed places in it."""

    octets: int
    derived: tuple[Derived, ...]
    fields: tuple[FieldRead, ...]
    shared: tuple[frozenset[Window], ...]  # Per table.

    def run(self, frame: Frame) -> None:
        """Read the fields."""
        tables = [frame.table(self.octets)]
        for derived in self.derived:
            tables.append(derived.make(tables[derived.table]))
        readers = [Reader(*pair) for pair in zip(tables, self.shared, strict=True)]
        for field in self.fields:
            if field.column is None and not field.slot.is_used:
                continue
            dtype = field.cut.dtype
            if field.column is None:
                out = np.empty(len(frame), dtype)
            else:
                out = frame.space.output(field.column, dtype, frame.lanes, len(frame))
            readers[field.table].read(field.cut, out)
            emit(frame, field.column, field.slot, out)
        frame.advance(self.octets)


@dataclass(frozen=True, slots=True)
class Compute:
    """A value that takes no octets."""

    value: Computation | Constant
    slot: Slot
    column: str | None

    def run(self, frame: Frame) -> None:
        """Compute it in every lane."""
        if self.column is None and not self.slot.is_used:
            evaluate(self.value, frame)  # It may fail.
            return
        dtype = dtype_of(self.slot.kind)
        values = evaluate(self.value, frame).astype(dtype)
        emit(frame, self.column, self.slot, np.broadcast_to(values, (len(frame),)))


@dataclass(frozen=True, slots=True)
class Require:
    """A condition without which the packet cannot be read."""

    condition: Value

    def run(self, frame: Frame) -> None:
        """Fail the lanes that do not meet it."""
        frame.fail(~np.broadcast_to(evaluate(self.condition, frame), (len(frame),)))


@dataclass(frozen=True, slots=True)
class RequireEnd:
    """The end of the packet, or of the part of it that a length delimits."""

    def run(self, frame: Frame) -> None:
        """Fail the lanes that have octets left."""
        frame.fail(frame.base != frame.end)


@dataclass(frozen=True, slots=True)
class BeginStream:
    """Where the data field begins, which construct has as its stream."""

    def run(self, frame: Frame) -> None:
        """Remember the place."""
        frame.stream = frame.base


@dataclass(frozen=True, slots=True)
class TakeOctets:
    """Octets of a length that another field tells, or (None) all that are left.

    With `stays` they are only looked at, and read again by what follows.
    """

    length: Value | None
    column: str | None
    taken: Slot  # How many.
    found: Slot  # They themselves, for functions.
    stays: bool = False

    def run(self, frame: Frame) -> None:
        """Read them."""
        lengths = measure(frame, self.length, 1)
        if self.column is not None:
            octets = gather_runs(frame.octets, frame.base, lengths)
            frame.space.deliver_octets(self.column, frame.lanes, lengths, octets)
        if self.taken.is_used:
            frame.keep(self.taken, lengths)
        if self.found.is_used:
            frame.keep(self.found, _runs(frame, lengths))
        if not self.stays:
            frame.advance_each(lengths)


@dataclass(frozen=True, slots=True)
class Choose:
    """One of several programs; each lane takes the first whose condition holds, or the last."""

    cases: tuple[tuple[Computation, Program], ...]
    default: Program
    found: Slot  # What the case of a lane gave, for functions.
    kept: tuple[Kept, ...]  # Of each case, and of the default.

    def run(self, frame: Frame) -> None:
        """Run each program over the lanes that take it."""
        is_left = np.ones(len(frame), np.bool_)
        base = frame.base.copy()
        stride = frame.stride if self._has_one_size() else None
        found = np.empty(len(frame) if self.found.is_used else 0, object)
        for (condition, program), kept in zip(self.cases, self.kept, strict=False):
            takes = is_left & evaluate(condition, frame)
            is_left &= ~takes
            self._run(program, frame, takes, base, kept, found)
        self._run(self.default, frame, is_left, base, self.kept[-1], found)
        frame.base, frame.stride = base, stride
        if self.found.is_used:
            frame.keep(self.found, found)

    def _run(
        self,
        program: Program,
        frame: Frame,
        takes: Array,
        base: Indices,
        kept: Kept,
        found: Array,
    ) -> None:
        if takes.any():
            inner = frame.select(takes)
            program.run(inner)
            base[takes] = inner.base
            if self.found.is_used:
                _fill(found, np.flatnonzero(takes).tolist(), kept.each(inner))

    def _has_one_size(self) -> bool:
        sizes = {self.default.octets, *(program.octets for _, program in self.cases)}
        return len(sizes) == 1 and None not in sizes


@dataclass(frozen=True, slots=True)
class Within:
    """A program that sees only the next `length` octets, and need not read them all."""

    length: Value
    program: Program

    def run(self, frame: Frame) -> None:
        """Run it, and move behind all those octets."""
        lengths = measure(frame, self.length, 1)
        inner = frame.within(frame.base + lengths)
        self.program.run(inner)
        frame.advance_each(lengths)


@dataclass(frozen=True, slots=True)
class Repeat:
    """A list of elements of one size: as many as another field tells, or (None) as there are.

    Without a count, an element that cannot be read ends the list and is not part of it.
    """

    count: Value | None
    element: Program
    list_name: str | None
    index: Slot
    taken: Slot  # How many elements.
    found: Slot  # They themselves, for functions.
    kept: Kept

    def run(self, frame: Frame) -> None:
        """Read the elements of all lanes, one after the other."""
        size = self.element.octets
        assert size
        lengths = measure(frame, self.count, size)
        octets = gather_runs(frame.octets, frame.base, lengths)
        counts = lengths // size
        elements = self._frame(frame, octets, counts, size)
        if self.count is None and self.element.can_fail:
            elements.failed = np.zeros(len(elements), np.bool_)
        self.element.run(elements)
        if elements.failed is not None and elements.failed.any():
            counts = self._cut(elements, counts)
        if self.list_name is not None:
            part = ListPart(frame.lanes, counts, elements.space)
            frame.space.deliver_list(self.list_name, part)
        if self.taken.is_used:
            frame.keep(self.taken, counts)
        if self.found.is_used:
            frame.keep(self.found, self._lists(elements, lengths // size, counts))
        frame.advance_each(counts * size)

    def _lists(self, elements: Frame, read: Indices, counts: Indices) -> Array:
        """Return the elements of each lane; `read` were tried, and `counts` are in the list."""
        begins = np.cumsum(read) - read
        lists = np.empty(len(counts), object)
        found = self.kept.lists(elements, begins.tolist(), counts.tolist())
        _fill(lists, range(len(counts)), found)
        return lists

    def _frame(self, frame: Frame, octets: Array, counts: Indices, size: int) -> Frame:
        total = len(octets) // size
        base = np.arange(total, dtype=np.int64) * size
        elements = Frame(
            octets,
            base,
            base + size,
            Space(frame.space.specs, total),
            stride=size,
            parent=frame,
            origin=np.repeat(np.arange(len(frame)), counts),
        )
        if self.index.is_used:
            elements.keep(self.index, count_within(counts))
        return elements

    def _cut(self, elements: Frame, counts: Indices) -> Indices:
        """Leave out the first element that failed and all behind it; return the new counts."""
        assert elements.failed is not None
        index = count_within(counts)
        lane = np.repeat(np.arange(len(counts)), counts)
        shorter = counts.copy()
        np.minimum.at(shorter, lane[elements.failed], index[elements.failed])
        is_kept = index < shorter[lane]
        for arrays in (elements.space.arrays, elements.space.present):
            for name, values in arrays.items():
                arrays[name] = values[is_kept]
        return shorter


def _fill(array: Array, places: Iterable[int], values: Iterable[Any]) -> None:
    """Put objects, which may be lists, into an array."""
    for place, value in zip(places, values, strict=True):
        array[place] = value


def _runs(frame: Frame, lengths: Indices) -> Array:
    """Return the next octets of each lane as `bytes`."""
    found = np.empty(len(frame), object)
    for lane, (begin, size) in enumerate(zip(frame.base.tolist(), lengths.tolist(), strict=True)):
        found[lane] = frame.octets[begin : begin + size].tobytes()
    return found


def evaluate(value: Value, frame: Frame) -> Array:
    """Return the value per lane; of a constant, an array without dimensions."""
    if isinstance(value, Constant):
        return np.array(value.value)
    return value.run(frame)


def measure(frame: Frame, count: Value | None, size: int) -> Indices:
    """Return the octets of `count` items of `size`; lanes that have not so many left fail.

    With no count these are as many as there are. A lane whose failure is only noted gets 0.
    """
    remaining = frame.remaining()
    if count is None:
        return remaining // size * size
    counts = np.broadcast_to(evaluate(count, frame), (len(frame),))
    if counts.dtype == np.uint64:  # Whose comparison with int64 would go through floats.
        counts = np.minimum(counts, np.uint64(_MANY)).astype(np.int64)
    is_wrong = (counts < 0) | (counts > remaining // size)
    frame.fail(is_wrong)
    return np.where(is_wrong, 0, counts).astype(np.int64) * size


def can_fail(steps: Sequence[Any]) -> bool:
    """Tell whether steps of constant size can fail although there are octets enough."""
    for step in steps:
        if isinstance(step, Require):
            return True
        if isinstance(step, Compute) and isinstance(step.value, Computation):
            return True
        if isinstance(step, Choose) or getattr(step, "is_of_python", False):
            return True
    return False
