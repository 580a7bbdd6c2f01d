# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry stats`, and the statistics it tells."""

import json

import pytest

from telemetry.ops.statistics_text import number_text
from telemetry.wire.framing import encode_cobs, encode_kiss, encode_slip


@pytest.fixture
def stats(call, mission):
    def run(dump, *options, definition="mission.py:PACKETS"):
        return call("stats", dump, "--definition", definition, *options)

    return run


def column(tmp_path, name, apid="66"):
    record = json.loads((tmp_path / "s.json").read_text())
    return record["statistics"][apid]["columns"][name]


def row(done, name):
    (line,) = (line for line in done.stdout.splitlines() if line.split()[:1] == [name])
    return line.split()


def test_range_mean_last_and_limits_are_told(stats, tmp_path, housekeeping_of):
    raw = [2800, 2900, 3100, 3300, 2300]  # 28, 29 ok; 31 warning; 33 and 23 alarm (V).
    run = [housekeeping_of(index, value) for index, value in enumerate(raw)]
    (tmp_path / "d.bin").write_bytes(b"".join(run))
    done = stats("d.bin", "--json", "s.json", definition="mission.py:HOUSEKEEPING")
    assert done.returncode == 0, done.stderr
    volts = column(tmp_path, "volts")
    assert (volts["min"], volts["max"], volts["last"], volts["unit"]) == (23.0, 33.0, 23.0, "V")
    assert volts["mean"] == pytest.approx(28.8)
    assert volts["states"] == {"ok": 2, "warning_high": 1, "alarm_low": 1, "alarm_high": 1}
    assert (volts["violations"], volts["first_violation_offset"]) == (3, 2 * 12)
    assert (volts["last_state"], volts["last_offset"]) == ("alarm_low", 4 * 12)
    assert row(done, "volts")[:7] == ["volts", "V", "5", "23", "28.8", "33", "23"]
    assert "1 alarm high, 1 alarm low, 1 warning high" in done.stdout
    assert column(tmp_path, "flags.mode")["mean"] is None  # A name has no mean,
    assert column(tmp_path, "flags.mode")["last"] == "work"


@pytest.mark.parametrize(
    ("name", "encode", "delimiters"),
    [("cobs", encode_cobs, 0), ("kiss", encode_kiss, 1), ("slip", encode_slip, 1)],
)
def test_places_of_violations_are_those_of_frames_in_the_dump(
    stats, tmp_path, housekeeping_of, name, encode, delimiters
):
    """A frame begins behind the delimiters before it."""
    run = [housekeeping_of(index, raw) for index, raw in enumerate((2800, 2900, 3300, 2300))]
    frames = [encode(packet) for packet in run]
    third = len(b"".join(frames[:2])) + delimiters
    last = len(b"".join(frames[:3])) + delimiters
    (tmp_path / "d.bin").write_bytes(b"".join(frames))
    options = ("--framing", name, "--json", "s.json")
    done = stats("d.bin", *options, definition="mission.py:HOUSEKEEPING")
    assert done.returncode == 0, done.stderr
    volts = column(tmp_path, "volts")
    assert volts["first_violation_offset"] == third
    assert volts["last_offset"] == last
    place = f"APID 66, volts: first outside of its limits in the frame at byte {third}"
    assert place in done.stdout


def test_values_of_damaged_packets_do_not_count(stats, tmp_path, housekeeping_of):
    run = [bytearray(housekeeping_of(index, 2800)) for index in range(5)]
    run[2][8] ^= 0x40  # Volts of more than 160, and a CRC that does not hold.
    (tmp_path / "d.bin").write_bytes(b"".join(run))
    done = stats("d.bin", "--json", "s.json", definition="mission.py:HOUSEKEEPING")
    assert done.returncode == 6
    volts = column(tmp_path, "volts")
    assert (volts["values"], volts["max"], volts["of_damaged_packets"]) == (4, 28.0, 1)
    assert volts["states"] == {"ok": 4, "unknown": 1}
    assert "1 of damaged packets" in done.stdout


def test_a_column_that_came_regularly_and_then_no_more_is_stale(stats, tmp_path, dump_of):
    pairs = zip(dump_of(10), dump_of(10, apid=67), strict=True)
    run = [packet for pair in pairs for packet in pair] + dump_of(20, first=10)
    (tmp_path / "d.bin").write_bytes(b"".join(run))
    done = stats("d.bin", "--json", "s.json", definition="mission.py:PACKET")
    assert done.returncode == 0, done.stderr
    assert column(tmp_path, "number", "67")["is_stale"] is True
    assert column(tmp_path, "number", "66")["is_stale"] is False
    assert "stale" in done.stdout


def test_the_ledger_of_the_json_file_adds_up(stats, damaged_dump, tmp_path):
    done = stats(damaged_dump, "--json", "s.json")
    record = json.loads((tmp_path / "s.json").read_text())
    assert done.returncode == record["exit_code"] == 6
    assert record["input"]["bytes"] == sum(record["bytes"].values()) == 297
    assert record["statistics"]["66"]["missing"] == record["missing"] == 3
    assert record["statistics"]["66"]["packets"] == record["rows"] == 10


