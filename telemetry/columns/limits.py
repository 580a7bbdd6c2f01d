# SPDX-License-Identifier: Apache-2.0
"""Limits: warning (yellow) and alarm (red), low and high, judged over whole columns.

Words are those of the field: `warning` and `alarm` with a low and a high bound are the yellow and
red limits of COSMOS and the WarningRange and CriticalRange of an XTCE alarm (CCSDS 660.1-B), a
value on a bound is still inside (minInclusive, maxInclusive). `persistence` is the persistence
setting of COSMOS and minViolations of XTCE. `contexts` is a ContextAlarmList: the first whose
condition holds is used, and the limits outside of every context where none does.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np

from telemetry.columns.column import Array
from telemetry.errors import InputError

Range: TypeAlias = tuple[float | None, float | None]  # low, high; None where there is no bound.


class LimitState(IntEnum):
    """What the limits say of a value."""

    OK = 0
    WARNING_LOW = 1
    WARNING_HIGH = 2
    ALARM_LOW = 3
    ALARM_HIGH = 4
    UNKNOWN = 5  # Not judged: absent, invalid, no number, of a damaged packet, or without limits.


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on an engineering value; alarm low <= warning low <= warning high <= alarm high.

    A state is raised by the value that is the `persistence`-th in a row to lie outside of any
    bound; until then it is OK. Values that are not judged neither count nor break the row.
    """

    warning: Range | None = None
    alarm: Range | None = None
    persistence: int = 1
    contexts: tuple[tuple[Any, "Limits"], ...] = ()  # condition, limits while it holds

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong with the bounds, with their numbers."""
        ranges = (("warning", self.warning), ("alarm", self.alarm))
        if wrong := [text for name, found in ranges for text in _range_mistakes(name, found)]:
            yield from wrong
            return
        yield from self._order_mistakes()
        if not self._has_bounds() and not self.contexts:
            yield "limits without a bound; give warning=(low, high) or alarm=(low, high)"
        if isinstance(self.persistence, bool) or not isinstance(self.persistence, int):
            yield f"persistence is {self.persistence!r}; expected a whole number from 1"
        elif self.persistence < 1:
            yield f"persistence is {self.persistence}; the first violation is number 1"
        for number, (_, limits) in enumerate(self.contexts):
            yield from (f"context {number + 1}: {text}" for text in limits.mistakes())
            if limits.contexts:
                yield f"context {number + 1}: a context cannot have contexts of its own"

    def _has_bounds(self) -> bool:
        return any(bound is not None for r in (self.warning, self.alarm) for bound in r or ())

    def _order_mistakes(self) -> Iterator[str]:
        (warning_low, warning_high), (alarm_low, alarm_high) = (
            self.warning or (None, None),
            self.alarm or (None, None),
        )
        pairs = (
            ("alarm low", alarm_low, "warning low", warning_low),
            ("alarm low", alarm_low, "warning high", warning_high),
            ("warning low", warning_low, "alarm high", alarm_high),
            ("warning high", warning_high, "alarm high", alarm_high),
        )
        for lower, low, upper, high in pairs:
            if low is not None and high is not None and low > high:
                yield (
                    f"limits in the wrong order: {lower} {low} is above {upper} {high}; right is "
                    "alarm low <= warning low <= warning high <= alarm high"
                )
                return

    @property
    def max_persistence(self) -> int:
        """The longest row of violations that any of these limits waits for."""
        return max(self.persistence, *(limits.persistence for _, limits in self.contexts), 1)


@dataclass(slots=True)
class LimitMemory:
    """What limits remember from batch to batch: how many violations in a row came last.

    One for each APID; batches are judged in order of arrival.
    """

    counts: dict[str, Array] = field(default_factory=dict)  # Column -> int64 by array position.


def as_limits(found: object) -> Limits | None:
    """Return what a user wrote as limits; `InputError` for anything else.

    A dict has the names of `Limits`: `{"warning": (low, high), "alarm": (low, high)}`. Limits of a
    context may be such dicts too.
    """
    if found is None:
        return None
    if isinstance(found, Mapping):
        unknown = sorted(set(found) - set(Limits.__dataclass_fields__))
        if unknown:
            raise InputError(
                f"limits have no {unknown[0]!r}; they have warning, alarm, persistence, contexts"
            )
        found = Limits(**found)
    if not isinstance(found, Limits):
        raise InputError(
            f"limits are {found!r}; expected Limits(warning=(low, high), alarm=(low, high))"
        )
    return Limits(
        _tupled(found.warning), _tupled(found.alarm), found.persistence, _contexts(found.contexts)
    )


def _contexts(found: Any) -> tuple[tuple[Any, Limits], ...]:
    if not isinstance(found, list | tuple) or any(
        not isinstance(item, list | tuple) or len(item) != 2 for item in found
    ):
        raise InputError("contexts of limits are pairs (condition, limits)")
    pairs = ((condition, as_limits(limits)) for condition, limits in found)
    return tuple((condition, limits or Limits()) for condition, limits in pairs)


def _tupled(found: Any) -> Any:
    return tuple(found) if isinstance(found, list) else found


def _range_mistakes(name: str, found: object) -> Iterator[str]:
    if found is None:
        return
    if not isinstance(found, tuple) or len(found) != 2:
        yield f"{name} is {found!r}; expected (low, high), None where there is no bound"
        return
    for bound in found:
        is_number = isinstance(bound, int | float | np.number) and not isinstance(bound, bool)
        if bound is not None and (not is_number or bound != bound):
            yield f"{name} has the bound {bound!r}; expected a number or None"
            return
    low, high = found
    if low is not None and high is not None and low > high:
        yield f"limits in the wrong order: {name} low {low} is above {name} high {high}"


def judge(limits: Limits, values: Array, holds: Callable[[Any], Array]) -> tuple[Array, Array]:
    """Return the state of each value by itself, and the persistence that its limits ask for.

    `holds` evaluates the condition of a context to bool for each value. Shapes: all as `values`.
    """
    state, persistence = _judge_plain(limits, values), np.full(values.shape, limits.persistence)
    if not limits.contexts:
        return state, persistence
    is_open = np.ones(values.shape, dtype=bool)
    for condition, inner in limits.contexts:
        chosen = is_open & holds(condition)
        state[chosen] = _judge_plain(inner, values[chosen])
        persistence[chosen] = inner.persistence
        is_open &= ~chosen
    return state, persistence


def _judge_plain(limits: Limits, values: Array) -> Array:
    if not limits._has_bounds():
        return np.full(values.shape, LimitState.UNKNOWN, dtype=np.uint8)
    state = np.zeros(values.shape, dtype=np.uint8)
    warning_low, warning_high = limits.warning or (None, None)
    alarm_low, alarm_high = limits.alarm or (None, None)
    for bound, is_low, code in (
        (warning_low, True, LimitState.WARNING_LOW),
        (warning_high, False, LimitState.WARNING_HIGH),
        (alarm_low, True, LimitState.ALARM_LOW),
        (alarm_high, False, LimitState.ALARM_HIGH),
    ):
        if bound is not None:
            state[values < bound if is_low else values > bound] = code
    state[values != values] = LimitState.UNKNOWN
    return state


def persist(
    state: Array, persistence: Array, memory: LimitMemory, name: str, positions: Array | None = None
) -> Array:
    """Hold a state back until it has lasted; `memory` goes on from batch to batch.

    `positions` are the places of values in the arrays of a ragged column: each place is a
    parameter of its own. Returns states as `state`, uint8.
    """
    judged = np.flatnonzero(state != LimitState.UNKNOWN)
    if positions is None:
        order, places = judged, np.zeros(judged.size, dtype=np.int64)
    else:
        order = judged[np.argsort(positions[judged], kind="stable")]
        places = positions[order]
    rows = _rows(state[order] != LimitState.OK, places, memory, name)
    held = order[(rows > 0) & (rows < persistence[order])]
    result = state.copy()
    result[held] = LimitState.OK
    return result


def _rows(is_outside: Array, places: Array, memory: LimitMemory, name: str) -> Array:
    """Return how many violations in a row each value ends; `places` are in rising order."""
    before = memory.counts.get(name, np.zeros(0, dtype=np.int64))
    if not is_outside.size:
        return np.zeros(0, dtype=np.int64)
    if before.size <= places[-1]:
        before = np.pad(before, (0, int(places[-1]) + 1 - before.size))
    at = np.arange(places.size)
    firsts = np.flatnonzero(np.diff(places, prepend=-1))
    first = np.repeat(firsts, np.diff(firsts, append=places.size))
    last_inside = np.maximum.accumulate(np.where(is_outside, -1, at))
    rows: Array = np.where(last_inside >= first, at - last_inside, at - first + 1 + before[places])
    lasts = np.append(firsts[1:], places.size) - 1
    memory.counts[name] = before.copy()
    memory.counts[name][places[lasts]] = rows[lasts]
    return rows
