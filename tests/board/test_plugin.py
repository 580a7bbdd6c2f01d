# SPDX-License-Identifier: Apache-2.0
"""The pytest plug-in: a user's tests on a board, the record of the run, two records compared."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from reference_payload import write_link

from fw_tools.board.records import Measurement, Outcome, load_record, write_record

TESTS = """
import pytest

def test_alive(client, measure):
    measure("round trip", client.ping().round_trip_s * 1e3, "ms", most=1000)

def test_raw(probe):
    assert [each.kind for each in probe.ask(probe.packet((17, 1)))] == [
        (1, 1), (1, 3), (17, 2), (1, 7)
    ]

@pytest.mark.needs("TC[6,5]")
def test_memory(client):
    assert len(client.read_memory("rom")) == 1024

@pytest.mark.needs("reset", "TC[99,1]", "baud")
def test_of_another_board(reset):
    reset()

def test_without_a_board():
    pass
"""
FAILS = """
def test_too_slow(measure):
    measure("delay", 3, "ms", least=1, most=2)
"""


def run(folder: Path, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_mine.py").write_text(tests)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-p",
        "no:cacheprovider",
        "test_mine.py",
    ]
    return subprocess.run(
        [*command, *options], cwd=folder, capture_output=True, text=True, check=False
    )


def board(tmp_path: Path, port: str) -> tuple[str, ...]:
    return "--board", str(write_link(tmp_path)), "--port", port


def test_a_users_tests_run_on_a_board_and_leave_a_record(pty_board, tmp_path: Path) -> None:
    done = run(tmp_path, TESTS, *board(tmp_path, pty_board.url), "--record", "run.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed, 1 skipped" in done.stdout
    assert "no reset, TC[99,1]" in done.stdout
    record = load_record(tmp_path / "run.json")
    assert record.board.payload == "reference"
    assert record.outcome is Outcome.PASSED
    outcomes = {test.name: str(test.outcome) for test in record.tests}
    assert outcomes == {
        "test_alive": "passed",
        "test_raw": "passed",
        "test_memory": "passed",
        "test_of_another_board": "skipped",
    }
    (measured,) = record.tests[0].measurements
    assert (measured.name, measured.unit, measured.most) == ("round trip", "ms", 1000)
    assert 0 < measured.value < 1000


def test_a_value_outside_of_its_limits_fails_and_is_recorded(pty_board, tmp_path: Path) -> None:
    done = run(tmp_path, FAILS, *board(tmp_path, pty_board.url))
    assert done.returncode == 1
    assert "delay: 3 ms; limits: 1 to 2" in done.stdout
    written = json.loads((tmp_path / "board-record.json").read_text())
    assert written["outcome"] == "failed"
    assert written["tests"][0]["reason"] == "delay: 3 ms; limits: 1 to 2"
    assert written["tests"][0]["measurements"][0]["is_within"] is False


@pytest.mark.parametrize(
    ("port", "code", "message"),
    [
        ("/dev/none", 7, "no such port"),
        ("socket://127.0.0.1:1", 7, "is the other side running?"),
        ("what://", 2, "no URL that pyserial knows"),
    ],
)
def test_a_board_that_is_not_there_ends_the_run_at_once(
    tmp_path: Path, port: str, code: int, message: str
) -> None:
    done = run(tmp_path, TESTS, *board(tmp_path, port))
    assert done.returncode == code
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "board-record.json").exists()


def test_the_suite_that_ships_finds_a_payload_that_is_not_as_described(
    pty_board, tmp_path: Path
) -> None:
    """The reference payload has no digest to tell: that test fails, the run with 4."""
    options = [*board(tmp_path, pty_board.url), "--record", str(tmp_path / "run.json")]
    command = [sys.executable, "-m", "fw_tools", "selftest", *options]
    passed = subprocess.run([*command, "-k", "memory and not kept"], check=False)
    assert passed.returncode == 0
    wrong = subprocess.run([*command, "-k", "gateware"], check=False)
    assert wrong.returncode == 4
    nothing = subprocess.run([*command, "-k", "nothing_so_named"], check=False)
    assert nothing.returncode == 4, "nothing ran"
    absent = subprocess.run([*command[:-3], "/dev/none", "--record", options[-1]], check=False)
    assert absent.returncode == 7


def test_two_records_are_compared(pty_board, tmp_path: Path) -> None:
    run(tmp_path, TESTS, *board(tmp_path, pty_board.url), "--record", "run.json")
    first = load_record(tmp_path / "run.json")
    for number, (change, differing) in enumerate(
        [
            (lambda record: record, None),
            (lambda record: setattr(record.tests[3], "outcome", Outcome.PASSED), None),
            (lambda record: setattr(record.tests[1], "outcome", Outcome.FAILED), "test_raw"),
            (lambda record: record.tests.pop(1), "test_raw"),
            (lambda record: other_gateware(record), "rtl_digest"),
            (lambda record: beyond(record, 2000.0), "test_alive: round trip"),
            (lambda record: beyond(record, 900.0), None),
            (lambda record: exact(record), "test_alive: round trip"),
        ]
    ):
        second = load_record(tmp_path / "run.json")
        change(second)
        write_record(tmp_path / "second.json", second)
        command = [sys.executable, "-m", "fw_tools", "compare", "run.json", "second.json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == (4 if differing else 0), number
        told = [line for line in done.stdout.splitlines() if line.startswith("differs")]
        assert [differing in line for line in told] == ([True] if differing else []), number
    assert first.outcome is Outcome.PASSED


def other_gateware(record) -> None:
    record.board = replace(record.board, rtl_digest="0" * 16)


def beyond(record, value: float) -> None:
    record.tests[0].measurements = [Measurement(name="round trip", value=value, most=1000)]


def exact(record) -> None:
    record.tests[0].measurements = [Measurement(name="round trip", value=900, is_exact=True)]


def test_what_is_no_record_is_told(tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_text('{"format": 9}')
    command = [sys.executable, "-m", "fw_tools", "compare", "wrong.json", "none.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "wrong.json: no record of a run: format 9; expected 1" in done.stderr
