# SPDX-License-Identifier: Apache-2.0
"""Constructs that hold others: structs, lists and choices."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import construct

from telemetry.columns.asked import choice_of
from telemetry.columns.comparisons import equals
from telemetry.columns.context import Kept
from telemetry.columns.expressions import compile_expression
from telemetry.columns.frame import Slot
from telemetry.columns.kinds import EndlessError, IntegerKind, ObjectKind, UnsupportedError
from telemetry.columns.place import Methods, Place, constant_length
from telemetry.columns.program import Choose, Repeat
from telemetry.columns.scope import (
    CONTEXT_NAMES,
    Binding,
    Choice,
    Group,
    Items,
    Run,
    Unknown,
    length_slot,
)
from telemetry.columns.values import Computation, Constant, Value, read_slot

if TYPE_CHECKING:
    from telemetry.columns.layout import Layout

_FAILED = Unknown("")


def struct(layout: "Layout", sc: Any, place: Place) -> Binding:
    """Fields one after the other."""
    scope = place.scope.nested(sc._subcons)
    inside = replace(place, scope=scope)
    failed: UnsupportedError | None = None
    for field in sc.subcons:
        mark = layout.builder.mark()
        try:
            _require_new_name(field.name, inside)
            found = layout.visit(field, inside.member(field.name))
        except EndlessError:
            raise
        except UnsupportedError as error:
            layout.note(error, place)
            if place.unit != 8:
                raise
            failed = failed or error
            layout.builder.undo(mark)  # Only to find what else there is to be told.
            found = _FAILED
        if field.name:
            scope.names[field.name] = found
    if failed is not None:
        raise failed
    return Group(scope.names)


def sequence(layout: "Layout", sc: Any, place: Place) -> Binding:
    """Fields one after the other, numbered."""
    scope = place.scope.nested(sc._subcons)
    inside = replace(place, scope=scope)
    items = []
    for number, field in enumerate(sc.subcons):
        _require_new_name(field.name, inside)
        items.append(layout.visit(field, inside.item(number)))
        if field.name:
            scope.names[field.name] = items[-1]
    return Items(tuple(items))


def focused(layout: "Layout", sc: Any, place: Place) -> Binding:
    """Fields one after the other, of which one gives the value."""
    if not isinstance(sc.parsebuildfrom, str):
        raise UnsupportedError("a FocusedSeq that chooses by the packet")
    scope = place.scope.nested(sc._subcons)
    inside = replace(place, scope=scope)
    value: Binding | None = None
    for field in sc.subcons:
        _require_new_name(field.name, inside)
        is_value = field.name == sc.parsebuildfrom
        shown = replace(inside, is_shown=place.is_shown and is_value)
        found = layout.visit(field, shown)
        if field.name:
            scope.names[field.name] = found
        value = found if is_value else value
    if value is None:
        raise UnsupportedError("a FocusedSeq without its field")
    return value


def array(layout: "Layout", sc: Any, place: Place) -> Binding:
    """A list of constant length: a column per item; or as long as another field tells."""
    if callable(sc.count):
        return _repeat(layout, sc, layout.length(sc.count, place), place)
    count = constant_length(sc.count)
    items = []
    for number in range(count):
        place.scope.index = Constant(number)
        item = replace(place.item(number), is_shown=place.is_shown and not sc.discard)
        items.append(layout.visit(sc.subcon, item))
    return Unknown("a list that is thrown away") if sc.discard else Items(tuple(items))


def greedy_range(layout: "Layout", sc: Any, place: Place) -> Binding:
    """A list up to the end."""
    return _repeat(layout, sc, None, place)


def _repeat(layout: "Layout", sc: Any, count: Value | None, place: Place) -> Binding:
    if count is None and _unnamed(sc.subcon) is construct.GreedyBytes:
        raise _endless()
    is_shown = place.is_shown and not sc.discard
    inside = replace(place.item(""), is_shown=is_shown, list_name=f"{place.path}[]")
    index, taken = length_slot(), length_slot()
    place.scope.index = index
    builder = layout.builder.child(is_element=True)
    if layout.builder.is_element:
        raise UnsupportedError("a list in a list")
    item = layout.over(builder).visit(sc.subcon, inside)
    element = builder.program()
    place.scope.index = Unknown("the index behind a list")
    if count is None and not element.least_octets:
        raise _endless()
    if element.octets is None:
        raise UnsupportedError("a list of items of varying length")
    if not element.octets:
        raise UnsupportedError("a list of items that take no octets")
    for spec in builder.columns.values():
        layout.builder.add_column(spec)
    list_name = inside.list_name if is_shown else None
    found, kept = Slot(ObjectKind()), Kept(f"{place.path}[]", item)
    layout.builder.add_step(Repeat(count, element, list_name, index, taken, found, kept), None)
    is_kept = not sc.discard
    return Run(taken, found, (kept,)) if is_kept else Unknown("a list that is thrown away")


def if_then_else(layout: "Layout", sc: Any, place: Place) -> Binding:
    """One of two."""
    condition = layout.condition(sc.condfunc, place)
    if isinstance(condition, Constant):
        return layout.visit(sc.thensubcon if condition.value else sc.elsesubcon, place)
    return _choose(layout, [(condition, sc.thensubcon)], sc.elsesubcon, place)


def switch(layout: "Layout", sc: Any, place: Place) -> Binding:
    """One of several, by the value of a key."""
    try:
        key = compile_expression(sc.keyfunc, place.scope)
        wanted = [compile_expression(case, place.scope) for case in sc.cases]
        conditions = [equals(key, case) for case in wanted]
    except UnsupportedError as error:
        kind = IntegerKind(0, len(sc.cases))
        number = layout.call(sc.keyfunc, place, error, kind, choice_of(sc.cases))
        key = read_slot(number)
        conditions = [equals(key, Constant(i)) for i in range(len(sc.cases))]
    if isinstance(key, Constant):
        return layout.visit(sc.cases.get(key.value, sc.default), place)
    pairs = zip(conditions, sc.cases.values(), strict=True)
    cases = [(found, subcon) for found, subcon in pairs if isinstance(found, Computation)]
    return _choose(layout, cases, sc.default, place)


def _choose(
    layout: "Layout", cases: list[tuple[Computation, Any]], default: Any, place: Place
) -> Binding:
    layout.builder.flush()
    builders, programs, kept = [], [], []
    index = index_behind = place.scope.index
    for subcon in (*(subcon for _, subcon in cases), default):
        builder = layout.builder.child()
        place.scope.index = index
        kept.append(Kept(place.path, layout.over(builder).visit(subcon, place)))
        if place.scope.index is not index:  # By a list in this case.
            index_behind = Unknown("the index behind a list")
        builders.append(builder)
        programs.append(builder.program())
    place.scope.index = index_behind
    layout.builder.add_alternatives(builders)
    sizes = {program.octets for program in programs}
    least = min(program.least_octets for program in programs)
    conditions = [condition for condition, _ in cases]
    pairs = tuple(zip(conditions, programs, strict=False))
    found = Slot(ObjectKind())
    step = Choose(pairs, programs[-1], found, tuple(kept))
    layout.builder.add_step(step, sizes.pop() if len(sizes) == 1 else None, least)
    return Choice(found, tuple(kept))


def _require_new_name(name: str | None, place: Place) -> None:
    if name and (name in place.scope.names or name in CONTEXT_NAMES):
        error = UnsupportedError(f"a second value named {name}")
        error.path = place.member(name).path
        raise error


def _endless() -> EndlessError:
    return EndlessError("a list of items that may take no octets has no end")


def _unnamed(sc: Any) -> Any:
    while isinstance(sc, construct.Renamed):
        sc = sc.subcon
    return sc


METHODS: Methods = {
    construct.Struct: struct,
    construct.Sequence: sequence,
    construct.FocusedSeq: focused,
    construct.Array: array,
    construct.GreedyRange: greedy_range,
    construct.IfThenElse: if_then_else,
    construct.Switch: switch,
}
