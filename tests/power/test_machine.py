# SPDX-License-Identifier: Apache-2.0
"""The reference sequencer against time lines worked by hand, and against what must always hold."""

import random
from dataclasses import replace

import pytest

from fw_tools.power.graph import dependency_graph, kill_tree
from fw_tools.power.machine import Inputs, SequencerModel
from fw_tools.power.records import FaultCause, RailState
from fw_tools.power.state_codes import RAIL_STATE_CODES

SEED = 7
BUS, CORE, IO, FAN = 1, 2, 4, 8


def model_of(rails):
    return SequencerModel(rails, clocks_per_us=1)


def steps(model, clocks, *, pg=0, oc=0, up=True, clear=False):
    """Advance and return the outputs."""
    pins = Inputs(power_up=up, clear_faults=clear, power_good=pg, over_current=oc)
    for _ in range(clocks):
        model.step(pins)
    return model.outputs()


def all_on(rails):
    """Return the small board with every rail on, each within its window."""
    model = model_of(rails)
    for pins in (BUS, BUS | CORE | FAN, BUS | CORE | FAN | IO):
        steps(model, 40, pg=pins & model.outputs().on)
        steps(model, 40, pg=pins)
    assert model.outputs().on == 15
    return model


def test_a_rail_comes_up_clock_by_clock(small_board) -> None:
    # bus: window 20..120 us, settle 20 us, filter 3 us; one clock is 1 us.
    model = model_of(small_board[:1])
    assert steps(model, 1).enable == BUS  # Clock 1: a keep-alive rail starts by itself.
    steps(model, 48)  # Clocks 2..49: no power good.
    # The pin is sampled at 50, leaves the synchroniser after 51, has been there for 3 clocks at 54.
    assert steps(model, 5, pg=BUS).states == (RailState.RAMP,)
    assert steps(model, 1, pg=BUS).states == (RailState.SETTLE,)  # Clock 55.
    # 20 us have passed for certain at the 21st tick after 55, so 76 ends them and 77 is on.
    assert steps(model, 21, pg=BUS).on == 0
    assert steps(model, 1, pg=BUS).on == BUS


def test_a_ramp_times_out_after_its_time_and_not_in_it(small_board) -> None:
    model = model_of(small_board[:1])
    # Enabled at clock 1; 200 us are over for certain with the 201st tick, at clock 202.
    assert steps(model, 202).states == (RailState.RAMP,)
    outputs = steps(model, 1)
    assert outputs.states == (RailState.FAULT,)
    assert outputs.enable == 0
    assert (outputs.first_fault_rail, outputs.first_fault_cause) == (0, FaultCause.RAMP_TIMEOUT)


@pytest.mark.parametrize(("quiet", "is_fault"), [(14, True), (15, False)])
def test_power_good_is_early_up_to_the_start_of_the_window(small_board, quiet, is_fault) -> None:
    # Sampled at clock 1 + quiet + 1, known 4 clocks later, judged in the clock after that with
    # quiet + 5 ticks counted since clock 1; early is fewer than 20.
    model = model_of(small_board[:1])
    steps(model, 1 + quiet)
    outputs = steps(model, 6, pg=BUS)
    assert (outputs.first_fault_cause == FaultCause.RAMP_EARLY) == is_fault
    assert (outputs.states == (RailState.SETTLE,)) != is_fault


@pytest.mark.parametrize(("quiet", "is_late"), [(115, False), (116, True)])
def test_power_good_after_the_window_is_reported_and_no_fault(small_board, quiet, is_late) -> None:
    model = model_of(small_board[:1])
    steps(model, 1 + quiet)  # quiet + 5 ticks as above; late is more than 120.
    outputs = steps(model, 6, pg=BUS)
    assert outputs.states == (RailState.SETTLE,)
    assert (outputs.late, outputs.faulted) == (BUS if is_late else 0, 0)
    assert steps(model, 1, pg=BUS, clear=True).late == 0


