# SPDX-License-Identifier: Apache-2.0
"""Whole campaigns: planned, carried out, interrupted, gone on with, summed up."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fw_tools.errors import InputError
from fw_tools.flow.upset import Choice, make_plan, prepare_own, prepare_payload, run
from fw_tools.upset.campaign import RESULTS
from fw_tools.upset.engine import Outcome
from fw_tools.upset.faults import Sort
from fw_tools.upset.plan import Exhaustive
from fw_tools.upset.summary import Summary
from telemetry.common.files import WriteError

DESIGNS = Path(__file__).parent / "designs"
OUTCOMES = DESIGNS / "outcomes.sv"
CLOCKS = 40_000  # 1.3 million flips: several tasks.
CHOICE = Choice(clocks=CLOCKS, horizon=100, hang_after=50, is_exhaustive=True)


def campaign(folder: Path, choice: Choice = CHOICE, processes: int = 1) -> Summary:
    folder.mkdir(exist_ok=True)
    prepared = prepare_own([OUTCOMES], "outcomes", choice)
    plan, _ = make_plan(prepared, folder, choice)
    return run(prepared, plan, folder, choice, processes, lambda _: None)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    folder = tmp_path_factory.mktemp("unbroken")
    return folder, campaign(folder)


def same_results(one: Path, other: Path) -> bool:
    return bool(pq.read_table(one / RESULTS).equals(pq.read_table(other / RESULTS)))


def test_every_flip_has_one_outcome(unbroken: tuple[Path, Summary]) -> None:
    _, summary = unbroken
    bits = 8 + 4 + 12 + 1 + 1 + 1 + 1 + 1 + 1 + 2
    assert summary.flips == summary.faults == bits * (CLOCKS - 100 - 10)
    assert sum(share.found for share in summary.shares) == summary.flips
    assert sum(share.share for share in summary.shares) == pytest.approx(1)
    found = {share.outcome: share.share for share in summary.shares}
    assert found[Outcome.SILENT] == pytest.approx(8 / bits)
    assert found[Outcome.CORRECTED] == pytest.approx(12 / bits)
    assert summary.rows[0].name == "unsafe_q"
    assert {row.name: row.places for row in summary.rows}["silent_q"] == 8


def test_two_processes_find_what_one_does(unbroken: tuple[Path, Summary], tmp_path: Path) -> None:
    assert campaign(tmp_path / "two", processes=2) == unbroken[1]
    assert same_results(tmp_path / "two", unbroken[0])


def test_who_is_killed_goes_on_and_loses_and_repeats_nothing(
    unbroken: tuple[Path, Summary], tmp_path: Path
) -> None:
    command = [
        *(sys.executable, "-m", "fw_tools", "upset", "--top", "outcomes", str(OUTCOMES)),
        *("--clocks", str(CLOCKS), "--horizon", "100", "--hang-after", "50", "--exhaustive"),
        *("--processes", "2", "--cross-check", "0", "-o", str(tmp_path)),
    ]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL) as child:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("tasks/*.parquet")) and time.monotonic() < deadline:
            time.sleep(0.001)
        os.killpg(child.pid, signal.SIGKILL)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("tasks/*.parquet")}
    assert kept
    assert not (tmp_path / RESULTS).exists()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"goes on with what {tmp_path} holds" in done.stderr
    assert same_results(tmp_path, unbroken[0])
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())


@contextmanager
def full_at(octets: int) -> Iterator[None]:
    """Let no file grow beyond so much; the system's answer is that of a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("processes", [1, 2])
def test_a_full_disk_is_told_and_what_was_done_is_kept(
    unbroken: tuple[Path, Summary], tmp_path: Path, processes: int
) -> None:
    """The largest of the results just does not fit."""
    sizes = sorted(path.stat().st_size for path in (unbroken[0] / "tasks").iterdir())
    prepared = prepare_own([OUTCOMES], "outcomes", CHOICE)
    plan, _ = make_plan(prepared, tmp_path, CHOICE)
    done: list[int] = []
    with full_at(sizes[-1] - 1), pytest.raises(WriteError, match=r"tasks/\d+.parquet: cannot be"):
        run(prepared, plan, tmp_path, CHOICE, processes, done.append)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("tasks/*.parquet")}
    assert 0 < len(kept) < plan.tasks
    assert not (tmp_path / RESULTS).exists()
    assert not list(tmp_path.glob("tasks/.*"))
    assert campaign(tmp_path) == unbroken[1]
    assert same_results(tmp_path, unbroken[0])
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())


