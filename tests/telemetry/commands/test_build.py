# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry build`: rows back to packets, and back to the same rows."""

import json
import struct

import construct as c
import pytest

import telemetry
from telemetry import Names, field
from telemetry.columns.definition import define
from telemetry.errors import InputError
from telemetry.ops.build import Builder, build_packets

STATE = c.Enum(c.Int8ub, off=0, on=1)
RICH = c.Struct(
    "flags" / c.BitStruct("mode" / c.Enum(c.Nibble, safe=0, work=1), "heater" / c.Nibble),
    c.Padding(1),
    "apid" / c.Int16ub,  # Called like a column of ours.
    "magic" / c.Const(b"\xab\xcd"),
    "rails" / c.Array(2, c.Struct("volts" / c.Float32b, "state" / STATE)),
    "kind" / c.Int8ub,
    "body" / c.Switch(c.this.kind, {1: c.Struct("key" / c.Bytes(3)), 2: "n" / c.Int32sl}),
    "extra" / c.If(c.this.kind == 2, c.Int16ul),
    "count" / c.Rebuild(c.Int8ub, c.len_(c.this.samples)),
    "samples" / c.Array(c.this.count, c.Int16sb),
    "sum" / c.Computed(c.this.kind + 1),
    "named" / field(c.Int8ub, calibration=Names(((3, "three"), (4, "four")))),
    "volts" / field(c.Int16ub, unit="V", calibration=(0, 0.5), limits={"warning": (0, 9)}),
    "words" / c.PaddedString(12, "utf8"),
    "packet_error_control" / c.Int16ub,
)


def rich(number):
    """Values of RICH that differ from packet to packet."""
    kind = number % 3
    return {
        "flags": {"mode": number % 5, "heater": number % 16},
        "apid": 60_000 + number,
        "rails": [
            {"volts": number / 7, "state": "on"}, {"volts": float("inf"), "state": 77},
        ],
        "kind": kind,
        "body": {0: None, 1: {"key": bytes((number, 0, 255))}, 2: -number}[kind],
        "extra": number if kind == 2 else None,
        "samples": list(range(-(number % 4), 0)),
        "named": 3 + number % 3,
        "volts": number,
        "words": "<b>\x1bé"[: number % 5],
        "packet_error_control": 0,
    }  # fmt: skip


@pytest.fixture
def rich_dump(make_packet):
    """Packets of RICH whose data fields construct built, with a gap in their counts."""
    data = [RICH.build(rich(number))[:-2] for number in range(40)]
    return b"".join(make_packet(66, 2 * index, payload) for index, payload in enumerate(data))


def test_packets_built_from_rows_are_the_packets_the_rows_came_from(rich_dump):
    rows = telemetry.decode(rich_dump, {66: RICH}).rows(66)
    assert b"".join(build_packets(rows, define({66: RICH}))) == rich_dump


def test_rows_survive_json_and_back(rich_dump, call, tmp_path):
    (tmp_path / "d.bin").write_bytes(rich_dump)
    (tmp_path / "m.py").write_text(
        "import sys\nsys.path.insert(0, '" + str(tmp_path) + "')\n"
        "from construct import *\n"
        "P = Struct('a' / Float64b, 'b' / Bytes(9), 'packet_error_control' / Int16ub)\n"
    )
    build_it = ("build", "--definition", "m.py:P", "--json", "v.jsonl", "-o", "again.bin")
    rows = [{"apid": 9, "a": a, "b": "00" * 9} for a in (1.5, "nan", "-inf", 2)]
    (tmp_path / "v.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = call(*build_it)
    assert done.returncode == 0, done.stderr
    assert "wrote again.bin: 4 packets, 100 bytes" in done.stderr
    first = (tmp_path / "again.bin").read_bytes()
    decode = ("decode", "again.bin", "--definition", "m.py:P", "-o", "v.jsonl")
    assert call(*decode).returncode == 0
    lines = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text().splitlines()]
    assert [line["a"] for line in lines] == [1.5, "nan", "-inf", 2.0]
    assert {line["crc_verdict"] for line in lines} == {"good"}
    assert [line["sequence_count"] for line in lines] == [0, 1, 2, 3]
    assert call(*build_it).returncode == 0
    assert (tmp_path / "again.bin").read_bytes() == first


