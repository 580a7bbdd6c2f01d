# SPDX-License-Identifier: Apache-2.0
"""Which octets and bits of a packet each field of a definition was read from.

A copy of the layout is made that parses as the layout does and takes notes on the way.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import construct
from construct.core import BytesIOWithOffsets
from construct.lib import bits2bytes, bytes2bits

from telemetry.columns.field_path import FieldError, parse_once
from telemetry.columns.flatten import RESERVED_COLUMNS, Value, flatten
from telemetry.columns.unreadable import Unreadable, letting_go

OCTET_BITS = 8
_ARRAYS = (construct.Array, construct.GreedyRange, construct.RepeatUntil)
_GROUPS = (construct.Struct, construct.Union, construct.Select, construct.LazyStruct)


@dataclass(frozen=True, slots=True)
class Extent:
    """Bits `first .. end - 1` of the data field, the highest bit of an octet first."""

    first: int
    end: int


@dataclass(frozen=True, slots=True)
class FieldExtent:
    """A value of a packet, and where it came from."""

    name: str  # As rows have it: `rails[3].volts`.
    value: Value | bytes
    extent: Extent | None  # None where it cannot be told, as inside of compressed data.
    description: str = ""
    unreadable: str = ""  # Why there is no value.


@dataclass(frozen=True, slots=True)
class Dissection:
    """The fields of a packet data field, as far as they could be read."""

    fields: tuple[FieldExtent, ...]
    error: FieldError | None = None
    failed_at: int | None = None  # The bit at which the field begins that could not be read.


def dissect(layout: Any, label: str, data_field: bytes) -> Dissection:
    """Parse a packet data field and tell where each value came from.

    What cannot be parsed gives an `error`, beside the fields before it. As everywhere, a packet
    that construct refuses is read once more without the values that are none.
    """
    found = _dissect(layout, label, data_field)
    lets_go = letting_go(layout)
    if found.error is None or lets_go is layout:
        return found
    return _dissect(lets_go, label, data_field)


def _dissect(layout: Any, label: str, data_field: bytes) -> Dissection:
    notes = _Notes()
    traced = _Root(_traced(layout, notes), notes)
    try:
        parsed = parse_once(traced, label, data_field)
    except FieldError as error:
        partial = [n for n in notes.seen.items() if n[1].is_done and not n[1].is_group]
        fields = tuple(_partial(name, note) for name, note in partial)
        return Dissection(_named(fields), error, notes.failed_at)
    found = (
        FieldExtent(
            name,
            None if isinstance(value, Unreadable) else value,
            notes.extent_of(name),
            notes.description_of(name),
            value.reason if isinstance(value, Unreadable) else "",
        )
        for name, value in flatten(parsed)
    )
    return Dissection(_named(tuple(found)))


def _partial(name: str, note: "_Note") -> FieldExtent:
    if isinstance(note.value, Unreadable):
        return FieldExtent(name, None, note.extent, note.description, note.value.reason)
    return FieldExtent(name, note.value, note.extent, note.description)


def _named(fields: tuple[FieldExtent, ...]) -> tuple[FieldExtent, ...]:
    """Give names as rows have them to fields that are called like columns of ours."""
    return tuple(
        replace(f, name=f"data.{f.name}") if f.name in RESERVED_COLUMNS else f
        for f in fields
        if not f.name.startswith("_") and "._" not in f.name
    )


@dataclass(slots=True)
class _Note:
    first: int | None
    description: str
    extent: Extent | None = None
    value: Any = None
    is_done: bool = False

    @property
    def is_group(self) -> bool:
        return isinstance(self.value, dict | list)


@dataclass(slots=True)
class _Frame:
    """How positions in a stream translate to bits of the data field."""

    base: int
    unit: int  # Bits for each octet of the stream.
    stream: Any = None  # The first stream that was seen here.


@dataclass(slots=True)
class _Notes:
    """What is noted while a packet is parsed."""

    seen: dict[str, _Note] = field(default_factory=dict)
    failed_at: int | None = None
    _steps: list[str] = field(default_factory=list)
    _frames: list[_Frame | None] = field(default_factory=list)

    def bit(self, stream: Any) -> int | None:
        """Return the position of a stream as a bit of the data field, if that can be told."""
        frame = self._frames[-1]
        if frame is None:
            return None
        if frame.stream is None:
            frame.stream = stream
        if stream is not frame.stream and not isinstance(stream, BytesIOWithOffsets):
            return None
        try:
            return frame.base + int(stream.tell()) * frame.unit
        except (OSError, ValueError):
            return None

    @contextmanager
    def at(self, step: str, description: str, stream: Any) -> Iterator[_Note]:
        """Note a value that is read within the block."""
        self._steps.append(step)
        note = _Note(self.bit(stream), description)
        self.seen[self._name()] = note
        try:
            yield note
            end = self.bit(stream)
            if note.first is not None and end is not None and end >= note.first:
                note.extent = Extent(note.first, end)
            note.is_done = True
        except Exception:
            if self.failed_at is None:
                self.failed_at = note.first
            raise
        finally:
            self._steps.pop()

    @contextmanager
    def within(self, frame: _Frame | None) -> Iterator[None]:
        """Translate positions by `frame` within the block; by none if it is None."""
        self._frames.append(frame)
        try:
            yield
        finally:
            self._frames.pop()

    @property
    def unit(self) -> int:
        """Bits for each octet of the stream at hand."""
        frame = self._frames[-1]
        return frame.unit if frame else OCTET_BITS

    def extent_of(self, name: str) -> Extent | None:
        """Return the extent of a value, or of the nearest group that holds it."""
        while name:
            note = self.seen.get(name)
            if note is not None:
                return note.extent
            name = _parent(name)
        note = self.seen.get("")
        return note.extent if note else None

    def description_of(self, name: str) -> str:
        """Return what a definition says of a value; elements of an array share it."""
        while name:
            note = self.seen.get(name)
            if note is not None and note.description:
                return note.description
            if not name.endswith("]"):
                return ""
            name = _parent(name)
        return ""

    def _name(self) -> str:
        return "".join(self._steps).removeprefix(".")


def _parent(name: str) -> str:
    return name[: max(name.rfind("."), name.rfind("["), 0)]


# --- A layout that takes notes --------------------------------------------------------------------


class _Root(construct.Subconstruct):  # type: ignore[misc]  # construct carries no types.
    """The whole data field."""

    def __init__(self, subcon: Any, notes: _Notes) -> None:
        super().__init__(subcon)
        self._notes = notes

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        with self._notes.within(_Frame(0, OCTET_BITS)), self._notes.at("", "", stream) as note:
            note.value = value = self.subcon._parsereport(stream, context, path)
        if not isinstance(value, dict | list):
            self._notes.seen["value"] = note
        return value


class _Noted(construct.Subconstruct):  # type: ignore[misc]
    """A value with a name or an index."""

    def __init__(self, subcon: Any, notes: _Notes, step: str | None) -> None:
        super().__init__(subcon)
        self.name, self.docs = subcon.name, subcon.docs
        self._notes = notes
        self._step = step  # None: the index of an array.

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        step = f"[{context._index}]" if self._step is None else self._step
        with self._notes.at(step, str(self.docs or "").strip(), stream) as note:
            note.value = value = self.subcon._parsereport(stream, context, path)
        return value


class _Rescaled(construct.Subconstruct):  # type: ignore[misc]
    """What is parsed from a stream of its own: bits as octets, or the reverse, or swapped ones."""

    def __init__(self, subcon: Any, notes: _Notes) -> None:
        super().__init__(subcon)
        self.name, self.docs = subcon.name, subcon.docs
        self._notes = notes

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        base, unit = self._notes.bit(stream), _unit_of(self.subcon, self._notes.unit)
        frame = None if base is None or unit is None else _Frame(base, unit)
        self._inner_frame(frame)
        return self.subcon._parsereport(stream, context, path)

    def _inner_frame(self, frame: _Frame | None) -> None:
        inner = self.subcon.subcon
        if isinstance(inner, _Inner):
            inner.frame = frame


class _Inner(construct.Subconstruct):  # type: ignore[misc]
    """The inside of a `_Rescaled`."""

    def __init__(self, subcon: Any, notes: _Notes) -> None:
        super().__init__(subcon)
        self.name, self.docs = subcon.name, subcon.docs
        self._notes = notes
        self.frame: _Frame | None = None

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        with self._notes.within(self.frame):
            return self.subcon._parsereport(stream, context, path)


def _unit_of(layout: Any, unit: int) -> int | None:
    function = getattr(layout, "decodefunc", None) or getattr(layout, "decoder", None)
    if function is bytes2bits:
        return unit // OCTET_BITS
    return unit * OCTET_BITS if function is bits2bytes else None


def _member(layout: Any, notes: _Notes) -> Any:
    """Return the traced member of a Struct: its name is a step."""
    is_named = isinstance(layout, construct.Renamed)
    traced = _traced(layout, notes)
    return _Noted(traced, notes, f".{layout.name}") if is_named else traced


def _traced(layout: Any, notes: _Notes) -> Any:
    """Return a copy of `layout` that takes notes of its members; a name of its own is no step."""
    if isinstance(layout, construct.Transformed | construct.Restreamed):
        copied = copy.copy(layout)
        copied.subcon = _Inner(_traced(layout.subcon, notes), notes)
        return _Rescaled(copied, notes)
    copied = copy.copy(layout)
    if isinstance(layout, _ARRAYS):
        copied.subcon = _Noted(_traced(layout.subcon, notes), notes, None)
    elif isinstance(layout, construct.Sequence):
        copied.subcons = [
            _Noted(_traced(member, notes), notes, f"[{index}]")
            for index, member in enumerate(layout.subcons)
        ]
    elif isinstance(layout, construct.FocusedSeq):
        copied.subcons = [_traced(member, notes) for member in layout.subcons]
    elif isinstance(layout, _GROUPS):
        copied.subcons = [_member(member, notes) for member in layout.subcons]
    elif isinstance(layout, construct.IfThenElse):
        copied.thensubcon = _traced(layout.thensubcon, notes)
        copied.elsesubcon = _traced(layout.elsesubcon, notes)
    elif isinstance(layout, construct.Switch):
        copied.cases = {key: _traced(case, notes) for key, case in layout.cases.items()}
        copied.default = _traced(layout.default, notes)
    elif isinstance(layout, construct.LazyBound):
        copied.subconfunc = lambda: _traced(layout.subconfunc(), notes)
    elif isinstance(layout, construct.Subconstruct) and _is_transparent(layout):
        copied.subcon = _traced(layout.subcon, notes)
    else:
        return layout
    return copied


def _is_transparent(layout: Any) -> bool:
    """Whether the members of a Subconstruct are members of the packet."""
    return not isinstance(layout, construct.Tunnel | construct.RestreamData | construct.Lazy)


def data_field_bits(data_field: bytes, extent: Extent) -> int:
    """Return the bits of an extent as one number."""
    number = int.from_bytes(data_field, "big")
    behind = len(data_field) * OCTET_BITS - extent.end
    return number >> behind & (1 << (extent.end - extent.first)) - 1


def uncovered(fields: tuple[FieldExtent, ...], octets: int) -> Iterator[Extent]:
    """Yield the bits of a data field that no field with an extent covers, in order."""
    at = 0
    extents = sorted((f.extent.first, f.extent.end) for f in fields if f.extent)
    for first, end in (*extents, (octets * OCTET_BITS, octets * OCTET_BITS)):
        if first > at:
            yield Extent(at, first)
        at = max(at, end)
