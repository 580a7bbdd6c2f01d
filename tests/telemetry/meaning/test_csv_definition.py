# SPDX-License-Identifier: Apache-2.0
"""CSV definitions decode to what ccsdspy itself gives for the same file and the same packets."""

import io
import json
import logging
from pathlib import Path

import ccsdspy
import numpy as np
import pytest
from ccsdspy.packet_types import _get_fields_csv_file

from telemetry.columns.csv_definition import load_csv_layout, parse_csv_layout
from telemetry.columns.loading import load_definition
from telemetry.errors import InputError

DATA = Path(ccsdspy.__file__).parent / "tests" / "data"
HEADER_OCTETS = 6

logging.getLogger("ccsdspy").setLevel(logging.CRITICAL)


def split(stream):
    """Return the data fields of packets that follow one another."""
    found, at = [], 0
    while at < len(stream):
        end = at + int.from_bytes(stream[at + 4 : at + 6], "big") + 7
        found.append(stream[at + HEADER_OCTETS : end])
        at = end
    return found


def own_fields(path):
    """Return ccsdspy's fields; offsets from 0 moved behind the primary header, as documented."""
    fields = _get_fields_csv_file(str(path))
    if any(field._bit_offset is not None and field._bit_offset < 48 for field in fields):
        for field in fields:
            field._bit_offset += 48
    return fields


def assert_equal(columns, theirs):
    """Compare our columns (`x`, `x[1][2]`, `x[]`) with arrays of ccsdspy."""
    compared = 0
    for name, expected in theirs.items():
        if expected.dtype == object:  # Arrays of variable length, one for each packet.
            column = columns[f"{name}[]"]
            ours = np.split(column.raw, column.offsets[1:-1])
            assert all(map(np.array_equal, ours, expected)), name
            compared += 1
            continue
        for index in np.ndindex(expected.shape[1:]):
            ours = columns[name + "".join(f"[{n}]" for n in index)].raw
            wanted = expected[(slice(None), *index)]
            if wanted.dtype.kind == "S":
                assert [bytes(value) for value in ours] == [
                    value.ljust(wanted.itemsize, b"\0") for value in wanted.tolist()
                ], name
            else:
                np.testing.assert_array_equal(ours, wanted, err_msg=name)
            compared += 1
    assert compared == len(columns)


def without_fill(arrays, fields):
    fill = {field.name for field in fields if field.data_type == "fill"}
    return {name: array for name, array in arrays.items() if name not in fill}


@pytest.mark.parametrize("apid", [130, 251, 895])
def test_packets_of_the_wheel_decode_as_ccsdspy_decodes_them(raw_columns, apid):
    # 251 and 895 have fields that share bits; 1, 10 and 35 describe no packet that is there.
    folder = DATA / "hs" / f"apid{apid:03d}"
    (dump,) = folder.glob("*.tlm")
    fields = own_fields(folder / "defs.csv")
    theirs = ccsdspy.FixedLength(fields).load(str(dump))
    columns = raw_columns(load_csv_layout(folder / "defs.csv"), split(dump.read_bytes()))
    assert_equal(columns, without_fill(theirs, fields))
    assert len(next(iter(theirs.values()))) > 10_000


FIXED = ["basic_csv_3col", "basic_csv_3col_with_array", "extended_csv_4col"]
FIXED += ["extended_csv_4col_with_array"]


def packets_of(data_fields):
    stream = b""
    for count, data in enumerate(data_fields):
        header = (0x0842, 0xC000 | count, len(data) - 1)
        stream += b"".join(word.to_bytes(2, "big") for word in header) + data
    return stream


@pytest.mark.parametrize("name", FIXED)
def test_fixed_definitions_of_the_wheel_decode_random_packets_as_ccsdspy(raw_columns, name):
    path = DATA / "packet_def" / f"{name}.csv"
    layout = load_csv_layout(path)
    random = np.random.default_rng(3)
    data = [random.bytes(layout.sizeof()) for _ in range(50)]
    fields = own_fields(path)
    theirs = ccsdspy.FixedLength(fields).load(io.BytesIO(packets_of(data)))
    assert_equal(raw_columns(layout, data), without_fill(theirs, fields))


