# SPDX-License-Identifier: Apache-2.0
"""A program in the making: fields at fixed places are collected into one step for all of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from telemetry.columns.bits import BitField, plan_cuts, shared_windows
from telemetry.columns.frame import Slot
from telemetry.columns.kinds import UnsupportedError
from telemetry.columns.program import Derived, FieldRead, Program, Step, Take, can_fail
from telemetry.columns.store import ColumnSpec

MAX_COLUMNS = 1 << 16


@dataclass(frozen=True, slots=True)
class Mark:
    """The state of a builder; its lists only ever grow."""

    columns: int
    lists: tuple[Any, ...]
    lengths: tuple[int, ...]
    numbers: tuple[Any, ...]


class Builder:
    """Collects fields and steps; `bit` is where the next field begins in the run at hand."""

    def __init__(self, *, is_element: bool = False, has_stream: bool = True) -> None:
        self.columns: dict[str, ColumnSpec] = {}
        self.is_element = is_element  # Of a list: no list may be in it.
        self._has_stream = has_stream and not is_element
        self.bit = 0
        self.steps: list[Step] = []
        self._table = 0
        self._depth = 0  # Of regions whose octets the fields in them see in another way.
        self._fields: list[tuple[int, BitField, Slot, str | None]] = []
        self._derived: list[Derived] = []
        self._later: list[Step] = []  # What takes no octets follows the fields that it needs.
        self._octets: int | None = 0
        self._least = 0

    def child(self, *, is_element: bool = False, has_stream: bool = True) -> "Builder":
        """Return a builder for a program that a step of this one runs.

        `has_stream` tells whether construct goes on reading from the same stream there.
        """
        has_stream = has_stream and self._has_stream
        return Builder(is_element=is_element or self.is_element, has_stream=has_stream)

    @property
    def is_in_stream(self) -> bool:
        """Whether the next field begins at an octet of the data field, as construct reads it."""
        return self._has_stream and not self._depth and not self.bit % 8

    def mark(self) -> "Mark":
        """Return what `undo` needs to forget what is added from now on."""
        lists: tuple[list[Any], ...] = (self.steps, self._fields, self._derived, self._later)
        lengths = tuple(len(found) for found in lists)
        numbers = self.bit, self._table, self._depth, self._octets, self._least
        return Mark(len(self.columns), lists, lengths, numbers)

    def undo(self, mark: "Mark") -> None:
        """Forget what was added since `mark`."""
        while len(self.columns) > mark.columns:
            self.columns.popitem()
        for found, length in zip(mark.lists, mark.lengths, strict=True):
            del found[length:]
        self.steps, self._fields, self._derived, self._later = mark.lists
        self.bit, self._table, self._depth, self._octets, self._least = mark.numbers

    def add_column(self, spec: ColumnSpec) -> str:
        """Announce a column."""
        if spec.name in self.columns:
            raise UnsupportedError(f"there are two fields {spec.name}")
        if len(self.columns) >= MAX_COLUMNS:
            raise UnsupportedError(f"a packet of more than {MAX_COLUMNS:,} fields")
        self.columns[spec.name] = spec
        return spec.name

    def add_alternatives(self, alternatives: Sequence["Builder"]) -> None:
        """Announce the columns of programs of which a packet runs one."""
        merged: dict[str, ColumnSpec] = {}
        for builder in alternatives:
            for name, spec in builder.columns.items():
                merged[name] = merged[name].merge(spec) if name in merged else spec
        for name, spec in merged.items():
            is_everywhere = all(name in builder.columns for builder in alternatives)
            self.add_column(spec if is_everywhere else replace(spec, is_optional=True))

    def add_field(self, bits: int, field: BitField, slot: Slot, column: str | None) -> None:
        """Add a field that begins at `bit`, and move behind it."""
        self._fields.append((self._table, field, slot, column))
        self.bit += bits

    def add_free(self, step: Step) -> None:
        """Add a step that takes no octets."""
        self._later.append(step)

    def add_step(self, step: Step, octets: int | None, least: int = 0) -> None:
        """Add a step that takes `octets`, or (None) `least` or more of them."""
        self.flush()
        self._least += least if octets is None else octets
        self.steps.append(step)
        known = self._octets is not None and octets is not None
        self._octets = (self._octets or 0) + (octets or 0) if known else None

    def flush(self) -> None:
        """Close the run of fields at fixed places."""
        if self._depth:
            raise UnsupportedError("a part of varying length among bits or reversed octets")
        if self.bit % 8:
            raise UnsupportedError("a part that ends within an octet")
        if self.bit:
            self.steps.append(self._take())
            self._octets = None if self._octets is None else self._octets + self.bit // 8
            self._least += self.bit // 8
        self.steps += self._later
        self.bit = 0
        self._fields, self._derived, self._later = [], [], []

    def program(self) -> Program:
        """Return the finished program."""
        self.flush()
        return Program(tuple(self.steps), self._octets, self._least, can_fail(self.steps))

    @contextmanager
    def fixed(self) -> Iterator[None]:
        """Nothing added inside may depend on the packet in its length."""
        self._depth += 1
        yield
        self._depth -= 1

    @contextmanager
    def region(self, octets: int) -> Iterator[None]:
        """Fields added inside lie within the next `octets`; behind it `bit` is at their end."""
        end = self.bit + 8 * octets
        with self.fixed():
            yield
        if self.bit > end:
            raise UnsupportedError("a part longer than what is around it")
        self.bit = end

    @contextmanager
    def reversed_region(self, octets: int, *, reverses_bits: bool) -> Iterator[None]:
        """Like `region`; the fields see its octets, or the bits of each octet, in reverse order."""
        if self.bit % 8:
            raise UnsupportedError("reversed octets that begin within an octet")
        outside, begin = self._table, self.bit
        self._derived.append(Derived(outside, begin // 8, octets, reverses_bits))
        self._table, self.bit = len(self._derived), 0
        with self.region(octets):
            yield
        self._table, self.bit = outside, begin + 8 * octets

    def _take(self) -> Take:
        octets = self.bit // 8
        sizes = [octets, *(derived.octets for derived in self._derived)]
        reads: list[FieldRead] = []
        shared = []
        for table, size in enumerate(sizes):
            here = [entry for entry in self._fields if entry[0] == table]
            cuts = plan_cuts([field for _, field, _, _ in here], size)
            shared.append(shared_windows(cuts))
            reads += [
                FieldRead(table, cut, slot, column)
                for cut, (_, _, slot, column) in zip(cuts, here, strict=True)
            ]
        return Take(octets, tuple(self._derived), tuple(reads), tuple(shared))
