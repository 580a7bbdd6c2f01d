# SPDX-License-Identifier: Apache-2.0
"""`--merge time`: dumps as one, packet by packet, in the commands that take several."""

import csv
import io
import json

import pytest

import telemetry

DEFINITION = """
from construct import *
from telemetry import Limits, field
P = Struct("time_coarse" / Int32ub, "n" / Int8ub, "packet_error_control" / Int16ub)
Q = Struct(
    "time_coarse" / Int32ub, "volts" / field(Int8ub, limits=Limits(alarm=(None, 9), persistence=3)),
    "packet_error_control" / Int16ub,
)
UNTIMED = Struct("n" / Int8ub, "packet_error_control" / Int16ub)
BOTH = {66: P, 67: P}
PLAIN = Struct("n" / Int8ub)
"""
OCTETS = 13


@pytest.fixture
def write(tmp_path, make_packet):
    """Write a dump of packets, one a second; each is known by its number."""
    (tmp_path / "m.py").write_text(DEFINITION)

    def to_file(name, numbers, apid=66):
        run = [make_packet(apid, n, (1000 + n).to_bytes(4, "big") + bytes((n,))) for n in numbers]
        (tmp_path / name).write_bytes(b"".join(run))

    return to_file


@pytest.fixture
def merge(call, tmp_path):
    def run(*dumps, options=(), name="P"):
        output = ("--quality", "--epoch", "UNIX", "-o", "out.csv", "--summary", "s.json")
        definition = ("--definition", f"m.py:{name}")
        done = call("decode", *dumps, *definition, "--merge", "time", *output, *options)
        out, summary = tmp_path / "out.csv", tmp_path / "s.json"
        rows = list(csv.DictReader(io.StringIO(out.read_text()))) if out.exists() else []
        return done, rows, json.loads(summary.read_text()) if summary.exists() else {}

    return run


def numbers(rows):
    return [int(row["n"]) for row in rows]


def test_one_dump_fills_the_gaps_of_the_other(write, merge, call):
    write("a.bin", [*range(5), *range(10, 15)])
    write("b.bin", range(5, 10))
    done, rows, record = merge("a.bin", "b.bin")
    assert done.returncode == 0, done.stderr
    assert numbers(rows) == list(range(15))
    assert {row["gap_before"] for row in rows} == {"0"}
    assert record["missing"] == 0
    assert record["input"]["bytes"] == sum(record["bytes"].values()) == 15 * OCTETS
    done = call("decode", "a.bin", "b.bin", "--definition", "m.py:P")
    assert "5 out of order" in done.stderr  # By arrival.


def test_what_two_dumps_hold_both_is_taken_once_and_booked(write, merge):
    write("a.bin", range(10))
    write("b.bin", range(6, 14))
    write("c.bin", range(8, 12))
    done, rows, record = merge("a.bin", "b.bin", "c.bin")
    assert done.returncode == 0, done.stderr
    assert numbers(rows) == list(range(14))
    assert (record["rows"], record["packets"]["overlap"]) == (14, 8)
    assert record["bytes"]["overlap"] == 8 * OCTETS
    assert record["apids"]["66"]["good"] == record["packets"]["good"] == 14
    assert sum(record["bytes"].values()) == 22 * OCTETS


def test_what_is_missing_in_all_is_a_gap_and_damage_is_placed_in_the_input(write, merge, tmp_path):
    write("a.bin", [0, 1, 7])
    write("b.bin", [2, 3])
    octets = bytearray((tmp_path / "b.bin").read_bytes())
    octets[OCTETS + 10] ^= 1  # Number 3.
    (tmp_path / "b.bin").write_bytes(b"\xff" * 5 + octets)
    done, rows, record = merge("a.bin", "b.bin")
    assert done.returncode == 6
    verdicts = [row["crc_verdict"] for row in rows]
    assert sorted(verdicts) == ["damaged", "good", "good", "good", "good"]
    assert [row["n"] for row in rows if row["crc_verdict"] == "good"] == ["0", "1", "2", "7"]
    assert record["missing"] == 3
    places = [(damage["account"], damage["offset"]) for damage in record["damages"]]
    assert places == [("skipped", 3 * OCTETS), ("damaged", 3 * OCTETS + 5 + OCTETS)]
    assert sum(record["bytes"].values()) == 5 * OCTETS + 5


def test_persistence_of_limits_follows_the_merged_order(write, call, tmp_path):
    write("a.bin", [10, 12])
    write("b.bin", [11, 13])
    done = call(
        "decode", "a.bin", "b.bin", "--definition", "m.py:Q", "--merge", "time",
        "--epoch", "UNIX", "--columns", "volts,volts.state", "-o", "out.jsonl",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["volts"] for line in lines] == [10, 11, 12, 13]
    assert [line["volts.state"] for line in lines] == ["ok", "ok", "alarm_high", "alarm_high"]


