# SPDX-License-Identifier: Apache-2.0
"""Headers and records of boot slots, octet by octet as written here by hand."""

import hashlib
import zlib
from collections.abc import Callable

import pytest

from fw_tools.pus.packets import crc16
from fw_tools.pus.slots import (
    Image,
    ImageFileError,
    ImageKind,
    SlotHeaderError,
    SlotLayout,
    build_header,
    build_image_file,
    build_records,
    read_header,
    read_image_file,
)

LAYOUT = SlotLayout(slot_octets=0x20000, count=4)
IMAGE = b"123456789"


def with_sum(octets: bytes) -> bytes:
    return octets + crc16(octets).to_bytes(2, "big")


def test_a_header_is_that_of_the_format() -> None:
    header = build_header(IMAGE, ImageKind.RECORDS, 7, 0x1122334455667788)
    by_hand = (
        b"FWS1\x00\x01\x00\x07"
        + bytes.fromhex("1122334455667788")
        + bytes.fromhex("00000009 cbf43926")  # CRC-32's check value.
        + hashlib.sha256(IMAGE).digest()[:6]
    )
    assert header == with_sum(by_hand)
    found = read_header(header, LAYOUT)
    assert found is not None
    assert (found.kind, found.sequence, found.length) == (1, 7, 9)
    assert found.crc32 == zlib.crc32(IMAGE)


def test_records_are_those_of_the_format() -> None:
    image = build_records({4: 0x99}, [(1, 0x10, b"abcd")])
    assert image == bytes.fromhex("01 00 0004 00000099  02 01 0000 00000010 00000004 61626364")


@pytest.mark.parametrize("octets", [b"\xff" * 32, bytes(32), b"FWS2" + bytes(28)])
def test_what_is_no_header_is_none(octets: bytes) -> None:
    assert read_header(octets, LAYOUT) is None


@pytest.mark.parametrize("place", range(4, 32))
def test_every_damaged_octet_of_a_header_is_noticed(place: int) -> None:
    header = bytearray(build_header(IMAGE, ImageKind.RECORDS, 7, 5))
    header[place] ^= 0x10
    with pytest.raises(SlotHeaderError, match="CRC-16"):
        read_header(bytes(header), LAYOUT)


@pytest.mark.parametrize("length", [0, 0x20000, 0xFFFFFFFF])
def test_an_image_that_does_not_fit_is_a_damaged_header(length: int) -> None:
    header = bytearray(build_header(IMAGE, ImageKind.RECORDS, 7, 5))
    header[16:20] = length.to_bytes(4, "big")
    with pytest.raises(SlotHeaderError, match="does not fit"):
        read_header(with_sum(bytes(header[:-2])), LAYOUT)


def test_a_slot_begins_with_its_image_and_ends_with_its_header() -> None:
    assert [LAYOUT.image_at(slot) for slot in range(2)] == [0, 0x20000]
    assert [LAYOUT.header_at(slot) for slot in range(2)] == [0x1F000, 0x3F000]
    assert LAYOUT.room == 0x1F000


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda octets: b"text", "does not begin with FWS1"),
        (lambda octets: octets[:40], "header of the image is damaged"),
        (lambda octets: octets[:9] + b"\1" + octets[10:], "header of the image is damaged"),
        (lambda octets: octets[:-1], "the image has 8 octets; its header says 9"),
        (lambda octets: octets + b"0", "the image has 10 octets; its header says 9"),
        (lambda octets: octets[:-1] + b"0", "SHA-256"),
    ],
)
def test_a_file_that_is_no_image_says_why(damage: Callable[[bytes], bytes], message: str) -> None:
    image = Image(octets=IMAGE, kind=ImageKind.RECORDS, identity=5)
    octets = build_image_file(image)
    assert read_image_file(octets) == image
    with pytest.raises(ImageFileError, match=message):
        read_image_file(damage(octets))
