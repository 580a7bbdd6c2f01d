# SPDX-License-Identifier: Apache-2.0
"""Frames judged all at once are judged as the receiver judges them one by one."""

import random

import numpy as np
import pytest

from fw_tools.pus.acceptance import ACCEPTED, CAUSES, judge_frames
from fw_tools.pus.frames import DropCause, FrameReceiver, encode_frame
from fw_tools.pus.packets import with_crc

LONGEST = 600


def whole_packet(rng: random.Random) -> bytes:
    octets = rng.choice((8, 9, 13, 40, 253, 254, 255, 256, 300, 509, 600, 601))
    values = rng.choice((range(256), (0,), (1, 2), (0xFF, 0)))
    body = bytes(rng.choice(values) for _ in range(octets - 8))
    return with_crc(b"\x18\x42\xc0\x00" + (octets - 7).to_bytes(2, "big") + body)


def damaged(rng: random.Random, frame: bytes) -> bytes:
    octets = bytearray(frame)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(octets))
        kind = rng.randrange(6)
        if kind == 0:
            octets[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            octets.insert(at, rng.choice((0, 1, 255, 7)))
        elif kind == 2:
            octets.insert(at, octets[at])
        elif kind == 3 and len(octets) > 1:
            del octets[at]
        elif kind == 4:
            del octets[at : at + rng.randrange(1, 50)]
            octets += b"\0"
        else:
            octets[at] = 255
    return bytes(octets)


@pytest.mark.parametrize("seed", range(20))
def test_verdicts_are_those_of_the_receiver(seed: int) -> None:
    rng = random.Random(seed)
    frames = [damaged(rng, encode_frame(whole_packet(rng))) for _ in range(300)]
    frames += [rng.randbytes(rng.randrange(900)) for _ in range(20)]
    rng.shuffle(frames)
    line = b"".join(frames)
    receiver = FrameReceiver(LONGEST)
    packets = receiver.feed(line)
    found = judge_frames(np.frombuffer(line, np.uint8), LONGEST)
    accepted = np.flatnonzero(found.verdicts == ACCEPTED)
    assert [found.packet(row) for row in accepted] == packets
    counts = np.bincount(found.verdicts, minlength=len(CAUSES))
    assert {cause: n for cause, n in zip(CAUSES, counts, strict=True) if cause and n} == dict(
        receiver.dropped
    )
    assert receiver.dropped.keys() == set(DropCause) - {DropCause.LINE}


def test_a_line_without_an_end_of_frame_holds_no_frame() -> None:
    for line in (b"", b"\x05abc", b"\0\0\0"):
        assert not len(judge_frames(np.frombuffer(line, np.uint8), LONGEST).starts)
