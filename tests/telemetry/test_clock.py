# SPDX-License-Identifier: Apache-2.0
"""Rollovers, reboots, corrections and late packets, each told from the others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.wire.clock import ClockStep, ClockTracker, classify_clock_steps, unwrap_clock

NONE, LATE, ROLLOVER, REBOOT, SET_BACK = ClockStep
MODULUS = 1 << 16
TOP = MODULUS - 1

CASES = {
    "time goes on": ([5, 6, 6, 9], [0, 1, 2, 3], [NONE] * 4),
    "packets are lost": ([5, 6, 900], [0, 1, 800], [NONE] * 3),
    "the counter rolls over": ([TOP - 1, TOP, 0, 1], [7, 8, 9, 10], [NONE, NONE, ROLLOVER, NONE]),
    "it rolls over in a gap": ([TOP - 9, 900, 901], [7, 700, 701], [NONE, ROLLOVER, NONE]),
    "reboot": ([900, 901, 3, 4, 5, 6], [77, 78, 0, 1, 2, 3], [NONE, NONE, REBOOT, *[NONE] * 3]),
    "reboot out of sight": ([900, 400, 401], [5000, 300, 301], [NONE, REBOOT, NONE]),
    "reboot just before a rollover": ([TOP, 1, 2], [5000, 0, 1], [NONE, REBOOT, NONE]),
    "reboot soon after a reboot": (
        [20, 21, 0, 1, 2, 3, 4], [20, 21, 0, 1, 2, 3, 4], [NONE, NONE, REBOOT, *[NONE] * 4],
    ),
    "the clock is set back": ([900, 901, 100, 101], [7, 8, 9, 10], [NONE, NONE, SET_BACK, NONE]),
    "one packet is late": ([5, 7, 6, 8], [5, 7, 6, 8], [NONE, NONE, LATE, NONE]),
    "three are late": (
        [5, 9, 6, 7, 8, 10], [5, 9, 6, 7, 8, 10], [NONE, NONE, LATE, LATE, LATE, NONE],
    ),
    "one is late over a rollover": (
        [TOP - 1, 0, TOP, 1, 2], [7, 9, 8, 10, 11], [NONE, ROLLOVER, LATE, NONE, NONE],
    ),
    "the sequence count rolls over": ([5, 6, 7], [16383, 0, 1], [NONE] * 3),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_step_is_told_from_the_others(case):
    clock, counts, steps = CASES[case]
    found = classify_clock_steps(np.array(clock), np.array(counts), modulus=MODULUS)
    assert [ClockStep(step) for step in found] == steps


@pytest.mark.parametrize(
    ("case", "unwrapped", "boots"),
    [
        ("the counter rolls over", [TOP - 1, TOP, MODULUS, MODULUS + 1], [0, 0, 0, 0]),
        ("reboot", [900, 901, 3, 4, 5, 6], [0, 0, 1, 1, 1, 1]),
        ("one is late over a rollover", [TOP - 1, MODULUS, TOP, MODULUS + 1, MODULUS + 2], [0] * 5),
    ],
)
def test_the_clock_is_unwrapped(case, unwrapped, boots):
    clock, counts, _ = CASES[case]
    steps = classify_clock_steps(np.array(clock), np.array(counts), modulus=MODULUS)
    found = unwrap_clock(np.array(clock), steps, modulus=MODULUS)
    assert [part.tolist() for part in found] == [unwrapped, boots]


def test_each_boot_counts_its_rollovers_anew():
    clock = np.array([TOP, 0, 5, 500, 3, TOP, 1])
    steps = np.array([NONE, ROLLOVER, NONE, NONE, REBOOT, NONE, ROLLOVER], np.uint8)
    unwrapped, boots = unwrap_clock(clock, steps, modulus=MODULUS)
    assert unwrapped.tolist() == [
        TOP, MODULUS, MODULUS + 5, MODULUS + 500, 3, TOP, MODULUS + 1
    ]  # fmt: skip
    assert boots.tolist() == [0, 0, 0, 0, 1, 1, 1]


@given(
    st.lists(st.integers(1, MODULUS // 16), min_size=1, max_size=200),
    st.integers(0, MODULUS - 1),
    st.sampled_from([1 << 16, 1 << 32, 1 << 56]),
)
def test_whatever_goes_on_without_a_gap_is_unwrapped_to_what_it_was(changes, start, modulus):
    scale = modulus >> 16
    truth = (start + np.cumsum([0, *changes])) * scale
    counts = np.arange(len(truth)) % 16384
    clock = truth % modulus
    steps = classify_clock_steps(clock, counts, modulus=modulus)
    unwrapped, boots = unwrap_clock(clock, steps, modulus=modulus)
    np.testing.assert_array_equal(unwrapped, truth)
    assert not boots.any()


@pytest.mark.parametrize("count", [0, 1])
def test_no_packet_and_one_packet_have_no_step(count):
    clock = np.zeros(count, np.int64)
    steps = classify_clock_steps(clock, clock, modulus=MODULUS)
    assert steps.tolist() == [NONE] * count
    assert len(unwrap_clock(clock, steps, modulus=MODULUS)[0]) == count


@given(
    st.lists(st.integers(1, MODULUS // 16), min_size=1, max_size=60),
    st.integers(0, MODULUS - 1),
    st.lists(st.integers(1, 9), min_size=60, max_size=60),
)
def test_a_clock_is_followed_through_blocks_of_any_size(changes, start, sizes):
    truth = start + np.cumsum([0, *changes])
    counts = np.arange(len(truth)) % 16384
    tracker = ClockTracker(MODULUS)
    at, turns, rollovers = 0, [], 0
    for size in sizes:
        block = slice(at, at + size)
        steps, of_block = tracker.add(truth[block] % MODULUS, counts[block])
        turns += of_block.tolist()
        rollovers += int((steps == ROLLOVER).sum())
        at += size
    assert turns == (truth // MODULUS).tolist()
    assert rollovers == truth[-1] // MODULUS


def test_a_reboot_at_the_end_of_a_block_is_seen_in_the_next():
    tracker = ClockTracker(MODULUS)
    clock, counts = [20, 21, 0, 1, 2, 3, 4, 5], [20, 21, 0, 1, 2, 3, 4, 5]
    found = []
    for block in (slice(0, 3), slice(3, 8)):
        steps, turns = tracker.add(np.array(clock[block]), np.array(counts[block]))
        found += [ClockStep(step) for step in steps]
        assert not turns.any()
    assert found.count(REBOOT) == 1
    assert REBOOT in found[2:4]


def tracked(clock, counts, octets, size):
    """Return the steps that a tracker finds in blocks of `size`; equal `octets` are repeats."""
    tracker, found, turns = ClockTracker(MODULUS), [], []
    arrays = np.array(clock), np.array(counts), np.array(octets, np.uint64)
    for at in range(0, len(clock), size):
        now, numbers, digests = (array[at : at + size] for array in arrays)
        steps, of_block = tracker.add(now, numbers, digests.__getitem__)
        found += [ClockStep(step) for step in steps]
        turns += of_block.tolist()
    return found, turns


@pytest.mark.parametrize("size", [1, 3, 7, 10, 64, 1000])
def test_packets_that_come_again_are_no_reboot(size):
    clock, counts = list(range(900, 910)) * 20, list(range(10)) * 20
    steps, turns = tracked(clock, counts, clock, size)
    assert REBOOT not in steps
    assert SET_BACK not in steps
    assert set(turns) == {0}
    assert steps[:10] == [NONE] * 10
    assert steps[10:20] == [LATE] * 9 + [NONE]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_second_boot_with_the_same_counts_is_a_reboot_for_its_octets_differ(size):
    clock, counts = list(range(100)) * 2, list(range(100)) * 2
    steps, _ = tracked(clock, counts, range(200), size)
    assert steps.count(REBOOT) == 1
    assert steps.index(REBOOT) in range(100, 105)


def test_time_goes_on_behind_packets_that_come_again_over_a_rollover():
    clock = [TOP - 1, TOP, 0, TOP - 1, TOP, 0, 1, 2]
    counts = [5, 6, 7, 5, 6, 7, 8, 9]
    steps, turns = tracked(clock, counts, clock, 8)
    assert steps == [NONE, NONE, ROLLOVER, LATE, LATE, NONE, NONE, NONE]
    assert turns == [0, 0, 1, 0, 0, 1, 1, 1]
