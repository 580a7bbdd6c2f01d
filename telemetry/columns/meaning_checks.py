# SPDX-License-Identifier: Apache-2.0
"""What must hold of the meanings in a layout, before any packet is read."""

import difflib
import re
from collections.abc import Iterator, Sequence

from telemetry.columns.field import Meaning
from telemetry.columns.formula import paths
from telemetry.columns.formula_scope import ExpressionError
from telemetry.columns.meaning_paths import Place

_CONFLICT = (
    "its branches have different meanings; name them differently, or put one telemetry.field "
    "around the Switch or If"
)
_INDEX = re.compile(r"\[\d*\]")


def check_places(places: Sequence[Place]) -> Iterator[tuple[Place, str]]:
    """Yield each mistake with its place."""
    known = {place.names: number for number, place in reversed(list(enumerate(places)))}
    opaque = {place.names for place in places if not place.is_group}
    for number, place in enumerate(places):
        if place.meaning is not None:
            yield from ((place, text) for text in _mistakes(place, place.meaning))
            yield from ((place, text) for text in _path_mistakes(number, places, known, opaque))
    yield from _conflicts(places)


def _mistakes(place: Place, meaning: Meaning) -> Iterator[str]:
    if not isinstance(meaning.unit, str):
        yield f'unit is {meaning.unit!r}; expected text, as in unit="V"'
    if meaning.calibration is not None:
        yield from meaning.calibration.mistakes()
    if meaning.limits is not None:
        yield from meaning.limits.mistakes()
    if meaning.derived is not None and not (place.steps and isinstance(place.steps[-1], str)):
        yield "a derived parameter needs a name in a Struct"
    says = (meaning.unit, meaning.calibration, meaning.limits, meaning.valid_if)
    if place.is_group and any(said not in ("", None) for said in map(_said, says)):
        yield "a unit, a calibration, limits and validity belong to one field, not to a struct"


def _said(value: object) -> str | None:
    return None if value is None or value == "" else "said"


def _path_mistakes(
    number: int,
    places: Sequence[Place],
    known: dict[tuple[str, ...], int],
    opaque: set[tuple[str, ...]],
) -> Iterator[str]:
    place = places[number]
    try:
        named = [path for expression in _expressions(place) for path in paths(expression)]
        wanted = [_absolute(place, path) for path in named]
    except ExpressionError as error:
        yield str(error)
        return
    for names in wanted:
        if any(names[: n + 1] in opaque for n in range(len(names) - 1)):
            continue  # A member of a value that is no struct, such as a flag of FlagsEnum.
        if names not in known:
            yield f"there is no field {'.'.join(names)!r}{_near(names, known)}"
        elif _is_late(known[names], number, places):
            yield f"it needs {'.'.join(names)!r}, which is derived; declare that before"


def _is_late(at: int, number: int, places: Sequence[Place]) -> bool:
    meaning = places[at].meaning
    return meaning is not None and meaning.derived is not None and at >= number


def _expressions(place: Place) -> Iterator[object]:
    meaning = place.meaning
    if meaning is None:
        return
    yield from (e for e in (meaning.derived, meaning.valid_if) if e is not None)
    if meaning.limits is not None:
        yield from (condition for condition, _ in meaning.limits.contexts)


def _absolute(place: Place, path: tuple[str | int, ...]) -> tuple[str, ...]:
    """Return the names, from the packet down, of what an expression at `place` names."""
    outer = list(place.names[:-1])
    parts = list(path)
    while parts and parts[0] in ("_", "_root"):
        if parts.pop(0) == "_root":
            outer = []
        elif outer:
            outer.pop()
        else:
            raise ExpressionError("this._ leads out of the packet")
    names = (name for part in parts if isinstance(part, str) for name in part.split("."))
    return (*outer, *(_INDEX.sub("", name) for name in names))


def _near(names: tuple[str, ...], known: dict[tuple[str, ...], int]) -> str:
    near = difflib.get_close_matches(".".join(names), [".".join(key) for key in known], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _conflicts(places: Sequence[Place]) -> Iterator[tuple[Place, str]]:
    """Yield places where the branches of a Switch or If give a value different meanings."""
    first: dict[tuple[str | int, ...], Place] = {}
    for place in places:
        other = first.setdefault(place.steps, place)
        if other.meaning is not place.meaning and not (other.is_group or place.is_group):
            yield place, _CONFLICT
