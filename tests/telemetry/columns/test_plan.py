# SPDX-License-Identifier: Apache-2.0
"""What a plan gives: columns with what stands beside them, failures with their reasons."""

import struct

import construct
import numpy as np
import pytest
from construct import (
    Array,
    BitsInteger,
    BitStruct,
    Bytes,
    Computed,
    Const,
    Enum,
    Float16b,
    Float32b,
    Float64b,
    GreedyBytes,
    GreedyRange,
    If,
    Int8ub,
    Int16ub,
    Int32ub,
    Int64ub,
    Pass,
    Struct,
    this,
)

from telemetry.columns import plan as plan_module
from telemetry.columns.definition import define
from telemetry.columns.field import field
from telemetry.columns.flatten import build_row
from telemetry.columns.plan import compile_packet
from telemetry.errors import InputError
from telemetry.wire.space_packet import parse_primary_header
from telemetry.wire.spans import Verdict

HOUSEKEEPING = Struct(
    "time" / Int32ub,
    "rails" / Array(2, Struct("state" / Enum(Int8ub, off=0, on=1), "millivolts" / Int16ub)),
    "count" / Int8ub,
    "events" / Array(this.count, Struct("code" / Int8ub, "at" / Int16ub)),
    "note" / GreedyBytes,
)


def extract(layout, data_fields, make_batch, **options):
    return compile_packet(layout, "P", **options).extract(make_batch(data_fields))


def housekeeping(events, note=b"", state=1):
    rails = struct.pack(">BHBH", state, 3300, 9, 1800)
    body = b"".join(struct.pack(">BH", *event) for event in events)
    return struct.pack(">I", 7) + rails + bytes([len(events)]) + body + note


def test_a_list_is_values_and_offsets(make_batch):
    data = [housekeeping([(1, 10), (2, 20)]), housekeeping([]), housekeeping([(3, 30)], b"ok")]
    columns = extract(HOUSEKEEPING, data, make_batch).columns
    code = columns["events[].code"]
    assert code.raw.tolist() == [1, 2, 3]
    assert code.offsets.tolist() == [0, 2, 2, 3]
    assert code.rows() == [[1, 2], [], [3]]
    assert columns["events[].at"].raw.dtype == np.uint16
    note = columns["note"]
    assert note.is_octets
    assert note.values() == ["", "", b"ok".hex()]


def test_columns_stand_in_order_of_the_packet(make_batch):
    names = list(extract(HOUSEKEEPING, [], make_batch).columns)
    assert names[:2] == ["packet_version", "packet_type"]
    assert names[7:] == [
        "time",
        "rails[0].state",
        "rails[0].millivolts",
        "rails[1].state",
        "rails[1].millivolts",
        "count",
        "events[].code",
        "events[].at",
        "note",
        "crc_verdict",
    ]


def test_an_enum_is_its_integer_with_names_beside_it(make_batch):
    column = extract(HOUSEKEEPING, [housekeeping([])], make_batch).columns["rails[0].state"]
    assert column.raw.tolist() == [1]
    assert column.categories == {0: "off", 1: "on"}
    assert column.values() == ["on"]
    unknown = extract(HOUSEKEEPING, [housekeeping([])], make_batch).columns["rails[1].state"]
    assert unknown.values() == [9]


def test_columns_say_what_rows_say(make_batch):
    layout = Struct(
        "apid" / Int8ub,
        "kind" / Enum(Int8ub, a=1),
        "id" / Bytes(2),
        "_hidden" / Int8ub,
        "extra" / If(this.kind == "a", Float32b),
        "rest" / GreedyBytes,
    )
    data = [b"\x05\x01\xab\xcd\0\x3f\x80\0\0!", b"\x06\x02\xab\xce\0"]
    batch = make_batch(data)
    columns = compile_packet(layout, "P").extract(batch).columns
    definition = define(layout).any_apid
    for index, verdict in enumerate((Verdict.NONE, Verdict.GOOD)):
        packet = batch.packet(index)
        row = build_row(parse_primary_header(packet), definition.parse(packet[6:]), verdict)
        assert {name: column.values()[index] for name, column in columns.items()} == row


