# SPDX-License-Identifier: Apache-2.0
"""Columns as tables show them: one value per packet in each, what belongs to a value beside it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from telemetry.columns.column import NAMELESS_INDEX, Array, Column
from telemetry.columns.flatten import Row
from telemetry.columns.gather import count_within
from telemetry.columns.limits import LimitState

ENGINEERING = ".engineering"
STATE = ".state"
VALID = ".valid"
BESIDE_SUFFIX = re.compile(rf"({re.escape(ENGINEERING)}|{re.escape(STATE)}|{re.escape(VALID)})$")
GAP_COLUMN = "gap_before"  # Packets missing right before each.
CLOCK_COLUMN = "clock_step"  # What the on-board clock did before each: see `ClockStep`.
PACKET_TIME = "packet_time"  # UTC, by the time fields; NaT where a packet has none.
RECEIVED_TIME = "received_time"  # UTC, by the frames.
QUALITY_COLUMNS = (GAP_COLUMN, CLOCK_COLUMN)
TIME_COLUMNS = (PACKET_TIME, RECEIVED_TIME)
DIGEST_COLUMN = "_digest"  # Of the octets of a packet; only between dumps that are merged,
OCTETS_COLUMN = "_octets"  # as are these: how many there are.
HIDDEN_COLUMNS = frozenset((DIGEST_COLUMN, OCTETS_COLUMN))
BESIDE_COLUMNS = frozenset((*QUALITY_COLUMNS, *TIME_COLUMNS))
STATE_NAMES = {int(state): state.name.lower() for state in LimitState}


def flat_columns(columns: Mapping[str, Column]) -> list[Column]:
    """Return columns with one value per packet, in order of the definition.

    Lists become columns that are numbered as in rows, `samples[3]` or `events[3].code`. Behind each
    column stand its engineering values, limit states and validity, where there are some.
    """
    found: list[Column] = []
    for _, group in groupby(columns.values(), _list_name):
        members = list(group)
        if members[0].is_list:
            found += _elements(members)
        else:
            for column in members:
                found += _with_meaning(column)
    return found


def whole_columns(columns: Mapping[str, Column]) -> list[Column]:
    """Return columns in order of the definition, and behind each what belongs to its values.

    Lists stay lists, so that the columns do not depend on how long these are.
    """
    return [found for column in columns.values() for found in _with_meaning(column)]


def element_column(column: Column, index: int) -> Column:
    """Return the elements of a list at one index, for the packets that have so many."""
    assert column.offsets is not None
    has_one = np.diff(column.offsets) > index
    return _element(column, index, has_one, column.offsets[:-1][has_one] + index)


def _list_name(column: Column) -> str:
    return column.name.partition(NAMELESS_INDEX)[0] if column.is_list else ""


def _with_meaning(column: Column) -> Iterator[Column]:
    bare = replace(column, engineering=None, state=None, valid=None)
    yield bare
    beside = {"present": column.present, "offsets": None if column.is_octets else column.offsets}
    if column.engineering is not None:
        name = column.name + ENGINEERING
        yield Column(name=name, raw=column.engineering, unit=column.unit, **beside)  # type: ignore[arg-type]
    if column.state is not None:
        name = column.name + STATE
        yield Column(name=name, raw=column.state, categories=STATE_NAMES, **beside)  # type: ignore[arg-type]
    if column.valid is not None:
        yield Column(name=column.name + VALID, raw=column.valid, **beside)  # type: ignore[arg-type]


def _elements(members: list[Column]) -> Iterator[Column]:
    """Yield the columns of all first elements, then of all second elements, and so on."""
    offsets = members[0].offsets
    assert offsets is not None
    counts = np.diff(offsets)
    wide = [column for member in members for column in _with_meaning(member)]
    for index in range(int(counts.max(initial=0))):
        has_one = counts > index
        for column in wide:
            yield _element(column, index, has_one, offsets[:-1][has_one] + index)


def _element(column: Column, index: int, has_one: Array, places: Array) -> Column:
    raw = np.zeros(len(has_one), column.raw.dtype)
    raw[has_one] = column.raw[places]
    present = has_one
    if column.present is not None:
        present = has_one.copy()
        present[has_one] = column.present[places]
    is_lost = None
    if column.is_lost is not None:
        is_lost = np.zeros(len(has_one), np.bool_)
        is_lost[has_one] = column.is_lost[places]
    head, _, tail = column.name.partition(NAMELESS_INDEX)
    return Column(
        name=f"{head}[{index}]{tail}",
        raw=raw,
        present=None if present.all() else present,
        is_lost=is_lost,
        categories=column.categories,
        unit=column.unit,
    )


def slice_column(column: Column, start: int, end: int) -> Column:
    """Return a column, with nothing beside its values, for the packets `start..end - 1`."""
    offsets = None if column.offsets is None else column.offsets[start : end + 1]
    values = slice(start, end) if offsets is None else slice(int(offsets[0]), int(offsets[-1]))
    beside = values if column.is_list else slice(start, end)
    return replace(
        column,
        raw=column.raw[values],
        offsets=None if offsets is None else offsets - offsets[0],
        present=None if column.present is None else column.present[beside],
        is_lost=None if column.is_lost is None else column.is_lost[beside],
    )


def take_column(column: Column, rows: Array) -> Column:
    """Return any column for these packets only."""
    if column.offsets is None:
        return _pick(column, rows, None)
    counts = np.diff(column.offsets)[rows]
    values = np.repeat(column.offsets[:-1][rows], counts) + count_within(counts)
    offsets = np.concatenate(([0], np.cumsum(counts)))
    if not column.is_octets:
        return _pick(column, values, offsets)
    return replace(_pick(column, rows, offsets, raw=False), raw=column.raw[values])


def _pick(column: Column, chosen: Array, offsets: Array | None, *, raw: bool = True) -> Column:
    def of(values: Array | None) -> Array | None:
        return None if values is None else values[chosen]

    return replace(
        column,
        raw=column.raw[chosen] if raw else column.raw,
        offsets=offsets,
        present=of(column.present),
        is_lost=of(column.is_lost),
        engineering=of(column.engineering),
        valid=of(column.valid),
        state=of(column.state),
    )


def concatenate_columns(parts: Sequence[Column | None], counts: Sequence[int]) -> Column:
    """Return one column of several batches; None where a batch of so many packets has none."""
    known = [part for part in parts if part is not None]
    first = known[0]
    filled = [
        _absent(first, count) if part is None else part
        for part, count in zip(parts, counts, strict=True)
    ]
    ends = np.cumsum([0, *(len(part.raw) for part in filled)])
    offsets = None
    if first.offsets is not None:
        pieces = [part.offsets[1:] + end for part, end in zip(filled, ends, strict=False)]  # type: ignore[index]
        offsets = np.concatenate([np.zeros(1, np.int64), *pieces])
    names = {key: name for part in known for key, name in (part.categories or {}).items()}
    return replace(
        first,
        raw=_join([part.raw for part in filled]),
        offsets=offsets,
        categories=names if first.categories is not None else None,
        present=_join_flags(filled, "present", True),
        is_lost=_join_flags(filled, "is_lost", False),
        valid=_join_flags(filled, "valid", True),
        engineering=_join_beside(filled, "engineering"),
        state=_join_beside(filled, "state"),
    )


def _absent(like: Column, count: int) -> Column:
    """Return a column of packets that lack it."""
    size = 0 if like.offsets is not None else count
    beside = count if like.is_octets else size
    is_time = like.raw.dtype.kind == "M"
    return replace(
        like,
        raw=np.full(size, "NaT", like.raw.dtype) if is_time else np.zeros(size, like.raw.dtype),
        offsets=None if like.offsets is None else np.zeros(count + 1, np.int64),
        present=np.zeros(beside, np.bool_),
        is_lost=None,
        valid=None,
        engineering=None if like.engineering is None else np.full(beside, np.nan),
        state=None if like.state is None else np.full(beside, LimitState.UNKNOWN, np.uint8),
    )


def _join(arrays: Sequence[Array]) -> Array:
    """Concatenate; as objects where no dtype keeps every value."""
    kinds = {array.dtype.kind for array in arrays}
    dtypes = {array.dtype for array in arrays}
    if len(dtypes) > 1 and (len(kinds) > 1 or kinds & {"V", "O"}):
        return np.concatenate([array.astype(object) for array in arrays])
    return np.concatenate(arrays)


def _join_flags(parts: Sequence[Column], name: str, default: bool) -> Array | None:
    flags = [getattr(part, name) for part in parts]
    if all(flag is None for flag in flags):
        return None
    sizes = [len(part) if part.is_octets else len(part.raw) for part in parts]
    return np.concatenate(
        [np.full(n, default) if f is None else f for f, n in zip(flags, sizes, strict=True)]
    )


def _join_beside(parts: Sequence[Column], name: str) -> Array | None:
    arrays = [getattr(part, name) for part in parts]
    return None if any(array is None for array in arrays) else np.concatenate(arrays)


def build_rows(columns: Sequence[Column]) -> list[Row]:
    """Return the packets of flat columns as rows, without what is absent.

    A field that has no value, for its octets make none, is there as None.
    """
    if not columns:
        return []
    names = [column.name for column in columns]
    cells = zip(*(column.values() for column in columns), strict=True)
    if all(column.present is None for column in columns):
        return [dict(zip(names, row, strict=True)) for row in cells]
    rows: list[Row] = [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in cells
    ]
    for index, lost in _lost_names(columns).items():
        row = rows[index]
        rows[index] = {name: row.get(name) for name in names if name in row or name in lost}
    return rows


def _lost_names(columns: Sequence[Column]) -> dict[int, set[str]]:
    """Return by row the columns whose values are not there though the field is."""
    found: dict[int, set[str]] = {}
    for column in columns:
        if column.is_lost is not None:
            for index in np.flatnonzero(column.is_lost).tolist():
                found.setdefault(index, set()).add(column.name)
    return found