def test_rates_come_from_the_times_of_packets(stats, tmp_path, make_packet):
    (tmp_path / "t.py").write_text(
        "from construct import *\n"
        "P = Struct('time_coarse' / Int32ub, 'n' / Int8ub, 'packet_error_control' / Int16ub)\n"
    )
    # CUC seconds since 1958-01-01 TAI, two packets a second for five seconds.
    run = [make_packet(5, i, (2_000_000_000 + i // 2).to_bytes(4, "big") + b"x") for i in range(11)]
    (tmp_path / "d.bin").write_bytes(b"".join(run))
    done = stats("d.bin", definition="t.py:P")
    # 2,000,000,000 s after 1958-01-01 is 2021-05-18 03:33:20 TAI, which is UTC + 37 s.
    assert "11 packets, 2 packets/s from 2021-05-18 03:32:43 UTC" in done.stdout


def test_packets_without_a_primary_header_have_statistics_too(call, mission, tmp_path, dump_of):
    (tmp_path / "d.bin").write_bytes(b"".join(packet[6:] for packet in dump_of(20)))
    options = ("--framing", "fixed:14", "--no-primary-header", "--definition", "mission.py:PACKETS")
    done = call("stats", "d.bin", *options)
    assert done.returncode == 0, done.stderr
    assert row(done, "number") == ["number", "20", "0", "9.5", "19", "19"]
    shown = call("inspect", "d.bin", "--packet", 3, *options)
    assert "number" in shown.stdout
    assert "sequence_flags" not in shown.stdout
    explained = call("explain", "d.bin", "--offset", 30, *options)
    assert "this byte:    number = 2" in explained.stdout
    listed = call("packets", "d.bin", *options)
    assert listed.returncode == 0
    assert "APID 66: 20 rows, no gap" in listed.stderr


def test_columns_are_chosen(stats, good_dump):
    done = stats(good_dump, "--columns", "num*")
    assert "number" in done.stdout
    assert "data" not in done.stdout
    wrong = stats(good_dump, "--columns", "nothing")
    assert wrong.returncode == 2
    assert "nothing: no such column" in wrong.stderr


def test_text_of_a_packet_does_not_steer_the_terminal(stats, tmp_path, make_packet):
    (tmp_path / "d.bin").write_bytes(make_packet(7, 0, b"\x1b[2Jgone".ljust(40, b"\0")))
    done = stats("d.bin", definition="mission.py:TEXT")
    assert "\\x1b[2Jgone" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--json", "none/s.json"], 2, "there is no folder none"),
        (["--json", "good.bin"], 2, "this is the dump"),
        (["--apid", "5"], 2, "the definition has only APID 66"),
        (["--since", "soon"], 2, "--since soon"),
    ],
)
def test_wrong_arguments_are_told(stats, good_dump, options, code, message):
    done = stats(good_dump, *options)
    assert done.returncode == code
    assert message in done.stderr


def test_a_dump_without_a_packet_is_refused(stats, tmp_path):
    (tmp_path / "bad.bin").write_bytes(b"\xff" * 100)
    done = stats("bad.bin")
    assert done.returncode == 3
    assert "no packet could be decoded" in done.stderr


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-7129670.25, "-7,129,670"), (190.3371, "190.337"), (28.8, "28.8"), (23.0, "23"),
        (0.0, "0"), (0.00123456789, "0.00123457"), (1.5e-7, "1.5e-07"), (3e12, "3e+12"),
        (4294967295, "4,294,967,295"), (-(10**18), "-1e+18"),
        (float("nan"), "nan"), (999999.7, "1,000,000"),
        (True, "true"), (None, ""), ("ab" * 20, "ababababababababababababa..."),
    ],
)  # fmt: skip
def test_numbers_have_sensible_digits_and_no_needless_exponent(value, text):
    assert number_text(value) == text


def test_when_a_value_left_its_limits_and_how_many_it_took_is_told(stats, tmp_path, make_packet):
    """The time counts from 1958-01-01 TAI: 2026-11-22T10:30:00 is 2,174,034,600 s + 37 s later."""
    (tmp_path / "timed.py").write_text(
        "from construct import *\nfrom telemetry import field\n"
        "P = Struct('time_coarse' / Int32ub, 'time_fine' / Int16ub,"
        " 'volts' / field(Int8ub, limits={'alarm': (None, 30), 'persistence': 2}))\n"
    )
    seconds = 2_174_034_637
    run = [
        make_packet(5, i, (seconds + i).to_bytes(4, "big") + b"\0\0" + bytes([volts]), crc=False)
        for i, volts in enumerate((28, 31, 28, 31, 32))
    ]
    (tmp_path / "d.bin").write_bytes(b"".join(run))
    done = stats("d.bin", "--json", "s.json", definition="timed.py:P")
    told = "at byte 52, at 2026-11-22 10:30:04 UTC (counted from 2 violations in a row on)"
    assert told in done.stdout
    assert column(tmp_path, "volts", "5")["first_violation_time_ms"] == 1_795_343_404_000.0
