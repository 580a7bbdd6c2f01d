# SPDX-License-Identifier: Apache-2.0
"""Failures in a day: by hand, by the exact bound of no failure seen, and as it is told."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from fw_tools.spec.records import UpsetRates
from fw_tools.upset.campaign import Table
from fw_tools.upset.engine import Outcome
from fw_tools.upset.failures import FailuresPerDay, failures_per_day
from fw_tools.upset.failures_table import every, excluded, print_failures
from fw_tools.upset.faults import Faults
from fw_tools.upset.places import Place
from fw_tools.upset.plan import Exhaustive, Plan, Stratified

DESIGNS = Path(__file__).parent / "designs"
RATES = UpsetRates(orbit="by hand", flip_flop=2.0, memory=3.0, configuration=0.5)
FLIP_FLOPS = 2
CLOCKS = 10
PLACES = [
    Place(0, "u_a.state_q[0]"),
    Place(1, "u_b.state_q[0]"),
    *[Place(2 + bit, f"u_b.mem[0][{bit}]") for bit in range(4)],
]


def table(plan: Plan, outcomes: dict[int, list[Outcome]]) -> Table:
    """Return a table in which the flips of a place end in these outcomes, then are masked."""
    faults = plan.task(0)
    left = {place: list(each) for place, each in outcomes.items()}
    ends = [
        left[place].pop(0) if left.get(place) else Outcome.MASKED
        for place in faults.places.tolist()
    ]
    effect = np.zeros(len(ends), np.uint32)
    return Table(faults.cycle, faults.places, np.array(ends), effect, faults.kind)


def by_name(daily: FailuresPerDay) -> dict[str, tuple[float, float, float]]:
    return {row.name: (row.per_day, row.low, row.high) for row in daily.rows}


def test_every_bit_counts_with_the_rate_of_its_kind() -> None:
    """Half of a flip-flop's flips and a tenth of those of one bit of the memory: 2/2 + 3/10."""
    plan = Exhaustive(Faults(places=tuple(PLACES)), 0, CLOCKS)
    ends = {1: [Outcome.SILENT] * 5, 3: [Outcome.UNSAFE], 4: [Outcome.OUTAGE] * 10}
    daily = failures_per_day(plan, table(plan, ends), RATES, FLIP_FLOPS, 0.95)
    assert daily.upsets == 2 * 2 + 4 * 3
    assert (daily.flip_flops, daily.memory_bits) == (2, 4)
    assert by_name(daily) == {
        "failures": pytest.approx((1.3, 1.3, 1.3)),
        "unsafe": pytest.approx((0.3, 0.3, 0.3)),
        "silent": pytest.approx((1.0, 1.0, 1.0)),
        "hang": (0, 0, 0),
        "detected": (0, 0, 0),
        "outage": pytest.approx((3.0, 3.0, 3.0)),
    }


def test_no_failure_in_a_sample_leaves_the_exact_bound() -> None:
    """Of n drawn and none seen at most 1 - (a/2)^(1/n), the closed form of Clopper and Pearson."""
    places = [Place(number, f"u_a.state_q[{number}]") for number in range(100)]
    plan = Stratified(Faults(places=tuple(places)), 0, 1000, margin=0.05, confidence=0.95, seed=1)
    daily = failures_per_day(plan, table(plan, {}), RATES, 100, 0.95)
    assert not daily.is_exhaustive
    per_day, low, high = by_name(daily)["failures"]
    assert (per_day, low) == (0, 0)
    assert high == pytest.approx(100 * 2.0 * (1 - 0.025 ** (1 / plan.jobs)))


def test_kinds_of_bits_in_one_instance_have_intervals_of_their_own() -> None:
    """All of a memory's flips are silent, none of the register's: neither share is the mean."""
    places = [Place(0, "u_a.q"), *[Place(1 + bit, f"u_a.mem[0][{bit}]") for bit in range(9)]]
    plan = Stratified(Faults(places=tuple(places)), 0, 1000, margin=0.05, confidence=0.95, seed=1)
    drawn = plan.task(0).places.tolist()
    ends = {place: [Outcome.SILENT] * drawn.count(place) for place in range(1, 10)}
    daily = failures_per_day(plan, table(plan, ends), RATES, 1, 0.95)
    per_day, low, high = by_name(daily)["silent"]
    flips = drawn.count(0)
    of_flip_flop = 2.0 * (1 - 0.0125 ** (1 / flips))  # Two kinds: half of 0.05 each.
    assert per_day == pytest.approx(27.0)
    assert high == pytest.approx(27.0 + of_flip_flop)
    assert 27.0 * 0.98 < low < 27.0


@pytest.mark.parametrize(
    ("per_day", "words"),
    [
        (3.0, "3.0 a day"),
        (0.108, "one in 9.26 days"),
        (1 / 365.25, "one in 1.0 years"),
        (2.8e-6, "one in 978 years"),
    ],
)
def test_how_often_is_told_in_days_or_years(per_day: float, words: str) -> None:
    assert every(per_day) == words


def test_configuration_memory_is_told_and_left_out() -> None:
    plan = Exhaustive(Faults(places=tuple(PLACES)), 0, CLOCKS)
    rates = UpsetRates(
        orbit="by hand", flip_flop=2.0, memory=3.0, configuration=2e-8, configuration_bits=5_400_000
    )
    daily = failures_per_day(plan, table(plan, {}), rates, FLIP_FLOPS, 0.95)
    assert daily.upsets == 16  # Without it.
    assert excluded(daily).startswith(
        "excluded: configuration memory of 5,400,000 bits, 1.08e-01 upsets a day, one in 9.26 days;"
    )
    console = Console(file=io.StringIO(), width=200)
    print_failures(daily, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "2 flip-flops at 2 upsets a bit and day, 4 bits of memory at 3 (by hand):" in text
    assert "excluded: configuration memory of 5,400,000 bits" in text


def upset(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fw_tools", "upset", *arguments, "--cross-check", "0"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_design_of_ones_own_has_failures_a_day_at_the_rate_given(tmp_path: Path) -> None:
    """Eight of its 32 bits are silent, one is unsafe, one hangs, at 24 FIT a bit: 5.76e-7 a day."""
    arguments = ("--top", "outcomes", str(DESIGNS / "outcomes.sv"), "--exhaustive")
    done = upset(tmp_path, *arguments, "--rate", "24FIT/bit")
    assert done.returncode == 0, done.stderr
    rows = {tuple(line.split()[:2]) for line in done.stdout.splitlines() if line}
    assert ("upsets", "1.84e-05") in rows
    assert ("silent", "4.61e-06") in rows
    assert ("unsafe", "5.76e-07") in rows
    assert ("failures", "5.76e-06") in rows
    assert "excluded: configuration memory;" in done.stdout
    assert "a day" not in upset(tmp_path, *arguments).stdout


def test_a_rate_without_a_unit_is_refused(tmp_path: Path) -> None:
    done = upset(tmp_path, "--top", "outcomes", "outcomes.sv", "--rate", "1e-7")
    assert done.returncode == 2
    assert "'1e-7' has no unit; write '1e-7/bit/day' or '1e-7FIT/Mbit'" in done.stderr
