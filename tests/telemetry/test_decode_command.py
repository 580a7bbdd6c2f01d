# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry decode` as its user meets it: files, messages, exit codes."""

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

FW_TELEMETRY = Path(sys.executable).with_name("fw-telemetry")


@pytest.fixture
def dump(tmp_path, dump_of):
    """Twenty good packets of APID 66."""
    path = tmp_path / "pass17.bin"
    path.write_bytes(b"".join(dump_of(20)))
    return path


@pytest.fixture
def decode(run_telemetry, tmp_path):
    """Run `fw-telemetry decode` in `tmp_path`, as from a user's folder."""

    def run(dump, definition="mission.py:PACKETS", *options, **process):
        process.setdefault("cwd", tmp_path)
        return run_telemetry("decode", dump, "--definition", definition, *options, **process)

    return run


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


# --- 0: all good ----------------------------------------------------------------------------------


def test_a_good_dump_is_decoded_to_csv(decode, dump, definition_file, tmp_path):
    done = decode(dump, "mission.py:PACKET", "-o", "out.csv")
    assert done.returncode == 0
    rows = read_csv(tmp_path / "out.csv")
    assert [int(row["number"]) for row in rows] == list(range(20))
    assert {row["crc_verdict"] for row in rows} == {"good"}
    assert rows[3]["data"] == "030405060708090a"
    assert list(rows[0]) == [
        "packet_version", "packet_type", "secondary_header_flag", "apid", "sequence_flags",
        "sequence_count", "data_length", "number", "data", "packet_error_control", "crc_verdict",
    ]  # fmt: skip
    assert "20 rows decoded" in done.stderr
    assert "wrote out.csv" in done.stderr
    assert done.stdout == ""


def test_all_formats_hold_the_same_rows(decode, dump, definition_file, tmp_path):
    for suffix in ("csv", "jsonl", "parquet"):
        assert decode(dump, "mission.py:PACKET", "-o", f"out.{suffix}").returncode == 0
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    octets = [row | {"data": bytes.fromhex(row["data"])} for row in rows]
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == octets
    assert read_csv(tmp_path / "out.csv") == [{k: str(v) for k, v in r.items()} for r in rows]


def test_without_an_output_the_first_packets_and_the_summary_are_shown(
    decode, dump, definition_file
):
    done = decode(dump)
    assert done.returncode == 0
    assert "APID 66, first packets" in done.stdout
    assert "crc_verdict" in done.stdout
    assert "good, CRC holds" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr  # No colour where there is no terminal.


def test_control_characters_of_a_packet_do_not_reach_the_terminal(decode, make_packet, tmp_path):
    (tmp_path / "text.py").write_text("from construct import *\nT = PaddedString(8, 'ascii')")
    (tmp_path / "d.bin").write_bytes(make_packet(5, 0, b"\x1b[31mred", crc=False))
    done = decode("d.bin", "text.py:T")
    assert "\\x1b[31mred" in done.stdout
    assert "\x1b" not in done.stdout


def test_standard_input_is_read(definition_file, dump, tmp_path):
    command = [FW_TELEMETRY, "decode", "-", "--definition", "mission.py:PACKET", "-o", "o.jsonl"]
    with dump.open("rb") as stream:
        assert subprocess.run(command, stdin=stream, cwd=tmp_path, check=False).returncode == 0
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) == 20


def test_each_apid_has_a_file_of_its_own(decode, definition_file, tmp_path, dump_of):
    both = [
        p for pair in zip(dump_of(5), dump_of(5, apid=67, crc=False), strict=True) for p in pair
    ]
    (tmp_path / "two.bin").write_bytes(b"".join(both))
    done = decode("two.bin", "mission.py:PACKETS", "-o", "out.csv")
    assert done.returncode == 0
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out.66.csv", "out.67.csv"]
    verdicts = {
        apid: {row["crc_verdict"] for row in read_csv(tmp_path / f"out.{apid}.csv")}
        for apid in (66, 67)
    }
    assert verdicts == {66: {"good"}, 67: {"none"}}


def test_one_apid_of_several_is_selected(decode, definition_file, tmp_path, dump_of):
    both = [
        p for pair in zip(dump_of(5), dump_of(5, apid=67, crc=False), strict=True) for p in pair
    ]
    (tmp_path / "two.bin").write_bytes(b"".join(both))
    done = decode("two.bin", "mission.py:PACKETS", "--apid", 67, "-o", "out.csv")
    assert done.returncode == 0
    assert {row["apid"] for row in read_csv(tmp_path / "out.csv")} == {"67"}
    assert "APID 66, not asked for: 5 packets of 14 data octets" in done.stderr


