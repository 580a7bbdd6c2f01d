# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, a full disk and a reader that goes away: what was done is kept, and the truth is told."""

import csv
import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

FW_TELEMETRY = Path(sys.executable).with_name("fw-telemetry")
MISSION = """
from construct import *
PACKET = Struct("n" / Int32ub, "body" / Bytes(8), "packet_error_control" / Int16ub)
"""
CUT = 8  # Octets that the last packet lacks.
INTERRUPTED = "interrupted: what was read by then is kept"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mission.py").write_text(MISSION)
    return tmp_path


@pytest.fixture
def dump(make_packet):
    return b"".join(
        make_packet(66, count, count.to_bytes(4, "big") + bytes(8)) for count in range(3000)
    )


def interrupted(folder, content, *arguments, request=signal.SIGINT):
    """Press Ctrl-C when all of the content has been read, while standard input stays open."""
    process = subprocess.Popen(
        [FW_TELEMETRY, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
    )
    process.stdin.write(content)
    process.stdin.flush()
    deadline = time.monotonic() + 30
    while _unread(process.stdin) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)  # What was read last is worked on.
    process.send_signal(request)
    process.wait(30)
    out, messages = process.communicate()
    return process.returncode, out.decode(), messages.decode()


def _unread(pipe):
    import fcntl
    import termios

    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4), sys.byteorder)


DEFINED = ("-", "--definition", "mission.py:PACKET")


@pytest.mark.parametrize("request_", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "sigterm"])
@pytest.mark.parametrize(
    "command",
    [
        ("decode", *DEFINED, "-o", "out.csv"),
        ("decode", *DEFINED),
        ("packets", *DEFINED, "-o", "out.csv"),
        ("stats", *DEFINED),
        pytest.param(("report", *DEFINED, "-o", "out.html"), marks=pytest.mark.beyond_base),
        ("init", "-", "-o", "out.py"),
    ],
    ids=["decode", "decode_shown", "packets", "stats", "report", "init"],
)
def test_what_was_read_is_kept_and_the_cut_is_no_damage(folder, dump, command, request_):
    code, _, messages = interrupted(folder, dump[:-CUT], *command, request=request_)
    assert code == 130, messages
    assert INTERRUPTED in messages
    assert "amage" not in messages
    assert "Traceback" not in messages
    if "out.csv" in command:
        with (folder / "out.csv").open(newline="") as stream:
            assert len(list(csv.DictReader(stream))) == 2999
    if "out.html" in command:
        assert INTERRUPTED in (folder / "out.html").read_text()


def test_one_packet_is_not_looked_for_any_longer(folder, dump):
    code, _, messages = interrupted(folder, dump, "inspect", *DEFINED, "--packet", "99999")
    assert (code, messages.splitlines()[-1]) == (130, "fw-telemetry: interrupted")


def test_ctrl_c_of_a_program_that_decodes_reaches_that_program(folder, dump):
    (folder / "a.bin").write_bytes(dump)
    program = """
import os, signal
import telemetry

class Stream:
    def __init__(self):
        self.file, self.reads = open("a.bin", "rb"), 0

    def read(self, size):
        self.reads += 1
        if self.reads == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return self.file.read(10_000)

try:
    print(sum(len(table) for table in telemetry.batches(Stream(), "mission.py:PACKET")))
except KeyboardInterrupt:
    print("KeyboardInterrupt")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, cwd=folder, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout == "KeyboardInterrupt\n", done.stderr


def limited(kilobytes):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, kilobytes << 10))

    return limit


def run(folder, *arguments, **options):
    return subprocess.run(
        [FW_TELEMETRY, *arguments],
        capture_output=True, text=True, cwd=folder, timeout=120, check=False, **options,
    )  # fmt: skip


def test_a_full_disk_is_told_with_the_dump_and_every_octet_is_booked(folder, dump):
    (folder / "a.bin").write_bytes(dump * 40)
    done = run(
        folder, "decode", "a.bin", "--definition", "mission.py:PACKET", "-o", "o.csv",
        "--summary", "s.json", preexec_fn=limited(1000),
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.startswith("a.bin: ")
    assert "the output is not whole: File too large; the first" in done.stderr
    assert "interrupted" not in done.stderr
    summary = json.loads((folder / "s.json").read_text())
    assert sum(summary["bytes"].values()) == summary["input"]["bytes"]
    assert summary["exit_code"] == 3


def test_a_full_disk_keeps_the_head_of_a_list(folder, dump):
    (folder / "a.bin").write_bytes(dump * 10)
    done = run(folder, "packets", "a.bin", "-o", "o.csv", preexec_fn=limited(300))
    assert done.returncode == 3, done.stderr
    text = (folder / "o.csv").read_text()
    assert text.endswith("\n")
    kept = len(text.splitlines()) - 1
    assert kept > 1000
    assert (
        f"the output is not whole: File too large; the first {kept:,} rows are kept" in done.stderr
    )


def test_a_reader_that_goes_away_is_no_error(folder, dump):
    (folder / "a.bin").write_bytes(dump)
    for command in (["packets", "a.bin"], ["decode", "a.bin", "--definition", "mission.py:PACKET"]):
        process = subprocess.Popen(
            [FW_TELEMETRY, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder
        )
        process.stdout.close()  # As `| head` does when it has seen enough.
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait(60) == 0