def test_the_header_and_the_verdict_are_columns(make_batch):
    columns = extract(Int8ub, [b"\1", b"\2", b"\3"], make_batch).columns
    assert columns["apid"].raw.tolist() == [0x42] * 3
    assert columns["sequence_count"].raw.tolist() == [7] * 3
    assert columns["crc_verdict"].values() == ["none", "good", "damaged"]
    assert columns["value"].raw.tolist() == [1, 2, 3]


def test_packets_may_come_without_a_primary_header(make_batch):
    layout = Struct("header" / Bytes(6), "value" / Int8ub)
    columns = extract(layout, [b"\1", b"\2"], make_batch, has_header=False).columns
    assert list(columns) == ["header", "value", "crc_verdict"]
    assert columns["value"].raw.tolist() == [1, 2]


def test_what_is_left_out_is_not_present(make_batch):
    layout = Struct("n" / Int8ub, "a" / If(this.n == 1, Int8ub))
    column = extract(layout, [b"\1\x07", b"\0", b"\1\x09"], make_batch).columns["a"]
    assert column.present.tolist() == [True, False, True]
    assert column.values() == [7, None, 9]


def test_units_come_from_the_definition(make_batch):
    layout = Struct(
        "volts" / field(Int16ub, unit="V"), "list" / field(GreedyRange(Int8ub), unit="A")
    )
    columns = extract(layout, [b"\0\1\2"], make_batch).columns
    assert columns["volts"].unit == "V"
    assert columns["list[]"].unit == "A"
    assert columns["apid"].unit == ""


def test_integers_have_the_narrowest_type(make_batch):
    layout = BitStruct(
        "a" / BitsInteger(8), "b" / BitsInteger(9), "c" / BitsInteger(17), "d" / BitsInteger(33),
        "e" / BitsInteger(8, signed=True), "f" / BitsInteger(9, signed=True), "g" / BitsInteger(4),
    )  # fmt: skip
    columns = extract(layout, [bytes(11)], make_batch).columns
    types = [columns[name].raw.dtype.str[1:] for name in "abcdefg"]
    assert types == ["u1", "u2", "u4", "u8", "i1", "i2", "u1"]


def test_floats_keep_their_width_and_their_bits(make_batch):
    layout = Struct("h" / Float16b, "f" / Float32b, "d" / Float64b)
    quiet = "7fc12345"  # A NaN with a payload.
    data = bytes.fromhex("c000" + quiet + "fff8000000000123")
    columns = extract(layout, [data], make_batch).columns
    assert [columns[name].raw.dtype.str[1:] for name in "hfd"] == ["f2", "f4", "f8"]
    assert columns["f"].raw.view(np.uint32)[0] == int(quiet, 16)
    assert columns["d"].raw.view(np.uint64)[0] == 0xFFF8000000000123
    assert columns["h"].raw[0] == -2.0


@pytest.mark.parametrize("bits", ["7e01", "7c01", "7fff", "fe01", "fc01", "ffff"])
def test_of_a_nan_of_16_bits_the_sign_is_kept_as_in_python(make_batch, bits):
    data = bytes.fromhex(bits)
    raw = extract(Float16b, [data], make_batch).columns["value"].raw
    theirs = struct.unpack(">e", data)[0]
    assert struct.pack(">d", raw.tolist()[0]) == struct.pack(">d", theirs)


# --- Failures -------------------------------------------------------------------------------------

CHECKED = Struct(
    "a" / Int8ub, "sync" / Const(5, Int8ub), "n" / Int8ub, "d" / Bytes(this.n), "z" / Int8ub
)
GOOD = b"\1\5\2xy\7"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\1\6\0\0", "P.sync: parsing expected 5 but parsed 6"),
        (b"\1", "P.sync: stream read less than specified amount, expected 1, found 0"),
        (b"\1\5\2x", "P.d: stream read less than specified amount, expected 2, found 1"),
        (b"\1\5\2xy", "P.z: stream read less than specified amount, expected 1, found 0"),
        (b"\1\5\2xyzz", "P: 1 of 7 octets stay unread"),
    ],
)
def test_a_packet_that_is_refused_says_why_and_leaves_the_others_alone(make_batch, data, message):
    found = extract(CHECKED, [GOOD, data, GOOD], make_batch)
    assert found.indices.tolist() == [0, 2]
    assert found.columns["z"].raw.tolist() == [7, 7]
    assert found.columns["crc_verdict"].values() == ["none", "damaged"]
    (failure,) = found.failures
    assert failure.index == 1
    assert str(failure.error) == message


