# SPDX-License-Identifier: Apache-2.0
"""Meaning beside the raw values: engineering values, derived ones, validity and limit states."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from telemetry.columns.calibration import Names
from telemetry.columns.column import Array, Column
from telemetry.columns.field import Meaning
from telemetry.columns.flatten import RESERVED_COLUMNS
from telemetry.columns.formula import evaluate, holds
from telemetry.columns.formula_scope import ExpressionError, Scope
from telemetry.columns.limits import LimitMemory, Limits, LimitState, judge, persist
from telemetry.columns.meaning_checks import check_places
from telemetry.columns.meaning_paths import Place, find_places
from telemetry.errors import InputError


@dataclass(frozen=True, slots=True)
class Meanings:
    """The meanings of one packet definition, ready for batches of columns."""

    label: str  # Where the definition was found: "PACKETS[66]".
    places: tuple[Place, ...]  # Those with a meaning, in order of declaration.
    _found: dict[str, Place | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether any field has a meaning."""
        return bool(self.places)

    @property
    def needs_order(self) -> bool:
        """Whether batches have to be judged one after the other, with one `LimitMemory`."""
        every = (place.meaning.limits for place in self.places if place.meaning)
        return any(limits is not None and limits.max_persistence > 1 for limits in every)

    def of(self, column: str) -> Meaning | None:
        """Return the meaning of a column by its name, for who draws limits or prints units."""
        place = self._place(column)
        return place.meaning if place else None

    def apply(
        self,
        columns: Mapping[str, Column],
        memory: LimitMemory | None = None,
        trusted: Array | None = None,
    ) -> dict[str, Column]:
        """Return the columns with unit, engineering values, validity and limit states.

        Derived parameters take the place of their columns or come last. `memory` carries counts of
        violations from batch to batch (without one, each batch begins anew). Packets that are not
        `trusted` (bool for each packet) keep their values and have the limit state UNKNOWN.
        `InputError` names the field whose function or condition fails.
        """
        result = {name: self._calibrated(column) for name, column in columns.items()}
        if not self.places:
            return result
        for place in self.places:
            if place.meaning and place.meaning.derived is not None:
                self._derive(place, place.meaning, result)
            if place.meaning and place.meaning.valid_if is not None:
                self._flag_invalid(place, place.meaning, result)
        memory = LimitMemory() if memory is None else memory
        for name, column in result.items():
            meaning = self.of(name)
            if meaning is not None and meaning.limits is not None:
                column.state = self._state(column, meaning.limits, result, memory, trusted)
        return result

    def _place(self, column: str) -> Place | None:
        if column not in self._found:
            name = column.removeprefix("data.")
            if column != name and name not in RESERVED_COLUMNS:
                name = column
            matching = (place for place in self.places if place.pattern.fullmatch(name))
            is_header = column in RESERVED_COLUMNS
            self._found[column] = None if is_header else next(matching, None)
        return self._found[column]

    def _calibrated(self, column: Column) -> Column:
        meaning = self.of(column.name)
        if meaning is None or meaning.derived is not None:
            return replace(column)
        if meaning.calibration is None:
            return replace(column, unit=meaning.unit)
        if isinstance(meaning.calibration, Names):
            return replace(column, unit=meaning.unit, categories=meaning.calibration.categories)
        if _is_text(column):
            text = "octets and text have no number to calibrate"
            raise self._error(column.name, "calibration", text)
        try:
            values = _where_present(column, meaning.calibration.apply)
        except Exception as error:
            raise self._error(column.name, "calibration", error) from error
        return replace(column, unit=meaning.unit, engineering=values)

    def _derive(self, place: Place, meaning: Meaning, columns: dict[str, Column]) -> None:
        for prefix in _prefixes(place, columns):
            name = prefix + str(place.steps[-1])
            name = f"data.{name}" if name in RESERVED_COLUMNS else name
            offsets = _offsets_of(prefix, columns)
            scope = Scope(columns, prefix, offsets)
            try:
                values = evaluate(meaning.derived, scope)
            except ExpressionError as error:
                raise self._error(name, "derived", error) from error
            columns[name] = Column(
                name=name, raw=values, offsets=offsets, unit=meaning.unit, valid=_mask(scope.usable)
            )

    def _flag_invalid(self, place: Place, meaning: Meaning, columns: dict[str, Column]) -> None:
        for name, column in columns.items():
            if self._place(name) is not place:
                continue
            is_valid = self._holds(meaning.valid_if, column, columns, "valid_if")
            column.valid = is_valid if column.valid is None else column.valid & is_valid

    def _holds(
        self, condition: Any, column: Column, columns: Mapping[str, Column], what: str
    ) -> Array:
        offsets = None if column.is_octets else column.offsets
        try:
            return holds(condition, Scope(columns, _prefix_of(column.name), offsets))
        except ExpressionError as error:
            raise self._error(column.name, what, error) from error

    def _state(
        self,
        column: Column,
        limits: Limits,
        columns: Mapping[str, Column],
        memory: LimitMemory,
        trusted: Array | None,
    ) -> Array:
        if _is_text(column):
            raise self._error(column.name, "limits", "octets and text have no number to judge")
        try:
            values = column.engineering
            if values is None:
                with np.errstate(invalid="ignore"):  # Signalling NaN.
                    values = _where_present(column, lambda raw: raw.astype(np.float64))
        except (TypeError, ValueError) as error:
            raise self._error(column.name, "limits", error) from error
        state, persistence = judge(
            limits, values, lambda condition: self._holds(condition, column, columns, "limits")
        )
        for mask in (column.present, column.valid, _per_value(column, trusted)):
            if mask is not None:
                state[~mask] = LimitState.UNKNOWN
        if limits.max_persistence == 1:
            return state
        return persist(state, persistence, memory, column.name, _positions(column))

    def _error(self, column: str, what: str, error: object) -> InputError:
        is_own = isinstance(error, ExpressionError | str)
        text = str(error) if is_own else f"{type(error).__name__}: {error}"
        return InputError(f"{self.label}.{column}: {what}: {text}")


