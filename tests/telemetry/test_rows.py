# SPDX-License-Identifier: Apache-2.0
"""Rows: names and values of columns, and the files that hold them."""

import csv
import io
import json
import math
import struct

import construct
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.columns.arrays import build_array
from telemetry.columns.column import Column
from telemetry.columns.flatten import build_row
from telemetry.ops import parquet
from telemetry.ops.output import Output
from telemetry.ops.parquet import ParquetWriter
from telemetry.ops.rows import CsvWriter, JsonLinesWriter, merge_columns
from telemetry.ops.table import Table
from telemetry.wire.space_packet import PrimaryHeader
from telemetry.wire.spans import Verdict

HEADER = PrimaryHeader(0, 0, 1, 66, 3, 17, 9)


def user_columns(layout, data):
    row = build_row(HEADER, layout.parse(data), Verdict.GOOD)
    return dict(list(row.items())[7:-1])


def test_header_columns_come_first_and_the_verdict_last():
    row = build_row(HEADER, construct.Struct("a" / construct.Int8ub).parse(b"\5"), Verdict.DAMAGED)
    assert list(row.items()) == [
        ("packet_version", 0),
        ("packet_type", 0),
        ("secondary_header_flag", 1),
        ("apid", 66),
        ("sequence_flags", 3),
        ("sequence_count", 17),
        ("data_length", 9),
        ("a", 5),
        ("crc_verdict", "damaged"),
    ]


def test_nested_structs_and_arrays_have_paths_as_names():
    rail = construct.Struct("id" / construct.Int8ub, "mv" / construct.Array(2, construct.Int8ub))
    layout = construct.Struct("psu" / construct.Struct("rails" / construct.Array(2, rail)))
    assert user_columns(layout, bytes(range(6))) == {
        "psu.rails[0].id": 0,
        "psu.rails[0].mv[0]": 1,
        "psu.rails[0].mv[1]": 2,
        "psu.rails[1].id": 3,
        "psu.rails[1].mv[0]": 4,
        "psu.rails[1].mv[1]": 5,
    }


def test_an_enum_is_its_name_and_keeps_its_raw_count():
    layout = construct.Struct("state" / construct.Enum(construct.Int8ub, off=0, on=3))
    row = user_columns(layout, b"\3")
    assert row == {"state": "on"}
    assert int(row["state"]) == 3


def test_an_enum_value_without_a_name_is_its_number():
    layout = construct.Struct("state" / construct.Enum(construct.Int8ub, off=0))
    assert user_columns(layout, b"\7") == {"state": 7}


def test_octets_are_hexadecimal_and_construct_s_own_names_are_left_out():
    flags = construct.FlagsEnum(construct.Int8ub, hot=1, cold=2)
    layout = construct.Struct(
        "blob" / construct.Bytes(2),
        "flags" / flags,
        "_hidden" / construct.Int8ub,
        construct.Padding(1),
    )
    assert user_columns(layout, b"\xca\xfe\1\0\0") == {
        "blob": "cafe",
        "flags.hot": True,
        "flags.cold": False,
    }


def test_a_field_named_like_a_header_column_is_kept_under_another_name():
    layout = construct.Struct("apid" / construct.Int8ub, "crc_verdict" / construct.Int8ub)
    assert user_columns(layout, b"\1\2") == {"data.apid": 1, "data.crc_verdict": 2}


def test_a_definition_without_names_gives_a_column_called_value():
    assert user_columns(construct.Int16ub, b"\1\0") == {"value": 256}
    assert user_columns(construct.Array(2, construct.Int8ub), b"\1\2") == {"[0]": 1, "[1]": 2}


# --- CSV ------------------------------------------------------------------------------------------


def columns_of(row):
    """Return a packet as columns; None is absent."""
    return [
        Column(
            name=name,
            raw=build_array([0 if value is None else value]),
            present=np.array([False]) if value is None else None,
        )
        for name, value in row.items()
    ]


def table_of(apid, row):
    return Table(apid, {column.name: column for column in columns_of(row)}, np.zeros(1, np.int64))


def written(writer_class, tmp_path, rows):
    writer = writer_class(tmp_path, "out")
    for row in rows:
        writer.write_columns(columns_of(row))
    writer.commit(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    return (tmp_path / "out").read_bytes()


def test_csv_follows_rfc_4180(tmp_path):
    # RFC 4180 section 2: CRLF, a header line, quotes doubled inside quotes.
    rows = [{"a": 'say "hi"', "b": "x,y"}, {"a": "two\nlines", "b": None}]
    assert written(CsvWriter, tmp_path, rows) == (b'a,b\r\n"say ""hi""","x,y"\r\n"two\nlines",\r\n')


def test_csv_floats_read_back_to_the_same_bits(tmp_path):
    values = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 1e22]
    values += [struct.unpack(">f", struct.pack(">f", 0.1))[0], math.inf, -math.inf]
    text = written(CsvWriter, tmp_path, [{"x": value} for value in values]).decode()
    found = [float(line) for line in text.split()[1:]]
    assert [struct.pack(">d", x) for x in found] == [struct.pack(">d", x) for x in values]