def test_failures_of_all_kinds_in_one_block_are_all_found(make_batch):
    bad = [b"\1\6\0\0", b"\1", b"\1\5\2x", b"\1\5\2xyzz", b""]
    data = [GOOD, *bad, GOOD, *bad, GOOD]
    found = extract(CHECKED, data, make_batch)
    assert found.indices.tolist() == [0, 6, 12]
    assert found.failures.indices.tolist() == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11]
    assert [failure.index for failure in found.failures[:2]] == [1, 2]


def test_a_field_left_out_in_a_second_attempt_is_not_present(make_batch):
    """The first attempt at a block writes values that the second must not show."""
    layout = Struct("n" / Int8ub, "a" / If(this.n == 1, Int8ub), Const(b"."))
    data = [b"\1\x07.", b"\1\x08!", b"\0.", b"\1\x09."]
    found = extract(layout, data, make_batch)
    assert found.indices.tolist() == [0, 2, 3]
    assert found.columns["a"].values() == [7, None, 9]


def test_no_packet_and_no_good_packet_give_empty_columns(make_batch):
    for data in ([], [b"\1", b""]):
        found = extract(HOUSEKEEPING, data, make_batch)
        assert len(found.failures) == len(data)
        assert all(len(column) == 0 for column in found.columns.values())
        assert found.columns["events[].code"].offsets.tolist() == [0]


@pytest.mark.parametrize(
    "item", [Computed(1), Pass, GreedyBytes, If(this.n, Int8ub), Struct("y" / Computed(this._.n))]
)
def test_a_list_that_would_never_end_is_refused(item):
    layout = Struct("n" / Int8ub, "x" / GreedyRange(item))
    with pytest.raises(InputError) as caught:
        compile_packet(layout, "P")
    assert str(caught.value) == "P.x: a list of items that may take no octets has no end"


# --- Blocks ---------------------------------------------------------------------------------------


def test_results_do_not_depend_on_how_packets_are_cut_into_blocks(make_batch, monkeypatch):
    source = np.random.default_rng(3)
    data = [
        housekeeping(source.integers(0, 256, (count, 2)).tolist(), source.bytes(count * 3))
        for count in source.integers(0, 6, 200)
    ]
    data[50] = data[120] = b"\0"
    batch = make_batch(data)
    whole = compile_packet(HOUSEKEEPING, "P").extract(batch)
    for size in (1, 7, 64):
        monkeypatch.setattr(plan_module, "MAX_BLOCK_PACKETS", size)
        parts = compile_packet(HOUSEKEEPING, "P").extract(batch)
        assert parts.indices.tolist() == whole.indices.tolist()
        for name, column in whole.columns.items():
            other = parts.columns[name]
            assert other.raw.dtype == column.raw.dtype
            assert np.array_equal(other.raw, column.raw), name
            assert (other.offsets is None) == (column.offsets is None)
            assert column.offsets is None or np.array_equal(other.offsets, column.offsets)


def test_packets_with_gaps_are_read_as_packets_in_a_row_are(make_batch):
    layout = Struct("a" / Int8ub, "b" / BitStruct("x" / BitsInteger(12), "y" / BitsInteger(4)))
    data = [bytes([i, i * 7 % 256, i * 5 % 256]) for i in range(100)]
    plan = compile_packet(layout, "P")
    in_a_row = plan.extract(make_batch(data)).columns
    with_gaps = plan.extract(make_batch(data, b"\xee" * 5)).columns
    uneven = make_batch(data, b"\xee")
    uneven.starts[50:] += 0
    every_third = type(uneven)(
        uneven.octets, uneven.starts[::3], uneven.lengths[::3], 0, uneven.verdicts[::3]
    )
    for name in ("a", "b.x", "b.y"):
        assert np.array_equal(in_a_row[name].raw, with_gaps[name].raw)
        assert np.array_equal(in_a_row[name].raw[::3], plan.extract(every_third).columns[name].raw)