FRAMINGS = (
    "none", "kiss", "slip", "cobs", "length:2be", "length:4le:inclusive", "fixed:70", "fixed:80",
)  # fmt: skip


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("prefix", ["", "c0db00"])
def test_frames_are_decoded_to_the_values_they_were_built_from(
    call, dump_of, mission, tmp_path, framing, prefix
):
    (tmp_path / "d.bin").write_bytes(b"".join(dump_of(40)))
    options = ("--definition", "mission.py:PACKETS")
    call("decode", "d.bin", *options, "-o", "v.jsonl")
    wrapped = ("--framing", framing, "--prefix", prefix)
    done = call("build", *options, "--json", "v.jsonl", *wrapped, "-o", "framed.bin")
    assert done.returncode == 0, done.stderr
    unwrapped = ("--framing", framing, "--skip", len(prefix) // 2)
    done = call("decode", "framed.bin", *options, *unwrapped, "-o", "again.jsonl")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "v.jsonl").read_bytes()


@pytest.mark.parametrize("framing", ["kiss", "slip", "cobs", "length:2be", "fixed:14"])
@pytest.mark.parametrize("definition", ["mission.py:PACKETS", "mission.py:PACKET"])
def test_data_fields_without_headers_are_built_and_decoded(
    call, mission, tmp_path, framing, definition
):
    rows = [
        {"number": i, "data": f"{i:016x}", "packet_error_control": 5 * i, "crc_verdict": "none"}
        for i in range(30)
    ]
    (tmp_path / "v.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ("--definition", definition, "--framing", framing, "--no-primary-header")
    done = call("build", *options, "--json", "v.jsonl", "-o", "framed.bin")
    assert done.returncode == 0, done.stderr
    done = call("decode", "framed.bin", *options, "-o", "again.jsonl")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "again.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == rows
    if framing == "fixed:14":
        data = b"".join(struct.pack(">IQH", i, i, 5 * i) for i in range(30))
        assert (tmp_path / "framed.bin").read_bytes() == data


def test_the_apid_of_the_option_is_that_of_rows_without_one(make_packet):
    definition = define({5: c.Int8ub, 6: c.Int16ub})
    assert Builder(definition, apid=6).build({"value": 7}) == make_packet(6, 0, b"\0\7", crc=False)
    assert Builder(definition, apid=6).build({"value": 7, "apid": 5})[1] == 5


def test_a_row_may_leave_out_the_header_and_the_crc(dump_of):
    """The packets of `dump_of` come from spacepackets and crcmod."""
    layout = c.Struct("number" / c.Int32ub, "data" / c.Bytes(8), "packet_error_control" / c.Int16ub)
    rows = ({"number": i, "data": bytes(range(i, i + 8)).hex()} for i in range(20))
    assert list(build_packets(rows, define({66: layout}))) == dump_of(20)


def test_the_count_goes_on_from_a_row_that_gives_one_and_wraps():
    builder = Builder(define({5: c.Struct("n" / c.Int8ub)}))
    rows = [{"n": 0, "sequence_count": 16382}, {"n": 1}, {"n": 2}]
    counts = [int.from_bytes(builder.build(row)[2:4], "big") & 0x3FFF for row in rows]
    assert counts == [16382, 16383, 0]


@pytest.mark.parametrize(
    ("layout", "octets"),
    [
        (c.Bytes(3), b"abc"),
        (c.Struct("value" / c.Int8ub), b"a"),
        (c.Array(3, c.Int8ub), b"abc"),
        (c.Sequence(c.Int8ub, c.Struct("x" / c.Int16ub)), b"abc"),
        ("top" / c.BitStruct("value" / c.Octet), b"a"),
        (c.Enum(c.Int8ub, one=1), b"\1"),
        (c.RepeatUntil(lambda item, *_: item.last, c.Struct("last" / c.Flag)), b"\0\0\1"),
        (c.PascalString(c.Int8ub, "utf8"), b"\2hi"),
    ],
)
def test_layouts_that_are_no_struct_are_built_too(make_packet, layout, octets):
    packet = make_packet(5, 0, octets, crc=False)
    rows = telemetry.decode(packet, {5: layout}).rows(5)
    assert list(build_packets(rows, define({5: layout}))) == [packet]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"n": 256}, "definition[5].n: "),
        ({}, "definition[5].n: "),
        ({"n": [1]}, "definition[5].n: "),
        ({"n": 1, "b": "xyz"}, "expected bytes in hexadecimal, not 'xyz'"),
        ({"apid": 7, "n": 1}, "apid: 7 is not in the definition, which has 5"),
        ({"apid": "x", "n": 1}, "apid: expected a number, not 'x'"),
        ({"n": 1, "b": "0001", "sequence_count": 16384}, "sequence_count is 16384; it holds 0.."),
        ({"": 1}, "'' is no name of a field"),
        ({"n": 1, "n.a": 2}, "n.a: there is a value at a name before it"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named(row, message):
    definition = define({5: c.Struct("n" / c.Int8ub, "b" / c.Bytes(2))})
    with pytest.raises(InputError) as caught:
        Builder(definition).build(row)
    assert message in str(caught.value)


def test_octets_have_their_length_for_functions_and_expressions(make_packet):
    """As in SUDA's packets, where a function measures the octets that are built."""
    layout = c.Struct(
        "size" / c.Rebuild(c.Int8ub, c.len_(c.this.first)),
        "first" / field(c.Bytes(c.this.size)),
        "rest" / c.Bytes(lambda context: len(context.rest) if context._building else 3),
    )
    packet = make_packet(5, 0, b"\2abcde", crc=False)
    rows = telemetry.decode(packet, {5: layout}).rows(5)
    assert rows[0]["rest"] == b"cde".hex()
    assert list(build_packets(rows, define({5: layout}))) == [packet]


def test_all_mistakes_of_a_file_are_told_and_nothing_is_written(call, mission, tmp_path):
    lines = [{"number": 1, "data": "00" * 8}, {"number": -1, "data": "00" * 8}, {"data": "00" * 8}]
    (tmp_path / "v.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = call("build", "--definition", "mission.py:PACKETS", "--json", "v.jsonl", "-o", "out.bin")
    assert done.returncode == 3
    assert "v.jsonl:2: PACKETS[66].number: " in done.stderr
    assert "v.jsonl:3: PACKETS[66].number: " in done.stderr
    assert not (tmp_path / "out.bin").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "v.jsonl:1: no JSON: "),
        ("[1]", 'v.jsonl:1: expected an object, as {"volts": 28.5}'),
        ("", "v.jsonl: there is no row in it"),
        (None, "v.jsonl: No such file"),
    ],
)
def test_a_file_that_holds_no_rows_is_refused(call, mission, tmp_path, content, message):
    if content is not None:
        (tmp_path / "v.jsonl").write_text(content)
    done = call("build", "--definition", "mission.py:PACKETS", "--json", "v.jsonl", "-o", "out.bin")
    assert done.returncode == 3
    assert message in done.stderr


