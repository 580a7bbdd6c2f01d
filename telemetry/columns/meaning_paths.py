# SPDX-License-Identifier: Apache-2.0
"""Where in a layout the meanings are, and which columns they are about."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import construct

from telemetry.columns.field import Field, Meaning

MAX_DEPTH = 40  # A LazyBound layout may hold itself.
ANY_INDEX = -1  # The step into an array.

_ARRAYS = (construct.Array, construct.GreedyRange, construct.RepeatUntil)
_STRUCTS = (construct.Struct, construct.Union, construct.LazyStruct)

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A value, or group of values, that a layout names."""

    steps: Steps  # Names, the index within a Sequence, ANY_INDEX within an array.
    meaning: Meaning | None
    is_group: bool  # A Struct and the like, whose members have places of their own.

    @property
    def text(self) -> str:
        """The place as people write it: `rails[].volts`."""
        parts = (
            ("[]" if step == ANY_INDEX else f"[{step}]") if isinstance(step, int) else f".{step}"
            for step in self.steps
        )
        return "".join(parts).removeprefix(".") or "value"

    @property
    def struct_pattern(self) -> re.Pattern[str]:
        """What matches the start of the names of all columns of the same struct."""
        outer = self.steps[:-1]
        return re.compile(_pattern(outer) + (r"\." if outer else ""))

    @property
    def pattern(self) -> re.Pattern[str]:
        """What matches the names of the columns that are about this place."""
        return re.compile(_pattern(self.steps) or "value")

    @property
    def names(self) -> tuple[str, ...]:
        """The steps without indices."""
        return tuple(step for step in self.steps if isinstance(step, str))


def _pattern(steps: Steps) -> str:
    parts = (
        (r"\[\d*\]" if step == ANY_INDEX else rf"\[{step}\]")
        if isinstance(step, int)
        else rf"\.{re.escape(step)}"
        for step in steps
    )
    return "".join(parts).removeprefix(r"\.")


def find_places(layout: Any) -> Iterator[Place]:
    """Yield every place of a layout in order of declaration."""
    yield from _walk(layout, (), None, 0)


def _walk(layout: Any, steps: Steps, meaning: Meaning | None, depth: int) -> Iterator[Place]:
    if depth > MAX_DEPTH or (layout is construct.Pass and meaning is None):
        return
    if isinstance(layout, Field):
        yield from _walk(layout.subcon, steps, _merged(meaning, layout.meaning), depth + 1)
    elif isinstance(layout, _ARRAYS):
        yield from _walk(layout.subcon, (*steps, ANY_INDEX), meaning, depth + 1)
    elif (members := _members(layout)) is not None:
        yield Place(steps, meaning, is_group=True)
        for step, member in members:
            yield from _walk(member, (*steps, step), None, depth + 1)
    elif branches := _branches(layout):
        for branch in branches:
            yield from _walk(branch, steps, meaning, depth + 1)
    elif isinstance(layout, construct.Subconstruct):
        yield from _walk(layout.subcon, steps, meaning, depth + 1)
    else:
        yield Place(steps, meaning, is_group=False)


def _merged(outer: Meaning | None, inner: Meaning) -> Meaning:
    """Return the meaning of a field around a field: what the outer one says comes first."""
    if outer is None:
        return inner
    names = Meaning.__dataclass_fields__
    return Meaning(**{name: getattr(outer, name) or getattr(inner, name) for name in names})


def _members(layout: Any) -> list[tuple[str | int, Any]] | None:
    if isinstance(layout, _STRUCTS):
        named = ((member.name, member) for member in layout.subcons)
        return [(name, member) for name, member in named if name and not name.startswith("_")]
    if isinstance(layout, construct.Sequence):
        return list(enumerate(layout.subcons))
    return None


def _branches(layout: Any) -> list[Any]:
    """Return the constructs of which one gives the value."""
    if isinstance(layout, construct.IfThenElse):
        return [layout.thensubcon, layout.elsesubcon]
    if isinstance(layout, construct.Switch):
        return [*layout.cases.values(), layout.default]
    if isinstance(layout, construct.Select):
        return list(layout.subcons)
    if isinstance(layout, construct.FocusedSeq):
        focus = layout.parsebuildfrom
        return [member for member in layout.subcons if member.name == focus]
    if isinstance(layout, construct.LazyBound):
        return [layout.subconfunc()]
    return []