# --- What is left to construct --------------------------------------------------------------------


def test_columns_of_a_definition_left_to_construct_are_of_the_same_form(make_batch):
    layout = Struct(
        "n" / Int8ub,
        "mode" / Enum(Int8ub, on=1),
        "id" / Bytes(2),
        "big" / Int64ub,
        "double" / Computed(lambda c: c.n * 2),
    )
    found = extract(layout, [b"\1\1ab" + b"\xff" * 8, b"\2\5cd" + bytes(8), b"\3"], make_batch)
    columns = found.columns
    assert found.indices.tolist() == [0, 1]
    assert columns["double"].raw.tolist() == [2, 4]
    assert columns["mode"].raw.tolist() == [1, 5]
    assert columns["mode"].categories == {1: "on"}
    assert columns["id"].values() == ["6162", "6364"]
    assert columns["big"].raw.dtype == np.uint64
    assert columns["apid"].raw.tolist() == [0x42] * 2
    assert str(found.failures[0].error).startswith("P.mode: stream read less")


def twice(context):
    """A function as users write them."""
    return 2 * context.n


def test_beside_a_function_other_fields_are_compiled(make_batch):
    layout = Struct(
        "n" / Int8ub,
        "twice" / field(Computed(twice), unit="V"),
        "words" / Array(this.n, Int16ub),
        "sizes" / Computed(lambda context: {"low": context.n, "all": [context.twice, "x"]}),
        "rest" / Bytes(lambda context: context.n),
        "last" / construct.VarInt,
    )
    data = [b"\1\0\7a\5", b"\2\0\7\0\x09bc\x81\1", b"\0\5", b"\3\0"]
    plan = compile_packet(layout, "P")
    found = plan.extract(make_batch(data))
    columns = found.columns
    assert list(columns)[7:-1] == [
        "n", "twice", "words[]", "sizes.low", "sizes.all[0]", "sizes.all[1]", "rest", "last",
    ]  # fmt: skip
    assert found.indices.tolist() == [0, 1, 2]
    assert columns["n"].raw.dtype == np.uint8
    assert columns["twice"].raw.tolist() == [2, 4, 0]
    assert columns["twice"].unit == "V"
    assert columns["words[]"].rows() == [[7], [7, 9], []]
    assert columns["rest"].values() == ["61", "6263", ""]
    assert columns["last"].raw.tolist() == [5, 129, 5]
    assert not plan.is_compiled
    assert not plan.is_whole
    assert [fallback.path for fallback in plan.fallbacks] == [
        "P.twice", "P.sizes", "P.rest", "P.last",
    ]  # fmt: skip


def test_a_function_in_a_list_is_a_column_of_the_list(make_batch):
    item = Struct("n" / Int8ub, "twice" / Computed(twice), "at" / Computed(lambda c: c._index))
    plan = compile_packet(Struct("items" / GreedyRange(item)), "P")
    columns = plan.extract(make_batch([b"\1\2", b"", b"\3"])).columns
    assert columns["items[].twice"].rows() == [[2, 4], [], [6]]
    assert columns["items[].at"].rows() == [[0, 1], [], [0]]
    assert not plan.is_whole


