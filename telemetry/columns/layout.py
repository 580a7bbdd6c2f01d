# SPDX-License-Identifier: Apache-2.0
"""From constructs to programs: what each construct does to a packet, said in steps.

Only constructs whose parsing is known to the letter are compiled, told by their exact type: a
subclass may parse in another way. Everything else raises `UnsupportedError`; then Python calls the
function, or construct parses the field, packet by packet, or else what is around it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import construct

from telemetry.columns import field_layouts, group_layouts, part_layouts
from telemetry.columns.asked import Call, Parse, as_length, keep, keep_single
from telemetry.columns.bits import BitField, Form
from telemetry.columns.builder import Builder
from telemetry.columns.comparisons import truth
from telemetry.columns.context import contexts_of
from telemetry.columns.expressions import compile_expression
from telemetry.columns.frame import Slot
from telemetry.columns.kinds import (
    WORD_BITS,
    BooleanKind,
    CategoryKind,
    EndlessError,
    HookError,
    IntegerKind,
    Kind,
    ObjectKind,
    PythonKind,
    RealKind,
    UnsupportedError,
    UntoldError,
)
from telemetry.columns.place import Method, Naming, Place
from telemetry.columns.program import BeginStream, Compute, Program, RequireEnd
from telemetry.columns.scope import NOTHING, Binding, Scope, Unknown
from telemetry.columns.store import ColumnSpec
from telemetry.columns.unreadable import letting_go
from telemetry.columns.values import Constant, Value, as_integer, interval, read_slot

_ANY_INTEGER = IntegerKind(-(1 << 63), (1 << 63) - 1)


@dataclass(frozen=True, slots=True)
class Problem:
    """A field that is not compiled, and why."""

    path: str
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Separation:
    """What is left to Python by now, and what is known not to go without what is around it."""

    left: list[Problem] = field(default_factory=list)
    inseparable: Mapping[str, str] = field(default_factory=dict)  # Path -> why.

    def note(self, path: str, error: UnsupportedError) -> None:
        """Remember a field that Python reads, or why construct has to read all around it."""
        problem = Problem(error.path or path, str(error), error.remedy)
        if problem.reason and problem not in self.left:
            self.left.append(problem)

    def problems(self) -> tuple[Problem, ...]:
        """Return everything that is to be told."""
        return (*self.left, *(Problem(path, why) for path, why in self.inseparable.items()))


class Layout:
    """Compiles constructs into a builder's program."""

    def __init__(self, builder: Builder, separation: Separation) -> None:
        self.builder = builder
        self._separation = separation

    def over(self, builder: Builder) -> "Layout":
        """Return what compiles into another builder's program."""
        return Layout(builder, self._separation)

    def visit(self, sc: Any, place: Place) -> Binding:
        """Add what `sc` does; return what its value is called in expressions.

        What cannot be compiled is parsed by construct, if it stands alone; else the error goes on
        to what is around it.
        """
        mark, index = self.builder.mark(), place.scope.index
        try:
            return self._visit(sc, place)
        except EndlessError as error:
            error.path = error.path or place.path
            raise
        except UnsupportedError as error:
            error.path = error.path or place.path
            self.note(error, place)
            if not self._can_separate(place, error):
                raise
            self.builder.undo(mark)
            if not self.builder.is_in_stream:  # But among bits, in a list or within a length.
                raise
            place.scope.index = index
            return self._parse(sc, place)

    def note(self, error: UnsupportedError, place: Place) -> None:
        """Remember why something is not compiled."""
        self._separation.note(place.path, error)

    def _can_separate(self, place: Place, error: UnsupportedError) -> bool:
        is_root = place.scope.parent is None
        if is_root or place.names is not None or place.path in self._separation.inseparable:
            return False
        if isinstance(error, HookError):
            return False
        return not isinstance(error, UntoldError) or not place.scope.is_within(error.scope)

    def _parse(self, sc: Any, place: Place) -> Binding:
        slot, column = self._python(place, PythonKind(), is_shown=place.is_shown)
        contexts = contexts_of(place.scope)
        self.builder.add_step(Parse(place.path, sc, letting_go(sc), contexts, slot, column), None)
        place.scope.index = Unknown("the index behind a list")
        return slot

    def _python(self, place: Place, kind: Kind, *, is_shown: bool) -> tuple[Slot, str | None]:
        slot = Slot(kind)
        return slot, self.builder.add_column(place.column(kind)) if is_shown else None

    def call(
        self,
        function: Any,
        place: Place,
        error: UnsupportedError,
        kind: Kind,
        convert: Callable[[Any], Any] = keep,
        *,
        is_shown: bool = False,
    ) -> Slot:
        """Add a call of a function, or of an expression that is not compiled because of `error`.

        Raise `error` where that cannot be.
        """
        is_untold = isinstance(error, UntoldError) and place.scope.is_within(error.scope)
        if not callable(function) or is_untold or place.path in self._separation.inseparable:
            raise error
        if convert is keep and place.list_name:
            convert = keep_single
        has_stream = self.builder.is_in_stream
        slot, column = self._python(place, kind, is_shown=is_shown)
        contexts = contexts_of(place.scope)
        step = Call(place.path, function, convert, contexts, slot, column, has_stream)
        if has_stream:
            self.builder.add_step(step, 0)
        else:
            self.builder.add_free(step)
        self._separation.note(place.path, error)
        return slot

    def condition(self, function: Any, place: Place) -> Value:
        """Compile a condition; a function is called."""
        try:
            return truth(compile_expression(function, place.scope))
        except UnsupportedError as error:
            return read_slot(self.call(function, place, error, BooleanKind(), bool))

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Undo what the block added if it turns out that it cannot be compiled."""
        mark = self.builder.mark()
        try:
            yield
        except UnsupportedError:
            self.builder.undo(mark)
            raise

    def _visit(self, sc: Any, place: Place) -> Binding:
        if sc.parsed is not None:
            raise HookError("a function that is called when the field is parsed")
        if place.names is not None and type(sc) not in _UNDER_ENUM and not _is_transparent(sc):
            raise UnsupportedError(f"an Enum of {type(sc).__name__}")
        method = _METHODS.get(type(sc))
        if method is not None:
            return method(self, sc, place)
        if _is_transparent(sc):
            return self.visit(sc.subcon, replace(place, meaning=sc.meaning))
        raise UnsupportedError(
            f"{type(sc).__name__}, which is construct's own to parse", _remedy(type(sc))
        )

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
        try:
            value = as_integer(compile_expression(length, scope or place.scope))
        except UnsupportedError as error:
            if scope is not None:
                raise
            return read_slot(self.call(length, place, error, _ANY_INTEGER, as_length))
        found = interval(value)
        assert found is not None
        if found.high < 0:
            raise UnsupportedError("a length that is always negative")
        return value


@dataclass(frozen=True, slots=True)
class Compiled:
    """The program of a packet."""

    program: Program
    specs: Mapping[str, ColumnSpec]
    left: tuple[Problem, ...]  # Fields that Python reads, in order.


def compile_program(
    parts: "list[tuple[Any, Naming]]", inseparable: Mapping[str, str] = MappingProxyType({})
) -> Compiled:
    """Compile constructs that follow each other in a packet.

    `inseparable` has paths at which construct needs what is around them. `WholeError` when nothing
    but the whole packet will do; `EndlessError` has the path of the list.
    """
    builder, separation = Builder(), Separation(inseparable=inseparable)
    try:
        for layout, naming in parts:
            is_shown, is_reserved = naming is not Naming.NONE, naming is Naming.OURS
            place = Place("", Scope(), is_shown=is_shown, is_reserved=is_reserved)
            if naming is Naming.USER:
                builder.add_step(BeginStream(), 0)
            Layout(builder, separation).visit(layout, place)
        builder.add_step(RequireEnd(), 0)
        program = builder.program()
    except EndlessError:
        raise
    except UnsupportedError as error:
        separation.note("", error)
        raise WholeError(separation.problems()) from error
    return Compiled(program, builder.columns, separation.problems())


class WholeError(Exception):
    """A packet that construct has to parse as a whole."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems


def _is_transparent(sc: Any) -> bool:
    """Tell whether `sc` only adds a meaning, as `telemetry.field` does."""
    kind = type(sc)
    return (
        isinstance(sc, construct.Subconstruct)
        and not kind.__module__.startswith("construct.")
        and kind._parse is construct.Subconstruct._parse
        and "meaning" in vars(sc)
    )


def _remedy(kind: type) -> str:
    """Say what is compiled in the place of a construct that is not."""
    if issubclass(kind, construct.StringEncoded):
        return "Bytes(n), which shows text in hexadecimal"
    if issubclass(kind, construct.Adapter):
        return "telemetry.field with a calibration"
    if issubclass(kind, construct.Select):
        return "If or Switch, by a field that tells what comes"
    return ""


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
