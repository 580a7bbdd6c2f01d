# SPDX-License-Identifier: Apache-2.0
"""Constructs that give what they hold a length, or another view of its octets."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import construct
from construct import lib as construct_lib

from telemetry.columns.kinds import UnsupportedError
from telemetry.columns.place import Methods, Place, constant_length, require_octets
from telemetry.columns.program import Within
from telemetry.columns.scope import Binding, Scope
from telemetry.columns.values import Constant, Value

if TYPE_CHECKING:
    from telemetry.columns.layout import Layout


def padded(layout: "Layout", sc: Any, place: Place) -> Binding:
    """Something, and padding up to a length."""
    if callable(sc.length):
        if place.unit != 8:
            raise UnsupportedError("padding of varying length among bits")
        return _within(layout, layout.length(sc.length, place), sc.subcon, place, must_fit=True)
    end = layout.builder.bit + place.unit * constant_length(sc.length)
    found = _at_fixed_place(layout, sc.subcon, place)
    if layout.builder.bit > end:
        raise UnsupportedError("a part longer than what is around it")
    layout.builder.bit = end
    return found


def aligned(layout: "Layout", sc: Any, place: Place) -> Binding:
    """Something, and padding up to a multiple."""
    modulus = place.unit * constant_length(sc.modulus)
    if modulus < 2 * place.unit:
        raise UnsupportedError("an alignment to less than 2")
    begin = layout.builder.bit
    found = _at_fixed_place(layout, sc.subcon, place)
    layout.builder.bit += -(layout.builder.bit - begin) % modulus
    return found


def _at_fixed_place(layout: "Layout", sc: Any, place: Place) -> Binding:
    with layout.builder.fixed():
        return layout.visit(sc, place)


def fixed_sized(layout: "Layout", sc: Any, place: Place) -> Binding:
    """Something that sees only a number of octets."""
    require_octets(place)
    return _within(layout, layout.length(sc.length, place), sc.subcon, place)


def prefixed(layout: "Layout", sc: Any, place: Place) -> Binding:
    """A length, and something that sees only so many octets."""
    require_octets(place)
    found = layout.visit(sc.lengthfield, replace(place, is_shown=False))
    own = sc.lengthfield.sizeof() if sc.includelength else 0
    scope = Scope(names={"length": found})
    return _within(
        layout, layout.length(construct.this.length - own, place, scope), sc.subcon, place
    )


def _within(
    layout: "Layout", length: Value, subcon: Any, place: Place, *, must_fit: bool = False
) -> Binding:
    layout.builder.flush()
    builder = layout.builder.child(has_stream=False)
    found = layout.over(builder).visit(subcon, place)
    program = builder.program()
    if must_fit and program.octets is None:
        raise UnsupportedError("padding around a part of varying length")
    for spec in builder.columns.values():
        layout.builder.add_column(spec)
    octets = int(length.value or 0) if isinstance(length, Constant) else None
    layout.builder.add_step(Within(length, program), octets)
    return found


def transformed(layout: "Layout", sc: Any, place: Place) -> Binding:
    """Bitwise, Bytewise, ByteSwapped, BitsSwapped."""
    amount, function = sc.decodeamount, sc.decodefunc
    if not isinstance(amount, int):
        raise UnsupportedError("a transformation of everything up to the end")
    if function is construct_lib.bytes2bits and place.unit == 8:
        with layout.builder.region(amount):
            return layout.visit(sc.subcon, replace(place, unit=1))
    if function is construct_lib.bits2bytes and place.unit == 1 and amount % 8 == 0:
        with layout.builder.region(amount // 8):
            return layout.visit(sc.subcon, replace(place, unit=8))
    is_of_bits = function is construct_lib.swapbitsinbytes
    if (is_of_bits or function is construct_lib.swapbytes) and place.unit == 8:
        with layout.builder.reversed_region(amount, reverses_bits=is_of_bits):
            return layout.visit(sc.subcon, place)
    raise UnsupportedError("a transformation that is construct's own")


METHODS: Methods = {
    construct.Padded: padded,
    construct.Aligned: aligned,
    construct.FixedSized: fixed_sized,
    construct.Prefixed: prefixed,
    construct.Transformed: transformed,
}
