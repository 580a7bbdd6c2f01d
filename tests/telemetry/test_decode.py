# SPDX-License-Identifier: Apache-2.0
"""`telemetry.decode` from Python."""

import io

import construct
import numpy as np
import pytest

import telemetry
from telemetry.errors import InputError, UsageError
from telemetry.ops.accounts import Account

PACKET = construct.Struct(
    "number" / construct.Int32ub,
    "data" / construct.Bytes(8),
    "packet_error_control" / construct.Int16ub,
)


def test_a_path_octets_and_a_stream_give_the_same_rows(tmp_path, dump_of):
    content = b"".join(dump_of(5))
    path = tmp_path / "dump.bin"
    path.write_bytes(content)
    for dump in (path, str(path), content, io.BytesIO(content)):
        decoded = telemetry.decode(dump, PACKET)
        assert [row["number"] for row in decoded.rows()] == [0, 1, 2, 3, 4]


def test_columns_are_numpy_arrays(dump_of):
    columns = telemetry.decode(b"".join(dump_of(5)), {66: PACKET}).columns()
    assert columns["number"].dtype == np.uint32
    assert columns["number"].tolist() == [0, 1, 2, 3, 4]
    assert list(columns)[:2] == ["packet_version", "packet_type"]


def test_rows_of_several_apids_are_asked_for_by_apid(dump_of):
    decoded = telemetry.decode(b"".join([*dump_of(2), *dump_of(3, apid=7)]), PACKET)
    assert len(decoded.rows(66)) == 2
    assert len(decoded.rows(7)) == 3
    with pytest.raises(ValueError, match=r"name one of the APIDs \[7, 66\]"):
        decoded.rows()


def test_an_apid_selects(dump_of):
    dump = b"".join([*dump_of(2), *dump_of(3, apid=7)])
    decoded = telemetry.decode(dump, PACKET, apid=7)
    assert list(decoded.tables) == [7]
    assert decoded.ledger.octets == {Account.GOOD: 60, Account.OTHER: 40}


def test_rows_go_to_a_file_instead_of_memory(tmp_path, dump_of, definition_file):
    source = f"{definition_file}:PACKET"
    decoded = telemetry.decode(b"".join(dump_of(5)), source, output=tmp_path / "out.csv")
    assert decoded.tables == {}
    assert decoded.outputs == (tmp_path / "out.csv",)
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 6


def test_no_packet_at_all_is_an_error():
    with pytest.raises(InputError, match="dump: the dump is empty"):
        telemetry.decode(b"", PACKET)


def test_a_run_that_loses_track_of_a_byte_says_so(monkeypatch, dump_of):
    monkeypatch.setattr("telemetry.wire.scan.Scanner._next", lambda self: None)
    with pytest.raises(AssertionError, match="the ledger holds 40 octets of 57"):
        telemetry.decode(b"".join(dump_of(3))[:-3], PACKET)


def test_arguments_that_do_not_fit_are_usage_errors(dump_of):
    with pytest.raises(UsageError, match="APID 9: the definition has only APID 66"):
        telemetry.decode(dump_of(1)[0], {66: PACKET}, apid=9)
    with pytest.raises(InputError, match="definition is of type int"):
        telemetry.decode(dump_of(1)[0], 7)


def test_a_packet_built_by_construct_decodes_to_what_went_in(make_packet):
    values = {"number": 0xDEADBEEF, "data": b"\x80\0\xff\x7f1234", "packet_error_control": 0}
    built = PACKET.build(values)[:-2]
    (row,) = telemetry.decode(make_packet(66, 16383, built), PACKET).rows()
    assert (row["number"], row["data"]) == (0xDEADBEEF, "8000ff7f31323334")
    assert row["sequence_count"] == 16383