def test_a_definition_without_apids_reads_any(decode, definition_file, tmp_path, dump_of):
    (tmp_path / "two.bin").write_bytes(b"".join([*dump_of(5), *dump_of(5, apid=9)]))
    assert decode("two.bin", "mission.py:PACKET", "-o", "out.csv").returncode == 0
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out.66.csv", "out.9.csv"]


# --- 2: wrong arguments ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "out.xlsx"], "it must be one of .csv, .jsonl, .parquet"),
        (["-o", "out"], "it must be one of .csv, .jsonl, .parquet"),
        (["-o", "none/out.csv"], "there is no folder none; create it first"),
        (["-o", "folder.csv"], "this is a folder; expected the name of a file"),
        (["--apid", "5"], "APID 5: the definition has only APID 66, 67"),
        (["--apid", "x"], "'x' is not a valid integer"),
        (["--summary", "none/s.json"], "there is no folder none"),
        (["--summary", "pass17.bin"], "this is the dump"),
        (["-o", "o.csv", "--summary", "o.csv"], "--summary o.csv: this is the output"),
        (["--speed", "9"], "No such option"),
    ],
)
def test_wrong_arguments_are_told(decode, dump, definition_file, tmp_path, options, message):
    (tmp_path / "folder.csv").mkdir()
    before = dump.read_bytes()
    done = decode(dump, "mission.py:PACKETS", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert dump.read_bytes() == before


def test_the_dump_is_never_overwritten(decode, dump, definition_file, tmp_path):
    before = dump.read_bytes()
    disguised = dump.rename(tmp_path / "dump.csv")
    (tmp_path / "link.csv").symlink_to(disguised)
    for name in ("dump.csv", "./dump.csv", "link.csv"):
        done = decode(disguised, "mission.py:PACKET", "-o", name)
        assert done.returncode == 2
        assert "is the input" in done.stderr
    clash = disguised.rename(tmp_path / "out.66.csv")
    assert decode(clash, "mission.py:PACKETS", "-o", "out.csv").returncode == 2
    assert clash.read_bytes() == before


def test_a_definition_must_be_given(run_telemetry, dump):
    done = run_telemetry("decode", dump)
    assert done.returncode == 2
    assert "Missing option '--definition'" in done.stderr


# --- 3: nothing came out --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "bad.bin: the dump is empty; expected CCSDS space packets"),
        (b"abc", "bad.bin: no packet could be decoded from 3 bytes"),
        (bytes(5000), "bad.bin: all 5,000 bytes are zeros (fill); there is no packet"),
        (b"PK\x03\x04" + bytes(range(256)) * 8, "no packet could be decoded from 2,052 bytes"),
    ],
    ids=["empty", "junk", "zeros", "zip"],
)
def test_a_dump_without_a_packet_is_refused(decode, definition_file, tmp_path, content, message):
    (tmp_path / "bad.bin").write_bytes(content)
    done = decode("bad.bin", "mission.py:PACKETS", "-o", "out.csv")
    assert done.returncode == 3
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize(
    ("dump", "message"),
    [(".", ".: this is a folder; expected a dump file"), ("no.bin", "no.bin: no such file")],
)
def test_a_dump_that_is_no_file_is_refused(decode, definition_file, dump, message):
    done = decode(dump)
    assert done.returncode == 3
    assert message in done.stderr


def test_packets_of_other_apids_are_named_when_nothing_else_came(
    decode, definition_file, tmp_path, dump_of
):
    (tmp_path / "other.bin").write_bytes(b"".join(dump_of(7, apid=99)))
    done = decode("other.bin")
    assert done.returncode == 3
    assert "seen: APID 99, 7 packets of 14 data octets" in done.stderr
    assert "the definition reads APID 66 with 14 data octets, APID 67 with 12" in done.stderr


