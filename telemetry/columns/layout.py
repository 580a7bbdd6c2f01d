# SPDX-License-Identifier: Apache-2.0
"""From constructs to programs: what each construct does to a packet, said in steps.

Only constructs whose parsing is known to the letter are compiled, told by their exact type: a
subclass may parse in another way. Everything else raises `UnsupportedError`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import construct

from telemetry.columns import field_layouts, group_layouts, part_layouts
from telemetry.columns.bits import BitField, Form
from telemetry.columns.builder import Builder
from telemetry.columns.expressions import compile_expression
from telemetry.columns.frame import Slot
from telemetry.columns.kinds import (
    WORD_BITS,
    BooleanKind,
    CategoryKind,
    IntegerKind,
    Kind,
    ObjectKind,
    RealKind,
    UnsupportedError,
)
from telemetry.columns.place import Method, Naming, Place
from telemetry.columns.program import Compute, Program, RequireEnd
from telemetry.columns.scope import NOTHING, Binding, Scope
from telemetry.columns.store import ColumnSpec
from telemetry.columns.values import Constant, Value, as_integer, interval


class Layout:
    """Compiles constructs into a builder's program."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def over(self, builder: Builder) -> "Layout":
        """Return what compiles into another builder's program."""
        return Layout(builder)

    def visit(self, sc: Any, place: Place) -> Binding:
        """Add what `sc` does; return what its value is called in expressions."""
        try:
            return self._visit(sc, place)
        except UnsupportedError as error:
            error.path = error.path or place.path
            raise

    def _visit(self, sc: Any, place: Place) -> Binding:
        if sc.parsed is not None:
            raise UnsupportedError("a function that is called when the field is parsed")
        if place.names is not None and type(sc) not in _UNDER_ENUM and not _is_transparent(sc):
            raise UnsupportedError(f"an Enum of {type(sc).__name__}")
        method = _METHODS.get(type(sc))
        if method is not None:
            return method(self, sc, place)
        if _is_transparent(sc):
            return self.visit(sc.subcon, replace(place, meaning=sc.meaning))
        raise UnsupportedError(f"{type(sc).__name__}, which is construct's own to parse")

    def leaf(self, place: Place, bits: int, form: Form, *, is_swapped: bool = False) -> Slot:
        """Add a field of `bits` bits."""
        field = BitField(self.builder.bit, bits, form, is_swapped)
        kind = field.kind
        if isinstance(kind, IntegerKind) and place.names is not None:
            kind = CategoryKind(kind.low, kind.high, place.names)
        if place.names is not None and (bits > WORD_BITS or not isinstance(kind, CategoryKind)):
            raise UnsupportedError("an Enum of something else than integers of 64 bits")
        slot = Slot(kind)
        column = self.builder.add_column(place.column(kind)) if place.is_shown else None
        self.builder.add_field(bits, field, slot, column)
        return slot

    def emit(self, value: Value, place: Place) -> Binding:
        """Add a value that takes no octets."""
        kind = _constant_kind(value.value) if isinstance(value, Constant) else value.kind
        if kind is None:  # None has no column.
            return NOTHING
        slot = Slot(kind)
        column = self.builder.add_column(place.column(kind)) if place.is_shown else None
        self.builder.add_free(Compute(value, slot, column))
        return value if isinstance(value, Constant) else slot

    def length(self, length: Any, place: Place, scope: Scope | None = None) -> Value:
        """Compile a length or a count; its names are those at `place`, or in `scope`."""
        value = as_integer(compile_expression(length, scope or place.scope))
        found = interval(value)
        assert found is not None
        if found.high < 0:
            raise UnsupportedError("a length that is always negative")
        return value


def compile_program(
    parts: "list[tuple[Any, Naming]]",
) -> tuple[Program, Mapping[str, ColumnSpec]]:
    """Compile constructs that follow each other in a packet; return the program and its columns.

    `UnsupportedError` has the path of the field that cannot be compiled.
    """
    builder = Builder()
    for layout, naming in parts:
        is_shown, is_reserved = naming is not Naming.NONE, naming is Naming.OURS
        place = Place("", Scope(), is_shown=is_shown, is_reserved=is_reserved)
        Layout(builder).visit(layout, place)
    builder.add_step(RequireEnd(), 0)
    return builder.program(), builder.columns


def _is_transparent(sc: Any) -> bool:
    """Tell whether `sc` only adds a meaning, as `telemetry.field` does."""
    kind = type(sc)
    return (
        isinstance(sc, construct.Subconstruct)
        and not kind.__module__.startswith("construct.")
        and kind._parse is construct.Subconstruct._parse
        and "meaning" in vars(sc)
    )


def _constant_kind(value: object) -> Kind | None:
    match value:
        case None:
            return None
        case bool():
            return BooleanKind()
        case int():
            return IntegerKind(value, value)
        case float():
            return RealKind(64)
        case str():
            return ObjectKind()
    raise UnsupportedError("a constant of octets")


def _transparent(layout: Layout, sc: Any, place: Place) -> Binding:
    """Parsing is that of what is inside."""
    return layout.visit(sc.subcon, place)


def _compiled(layout: Layout, sc: Any, place: Place) -> Binding:
    """What `construct.compile` gave: the construct it came from."""
    return layout.visit(sc.defersubcon, place)


_METHODS: dict[type, Method] = {
    construct.Renamed: _transparent,
    construct.Default: _transparent,
    construct.Rebuild: _transparent,
    construct.Hex: _transparent,
    construct.HexDump: _transparent,
    construct.Compiled: _compiled,
    **field_layouts.METHODS,
    **group_layouts.METHODS,
    **part_layouts.METHODS,
}
_UNDER_ENUM = frozenset(
    (
        construct.Renamed,
        construct.Default,
        construct.Rebuild,
        construct.FormatField,
        construct.BytesInteger,
        construct.BitsInteger,
    )
)
