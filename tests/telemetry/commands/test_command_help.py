# SPDX-License-Identifier: Apache-2.0
"""`--help` of each command teaches with an example, and loads nothing heavy."""

import json
import subprocess
import sys

import pytest

COMMANDS = ("packets", "inspect", "explain", "stats", "plot", "report", "build")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example_of_the_command(call, command):
    done = call(command, "--help")
    assert done.returncode == 0
    assert f"  fw-telemetry {command} " in done.stdout


def test_the_first_help_lists_every_command(call):
    shown = call("--help").stdout
    for command in COMMANDS:
        assert f"\n  {command} " in shown


def test_no_help_loads_a_heavy_library():
    code = (
        "import json, sys\n"
        "from telemetry.cli import cli\n"
        f"for command in {COMMANDS!r}:\n"
        "    cli.main([command, '--help'], standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert loaded.isdisjoint(("numpy", "construct", "plotly", "pyarrow", "rich"))
