# SPDX-License-Identifier: Apache-2.0
"""Several dumps become one: nothing twice, nothing lost, in the order that was asked for."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ops.digest import digest_packets
from telemetry.ops.merge import (
    DigestSet,
    OverlapFilter,
    of_dump,
    take_packets,
)
from telemetry.wire.batch import PacketBatch


def batch(packets: list[bytes], offset: int = 0) -> PacketBatch:
    lengths = np.array([len(packet) for packet in packets], np.int64)
    return PacketBatch(
        np.frombuffer(b"".join(packets), np.uint8),
        np.cumsum(lengths) - lengths,
        lengths,
        offset,
        np.arange(len(packets)).astype(np.uint8) % 3,
    )


def octets(merged) -> list[bytes]:
    return [merged.packets.packet(index) for index in range(len(merged))]


def in_pieces(number: int, packets: list[bytes], size: int, times=None):
    offset = 0
    for at in range(0, len(packets), size):
        piece = packets[at : at + size]
        stamps = (
            None if times is None else np.array(times[at : at + size], "M8[s]").astype("M8[ns]")
        )
        yield of_dump(number, batch(piece, offset), stamps)
        offset += sum(map(len, piece))


@pytest.fixture(scope="module")
def packets(make_packet):
    rng = random.Random(7)
    return [make_packet(66, i, rng.randbytes(rng.randrange(1, 40))) for i in range(300)]


# --- Digests --------------------------------------------------------------------------------------


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=30))
def test_digests_are_equal_where_packets_are(contents):
    digests = digest_packets(batch(contents)).tolist()
    assert len(set(digests)) == len(set(contents))
    assert all((a == b) == (x == y) for a, x in zip(digests, contents, strict=True)
               for b, y in zip(digests, contents, strict=True))  # fmt: skip


def test_every_flip_of_one_bit_and_every_swap_changes_the_digest():
    packet = bytes(range(1, 36))
    others = [
        bytes(o ^ (1 << bit if i == place else 0) for i, o in enumerate(packet))
        for place in range(35) for bit in range(8)
    ]  # fmt: skip
    others += [packet[8:16] + packet[:8] + packet[16:], packet + b"\0", packet[:-1]]
    digests = digest_packets(batch([packet, *others]))
    assert len(set(digests.tolist())) == 1 + len(others)


def test_a_digest_counts_the_time_too():
    two = batch([b"same", b"same"])
    first, second = digest_packets(two, np.array([1, 2])).tolist()
    assert first != second
    assert len(set(digest_packets(two, np.array([5, 5])).tolist())) == 1


def test_digests_stay_what_they_are():
    # Written down once: archives may keep them.
    assert digest_packets(batch([bytes(range(16))])).tolist() == [PINNED]


PINNED = 17011485163437274408


@given(st.lists(st.lists(st.integers(0, 50), max_size=20), max_size=20))
def test_a_digest_set_holds_what_was_added(lists):
    digests, truth = DigestSet(), set()
    for numbers in lists:
        digests.add(np.array(numbers, np.uint64))
        truth |= set(numbers)
    found = digests.holds(np.arange(51, dtype=np.uint64))
    assert set(np.flatnonzero(found).tolist()) == truth


# --- In order of arrival --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 300])
def test_what_an_earlier_dump_holds_is_left_out(packets, size):
    overlap = OverlapFilter()
    first, second = packets[:200], packets[150:]
    merged = [overlap.apply(b) for b in in_pieces(0, first, size)]
    merged += [overlap.apply(b) for b in in_pieces(1, second, size)]
    assert [packet for part in merged for packet in octets(part)] == packets
    assert overlap.overlaps == 50
    assert overlap.octets == sum(map(len, packets[150:200]))
    assert sum((part.dumps == 1).sum() for part in merged) == 100


def test_what_one_dump_holds_twice_stays(packets):
    overlap = OverlapFilter()
    twice = packets[:5] + packets[:5]
    merged = [overlap.apply(b) for b in in_pieces(0, twice, 3)]
    assert [packet for part in merged for packet in octets(part)] == twice
    assert overlap.overlaps == 0


def test_packets_that_differ_in_time_only_are_no_overlap(packets):
    overlap = OverlapFilter()
    for number, times in enumerate(([1, 2], [1, 3])):
        (part,) = in_pieces(number, packets[:2], 2, times)
        kept = overlap.apply(part)
    assert octets(kept) == [packets[1]]


def test_packets_keep_their_places_and_verdicts(packets):
    overlap = OverlapFilter()
    overlap.apply(of_dump(0, batch(packets[:3])))
    kept = overlap.apply(of_dump(1, batch(packets[2:6], offset=1000)))
    places = 1000 + np.cumsum([len(packet) for packet in packets[2:5]])
    assert kept.offsets.tolist() == places.tolist()
    assert kept.packets.verdicts.tolist() == [1, 2, 0]


def test_packets_can_be_taken_in_any_order(packets):
    taken = take_packets(batch(packets), np.array([5, 2, 9]))
    assert [taken.packet(i) for i in range(3)] == [packets[5], packets[2], packets[9]]
    assert len(taken.octets) == sum(len(packets[i]) for i in (5, 2, 9))