def test_a_full_disk_below_the_synthesis_is_told(tmp_path: Path) -> None:
    """Yosys does not notice it."""
    with full_at(5000), pytest.raises(WriteError, match=r"json: cannot be written: it ends early"):
        prepare_own([OUTCOMES], "outcomes", CHOICE)


def test_results_of_another_question_are_not_mixed_in(
    unbroken: tuple[Path, Summary],
) -> None:
    other = Choice(clocks=CLOCKS, horizon=101, hang_after=50)
    with pytest.raises(InputError, match="holds results of another design, stimulus or plan"):
        campaign(unbroken[0], other)


def test_a_sample_holds_what_all_flips_give(unbroken: tuple[Path, Summary], tmp_path: Path) -> None:
    """At 99.9 % in each of ten seeds; the same seed draws the same."""
    truth = {share.outcome: share.share for share in unbroken[1].shares}
    for seed in range(10):
        choice = Choice(
            clocks=CLOCKS, horizon=100, hang_after=50, is_exhaustive=False,
            margin=0.02, confidence=0.999, seed=seed,
        )  # fmt: skip
        summary = campaign(tmp_path / str(seed), choice)
        assert not summary.is_exhaustive
        assert summary.flips < 10_000
        for share in summary.shares:
            assert share.low <= truth[share.outcome] <= share.high
            assert share.high - share.low < 0.1
    again = campaign(tmp_path / "again", choice)
    assert again == summary
    assert same_results(tmp_path / "again", tmp_path / "9")


def test_every_task_is_a_part_of_the_plan() -> None:
    prepared = prepare_own([OUTCOMES], "outcomes", CHOICE)
    plan = Exhaustive(prepared.faults, 10, prepared.end_clock)
    tasks = [plan.task(number) for number in range(plan.tasks)]
    pairs = np.concatenate([t.cycle.astype(np.int64) * 1000 + t.places for t in tasks])
    assert len(np.unique(pairs)) == len(pairs) == plan.faults


def test_the_sequencer_of_the_example_is_never_unsafe(repository: Path, tmp_path: Path) -> None:
    """Nothing of it but what is asked for is an outage: two rails answer an upset by going off."""
    choice = Choice(is_exhaustive=False, margin=0.02)
    spec = repository / "examples" / "compute_node" / "payload.toml"
    prepared = prepare_payload(spec, tmp_path, choice)
    plan, _ = make_plan(prepared, tmp_path, choice)
    summary = run(prepared, plan, tmp_path, choice, 2, lambda _: None)
    found = {share.outcome: share.found for share in summary.shares}
    assert found[Outcome.UNSAFE] == found[Outcome.SILENT] == found[Outcome.HANG] == 0
    outages = {row.name for row in summary.rows if row.counts[Outcome.OUTAGE]}
    states = {f"u_dut.u_v0p80_{rail}.u_state.u_code.stored_q" for rail in ("core", "soc")}
    assert outages == states
    record = json.loads((tmp_path / "summary.json").read_text())
    assert sum(row["flips"] for row in record["rows"]) == record["flips"]


def sampled(repository: Path, folder: Path, harden: str) -> Summary:
    """Return what comes of a small payload's upsets when it is hardened so."""
    text = (repository / "examples" / "breaker_mini" / "payload.toml").read_text()
    spec = folder / "payload.toml"
    spec.write_text(text.replace("[board]", f'[board]\nharden = "{harden}"'))
    choice = Choice(is_exhaustive=False, margin=0.05)
    prepared = prepare_payload(spec, folder, choice)
    plan, _ = make_plan(prepared, folder, choice)
    return run(prepared, plan, folder, choice, 1, lambda _: None)


def test_a_small_payload_is_never_unsafe_without_triplication(
    repository: Path, tmp_path: Path
) -> None:
    """Its enables are kept twice, and the state has the third voice."""
    found = {share.outcome: share.found for share in sampled(repository, tmp_path, "fsm").shares}
    assert found[Outcome.UNSAFE] == found[Outcome.SILENT] == found[Outcome.HANG] == 0
    assert found[Outcome.CORRECTED]