def test_a_definition_of_another_size_is_told(decode, dump, tmp_path):
    (tmp_path / "small.py").write_text("from construct import *\nP = {66: Bytes(9)}")
    done = decode(dump, "small.py:P")
    assert done.returncode == 3
    assert "it declares a data field of 14; the definition takes 9 octets" in done.stderr


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("none.py:PACKET", "none.py: no such file"),
        ("mission.py:PACKE", "no name 'PACKE'; did you mean 'PACKET'?"),
        ("mission:PACKET", "mission: no such module. The current folder is not searched"),
        ("broken.py:PACKET", "broken.py:2: NameError: name 'Int33ub' is not defined"),
    ],
)
def test_a_definition_that_cannot_be_loaded_is_told(
    decode, dump, definition_file, tmp_path, definition, message
):
    (tmp_path / "broken.py").write_text('from construct import *\nPACKET = "a" / Int33ub')
    done = decode(dump, definition)
    assert done.returncode == 3
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_python_m_does_not_search_the_current_folder_either(dump, definition_file, tmp_path):
    command = [sys.executable, "-m", "telemetry", "decode", dump, "--definition", "mission:PACKET"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 3
    assert "mission: no such module" in done.stderr


def test_a_definition_that_fails_on_every_packet_names_the_field(decode, dump, tmp_path):
    (tmp_path / "bug.py").write_text(
        "from construct import *\n"
        "housekeeping = Struct('head' / Bytes(4), 'fields' / Array(5, Struct(\n"
        "    'rail' / Computed(lambda c: volts if c._._index == 3 else 0), 'x' / Bytes(2))))\n"
    )
    done = decode(dump, "bug.py:housekeeping")
    assert done.returncode == 3
    assert "housekeeping.fields[3].rail: NameError: name 'volts' is not defined" in done.stderr
    assert "Traceback" not in done.stderr


AND_TELL_PEAK_MEMORY = """
import re, sys
from telemetry.cli import cli
from telemetry.common.command import run
code = run(cli, "fw-telemetry")
with open("/proc/self/status") as status:
    print(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1])
sys.exit(code)
"""


def test_a_long_run_of_zeros_is_passed_over_in_little_memory(definition_file, tmp_path):
    size = 512 << 20  # Of 2 GB the time is four times as long, and the memory the same.
    with (tmp_path / "zeros.bin").open("wb") as stream:
        stream.truncate(size)  # Sparse: it takes no room on the disk.
    command = [sys.executable, "-c", AND_TELL_PEAK_MEMORY, "decode", "zeros.bin"]
    done = subprocess.run(
        [*command, "--definition", "mission.py:PACKETS"],
        cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False,
        env={**os.environ, "TELEMETRY_KERNELS": "numpy"},
    )  # fmt: skip
    assert done.returncode == 3
    assert f"all {size:,} bytes are zeros" in done.stderr
    assert int(done.stdout) < 80_000  # kB; with construct and numpy loaded it is some 50,000.


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_full_disk_keeps_whole_rows(decode, definition_file, tmp_path, dump_of, suffix):
    (tmp_path / "long.bin").write_bytes(b"".join(dump_of(9000)))
    decode("long.bin", "mission.py:PACKET", "-o", f"all.{suffix}")
    everything = (tmp_path / f"all.{suffix}").read_bytes()

    def at_most_300_kb_a_file():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    done = decode(
        "long.bin", "mission.py:PACKET", "-o", f"o.{suffix}", preexec_fn=at_most_300_kb_a_file
    )
    assert done.returncode == 3
    assert "the output is not whole: File too large; the first" in done.stderr
    kept = (tmp_path / f"o.{suffix}").read_bytes()
    assert 200_000 < len(kept) <= 300_000
    assert everything.startswith(kept)
    assert kept.endswith(b"\n")
    assert len(list(tmp_path.iterdir())) == 4  # No temporary file is left.


@pytest.mark.parametrize("limit_kb", [700, 900, 1100, 1300])
def test_a_full_disk_keeps_whole_row_groups_of_parquet(
    decode, definition_file, tmp_path, dump_of, limit_kb
):
    (tmp_path / "long.bin").write_bytes(b"".join(dump_of(100_000)))

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_kb << 10, limit_kb << 10))

    done = decode("long.bin", "mission.py:PACKET", "-o", "o.parquet", preexec_fn=limited)
    assert done.returncode == 3, done.stderr
    kept = pq.read_table(tmp_path / "o.parquet")["number"].to_pylist()
    assert kept == list(range(len(kept)))
    assert len(kept) in (20_000, 40_000, 60_000, 80_000)
    assert f"File too large; the first {len(kept):,} rows are kept" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "long.bin", "mission.py", "o.parquet",
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_disk_that_is_full_from_the_start_leaves_nothing(
    decode, definition_file, tmp_path, dump_of, suffix
):
    (tmp_path / "long.bin").write_bytes(b"".join(dump_of(3000)))

    def at_most_1_kb_a_file():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    done = decode(
        "long.bin", "mission.py:PACKET", "-o", f"o.{suffix}", preexec_fn=at_most_1_kb_a_file
    )
    assert done.returncode == 3
    assert f"o.{suffix}: File too large; could not be written, nothing was" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.bin", "mission.py"]


# --- 5: an extra is missing -----------------------------------------------------------------------


def test_parquet_without_pyarrow_prints_the_command_that_brings_it(
    decode, dump, definition_file, tmp_path
):
    hidden = tmp_path / "hidden" / "pyarrow"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('as if it were not installed')")
    environment = {**os.environ, "PYTHONPATH": str(hidden.parent)}
    done = decode(dump, "mission.py:PACKET", "-o", "out.parquet", env=environment)
    assert done.returncode == 5
    assert "  python -m pip install 'fw-tools[archive]'\n" in done.stderr
    assert decode(dump, "mission.py:PACKET", "-o", "out.csv", env=environment).returncode == 0


