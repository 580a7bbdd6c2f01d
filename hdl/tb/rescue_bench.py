# SPDX-License-Identifier: Apache-2.0
"""Slots loaded by LiteX's serial flash loader, against a reference; a rescue that breaks off.

Configuration and top as of `link_payload`, whose payload has a rescue.
"""

import random
from typing import Any

import cocotb
from cocotb.triggers import Timer

from fw_tools.pus.frames import encode_frame
from fw_tools.pus.identifiers import Ack
from fw_tools.pus.loader import Loader
from fw_tools.pus.parameters import PlainRegister, PlainRegisters
from fw_tools.pus.rescue import (
    ACKNOWLEDGE,
    HEAD_OCTETS,
    LONGEST_DATA,
    Command,
    Reply,
    Rescue,
    build_frame,
)
from fw_tools.pus.slots import Image, ImageKind, build_image_file, build_records
from hdl.tb.link_payload import (
    CLOCK_PS,
    CONFIG,
    FLASH,
    LINK,
    OFFER_S,
    PING,
    SHORT_SECOND,
    SLOTS,
    LinkBench,
    open_golden,
    set_word,
    some_words,
)
from hdl.tb.link_slots import put_slot

GOLDEN_VALUE, RESCUED_VALUE = 0x96, 0x99  # Of the register control.
LOOK_S = 0.001  # A reply is looked for that often.
MOST_LOOKS = 40  # For the end of a boot, which reads the image.
RESCUE_S = 10.1 * SHORT_SECOND
SECTORS = 2  # Of the image, and a bit of a third.


class RescueBench:
    """A payload whose boot select pin is high, and the reference of its rescue."""

    def __init__(self, bench: LinkBench) -> None:
        self.bench = bench
        self.flash = bench.expected.machine.memory(FLASH["id"])
        self.register = PlainRegister("rw", 0x69, is_refused=lambda value: bool(value & ~0xFF))
        machine = bench.expected.machine
        self.loader = Loader(
            layout=SLOTS,
            flash=self.flash,
            registers=PlainRegisters({4: self.register}),
            memories={each["id"]: machine.memory(each["id"]) for each in CONFIG["memories"]},
            identities={ImageKind.RECORDS: int(LINK["rtl_digest"], 16), ImageKind.BITSTREAM: 0},
        )
        self.rescue = Rescue(self.loader)
        self.boots = 0  # From a slot.

    @classmethod
    async def start(cls, dut: Any) -> "RescueBench":
        """Return a payload that has just offered its line; its golden slot can be booted."""
        self = cls(await LinkBench.start(dut))
        golden = build_records({4: GOLDEN_VALUE}, [])
        put_slot(self.flash, 0, golden, ImageKind.RECORDS, 3)
        put_slot(self.flash, 2, golden, ImageKind.RECORDS, 8)
        assert self.bench.flash is not None
        self.bench.flash.content[:] = self.flash.content
        await self.offered()
        return self

    async def offered(self) -> None:
        """Restart the payload with the pin high, and wait until it asks for a rescue."""
        open_golden(self.bench, is_open=True)
        before = self.bench.ground.requests
        await self.bench.exchange(self.bench.ground.command(8, 1, b"\0\5"))
        while self.bench.ground.requests == before:
            await self.bench.seconds(0.001)

    async def answered(self) -> None:
        """Take the offer."""
        await self.bench.ground.source.send(b"zz6")  # Not yet.
        await self.bench.ground.source.send(ACKNOWLEDGE)

    async def reply(self, octets: bytes, patience_s: float = 4 * SHORT_SECOND) -> str:
        """Send octets and return the first that comes back, "" for none."""
        sink = self.bench.ground.sink
        assert not sink.octets, "a reply that nothing asked for"
        await self.bench.ground.source.send(octets)
        for _ in range(round(patience_s / LOOK_S)):
            if sink.octets:
                break
            await Timer(round(LOOK_S * CONFIG["clock_hz"]) * CLOCK_PS, "ps")
        came = sink.taken()
        sink.octets[:0] = came[1:]
        return "".join(chr(octet) for octet, _ in came[:1])

    async def frame(self, command: int, payload: bytes) -> str:
        """Send a frame and return the reply, which is the reference's."""
        frame = build_frame(command, payload)
        reply = await self.reply(frame)
        assert reply == self.rescue.take(frame), (command, payload[:8].hex())
        return reply

    async def load(self, address: int, data: bytes) -> str:
        """Load data to an address."""
        return await self.frame(Command.LOAD, address.to_bytes(4, "big") + data)

    async def jump(self, address: int) -> str:
        """Jump."""
        return await self.frame(Command.JUMP, address.to_bytes(4, "big"))

    def has_the_content_of_the_reference(self) -> bool:
        """Compare the flash."""
        assert self.bench.flash is not None
        return bytes(self.bench.flash.content) == bytes(self.flash.content)

    async def has_booted(self, rescued: int = 0) -> None:
        """Check what has been booted."""
        report = self.loader.boot(is_golden_wanted=True, rescued=rescued)
        self.boots += 1
        for _ in range(MOST_LOOKS):
            await self.bench.seconds(0.05)
            if len(self.bench.events("slot_booted")) == self.boots:
                break
        await self.bench.ground.settle()
        assert self.bench.events("slot_booted")[self.boots - 1 :] == [report.booted]
        await self.bench.ask(3, 6, b"\1" + LINK["structure_id"].to_bytes(2, "big"))
        assert await self.bench.parameter("control") == self.register.value
        assert await self.bench.parameter("link.booted_slot") == (report.booted or 0) >> 16


