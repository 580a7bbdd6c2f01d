# SPDX-License-Identifier: Apache-2.0
"""A payload's memories and its flash over the line, against a reference machine.

Configuration and top as of `link_payload`.
"""

import random

import cocotb

from fw_tools.pus.frames import encode_frame
from fw_tools.pus.identifiers import Ack
from hdl.tb.link_payload import (
    ALL_ACKS,
    CONFIG,
    FLASH,
    PING_CLOCKS,
    SECOND_CLOCKS,
    SHORT_SECOND,
    SLOTS,
    LinkBench,
    area,
    load,
    long_area,
    open_golden,
    ping_clocks,
)


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def memories_are_written_read_and_summed(dut):
    """The longest areas, next to a user who takes every clock; an uncorrectable word is told."""
    bench = await LinkBench.start(dut)
    for memory in CONFIG["memories"]:
        name, word = memory["name"], memory["word_octets"]
        longest = 1024 if memory is CONFIG["memories"][0] else 128
        length = min(longest, memory["octets"]) // word * word
        start = memory["octets"] - length
        for user_requests in (0, 1):
            getattr(dut, f"{name}_request_i").value = user_requests
            words = [random.getrandbits(memory["data_bits"]) for _ in range(length // word)]
            data = b"".join(each.to_bytes(word, "big") for each in words)
            await bench.ask(6, 2, load(memory["id"], start, data), ack=ALL_ACKS)
            dumped = await bench.ask(6, 5, area(memory["id"], start, length))
            assert dumped[1].packet.data[8:-2] == data
            await bench.ask(6, 9, area(memory["id"], start, length))
        await bench.ask(6, 129, long_area(memory["id"], 0, 16 * word))
        getattr(dut, f"{name}_request_i").value = 0
        getattr(dut, f"{name}_inject_mask_i").value = 3
        getattr(dut, f"{name}_inject_valid_i").value = 1
        getattr(dut, f"{name}_write_i").value = 1
        getattr(dut, f"{name}_address_i").value = start // word + 1
        getattr(dut, f"{name}_request_i").value = 1
        await bench.seconds(50 / SECOND_CLOCKS)
        for port in ("request", "write", "inject_valid", "address"):
            getattr(dut, f"{name}_{port}_i").value = 0
        bench.expected.machine.memory(memory["id"]).broken_words.add(start + word)
        await bench.ask(6, 5, area(memory["id"], start, 3 * word))
        await bench.ask(6, 2, load(memory["id"], start, data[: 2 * word]))
        await bench.ask(6, 5, area(memory["id"], start, 3 * word))


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def a_frame_that_ends_with_a_full_block_is_whole(dut):
    """254 octets without a zero up to the end of the packet: no octet follows them (COBS)."""
    bench = await LinkBench.start(dut)
    for memory in CONFIG["memories"]:
        for after_zero in (249, 250, 251, 250, 250):  # And two sums of two octets each.
            data = bytes(random.randrange(1, 256) for _ in range(256))
            data = data[: 255 - after_zero] + b"\0" + data[256 - after_zero :]
            await bench.ask(6, 2, load(memory["id"], 0, data))
            dumped = await bench.ask(6, 5, area(memory["id"], 0, len(data)))
            assert dumped[1].packet.data[8:-2] == data


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def the_flash_is_erased_programmed_and_read(dut):
    """Across pages, sectors and blocks; one that does not answer is told and not waited for."""
    bench = await LinkBench.start(dut)
    if not bench.flash:
        return
    number = FLASH["id"]
    open_golden(bench, is_open=True)
    data = random.randbytes(300)
    for address, chunk in ((0x10FF0, data), (0x2FFF8, data[:20]), (0x20, b"\0"), (0x20, data[:9])):
        await bench.ask(6, 2, load(number, address, chunk))
        assert await dumped(bench, address, len(chunk)) == chunk or address == 0x20
    for address, length in ((0x11000, 0x1000), (0xF000, 0x12000), (0, 0x1000)):
        await bench.ask(6, 128, long_area(number, address, length))
        expected = bytes(bench.expected.machine.memory(number).content)
        assert bytes(bench.flash.content) == expected, hex(address)
    await bench.ask(6, 129, long_area(number, 0x2FFF0, 0x20))
    open_golden(bench, is_open=False)
    if SLOTS.slot_octets:
        for address in (0, SLOTS.slot_octets - 0x1000, SLOTS.slot_octets):
            await bench.ask(6, 2, load(number, address, data))
            await bench.ask(6, 128, long_area(number, address, 0x1000))
        assert bytes(bench.flash.content) == bytes(bench.expected.machine.memory(number).content)
    bench.flash.busy_polls = 1 << 31
    packet = bench.ground.command(6, 9, area(number, 0x23456, 16))
    await bench.ground.source.send(encode_frame(packet))
    await bench.seconds(2.6 * SHORT_SECOND)
    await bench.ground.settle()
    failed = [each for each in bench.ground.answers if each.kind == (1, 8)]
    assert failed[-1].packet.data[4:] == bytes.fromhex("0027 00023456")
    bench.flash.die()
    packet = bench.ground.command(6, 9, area(number, 0x123456, 16))
    await bench.ground.source.send(encode_frame(packet))
    await bench.ground.settle()
    failed = [each for each in bench.ground.answers if each.kind == (1, 8)]
    assert failed[-1].packet.data[4:] == bytes.fromhex("0027 00123456")
    await bench.exchange(bench.ground.command(8, 1, b"\0\5"))
    await bench.seconds(0.05)
    assert await ping_clocks(bench, Ack.NONE) < PING_CLOCKS, (
        "it waits for a flash that is not there"
    )


async def dumped(bench: LinkBench, address: int, length: int) -> bytes:
    """Return what TC[6,5] tells of the flash."""
    answers = await bench.ask(6, 5, area(FLASH["id"], address, length))
    return answers[1].packet.data[8:-2]
