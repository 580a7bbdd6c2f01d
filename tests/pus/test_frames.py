# SPDX-License-Identifier: Apache-2.0
"""Frames of the link: framed by the `cobs` package, cut and damaged, each drop with its cause."""

import random

import pytest
from cobs import cobs
from hypothesis import given
from hypothesis import strategies as st

from fw_tools.pus.frames import DropCause, FrameReceiver, encode_frame
from fw_tools.pus.identifiers import LONGEST_TC, LONGEST_TM, Ack
from fw_tools.pus.packets import Telecommand, build_tc, with_crc


def packet(octets: int, seed: int = 1) -> bytes:
    """A whole packet of so many octets."""
    rng = random.Random(seed)
    data = bytes(rng.choice((0, 1, 0xFF, rng.randrange(256))) for _ in range(octets - 13))
    return build_tc(
        Telecommand(
            apid=66,
            sequence_count=1,
            service=6,
            subtype=2,
            source_id=0,
            ack=Ack.ALL,
            data=data,
        )
    )


PING = packet(13)


def test_a_frame_is_what_the_cobs_package_makes_with_a_zero_on_each_side() -> None:
    assert encode_frame(PING) == b"\0" + cobs.encode(PING) + b"\0"


@pytest.mark.parametrize("octets", [13, 14, 253, 254, 255, 256, 508, 509, 1043, LONGEST_TC])
@pytest.mark.parametrize("chunk", [1, 7, 5000])
def test_packets_come_out_whole_in_chunks_of_any_size(octets: int, chunk: int) -> None:
    receiver = FrameReceiver(LONGEST_TC)
    line = encode_frame(packet(octets)) + encode_frame(PING)
    found = [
        whole for at in range(0, len(line), chunk) for whole in receiver.feed(line[at : at + chunk])
    ]
    assert found == [packet(octets), PING]
    assert not receiver.dropped
    assert not receiver.is_in_frame


def test_the_longest_packet_has_room_when_cobs_makes_it_longest() -> None:
    whole = with_crc(packet(LONGEST_TC)[:6] + b"\xaa" * (LONGEST_TC - 8))
    assert FrameReceiver(LONGEST_TC).feed(encode_frame(whole)) == [whole]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (b"\x05abc\0", DropCause.COBS),  # A block of four, of which three are there.
        (b"\x01\xff\x02a\0", DropCause.COBS),
        (cobs.encode(b"") + b"\0", DropCause.LENGTH),
        (cobs.encode(with_crc(b"\x18\x42\xc0\x00\x00")) + b"\0", DropCause.LENGTH),
        (
            encode_frame(bytes.fromhex("184200470000d4")),
            DropCause.LENGTH,
        ),  # Its length and CRC hold.
        (encode_frame(PING[:-1]), DropCause.LENGTH),
        (encode_frame(PING + b"\0"), DropCause.LENGTH),  # The CRC holds over trailing zeros.
        (encode_frame(PING + b"\0\0"), DropCause.LENGTH),
        (encode_frame(PING[:-1] + bytes([PING[-1] ^ 1])), DropCause.CRC),
        (encode_frame(packet(LONGEST_TC + 1)), DropCause.NO_ROOM),
        (b"\x01" * 100_000 + b"\0", DropCause.NO_ROOM),
    ],
)
def test_each_drop_is_counted_under_its_cause(line: bytes, cause: DropCause) -> None:
    receiver = FrameReceiver(LONGEST_TC)
    assert receiver.feed(line + encode_frame(PING)) == [PING]
    assert receiver.dropped == {cause: 1}


def test_a_line_error_drops_the_frame_in_progress_alone() -> None:
    receiver = FrameReceiver(LONGEST_TC)
    frame = encode_frame(PING)
    assert receiver.feed(frame[:5]) == []
    receiver.spoil()
    assert receiver.is_in_frame
    assert receiver.feed(frame[5:] + frame) == [PING]
    assert receiver.dropped == {DropCause.LINE: 1}


def test_the_zero_in_front_ends_half_a_frame() -> None:
    receiver = FrameReceiver(LONGEST_TC)
    assert receiver.feed(encode_frame(PING)[:8] + encode_frame(PING)) == [PING]
    assert receiver.dropped == {DropCause.COBS: 1}


def test_empty_frames_are_no_frames() -> None:
    receiver = FrameReceiver(LONGEST_TC)
    assert receiver.feed(bytes(1000)) == []
    assert not receiver.dropped


@given(st.binary(max_size=3000))
def test_noise_leaves_the_receiver_ready_and_small(noise: bytes) -> None:
    receiver = FrameReceiver(LONGEST_TM)
    receiver.feed(noise)
    assert len(receiver._content) <= LONGEST_TM + 5
    assert receiver.feed(encode_frame(PING))[-1:] == [PING]