def image_file() -> bytes:
    """Return the file of an image that covers some sectors."""
    memory = CONFIG["memories"][0]
    words = SECTORS * 0x1000 // memory["word_octets"]
    pieces = [(memory["id"], 0, some_words(memory, words // 4)) for _ in range(4)]
    octets = build_records({4: RESCUED_VALUE}, pieces)
    identity = int(LINK["rtl_digest"], 16)
    return build_image_file(Image(octets=octets, kind=ImageKind.RECORDS, identity=identity))


@cocotb.test(timeout_time=400, timeout_unit="ms")
async def a_slot_is_loaded_frame_by_frame_and_booted(dut):
    """In frames of any length, some damaged, repeated, or for nowhere; its header comes last."""
    bench = await RescueBench.start(dut)
    await bench.answered()
    start, file = SLOTS.image_at(1), image_file()
    past = SLOTS.count * SLOTS.slot_octets
    assert await bench.jump(start) == Reply.ERROR, "nothing was loaded"
    assert await bench.load(start, bytes(64)) == Reply.ERROR, "no image begins with zeros"
    assert await bench.load(start + 64, file[64:128]) == Reply.ERROR, "nothing was begun"
    for address in (past, 0x4000_0000, 0xFFFF_FFF0):
        assert await bench.load(address, file[:64]) == Reply.ERROR, "behind the flash"
    assert await bench.load(start, b"") == Reply.ERROR
    assert await bench.frame(3, file[:20]) == Reply.UNKNOWN
    place = 0
    while place < len(file):
        length = random.choice([LONGEST_DATA, LONGEST_DATA, LONGEST_DATA, 60, 1 if place else 4])
        data = file[place : place + length]
        if random.randrange(8) == 0:
            await damaged(bench, start + place, data)
        assert await bench.load(start + place, data) == Reply.SUCCESS
        place += len(data)
        if random.randrange(8) == 0 and length < place < len(file):
            assert await bench.load(start + place - len(data), data) == Reply.SUCCESS
            assert await bench.load(start + place + 1, data) == Reply.ERROR
            assert await bench.jump(start) == Reply.ERROR
            assert await bench.jump(start + 0x10000) == Reply.ERROR
    assert bench.has_the_content_of_the_reference()
    open_golden(bench.bench, is_open=False)
    for address in (0, 1, 2):
        assert await bench.load(address, file[:64]) == Reply.ERROR, "the golden slot is closed"
    assert await bench.jump(start) == Reply.SUCCESS
    assert bench.has_the_content_of_the_reference()
    await bench.has_booted(bench.rescue.booted_slot)


async def damaged(bench: RescueBench, address: int, data: bytes) -> None:
    """Send a frame in which one octet is wrong, or one is missing."""
    frame = bytearray(build_frame(Command.LOAD, address.to_bytes(4, "big") + data))
    place = random.randrange(len(frame))
    if random.randrange(2):
        frame[place] ^= 1 << random.randrange(8)
    else:
        del frame[place]
    assert await bench.reply(bytes(frame)) == Reply.CRC_ERROR, frame[:8].hex()


@cocotb.test(timeout_time=400, timeout_unit="ms")
async def an_image_that_is_wrong_gets_no_header(dut):
    """Of another gateware, or with a flipped bit; the golden slot is open with its pin."""
    bench = await RescueBench.start(dut)
    await bench.answered()
    octets = build_records({4: RESCUED_VALUE}, [])
    identity = int(LINK["rtl_digest"], 16)
    for number, (kind, error) in enumerate(((1, 0), (1, 1), (2, 0), (1, 1 << 63)), start=1):
        image = Image(octets=octets, kind=ImageKind(kind), identity=identity ^ error)
        file = bytearray(build_image_file(image))
        file[-1] ^= number == 1
        assert await bench.load(SLOTS.image_at(2), bytes(file)) == Reply.SUCCESS
        assert await bench.jump(SLOTS.image_at(2)) == Reply.ERROR, number
        assert await bench.jump(SLOTS.image_at(2)) == Reply.ERROR, number
    right = Image(octets=octets, kind=ImageKind.RECORDS, identity=identity)
    file = bytearray(build_image_file(right))
    file[9] ^= 1
    assert await bench.load(SLOTS.image_at(2), bytes(file)) == Reply.SUCCESS
    assert await bench.jump(SLOTS.image_at(2)) == Reply.ERROR, "its head is damaged"
    file[9] ^= 1
    assert await bench.load(0, bytes(file)) == Reply.SUCCESS
    assert await bench.jump(0) == Reply.SUCCESS, "the pin is high"
    assert bench.has_the_content_of_the_reference()
    await bench.has_booted()


@cocotb.test(timeout_time=400, timeout_unit="ms")
async def a_slot_takes_no_more_than_fits(dut):
    """Up to the sector of the header, as after half a megabyte of frames before."""
    bench = await RescueBench.start(dut)
    await bench.answered()
    file = image_file()
    start, end = SLOTS.image_at(1), SLOTS.header_at(1) + HEAD_OCTETS
    for next_, length, reply in (
        (end - 9, 10, Reply.ERROR),
        (end - 9, 9, Reply.SUCCESS),
        (end, 1, Reply.ERROR),
        (start + SLOTS.slot_octets, 1, Reply.ERROR),
        (end - 0x10000, 10, Reply.SUCCESS),
    ):
        assert await bench.load(start, file[:60]) == Reply.SUCCESS
        set_word(dut, "rescue_next_high", next_ >> 16)
        set_word(dut, "rescue_next_low", next_ & 0xFFFF)
        frame = build_frame(Command.LOAD, next_.to_bytes(4, "big") + bytes(length))
        assert await bench.reply(frame) == reply, (hex(next_), length)


@cocotb.test(timeout_time=400, timeout_unit="ms")
async def the_line_comes_back_however_a_rescue_ends(dut):
    """Not taken, taken by frames, aborted, cut off, and a flash that dies."""
    bench = await RescueBench.start(dut)
    ping = encode_frame(bench.bench.ground.command(*PING, ack=Ack.NONE))
    await bench.bench.seconds(OFFER_S)
    await bench.has_booted()
    await bench.offered()
    await bench.bench.ground.source.send(ping)  # Its delimiter is no answer.
    await bench.bench.seconds(0.1 * OFFER_S)
    await bench.has_booted()
    await bench.offered()
    await bench.answered()
    assert await bench.frame(Command.ABORT, b"") == Reply.SUCCESS
    await bench.has_booted()
    await bench.offered()
    await bench.answered()
    assert await bench.reply(ping) == Reply.CRC_ERROR, "a frame of the other kind"
    assert bench.bench.flash is not None
    file = image_file()
    assert await bench.load(SLOTS.image_at(1), file[:LONGEST_DATA]) == Reply.SUCCESS
    bench.bench.flash.busy_polls = 10**9
    place = SLOTS.image_at(1) + LONGEST_DATA
    frame = build_frame(Command.LOAD, place.to_bytes(4, "big") + file[LONGEST_DATA:500])
    assert await bench.reply(frame, SHORT_SECOND) == Reply.ERROR, "no later than in a second"
    bench.bench.flash.busy_polls = 0
    await bench.bench.ground.source.send(frame[:100])
    assert await bench.reply(b"", SHORT_SECOND) == Reply.CRC_ERROR
    await bench.bench.seconds(RESCUE_S)
    assert len(await bench.bench.ask(*PING)) == 3
