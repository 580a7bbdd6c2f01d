# SPDX-License-Identifier: Apache-2.0
"""`fw-tools verify` on a payload of one packet, with a bench of the user's own beside ours."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PAYLOAD = """\
[board]
name = "tiny"
clock = "10MHz"

[packet.housekeeping]
apid = 42
structure_id = 1
destination_id = 0
period = "1s"
fields = [{ name = "seconds", source = "time.seconds", unit = "s" }]

[[bench]]
name = "mine"
top = "inverter"
modules = "test_inverter"
sources = "inverter.sv"
"""
INVERTER = (
    "module inverter (input logic a_i, output logic q_o);\n  assign q_o = {}a_i;\nendmodule\n"
)
BENCH = """\
import cocotb
from cocotb.triggers import Timer

@cocotb.test()
async def output_is_inverted(dut):
    for value in (0, 1):
        dut.a_i.value = value
        await Timer(1, "ns")
        assert dut.q_o.value == 1 - value
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "payload.toml").write_text(PAYLOAD)
    (tmp_path / "inverter.sv").write_text(INVERTER.format("~"))
    (tmp_path / "test_inverter.py").write_text(BENCH)
    return tmp_path


def verify(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "fw_tools", "verify", "payload.toml", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )


def test_ours_and_the_users_benches_stand_in_one_table_and_one_report(project: Path) -> None:
    done = verify(project, "-k", "^(gateware|time|mine)$")
    assert done.returncode == 0, done.stderr + done.stdout
    output = project / "build" / "tiny"
    results = json.loads((output / "results.json").read_text())
    assert {record["bench"] for record in results["records"]} == {"gateware", "time", "mine"}
    assert (output / "generated" / "generated.json").is_file()
    assert "output_is_inverted" in (output / "report.html").read_text()
    assert 'classname="mine"' in (output / "junit.xml").read_text()
    assert results["command"].endswith("--seed 1")


def test_a_failing_bench_of_the_user_is_exit_code_4(project: Path) -> None:
    (project / "inverter.sv").write_text(INVERTER.format(""))
    done = verify(project, "-k", "mine", "-o", "out")
    assert done.returncode == 4
    assert "failed mine test_inverter.output_is_inverted" in done.stdout
    assert not json.loads((project / "out" / "results.json").read_text())["passed"]


def test_a_pattern_that_matches_nothing_is_exit_code_4_and_builds_nothing(project: Path) -> None:
    done = verify(project, "-k", "nonesuch")
    assert done.returncode == 4
    assert "-k 'nonesuch' matches no bench and no test; nothing ran." in done.stderr
    assert not (project / "build" / "tiny" / "report.html").exists()
    assert not list(project.glob("build/tiny/benches/*/sim"))


def test_a_bad_description_is_exit_code_3_and_writes_nothing(project: Path) -> None:
    text = PAYLOAD.replace("apid", "apidd")
    (project / "payload.toml").write_text(text)
    done = verify(project)
    assert done.returncode == 3
    assert "payload.toml:6: packet housekeeping: unknown key 'apidd'" in done.stderr
    assert not (project / "build").exists()