def test_a_payload_that_is_not_hardened_is_told_where_it_is_unsafe(
    repository: Path, tmp_path: Path
) -> None:
    rows = sampled(repository, tmp_path, "none").rows
    unsafe = {row.name.rpartition(".")[0] for row in rows if row.counts[Outcome.UNSAFE]}
    assert {"u_enable", "u_code"} <= {name.rpartition(".")[2] for name in unsafe}


def test_a_flip_in_the_array_of_a_memory_is_never_handed_out(
    repository: Path, tmp_path: Path
) -> None:
    """What is not voted beside it is told: the strobe that says that a word was read."""
    choice = Choice(block="command_store", is_exhaustive=False, margin=0.02)
    text = (repository / "examples" / "compute_node" / "payload.toml").read_text()
    spec = tmp_path / "payload.toml"
    spec.write_text(text.replace('harden = "tmr"', 'harden = "fsm"'))
    prepared = prepare_payload(spec, tmp_path, choice)
    plan, _ = make_plan(prepared, tmp_path, choice)
    summary = run(prepared, plan, tmp_path, choice, 2, lambda _: None)
    rows = {row.name: row for row in summary.rows}
    array = rows["u_dut.u_array.mem"]
    assert array.places == 39 * 256
    assert array.flips > 2000
    assert {each for each in Outcome if array.counts[each]} == {Outcome.CORRECTED, Outcome.MASKED}
    assert array.counts[Outcome.CORRECTED] > 0.8 * array.flips
    silent = {name for name, row in rows.items() if row.counts[Outcome.SILENT]}
    assert silent == {"u_dut.u_ctrl.u_rvalid.q_o"}


def test_a_block_that_is_not_there_is_told_with_those_that_are(
    repository: Path, tmp_path: Path
) -> None:
    spec = repository / "examples" / "compute_node" / "payload.toml"
    said = "no block command_stor; there are: weight_buffer, command_store, sequencer"
    with pytest.raises(InputError, match=said):
        prepare_payload(spec, tmp_path, Choice(block="command_stor"))


def test_a_transient_counts_where_its_gate_leads(tmp_path: Path) -> None:
    """One gate leads to the data, one to a register that nobody reads."""
    source = tmp_path / "gates.sv"
    source.write_text(
        "module gates(input logic clk_i, rst_ni, output logic data_o);\n"
        "logic [1:0] count_q; logic sink_q; assign data_o = count_q[0] ^ count_q[1];\n"
        "inner u_inner(.a_i(count_q[0]), .b_i(count_q[1]), .clk_i);\n"
        "always_ff @(posedge clk_i or negedge rst_ni)\n"
        "  if (!rst_ni) count_q <= '0; else count_q <= {count_q[0], !count_q[1]};\n"
        "endmodule\n"
        "module inner(input logic a_i, b_i, clk_i); logic sink_q;\n"
        "always_ff @(posedge clk_i) sink_q <= a_i & b_i;\n"
        "endmodule\n"
    )
    choice = Choice(sort=Sort.TRANSIENTS, is_exhaustive=True, clocks=600, horizon=50)
    prepared = prepare_own([source], "gates", choice)
    plan, _ = make_plan(prepared, tmp_path, choice)
    rows = {row.name: row for row in run(prepared, plan, tmp_path, choice, 1, lambda _: None).rows}
    assert set(rows) == {"the top", "u_inner"}
    assert rows["u_inner"].places == 1
    assert rows["u_inner"].counts[Outcome.MASKED] == rows["u_inner"].flips == 540
    assert rows["the top"].places == 2
    assert rows["the top"].counts[Outcome.SILENT] == rows["the top"].flips == 1080


def test_a_single_voter_of_an_enable_is_a_single_point(repository: Path, tmp_path: Path) -> None:
    choice = Choice(sort=Sort.TRANSIENTS, is_exhaustive=False, margin=0.05)
    spec = repository / "examples" / "compute_node" / "payload.toml"
    prepared = prepare_payload(spec, tmp_path, choice)
    plan, _ = make_plan(prepared, tmp_path, choice)
    summary = run(prepared, plan, tmp_path, choice, 2, lambda _: None)
    assert summary.sort is Sort.TRANSIENTS
    assert summary.rows[0].name.endswith(".u_enable.gen_voter.u_voter")
    assert summary.rows[0].counts[Outcome.UNSAFE]