@pytest.mark.parametrize(("clocks", "is_lost"), [(2, False), (3, True)])
def test_a_break_of_power_good_counts_once_it_is_as_long_as_its_filter(
    small_board, clocks, is_lost
) -> None:
    model = all_on(small_board)
    steps(model, clocks, pg=15 & ~BUS)
    outputs = steps(model, 10, pg=15)
    assert bool(outputs.faulted & BUS) == is_lost
    assert (outputs.enable == 15) != is_lost


@pytest.mark.parametrize(("clocks", "is_trip"), [(4, False), (5, True)])
def test_over_current_trips_after_its_blanking_without_a_break(
    small_board, clocks, is_trip
) -> None:
    model = all_on(small_board)
    for _ in range(3):  # Breaks of one clock start the blanking anew.
        steps(model, 4, pg=15, oc=CORE)
        steps(model, 1, pg=15)
    steps(model, clocks, pg=15, oc=CORE)
    outputs = steps(model, 10, pg=15)
    assert outputs.halted == is_trip  # kill:board
    assert outputs.first_fault_cause == (FaultCause.OC if is_trip else 0)


def test_kill_board_drops_the_tree_at_once_and_the_rest_in_order(small_board) -> None:
    model = all_on(small_board)
    steps(model, 7, pg=15, oc=CORE)  # 2 synchroniser + 5 blanking
    outputs = steps(model, 1, pg=15, oc=CORE)
    # core, io that depends on it, and fan: nothing hangs on fan, so the order down begins there.
    assert outputs.enable == BUS
    assert outputs.states[1:] == (RailState.FAULT, RailState.DRAIN, RailState.DRAIN)
    assert outputs.halted
    outputs = steps(model, 50, pg=BUS)
    assert outputs.enable == BUS  # Halted: nothing comes back.
    assert outputs.states[1] is RailState.FAULT
    assert steps(model, 3, pg=BUS, clear=True).enable & CORE


def test_kill_rail_leaves_the_others_on(small_board) -> None:
    model = all_on(small_board)
    outputs = steps(model, 10, pg=15 & ~IO)
    assert outputs.enable == BUS | CORE | FAN
    assert outputs.states[2] is RailState.FAULT
    assert not outputs.halted


def test_an_ignored_fault_is_reported_and_changes_nothing(small_board) -> None:
    model = all_on(small_board)
    outputs = steps(model, 10, pg=15 & ~FAN)
    assert outputs.enable == 15
    assert outputs.faulted == FAN
    assert outputs.first_fault_cause == 0


def test_down_waits_for_each_rail_to_be_discharged(small_board) -> None:
    model = all_on(small_board)
    assert steps(model, 1, pg=15, up=False).enable == BUS | CORE  # io and fan have no dependants.
    assert steps(model, 100, pg=BUS | CORE | IO, up=False).enable == BUS | CORE
    # io falls: 2 synchroniser + 4 filter, off at the 7th, core at the 8th.
    assert steps(model, 7, pg=BUS | CORE, up=False).enable == BUS | CORE
    assert steps(model, 1, pg=BUS | CORE, up=False).enable == BUS
    assert steps(model, 100, pg=BUS, up=False).enable == BUS  # Keep-alive.


def test_a_rail_that_stays_up_is_a_fault_after_its_time(small_board) -> None:
    model = all_on(small_board)
    steps(model, 1, pg=15, up=False)  # Drains from here; 240 us are over with the 241st tick.
    assert steps(model, 241, pg=15, up=False).states[2] is RailState.DRAIN
    outputs = steps(model, 1, pg=15, up=False)
    assert outputs.states[2] is RailState.FAULT
    assert outputs.first_fault_cause == FaultCause.STUCK_ON


def test_a_single_flip_is_counted_and_changes_nothing(small_board) -> None:
    model = all_on(small_board)
    before = model.outputs()
    model.upset_state("core", RAIL_STATE_CODES[RailState.ON] ^ 1)
    assert steps(model, 1, pg=15) == replace(before, upsets_corrected=1)


@pytest.mark.parametrize(
    ("rail", "word"),
    [("core", 0b111111 ^ 0b001011), ("io", RAIL_STATE_CODES[RailState.ON] ^ 1)],
)
def test_a_lost_state_takes_all_switched_rails_down(small_board, rail, word) -> None:
    model = all_on(small_board)
    model.upset_state(rail, word)
    outputs = steps(model, 1, pg=15)
    assert outputs.enable == BUS
    assert outputs.halted
    assert outputs.first_fault_cause == FaultCause.UPSET
    assert (outputs.upsets_corrected, outputs.upsets_uncorrectable) == (0, 1)


