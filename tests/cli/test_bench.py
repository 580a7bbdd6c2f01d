# SPDX-License-Identifier: Apache-2.0
"""`fw-tools bench` on a FIFO that somebody else wrote, with cocotb's kind of Makefile beside it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

FIFO = """\
`include "fifo_defs.svh"
module fifo #(
    parameter DEPTH = 4
) (
    input  wire clk,
    input  wire rst,
    input  wire push,
    input  wire pop,
    input  wire [`WORD-1:0] din,
    output wire [`WORD-1:0] dout,
    output wire empty
);
  reg [`WORD-1:0] mem [0:DEPTH-1];
  reg [$clog2(DEPTH):0] wr, rd;
  reg [`WORD-1:0] rom [0:1];
  initial $readmemh("data/rom.hex", rom);
  assign empty = wr == rd;
  assign dout  = empty ? rom[1] : mem[rd % DEPTH];
  always @(posedge clk) begin
    if (rst) begin
      wr <= 0;
      rd <= 0;
    end else begin
      if (push) begin
        mem[wr % DEPTH] <= din;
        wr <= wr + 1;
      end
      if (pop && !empty) rd <= rd + 1;
    end
  end
endmodule
"""
BENCH = '''\
import os

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer
from helpers import words


async def start(dut):
    cocotb.start_soon(Clock(dut.clk, 10, units="ns").start())
    dut.rst.value, dut.push.value, dut.pop.value = 1, 0, 0
    await FallingEdge(dut.clk)
    dut.rst.value = 0


@cocotb.test()
async def test_order(dut):
    """Words leave in the order in which they came."""
    await start(dut)
    for word in words():
        dut.push.value, dut.din.value = 1, word
        await FallingEdge(dut.clk)
    dut.push.value = 0
    for word in words():
        assert dut.dout.value.integer == word
        dut.pop.value = 1
        await FallingEdge(dut.clk)


@cocotb.test()
async def test_rom(dut):
    await start(dut)
    assert dut.dout.value == 0xA5
    assert open("data/rom.hex").read() == "00 a5\\n"
'''
WRONG = """\
import cocotb

@cocotb.test()
async def test_wrong(dut):
    assert 1 == 2, "one is not two"
"""
HANGS = """\
import os
import cocotb

@cocotb.test()
async def test_hang(dut):
    os.system("sleep 600 & echo $! > pids; echo $PPID >> pids")
    while True:
        pass
"""


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the root of somebody's design, with sources, data, benches and file list."""
    root = tmp_path_factory.mktemp("somebodys")
    files = {
        "hdl/fifo.sv": FIFO,
        "hdl/include/fifo_defs.svh": "`ifndef WORD\n`define WORD 8\n`endif\n",
        "files.f": "+incdir+hdl/include\nhdl/fifo.sv\n",
        "data/rom.hex": "00 a5\n",
        "tests/helpers.py": "def words():\n    return [3, 1, 4]\n",
        "tests/test_fifo.py": BENCH,
        "tests/test_wrong.py": WRONG,
        "tests/test_hang.py": HANGS,
        "tests/test_none.py": "import cocotb\n",
        "tests/test_skipped.py": (
            "import cocotb\n\n@cocotb.test(skip=True)\nasync def test_later(dut): ...\n"
        ),
        "tests/test_absent_import.py": "import nonesuch\n",
        "tests/test_old.py": "import cocotb\nfrom cocotb.binary import BinaryValue\n",
        "Makefile": "TOPLEVEL = fifo\nMODULE = test_fifo\ninclude $(cocotb-config --makefiles)\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def command(module: str, *arguments: str) -> list[str]:
    # `-P` keeps the current folder off our own import path, as the installed command does.
    fw_tools = [sys.executable, "-P", "-m", "fw_tools", "bench"]
    return [*fw_tools, "--top", "fifo", "-m", f"tests/{module}.py", "-f", "files.f", *arguments]


def bench(
    tree: Path, output: Path, module: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(module, "-o", str(output), *arguments),
        cwd=tree,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def snapshot(tree: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def test_a_foreign_tree_runs_untouched(tree: Path, tmp_path: Path) -> None:
    before = snapshot(tree)
    done = bench(tree, tmp_path, "test_fifo", "--seed", "7")
    assert done.returncode == 0, done.stderr + done.stdout
    assert snapshot(tree) == before
    assert "2 tests in 1 bench: 2 passed" in done.stdout
    assert "(seed 7)" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["passed"]
    assert [record["test"] for record in results["records"]] == [
        "test_fifo.test_order",
        "test_fifo.test_rom",
    ]
    assert results["records"][0]["description"].startswith("Words leave in the order")
    assert len(ET.parse(tmp_path / "junit.xml").getroot().findall(".//testcase")) == 2


def test_a_matrix_runs_each_value_with_waves_and_coverage(tree: Path, tmp_path: Path) -> None:
    options = ("-G", "DEPTH=4,8", "-D", "WORD=12", "--waves", "--coverage", "-k", "order")
    done = bench(tree, tmp_path, "test_fifo", *options)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "2 tests in 2 benches: 2 passed" in done.stdout
    for cell in ("fifo_DEPTH=4", "fifo_DEPTH=8"):
        waves = tmp_path / "benches" / cell / "waves.vcd"
        assert f"waves: {waves}" in done.stdout
        assert re.search(r"\$var wire 12 \S+ dout ", waves.read_text())
    coverage = json.loads((tmp_path / "results.json").read_text())["coverage"]
    assert [Path(row["file"]).name for row in coverage] == ["fifo.sv"]


@pytest.mark.parametrize(
    ("module", "arguments", "said"),
    [
        ("test_wrong", (), "test_wrong.py:5: AssertionError: one is not two"),
        ("test_none", (), "no test in module test_none; is there a @cocotb.test()?"),
        ("test_skipped", (), "(seed 1); nothing ran"),
        ("test_absent_import", (), "cannot be imported: "),
        ("test_fifo", ("-k", "nonesuch"), "-k 'nonesuch' matches no bench and no test"),
        ("test_old", (), "tests/test_old.py:2: cocotb 2 removed cocotb.binary.BinaryValue; write"),
        ("test_fifo", ("-D", "WORD=)"), "fifo.sv"),
    ],
)
def test_what_does_not_hold_is_exit_code_4_and_named(
    tree: Path, tmp_path: Path, module: str, arguments: tuple[str, ...], said: str
) -> None:
    done = bench(tree, tmp_path, module, *arguments)
    assert done.returncode == 4
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_run_that_ends_early_leaves_no_older_report(tree: Path, tmp_path: Path) -> None:
    assert bench(tree, tmp_path, "test_fifo").returncode == 0
    assert bench(tree, tmp_path, "test_fifo", "-k", "nonesuch").returncode == 4
    names = ("results.json", "junit.xml", "report.html")
    assert [name for name in names if (tmp_path / name).exists()] == []


def test_a_hung_bench_is_killed_with_all_it_started(tree: Path, tmp_path: Path) -> None:
    done = bench(tree, tmp_path, "test_hang", "--timeout", "3")
    assert done.returncode == 4
    assert "killed after 3 s (time-out)" in done.stdout
    assert_dead(tree / "pids")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_exit_code_130_and_leaves_no_process(
    tree: Path, tmp_path: Path, number: signal.Signals
) -> None:
    pids = tree / "pids"
    pids.unlink(missing_ok=True)
    process = subprocess.Popen(
        command("test_hang", "-o", str(tmp_path)),
        cwd=tree,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    wait_for_lines(pids, 2)
    os.killpg(process.pid, number)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert_dead(pids)


def wait_for_lines(path: Path, lines: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.is_file() and len(path.read_text().split()) == lines:
            return
        time.sleep(0.05)
    pytest.fail(f"{path} did not come")


def assert_dead(pids: Path) -> None:
    """Assert that none of the noted processes lives; one that is just ending gets a moment."""
    numbers = pids.read_text().split()
    assert len(numbers) == 2
    deadline = time.monotonic() + 2
    while any(is_alive(number) for number in numbers) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [number for number in numbers if is_alive(number)] == []


def is_alive(pid: str) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give BENCH.toml, or --top TOP -m MODULE FILE..."),
        (["--top", "fifo", "-m", "t", "hdl/fifo.sv", "-G", "DEPTH"], "expected NAME=VALUE"),
        (
            ["--top", "fifo", "-m", "t", "hdl/fifo.sv", "-k", "("],
            "-k '(' is not a regular expression",
        ),
        (["bench.toml", "--top", "fifo"], "give no other options"),
        (["--jobs", "0"], "--jobs"),
    ],
)
def test_wrong_arguments_are_exit_code_2(tree: Path, arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "fw_tools", "bench", *arguments],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr


def test_an_absent_source_is_exit_code_3_and_named(tree: Path, tmp_path: Path) -> None:
    done = bench(tree, tmp_path / "out", "test_fifo", "hdl/nonesuch.sv")
    assert done.returncode == 3
    assert "'hdl/nonesuch.sv': no such file" in done.stderr
    assert "command line:1" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_absent_test_module_is_exit_code_3_and_nothing_is_built(
    tree: Path, tmp_path: Path
) -> None:
    done = bench(tree, tmp_path / "out", "nosuch")
    assert done.returncode == 3
    assert "-m tests/nosuch.py: no such file" in done.stderr
    assert not (tmp_path / "out").exists()


def test_paths_in_messages_are_spelled_as_the_output_folder_was_given(
    tree: Path, tmp_path: Path
) -> None:
    output = Path(os.path.relpath(tmp_path, tree))
    for arguments, log in (((), "run.log"), (("-D", "WORD=)"), "build.log")):
        done = bench(tree, output, "test_wrong", *arguments)
        assert done.returncode == 4
        assert f"  log: {output}/benches/fifo/{log}\n" in done.stdout
        assert f"report: {output}/report.html\n" in done.stdout
        assert str(tmp_path) not in done.stdout + done.stderr


def test_an_output_folder_that_is_not_ours_is_exit_code_3_and_kept(
    tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "report.html").write_text("mine\n")
    done = bench(tree, tmp_path, "test_fifo")
    assert done.returncode == 3
    assert f"{tmp_path}: not empty and not made by fw-tools" in done.stderr
    assert snapshot(tmp_path) == {str(tmp_path / "report.html"): b"mine\n"}


def test_a_missing_compiler_is_exit_code_5_with_the_command_that_brings_it(
    tree: Path, tmp_path: Path
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("make", "perl", "sh", "ldconfig"):
        if path := shutil.which(name):
            (tools / name).symlink_to(path)
    (tools / "apt-get").write_text("#!/bin/sh\n")
    (tools / "apt-get").chmod(0o755)
    done = bench(tree, tmp_path / "out", "test_fifo", PATH=str(tools))
    assert done.returncode == 5
    assert "g++: not found" in done.stderr
    assert "apt-get install g++" in done.stderr


def test_a_bench_file_runs_in_its_own_folder(tree: Path, tmp_path: Path) -> None:
    (tree / "bench.toml").write_text(
        '[[bench]]\nname = "mine"\ntop = "fifo"\nmodules = "test_fifo"\n'
        'filelists = "files.f"\npython_paths = "tests"\nparameters = { DEPTH = [4, 8] }\n'
    )
    done = subprocess.run(
        [sys.executable, "-P", "-m", "fw_tools", "bench", str(tree / "bench.toml"), "-k", "rom"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "mine[DEPTH=8]" in done.stdout
    assert (tmp_path / "build" / "bench" / "report.html").is_file()