def test_several_apids_go_to_their_files_in_order(write, merge, tmp_path):
    write("a.bin", range(0, 10, 2))
    write("b.bin", range(1, 10, 2))
    write("c.bin", range(10), apid=67)
    done, _, _ = merge("a.bin", "b.bin", "c.bin", name="BOTH")
    assert done.returncode == 0, done.stderr
    for apid in (66, 67):
        text = (tmp_path / f"out.{apid}.csv").read_text()
        assert numbers(csv.DictReader(io.StringIO(text))) == list(range(10))


def test_statistics_are_of_the_merged_stream(write, call, tmp_path):
    write("a.bin", range(0, 200, 2))
    write("b.bin", range(1, 200, 2))
    write("c.bin", range(50, 150))  # What it holds, the others hold, too.
    done = call(
        "stats", "a.bin", "b.bin", "c.bin", "--definition", "m.py:P", "--merge", "time", "--epoch",
        "UNIX", "--json", "s.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "s.json").read_text())["statistics"]["66"]
    assert (found["packets"], found["missing"], found["packets_per_s"]) == (200, 0, 1)
    column = found["columns"]["n"]
    assert (column["is_stale"], column["last"], column["last_offset"]) == (
        False, 199, 199 * OCTETS
    )  # fmt: skip


def test_a_window_of_time_is_taken_out_of_all(write, merge):
    write("a.bin", [0, 2, 4, 6])
    write("b.bin", [1, 3, 5, 7])
    window = ("--since", "1970-01-01T00:16:42", "--until", "1970-01-01T00:16:46")
    done, rows, record = merge("a.bin", "b.bin", options=window)
    assert done.returncode == 0, done.stderr
    assert numbers(rows) == [2, 3, 4, 5]
    assert record["apids"]["66"]["of_other_time"] == 4


def test_frames_are_merged_by_the_time_at_which_they_came(call, tmp_path):
    (tmp_path / "m.py").write_text(DEFINITION)
    for name, seconds in (("a.kss", (0, 1, 4)), ("b.kss", (2, 3))):
        frames = [
            b"\xc0\x09" + (1_796_000_000_000 + 1000 * n).to_bytes(8, "big") + b"\xc0"
            + bytes((0xC0, 0, n, 0xC0))
            for n in seconds
        ]  # fmt: skip
        (tmp_path / name).write_bytes(b"".join(frames))
    done = call(
        "decode", "a.kss", "b.kss", "--framing", "kiss", "--no-primary-header", "--definition",
        "m.py:PLAIN", "--merge", "time", "-o", "out.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert numbers(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text()))) == [*range(5)]


def test_a_dump_that_cannot_be_read_takes_no_other_down(write, merge):
    write("a.bin", [0, 2])
    write("b.bin", [1])
    done, rows, _ = merge("a.bin", "none.bin", "b.bin")
    assert (done.returncode, numbers(rows)) == (6, [0, 1, 2])
    assert "none.bin: no such file" in done.stderr


def test_what_cannot_be_merged_by_time_is_refused(write, merge, call, tmp_path, make_packet):
    write("a.bin", [0])
    for name in ("u.bin", "v.bin"):
        (tmp_path / name).write_bytes(make_packet(66, 0, b"\1"))
    done, _, _ = merge("u.bin", "v.bin", name="UNTIMED")
    assert done.returncode == 2
    assert "u.bin: nothing tells the time of packets of APID 66; name their" in done.stderr
    done = call("stats", "a.bin", "a.bin", "--definition", "m.py:P", "--merge", "time")
    assert (done.returncode, "no packet has a time that can be told" in done.stderr) == (2, True)
    done, _, _ = merge("a.bin", "a.bin", options=("--reassemble",))
    assert (done.returncode, "segments have no times" in done.stderr) == (2, True)


def test_python_gives_the_same(write, tmp_path):
    write("a.bin", [0, 1, 4])
    write("b.bin", [2, 3])
    dumps = [tmp_path / "a.bin", (tmp_path / "b.bin").read_bytes()]
    options = telemetry.Options(merge="time", epoch="UNIX")
    decoded = telemetry.decode(dumps, f"{tmp_path / 'm.py'}:P", options=options)
    assert decoded.columns()["n"].tolist() == [0, 1, 2, 3, 4]
    assert "_digest" not in decoded.columns()
    found = telemetry.batches(dumps, f"{tmp_path / 'm.py'}:P", options=options)
    assert [n for part in found for n in part["n"].tolist()] == [0, 1, 2, 3, 4]
