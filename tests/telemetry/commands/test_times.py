# SPDX-License-Identifier: Apache-2.0
"""Times of packets as a user meets them: columns, --since and --until, rollovers, reboots."""

import csv
import io
import json

import numpy as np
import pytest

import telemetry

DEFINITION = """
from construct import *
COUNTER = Struct("time_coarse" / Int16ub, "n" / Int8ub, "packet_error_control" / Int16ub)
TAI = Struct("time_coarse" / Int32ub, "packet_error_control" / Int16ub)
CDS = Struct("time_days" / Int16ub, "time_ms" / Int32ub, "packet_error_control" / Int16ub)
OWN = Struct("time_p_field" / Int8ub, "time_coarse" / Int32ub, "packet_error_control" / Int16ub)
PLAIN = Struct("n" / Int8ub)
"""
EPOCH = ("--epoch", "2020-01-01 UTC")
TOP = 0xFFFF
# 2026-11-22 is 25,162 days after 1958-01-01; TAI was 37 s ahead of UTC.
NOVEMBER = 25_162 * 86_400 + 37
BEYOND = "beyond 2026-06-28"


@pytest.fixture
def clock_dump(tmp_path, make_packet):
    """Write packets of COUNTER from pairs of clock and sequence count; 11 bytes each."""
    (tmp_path / "clock.py").write_text(DEFINITION)

    def write(clock, counts=None, name="d.bin"):
        counts = range(len(clock)) if counts is None else counts
        run = [
            make_packet(66, count, now.to_bytes(2, "big") + b"\7")
            for now, count in zip(clock, counts, strict=True)
        ]
        (tmp_path / name).write_bytes(b"".join(run))
        return name

    return write


@pytest.fixture
def write_times(tmp_path, make_packet):
    """Write packets that hold nothing but a time."""
    (tmp_path / "clock.py").write_text(DEFINITION)

    def write(*stamps):
        run = [make_packet(66, index, stamp) for index, stamp in enumerate(stamps)]
        (tmp_path / "d.bin").write_bytes(b"".join(run))

    return write


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text())))


def decode(call, dump, *options, definition="clock.py:COUNTER"):
    return call("decode", dump, "--definition", definition, *options)


def test_times_go_on_over_a_rollover_of_the_clock(call, clock_dump, tmp_path):
    dump = clock_dump([TOP - 1, TOP, 0, 1])
    done = decode(call, dump, *EPOCH, "--times", "--quality", "-o", "out.csv")
    assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "out.csv")
    # 65,534 s are 18 h 12 min 14 s.
    assert [row["packet_time"] for row in rows] == [
        f"2020-01-01T18:12:{second}.000000000Z" for second in (14, 15, 16, 17)
    ]
    assert [row["clock_step"] for row in rows] == ["none", "none", "rollover", "none"]
    assert "clock rolled over 1 time" in done.stderr
    assert "clock rolled over before the packet at byte 22" in done.stderr


def test_who_names_the_time_fields_is_given_the_times(call, clock_dump, tmp_path):
    dump = clock_dump([1, 2])
    fields = ("--time", "cuc:time_coarse")
    assert decode(call, dump, *EPOCH, *fields, "-o", "out.csv").returncode == 0
    assert [row["packet_time"][17:19] for row in rows_of(tmp_path / "out.csv")] == ["01", "02"]


def test_since_and_until_see_the_same_times(call, clock_dump, tmp_path):
    dump = clock_dump([TOP - 1, TOP, 0, 1])
    done = decode(
        call, dump, *EPOCH, "--since", "2020-01-01T18:12:15", "--until", "2020-01-01T18:12:17",
        "-o", "out.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "out.csv")
    assert [int(row["time_coarse"]) for row in rows] == [TOP, 0]
    assert "packet_time" not in rows[0]


def test_statistics_run_over_the_same_times(call, clock_dump, tmp_path):
    dump = clock_dump([TOP - 1, TOP, 0, 1])
    done = call("stats", dump, "--definition", "clock.py:COUNTER", *EPOCH, "--json", "s.json")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "s.json").read_text())
    found = record["statistics"]["66"]
    assert found["last_time_ms"] - found["first_time_ms"] == 3000
    assert found["packets_per_s"] == 1
    assert "packet_time" not in found["columns"]


def test_a_column_is_not_stale_because_the_window_ends(call, clock_dump, tmp_path):
    dump = clock_dump(range(100, 160))
    window = ("--until", "2020-01-01T00:02:00")
    done = call("stats", dump, "--definition", "clock.py:COUNTER", *EPOCH, *window)
    assert (done.returncode, "stale" in done.stdout) == (0, False)


def test_a_reboot_is_told_and_marked(call, clock_dump, tmp_path):
    dump = clock_dump([900, 901, 3, 4, 5, 6], [77, 78, 0, 1, 2, 3])
    done = decode(call, dump, *EPOCH, "--quality", "--summary", "s.json", "-o", "out.csv")
    assert done.returncode == 0, done.stderr
    steps = [row["clock_step"] for row in rows_of(tmp_path / "out.csv")]
    assert steps == ["none", "none", "reboot", "none", "none", "none"]
    assert "clock began again (a reboot) before the packet at byte 22" in done.stderr
    clock = json.loads((tmp_path / "s.json").read_text())["apids"]["66"]["clock"]
    assert (clock["reboots"], clock["rollovers"], clock["set_back"]) == (1, 0, 0)
    assert clock["events"] == [{"offset": 22, "step": "reboot"}]


