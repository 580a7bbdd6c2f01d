# SPDX-License-Identifier: Apache-2.0
"""Columns of packets that construct itself has parsed, one after the other."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeAlias

import construct
import numpy as np
from numpy.typing import NDArray

from telemetry.columns.arrays import build_array
from telemetry.columns.column import Column
from telemetry.columns.flatten import RESERVED_COLUMNS, flatten, walk
from telemetry.columns.unreadable import Unreadable

Leaves: TypeAlias = dict[str, Any]


def leaves_of(parsed: Any) -> Leaves:
    """Return the values of a packet by column name; octets and Enums as construct has them."""
    return {
        f"data.{name}" if name in RESERVED_COLUMNS else name: value
        for name, value in flatten(parsed)
    }


def leaves_at(name: str, value: Any) -> Leaves:
    """Return the values of one field, by column name."""
    return dict(walk(value, name))


def with_kind(column: Column) -> Column:
    """Return a list column of Python's values as one of numbers, text or names."""
    found = _column(column.name, column.raw.tolist())
    present = found.present if column.present is None else column.present
    return replace(
        column, raw=found.raw, categories=found.categories, present=present, is_lost=found.is_lost
    )


def build_columns(packets: list[Leaves], names: Iterable[str] = ()) -> dict[str, Column]:
    """Return one column for each of `names` and of those that any packet has, as they appear."""
    names = dict.fromkeys(names)
    for leaves in packets:
        names.update(dict.fromkeys(leaves))
    return {name: _column(name, [leaves.get(name) for leaves in packets]) for name in names}


def _column(name: str, values: list[Any]) -> Column:
    """Return a column; in the place of an `Unreadable` nothing is present."""
    is_lost = [isinstance(value, Unreadable) for value in values]
    if not any(is_lost):
        return _of_values(name, values)
    kept = [None if lost else value for value, lost in zip(values, is_lost, strict=True)]
    return replace(_of_values(name, kept), is_lost=np.array(is_lost, np.bool_))


def _of_values(name: str, values: list[Any]) -> Column:
    is_present = [value is not None for value in values]
    present = None if all(is_present) else np.array(is_present, np.bool_)
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bytes) for value in known):
        return _octets(name, values, present)
    categories = _categories(known)
    raw = build_array([_number(value) for value in known] if categories is not None else known)
    if present is not None:
        raw = _spread(raw, present)
    return Column(name=name, raw=raw, categories=categories, present=present)


def _spread(known: NDArray[Any], present: NDArray[np.bool_]) -> NDArray[Any]:
    raw = np.zeros(len(present), known.dtype)
    raw[present] = known
    return raw


def _octets(name: str, values: list[Any], present: NDArray[np.bool_] | None) -> Column:
    octets = [value or b"" for value in values]
    offsets = np.zeros(len(octets) + 1, np.int64)
    np.cumsum([len(value) for value in octets], out=offsets[1:])
    raw = np.frombuffer(b"".join(octets), np.uint8)
    return Column(name=name, raw=raw, offsets=offsets, is_octets=True, present=present)


def _categories(values: Iterable[Any]) -> dict[int, str] | None:
    """Return the names among the values of an Enum; None if this is no Enum."""
    names: dict[int, str] = {}
    for value in values:
        if isinstance(value, construct.EnumIntegerString) and isinstance(value.intvalue, int):
            names[value.intvalue] = str(value)
        elif not isinstance(value, construct.EnumInteger):
            return None
    return names


def _number(value: Any) -> int:
    return int(value)
