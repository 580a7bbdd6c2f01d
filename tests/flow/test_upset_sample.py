# SPDX-License-Identifier: Apache-2.0
"""`verify` samples upsets of each block: gateware that is broken on purpose makes it fail."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fw_tools.errors import MissingToolError
from fw_tools.flow import upset_sample
from fw_tools.flow import verify as flow
from fw_tools.report.records import RunReport, Status
from fw_tools.rtl.emit import emit
from fw_tools.sim.scheduler import ScheduleOptions
from fw_tools.spec.hardening import Harden, Hardening, UpsetBound
from fw_tools.upset.engine import Outcome
from fw_tools.upset.faults import Sort
from fw_tools.upset.summary import Row, Share, Summary

MAJORITY = "(a_i & b_i) | (b_i & c_i) | (a_i & c_i)"
Broken = tuple[str, str, str]  # File, what stands there, what stands there instead.
Verify = Callable[..., RunReport]


@pytest.fixture
def verify(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verify:
    """Return what samples the upsets of a small board, hardened so and broken so."""

    def run(harden: str, block: str = "sequencer", broken: Broken | None = None) -> RunReport:
        text = (repository / "tests/power/small_board.toml").read_text()
        spec = tmp_path / "payload.toml"
        spec.write_text(text.replace("[board]", f'[board]\nharden = "{harden}"', 1) + MEMORY)

        def emit_broken(files: object, folder: Path, digest: str) -> None:
            emit(files, folder, digest)  # type: ignore[arg-type]
            if broken:
                (path,) = folder.rglob(broken[0])
                assert path.read_text().count(broken[1]) == 1
                path.write_text(path.read_text().replace(*broken[1:]))

        monkeypatch.setattr(flow, "emit", emit_broken)
        options = ScheduleOptions(output=tmp_path / "out", pattern=f"^upsets_{block}$")
        return flow.verify(spec, options, "fw-tools verify")

    return run


MEMORY = """
[memory.store]
data_bits = 16
words = 32
code = "hsiao"
scrub_interval = "1us"
"""


def complaints(report: RunReport) -> dict[str, str]:
    return {each.test: each.message for each in report.records if each.status is Status.FAILED}


@pytest.mark.parametrize("harden", ["fsm", "tmr"])
def test_the_rows_of_sound_gateware_pass_and_show_the_shares(verify: Verify, harden: str) -> None:
    report = verify(harden, ".*")
    assert complaints(report) == {}
    rows = {bench.name: bench.purpose for bench in report.benches}
    assert set(rows) == {"upsets_store", "upsets_sequencer"}
    assert all(f"harden {harden}: " in row and "corrected " in row for row in rows.values())
    tests = [record.test for record in report.records]
    assert tests == ["silent", "hang", "unsafe", "silent", "hang"]


def test_a_timer_without_parity_is_unsafe(verify: Verify) -> None:
    """What it counts cuts the settling of a rail short, so that the next one comes too early."""
    broken = (
        "rail_timer.sv",
        "assign upset_o = Parity && ^{parity_q, count_q};",
        "assign upset_o = 1'b0;",
    )
    found = complaints(verify("fsm", broken=broken))
    assert "unsafe" in found
    assert "none may be where harden is fsm" in found["unsafe"]
    assert "u_timer.u_count.stored_q: " in found["unsafe"]


def test_a_voter_with_one_input_swapped_is_silent(verify: Verify) -> None:
    broken = ("tmr_voter.sv", MAJORITY, "(a_i & b_i) | (b_i & c_i) | (a_i & b_i)")
    found = complaints(verify("tmr", broken=broken))
    assert "silent" in found
    assert "u_enable.gen_replica[1].u_replica.stored_q: " in found["silent"]


def test_a_memory_whose_strobe_is_plain_is_silent_where_it_should_be_voted(verify: Verify) -> None:
    broken = (
        "ecc_ram_ctrl.sv",
        "localparam bit IsAllVoted = Harden == HardenTmr;",
        "localparam bit IsAllVoted = 1'b0;",
    )
    found = complaints(verify("tmr", "store", broken))
    assert set(found) == {"silent"}
    assert "u_rvalid.q_o: " in found["silent"]


def test_a_sequencer_that_is_not_hardened_fails(verify: Verify) -> None:
    assert "unsafe" in complaints(verify("none"))


def test_a_row_that_lacks_its_tools_is_skipped_and_says_so(
    verify: Verify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*_: object) -> None:
        raise MissingToolError("Yosys is not installed: pip install 'fw-tools[proof]'")

    monkeypatch.setattr(upset_sample, "prepare_block", absent)
    report = verify("fsm")
    assert [record.status for record in report.records] == [Status.SKIPPED]
    assert not report.is_good  # Nothing ran.
    record = json.loads((tmp_path / "out" / "results.json").read_text())
    assert "pip install 'fw-tools[proof]'" in json.dumps(record)


# --- The bound, by hand ---


def summary_of(high: float, found: int) -> Summary:
    share = Share(outcome=Outcome.SILENT, found=found, share=high / 2, low=0.0, high=high)
    counts = tuple(found if outcome is Outcome.SILENT else 0 for outcome in Outcome)
    row = Row(name="u_dut.u_x.q_o", places=1, flips=1000, counts=counts, case=None)
    return Summary(
        flips=1000, faults=10_000, is_exhaustive=False, sort=Sort.FLIPS, confidence=0.95,
        shares=(share,), rows=(row,), modules=(), unprotected=(), latencies=(), daily=None,
        latency_quantiles=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("harden", "high", "found", "is_fine"),
    [
        (Harden.FSM, 0.005, 4, True),
        (Harden.FSM, 0.0051, 4, False),
        (Harden.NONE, 0.0051, 0, False),
        (Harden.TMR, 0.02, 0, True),
        (Harden.TMR, 0.0001, 1, False),
    ],
)
def test_the_upper_end_of_a_share_is_held_against_the_bound_and_voted_blocks_take_none(
    harden: Harden, high: float, found: int, is_fine: bool
) -> None:
    summary = summary_of(high, found)
    hardening = Hardening(block="store", harden=harden, bound=UpsetBound(silent_ppm=5_000))
    complaint = upset_sample._complaint(summary.shares[0], summary, hardening)
    assert (complaint == "") is is_fine
    if harden is Harden.FSM and complaint:
        assert "at most 0.50% ([store] upset_bound) where harden is fsm" in complaint
        assert "u_dut.u_x.q_o: 4 of 1,000" in complaint