def test_a_clock_that_was_set_back_is_no_reboot(call, clock_dump):
    done = decode(call, clock_dump([900, 901, 100, 101]), *EPOCH)
    assert "clock was set back 1 time" in done.stderr
    assert "began again" not in done.stderr


def test_where_the_clock_of_the_next_dump_stands_is_no_reboot(call, clock_dump, tmp_path):
    clock_dump([TOP, 0, 1], [10, 11, 12], "a.bin")
    clock_dump([TOP - 2, TOP - 1], [8, 9], "b.bin")
    clock_dump([2, 3], [13, 14], "c.bin")
    done = call(
        "decode", "a.bin", "b.bin", "c.bin", "--definition", "clock.py:COUNTER", *EPOCH, "--times",
        "-o", "out.csv",
    )  # fmt: skip
    assert "began again" not in done.stderr
    assert [row["packet_time"][17:19] for row in rows_of(tmp_path / "out.csv")] == [
        "15", "16", "17", "13", "14", "18", "19"
    ]  # fmt: skip


def test_a_damaged_packet_moves_no_clock(call, clock_dump, tmp_path):
    dump = clock_dump([100, 101, 102, 103])
    octets = bytearray((tmp_path / dump).read_bytes())
    octets[11 + 6] ^= 0x80  # The time of the second packet is 32,869 s, and its CRC fails.
    (tmp_path / dump).write_bytes(octets)
    done = decode(call, dump, *EPOCH, "--quality", "-o", "out.csv")
    assert done.returncode == 6
    assert [row["clock_step"] for row in rows_of(tmp_path / "out.csv")] == ["none"] * 4
    assert "clock" not in done.stderr.replace("clock.py", "")


@pytest.mark.parametrize("octets", [1, 5, 11, 12, 25])
def test_the_clock_is_followed_however_the_dump_comes(clock_dump, tmp_path, octets):
    class Slow(io.BytesIO):
        def read1(self, size=-1):
            return super().read(octets)

    # A late packet, a rollover with a late packet, a reboot.
    clock = [TOP - 3, TOP - 1, TOP - 2, TOP, 1, 0, 2, 3, 4, 5, 6, 100, 3, 4, 5, 6, 7, 8]
    counts = [90, 92, 91, 93, 95, 94, 96, 97, 98, 99, 100, 101, 0, 1, 2, 3, 4, 5]
    dump = (tmp_path / clock_dump(clock, counts)).read_bytes()
    options = telemetry.Options(times=True, epoch="2020-01-01 UTC")
    source = f"{tmp_path / 'clock.py'}:COUNTER"
    table = telemetry.decode(Slow(dump), source, options=options).table()
    seconds = (table["packet_time"] - np.datetime64("2020-01-01")) // np.timedelta64(1, "s")
    before = [TOP - 3, TOP - 1, TOP - 2, TOP, TOP + 2, TOP + 1]
    assert seconds.tolist() == [*before, *range(TOP + 3, TOP + 8), TOP + 101, *range(3, 9)]


def test_times_beyond_the_table_of_leap_seconds_are_told_once(call, write_times, tmp_path):
    write_times(*((NOVEMBER + 30 + i).to_bytes(4, "big") for i in range(30)))
    (tmp_path / "d.bin").rename(tmp_path / "e.bin")
    write_times(*((NOVEMBER + i).to_bytes(4, "big") for i in range(30)))
    for command in (("decode", "--times"), ("stats",), ("decode", "--since", "2020-01-01")):
        done = call(command[0], "d.bin", "e.bin", "--definition", "clock.py:TAI", *command[1:])
        assert done.returncode == 0, done.stderr
        assert done.stderr.count(BEYOND) == 1, command
        assert "IERS Bulletin C 70" in done.stderr
    done = call("decode", "d.bin", "--definition", "clock.py:TAI", "--summary", "s.json", "--times")
    (note,) = json.loads((tmp_path / "s.json").read_text())["notes"]
    assert BEYOND in note


def test_where_no_leap_second_is_needed_nothing_is_said(call, write_times):
    write_times((25_162).to_bytes(2, "big") + bytes(4))
    done = call("decode", "d.bin", "--definition", "clock.py:CDS", "--times")
    assert "2026-11-22T00:00:00.000000000Z" in done.stdout
    assert BEYOND not in done.stderr
    tai = call("decode", "d.bin", "--definition", "clock.py:CDS", "--since", "2020-01-01 TAI")
    assert BEYOND in tai.stderr
    write_times((59 * 365 * 86_400).to_bytes(4, "big"))
    assert BEYOND not in call("stats", "d.bin", "--definition", "clock.py:TAI").stderr


