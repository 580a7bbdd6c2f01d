# SPDX-License-Identifier: Apache-2.0
"""Segmented groups: whole ones come back, others say what is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.wire.segments import (
    CONTINUATION,
    FIRST,
    LAST,
    UNSEGMENTED,
    GroupAssembler,
    GroupRules,
    Missing,
)
from telemetry.wire.space_packet import PrimaryHeader


def segment(flags: int, count: int, data: bytes, apid: int = 7):
    return PrimaryHeader(0, 0, 0, apid, flags, count % 16384, len(data) - 1), data


def assemble(segments, rules=None):
    assembler = GroupAssembler(rules)
    groups = []
    for offset, (header, data) in enumerate(segments):
        groups += assembler.add(header, data, offset)
    return [*groups, *assembler.close()], assembler


def split(data: bytes, pieces: int, first: int, apid: int = 7):
    """Cut `data` into segments with the flags of the standard."""
    if pieces == 1:
        return [segment(UNSEGMENTED, first, data, apid)]
    size = -(-len(data) // pieces)
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    flags = [FIRST, *[CONTINUATION] * (len(parts) - 2), LAST]
    return [segment(flags[i], first + i, part, apid) for i, part in enumerate(parts)]


WHOLE = split(b"abcdefghij", 5, 16382)  # Over the top of the sequence count.


@given(st.lists(st.tuples(st.binary(min_size=12, max_size=60), st.integers(1, 6)), max_size=6))
def test_whole_groups_come_back_whatever_lies_between_them(contents):
    streams = [[], []]
    counts = [16380, 5]
    for index, (data, pieces) in enumerate(contents):
        apid = index % 2
        segments = split(data, pieces, counts[apid], apid)
        counts[apid] += len(segments)
        streams[apid] += segments
    longest = max(map(len, streams))
    mixed = [s[i] for i in range(longest) for s in streams if i < len(s)]
    groups, _ = assemble(mixed)
    for apid in (0, 1):
        found = [group.data for group in groups if group.apid == apid]
        assert found == [data for data, _ in contents[apid::2]]
    assert all(group.is_whole for group in groups)


def test_a_group_knows_its_counts_and_its_places():
    (group,), _ = assemble(WHOLE)
    assert (group.data, group.segments, group.is_whole) == (b"abcdefghij", 5, True)
    assert (group.counts, group.offsets) == ((16382, 2), (0, 4))


@pytest.mark.parametrize(
    ("lost", "reasons", "missing"),
    [
        ([0], ["the first segment is missing"], []),
        ([1], ["segment 16383 is missing"], [Missing(16383, 1)]),
        ([1, 2], ["2 segments, 16383 to 0, are missing"], [Missing(16383, 2)]),
        (
            [1, 3],
            ["segment 16383 is missing", "segment 1 is missing"],
            [Missing(16383, 1), Missing(1, 1)],
        ),
        ([4], ["the last segment is missing"], []),
        ([0, 4], ["the first segment is missing", "the last segment is missing"], []),
    ],
)
def test_missing_segments_are_counted_and_named(lost, reasons, missing):
    (group,), _ = assemble([part for index, part in enumerate(WHOLE) if index not in lost])
    assert not group.is_whole
    assert (list(group.reasons), list(group.missing)) == (reasons, missing)
    assert group.segments == 5 - len(lost)


@pytest.mark.parametrize("flags", [FIRST, UNSEGMENTED])
def test_a_new_group_ends_one_that_is_open(flags):
    groups, _ = assemble([*WHOLE[:2], segment(flags, 3, b"new"), segment(LAST, 4, b"end")])
    assert groups[0].reasons == ("the last segment is missing",)
    assert groups[1].data.startswith(b"new")


def test_a_segment_that_comes_twice_is_counted_and_left_out():
    groups, assembler = assemble([*WHOLE[:3], WHOLE[2], *WHOLE[3:]])
    assert [group.data for group in groups] == [b"abcdefghij"]
    assert assembler.duplicates == 1


def test_a_sequence_count_that_falls_back_ends_the_group():
    groups, _ = assemble([*split(b"abcdef", 3, 500)[:2], segment(LAST, 3, b"z")])
    assert groups[0].reasons == ("the sequence count fell back",)
    assert groups[1].reasons == ("the first segment is missing",)


def test_headers_and_trailers_of_later_segments_are_left_out():
    segments = [
        segment(FIRST, 0, b"HHabcCC"),
        segment(CONTINUATION, 1, b"HHdefCC"),
        segment(LAST, 2, b"HHghCC"),
        segment(UNSEGMENTED, 3, b"HHaloneCC"),
    ]
    repeated = GroupRules(secondary_header_octets=2, is_header_repeated=True, trailer_octets=2)
    assert [g.data for g in assemble(segments, repeated)[0]] == [b"HHabcdefgh", b"HHalone"]
    once = GroupRules(secondary_header_octets=2, trailer_octets=2)
    assert assemble(segments, once)[0][0].data == b"HHabcHHdefHHgh"


def test_a_segment_shorter_than_its_header_adds_nothing():
    rules = GroupRules(secondary_header_octets=8, is_header_repeated=True, trailer_octets=2)
    (group,), _ = assemble([segment(FIRST, 0, b"abcCC"), segment(LAST, 1, b"x")], rules)
    assert group.data == b"abc"


def test_a_group_without_an_end_is_cut_off():
    endless = [segment(FIRST, 0, b"x" * 50)]
    endless += [segment(CONTINUATION, count, b"x" * 50) for count in range(1, 100)]
    groups, assembler = assemble(endless, GroupRules(max_octets=200))
    assert groups[0].reasons == ("longer than 200 octets",)
    assert all(len(group.data) <= 250 for group in groups)
    assert sum(group.segments for group in groups) == 100
    assert not assembler._open


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 20), st.binary(min_size=1, max_size=4)),
        max_size=40,
    )
)
def test_every_segment_is_in_one_group_or_a_duplicate(parts):
    groups, assembler = assemble([segment(*part) for part in parts])
    assert sum(group.segments for group in groups) + assembler.duplicates == len(parts)


def test_all_open_groups_together_take_bounded_memory():
    rules = GroupRules(max_octets=100, max_open_octets=150)
    assembler = GroupAssembler(rules)
    ended = []
    for apid, size in ((1, 60), (2, 80), (3, 30)):
        ended += assembler.add(*segment(FIRST, 0, bytes(size), apid), apid)
    (group,) = ended
    assert (group.apid, group.packet_octets, group.is_whole) == (2, 86, False)
    assert group.reasons == ("too many groups at a time for the memory",)
    assert assembler.open_packet_octets == 60 + 30 + 2 * 6
    assert assembler.open_apids == [1, 3]
