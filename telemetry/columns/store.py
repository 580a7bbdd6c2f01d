# SPDX-License-Identifier: Apache-2.0
"""Column values on their way from blocks of packets into whole columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.columns.column import Column
from telemetry.columns.fallback import build_columns, leaves_at, with_kind
from telemetry.columns.gather import count_within
from telemetry.columns.kinds import (
    CategoryKind,
    Kind,
    OctetsKind,
    PythonKind,
    UnsupportedError,
    dtype_of,
    merge_kinds,
)
from telemetry.columns.separation import InseparableError, SeparationError
from telemetry.wire.batch import Indices

Array: TypeAlias = NDArray[Any]
Flags: TypeAlias = NDArray[np.bool_]
_LINE = 64  # Octets of a cache line, at which columns begin.


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A column to be: `list_name` is that of the list whose elements it holds, "" for packets."""

    name: str
    kind: Kind
    list_name: str = ""
    is_optional: bool = False  # An If or Switch may leave it out.
    meaning: Any = None

    @property
    def path(self) -> str:
        """Where in the definition it comes from."""
        return self.name.removeprefix("data.")

    @property
    def is_octets(self) -> bool:
        """Whether it holds octets of varying length."""
        return isinstance(self.kind, OctetsKind) and self.kind.length is None

    @property
    def is_varying(self) -> bool:
        """Whether packets have more or less of it."""
        return bool(self.list_name) or self.is_octets

    def merge(self, other: "ColumnSpec") -> "ColumnSpec":
        """Return the column for two alternatives; `UnsupportedError` if no column can hold both."""
        if self.list_name != other.list_name or self.meaning is not other.meaning:
            raise UnsupportedError("its alternatives are no column together")
        kind = merge_kinds(self.kind, other.kind)
        return replace(self, kind=kind, is_optional=self.is_optional or other.is_optional)

    def column(self, raw: Array, present: Flags | None, offsets: Indices | None) -> Column:
        """Return the finished column."""
        names = self.kind.names if isinstance(self.kind, CategoryKind) else None
        return Column(
            name=self.name,
            raw=raw,
            offsets=offsets,
            categories=None if names is None else dict(names),
            present=present,
            is_octets=self.is_octets,
            unit=getattr(self.meaning, "unit", "") or "",
        )


@dataclass(frozen=True, slots=True)
class ListPart:
    """Lists of some lanes (None: of all): how long each is, and the elements of all of them."""

    lanes: Indices | None
    counts: Indices
    elements: "Space"


class Space:
    """Room for the values of `count` packets, or of `count` list elements, of one block."""

    def __init__(self, specs: Mapping[str, ColumnSpec], count: int) -> None:
        self.specs = specs
        self.count = count
        self.arrays: dict[str, Array] = {}  # Made when first written.
        self.present: dict[str, Flags] = {}
        self.lists: dict[str, list[ListPart]] = {}  # By list name; octets by column name.

    def output(self, name: str, dtype: "np.dtype[Any]", lanes: Indices | None, count: int) -> Array:
        """Return an array of `count` items to be filled, one per lane, and given to `deliver`."""
        array = self.arrays.get(name)
        if array is None and not self.specs[name].is_octets:
            array = self._array(name)
        if lanes is None and array is not None and array.dtype == dtype:
            return array
        return np.empty(count, dtype)

    def deliver(self, name: str, values: Array, lanes: Indices | None) -> None:
        """Take the values of these lanes (None: of all)."""
        spec = self.specs[name]
        if not spec.is_optional and values is self.arrays.get(name):
            return
        where = slice(None) if lanes is None else lanes
        if spec.is_octets:
            counts = np.full(len(values), values.dtype.itemsize, np.int64)
            self.deliver_octets(name, lanes, counts, values.view(np.uint8).reshape(-1))
            return
        array = self._array(name)
        if values is not array:
            array[where] = values.astype(object) if array.dtype == object else values
        if spec.is_optional:
            self._present(name)[where] = True

    def deliver_octets(
        self, name: str, lanes: Indices | None, counts: Indices, octets: Array
    ) -> None:
        """Take octets of varying length."""
        elements = Space({}, len(octets))
        elements.arrays[name] = octets
        self.deliver_list(name, ListPart(lanes, counts, elements))
        if self.specs[name].is_optional:
            self._present(name)[slice(None) if lanes is None else lanes] = True

    def deliver_list(self, list_name: str, part: ListPart) -> None:
        """Take lists of elements."""
        self.lists.setdefault(list_name, []).append(part)

    def _array(self, name: str) -> Array:
        if name not in self.arrays:
            self.arrays[name] = np.zeros(self.count, dtype_of(self.specs[name].kind))
        return self.arrays[name]

    def _present(self, name: str) -> Flags:
        if name not in self.present:
            self.present[name] = np.zeros(self.count, np.bool_)
        return self.present[name]


