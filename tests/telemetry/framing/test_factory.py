# SPDX-License-Identifier: Apache-2.0
"""Framings by their names on the command line, and frames as arrays."""

import numpy as np
import pytest

from telemetry.errors import UsageError
from telemetry.wire.framing import (
    NO_TIME,
    Frame,
    FrameKind,
    LengthField,
    batch_frames,
    encode_cobs,
    encode_kiss,
    encode_slip,
    framing,
)

STREAMS = {
    "kiss": encode_kiss,
    "slip": encode_slip,
    "cobs": encode_cobs,
    "length:1": LengthField(octets=1).encode,
    "length:2be": LengthField(octets=2).encode,
    "length:2le": LengthField(octets=2, order="little").encode,
    "length:4be:inclusive": LengthField(octets=4, is_inclusive=True).encode,
    "length:4le": LengthField(octets=4, order="little").encode,
    "length:1:inclusive": LengthField(octets=1, is_inclusive=True).encode,
    "fixed:27": bytes,
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("skip", [0, 3])
def test_each_name_gives_the_framing_it_says(deframe, payloads, make_packet, name, skip):
    packets = [make_packet(66, i, bytes(range(1, 20))) for i in range(5)]
    stream = b"".join(STREAMS[name](bytes(skip) + packet) for packet in packets)
    assert payloads(deframe(framing(name, skip=skip), stream)) == packets


def test_without_framing_only_a_skip_makes_frames(deframe, payloads, make_packet):
    assert framing("none") is None
    packets = [make_packet(66, i, b"1234567") for i in range(5)]
    stream = b"".join(b"WRAP" + packet for packet in packets)
    assert payloads(deframe(framing("none", skip=4), stream)) == packets


def test_data_fields_without_headers_need_no_packet_in_them(deframe, payloads):
    fields = [b"\xff\xff", b"\xee" * 9]
    stream = b"".join(map(STREAMS["length:2be"], fields))
    cutter = framing("length:2be", has_primary_header=False)
    assert payloads(deframe(cutter, stream)) == fields
    assert not payloads(deframe(framing("length:2be"), stream))


def test_a_payload_shorter_than_the_skip_is_damaged(deframe):
    (record, *_) = deframe(framing("slip", skip=4), b"abc\xc0")
    assert record.kind == "damaged"
    assert record.reason == "a payload of 3 octets; 4 were to be skipped"


def test_of_a_damaged_frame_nothing_is_skipped(deframe, payloads):
    assert payloads(deframe(framing("slip", skip=2), b"abc\xdbd\xc0"), "damaged") == [b"abcd"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "kis"}, "--framing kis: no such framing; did you mean kiss?"),
        ({"name": "xyz"}, "expected one of none, kiss, slip, cobs, length:2be, fixed:N"),
        ({"name": "length:3be"}, "expected length:1, length:2be, length:4le"),
        ({"name": "length:1be"}, "expected length:1, length:2be, length:4le"),
        ({"name": "fixed:0"}, "expected fixed:N"),
        ({"name": "none", "skip": -1}, "--skip -1: expected a number of octets, 0 or more"),
        ({"name": "none", "has_primary_header": False}, "--framing fixed:N"),
    ],
)
def test_a_name_or_number_that_is_none_is_refused_with_what_would_be_right(options, words):
    with pytest.raises(UsageError) as caught:
        framing(**options)
    assert words in str(caught.value)


def test_frames_become_arrays_with_their_places():
    batch = batch_frames([
        Frame(FrameKind.DELIMITER, 0, 1),
        Frame(FrameKind.FRAME, 1, 6, b"abcd", port=3, time_ns=7),
        Frame(FrameKind.CONTROL, 7, 4, b"xy"),
        Frame(FrameKind.DAMAGED, 11, 5, b"ef"),
    ])  # fmt: skip
    assert bytes(batch.octets) == b"abcdef"
    assert batch.starts.tolist() == [0, 4]
    assert batch.lengths.tolist() == [4, 2]
    assert batch.offsets.tolist() == [1, 11]
    assert batch.extents.tolist() == [6, 5]
    assert batch.is_whole.tolist() == [True, False]
    assert batch.ports.tolist() == [3, 0]
    assert batch.times_ns.tolist() == [7, NO_TIME]
    assert batch.frame_of(np.array([0, 3, 4, 5])).tolist() == [0, 0, 1, 1]
    assert len(batch) == 2
    assert len(batch_frames([])) == 0