def test_a_lost_state_of_a_keep_alive_rail_keeps_it_on(small_board) -> None:
    model = all_on(small_board)
    model.upset_state("bus", 0b110100)
    outputs = steps(model, 1, pg=15)
    assert outputs.enable == BUS
    assert steps(model, 30, pg=BUS).on == BUS


def test_an_upset_of_a_timer_makes_settling_longer(small_board) -> None:
    model = model_of(small_board[:1])
    steps(model, 30)
    steps(model, 6, pg=BUS)  # Settles from clock 35.
    steps(model, 15, pg=BUS)
    model.upset_timer("bus")
    assert steps(model, 21, pg=BUS).on == 0
    assert steps(model, 1, pg=BUS).on == BUS


def test_whatever_the_pins_do_no_rail_is_on_without_those_it_depends_on(small_board) -> None:
    rng = random.Random(SEED)
    graph = dependency_graph(small_board)
    names = list(graph)
    model = model_of(small_board)
    pg = oc = 0
    rises = 0
    for clock in range(6_000):
        if clock % 16 == 0:  # Mostly a healthy plant, so that the upper rails are met too.
            wild = rng.random() < 0.03
            pg = rng.getrandbits(4) if wild else model.outputs().enable & ~rng.getrandbits(6)
            oc = rng.getrandbits(4) if rng.random() < 0.02 else 0
        before = model.outputs()
        after = steps(model, 1, pg=pg, oc=oc, up=clock % 1000 < 800, clear=rng.random() < 0.01)
        for index, name in enumerate(names):
            is_enabled, was_enabled = after.enable >> index & 1, before.enable >> index & 1
            below = [names.index(dep) for dep in graph[name]]
            place = f"seed {SEED}, clock {clock}, {name}"
            assert not is_enabled or all(after.enable >> dep & 1 for dep in below), place
            if is_enabled and not was_enabled:
                rises += 1
                assert all(before.on >> dep & 1 for dep in below), place
                assert name == "bus" or not before.halted, place
            is_new_fault = after.states[index] is RailState.FAULT is not before.states[index]
            if is_new_fault and name in ("bus", "core"):  # Every response of theirs is a tree.
                tree = [names.index(other) for other in kill_tree(graph, name)]
                if before.states[index] is not RailState.DRAIN:
                    assert not any(after.enable >> other & 1 for other in tree), place
    assert rises > 20


@pytest.mark.parametrize("clocks_per_us", [1, 3])
def test_many_clocks_at_once_are_the_same_as_one_by_one(small_board, clocks_per_us) -> None:
    rng = random.Random(SEED)
    quick = SequencerModel(small_board, clocks_per_us=clocks_per_us)
    slow = SequencerModel(small_board, clocks_per_us=clocks_per_us)
    jumped = 0
    while quick.clock < 8_000:
        pins = Inputs(
            power_up=rng.random() < 0.8,
            clear_faults=rng.random() < 0.1,
            power_good=quick.outputs().enable if rng.random() < 0.8 else rng.getrandbits(4),
            over_current=rng.getrandbits(4) if rng.random() < 0.05 else 0,
        )
        left = rng.choice((1, 3, 30, 300))
        while left > 0:
            clocks = min(left, quick.still_clocks(pins))
            quick.advance(pins, clocks)
            jumped += clocks > 1
            for _ in range(clocks):
                held = slow.outputs()
                slow.step(pins)
            assert clocks == 1 or held == slow.outputs()
            assert quick.outputs() == slow.outputs(), f"seed {SEED}, clock {quick.clock}"
            left -= clocks
    assert jumped > 50


def test_more_clocks_at_once_than_are_still_are_refused(small_board) -> None:
    model = model_of(small_board)
    with pytest.raises(ValueError, match="something may change"):
        model.advance(Inputs(power_up=True, clear_faults=False, power_good=0, over_current=0), 10)