def test_csv_columns_that_come_late_reach_the_header_and_leave_earlier_cells_empty(tmp_path):
    rows = [
        {"n": 1, "v[0]": 10, "q": "good"},
        {"n": 2, "v[0]": 20, "v[1]": 21, "q": "good"},
        {"n": 3, "q": "a\nb"},
        {"n": 4, "v[0]": 40, "v[1]": 41, "v[2]": True, "q": "good"},
    ]
    text = written(CsvWriter, tmp_path, rows).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["n", "v[0]", "v[1]", "v[2]", "q"],
        ["1", "10", "", "", "good"],
        ["2", "20", "21", "", "good"],
        ["3", "", "", "", "a\nb"],
        ["4", "40", "41", "true", "good"],
    ]


def test_new_columns_stand_behind_the_one_they_follow():
    assert merge_columns(["a", "c"], ["a", "b", "c", "d"]) == ["a", "b", "c", "d"]
    assert merge_columns([], ["a", "b"]) == ["a", "b"]


cells = st.one_of(
    st.integers(), st.booleans(), st.none(), st.text(st.characters(codec="utf-8")), st.floats()
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), cells, min_size=1), min_size=1))
def test_any_rows_have_as_many_cells_as_the_header_in_every_line(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("rows")
    text = written(CsvWriter, folder, rows).decode()
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    assert {len(line) for line in lines if line} <= {len(header)}
    assert sorted(header) == sorted({name for row in rows for name in row})


# --- JSON lines -----------------------------------------------------------------------------------


def test_json_lines_keep_types_and_are_strict_json(tmp_path):
    layout = construct.Enum(construct.Int8ub, off=0)
    rows = [
        {"i": 1 << 70, "b": True, "s": 'x"\n', "none": None, "e": layout.parse(b"\0")},
        {"nan": math.nan, "inf": -math.inf, "e": layout.parse(b"\1")},
    ]
    lines = written(JsonLinesWriter, tmp_path, rows).decode().splitlines()
    refuse = pytest.fail
    assert [json.loads(line, parse_constant=refuse) for line in lines] == [
        {"i": 1 << 70, "b": True, "s": 'x"\n', "e": "off"},
        {"nan": "nan", "inf": "-inf", "e": 1},
    ]


# --- Parquet --------------------------------------------------------------------------------------


def test_parquet_columns_are_typed(tmp_path):
    state = construct.Enum(construct.Int8ub, off=0)
    row = {"i": -5, "u": (1 << 64) - 1, "f": 0.1, "b": True, "s": "x", "e": state.parse(b"\0")}
    written(ParquetWriter, tmp_path, [row, row])
    table = pq.read_table(tmp_path / "out")
    assert [str(t) for t in table.schema.types] == [
        "int64", "uint64", "double", "bool", "string", "string",
    ]  # fmt: skip
    assert table.to_pylist() == [row, row]


def test_parquet_mixed_and_very_large_values_become_text(tmp_path):
    rows = [{"m": "on", "big": 1 << 64}, {"m": 7, "big": 1}]
    written(ParquetWriter, tmp_path, rows)
    found = pq.read_table(tmp_path / "out").to_pylist()
    assert found == [{"m": "on", "big": str(1 << 64)}, {"m": "7", "big": "1"}]


def test_parquet_is_written_in_row_groups_and_joined_when_columns_change(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROW_GROUP_ROWS", 2)
    rows = [{"n": i, "q": "good"} for i in range(4)]
    rows += [{"n": i, "late": 0.5, "q": "good"} for i in range(4, 6)]
    rows += [{"n": "text", "q": None}]
    written(ParquetWriter, tmp_path, rows)
    file = pq.ParquetFile(tmp_path / "out")
    assert file.num_row_groups == 4
    assert file.schema_arrow.names == ["n", "late", "q"]
    table = file.read().to_pydict()
    assert table["n"] == ["0", "1", "2", "3", "4", "5", "text"]
    assert table["late"] == [None] * 4 + [0.5, 0.5, None]


# --- Several files --------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_files_have_their_names_only_after_the_commit(tmp_path, suffix):
    with Output(tmp_path / f"out.{suffix}") as output:
        output.take(table_of(66, {"a": 1}))
        output.take(table_of(67, {"b": 2}))
        assert not list(tmp_path.glob("out*"))
        output.commit()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"out.66.{suffix}", f"out.67.{suffix}"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_without_a_commit_nothing_stays_and_old_files_are_untouched(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(parquet, "ROW_GROUP_ROWS", 1)
    old = tmp_path / f"out.{suffix}"
    old.write_text("old")
    with Output(old) as output:
        output.take(table_of(66, {"a": 1}))
        assert len(list(tmp_path.iterdir())) == 2
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_one_apid_has_the_name_as_given_unless_split_is_wanted(tmp_path):
    for is_split, name in ((False, "out.csv"), (True, "out.66.csv")):
        with Output(tmp_path / "out.csv", is_split=is_split) as output:
            output.take(table_of(66, {"a": 1}))
            assert output.commit() == (tmp_path / name,)


# --- numpy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, -1], np.int64),
        ([0, (1 << 64) - 1], np.uint64),
        ([1 << 64, 1], object),
        ([(1 << 64) - 1, -1], object),
        ([0.5, 1.0], np.float64),
        ([True, False], np.bool_),
        (["on", 7], object),
        ([1, None], object),
        ([1, True], object),
    ],
)
def test_arrays_take_the_narrowest_type_that_changes_no_value(values, dtype):
    array = build_array(values)
    assert array.dtype == dtype
    assert array.tolist() == values


def test_text_columns_are_text():
    assert build_array(["a", "bcd"]).dtype.kind == "U"