# --- 6: damaged, but written ----------------------------------------------------------------------


def test_a_dump_cut_in_mid_packet_is_written_and_told(decode, dump, definition_file, tmp_path):
    dump.write_bytes(dump.read_bytes()[:-3])
    done = decode(dump, "mission.py:PACKET", "-o", "out.csv")
    assert done.returncode == 6
    assert "the input ends 3 octets before the packet does" in done.stderr
    assert len(read_csv(tmp_path / "out.csv")) == 19


def test_a_packet_whose_crc_does_not_hold_keeps_its_row_and_is_flagged(
    decode, dump, definition_file, tmp_path
):
    content = bytearray(dump.read_bytes())
    content[5 * 20 + 12] ^= 1
    dump.write_bytes(content)
    done = decode(dump, "mission.py:PACKET", "-o", "out.csv")
    assert done.returncode == 6
    verdicts = [row["crc_verdict"] for row in read_csv(tmp_path / "out.csv")]
    assert verdicts == ["good"] * 5 + ["damaged"] + ["good"] * 14
    assert "no gap" in done.stderr


def test_missing_packets_are_told_with_their_place(decode, definition_file, tmp_path, dump_of):
    run = dump_of(20)
    (tmp_path / "gap.bin").write_bytes(b"".join(run[:8] + run[10:]))
    done = decode("gap.bin", "mission.py:PACKET", "-o", "out.csv")
    assert done.returncode == 6
    assert "2 packets missing after sequence count 7, at byte 160" in done.stderr


def test_a_field_that_fails_on_some_packets_costs_only_these(decode, dump, tmp_path):
    (tmp_path / "some.py").write_text(
        "from construct import *\n"
        "PACKET = Struct('n' / Int32ub, 'odd' / Computed(lambda c: 1 // (c.n != 3)),\n"
        "                'data' / Bytes(8), 'packet_error_control' / Int16ub)\n"
    )
    done = decode(dump, "some.py:PACKET", "-o", "out.csv")
    assert done.returncode == 6
    assert "PACKET.odd: ZeroDivisionError" in done.stderr
    assert [row["n"] for row in read_csv(tmp_path / "out.csv")] == [
        str(n) for n in range(20) if n != 3
    ]


def test_the_summary_file_adds_up_to_the_input(decode, dump, definition_file, tmp_path):
    content = b"\xff" * 5 + dump.read_bytes()[:-3] + b""
    dump.write_bytes(content[:205] + bytes(7) + content[205:])
    done = decode(dump, "mission.py:PACKET", "-o", "out.csv", "--summary", "s.json")
    summary = json.loads((tmp_path / "s.json").read_text())
    assert done.returncode == summary["exit_code"] == 6
    assert summary["input"]["bytes"] == sum(summary["bytes"].values()) == len(content) + 7
    assert summary["bytes"] == {
        "good": 380, "unchecked": 0, "not_as_defined": 0, "damaged": 17, "other": 0, "idle": 0,
        "fill": 7, "skipped": 5,
    }  # fmt: skip
    assert summary["packets"]["good"] == summary["rows"] == 19
    assert [(d["offset"], d["bytes"]) for d in summary["damages"]] == [(0, 5), (392, 17)]
    assert summary["outputs"] == ["out.csv"]


# --- 130: interrupted -----------------------------------------------------------------------------


def interrupt(tmp_path, content):
    """Press Ctrl-C once rows have been decoded, while standard input stays open."""
    command = [FW_TELEMETRY, "decode", "-", "--definition", "mission.py:PACKET", "-o", "out.csv"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, text=False
    )
    process.stdin.write(content)
    process.stdin.flush()
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob(".out.csv.*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(tmp_path.glob(".out.csv.*")), "decoding did not begin"
    process.send_signal(signal.SIGINT)
    process.wait(30)
    return process.returncode, process.communicate()[1].decode()


def test_ctrl_c_keeps_what_was_decoded(definition_file, tmp_path, dump_of):
    (tmp_path / "out.csv").write_text("from an earlier run")
    code, messages = interrupt(tmp_path, b"".join(dump_of(100))[:-3])
    assert code == 130
    assert "interrupted: what was read by then is kept" in messages
    assert "1,980 bytes, 99 rows decoded" in messages
    assert "Damage" not in messages  # The last packet was on its way.
    assert len(read_csv(tmp_path / "out.csv")) == 99
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mission.py", "out.csv"]
