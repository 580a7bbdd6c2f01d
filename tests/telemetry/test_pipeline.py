# SPDX-License-Identifier: Apache-2.0
"""Columns all the way: the same files as packet by packet through construct and row by row."""

import random

import construct as c
import pytest
from construct import this
from hypothesis import given, settings
from hypothesis import strategies as st

import telemetry
from telemetry.columns.definition import define
from telemetry.columns.field_path import FieldError
from telemetry.columns.flatten import build_row
from telemetry.ops import parquet
from telemetry.ops.decode import decode_to_files
from telemetry.ops.ledger import Ledger
from telemetry.ops.options import Options
from telemetry.ops.output import Output
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


def by_rows(stream, definition, path, options):
    """Decode as one would without columns: each packet by construct, each row for itself."""
    ledger = Ledger()
    deframer = Deframer(definition.rules())
    is_split = options.apid is None and len(definition.by_apid) > 1
    with Output(path, is_split=is_split) as output:
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
            output.write(span.header.apid, {k: v for k, v in row.items() if v is not None})
        ledger.close(len(stream))
        if ledger.rows:
            output.commit()
    return ledger


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
def test_files_are_the_same_octet_by_octet_as_row_by_row(
    make_packet, tmp_path_factory, seed, name, suffix
):
    stream, definition = stream_of(make_packet, seed), define(DEFINITIONS[name])
    folder = tmp_path_factory.mktemp("files")
    for kind in ("rows", "columns"):
        (folder / kind).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP_ROWS", 40)
        patch.setattr("telemetry.ops.source.CHUNK_OCTETS", 3000)
        ledger = by_rows(stream, definition, folder / "rows" / f"o.{suffix}", Options())
        outcome = decode_to_files([stream], definition, folder / "columns" / f"o.{suffix}")
    assert files(folder / "columns") == files(folder / "rows")
    assert outcome.ledger == ledger


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