@pytest.mark.parametrize("name", ["basic_csv_3col_with_expand", "basic_csv_3col_with_reference"])
def test_variable_definitions_of_the_wheel_decode_as_ccsdspy(raw_columns, name):
    # SHCOARSE 32, SHFINE 20, OPMODE 3, SPACER 1, VOLTAGE: OPMODE (0..7) octets, or the rest.
    path = DATA / "packet_def" / f"{name}.csv"
    random = np.random.default_rng(4)
    data = [
        random.bytes(6) + bytes([int(random.integers(16)) << 4 | size << 1]) + random.bytes(size)
        for size in (3, 1, 7, 5, 2)
    ]
    fields = own_fields(path)
    theirs = ccsdspy.VariableLength(fields).load(io.BytesIO(packets_of(data)))
    assert_equal(raw_columns(load_csv_layout(path), data), without_fill(theirs, fields))


GROWING = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]  # Elements, as the README beside the file says.


def test_packets_of_variable_length_of_the_wheel_decode_as_ccsdspy(raw_columns, tmp_path):
    path = tmp_path / "definition.csv"
    path.write_text("name,data_type,bit_length\ndata,uint(expand),16\n")
    file = DATA / "var_length" / "var_length_packets.bin"
    theirs = ccsdspy.VariableLength(own_fields(path)).load(str(file))
    columns = raw_columns(load_csv_layout(path), split(file.read_bytes()))
    assert_equal(columns, theirs)
    assert np.diff(columns["data[]"].offsets).tolist() == GROWING


def test_an_array_expands_up_to_the_fields_behind_it(tmp_path):
    path = tmp_path / "definition.csv"
    path.write_text("name,data_type,bit_length\ndata,uint(expand),16\nchecksum,uint,16\n")
    file = DATA / "var_length" / "var_length_packets_with_footer.bin"
    theirs = ccsdspy.VariableLength(own_fields(path)).load(str(file))
    layout = load_csv_layout(path)
    parsed = [layout.parse(data) for data in split(file.read_bytes())]
    assert [packet.checksum for packet in parsed] == theirs["checksum"].tolist()
    assert [list(packet.data) for packet in parsed] == [array.tolist() for array in theirs["data"]]
    assert [len(packet.data) for packet in parsed] == GROWING


@pytest.mark.outside_data
def test_noaa20_decodes_to_the_values_of_another_decoder(raw_columns, test_data):
    folder = test_data / "jpss_geolocation"
    (dump,) = folder.glob("*.DAT1")
    layout = load_csv_layout(folder / "ccsdspy_jpss1_geolocation.csv")
    columns = raw_columns(layout, split(dump.read_bytes()))
    records = json.loads((folder / "expected_every10.json").read_text())["records"]
    assert len(records) == 720
    values = {name: column.values() for name, column in columns.items()}
    assert len(values) == 20
    for record in records:
        assert {name: values[name][record["_i"]] for name in values} == {
            name: record[name] for name in values
        }


# --- Forms that ccsdspy does not have files for ---------------------------------------------------


def layout_of(rows, head="name,data_type,bit_length"):
    return parse_csv_layout(f"{head}\n{rows}\n", "x.csv")


def test_every_width_of_integers_and_floats_is_read_at_its_sign():
    layout = layout_of("a,int,8\nb,uint,24\nc,int,40\nd,float,16\ne,int,64\nf,str,24")
    data = bytes.fromhex("ff 800000 ffffffffff 3c00 ffffffffffffffff 414243".replace(" ", ""))
    assert layout.parse(data) == {"a": -1, "b": 1 << 23, "c": -1, "d": 1.0, "e": -1, "f": b"ABC"}
    bits = layout_of("a,int,4\nb,uint,12\nc,float,32\nd,str,8")
    assert bits.parse(bytes.fromhex("f8003f80000041")) == {"a": -1, "b": 2048, "c": 1.0, "d": b"A"}


def test_units_and_descriptions_are_kept():
    layout = layout_of("v,uint,16,mV,bus voltage", "name,data_type,bit_length,unit,description")
    assert layout.v.meaning.unit == "mV"
    assert layout.v.meaning.description == "bus voltage"


def test_a_crc_at_the_end_is_checked_beside_bit_fields(tmp_path):
    path = tmp_path / "MISSION.CSV"
    path.write_text("name,data_type,bit_length\na,uint,4\nb,uint,4\npacket_error_control,uint,16\n")
    packet = load_definition(str(path)).any_apid
    assert packet.rule.has_crc
    assert packet.rule.is_fixed


