# SPDX-License-Identifier: Apache-2.0
"""Injections of a campaign again in Verilator: the line that is printed for one, and a sample."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fw_tools.flow.upset import Choice, Prepared, make_plan, prepare_own, run
from fw_tools.flow.upset_replay import CrossCheck, _draw, cross_check
from fw_tools.upset import native_build
from fw_tools.upset.campaign import Table
from fw_tools.upset.engine import Outcome

DESIGNS = Path(__file__).parent / "designs"
OUTCOMES = DESIGNS / "outcomes.sv"
BARE = """\
module bare #(parameter int unsigned Step = 1) (
  input logic clk_i, rst_ni, output logic [3:0] data_o
);
  logic [3:0] gray;
  assign data_o = gray ^ (gray >> 1);
  always_ff @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) gray <= '0;
    else gray <= gray + 4'(Step);
endmodule
"""


def upset(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fw_tools", "upset", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bare counter")  # A name that a shell has to quote.
    (folder / "bare counter.sv").write_text(BARE)
    return folder


def values(vcd: Path, name: str) -> dict[int, str]:
    """Return what a signal of the top changes to, by time."""
    text = vcd.read_text()
    code = re.search(rf"\$var \w+ +4 (\S+) {name} ", text)
    assert code, text[:2000]
    changes, time = {}, 0
    for line in text.splitlines():
        if line.startswith("#"):
            time = int(line[1:])
        elif line.startswith("b") and line.split()[1] == code[1]:
            changes[time] = line.split()[0][1:]
    return changes


@pytest.mark.parametrize("kind", [(), ("--transients",)])
def test_the_line_of_a_silent_case_shows_it_with_waves(bare: Path, kind: tuple[str, ...]) -> None:
    done = upset(
        bare, "bare counter.sv", "--top", "bare", "-G", "Step=3", "--horizon", "20", *kind,
        "--clocks", "60", "--fail-on", "silent", "--exhaustive", "-o", f"out {len(kind)}",
    )  # fmt: skip
    assert done.returncode == 4
    assert "32 of them, drawn at random from every outcome, end in Verilator as here" in done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("  silent  fw-tools")]
    words = shlex.split(lines[0])[1:]
    assert words[:2] == ["fw-tools", "upset"]
    assert "--exhaustive" not in words
    replayed = upset(bare, *words[2:])
    assert replayed.returncode == 0, replayed.stderr
    told = re.search(rf"{re.escape(words[-1])}: silent, (\d) clocks after it", replayed.stdout)
    assert told, replayed.stdout
    clock, effect = int(words[-1].partition(":")[0]), int(told[1])
    waves = bare / f"out {len(kind)}" / "replay"
    golden, faulty = (values(waves / f"{name}.vcd", "data_o") for name in ("golden", "faulty"))
    first = min(time for time, value in faulty.items() if golden.get(time) != value)
    assert 10 * (clock + effect) - 5 <= first <= 10 * (clock + effect)  # From the edge before on.
    assert f"it is at time {10 * clock:,}" in replayed.stdout


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("2000:gray[0]", "2000:gray[0]: give CLOCK:PLACE, with a clock before 2000"),
        ("gray[0]", "as in 100:gray[0]"),
        ("12:gray[7]", "there are: gray[0], gray[1], gray[2], gray[3], ..."),
    ],
)
def test_a_case_that_there_is_not_is_told(bare: Path, what: str, said: str) -> None:
    done = upset(bare, "bare counter.sv", "--top", "bare", "--replay", what, "-o", "mistakes")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_result_that_verilator_does_not_confirm_is_named(bare: Path) -> None:
    arguments = ("bare counter.sv", "--top", "bare", "--exhaustive", "-o", "wrong")
    assert upset(bare, *arguments, "--cross-check", "0").returncode == 0
    task = bare / "wrong" / "tasks" / "000000.parquet"
    table = pq.read_table(task)
    masked = pa.array(np.full(len(table), Outcome.MASKED, np.uint8))
    pq.write_table(table.set_column(table.column_names.index("outcome"), "outcome", masked), task)
    done = upset(bare, *arguments)
    assert done.returncode == 4
    said = r"cross-check: 32 of 32 end otherwise in Verilator: \d+:gray\[\d\] is masked"
    assert re.search(said, done.stderr), done.stderr


def test_classes_of_a_memory_are_replayed_in_the_order_of_their_clocks(tmp_path: Path) -> None:
    """Although those of one word stand together in the results."""
    ring = DESIGNS / "ring.sv"
    done = upset(tmp_path, str(ring), "--top", "ring", "--exhaustive", "--clocks", "500",
                 "--horizon", "50")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "those between two accesses of a word as one" in done.stdout
    assert "32 of them, drawn at random from every outcome, end in Verilator as here" in done.stdout


# ---- an engine with a mistake in it


CHOICE = Choice(clocks=400, horizon=60, hang_after=30, is_exhaustive=True)


def checked(folder: Path) -> tuple[Prepared, CrossCheck]:
    folder.mkdir()
    prepared = prepare_own([OUTCOMES], "outcomes", CHOICE)
    plan, _ = make_plan(prepared, folder, CHOICE)
    run(prepared, plan, folder, CHOICE, 1, lambda _: None)
    return prepared, cross_check(prepared, folder, 18, 1)


def broken(monkeypatch: pytest.MonkeyPatch, folder: Path, right: str, wrong: str) -> None:
    native = folder / "native"
    shutil.copytree(native_build._NATIVE, native)
    (source,) = [path for path in native.glob("*.c") if right in path.read_text()]
    source.write_text(source.read_text().replace(right, wrong))
    monkeypatch.setattr(native_build, "_NATIVE", native)


def test_a_sample_has_its_part_of_every_outcome() -> None:
    """Three silent ones among 10,000: all three are drawn; and another seed draws others."""
    outcome = np.full(10_000, Outcome.MASKED, np.uint8)
    outcome[[17, 4711, 9999]] = Outcome.SILENT
    zeros = np.zeros(10_000, np.uint32)
    table = Table(zeros, zeros, outcome, zeros, zeros)
    drawn, other = (_draw(table, 10, seed) for seed in (1, 2))
    assert {17, 4711, 9999} <= set(drawn.tolist()) & set(other.tolist())
    assert len(set(drawn.tolist())) == 10
    assert set(drawn.tolist()) != set(other.tolist())


def test_a_sound_engine_agrees_in_all_of_them_and_in_what_golden_does(tmp_path: Path) -> None:
    _, found = checked(tmp_path / "sound")
    assert found.is_good
    assert found.size == 18
    assert found.transfers == 4 + 396 // 4  # In reset in every clock, then in one of four.


def test_an_engine_that_takes_silent_for_detected_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However rare the outcome is."""
    broken(monkeypatch, tmp_path, "lane, SILENT, difference", "lane, DETECTED, difference")
    _, found = checked(tmp_path / "out")
    assert not found.is_good
    assert {each.case.outcome for each in found.differences} == {Outcome.DETECTED}
    assert {each.outcome for each in found.differences} == {Outcome.SILENT}


def test_an_engine_whose_golden_is_another_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although every injection ends as it should."""
    broken(monkeypatch, tmp_path, "(uint64_t)bit_of(&n[DATA", "(uint64_t)!bit_of(&n[DATA")
    _, found = checked(tmp_path / "out")
    assert found.differences == ()
    assert not found.is_good
    assert str(found) == "without any upset the design does something else in Verilator than here"
