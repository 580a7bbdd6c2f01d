# SPDX-License-Identifier: Apache-2.0
"""What is compiled and what is left to construct, one definition at a time."""

import io
import random

import construct
import pytest
from construct import (
    Aligned,
    Array,
    BitsInteger,
    BitsSwapped,
    BitStruct,
    Bytes,
    BytesInteger,
    ByteSwapped,
    Bytewise,
    Check,
    Computed,
    Const,
    Default,
    Enum,
    Error,
    FixedSized,
    Flag,
    FlagsEnum,
    Float16b,
    Float32b,
    Float32l,
    FocusedSeq,
    GreedyBytes,
    GreedyRange,
    Hex,
    If,
    IfThenElse,
    Index,
    Int8sb,
    Int8ub,
    Int16sb,
    Int16ub,
    Int16ul,
    Int32sb,
    Int32ub,
    Int64sb,
    Int64ub,
    Padded,
    Padding,
    Pass,
    Prefixed,
    PrefixedArray,
    Rebuild,
    Sequence,
    Struct,
    Switch,
    Terminated,
    this,
)

from telemetry.columns.field import field

MODES = Enum(Int8ub, off=0, on=1, safe=2)
COMPILED = {
    "a number alone": Int32ub,
    "a list alone": Array(3, Int16ub),
    "a list without end alone": GreedyRange(Int16ub),
    "octets alone": GreedyBytes,
    "names that are ours": Struct("apid" / Int8ub, "crc_verdict" / Int8ub),
    "hidden fields": Struct("_n" / Int8ub, "data" / Bytes(this._n % 4), Int8ub),
    "words in both orders": Struct(
        "a" / Int16ub, "b" / Int16ul, "c" / BytesInteger(3, swapped=True)
    ),
    "more than 64 bits": Struct("a" / BytesInteger(9), "b" / BytesInteger(12, signed=True)),
    "bits in a nested struct": BitStruct(
        "a" / BitsInteger(3),
        "s" / Struct("b" / BitsInteger(11, signed=True), "c" / Flag),
        Padding(1),
    ),
    "a word across nine octets": BitStruct("a" / BitsInteger(5), "b" / BitsInteger(64), Padding(3)),
    "60 bits across nine octets": BitStruct(
        "a" / BitsInteger(5), "b" / BitsInteger(60), "c" / BitsInteger(7, signed=True)
    ),
    "three octets that no word covers": GreedyRange(
        BitStruct("a" / BitsInteger(3), "b" / BitsInteger(18, signed=True), "c" / BitsInteger(3))
    ),
    "a float among bits": BitStruct("a" / BitsInteger(4), "f" / Bytewise(Float32l), Padding(4)),
    "little-endian among bits": BitStruct(
        "a" / BitsInteger(4), "b" / BitsInteger(24, swapped=True, signed=True), Padding(4)
    ),
    "bits from the low end": ByteSwapped(BitStruct("a" / BitsInteger(12), "b" / BitsInteger(20))),
    "mirrored octets": BitsSwapped(Struct("a" / Int16ub, "b" / ByteSwapped(Int32ub))),
    "an Enum": Struct("mode" / MODES, "other" / Enum(Int16sb, low=-1)),
    "flags": Struct("flags" / FlagsEnum(Int8ub, hot=1, cold=2, both=3, none=0)),
    "constants": Struct(Const(b"\x01\x01"), "sync" / Const(1, Int8ub)),
    "defaults": Struct("a" / Default(Int8ub, 7), "b" / Rebuild(Int8ub, this.a), "c" / Hex(Int8ub)),
    "a nested path": Struct(
        "a" / Struct("n" / Int8ub), "b" / Struct("x" / Computed(this._.a.n + 1))
    ),
    "the root": Struct("n" / Int8ub, "a" / Struct("b" / Struct("x" / Computed(this._root.n)))),
    "an item of a list": Struct("a" / Array(3, Int8ub), "x" / Computed(this.a[1] * this.a[-1])),
    "the index of an item": Struct(
        "a" / Array(3, Struct("i" / Index, "x" / Computed(this._index)))
    ),
    "the index of a ragged item": GreedyRange(
        Struct("i" / Index, "x" / Computed(this._index * 2), Int8ub)
    ),
    "division": Struct(
        "a" / Int8sb,
        "b" / Int8sb,
        "q" / Computed(this.a // this.b),
        "r" / Computed(this.a % this.b),
    ),
    "true division": Struct("a" / Int8sb, "b" / Int8sb, "q" / Computed(this.a / this.b)),
    "shifts": Struct(
        "a" / Int8ub,
        "n" / Int8ub,
        "l" / Computed(this.a << this.n % 32),
        "r" / Computed(this.a >> this.n % 65),
    ),
    "shifts of signed": Struct("a" / Int64sb, "n" / Int8ub, "r" / Computed(this.a >> this.n % 65)),
    "64 bits unsigned": Struct(
        "a" / Int64ub, "x" / Computed(this.a // 3 | 1 << 63), "y" / Computed(this.a >= 1 << 63)
    ),
    "powers": Struct("a" / Int8sb, "x" / Computed(this.a**3), "y" / Computed(2 ** (this.a % 8))),
    "truth": Struct(
        "a" / Int8ub, "f" / Float32b, "x" / Computed(~this.a), "y" / If(this.f, Int8ub)
    ),
    "logic": Struct(
        "a" / Flag,
        "b" / Flag,
        "x" / Computed(this.a & this.b),
        "y" / Computed(this.a + this.b),
        "z" / Computed((this.a ^ True) | 4),
    ),
    "real arithmetic": Struct(
        "f" / Float32b,
        "n" / Int16sb,
        "x" / Computed(this.f * 0.5 + this.n),
        "y" / Computed(-this.f),
    ),
    "comparison with an Enum's name": Struct(
        "m" / MODES,
        "x" / Computed(this.m == "on"),
        "y" / Computed(this.m != MODES.safe),
        "z" / Computed(this.m == 1),
        "u" / Computed(this.m == 77),
    ),
    "a copied Enum": Struct("m" / MODES, "x" / Computed(this.m)),
    "constants computed": Struct(
        "a" / Computed(7),
        "b" / Computed(1.5),
        "c" / Computed("text"),
        "d" / Computed(None),
        "e" / Computed(True),
        Int8ub,
    ),
    "a Check": Struct("a" / Int8ub, Check(this.a < 128)),
    "If": Struct(
        "n" / Int8ub, "a" / If(this.n > 127, Int16ub), "b" / IfThenElse(this.n & 1, Int8ub, Int16sb)
    ),
    "If of a struct": Struct(
        "n" / Int8ub, "a" / If(this.n & 1, Struct("x" / Int8ub, "y" / Float16b))
    ),
    "Switch on a number": Struct(
        "n" / Int8ub,
        "v" / Switch(this.n % 3, {0: Int8ub, 1: Struct("x" / Int32ub)}, default=Bytes(2)),
    ),
    "Switch on a name": Struct(
        "m" / MODES, "v" / Switch(this.m, {"on": Int8ub, 2: Int16ub, 99: Int32ub, "safe": Bytes(3)})
    ),
    "Switch on octets": Struct(
        "t" / Bytes(1),
        "v" / Switch(this.t, {b"\x01": Int8ub, b"\x02": Int16ub, b"\x01\x02": Int32ub}),
    ),
    "Switch whose cases have lists": Struct(
        "n" / Int8ub,
        "v"
        / Switch(
            this.n % 3, {0: GreedyRange(Int16ub), 1: GreedyRange(Int32sb)}, default=GreedyBytes
        ),
    ),
    "numbers of mixed types": Struct(
        "n" / Int8ub, "v" / Switch(this.n % 3, {0: Int8ub, 1: Float32b, 2: Flag})
    ),
    "octets of several lengths": Struct(
        "n" / Int8ub,
        "v" / Switch(this.n % 3, {0: Bytes(1), 1: Bytes(3)}, default=Bytes(this.n % 7)),
    ),
    "octets by a length": Struct("n" / Int8ub, "d" / Bytes(this.n % 16 - 1), "e" / Int8ub),
    "lists by a count": Struct(
        "n" / Int8ub, "a" / Array(this.n % 5, Struct("x" / Int16ul, "y" / Bytes(2))), "z" / Int8ub
    ),
    "lists by a huge count": Struct("n" / Int64ub, "a" / Array(this.n, Int8ub)),
    "structs to the end": Struct(
        "n" / Int8ub, "a" / GreedyRange(Struct("x" / Int16ub, "m" / MODES))
    ),
    "a list that a constant ends": Struct(
        "a" / GreedyRange(Struct(Const(1, Int8ub), "x" / Int8ub)), "rest" / GreedyBytes
    ),
    "choices in a list": GreedyRange(
        Struct(
            "n" / Int8ub, "v" / IfThenElse(this.n & 1, Int16ub, Struct("x" / Int8ub, "y" / Int8ub))
        )
    ),
    "a list that may be left out": Struct(
        "n" / Int8ub, "a" / If(this.n & 1, GreedyRange(Int8ub)), "b" / GreedyBytes
    ),
    "lists one behind the other": Struct(
        "n" / Int8ub,
        "a" / Array(this.n % 4, Int8ub),
        "b" / Array(this.n % 3, Int16ub),
        "c" / GreedyRange(Flag),
    ),
    "a constant number of parts of varying length": Array(
        2, Struct("n" / Int8ub, "d" / Bytes(this.n % 4))
    ),
    "a counted list": Struct("a" / PrefixedArray(Int8ub, Int16ub), "b" / GreedyBytes),
    "a measured part": Struct(
        "a" / Prefixed(Int8ub, Struct("x" / Int8ub, "r" / GreedyRange(Int16ub))), "b" / GreedyBytes
    ),
    "a part measured with its length": Struct(
        "a" / Prefixed(Int16ub, GreedyBytes, includelength=True), "b" / GreedyBytes
    ),
    "a part of constant length": Struct("a" / FixedSized(5, GreedyRange(Int16ub)), "b" / Int8ub),
    "padding": Struct(
        "a" / Padded(4, Int8ub), "b" / Aligned(4, Int16ub), Padding(this.a % 3), "c" / Int8ub
    ),
    "a measured padding": Struct(
        "n" / Int8ub, "a" / Padded(this.n % 6, Int16ub), "b" / GreedyBytes
    ),
    "one of a sequence": FocusedSeq("b", "a" / Int8ub, "b" / Int16ub),
    "a sequence": Sequence(Int8ub, "x" / Int16ub, Padding(1), Computed(this.x)),
    "the end": Struct("a" / Int8ub, Terminated),
    "the length of what was read": Struct(
        "n" / Int8ub,
        "d" / Bytes(this.n % 4),
        "l" / Array(this.n % 3, Int16ub),
        "x" / Computed(construct.len_(this.d) * 10 + construct.len_(this.l)),
        "t" / Bytes(2),
        "y" / Computed(construct.len_(this.t)),
    ),
    "a list up to a footer": Struct(
        "_rest" / construct.Peek(GreedyBytes),
        "a" / Array((construct.len_(this._rest) - 3) // 2, Int16ub),
        "end" / Bytes(3),
    ),
    "a look at the rest": Struct("rest" / construct.Peek(GreedyBytes), "a" / Array(2, Int8ub)),
    "nothing": Struct("a" / Int8ub, "p" / Pass),
    "a meaning": Struct(
        "v" / field(Int16ub, unit="V"), "m" / field(MODES), "a" / field(Array(2, Int8ub), unit="A")
    ),
    "a definition compiled by construct": Struct("a" / Int8ub, "b" / Int16ub).compile(),
}


def doubled(value, _context):
    return 2 * value


LEFT_TO_CONSTRUCT = {
    "a Python function": (
        Struct("a" / Int8ub, "x" / Computed(lambda c: c.a + 1)),
        "P.x",
        "Python function",
    ),
    "an adapter": (
        Struct("a" / construct.ExprAdapter(Int8ub, doubled, doubled)),
        "P.a",
        "ExprAdapter",
    ),
    "arithmetic beyond 64 bits": (
        Struct("a" / Int64ub, "x" / Computed(this.a * 2)),
        "P.x",
        "leave 64 bits",
    ),
    "a difference of unsigned words": (
        Struct("a" / Int64ub, "x" / Computed(this.a - 1)),
        "P.x",
        "leave 64 bits",
    ),
    "a position": (Struct("a" / Int8ub, "t" / construct.Tell), "P.t", "Tell"),
    "a pointer": (Struct("a" / construct.Pointer(1, Int8ub), "r" / GreedyBytes), "P.a", "Pointer"),
    "text": (
        Struct("a" / construct.PaddedString(4, "ascii"), "b" / Int8ub),
        "P.a",
        "StringEncoded",
    ),
    "a variable-length integer": (
        Struct("a" / construct.VarInt, "b" / GreedyBytes),
        "P.a",
        "VarInt",
    ),
    "bits of varying length": (construct.Bitwise(GreedyRange(construct.Bit)), "P", "Restreamed"),
    "an optional field": (Struct("a" / construct.Optional(Int16ub)), "P.a", "Select"),
    "a list in a list": (
        GreedyRange(Struct("n" / Int8ub, "d" / Bytes(this.n % 3))),
        "P[].d",
        "in a list",
    ),
    "two fields of one name": (Struct("a" / Int8ub, "a" / Int8ub), "P.a", "a second value named a"),
    "a name that construct takes": (
        Struct("_index" / Int8ub, "x" / Int8ub),
        "P._index",
        "second value",
    ),
    "a name that is not there": (Struct("a" / Int8ub, "x" / Computed(this.b)), "P.x", "not known"),
    "an If's value asked for": (
        Struct("a" / Int8ub, "b" / If(this.a & 1, Int8ub), "c" / Computed(this.b)),
        "P.c",
        "may leave out",
    ),
    "a hook": (Struct("a" / Int8ub * (lambda obj, ctx: None)), "P.a", "called when"),
    "an error": (Struct("a" / Int8ub, "e" / If(this.a & 1, Error)), "P.e", "Error"),
    "octets as bits": (construct.Bitwise(Bytes(8)), "P", "without Bytewise"),
    "the length of a list thrown away": (
        Struct("a" / GreedyRange(Int8ub, discard=True), "x" / Computed(construct.len_(this.a))),
        "P.x",
        "thrown away",
    ),
    "a sum of a list": (
        Struct("a" / Array(2, Int8ub), "x" / Computed(construct.sum_(this.a))),
        "P.x",
        "the function sum",
    ),
}


def some_packets(seed, count=120):
    """Return data fields of 0 to 24 octets, in half of which small values are common."""
    source = random.Random(seed)
    found = [bytes([octet]) * length for octet in range(3) for length in range(25)]
    for number in range(count):
        octets = range(4) if number % 2 else range(256)
        found.append(bytes(source.choice(octets) for _ in range(source.randrange(25))))
    return found


def cut_to_fit(layout, data_fields):
    """Return the data fields, most of them cut where construct stops reading."""
    found = []
    for number, data in enumerate(data_fields):
        stream = io.BytesIO(data)
        try:
            layout.parse_stream(stream)
        except Exception:
            found.append(data)
        else:
            found.append(data[: stream.tell()] if number % 8 else data)
    return found


@pytest.mark.parametrize("name", COMPILED)
def test_a_definition_is_compiled_and_equals_constructs_parse(compare, make_batch, name):
    layout = COMPILED[name]
    data_fields = cut_to_fit(layout, some_packets(name))
    plan = compare(layout, data_fields)
    assert plan.fallbacks == ()
    compare(layout, data_fields, gap=b"\xff" * 3, plan=plan)
    assert len(plan.extract(make_batch(data_fields)).indices), (
        "no packet fits: nothing was compared"
    )


@pytest.mark.parametrize("name", LEFT_TO_CONSTRUCT)
def test_what_is_not_compiled_is_left_to_construct_and_named(compare, name):
    layout, path, reason = LEFT_TO_CONSTRUCT[name]
    plan = compare(layout, cut_to_fit(layout, some_packets(name)))
    assert [fallback.path for fallback in plan.fallbacks] == [path]
    assert reason in plan.fallbacks[0].reason
