# SPDX-License-Identifier: Apache-2.0
"""Columns all the way: the same values as packet by packet through construct and row by row."""

import csv
import json
import random
from dataclasses import replace

import construct as c
import pyarrow.parquet as pq
import pytest
from construct import this
from hypothesis import given, settings
from hypothesis import strategies as st

import telemetry
from telemetry import field
from telemetry.columns.definition import define
from telemetry.columns.field_path import FieldError
from telemetry.columns.flatten import build_row, plain
from telemetry.ops import parquet
from telemetry.ops.decode import decode_to_files
from telemetry.ops.ledger import Ledger
from telemetry.ops.options import Options
from telemetry.wire.deframer import Deframer
from telemetry.wire.space_packet import PRIMARY_HEADER_OCTETS
from telemetry.wire.spans import Kind

STATE = c.Enum(c.Int8ub, off=0, on=1, safe=2)
FIXED = c.Struct(
    "number" / c.Int32ub,
    "apid" / c.Int16sl,
    "ratio" / c.Float32b,
    "half" / c.Float16l,
    "state" / STATE,
    "big" / c.Int64ub,
    "bits" / c.BitStruct("a" / c.BitsInteger(12), "flag" / c.Flag, c.Padding(3)),
    "rails" / c.Array(3, c.Struct("mv" / c.Int16ub, "on" / c.Flag)),
    "blob" / c.Bytes(3),
    "packet_error_control" / c.Int16ub,
)
RAGGED = c.Struct(
    "n" / c.Int8ub,
    "events" / c.Array(this.n & 7, c.Struct("code" / c.Int8ub, "value" / c.Float64b)),
    "tail" / c.GreedyBytes,
)
CHOICE = c.Struct(
    "kind" / c.Int8ub,
    "body"
    / c.Switch(
        this.kind & 3,
        {0: c.Struct("x" / c.Int16ub), 1: c.Struct("y" / c.Float32b, "z" / STATE)},
        default=c.Pass,
    ),
    "rest" / c.GreedyRange(c.Int16ub),
)
FALLBACK = c.Struct(
    "n" / c.Int8ub,
    "odd" / c.Computed(lambda context: 10 // (context.n & 15)),
    "text" / c.GreedyBytes,
)
DEFINITIONS = {
    "fixed": {66: FIXED},
    "ragged": {67: RAGGED},
    "choice": {67: CHOICE},
    "fallback": {67: FALLBACK},
    "several": {66: FIXED, 67: RAGGED, 68: CHOICE},
    "any": RAGGED,
}


def by_rows(stream, definition):
    """Decode as one would without columns: each packet by construct; return rows by APID."""
    ledger, rows = Ledger(), {}
    deframer = Deframer(definition.rules())
    for span in [*deframer.push(stream), *deframer.close()]:
        if span.kind is not Kind.PACKET:
            ledger.add(span)
            continue
        try:
            parsed = definition.of(span.header.apid).parse(span.data[PRIMARY_HEADER_OCTETS:])
        except FieldError as error:
            ledger.add_packet(span, str(error))
            continue
        ledger.add_packet(span)
        row = build_row(span.header, parsed, span.verdict)
        rows.setdefault(span.header.apid, []).append(
            {name: plain(value) for name, value in row.items() if value is not None}
        )
    ledger.close(len(stream))
    return ledger, rows


def read_rows(path):
    """Return the rows of a file, values as text; lists numbered, what is empty left out."""
    match path.suffix:
        case ".jsonl":
            rows = map(json.loads, path.read_text().splitlines())
        case ".csv":
            with path.open(newline="") as stream:
                rows = list(csv.DictReader(stream))
            rows = [{n: json.loads(v) if "[]" in n else v for n, v in r.items()} for r in rows]
        case ".parquet":
            rows = pq.read_table(path).to_pylist()
    return [as_text(row) for row in rows]


def as_text(row):
    found = {}
    for name, value in row.items():
        if isinstance(value, list):
            found |= {name.replace("[]", f"[{i}]"): item for i, item in enumerate(value)}
        else:
            found[name] = value
    texts = {
        n: v.hex() if isinstance(v, bytes) else str(v) for n, v in found.items() if v is not None
    }
    return {n: v.lower() if v in ("True", "False") else v for n, v in texts.items() if v}


def stream_of(make_packet, seed, sizes=(5, 300)):
    """Packets of three APIDs that fit the definitions, some of them damaged."""
    rng = random.Random(seed)
    parts = []
    for index in range(rng.choice(sizes)):
        apid = rng.choice([66, 67, 67, 68])
        size = 35 if apid == 66 else rng.choice([1, 5, 19, 60, 90])
        parts.append(make_packet(apid, index, rng.randbytes(size), crc=apid == 66))
        if rng.random() < 0.03:
            parts.append(rng.choice([bytes(9), rng.randbytes(11), parts[-1][:9]]))
    return b"".join(parts)


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 32),
    name=st.sampled_from(sorted(DEFINITIONS)),
    suffix=st.sampled_from(["csv", "jsonl", "parquet"]),
)
def test_files_hold_what_construct_gives_row_by_row(
    make_packet, tmp_path_factory, seed, name, suffix
):
    stream, definition = stream_of(make_packet, seed), define(DEFINITIONS[name])
    path = tmp_path_factory.mktemp("files") / f"o.{suffix}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP_ROWS", 40)
        patch.setattr("telemetry.ops.source.CHUNK_OCTETS", 3000)
        outcome = decode_to_files([stream], definition, path)
    ledger, rows = by_rows(stream, definition)
    assert [read_rows(path) for path in outcome.outputs] == [
        [as_text(row) for row in found] for _, found in sorted(rows.items())
    ]
    assert replace(outcome.ledger, notes=[]) == ledger  # Rows alone know nothing of groups.
    assert all("sequence flags" in note for note in outcome.ledger.notes)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["choice", "ragged"])
