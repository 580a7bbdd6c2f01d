# SPDX-License-Identifier: Apache-2.0
"""The walk along length fields, against the lengths that the stream was made of."""

import struct

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.wire.walk import CHAIN_OF_STRANGERS, walk

RUNS = st.lists(st.tuples(st.integers(7, 40), st.sampled_from([1, 2, 7, 8, 9, 30])), max_size=90)


def made(runs):
    """Return packets of these lengths, so many of each, and their lengths."""
    lengths = [length for length, count in runs for _ in range(count)]
    packets = [struct.pack(">HHH", 66, 0, n - 7) + b"\xff" * (n - 6) for n in lengths]
    return b"".join(packets), lengths


@settings(max_examples=200, deadline=None)
@given(
    runs=RUNS, at=st.integers(0, 3), cut=st.integers(0, 45), limit=st.sampled_from([1, 9, 64, 5000])
)
def test_a_walk_finds_every_header_up_to_its_limit_and_to_the_end(runs, at, cut, limit):
    stream, lengths = made(runs)
    stream = b"\xff" * at + stream[: max(len(stream) - cut, 0)]
    starts = np.cumsum([at, *lengths])[:-1] if lengths else np.empty(0, np.int64)
    ends = starts + np.array(lengths, np.int64)
    has_header = starts + 6 <= len(stream)
    found, found_lengths, whole = walk(np.frombuffer(stream, np.uint8), at, limit)
    expected = starts[has_header][: limit + CHAIN_OF_STRANGERS].tolist()
    assert found.tolist() == expected
    assert found_lengths.tolist() == lengths[: len(expected)]
    assert whole == min(int((ends <= len(stream)).sum()), limit)
