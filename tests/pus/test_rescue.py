# SPDX-License-Identifier: Apache-2.0
"""What frames of a rescue do to a flash; frames are those of LiteX's own client."""

import binascii
import random
from collections.abc import Iterator

import pytest

from fw_tools.pus.loader import Loader
from fw_tools.pus.memories import FlashMemory
from fw_tools.pus.parameters import PlainRegisters
from fw_tools.pus.rescue import Command, Reply, Rescue, build_frame
from fw_tools.pus.slots import (
    Image,
    ImageKind,
    SlotLayout,
    build_image_file,
    read_header,
)

LAYOUT = SlotLayout(slot_octets=0x20000, count=4)
GATEWARE = 0xAAAA
SLOT_1 = 0x20000
K, C, U, E = Reply.SUCCESS, Reply.CRC_ERROR, Reply.UNKNOWN, Reply.ERROR


class Payload:
    def __init__(self) -> None:
        self.flash = FlashMemory(0x80000, 0x20000)
        self.flash.content[:] = bytes(0x80000)
        identities = {ImageKind.RECORDS: GATEWARE}
        loader = Loader(
            layout=LAYOUT,
            flash=self.flash,
            registers=PlainRegisters({}),
            memories={},
            identities=identities,
        )
        self.rescue = Rescue(loader)

    def load(self, address: int, data: bytes) -> Reply:
        payload = address.to_bytes(4, "big") + data
        return self.rescue.take(build_frame(Command.LOAD, payload))

    def jump(self, address: int) -> Reply:
        return self.rescue.take(build_frame(Command.JUMP, address.to_bytes(4, "big")))

    def pieces(self, file: bytes, length: int) -> Iterator[Reply]:
        for place in range(0, len(file), length):
            yield self.load(SLOT_1 + place, file[place : place + length])


@pytest.fixture
def payload() -> Payload:
    return Payload()


def file_of(octets: int, identity: int = GATEWARE) -> tuple[bytes, bytes]:
    image = random.Random(octets).randbytes(octets)
    kind = ImageKind.RECORDS
    return image, build_image_file(Image(octets=image, kind=kind, identity=identity))


def test_a_frame_is_that_of_litex_term() -> None:
    """Written by hand from litex_term's source: length, CRC-16/XMODEM of what follows, command."""
    content = b"\x02\x40\x00\x00\x00"
    crc = binascii.crc_hqx(content, 0)
    assert build_frame(2, b"\x40\0\0\0") == b"\x04" + bytes([crc >> 8, crc & 255]) + content


@pytest.mark.parametrize("length", [60, 251, 4, 255])
def test_a_slot_holds_the_image_and_its_header_comes_with_the_jump(
    payload: Payload, length: int
) -> None:
    image, file = file_of(9000)
    assert set(payload.pieces(file, min(length, 251))) == {K}
    header_at = LAYOUT.header_at(1)
    assert payload.flash.read(SLOT_1, 9000) == image
    assert payload.flash.read(header_at, 32) == b"\xff" * 32
    assert payload.jump(SLOT_1) is K
    header = read_header(payload.flash.read(header_at, 32), LAYOUT)
    assert header is not None
    assert (header.sequence, header.length) == (1, 9000)
    assert header.crc32 == binascii.crc32(image)
    assert (payload.rescue.is_over, payload.rescue.booted_slot) == (True, 1)


def test_what_goes_across_the_end_of_the_slot_is_refused(payload: Payload) -> None:
    _, file = file_of(LAYOUT.room + 1)
    replies = list(payload.pieces(file, 251))
    assert replies == [K] * (len(replies) - 1) + [E]
    assert payload.jump(SLOT_1) is E
    _, file = file_of(LAYOUT.room)
    assert set(payload.pieces(file, 251)) == {K}
    assert payload.jump(SLOT_1) is K


@pytest.mark.parametrize(
    ("address", "data"),
    [
        (SLOT_1, bytes(64)),  # The calibration of litex_term.
        (SLOT_1 + 64, b"FWS1"),
        (SLOT_1, b"FWS"),
        (SLOT_1, b""),
        (0x80000, b"FWS1"),
        (0x4000_0000, b"FWS1"),
        (0, b"FWS1"),  # Golden, and closed.
    ],
)
def test_what_begins_no_slot_is_refused(payload: Payload, address: int, data: bytes) -> None:
    before = bytes(payload.flash.content)
    assert payload.load(address, data) is E
    assert payload.jump(address) is E
    assert bytes(payload.flash.content) == before


def test_only_the_next_frame_or_the_last_one_again_is_taken(payload: Payload) -> None:
    _, file = file_of(500)
    for place in (0, 100, 200):
        assert payload.load(SLOT_1 + place, file[place : place + 100]) is K
    assert payload.load(SLOT_1 + 200, file[200:300]) is K
    assert payload.load(SLOT_1 + 400, file[400:500]) is E
    assert payload.load(SLOT_1 + 100, file[100:200]) is E
    assert payload.jump(SLOT_1) is E, "a part of it is missing"


def test_an_image_of_another_gateware_is_not_booted(payload: Payload) -> None:
    _, file = file_of(100, identity=1)
    assert set(payload.pieces(file, 60)) == {K}
    assert payload.jump(SLOT_1) is E
    assert payload.jump(SLOT_1) is E


def test_damage_unknown_commands_and_abort_are_told_apart(payload: Payload) -> None:
    frame = bytearray(build_frame(Command.LOAD, bytes(9)))
    frame[-1] ^= 1
    assert payload.rescue.take(bytes(frame)) is C
    assert payload.rescue.take(build_frame(9, b"")) is U
    assert not payload.rescue.is_over
    assert payload.rescue.take(build_frame(Command.ABORT, b"")) is K
    assert payload.rescue.is_over
