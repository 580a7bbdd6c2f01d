# SPDX-License-Identifier: Apache-2.0
"""Tables of several dumps become one stream in order of time; nothing twice, nothing lost."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.columns.column import Column
from telemetry.ops.table import Table
from telemetry.ops.time_merge import TimeMerger


def table(names, times, *, apid=66, offset=0, octets=10, verdict=1):
    """Return packets whose digest is their name, a number."""
    columns = {
        "name": np.array(names, np.int64),
        "crc_verdict": np.full(len(names), verdict, np.uint8),
        "packet_time": np.array(times).astype("M8[ns]"),
        "_digest": np.array(names, np.uint64),
        "_octets": np.full(len(names), octets),
    }
    offsets = offset + octets * np.arange(len(names))
    return Table(apid, {n: Column(name=n, raw=raw) for n, raw in columns.items()}, offsets)


def in_pieces(names, times, size, **more):
    for at in range(0, len(names), size):
        part = slice(at, at + size)
        yield [table(names[part], times[part], offset=10 * at, **more)]


def merge(*streams):
    left_out = []
    found = list(TimeMerger(left_out.append).merge(streams))
    return found, [name for part in left_out for name in names_of(part)]


def names_of(part):
    return part.columns["name"].raw.tolist()


def all_names(found):
    return [name for part in found for name in names_of(part)]


@given(
    st.lists(st.lists(st.integers(0, 60), max_size=25), min_size=1, max_size=4),
    st.integers(1, 9),
)
@settings(deadline=None)
def test_dumps_in_order_of_time_are_merged_to_what_sorting_gives(seconds, size):
    counter = itertools.count()
    dumps = [[(time, next(counter)) for time in sorted(times)] for times in seconds]
    streams = [in_pieces([n for _, n in dump], [t for t, _ in dump], size) for dump in dumps]
    found, left_out = merge(*streams)
    truth = {name: time for dump in dumps for time, name in dump}
    names = all_names(found)
    assert [truth[name] for name in names] == sorted(truth.values())
    assert sorted(names) == sorted(truth)
    assert left_out == []


@pytest.mark.parametrize("size", [1, 13, 300])
def test_overlaps_are_left_out(size):
    cuts = [(0, 120), (100, 220), (90, 130), (200, 300)]
    streams = [in_pieces(list(range(a, b)), list(range(a, b)), size) for a, b in cuts]
    found, left_out = merge(*streams)
    assert all_names(found) == list(range(300))
    assert len(left_out) == sum(b - a for a, b in cuts) - 300


def test_what_one_dump_holds_twice_and_what_is_damaged_stays():
    found, left_out = merge(in_pieces([1, 1, 2], [1, 1, 2], 3), in_pieces([3, 4], [3, 4], 2))
    assert (all_names(found), left_out) == ([1, 1, 2, 3, 4], [])
    twice = [in_pieces([1, 2], [1, 2], 2, verdict=2) for _ in range(2)]
    found, left_out = merge(*twice)
    assert (len(all_names(found)), left_out) == (4, [])


def test_packets_without_a_time_stay_behind_the_one_before():
    nat = np.datetime64("NaT", "ns")
    first = [np.datetime64(10, "ns"), nat, np.datetime64(30, "ns")]
    found, _ = merge(in_pieces([0, 1, 2], first, 3), in_pieces([3, 4], [20, 40], 2))
    assert all_names(found) == [0, 1, 3, 2, 4]
    # Also over the end of a block.
    found, _ = merge(in_pieces([0, 1, 2], first, 1), in_pieces([3, 4], [20, 40], 2))
    assert all_names(found) == [0, 1, 3, 2, 4]


def test_a_dump_that_is_out_of_order_loses_nothing():
    times = list(range(300))
    random.Random(3).shuffle(times)
    streams = (
        in_pieces(list(range(150)), times[:150], 11),
        in_pieces(list(range(150, 300)), times[150:], 7),
    )
    assert sorted(all_names(merge(*streams)[0])) == list(range(300))


def test_packets_of_one_dump_with_equal_times_keep_their_order():
    times = [7] * 200 + [8] * 200
    one, other = list(range(400)), list(range(1000, 1400))
    found = all_names(merge(in_pieces(one, times, 150), in_pieces(other, times, 150))[0])
    assert [name for name in found if name < 1000] == one
    assert [name for name in found if name >= 1000] == other
    assert [name % 1000 >= 200 for name in found] == [False] * 400 + [True] * 400


def test_each_apid_is_in_order_of_time():
    first = [[table([1, 5], [1, 5]), table([101, 105], [1, 5], apid=7)]]
    second = [[table([2, 4, 8], [2, 4, 8]), table([103, 109], [3, 9], apid=7)]]
    by_apid = {66: [], 7: []}
    for part in merge(first, second)[0]:
        by_apid[part.apid] += names_of(part)
    assert by_apid == {66: [1, 2, 4, 5, 8], 7: [101, 103, 105, 109]}


def test_places_are_kept_and_offsets_run_on():
    found, _ = merge(in_pieces([1, 3], [1, 3], 2), in_pieces([2, 4], [2, 4], 2))
    assert [offset for part in found for offset in part.offsets.tolist()] == [0, 10, 20, 30]
    assert [place for part in found for place in part.seen_at.tolist()] == [0, 0, 10, 10]


def test_nothing_merged_is_nothing():
    assert merge()[0] == []
    assert merge(iter([]), iter([[]]))[0] == []