def test_a_newer_table_of_leap_seconds_is_taken(call, write_times, tmp_path):
    write_times((NOVEMBER + 1).to_bytes(4, "big"))
    # Seconds since 1900: 1972-01-01, 2026-07-01 (a leap second that never was), 2028-01-01.
    (tmp_path / "leap-seconds.list").write_text(
        "#@\t4039286400\n2272060800 37 # made up\n3991852800 38\n"
    )
    options = ("--times", "--leap-seconds", "leap-seconds.list")
    done = call("decode", "d.bin", "--definition", "clock.py:TAI", *options)
    assert "2026-11-22T00:00:00.000000000Z" in done.stdout, done.stderr
    assert BEYOND not in done.stderr
    (tmp_path / "no.list").write_text("#!/bin/sh\n")
    for name, words in (("no.list", "no list of leap seconds"), ("none", "No such file")):
        done = call("stats", "d.bin", "--definition", "clock.py:TAI", "--leap-seconds", name)
        assert (done.returncode, words in done.stderr) == (3, True), done.stderr


def test_an_epoch_that_nobody_names_is_told(call, write_times):
    write_times(b"\x2c" + bytes(4))  # CUC, the agency's epoch, 4 octets.
    done = call("stats", "d.bin", "--definition", "clock.py:OWN")
    assert done.returncode == 0
    assert "--epoch would give the times of its packets" in done.stderr
    done = call("decode", "d.bin", "--definition", "clock.py:OWN", "--times")
    assert (done.returncode, "name it with --epoch" in done.stderr) == (2, True)


def test_times_that_nothing_tells_are_told(call, tmp_path, make_packet):
    (tmp_path / "clock.py").write_text(DEFINITION)
    (tmp_path / "d.bin").write_bytes(make_packet(66, 0, b"\1", crc=False) * 2)
    done = call("decode", "d.bin", "--definition", "clock.py:PLAIN", "--times")
    assert "APID 66: nothing tells its times; name its time fields with --time" in done.stderr


# --- Stamps of frames -----------------------------------------------------------------------------


def stamp(ms):
    """Return a KISS frame of type 9 as gr-satellites writes it; no octet of it needs an escape."""
    octets = ms.to_bytes(8, "big")
    assert not {0xC0, 0xDB} & set(octets)
    return b"\xc0\x09" + octets + b"\xc0"


MS = 1_796_000_000_000  # 2026-11-30T00:53:20Z


@pytest.fixture
def kiss_dump(tmp_path):
    (tmp_path / "clock.py").write_text(DEFINITION)
    frames = [stamp(MS + 1000 * n) + bytes((0xC0, 0, n, 0xC0)) for n in range(4)]
    frames.insert(2, bytes((0xC0, 0, 9, 0xC0)))  # One that nothing is known of.
    (tmp_path / "d.kss").write_bytes(b"".join(frames))
    return ("d.kss", "--framing", "kiss", "--no-primary-header", "--definition", "clock.py:PLAIN")


def test_the_time_of_reception_is_a_column(call, kiss_dump, tmp_path):
    done = call("decode", *kiss_dump, "--times", "-o", "out.csv")
    assert done.returncode == 0, done.stderr
    assert [(row["n"], row["received_time"]) for row in rows_of(tmp_path / "out.csv")] == [
        ("0", "2026-11-30T00:53:20.000000000Z"), ("1", "2026-11-30T00:53:21.000000000Z"),
        ("9", ""),
        ("2", "2026-11-30T00:53:22.000000000Z"), ("3", "2026-11-30T00:53:23.000000000Z"),
    ]  # fmt: skip
    done = call("decode", *kiss_dump, "--columns", "n,received_time", "-o", "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert lines[:2] == [
        {"n": 0, "received_time": "2026-11-30T00:53:20.000000000Z"},
        {"n": 1, "received_time": "2026-11-30T00:53:21.000000000Z"},
    ]
    assert lines[2] == {"n": 9}


def test_since_and_until_take_the_time_of_reception(call, kiss_dump, tmp_path):
    window = ("--since", "2026-11-30T00:53:21", "--until", "2026-11-30T00:53:23")
    done = call("decode", *kiss_dump, *window, "-o", "out.csv")
    assert done.returncode == 0, done.stderr
    assert [row["n"] for row in rows_of(tmp_path / "out.csv")] == ["1", "2"]


def test_statistics_run_over_the_time_of_reception(call, kiss_dump, tmp_path):
    done = call("stats", *kiss_dump, "--json", "s.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "s.json").read_text())["statistics"]["0"]
    assert (found["first_time_ms"], found["last_time_ms"]) == (MS, MS + 3000)


def test_times_are_numpy_times_in_python(kiss_dump, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = telemetry.Options(framing="kiss", has_primary_header=False, times=True)
    decoded = telemetry.decode("d.kss", "clock.py:PLAIN", options=options)
    times = decoded.columns()["received_time"]
    assert times.dtype == "M8[ns]"
    assert times.mask.tolist() == [False, False, True, False, False]
    assert times[4] == np.datetime64("2026-11-30T00:53:23")