def test_offsets_count_from_the_packet_or_from_behind_its_header():
    head = "name,data_type,bit_length,bit_offset"
    with_header = layout_of("a,uint,8,56\nb,uint,8,72", head)
    without = layout_of("a,uint,8,8\nb,uint,8,24", head)
    for layout in (with_header, without):
        assert layout.sizeof() == 4
        parsed = layout.parse(b"\x01\x02\x03\x04")
        assert (parsed.a, parsed.b) == (2, 4)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "x.csv:1: no column 'name'; the first line names the columns"),
        ("name,data_type\n", "x.csv:1: no column 'bit_length'"),
        ("name,data_type,bit_length\n", "x.csv: no field below the first line"),
        ("\n,uint,8", "x.csv:2: no name"),
        ("\na,bool,8", "x.csv:2: field a: unknown data_type 'bool'; expected uint, int"),
        ("\na,uint,8.5", "x.csv:2: field a: bit_length is '8.5'; expected a whole number from 1"),
        ("\na,uint,0", "x.csv:2: field a: bit_length is '0'; expected a whole number from 1"),
        ("\na,uint,65", "x.csv:2: field a: an integer has at most 64 bits, not 65"),
        ("\na,float,24", "x.csv:2: field a: a float has 16, 32, 64 bits, not 24"),
        ("\na,str,12", "x.csv:2: field a: a str has whole octets, not 12 bits"),
        ("\na,uint,8\na,uint,8", "x.csv:3: field a: a row before it has this name too"),
        ("\na,uint(0),8", "x.csv:2: field a: an array of shape (0) has no element"),
        ('\na,"uint(4, n)",8', "x.csv:2: field a: shape (4, n); expected numbers, expand"),
        ("\na,uint(4, 5),8", "x.csv:2: field a: more cells than columns; put a shape"),
        ("\na,uint(n),8", "x.csv:2: field a: no single uint 'n' before it"),
        ("\na,uint(expand),8\nb,uint(expand),8", "x.csv:3: field b: only one array expands"),
        ("\na,uint(expand),12", "x.csv:2: field a: an array of variable length has elements of"),
        ("\na,uint,4", "x.csv: the fields take 4 bits, which are no whole octets; add fill"),
        ("\nn,uint,4\na,uint(n),8", "x.csv: field n: the bit fields up to here take 4 bits"),
        ("\na,uint(expand),8\nb,uint,4", "x.csv: field a: 4 bits follow it"),
        (
            "\nn,uint,8\na,uint(expand),8\nb,uint(n),8",
            "x.csv: field a: what follows an expanding array has a fixed length",
        ),
        ("\nc,uint,8\nb,uint(2),4\na,uint(3),4\nd,uint(c),8", "x.csv: field a: the bit fields"),
    ],
)
def test_each_mistake_names_its_line(text, mistake):
    text = f"name,data_type,bit_length{text}" if text.startswith("\n") else text
    with pytest.raises(InputError) as caught:
        parse_csv_layout(text, "x.csv")
    assert str(caught.value).startswith(mistake)


@pytest.mark.parametrize(
    ("rows", "mistake"),
    [
        ("a,float,32,0\nb,uint,8,8", "x.csv: field a: only single uint fields may share bits"),
        ("a,float,32,0\nb,uint,40,0", "x.csv: field b: it shares bits with a, no uint"),
        ("a,uint,8,0\nb,int,16,0", "x.csv: field b: only single uint fields may share bits"),
        ("a,uint,8,\n", "x.csv:2: field a: bit_offset is ''; expected a whole number from 0"),
        ("n,uint,8,0\na,uint(n),8,8", "x.csv:3: field a: with arrays of variable length there"),
    ],
)
def test_each_mistake_with_offsets_is_told(rows, mistake):
    with pytest.raises(InputError) as caught:
        layout_of(rows, "name,data_type,bit_length,bit_offset")
    assert str(caught.value).startswith(mistake)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(InputError) as caught:
        layout_of("a,bool,8\nb,uint,0\nc,uint,8")
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("octets", "mistake"),
    [
        (None, "no such file"),
        (b"\xff\xfe\x00", "this is no text"),
        (b"name\n\0", "no column 'data_type'"),
    ],
)
def test_a_file_that_is_no_table_is_told(tmp_path, octets, mistake):
    path = tmp_path / "x.csv"
    if octets is not None:
        path.write_bytes(octets)
    with pytest.raises(InputError, match=mistake) as caught:
        load_definition(str(path))
    assert str(caught.value).startswith(str(path))
