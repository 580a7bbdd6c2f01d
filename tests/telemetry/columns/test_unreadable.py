# SPDX-License-Identifier: Apache-2.0
"""Text that is none, and other values that cannot be made of their octets, cost one cell each.

Octets and expected values are made by hand; 0xFF is in no UTF-8 text (RFC 3629, section 3).
"""

import construct
import pytest
from construct import (
    Array,
    Check,
    Computed,
    Const,
    CString,
    ExprAdapter,
    FocusedSeq,
    GreedyRange,
    If,
    Int8ub,
    Int16ub,
    Mapping,
    OneOf,
    Optional,
    PaddedString,
    PascalString,
    Peek,
    Prefixed,
    Select,
    Sequence,
    Struct,
    Switch,
    Union,
    this,
)  # fmt: skip

from telemetry.columns.extents import dissect
from telemetry.columns.field_path import FieldError, parse_data_field
from telemetry.columns.plan import compile_packet

GOOD, BAD = b"ab", b"a\xff"
TEXT = PaddedString(2, "utf8")
WHY = "no text in utf8: 61 ff"


def reading(layout, data, make_batch):
    """Return what each reader says of one packet: values by name, and what has none."""
    parsed = parse_data_field(layout, "P", data)
    found = compile_packet(layout, "P").extract(make_batch([data]))
    assert found.indices.tolist() == [0]
    columns = {
        name: value
        for name, column in found.columns.items()
        for value in column.rows()
        if name in dict(parsed.unreadable)
    }
    assert all(value is None for value in columns.values())
    lost = {item.path.removeprefix("P.").removeprefix("P"): item.reason for item in found.let_go}
    assert lost == dict(parsed.unreadable)
    fields = dissect(layout, "P", data)
    assert fields.error is None
    assert {f.name: f.unreadable for f in fields.fields if f.unreadable} == lost
    return lost


LAYOUTS = {
    "alone": (Struct("t" / TEXT, "x" / Int8ub), BAD + b"\1", ["t"]),
    "nested": (Struct("s" / Struct("t" / TEXT)), BAD, ["s.t"]),
    "in an array": (Struct("t" / Array(3, TEXT)), GOOD + BAD + GOOD, ["t[1]"]),
    "in a counted list": (
        Struct("n" / Int8ub, "t" / Array(this.n, Struct("k" / Int8ub, "t" / TEXT))),
        b"\2\1" + BAD + b"\2" + BAD,
        ["t[0].t", "t[1].t"],
    ),
    "in a list to the end": (
        Struct("t" / GreedyRange(PascalString(Int8ub, "utf8"))),
        b"\2" + GOOD + b"\2" + BAD + b"\2" + GOOD,
        ["t[1]"],
    ),
    "of a case": (Struct("k" / Int8ub, "t" / Switch(this.k, {1: TEXT})), b"\1" + BAD, ["t"]),
    "of an If": (Struct("k" / Int8ub, "t" / If(this.k, TEXT)), b"\1" + BAD, ["t"]),
    "in a length": (Struct("p" / Prefixed(Int8ub, Struct("t" / TEXT))), b"\2" + BAD, ["p.t"]),
    "whole packet": (TEXT, BAD, ["value"]),
    "in a Union": (Union(0, "w" / Struct("t" / TEXT), "b" / Int8ub), BAD, ["w.t"]),
    "in a Sequence": (Sequence(TEXT, Int8ub), BAD + b"\1", ["[0]"]),
    "focused": (Struct("f" / FocusedSeq("t", "k" / Int8ub, "t" / TEXT)), b"\1" + BAD, ["f"]),
    "asked for": (Struct("t" / TEXT, "u" / Computed(this.t)), BAD, ["t", "u"]),
    "terminated": (Struct("t" / CString("utf8"), "x" / Int8ub), b"\xff\0\1", ["t"]),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_bad_text_costs_one_value_in_every_reading(name, make_batch):
    layout, data, expected = LAYOUTS[name]
    assert list(reading(layout, data, make_batch)) == expected


def test_the_reason_names_the_encoding_and_the_octets(make_batch):
    layout = Struct("t" / TEXT)
    assert reading(layout, BAD, make_batch) == {"t": WHY}


def test_a_function_and_a_mapping_that_fail_cost_one_value(make_batch):
    names = Mapping(Int8ub, {"off": 0, "on": 1})
    halved = ExprAdapter(Int8ub, lambda value, _: 100 // value, lambda value, _: value)
    layout = Struct("m" / names, "h" / halved, "x" / Int8ub)
    assert list(reading(layout, b"\2\0\7", make_batch)) == ["m", "h"]


def test_columns_around_bad_text_keep_their_values(make_batch, compare):
    layout = Struct("n" / Int16ub, "t" / TEXT, "x" / Int8ub)
    packets = [bytes([0, i]) + (BAD if i % 3 == 1 else GOOD) + bytes([9 - i]) for i in range(9)]
    compare(layout, packets)
    found = compile_packet(layout, "P").extract(make_batch(packets))
    assert found.columns["n"].values() == list(range(9))
    assert found.columns["x"].values() == [9 - i for i in range(9)]
    expected = [None if i % 3 == 1 else "ab" for i in range(9)]
    assert found.columns["t"].values() == expected
    assert [(lost.packet, lost.path) for lost in found.let_go] == [
        (1, "P.t"),
        (4, "P.t"),
        (7, "P.t"),
    ]


REFUSED = {
    "a length that is not there": Struct(
        "n" / Mapping(Int8ub, {1: 1}), "b" / construct.Bytes(this.n)
    ),
    "a choice by what is not there": Struct("t" / TEXT, "s" / Switch(this.t, {"ab": Int8ub})),
    "a condition on what is not there": Struct("t" / TEXT, "i" / If(this.t == "ab", Int8ub)),
    "a check of what is not there": Struct("t" / TEXT, Check(lambda c: c.t != "ab")),
    "a constant": Struct("t" / Const("ab", TEXT)),
    "a validator": Struct("t" / TEXT, "k" / OneOf(Int8ub, [1])),
    "an end that comes early": Struct("t" / TEXT, "x" / construct.Int64ub),
    "an end that comes late": Struct("t" / Array(1, PaddedString(1, "utf8"))),
    "every choice of a Select": Struct("t" / Select(TEXT, Const(b"xy"))),
    "an option": Struct("t" / Optional(TEXT)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_go_on_without_the_value_is_refused_by_every_reading(name, make_batch):
    layout = REFUSED[name]
    data = b"\2\0" if name.startswith("a length") else BAD
    data += b"\2" if name == "a validator" else b""
    with pytest.raises(FieldError):
        parse_data_field(layout, "P", data)
    found = compile_packet(layout, "P").extract(make_batch([data]))
    assert not len(found.indices)
    assert len(found.failures) == 1
    assert not found.let_go
    assert dissect(layout, "P", data).error is not None


def test_what_a_choice_takes_in_the_place_of_bad_text_stays_as_construct_has_it(compare):
    layout = Struct(
        "t" / Select(TEXT, construct.Bytes(2)), "p" / Peek(TEXT), "b" / construct.Bytes(2)
    )
    compare(layout, [GOOD + GOOD, BAD + GOOD, GOOD + BAD, BAD + BAD])


def test_what_takes_no_octets_still_ends_a_list():
    nothing = ExprAdapter(Computed(0), lambda value, _: 1 // value, lambda value, _: value)
    layout = Struct("t" / TEXT, "g" / GreedyRange(nothing))
    found = parse_data_field(layout, "P", BAD)
    assert found.value.g == []
    assert found.unreadable == (("t", WHY),)
