# SPDX-License-Identifier: Apache-2.0
"""Boot slots against the reference of the loader: the best one that can be booted is.

Configuration and top as of `link_payload`.
"""

import random

import cocotb

from fw_tools.pus.slots import ImageKind, build_records
from hdl.tb.link_driver import CONTROL, reset
from hdl.tb.link_payload import (
    CONFIG,
    FLASH,
    SLOTS,
    STRUCTURE,
    LinkBench,
    area,
    open_golden,
    some_words,
)
from hdl.tb.link_slots import boots_as_the_reference, put_slot

MID_LOADS, LOAD_S = 6, 0.006  # A boot with such an image takes less.


@cocotb.test(timeout_time=200, timeout_unit="ms")
async def the_best_slot_that_can_be_booted_is(dut):
    """By sequence number; one with a wrong header, image, identity or content is left out."""
    bench = await LinkBench.start(dut)
    if not SLOTS.slot_octets:
        return
    flash = bench.expected.machine.memory(FLASH["id"])
    words = [(memory["id"], 2 * memory["word_octets"], memory) for memory in CONFIG["memories"]]
    data = [(number, at, some_words(memory, 3)) for number, at, memory in words]
    update = build_records({CONTROL: 0x99}, data)
    golden = build_records({}, [(number, 0, some_words(memory, 1)) for number, _, memory in words])
    bits = random.randbytes(70)
    read_only = build_records({CONTROL: 0x99, 0: 1}, [])
    past_end = build_records({}, [(number, m["octets"], b"\0" * at) for number, at, m in words])
    truncated = update[:-1]
    put_slot(flash, 0, golden, ImageKind.RECORDS, 1)
    for number, slots in enumerate(
        (
            {1: (update, ImageKind.RECORDS, 5), 2: (update, ImageKind.RECORDS, 4)},
            {3: (update, ImageKind.RECORDS, 5), 2: (golden, ImageKind.RECORDS, 5)},
            {4: (read_only, ImageKind.RECORDS, 9), 5: (past_end, ImageKind.RECORDS, 8)},
            {6: (truncated, ImageKind.RECORDS, 7), 7: (golden + bytes(9), ImageKind.RECORDS, 6)},
            {1: (bits, ImageKind.BITSTREAM, 1), 7: (update, 3, 2)},
            {1: (update, ImageKind.RECORDS, 8, 1), 2: (update, ImageKind.RECORDS, 7, 1 << 31)},
            {
                1: (update, ImageKind.RECORDS, 8, 0, 1),
                2: (bits, ImageKind.BITSTREAM, 7, 0, 1 << 63),
            },
            {2: (update, ImageKind.RECORDS, 2), 3: (update, ImageKind.BITSTREAM, 0xFFFF)},
        )
    ):
        for slot in range(1, SLOTS.count):
            put_slot(flash, slot, *slots.get(slot, (b"", ImageKind.RECORDS, 0)))
        if number == 1:
            flash.content[SLOTS.image_at(3) + 5] ^= 1
        if number == 7:
            flash.content[SLOTS.header_at(2) + 30] ^= 1
            open_golden(bench, is_open=True)
        await boots_as_the_reference(bench, flash)
    open_golden(bench, is_open=False)
    put_slot(flash, 0, b"", ImageKind.RECORDS, 1)
    await boots_as_the_reference(bench, flash)
    put_slot(flash, 2, b"", ImageKind.RECORDS, 1)
    put_slot(flash, 3, b"", ImageKind.RECORDS, 1)
    await boots_as_the_reference(bench, flash)


@cocotb.test(timeout_time=200, timeout_unit="ms")
async def an_image_with_an_octet_too_many_is_refused(dut):
    """The last sector of a slot is its header's: nothing longer than the rest is summed at all."""
    bench = await LinkBench.start(dut)
    if not SLOTS.slot_octets:
        return
    flash = bench.expected.machine.memory(FLASH["id"])
    for octets in (SLOTS.room + 1, SLOTS.slot_octets - 1, SLOTS.slot_octets):
        put_slot(flash, 1, bytes(octets), ImageKind.RECORDS, 1)
        await boots_as_the_reference(bench, flash)
        assert bench.events("slot_refused")[-1] == 0b10 << 16 | 2


@cocotb.test(timeout_time=400, timeout_unit="ms")
async def a_reset_in_mid_load_is_followed_by_a_whole_one(dut):
    """Wherever it comes; what the load has changed so far does not matter."""
    bench = await LinkBench.start(dut)
    if not SLOTS.slot_octets:
        return
    flash = bench.expected.machine.memory(FLASH["id"])
    data = [(memory["id"], 0, some_words(memory, 5)) for memory in CONFIG["memories"]]
    put_slot(flash, 1, build_records({CONTROL: 0x99}, data), ImageKind.RECORDS, 1)
    await boots_as_the_reference(bench, flash)
    for _ in range(MID_LOADS):
        await bench.exchange(bench.ground.command(8, 1, b"\0\5"))
        await bench.seconds(random.random() * LOAD_S)
        await reset(dut)
        bench.ground.most_dropped += 1  # What was being told then.
        await bench.seconds(0.02)
        await bench.ground.settle()
        await bench.ask(3, 6, b"\1" + STRUCTURE)
        assert await bench.parameter("control") == 0x99
        for memory_id, at, words in data:
            dumped = await bench.ask(6, 5, area(memory_id, at, len(words)))
            assert dumped[1].packet.data[8:-2] == words