def test_wrong_arguments_are_told(call, mission, tmp_path):
    (tmp_path / "v.jsonl").write_text("{}")
    base = ("build", "--definition", "mission.py:PACKETS", "--json", "v.jsonl")
    assert call(*base, "-o", "none/out.bin").returncode == 2
    assert call(*base, "-o", "v.jsonl").returncode == 2
    assert call(*base).returncode == 2
    for options, message in (
        (("--framing", "kis"), "did you mean kiss?"),
        (("--framing", "length:3be"), "expected length:1, length:2be"),
        (("--prefix", "xy"), "'xy' is not hexadecimal"),
        (("--no-primary-header",), "nothing says where a packet ends"),
    ):
        done = call(*base, "-o", "out.bin", *options)
        assert done.returncode == 2
        assert message in done.stderr


def test_a_packet_that_does_not_fit_its_frame_is_named(call, mission, tmp_path):
    lines = [{"number": 1, "data": "00" * 8}]
    (tmp_path / "v.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    options = ("--definition", "mission.py:PACKETS", "--framing", "fixed:19")
    done = call("build", *options, "--json", "v.jsonl", "-o", "out.bin")
    assert done.returncode == 3
    assert "v.jsonl:1: 20 bytes; a frame of fixed:19 takes up to 19" in done.stderr


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{"data": "0011223344556677"}', "PACKET.number: the row has no value for it"),
        ('{"number": 7}', "PACKET.data: the row has no value for it"),
        (
            '{"number": 7, "data": "0011223344556677", "numbr": 8}',
            "PACKET: there is no field 'numbr'; did you mean number?",
        ),
    ],
)
def test_a_name_that_is_missing_or_unknown_is_told(call, mission, tmp_path, row, told):
    (tmp_path / "rows.jsonl").write_text(row)
    options = ("--definition", "mission.py:PACKET", "--apid", "66", "--json", "rows.jsonl")
    done = call("build", *options, "-o", "d.bin")
    assert done.returncode == 3
    assert done.stderr == f"rows.jsonl:1: {told}\n"
    assert not (tmp_path / "d.bin").exists()
