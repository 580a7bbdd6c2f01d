# SPDX-License-Identifier: Apache-2.0
"""The rail plant against voltages and moments worked by hand."""

import math
import random

import pytest

from hdl.tb.rail_plant import PlantLimits, RailFault, RailPlant

LIMITS = PlantLimits(
    ramp=100,
    early_ramp=1,
    late_ramp=400,
    discharge_tau=50.0,
    on_level=0.9,
    off_level=0.8,
    pg_delay=2,
    short_glitch=3,
    long_glitch=4,
    short_surge=5,
)


def clocks_until(plant: RailPlant, enable: bool, power_good: bool) -> int:
    for clock in range(1, 10_000):
        plant.advance(enable, 1)
        if plant.power_good == power_good:
            return clock
    return 0


def up(fault: RailFault = RailFault.NONE) -> RailPlant:
    plant = RailPlant(LIMITS)
    clocks_until(plant, enable=True, power_good=True)
    for _ in range(20):
        plant.advance(True, 1)
    plant.set_fault(fault)
    return plant


@pytest.mark.parametrize(
    ("fault", "clocks"),
    # 90% of the ramp, and the second clock above the comparator's threshold.
    [(RailFault.NONE, 91), (RailFault.LATE, 361), (RailFault.EARLY, 2)],
)
def test_power_good_comes_with_the_ramp(fault, clocks) -> None:
    plant = RailPlant(LIMITS)
    plant.set_fault(fault)
    assert clocks_until(plant, enable=True, power_good=True) == pytest.approx(clocks, abs=1)


def test_power_good_falls_when_the_rail_has_discharged_to_its_lower_level() -> None:
    # exp(-t / 50) = 0.8 at t = 50 ln 1.25 = 11.16; between 0.8 and 0.9 the comparator holds.
    assert math.ceil(50 * math.log(1 / 0.8)) == 12
    assert clocks_until(up(), enable=False, power_good=False) == 12


def test_a_dip_within_the_hysteresis_is_not_seen() -> None:
    plant = up()
    for _ in range(8):  # exp(-8 / 50) = 0.852
        plant.advance(False, 1)
    assert 0.8 < plant.level < 0.9
    assert plant.power_good


@pytest.mark.parametrize(
    ("fault", "clocks"), [(RailFault.SHORT_GLITCH, 3), (RailFault.LONG_GLITCH, 4)]
)
def test_a_glitch_lasts_its_clocks_and_the_rail_holds(fault, clocks) -> None:
    plant = up(fault)
    seen = []
    for _ in range(10):
        seen.append(plant.power_good)
        plant.advance(True, 1)
    assert seen == [False] * clocks + [True] * (10 - clocks)
    assert plant.level == 1.0


def test_a_latch_up_ends_only_when_the_rail_has_lost_its_supply() -> None:
    plant = up(RailFault.LATCH_UP)
    plant.set_fault(RailFault.NONE)  # The particle is gone, the current is not.
    for _ in range(100):
        plant.advance(True, 1)
    assert plant.over_current
    for _ in range(60):  # exp(-60 / 50) = 0.301
        plant.advance(False, 1)
    assert plant.over_current
    plant.advance(False, 1)
    assert not plant.over_current


@pytest.mark.parametrize(
    ("fault", "power_good"),
    [(RailFault.NO_POWER_GOOD, False), (RailFault.POWER_GOOD_STUCK, True)],
)
def test_a_stuck_line_does_not_follow_the_rail(fault, power_good) -> None:
    plant = RailPlant(LIMITS)
    plant.set_fault(fault)
    for enable in [True] * 200 + [False] * 400:
        assert plant.power_good == power_good
        plant.advance(enable, 1)


def test_a_welded_switch_keeps_the_rail_up_and_a_dead_converter_loses_it() -> None:
    welded, dead = up(RailFault.STUCK_ON), up(RailFault.DROP)
    for _ in range(500):
        welded.advance(False, 1)
        dead.advance(True, 1)
    assert (welded.level, welded.power_good) == (1.0, True)
    assert (dead.level, dead.power_good) == (0.0, False)


def test_no_line_changes_within_clocks_that_are_still() -> None:
    rng = random.Random(5)
    quick, slow = RailPlant(LIMITS), RailPlant(LIMITS)
    jumps = 0
    for _ in range(300):
        if rng.random() < 0.3:
            fault = rng.choice(list(RailFault))
            quick.set_fault(fault)
            slow.set_fault(fault)
        enable = rng.random() < 0.6
        left = rng.choice((1, 10, 100, 500))
        while left > 0:
            clocks = min(left, quick.still_clocks(enable))
            for _ in range(clocks):
                lines = slow.power_good, slow.over_current
                assert lines == (quick.power_good, quick.over_current)
                slow.advance(enable, 1)
            quick.advance(enable, clocks)
            assert quick.level == pytest.approx(slow.level)
            jumps += clocks > 1
            left -= clocks
    assert jumps > 50