def compile_meanings(layout: Any, label: str = "definition") -> Meanings:
    """Find what `telemetry.field` and `telemetry.derived` say in a layout.

    `InputError` holds one line for each mistake: limits in the wrong order, spline points that do
    not rise, a condition on a field that there is not.
    """
    places = tuple(find_places(layout))
    mistakes = [f"{label}.{place.text}: {text}" for place, text in check_places(places)]
    if mistakes:
        raise InputError("\n".join(dict.fromkeys(mistakes)))
    first = {place.steps: place for place in reversed(places) if place.meaning is not None}
    kept = (place for place in places if first.get(place.steps) is place and not place.is_group)
    return Meanings(label, tuple(kept))


def apply_meanings(
    columns: Mapping[str, Column], layout: Any, memory: LimitMemory | None = None
) -> dict[str, Column]:
    """Return `columns` with what `layout` says of them; for batches see `Meanings.apply`."""
    return compile_meanings(layout).apply(columns, memory)


def _is_text(column: Column) -> bool:
    """Whether the raw values are octets or text."""
    if column.raw.dtype.kind == "O":
        return any(isinstance(value, bytes | str) for value in column.raw)
    return column.is_octets or column.raw.dtype.kind == "V"


def _where_present(column: Column, apply: Any) -> Array:
    """Return float64 values of the raw counts that are there; NaN for the others."""
    if column.present is None or bool(column.present.all()):
        found: Array = apply(column.raw)
        return found
    values = np.full(column.raw.shape, np.nan)
    values[column.present] = apply(column.raw[column.present])
    return values


def _mask(usable: Array) -> Array | None:
    return None if usable.all() else usable


def _prefix_of(column: str) -> str:
    """Return the prefix of the struct that holds a column: `rails[3].` for `rails[3].volts`."""
    if column.startswith("data.") and column.removeprefix("data.") in RESERVED_COLUMNS:
        return ""
    head, dot, _ = column.rpartition(".")
    return head + dot


def _prefixes(place: Place, columns: Mapping[str, Column]) -> Iterator[str]:
    """Yield the prefix of each struct that holds a derived parameter, as the columns have them."""
    pattern = place.struct_pattern
    starts = (pattern.match(name) for name in columns)
    yield from dict.fromkeys(start.group() for start in starts if start)


def _offsets_of(prefix: str, columns: Mapping[str, Column]) -> Array | None:
    if "[]" not in prefix:
        return None
    members = (column for name, column in columns.items() if name.startswith(prefix))
    return next((c.offsets for c in members if c.offsets is not None and not c.is_octets), None)


def _per_value(column: Column, mask: Array | None) -> Array | None:
    if mask is None or column.offsets is None:
        return mask
    repeated: Array = np.repeat(mask, np.diff(column.offsets))
    return repeated


def _positions(column: Column) -> Array | None:
    """Return the index of each value of a ragged column within its packet."""
    if column.offsets is None:
        return None
    positions: Array = np.arange(len(column.raw)) - np.repeat(
        column.offsets[:-1], np.diff(column.offsets)
    )
    return positions