def test_columns_and_types_are_those_of_the_definition_whatever_the_packets(
    make_packet, tmp_path, name, suffix
):
    heads = []
    for seed in range(20):
        path = tmp_path / f"{seed}.{suffix}"
        stream = stream_of(make_packet, seed, [3, 50])
        for output in decode_to_files([stream], define(DEFINITIONS[name]), path).outputs:
            is_csv = suffix == "csv"
            head = output.read_text().splitlines()[0] if is_csv else str(pq.read_schema(output))
            heads.append(head)
    assert len(heads) > 3
    assert len(set(heads)) == 1


def test_one_long_list_adds_no_column_and_parquet_has_the_schema_of_arrow(make_packet, tmp_path):
    layout = c.Struct("n" / c.Int8ub, "items" / c.Array(this.n, field(c.Int16ub, unit="mV")))
    packets = [make_packet(66, i, b"\2" + bytes(4), crc=False) for i in range(20)]
    packets[7] = make_packet(66, 7, b"\xff" + bytes(510), crc=False)
    for suffix in ("csv", "parquet"):
        telemetry.decode(b"".join(packets), {66: layout}, output=tmp_path / f"o.{suffix}")
    header, *lines = (tmp_path / "o.csv").read_text().splitlines()
    assert header.split(",")[-3:] == ["n", "items[]", "crc_verdict"]
    assert lines[0].endswith(',2,"[0, 0]",none')
    table = telemetry.decode(b"".join(packets), {66: layout}).arrow().drop(["gap_before"])
    found = pq.read_table(tmp_path / "o.parquet")
    # Parquet calls what is in a list "element".
    assert str(found.schema).replace("element", "item") == str(table.schema)
    assert found.schema.field("items[]").metadata == {b"unit": b"mV"}
    assert found.to_pylist() == table.to_pylist()


def test_one_element_of_lists_can_be_asked_for(make_packet, tmp_path):
    layout = c.Struct("n" / c.Int8ub, "items" / c.Array(this.n, c.Int8ub))
    stream = b"".join(
        make_packet(66, n, bytes([n, *range(10, 10 + n)]), crc=False) for n in (3, 1, 2)
    )
    for wanted, lines in (
        ("items[1]", ["items[1]", "11", '""', "11"]),
        ("items", ["items[]", '"[10, 11, 12]"', "[10]", '"[10, 11]"']),
    ):
        options = Options(columns=(wanted,))
        telemetry.decode(stream, {66: layout}, output=tmp_path / "o.csv", options=options)
        assert (tmp_path / "o.csv").read_text().splitlines() == lines


@pytest.mark.parametrize("name", DEFINITIONS)
def test_several_processes_write_what_one_writes(make_packet, tmp_path, name, monkeypatch):
    monkeypatch.setattr("telemetry.ops.source.CHUNK_OCTETS", 3000)
    stream, definition = stream_of(make_packet, 7, [300]), define(DEFINITIONS[name])
    ledgers = []
    for processes in (1, 3):
        (tmp_path / str(processes)).mkdir()
        path = tmp_path / str(processes) / "o.csv"
        outcome = decode_to_files([stream], definition, path, Options(processes=processes))
        ledgers.append(outcome.ledger)
    assert files(tmp_path / "1") == files(tmp_path / "3")
    assert ledgers[0] == ledgers[1]


@pytest.mark.parametrize("chunk", [100, 4096, 1 << 20])
def test_batches_hold_what_decode_gives(make_packet, monkeypatch, chunk):
    monkeypatch.setattr("telemetry.ops.source.CHUNK_OCTETS", chunk)
    stream = stream_of(make_packet, 3, [300])
    definition = DEFINITIONS["several"]
    whole = telemetry.decode(stream, definition)
    rows = {66: [], 67: [], 68: []}
    for batch in telemetry.batches(stream, definition):
        rows[batch.apid] += batch.rows()
    assert repr({apid: whole.rows(apid) for apid in rows}) == repr(rows)  # NaN is not itself.