class Store:
    """Whole columns in the making, for at most `count` packets."""

    def __init__(self, specs: Mapping[str, ColumnSpec], count: int) -> None:
        self._specs = specs
        self._filled = 0
        self._raw = _allocate(specs.values(), count)
        self._present: dict[str, Flags] = {}
        self._lists: dict[str, _Lists] = {}
        for spec in specs.values():
            if spec.is_varying:
                members = self._lists.setdefault(spec.list_name or spec.name, _Lists([], {}, {}))
                members.raw[spec.name], members.present[spec.name] = [], []
            if spec.is_optional and not spec.list_name:
                self._present[spec.name] = np.zeros(count, np.bool_)

    def space(self, count: int) -> Space:
        """Return room for the next `count` packets; nothing counts until `commit`."""
        space = Space(self._specs, count)
        part = slice(self._filled, self._filled + count)
        space.arrays = {name: array[part] for name, array in self._raw.items()}
        space.present = {name: array[part] for name, array in self._present.items()}
        for name, flags in space.present.items():  # What an attempt before may have left.
            flags[:] = False
            if name in space.arrays:
                space.arrays[name][:] = np.zeros((), space.arrays[name].dtype)
        return space

    def commit(self, space: Space) -> None:
        """Keep what is in `space`."""
        for list_name, lists in self._lists.items():
            lists.append(space.lists.get(list_name, []), self._specs, space.count)
        self._filled += space.count

    def columns(self) -> dict[str, Column]:
        """Return the columns, in order of the definition."""
        offsets = {name: lists.offsets() for name, lists in self._lists.items()}
        columns: dict[str, Column] = {}
        for spec in self._specs.values():
            name = spec.name
            if isinstance(spec.kind, PythonKind) and not spec.list_name:
                columns |= self._of_python(spec)
                continue
            if name in self._raw:
                raw, place = self._raw[name][: self._filled], None
            else:
                list_name = spec.list_name or name
                raw, place = np.concatenate(self._lists[list_name].raw[name]), offsets[list_name]
            columns[name] = spec.column(raw, self._flags(spec), place)
            if isinstance(spec.kind, PythonKind):
                columns[name] = with_kind(columns[name])
        return columns

    def _of_python(self, spec: ColumnSpec) -> dict[str, Column]:
        """Return a column for each name that is in what Python gave for one field."""
        values, flags = self._raw[spec.name][: self._filled].tolist(), self._flags(spec)
        if flags is not None:
            values = [v if p else None for v, p in zip(values, flags.tolist(), strict=True)]
        try:
            columns = build_columns([leaves_at(spec.name, value) for value in values])
        except InseparableError as error:
            raise SeparationError(spec.path, str(error)) from error
        for column in columns.values():
            column.unit = getattr(spec.meaning, "unit", "") or ""
        if not columns and not self._filled:
            columns = build_columns([], names=(spec.name,))
        return columns

    def _flags(self, spec: ColumnSpec) -> Flags | None:
        if not spec.is_optional:
            return None
        if spec.list_name:
            return np.concatenate(self._lists[spec.list_name].present[spec.name])
        return self._present[spec.name][: self._filled]


def _allocate(specs: Iterable[ColumnSpec], count: int) -> dict[str, Array]:
    """Return empty columns for what packets have one of, in one piece of memory.

    The system hands out large pieces in large pages: touching them first costs a fraction of what
    many smaller pieces do, which is more than filling them.
    """
    dtypes = {spec.name: dtype_of(spec.kind) for spec in specs if not spec.is_varying}
    sizes = [-(-dtype.itemsize * count // _LINE) * _LINE for dtype in dtypes.values()]
    memory = np.empty(sum(sizes), np.uint8)
    arrays: dict[str, Array] = {}
    begin = 0
    for (name, dtype), size in zip(dtypes.items(), sizes, strict=True):
        end = begin + dtype.itemsize * count
        holds_objects = dtype.kind == "O"
        arrays[name] = np.empty(count, dtype) if holds_objects else memory[begin:end].view(dtype)
        begin += size
    return arrays


@dataclass(slots=True)
class _Lists:
    """What the blocks gave for one list: lengths, and per column the elements."""

    counts: list[Indices]
    raw: dict[str, list[Array]]
    present: dict[str, list[Flags]]

    def append(self, parts: list[ListPart], specs: Mapping[str, ColumnSpec], count: int) -> None:
        """Add the lists of one block of `count` packets."""
        counts = np.zeros(count, np.int64)
        for part in parts:
            counts[slice(None) if part.lanes is None else part.lanes] = part.counts
        self.counts.append(counts)
        starts = np.cumsum(counts) - counts
        total = int(counts.sum())
        for name in self.raw:
            dtype = dtype_of(specs[name].kind)
            found = [(part, part.elements.arrays.get(name)) for part in parts]
            self.raw[name].append(_join(found, starts, total, dtype))
            flags = [(part, part.elements.present.get(name)) for part in parts]
            self.present[name].append(_join(flags, starts, total, np.dtype(np.bool_)))

    def offsets(self) -> Indices:
        """Return where each packet's list begins, and the end of the last."""
        counts = np.concatenate([np.zeros(1, np.int64), *self.counts])
        return np.cumsum(counts)


def _join(
    found: list[tuple[ListPart, Array | None]],
    starts: Indices,
    total: int,
    dtype: "np.dtype[Any]",
) -> Array:
    """Return the elements of all parts in order of the lanes; zero where a part has none."""
    if len(found) == 1 and found[0][1] is not None:
        return found[0][1]
    joined = np.zeros(total, dtype)
    for part, values in found:
        if values is not None:
            begin = starts if part.lanes is None else starts[part.lanes]
            joined[np.repeat(begin, part.counts) + count_within(part.counts)] = values
    return joined
