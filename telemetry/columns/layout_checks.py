# SPDX-License-Identifier: Apache-2.0
"""Mistakes in a definition that show before any packet is read, with the paths of their fields."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import construct
from construct import expr
from construct.lib import bytes2bits

from telemetry.columns.formula import paths
from telemetry.columns.formula_scope import ExpressionError
from telemetry.columns.meaning_paths import MAX_DEPTH
from telemetry.columns.scope import CONTEXT_NAMES

# What of a construct is asked while it parses; a Rebuild asks while it builds, for later fields.
_ASKED = ("length", "count", "condfunc", "keyfunc", "func", "offset", "at")
_ASKING = (
    construct.Bytes, construct.BytesInteger, construct.BitsInteger, construct.Array,
    construct.IfThenElse, construct.Switch, construct.Computed, construct.Padded,
    construct.FixedSized, construct.Check, construct.Pointer, construct.Seek, construct.StopIf,
)  # fmt: skip
_SCOPES = (construct.Struct, construct.Sequence, construct.Union, construct.FocusedSeq)

Names: TypeAlias = dict[str, Any]  # To the names of a Struct in it; to None of anything else.


@dataclass(frozen=True, slots=True)
class _Scope:
    """The fields of a Struct, and those around it."""

    outer: "_Scope | None"
    known: Names = field(default_factory=dict)  # That come before the field at hand.
    later: tuple[str, ...] = ()  # All of the Struct.


def is_bitwise(layout: Any) -> bool:
    """Whether a construct makes bits of octets, as BitStruct does."""
    own = vars(layout)  # A Renamed answers for what it wraps.
    return bytes2bits in (own.get("decodefunc"), own.get("decoder"))


def layout_mistakes(layout: Any, label: str) -> Iterator[str]:
    """Yield each mistake: two fields of a name, a field that is not there, bits of no octet."""
    yield from _walk(layout, label, None, 0)


def _walk(layout: Any, path: str, scope: _Scope | None, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        return
    yield from _asks(layout, path, scope)
    if isinstance(layout, _SCOPES):
        yield from _members(layout, path, scope, depth)
    elif isinstance(layout, construct.IfThenElse):
        for branch in (layout.thensubcon, layout.elsesubcon):
            yield from _walk(branch, path, scope, depth + 1)
    elif isinstance(layout, construct.Switch):
        for case in (*layout.cases.values(), layout.default):
            yield from _walk(case, path, scope, depth + 1)
    elif isinstance(layout, construct.Subconstruct):
        if is_bitwise(layout):
            yield from _bits(layout.subcon, path)
        yield from _walk(layout.subcon, path, scope, depth + 1)


def _members(layout: Any, path: str, outer: _Scope | None, depth: int) -> Iterator[str]:
    names = tuple(member.name for member in layout.subcons if member.name)
    scope = _Scope(outer, {}, names)
    for member in layout.subcons:
        name = member.name
        inside = f"{path}.{name}" if name else path
        if name in scope.known:
            yield f"{inside}: there are two fields of this name; the first would be lost"
        yield from _walk(member, inside, scope, depth + 1)
        if name:
            scope.known[name] = _names(member)


def _names(member: Any) -> Names | None:
    """Return the names in a Struct; None of anything else."""
    while isinstance(member, construct.Subconstruct) and not _is_list(member):
        member = member.subcon
    if not isinstance(member, construct.Struct):
        return None
    return {part.name: _names(part) for part in member.subcons if part.name}


def _is_list(layout: Any) -> bool:
    return isinstance(layout, construct.Array | construct.GreedyRange | construct.RepeatUntil)


def _bits(layout: Any, path: str) -> Iterator[str]:
    try:
        bits = int(layout.sizeof())
    except Exception:  # A size expression may fail in any way outside of a packet.
        return
    if bits % 8:
        more = 8 - bits % 8
        yield (
            f"{path}: its fields take {bits} bits, which are no whole octets; "
            f"Padding({more}) would fill the last"
        )


def _asks(layout: Any, path: str, scope: _Scope | None) -> Iterator[str]:
    """Yield what an expression of a construct asks for in vain."""
    if not isinstance(layout, _ASKING) or scope is None:
        return
    for name in _ASKED:
        expression = getattr(layout, name, None)
        if isinstance(expression, expr.ExprMixin):
            try:
                wanted = list(paths(expression))
            except ExpressionError:
                continue
            for steps in wanted:
                yield from (f"{path}: {text}" for text in _look_up(steps, scope))


def _look_up(steps: tuple[str | int, ...], scope: _Scope) -> Iterator[str]:
    at: _Scope | None = scope
    rest = list(steps)
    while rest and rest[0] in ("_", "_root") and at is not None:
        step = rest.pop(0)
        at = at.outer
        while step == "_root" and at is not None and at.outer is not None:
            at = at.outer
        if step == "_root" and at is None:
            at = scope
    known: Names | None = at.known if at is not None else None
    for step in rest:
        if known is None or step in CONTEXT_NAMES or not isinstance(step, str):
            return
        if step not in known:
            yield f"{_told(steps)}, but {_why(step, known, at)}"
            return
        known, at = known[step], None


def _told(steps: tuple[str | int, ...]) -> str:
    return "it asks for this" + "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps)


def _why(step: str, known: Names, at: _Scope | None) -> str:
    if at is not None and step in at.later:
        return f"{step} comes behind it"
    near = difflib.get_close_matches(step, known, n=1)
    if near:
        return f"there is no field {step}; did you mean {near[0]}?"
    before = f"before it {'is' if len(known) == 1 else 'are'} {', '.join(known)}" if known else ""
    return f"there is no field {step}{'; ' if before else ''}{before}"