def test_a_function_may_ask_for_lists_octets_and_what_an_if_left_out(make_batch):
    item = Struct("k" / Enum(Int8ub, one=1), "v" / Int8ub)
    layout = Struct(
        "inner" / Struct("n" / Int8ub, "list" / Array(this.n & 3, item)),
        "extra" / If(this.inner.n & 4, Array(2, Int8ub)),
        "rest" / GreedyBytes,
        "sum" / Computed(lambda context: sum(item.v for item in context.inner.list)),
        "keys" / Computed(lambda context: "".join(str(item.k) for item in context.inner.list)),
        "more" / Computed(lambda context: context.extra and context.extra[1]),
        "size" / Computed(lambda context: len(context.rest)),
        "second" / Computed(this.extra[1] + this.inner.n),
    )
    data = [b"\6\1\5\2\6\7\x08xyz", b"\4\1\2"]
    plan = compile_packet(layout, "P")
    columns = plan.extract(make_batch(data)).columns
    assert columns["sum"].raw.tolist() == [11, 0]
    assert columns["keys"].values() == ["one2", ""]
    assert columns["more"].values() == [8, 2]
    assert columns["size"].raw.tolist() == [3, 0]
    assert columns["second"].raw.tolist() == [14, 6]
    assert columns["inner.list[].v"].rows() == [[5, 6], []]
    assert not plan.is_whole


def test_a_function_that_asks_for_more_than_columns_hold_gets_it_from_construct(make_batch):
    layout = Struct(
        "inner" / Struct("n" / Int8ub),
        "at" / Computed(lambda context: context.inner._io.tell()),
        "rest" / Bytes(2),
    )
    plan = compile_packet(layout, "P")
    assert not plan.is_whole
    for _ in range(2):
        columns = plan.extract(make_batch([b"\2\5\6", b"\0"])).columns
        assert columns["inner.n"].raw.tolist() == [2]
        assert columns["at"].raw.tolist() == [1]
        assert plan.is_whole
    assert [str(fallback) for fallback in plan.fallbacks] == [
        "P.at: a Python function",
        "P.at: a function that asks for inner._io",
    ]


def test_a_function_sees_the_context_of_construct(make_batch):
    """As in SUDA's packets: the place in the packet, and how far it goes."""

    def left(context):
        assert context._parsing
        assert not context._building
        stream = context._io
        here, end = stream.tell(), stream.seek(0, 2)
        stream.seek(here)
        return [here, end - here, context._root is context, sorted(context._subcons)]

    layout = Struct("n" / Int8ub, "left" / Computed(left), "rest" / GreedyBytes)
    columns = compile_packet(layout, "P").extract(make_batch([b"\1abc"], b"!")).columns
    found = [columns[f"left[{i}]"].raw.tolist()[0] for i in range(3)]
    assert found == [1, 3, True]
    assert columns["left[3][0]"].values() == ["left"]


def test_a_function_that_changes_the_context_does_so_as_in_construct(make_batch):
    layout = Struct(
        "n" / Int8ub,
        "a" / Computed(lambda context: context.update({"hidden": 7}) or 1),
        "b" / Computed(lambda context: context.hidden + context.n),
    )
    columns = compile_packet(layout, "P").extract(make_batch([b"\1", b"\2"])).columns
    assert columns["b"].raw.tolist() == [8, 9]


def test_every_reason_is_told_even_where_one_takes_the_whole_packet():
    layout = Struct(
        "n" / Int8ub,
        "maybe" / If(this.n == 1, Int8ub),
        "twice" / Computed(twice),
        "both" / Computed(this.maybe + this.n),
        "hooked" / Int8ub * (lambda value, context: None),
        "text" / construct.CString("ascii"),
        "bits" / BitStruct("x" / BitsInteger(8), "y" / Computed(lambda context: context.x)),
        "after" / Computed(this.both),
    )
    plan = compile_packet(layout, "P")
    assert plan.is_whole
    assert [str(fallback) for fallback in plan.fallbacks] == [
        "P.twice: a Python function",
        "P.both: a field that an If or Switch may leave out",
        "P.hooked: a function that is called when the field is parsed",
        "P.text: StringEncoded, which is construct's own to parse",
        "P.bits.y: a Python function",
        "P.after: a value that construct, or a function, gives",
    ]


def test_a_plan_says_what_is_left_to_construct_and_why():
    plan = compile_packet(Struct("a" / Struct("x" / Computed(lambda c: 1))), "HK")
    assert not plan.is_compiled
    assert [str(fallback) for fallback in plan.fallbacks] == ["HK.a.x: a Python function"]
    assert compile_packet(construct.Struct("a" / Int8ub), "HK").is_compiled
