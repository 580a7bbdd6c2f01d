# SPDX-License-Identifier: Apache-2.0
"""Constructs that are one field: numbers, octets, Enums, constants, and values without octets."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import construct

from telemetry.columns.bits import Form
from telemetry.columns.comparisons import equals
from telemetry.columns.expressions import compile_expression
from telemetry.columns.frame import Slot
from telemetry.columns.kinds import (
    IntegerKind,
    ObjectKind,
    OctetsKind,
    PythonKind,
    UnsupportedError,
)
from telemetry.columns.place import Methods, Place, constant_length, require_octets
from telemetry.columns.program import Require, RequireEnd, TakeOctets
from telemetry.columns.scope import NOTHING, Binding, Group, Run, Scope, length_slot
from telemetry.columns.values import Computation, Constant, Value, read_slot

if TYPE_CHECKING:
    from telemetry.columns.layout import Layout


def format_field(layout: "Layout", sc: Any, place: Place) -> Binding:
    """Numbers as the module `struct` has them."""
    require_octets(place)
    order, code = sc.fmtstr[0], sc.fmtstr[1]
    is_swapped = order == "<" or (order == "=" and _is_little_endian())
    form = Form.REAL if code in "efd" else Form.FLAG if code == "?" else Form.SIGNED
    if code.isupper():
        form = Form.UNSIGNED
    return layout.leaf(place, 8 * sc.length, form, is_swapped=is_swapped)


def bytes_integer(layout: "Layout", sc: Any, place: Place) -> Binding:
    """Integers of any number of octets."""
    require_octets(place)
    return _integer(layout, sc, place, 8 * constant_length(sc.length))


def bits_integer(layout: "Layout", sc: Any, place: Place) -> Binding:
    """Integers of any number of bits."""
    if place.unit != 1:
        raise UnsupportedError("BitsInteger outside of Bitwise")
    bits = constant_length(sc.length)
    if sc.swapped and bits % 8:
        raise UnsupportedError("a little-endian field that is not whole octets")
    return _integer(layout, sc, place, bits)


def _integer(layout: "Layout", sc: Any, place: Place, bits: int) -> Binding:
    if callable(sc.swapped):
        raise UnsupportedError("a byte order that depends on the packet")
    if not bits:
        raise UnsupportedError("an integer of no bits")
    form = Form.SIGNED if sc.signed else Form.UNSIGNED
    return layout.leaf(place, bits, form, is_swapped=bool(sc.swapped))


def flag(layout: "Layout", sc: Any, place: Place) -> Binding:
    """True unless zero, in a bit or an octet."""
    del sc
    return layout.leaf(place, place.unit, Form.FLAG)


def octets(layout: "Layout", sc: Any, place: Place) -> Binding:
    """Bytes: of a constant length, or one that another field tells."""
    require_octets(place)
    if callable(sc.length):
        return _run(layout, layout.length(sc.length, place), place)
    length = constant_length(sc.length)
    if layout.builder.bit % 8 or not length:
        raise UnsupportedError("octets that begin within an octet, or none at all")
    return layout.leaf(place, 8 * length, Form.OCTETS)


def greedy_octets(layout: "Layout", sc: Any, place: Place) -> Binding:
    """All octets up to the end."""
    del sc
    require_octets(place)
    return _run(layout, None, place)


def peek(layout: "Layout", sc: Any, place: Place) -> Binding:
    """A look at all octets up to the end; any other look ahead is construct's own."""
    if sc.subcon is not construct.GreedyBytes:
        raise UnsupportedError("a look ahead")
    require_octets(place)
    return _run(layout, None, place, stays=True)


def _run(layout: "Layout", length: Value | None, place: Place, *, stays: bool = False) -> Binding:
    column = None
    if place.is_shown:
        if layout.builder.is_element:
            raise UnsupportedError("octets of varying length in a list")
        column = layout.builder.add_column(place.column(OctetsKind(None)))
    taken, found = length_slot(), Slot(ObjectKind())
    layout.builder.add_step(TakeOctets(length, column, taken, found, stays), 0 if stays else None)
    return Run(taken, found)


def enum(layout: "Layout", sc: Any, place: Place) -> Binding:
    """An integer some of whose values have names."""
    if not all(isinstance(value, int) for value in sc.decmapping):
        raise UnsupportedError("an Enum of something else than integers")
    names = tuple((int(value), str(name)) for value, name in sc.decmapping.items())
    return layout.visit(sc.subcon, replace(place, names=names))


def flags_enum(layout: "Layout", sc: Any, place: Place) -> Binding:
    """An integer whose bits have names: one boolean for each."""
    word = layout.visit(sc.subcon, replace(place, is_shown=False))
    if not isinstance(word, Slot) or not isinstance(word.kind, IntegerKind):
        raise UnsupportedError("a FlagsEnum of something else than integers")
    members: dict[str, Binding] = {}
    for name, mask in sc.flags.items():
        bits = compile_expression(construct.this.word & mask, Scope(names={"word": word}))
        members[str(name)] = layout.emit(equals(bits, Constant(mask)), place.member(str(name)))
    return Group(members, is_flags=True)


def const(layout: "Layout", sc: Any, place: Place) -> Binding:
    """A value without which the packet is refused."""
    found = layout.visit(sc.subcon, place)
    value = read_slot(found) if isinstance(found, Slot) else found
    wanted = compile_expression(sc.value, place.scope)
    is_odd = isinstance(value, Computation) and isinstance(value.kind, PythonKind)
    if is_odd or not isinstance(value, Computation | Constant) or not isinstance(wanted, Constant):
        raise UnsupportedError("a Const of something else than a number or octets")
    layout.builder.add_free(Require(equals(value, wanted)))
    return found


def computed(layout: "Layout", sc: Any, place: Place) -> Binding:
    """A value from other values, or a constant."""
    try:
        value = compile_expression(sc.func, place.scope)
        with layout.trying():
            return layout.emit(value, place)
    except UnsupportedError as error:
        return layout.call(sc.func, place, error, PythonKind(), is_shown=place.is_shown)


def index(layout: "Layout", sc: Any, place: Place) -> Binding:
    """The index in the list around."""
    del sc
    return layout.emit(place.scope.resolve(["_index"]), place)


def check(layout: "Layout", sc: Any, place: Place) -> Binding:
    """A condition without which the packet is refused."""
    layout.builder.add_free(Require(layout.condition(sc.func, place)))
    return NOTHING


def nothing(layout: "Layout", sc: Any, place: Place) -> Binding:
    """Pass."""
    del layout, sc, place
    return NOTHING


def terminated(layout: "Layout", sc: Any, place: Place) -> Binding:
    """The end of the packet."""
    del sc, place
    if layout.builder.is_element:
        raise UnsupportedError("Terminated in a list")
    layout.builder.add_step(RequireEnd(), 0)
    return NOTHING


def _is_little_endian() -> bool:
    return sys.byteorder == "little"


METHODS: Methods = {
    construct.FormatField: format_field,
    construct.BytesInteger: bytes_integer,
    construct.BitsInteger: bits_integer,
    type(construct.Flag): flag,
    construct.Bytes: octets,
    type(construct.GreedyBytes): greedy_octets,
    construct.Peek: peek,
    construct.Enum: enum,
    construct.FlagsEnum: flags_enum,
    construct.Const: const,
    construct.Computed: computed,
    type(construct.Index): index,
    construct.Check: check,
    type(construct.Pass): nothing,
    type(construct.Terminated): terminated,
}
