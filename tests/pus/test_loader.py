# SPDX-License-Identifier: Apache-2.0
"""Which slot the reference boots, and what that changes; worked out by hand."""

import pytest

from fw_tools.pus.loader import BootReport, Loader
from fw_tools.pus.memories import FlashMemory, PlainMemory
from fw_tools.pus.packets import with_crc
from fw_tools.pus.parameters import PlainRegister, PlainRegisters
from fw_tools.pus.slots import ImageKind, SlotLayout, build_header, build_records

LAYOUT = SlotLayout(slot_octets=0x10000, count=4)
GATEWARE, BUILD = 0xAAAA, 0xBBBB
RECORDS, BITSTREAM = ImageKind.RECORDS, ImageKind.BITSTREAM


class Payload:
    def __init__(self) -> None:
        self.flash = FlashMemory(0x40000)
        self.memory = PlainMemory(64, 4)
        self.register = PlainRegister("rw", is_refused=lambda value: value > 9)
        registers = {1: self.register, 2: PlainRegister("r")}
        self.loader = Loader(
            layout=LAYOUT,
            flash=self.flash,
            registers=PlainRegisters(registers),
            memories={1: self.memory, 0xF0: self.flash},
            identities={RECORDS: GATEWARE, BITSTREAM: BUILD},
        )

    def put(self, slot: int, sequence: int, image: bytes, kind: ImageKind = RECORDS) -> None:
        identity = GATEWARE if kind is RECORDS else BUILD
        header = build_header(image, kind, sequence, identity)
        for at, octets in ((LAYOUT.image_at(slot), image), (LAYOUT.header_at(slot), header)):
            self.flash.content[at : at + len(octets)] = octets

    def boot(self, *, golden: bool = False) -> tuple[int | None, int | None]:
        """Return the slot that was booted, and the data of the refusal."""
        report: BootReport = self.loader.boot(is_golden_wanted=golden)
        return None if report.booted is None else report.booted >> 16, report.refused


def value(number: int) -> bytes:
    return build_records({1: number}, [])


@pytest.fixture
def payload() -> Payload:
    return Payload()


def test_nothing_is_booted_from_an_empty_flash(payload: Payload) -> None:
    assert payload.boot() == (None, None)


def test_the_highest_number_goes_first_and_the_later_slot_of_two(payload: Payload) -> None:
    for slot, sequence in ((0, 99), (1, 5), (2, 6), (3, 6)):
        payload.put(slot, sequence, value(slot))
    assert payload.boot() == (3, None)
    assert payload.register.value == 3
    assert payload.boot(golden=True) == (0, None)
    assert payload.register.value == 0


def test_the_digest_stands_beside_the_slot(payload: Payload) -> None:
    payload.put(1, 1, b"abc", BITSTREAM)  # SHA-256 of FIPS 180-4's example: ba7816bf...
    assert payload.loader.boot(is_golden_wanted=False) == BootReport(0x1BA78, None)


def test_what_is_wrong_is_left_out_with_its_reason(payload: Payload) -> None:
    payload.put(0, 1, value(7))
    payload.put(1, 4, value(1))
    payload.flash.content[LAYOUT.header_at(1) + 20] ^= 1
    assert payload.boot() == (0, 0b0010 << 16 | 2)
    payload.put(1, 4, value(1))
    payload.flash.content[LAYOUT.image_at(1)] ^= 1
    assert payload.boot() == (0, 0b0010 << 16 | 3)
    payload.put(2, 9, value(2), BITSTREAM)
    header = bytearray(payload.flash.content[LAYOUT.header_at(2) :][:30])
    header[8] ^= 1
    payload.flash.content[LAYOUT.header_at(2) : LAYOUT.header_at(2) + 32] = with_crc(bytes(header))
    assert payload.boot() == (0, 0b0110 << 16 | 3)
    assert payload.register.value == 7


@pytest.mark.parametrize(
    "image",
    [
        build_records({2: 1}, []),  # Read only.
        build_records({3: 1}, []),  # Not there.
        build_records({1: 10}, []),  # Refused.
        build_records({}, [(2, 0, b"1234")]),  # No such memory.
        build_records({}, [(1, 2, b"1234")]),  # Not aligned.
        build_records({}, [(1, 64, b"1234")]),  # Past the end.
        build_records({}, [(1, 0, b"")]),  # Nothing.
        build_records({}, [(0xF0, 0x30000, b"1234")]),  # The flash itself.
        build_records({1: 1}, [])[:-1],
        build_records({}, [(1, 0, b"1234")])[:-1],
        bytes(8),
    ],
)
def test_an_image_that_cannot_be_carried_out_is_left_out(payload: Payload, image: bytes) -> None:
    payload.put(3, 1, image)
    assert payload.boot() == (None, 0b1000 << 16 | 5)
    assert bytes(payload.memory.content) == bytes(64)


def test_memories_are_written_where_the_records_say(payload: Payload) -> None:
    payload.put(1, 1, build_records({1: 5}, [(1, 8, b"abcdefgh"), (1, 60, b"last")]))
    assert payload.boot() == (1, None)
    expected = bytes(8) + b"abcdefgh" + bytes(44) + b"last"
    assert bytes(payload.memory.content) == expected


def test_an_image_as_long_as_its_slot_boots_and_one_octet_more_is_refused(payload: Payload) -> None:
    """61,440 octets: 64 KiB without the sector of the header."""
    full = value(5) * 7680
    payload.put(1, 1, full)
    assert payload.boot() == (1, None)
    payload.put(1, 1, full + b"\0")
    assert payload.boot() == (None, 0b0010 << 16 | 2)
