# SPDX-License-Identifier: Apache-2.0
"""`--help` teaches, and costs nothing."""

import json
import subprocess
import sys

import pytest

HEAVY = ("numpy", "construct", "pyarrow", "rich")


def modules_after(statement):
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [["--help"], ["decode", "--help"], ["--version"]])
def test_help_loads_no_heavy_library(arguments):
    loaded = modules_after(
        f"from telemetry.cli import cli\ncli.main({arguments!r}, standalone_mode=False)"
    )
    assert loaded.isdisjoint(HEAVY)
    assert "click" in loaded


def test_importing_the_package_loads_no_heavy_library():
    assert modules_after("import telemetry").isdisjoint((*HEAVY, "click"))


def test_decode_is_offered_by_the_package_and_nothing_else_is():
    import telemetry
    from telemetry.ops.decode import decode

    assert telemetry.decode is decode
    with pytest.raises(AttributeError, match="has no attribute 'encode'"):
        telemetry.encode  # noqa: B018


@pytest.mark.parametrize(
    "text",
    [
        "fw-telemetry decode pass17.bin --definition mission.py:PACKETS -o pass17.csv",
        "1    our bug",
        "6    done and written, but input was damaged or packets are missing",
        "Decode a dump to CSV, JSON lines or Parquet.",
    ],
)
def test_the_first_help_shows_an_example_the_commands_and_the_exit_codes(run_telemetry, text):
    assert text in run_telemetry("--help").stdout


@pytest.mark.parametrize(
    "text",
    [
        "A definition is a program: decoding runs FILE.py, or imports MODULE, with your rights.",
        "The current folder is not searched for MODULE.",
        "PACKETS = {66: HOUSEKEEPING, 67: EVENTS}",
    ],
)
def test_the_help_of_decode_says_what_a_definition_is(run_telemetry, text):
    shown = " ".join(run_telemetry("decode", "--help").stdout.split())
    assert " ".join(text.split()) in shown
