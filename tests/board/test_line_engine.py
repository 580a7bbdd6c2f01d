# SPDX-License-Identifier: Apache-2.0
"""The engine of a line with faults by itself: counts by hand, and in whatever pieces octets come.

That its draws are the twin's is tested where twins are (tests/twin/test_twin_faults.py).
"""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fw_tools.board.line_engine import DisturbedLine, LineCounts, Passed, scramble
from fw_tools.board.twin_messages import Direction, LineFaults

SENT = bytes(range(256)) * 40
SOME = LineFaults(flip=0.05, drop=0.03, duplicate=0.04, insert=0.02, stall=0.01, stall_s=0.002)


def line(seed: int = 7, direction: Direction = Direction.TO_PAYLOAD, **faults) -> DisturbedLine:
    return DisturbedLine(direction, seed, LineFaults(**faults))


def joined(parts) -> bytes:
    return b"".join(part.octets for part in parts)


def test_the_scrambler_gives_the_published_numbers() -> None:
    """Of SplitMix64 from the seed 1234567, as Rosetta Code lists them."""
    step = 0x9E3779B97F4A7C15
    assert [scramble((1234567 + n * step) % 2**64) for n in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_a_line_without_faults_passes_everything_in_one_piece() -> None:
    whole = line()
    assert list(whole.feed(SENT)) == [Passed(0.0, SENT)]
    assert whole.counts == LineCounts(octets=len(SENT), passed=len(SENT))
    assert list(whole.feed(b"")) == []


def test_what_is_certain_happens_to_every_octet() -> None:
    flipped = line(flip=1)
    got = joined(flipped.feed(SENT))
    assert {(a ^ b).bit_count() for a, b in zip(got, SENT, strict=True)} == {1}
    assert {a ^ b for a, b in zip(got, SENT, strict=True)} == {1 << bit for bit in range(8)}
    assert flipped.counts == LineCounts(octets=10240, passed=10240, flips=10240)

    dropped = line(drop=1)
    assert joined(dropped.feed(b"abc")) == b""
    assert dropped.counts == LineCounts(octets=3, drops=3)

    doubled = line(duplicate=1)
    assert joined(doubled.feed(b"abc")) == b"aabbcc"
    assert doubled.counts == LineCounts(octets=3, passed=6, duplicates=3)

    filled = line(insert=1)
    assert joined(filled.feed(b"abc"))[1::2] == b"abc"
    assert filled.counts == LineCounts(octets=3, passed=6, inserts=3)

    slow = line(stall=1, stall_s=0.5)
    assert list(slow.feed(b"abc")) == [Passed(0.5, bytes([octet])) for octet in b"abc"]
    assert slow.counts == LineCounts(octets=3, passed=3, stalls=3)

    assert joined(line(insert=1, drop=1, duplicate=1, flip=1).feed(b"abcd")) == joined(
        part for part in [Passed(0, joined(line(insert=1).feed(b"abcd"))[::2])]
    )


def test_a_cut_loses_octets_until_the_wire_is_whole_and_they_count() -> None:
    wire = line(flip=0.5)
    before = joined(wire.feed(b"abc"))
    wire.is_cut = True
    assert list(wire.feed(b"lost")) == []
    wire.is_cut = False
    after = joined(wire.feed(b"xyz"))
    assert wire.counts.cut == 4
    assert (
        before + after
        == joined(line(flip=0.5).feed(b"abc....xyz"))[:3]
        + joined(line(flip=0.5).feed(b"abc....xyz"))[7:]
    )


@pytest.mark.parametrize("name", ["flip", "drop", "duplicate", "insert", "stall"])
@pytest.mark.parametrize("direction", list(Direction))
def test_as_many_faults_happen_as_their_chance_says(name: str, direction: Direction) -> None:
    wire = line(direction=direction, **{name: 0.1})
    list(wire.feed(SENT))
    found = {"flip": "flips", "drop": "drops", "duplicate": "duplicates"}.get(name, f"{name}s")
    expected, sigma = len(SENT) * 0.1, math.sqrt(len(SENT) * 0.1 * 0.9)
    assert abs(getattr(wire.counts, found) - expected) < 4 * sigma


@given(cuts=st.lists(st.integers(0, 600), max_size=30), seed=st.integers(0, 2**63 - 1))
def test_the_pieces_in_which_octets_come_do_not_matter(cuts: list[int], seed: int) -> None:
    sent = SENT[:600]
    whole, pieces = (DisturbedLine(Direction.TO_PAYLOAD, seed, SOME) for _ in range(2))
    places = [0, *sorted(cuts), len(sent)]
    got = [
        part for start, end in itertools.pairwise(places) for part in pieces.feed(sent[start:end])
    ]
    expected = list(whole.feed(sent))
    assert joined(got) == joined(expected)
    assert [part.pause_s for part in got if part.pause_s] == [0.002] * whole.counts.stalls
    assert pieces.counts == whole.counts


def test_seeds_and_directions_are_independent() -> None:
    found = {
        joined(DisturbedLine(direction, seed, SOME).feed(SENT))
        for direction in Direction
        for seed in (1, 2, 2**63 - 1)
    }
    assert len(found) == 6
