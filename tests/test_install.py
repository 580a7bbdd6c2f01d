# SPDX-License-Identifier: Apache-2.0
"""The tools work from an installed wheel as they do from the tree."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel_bin(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """Return the folder of commands of an environment that has our wheel and the locked libraries.

    The libraries are those of the running Python, put behind the wheel on the path; the .pth file
    of an editable install there is not followed, so that nothing of ours comes from the tree.
    """
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, repository]
    made = run(*build, cwd=folder)
    assert made.returncode == 0, made.stderr
    environment = folder / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    wheel = next(folder.glob("*.whl"))
    installed = run(
        *pip, "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder
    )
    assert installed.returncode == 0, installed.stderr
    packages = next(environment.glob("lib/python*/site-packages"))
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin"


def test_the_wheel_holds_no_foreign_or_missing_file(wheel_bin: Path) -> None:
    script = "import fw_tools, hdl, telemetry; print(fw_tools.__file__, hdl.__file__)"
    done = run(wheel_bin / "python", "-c", script, cwd=wheel_bin)
    assert done.returncode == 0, done.stderr
    assert all(str(wheel_bin.parent) in path for path in done.stdout.split())


@pytest.mark.parametrize("origin", ["wheel", "editable"])
def test_a_new_project_verifies_untouched(origin: str, wheel_bin: Path, tmp_path: Path) -> None:
    folder = wheel_bin if origin == "wheel" else Path(sys.executable).parent
    made = run(folder / "fw-tools", "init", "sentinel", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    done = run(folder / "fw-tools", "verify", "sentinel/payload.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pulse_counter[Width=8]" in done.stdout
    assert (tmp_path / "build" / "sentinel" / "report.html").is_file()


def test_a_bench_written_without_our_library_runs_from_the_wheel(
    wheel_bin: Path, tmp_path: Path
) -> None:
    (tmp_path / "adder.sv").write_text(
        "module adder #(parameter int W = 8) (input logic [W-1:0] a, b, output logic [W:0] sum);\n"
        "  assign sum = a + b;\n"
        "endmodule\n"
    )
    (tmp_path / "test_adder.py").write_text(
        "import random\n"
        "import cocotb\n"
        "from cocotb.triggers import Timer\n\n"
        "@cocotb.test()\n"
        "async def adds(dut):\n"
        "    for _ in range(100):\n"
        "        a, b = random.getrandbits(8), random.getrandbits(8)\n"
        "        dut.a.value, dut.b.value = a, b\n"
        "        await Timer(1, 'ns')\n"
        "        assert int(dut.sum.value) == a + b\n"
    )
    arguments = ["bench", "--top", "adder", "-m", "test_adder", "adder.sv"]
    done = run(wheel_bin / "fw-tools", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 test" in done.stdout
    (tmp_path / "adder.sv").write_text(
        (tmp_path / "adder.sv").read_text().replace("a + b", "a - b")
    )
    assert run(wheel_bin / "fw-tools", *arguments, cwd=tmp_path).returncode == 4
