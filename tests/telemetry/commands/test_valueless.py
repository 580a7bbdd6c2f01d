# SPDX-License-Identifier: Apache-2.0
"""Packets whose CRC holds, but not what the definition says of them: every command tells the same.

Of 42 packets every seventh has octets that are no UTF-8 in its text: 6 packets, the first the
fourth. Numbers are worked out by hand from that.
"""

import csv
import json

import pytest

import telemetry

DEFINITION = """
from construct import *

TEXT = {66: Struct("n" / Int32ub, "text" / PaddedString(8, "utf8"),
    "packet_error_control" / Int16ub)}
MARKED = {66: Struct("n" / Int32ub, "a" / Byte, Check(this.a != 255), "b" / Bytes(7),
    "packet_error_control" / Int16ub)}
"""
BAD_PACKETS = [3, 10, 17, 24, 31, 38]
PACKET_OCTETS = 6 + 4 + 8 + 2
PATH = "text.py:TEXT[66].text"


@pytest.fixture
def dump(tmp_path, make_packet):
    texts = [b"\xff\xfe\x80ab" if i in BAD_PACKETS else b"pass" for i in range(42)]
    run = [
        make_packet(66, i, i.to_bytes(4, "big") + t.ljust(8, b"\0")) for i, t in enumerate(texts)
    ]
    (tmp_path / "d.bin").write_bytes(b"".join(run))
    (tmp_path / "text.py").write_text(DEFINITION)
    return tmp_path / "d.bin"


def ledger_of(stderr):
    """Return the lines of the accounts, by their first words."""
    lines = [line for line in stderr.splitlines() if line.startswith("  ")]
    return [line for line in lines if line.split()[-1].replace(",", "").isdigit()]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_row_stays_and_the_one_cell_is_empty(call, dump, tmp_path, suffix):
    done = call("decode", "d.bin", "--definition", "text.py:TEXT", "-o", f"o.{suffix}")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / f"o.{suffix}").read_text()
    if suffix == "csv":
        rows = list(csv.DictReader(text.splitlines()))
    else:
        rows = [json.loads(line) for line in text.splitlines()]
    assert [int(row["n"]) for row in rows] == list(range(42))
    assert [i for i, row in enumerate(rows) if not row["text"]] == BAD_PACKETS
    assert {row["text"] for i, row in enumerate(rows) if i not in BAD_PACKETS} == {"pass"}
    if suffix == "jsonl":
        assert rows[3]["text"] is None


def test_the_summary_names_the_field_and_counts_its_packets(call, dump, tmp_path):
    done = call(
        "decode", "d.bin", "--definition", "text.py:TEXT", "-o", "o.csv", "--summary", "s.json"
    )
    assert "42 rows decoded" in done.stderr
    told = "TEXT[66].text: in 6 packets, the first at byte 60: no text in utf8: ff fe 80 61 62"
    assert told in done.stderr
    assert "amage" not in done.stderr
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["bytes"]["good"] == 42 * PACKET_OCTETS
    assert summary["without_value_count"] == 6
    (lost,) = summary["without_value"]
    assert (lost["packets"], lost["first_offset"]) == (6, 3 * PACKET_OCTETS)


@pytest.mark.parametrize(("name", "code", "rows"), [("TEXT", 0, 42), ("MARKED", 6, 36)])
def test_decode_and_packets_have_the_same_ledger(call, dump, name, code, rows):
    source = f"text.py:{name}"
    decoded = call("decode", "d.bin", "--definition", source, "-o", "o.csv")
    listed = call("packets", "d.bin", "--definition", source, "-o", "p.csv")
    assert decoded.returncode == listed.returncode == code
    assert f"{rows} rows decoded" in decoded.stderr
    ledgers = [
        [line for line in done.stderr.splitlines() if not line.startswith(("wrote", "  Slow"))]
        for done in (decoded, listed)
    ]
    assert ledgers[1] == [line for line in ledgers[0] if line in ledgers[1]]
    assert not any("amage" in line for line in ledgers[0])


def test_what_the_definition_cannot_read_has_an_account_with_its_reason(call, dump, tmp_path):
    done = call("packets", "d.bin", "--definition", "text.py:MARKED", "-o", "p.csv")
    assert f"  not as defined{'6':>22}{'120':>16}" in done.stderr
    assert "APID 66: 36 rows, 6 not as defined, no gap" in done.stderr
    assert "120 bytes, 6 times, first at byte 60: MARKED[66]: check failed" in done.stderr
    with (tmp_path / "p.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    strange = [i for i, row in enumerate(rows) if row["reason"].startswith("not as defined: ")]
    assert strange == BAD_PACKETS
    assert {row["crc_verdict"] for row in rows} == {"good"}


def test_the_list_says_which_field_has_no_value(call, dump, tmp_path):
    call("packets", "d.bin", "--definition", "text.py:TEXT", "-o", "p.csv")
    with (tmp_path / "p.csv").open(newline="") as stream:
        told = [row["reason"] for row in csv.DictReader(stream)]
    assert [i for i, reason in enumerate(told) if reason] == BAD_PACKETS
    assert told[3] == "TEXT[66].text: no value: no text in utf8: ff fe 80 61 62"


def test_inspect_and_explain_say_the_same(call, dump):
    seen = call("inspect", "d.bin", "--definition", "text.py:TEXT", "--packet", 4)
    assert seen.returncode == 0
    assert "text: no value: no text in utf8: ff fe 80 61 62" in seen.stdout
    told = call("explain", "d.bin", "--offset", 72, "--definition", "text.py:TEXT")
    assert "no value:     text: no text in utf8: ff fe 80 61 62" in told.stdout
    assert "decoded:      yes: it gives a row" in told.stdout


def test_processes_and_a_merge_by_time_count_the_same(dump, tmp_path):
    source = f"{tmp_path / 'text.py'}:TEXT"
    for processes in (1, 2):
        options = telemetry.Options(processes=processes)
        found = telemetry.decode(dump, source, options=options)
        assert len(found.rows()) == 42
        (lost,) = found.ledger.valueless.values()
        assert lost.packets == found.ledger.valueless_count == 6


@pytest.mark.beyond_base
def test_a_report_tells_it(call, dump, tmp_path):
    assert call("report", "d.bin", "--definition", "text.py:TEXT", "-o", "r.html").returncode == 0
    page = (tmp_path / "r.html").read_text()
    assert "Fields without a value" in page
    call("report", "d.bin", "--definition", "text.py:MARKED", "-o", "m.html")
    page = (tmp_path / "m.html").read_text()
    assert "Packets not as defined" in page
    assert "6 packets could not be read by the definition" in page


def test_a_damaged_packet_with_bad_text_keeps_its_row_and_its_account(dump, tmp_path):
    octets = bytearray(dump.read_bytes())
    octets[7 * PACKET_OCTETS + 10] = 0xFF  # In the text of the eighth packet.
    found = telemetry.decode(bytes(octets), f"{tmp_path / 'text.py'}:TEXT")
    row = found.rows()[7]
    assert (row["crc_verdict"], row["text"]) == ("damaged", None)
    record = found.ledger.apids[66]
    assert (record.damaged, record.good, record.rows) == (1, 41, 42)
