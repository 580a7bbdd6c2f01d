# SPDX-License-Identifier: Apache-2.0
"""`fw-tools upset` as a user meets it: what it says of what cannot be done."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FIFO = "examples/own_bench/fifo.sv"
OUTCOMES = "tests/upset/designs/outcomes.sv"


def fw_tools(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fw_tools", "upset", *arguments],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )


BROKEN = {
    "latch": ("always_latch if (a_i) q_o = b_i;", "broken.sv:2: broken.q_o is a latch"),
    "loop": ("logic x; assign x = !(x & a_i); assign q_o = x;", "loop"),
    "falling": (
        "always_ff @(negedge clk_i) q_o <= a_i;",
        "broken.sv:2: broken.q_o is stored on the falling",
    ),
    "two_clocks": (
        "logic r; always_ff @(posedge clk_i) r <= a_i; always_ff @(posedge b_i) q_o <= r;",
        "2 clocks, ",
    ),
    "three_states": (
        "assign q_o = a_i ? b_i : 1'bz;",
        "broken.sv:2: broken.q_o is a tri-state buffer",
    ),
    "gated": (
        "logic g; assign g = clk_i & a_i; always_ff @(posedge g) q_o <= b_i;",
        "broken.sv:2: q_o has a clock",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_a_campaign_cannot_take_is_refused_by_name(
    repository: Path, tmp_path: Path, name: str
) -> None:
    body, said = BROKEN[name]
    source = tmp_path / "broken.sv"
    source.write_text(
        f"module broken(input logic clk_i, a_i, b_i, output logic q_o);\n{body}\nendmodule"
    )
    done = fw_tools(
        repository, "--top", "broken", str(source), "--feed-forward", "-o", str(tmp_path / "o")
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "o").rglob("*.*"))


def test_a_register_that_only_its_reset_assigns_is_refused(
    repository: Path, tmp_path: Path
) -> None:
    """The reader of Yosys 0.70 makes it unknown, and every answer would be wrong."""
    source = tmp_path / "held.sv"
    source.write_text(
        "module held(input logic clk_i, rst_ni, output logic a_o, b_o);\n"
        "logic a_q, b_q; assign a_o = a_q; assign b_o = b_q;\n"
        "always_ff @(posedge clk_i or negedge rst_ni)\n"
        "  if (!rst_ni) begin a_q <= 1'b1; b_q <= 1'b1; end else b_q <= !b_q;\n"
        "endmodule\n"
    )
    done = fw_tools(repository, "--top", "held", str(source), "-o", str(tmp_path / "o"))
    assert done.returncode == 3
    assert "held.a_q is assigned nowhere but in its reset" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--top", "fif", FIFO), 3, "fif"),
        (("--top", "fifo", "nowhere.sv"), 3, "nowhere.sv: no such file"),
        (("--top", "fifo", FIFO), 3, "in_valid_i, in_data_i, out_ready_i: who drives them"),
        (("--top", "fifo", FIFO, "--feed-forward", "--role", "full=alarm"), 3, "no output full"),
        (("--top", "fifo", FIFO, "--feed-forward", "--role", "in_ready_o=x"), 3, "no role x"),
        (("--top", "outcomes", OUTCOMES, "--within", "u_dut"), 3, "nothing is stored within u_dut"),
        (("--top", "outcomes", OUTCOMES, "--clocks", "50"), 3, "50 clocks of stimulus leave none"),
        ((FIFO, OUTCOMES), 2, "give --top TOP too"),
        (("--top", "outcomes", OUTCOMES, "--role", "alarm"), 2, "give NAME=VALUE"),
        (("--top", "outcomes", OUTCOMES, "--mbu", "1"), 2, "1: two bits or more in a row"),
        (("--top", "outcomes", OUTCOMES, "--mbu", "9"), 3, "no register or memory is wide enough"),
        (("--top", "outcomes", OUTCOMES, "--scheduler", "host:1"), 2, "give tcp://HOST:PORT"),
        (("--top", "outcomes", OUTCOMES, "--reset", "--clock"), 2, "has one sort of faults"),
    ],
)
def test_mistakes_are_told_with_what_would_be_right(
    repository: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = fw_tools(repository, *arguments, "-o", str(tmp_path / "o"))
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


CLOCKS = 2000
FIFO_INPUTS = {
    "rst_ni": np.arange(CLOCKS) >= 4,
    "in_valid_i": np.ones(CLOCKS, np.uint8),
    "in_data_i": np.arange(CLOCKS) % 256,
    "out_ready_i": np.ones((CLOCKS, 1), np.uint8),  # Bit by bit does as well.
}


def recorded(repository: Path, folder: Path, **changes: object) -> subprocess.CompletedProcess[str]:
    arrays = {name: value for name, value in (FIFO_INPUTS | changes).items() if value is not None}
    np.savez(folder / "inputs.npz", **arrays)  # type: ignore[arg-type]
    return fw_tools(
        repository, "--top", "fifo", FIFO, "--feed-forward", "--cross-check", "0",
        "--inputs", str(folder / "inputs.npz"), "-o", str(folder / "o"),
    )  # fmt: skip


def test_recorded_inputs_drive_the_design(repository: Path, tmp_path: Path) -> None:
    """A FIFO that hands on what it is given in every clock never fills its upper words."""
    done = recorded(repository, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2,000 clocks with inputs recorded in inputs.npz" in done.stdout
    assert "every bit of 39 in every clock (38,610, those between two accesses" in done.stdout


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"out_ready_i": None}, "another design: it has no out_ready_i; fifo has "),
        ({"go_i": np.ones(CLOCKS, bool)}, "it has go_i, which is no input; fifo has "),
        ({"in_data_i": np.full(CLOCKS, 256)}, "in_data_i has 8 bits: in each clock a number below"),
        ({"in_data_i": np.full(CLOCKS, -1)}, "with -1 to -1"),
        ({"in_data_i": np.zeros((CLOCKS, 7), int)}, "8 times 0 or 1; this is int64 of shape"),
        ({"in_data_i": np.zeros(CLOCKS)}, "this is float64"),
        ({"in_valid_i": np.ones(1999, int)}, "its inputs are of 1999 and 2000 clocks"),
    ],
)
def test_inputs_of_another_design_are_refused(
    repository: Path, tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    done = recorded(repository, tmp_path, **changes)
    assert done.returncode == 3, done.stdout
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", [b"", b"clk,rst\n", b"PK\x03\x04cut"])
def test_a_file_that_holds_no_inputs_is_refused(
    repository: Path, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "inputs.npz").write_bytes(content)
    done = fw_tools(
        repository, "--top", "fifo", FIFO, "--feed-forward",
        "--inputs", str(tmp_path / "inputs.npz"), "-o", str(tmp_path / "o"),
    )  # fmt: skip
    assert done.returncode == 3
    assert "inputs.npz: no recorded inputs: give a file of numpy.savez" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unprotected_counter_is_caught(repository: Path, tmp_path: Path) -> None:
    source = tmp_path / "bare.sv"
    source.write_text(
        "module bare(input logic clk_i, rst_ni, output logic [3:0] data_o);\n"
        "always_ff @(posedge clk_i or negedge rst_ni)\n"
        "  if (!rst_ni) data_o <= '0; else data_o <= data_o + 1'b1;\n"
        "endmodule\n"
    )
    arguments = ("--top", "bare", str(source), "--fail-on", "silent", "-o", str(tmp_path / "o"))
    done = fw_tools(repository, *arguments)
    assert done.returncode == 4
    assert "every bit of 4 in every clock" in done.stdout
    assert "of 7,960 flips, 7,960 silent" in done.stderr
