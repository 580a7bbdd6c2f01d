# SPDX-License-Identifier: Apache-2.0
"""From constructs to programs: what each construct does to a packet, said in steps.

Only constructs whose parsing is known to the letter are compiled, told by their exact type: a
subclass may parse in another way. Everything else raises `UnsupportedError`.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import construct
from construct import lib as construct_lib

from telemetry.columns.bits import BitField, Form
from telemetry.columns.builder import Builder
from telemetry.columns.expressions import (
    Computation,
    Constant,
    Value,
    as_integer,
    compile_expression,
    equals,
    interval,
    read_slot,
    truth,
)
from telemetry.columns.flatten import RESERVED_COLUMNS
from telemetry.columns.frame import Slot
from telemetry.columns.kinds import (
    WORD_BITS,
    BooleanKind,
    CategoryKind,
    EndlessError,
    IntegerKind,
    Kind,
    ObjectKind,
    OctetsKind,
    RealKind,
    UnsupportedError,
    integer_of,
)
from telemetry.columns.program import (
    Choose,
    Compute,
    Program,
    Repeat,
    Require,
    RequireEnd,
    TakeOctets,
    Within,
)
from telemetry.columns.scope import CONTEXT_NAMES, Binding, Group, Items, Scope, Unknown
from telemetry.columns.store import ColumnSpec

_INDEX_BITS = 32  # No packet has items enough to need more.
_NOTHING = Constant(None)
_ABSENT = Unknown("a field that an If or Switch may leave out")


class Naming(Enum):
    """What the columns of a part of a packet may be called."""

    OURS = "ours"  # As the definition says, even where we keep the name for ourselves.
    USER = "user"  # As the definition says, behind `data.` where the name is ours.
    NONE = "none"  # There are none.


@dataclass(frozen=True, slots=True)
class Place:
    """Where a construct stands in a definition."""

    path: str
    scope: Scope
    is_shown: bool = True  # Whether its value becomes a column.
    unit: int = 8  # Bits in what its stream counts: 1 inside of Bitwise.
    names: tuple[tuple[int, str], ...] | None = None  # Of an Enum around it.
    meaning: Any = None
    list_name: str = ""
    is_reserved: bool = False  # Whether the column may have a name that is ours.

    def member(self, name: str | None) -> "Place":
        """Return the place of a named field of this Struct; without a name it is not shown."""
        if not name:
            return replace(self, is_shown=False)
        path = f"{self.path}.{name}" if self.path else name
        return replace(self, path=path, is_shown=self.is_shown and name[:1] != "_")

    def item(self, index: int | str) -> "Place":
        """Return the place of an item of this list."""
        return replace(self, path=f"{self.path}[{index}]")

    def column(self, kind: Kind) -> ColumnSpec:
        """Return the column of a value that stands here."""
        name = self.path or "value"
        if name in RESERVED_COLUMNS and not self.is_reserved:
            name = f"data.{name}"
        return ColumnSpec(name, kind, self.list_name, meaning=self.meaning)


class Layout:
    """Compiles constructs into a builder's program."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

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

    def transparent(self, sc: Any, place: Place) -> Binding:
        """Renamed, Default, Rebuild: parsing is that of what is inside."""
        return self.visit(sc.subcon, place)

    def compiled(self, sc: Any, place: Place) -> Binding:
        """What `construct.compile` gave: the construct it came from."""
        return self.visit(sc.defersubcon, place)

    # --- Fields at fixed places -------------------------------------------------------------------

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

    def format_field(self, sc: Any, place: Place) -> Binding:
        """Numbers as the module `struct` has them."""
        _require_octets(place)
        order, code = sc.fmtstr[0], sc.fmtstr[1]
        is_swapped = order == "<" or (order == "=" and _is_little_endian())
        form = Form.REAL if code in "efd" else Form.FLAG if code == "?" else Form.SIGNED
        if code.isupper():
            form = Form.UNSIGNED
        return self.leaf(place, 8 * sc.length, form, is_swapped=is_swapped)

    def bytes_integer(self, sc: Any, place: Place) -> Binding:
        """Integers of any number of octets."""
        _require_octets(place)
        return self._integer(sc, place, 8 * _constant_length(sc.length))

    def bits_integer(self, sc: Any, place: Place) -> Binding:
        """Integers of any number of bits."""
        if place.unit != 1:
            raise UnsupportedError("BitsInteger outside of Bitwise")
        bits = _constant_length(sc.length)
        if sc.swapped and bits % 8:
            raise UnsupportedError("a little-endian field that is not whole octets")
        return self._integer(sc, place, bits)

    def _integer(self, sc: Any, place: Place, bits: int) -> Binding:
        if callable(sc.swapped):
            raise UnsupportedError("a byte order that depends on the packet")
        if not bits:
            raise UnsupportedError("an integer of no bits")
        form = Form.SIGNED if sc.signed else Form.UNSIGNED
        return self.leaf(place, bits, form, is_swapped=bool(sc.swapped))

    def flag(self, sc: Any, place: Place) -> Binding:
        """True unless zero, in a bit or an octet."""
        del sc
        return self.leaf(place, place.unit, Form.FLAG)

    def octets(self, sc: Any, place: Place) -> Binding:
        """Bytes: of a constant length, or one that another field tells."""
        _require_octets(place)
        if callable(sc.length):
            return self._run(self._length(sc.length, place), place)
        length = _constant_length(sc.length)
        if self.builder.bit % 8 or not length:
            raise UnsupportedError("octets that begin within an octet, or none at all")
        return self.leaf(place, 8 * length, Form.OCTETS)

    def greedy_octets(self, sc: Any, place: Place) -> Binding:
        """All octets up to the end."""
        del sc
        _require_octets(place)
        return self._run(None, place)

    def _run(self, length: Value | None, place: Place) -> Binding:
        column = None
        if place.is_shown:
            if self.builder.is_element:
                raise UnsupportedError("octets of varying length in a list")
            column = self.builder.add_column(place.column(OctetsKind(None)))
        self.builder.add_step(TakeOctets(length, column), None)
        return Unknown("octets of varying length")

    def enum(self, sc: Any, place: Place) -> Binding:
        """An integer some of whose values have names."""
        if not all(isinstance(value, int) for value in sc.decmapping):
            raise UnsupportedError("an Enum of something else than integers")
        names = tuple((int(value), str(name)) for value, name in sc.decmapping.items())
        return self.visit(sc.subcon, replace(place, names=names))

    def flags_enum(self, sc: Any, place: Place) -> Binding:
        """An integer whose bits have names: one boolean for each."""
        word = self.visit(sc.subcon, replace(place, is_shown=False))
        if not isinstance(word, Slot) or not isinstance(word.kind, IntegerKind):
            raise UnsupportedError("a FlagsEnum of something else than integers")
        members: dict[str, Binding] = {}
        for name, mask in sc.flags.items():
            bits = compile_expression(
                construct.this.word & mask, Scope(names={"word": word}).resolve
            )
            members[str(name)] = self._emit(equals(bits, Constant(mask)), place.member(str(name)))
        return Group(members)

    def const(self, sc: Any, place: Place) -> Binding:
        """A value without which the packet is refused."""
        found = self.visit(sc.subcon, place)
        value = read_slot(found) if isinstance(found, Slot) else found
        wanted = compile_expression(sc.value, place.scope.resolve)
        if not isinstance(value, Computation | Constant) or not isinstance(wanted, Constant):
            raise UnsupportedError("a Const of something else than a number or octets")
        self.builder.add_free(Require(equals(value, wanted)))
        return found

    # --- Values without octets --------------------------------------------------------------------

    def computed(self, sc: Any, place: Place) -> Binding:
        """A value from other values, or a constant."""
        return self._emit(compile_expression(sc.func, place.scope.resolve), place)

    def _emit(self, value: Value, place: Place) -> Binding:
        kind = _constant_kind(value.value) if isinstance(value, Constant) else value.kind
        if kind is None:  # None has no column.
            return _NOTHING
        slot = Slot(kind)
        column = self.builder.add_column(place.column(kind)) if place.is_shown else None
        self.builder.add_free(Compute(value, slot, column))
        return value if isinstance(value, Constant) else slot

    def index(self, sc: Any, place: Place) -> Binding:
        """The index in the list around."""
        del sc
        return self._emit(place.scope.resolve(["_index"]), place)

    def check(self, sc: Any, place: Place) -> Binding:
        """A condition without which the packet is refused."""
        condition = truth(compile_expression(sc.func, place.scope.resolve))
        self.builder.add_free(Require(condition))
        return _NOTHING

    def nothing(self, sc: Any, place: Place) -> Binding:
        """Pass."""
        del sc, place
        return _NOTHING

    def terminated(self, sc: Any, place: Place) -> Binding:
        """The end of the packet."""
        del sc, place
        if self.builder.is_element:
            raise UnsupportedError("Terminated in a list")
        self.builder.add_step(RequireEnd(), 0)
        return _NOTHING

    # --- Groups and lists -------------------------------------------------------------------------

    def struct(self, sc: Any, place: Place) -> Binding:
        """Fields one after the other."""
        scope = place.scope.nested()
        inside = replace(place, scope=scope)
        for field in sc.subcons:
            _require_new_name(field.name, inside)
            found = self.visit(field, inside.member(field.name))
            if field.name:
                scope.names[field.name] = found
        return Group(scope.names)

    def sequence(self, sc: Any, place: Place) -> Binding:
        """Fields one after the other, numbered."""
        scope = place.scope.nested()
        inside = replace(place, scope=scope)
        items = []
        for number, field in enumerate(sc.subcons):
            _require_new_name(field.name, inside)
            items.append(self.visit(field, inside.item(number)))
            if field.name:
                scope.names[field.name] = items[-1]
        return Items(tuple(items))

    def focused(self, sc: Any, place: Place) -> Binding:
        """Fields one after the other, of which one gives the value."""
        if not isinstance(sc.parsebuildfrom, str):
            raise UnsupportedError("a FocusedSeq that chooses by the packet")
        scope = place.scope.nested()
        inside = replace(place, scope=scope)
        value: Binding | None = None
        for field in sc.subcons:
            _require_new_name(field.name, inside)
            is_value = field.name == sc.parsebuildfrom
            shown = replace(inside, is_shown=place.is_shown and is_value)
            found = self.visit(field, shown)
            if field.name:
                scope.names[field.name] = found
            value = found if is_value else value
        if value is None:
            raise UnsupportedError("a FocusedSeq without its field")
        return value

    def array(self, sc: Any, place: Place) -> Binding:
        """A list of constant length: a column per item; or as long as another field tells."""
        if callable(sc.count):
            return self._repeat(sc, self._length(sc.count, place), place)
        count = _constant_length(sc.count)
        items = []
        for number in range(count):
            place.scope.index = Constant(number)
            item = replace(place.item(number), is_shown=place.is_shown and not sc.discard)
            items.append(self.visit(sc.subcon, item))
        return Unknown("a list that is thrown away") if sc.discard else Items(tuple(items))

    def greedy_range(self, sc: Any, place: Place) -> Binding:
        """A list up to the end."""
        return self._repeat(sc, None, place)

    def _repeat(self, sc: Any, count: Value | None, place: Place) -> Binding:
        if count is None and _unnamed(sc.subcon) is construct.GreedyBytes:
            raise _endless()
        is_shown = place.is_shown and not sc.discard
        inside = replace(place.item(""), is_shown=is_shown, list_name=f"{place.path}[]")
        index = Slot(integer_of(_INDEX_BITS, is_signed=False))
        place.scope.index = index
        builder = self.builder.child(is_element=True)
        if self.builder.is_element:
            raise UnsupportedError("a list in a list")
        Layout(builder).visit(sc.subcon, inside)
        element = builder.program()
        place.scope.index = Unknown("the index behind a list")
        if count is None and not element.least_octets:
            raise _endless()
        if element.octets is None:
            raise UnsupportedError("a list of items of varying length")
        if not element.octets:
            raise UnsupportedError("a list of items that take no octets")
        for spec in builder.columns.values():
            self.builder.add_column(spec)
        list_name = inside.list_name if is_shown else None
        self.builder.add_step(Repeat(count, element, list_name, index), None)
        return Unknown("a list of varying length")

    # --- Choices ----------------------------------------------------------------------------------

    def if_then_else(self, sc: Any, place: Place) -> Binding:
        """One of two."""
        condition = truth(compile_expression(sc.condfunc, place.scope.resolve))
        if isinstance(condition, Constant):
            return self.visit(sc.thensubcon if condition.value else sc.elsesubcon, place)
        return self._choose([(condition, sc.thensubcon)], sc.elsesubcon, place)

    def switch(self, sc: Any, place: Place) -> Binding:
        """One of several, by the value of a key."""
        key = compile_expression(sc.keyfunc, place.scope.resolve)
        if isinstance(key, Constant):
            return self.visit(sc.cases.get(key.value, sc.default), place)
        cases = []
        for wanted, subcon in sc.cases.items():
            condition = equals(key, compile_expression(wanted, place.scope.resolve))
            if isinstance(condition, Computation):
                cases.append((condition, subcon))
        return self._choose(cases, sc.default, place)

    def _choose(self, cases: list[tuple[Computation, Any]], default: Any, place: Place) -> Binding:
        self.builder.flush()
        builders, programs = [], []
        index = index_behind = place.scope.index
        for subcon in (*(subcon for _, subcon in cases), default):
            builder = self.builder.child()
            place.scope.index = index
            Layout(builder).visit(subcon, place)
            if place.scope.index is not index:  # By a list in this case.
                index_behind = Unknown("the index behind a list")
            builders.append(builder)
            programs.append(builder.program())
        place.scope.index = index_behind
        self.builder.add_alternatives(builders)
        sizes = {program.octets for program in programs}
        least = min(program.least_octets for program in programs)
        conditions = [condition for condition, _ in cases]
        step = Choose(tuple(zip(conditions, programs, strict=False)), programs[-1])
        self.builder.add_step(step, sizes.pop() if len(sizes) == 1 else None, least)
        return _ABSENT

    # --- Parts with a length of their own ---------------------------------------------------------

    def padded(self, sc: Any, place: Place) -> Binding:
        """Something, and padding up to a length."""
        if callable(sc.length):
            if place.unit != 8:
                raise UnsupportedError("padding of varying length among bits")
            return self._within(self._length(sc.length, place), sc.subcon, place, must_fit=True)
        end = self.builder.bit + place.unit * _constant_length(sc.length)
        found = self._at_fixed_place(sc.subcon, place)
        if self.builder.bit > end:
            raise UnsupportedError("a part longer than what is around it")
        self.builder.bit = end
        return found

    def aligned(self, sc: Any, place: Place) -> Binding:
        """Something, and padding up to a multiple."""
        modulus = place.unit * _constant_length(sc.modulus)
        if modulus < 2 * place.unit:
            raise UnsupportedError("an alignment to less than 2")
        begin = self.builder.bit
        found = self._at_fixed_place(sc.subcon, place)
        self.builder.bit += -(self.builder.bit - begin) % modulus
        return found

    def _at_fixed_place(self, sc: Any, place: Place) -> Binding:
        with self.builder.fixed():
            return self.visit(sc, place)

    def fixed_sized(self, sc: Any, place: Place) -> Binding:
        """Something that sees only a number of octets."""
        _require_octets(place)
        return self._within(self._length(sc.length, place), sc.subcon, place)

    def prefixed(self, sc: Any, place: Place) -> Binding:
        """A length, and something that sees only so many octets."""
        _require_octets(place)
        found = self.visit(sc.lengthfield, replace(place, is_shown=False))
        own = sc.lengthfield.sizeof() if sc.includelength else 0
        scope = Scope(names={"length": found})
        return self._within(
            self._length(construct.this.length - own, place, scope), sc.subcon, place
        )

    def _within(
        self, length: Value, subcon: Any, place: Place, *, must_fit: bool = False
    ) -> Binding:
        self.builder.flush()
        builder = self.builder.child()
        found = Layout(builder).visit(subcon, place)
        program = builder.program()
        if must_fit and program.octets is None:
            raise UnsupportedError("padding around a part of varying length")
        for spec in builder.columns.values():
            self.builder.add_column(spec)
        octets = int(length.value or 0) if isinstance(length, Constant) else None
        self.builder.add_step(Within(length, program), octets)
        return found

    def transformed(self, sc: Any, place: Place) -> Binding:
        """Bitwise, Bytewise, ByteSwapped, BitsSwapped."""
        amount, function = sc.decodeamount, sc.decodefunc
        if not isinstance(amount, int):
            raise UnsupportedError("a transformation of everything up to the end")
        if function is construct_lib.bytes2bits and place.unit == 8:
            with self.builder.region(amount):
                return self.visit(sc.subcon, replace(place, unit=1))
        if function is construct_lib.bits2bytes and place.unit == 1 and amount % 8 == 0:
            with self.builder.region(amount // 8):
                return self.visit(sc.subcon, replace(place, unit=8))
        is_of_bits = function is construct_lib.swapbitsinbytes
        if (is_of_bits or function is construct_lib.swapbytes) and place.unit == 8:
            with self.builder.reversed_region(amount, reverses_bits=is_of_bits):
                return self.visit(sc.subcon, place)
        raise UnsupportedError("a transformation that is construct's own")

    def _length(self, length: Any, place: Place, scope: Scope | None = None) -> Value:
        value = as_integer(compile_expression(length, (scope or place.scope).resolve))
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


def _endless() -> EndlessError:
    return EndlessError("a list of items that may take no octets has no end")


def _unnamed(sc: Any) -> Any:
    while isinstance(sc, construct.Renamed):
        sc = sc.subcon
    return sc


def _is_little_endian() -> bool:
    return sys.byteorder == "little"


def _require_octets(place: Place) -> None:
    if place.unit != 8:
        raise UnsupportedError("whole octets in Bitwise, without Bytewise around them")


def _constant_length(length: Any) -> int:
    if callable(length):
        raise UnsupportedError("a width that depends on the packet")
    if not isinstance(length, int) or length < 0:
        raise UnsupportedError(f"a length of {length!r}")
    return int(length)


def _require_new_name(name: str | None, place: Place) -> None:
    if name and (name in place.scope.names or name in CONTEXT_NAMES):
        error = UnsupportedError(f"a second value named {name}")
        error.path = place.member(name).path
        raise error


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


_METHODS: dict[type, Callable[[Layout, Any, Place], Binding]] = {
    construct.Renamed: Layout.transparent,
    construct.Default: Layout.transparent,
    construct.Rebuild: Layout.transparent,
    construct.Hex: Layout.transparent,
    construct.HexDump: Layout.transparent,
    construct.Compiled: Layout.compiled,
    construct.FormatField: Layout.format_field,
    construct.BytesInteger: Layout.bytes_integer,
    construct.BitsInteger: Layout.bits_integer,
    type(construct.Flag): Layout.flag,
    construct.Bytes: Layout.octets,
    type(construct.GreedyBytes): Layout.greedy_octets,
    construct.Enum: Layout.enum,
    construct.FlagsEnum: Layout.flags_enum,
    construct.Const: Layout.const,
    construct.Computed: Layout.computed,
    type(construct.Index): Layout.index,
    construct.Check: Layout.check,
    type(construct.Pass): Layout.nothing,
    type(construct.Terminated): Layout.terminated,
    construct.Struct: Layout.struct,
    construct.Sequence: Layout.sequence,
    construct.FocusedSeq: Layout.focused,
    construct.Array: Layout.array,
    construct.GreedyRange: Layout.greedy_range,
    construct.IfThenElse: Layout.if_then_else,
    construct.Switch: Layout.switch,
    construct.Padded: Layout.padded,
    construct.Aligned: Layout.aligned,
    construct.FixedSized: Layout.fixed_sized,
    construct.Prefixed: Layout.prefixed,
    construct.Transformed: Layout.transformed,
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
