# SPDX-License-Identifier: Apache-2.0
"""Upsets of the engine behind the serial line, which change no answer.

Configuration and top as of `link_payload`.
"""

import random

import cocotb
from cocotb.triggers import FallingEdge

from fw_tools.pus.frames import encode_frame
from hdl.tb.link_payload import ALL_ACKS, CONFIG, PING, SECOND_CLOCKS, LinkBench

UPSETS = 20
VARIABLES = 557  # Words of the engine before those that survive a reset.
PATROL_CLOCKS = 600_000  # In which the engine reads every word of its own.


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def an_upset_of_the_engine_changes_no_answer(dut):
    """Single flips in its words, its program and a voted replica of its state, while it works."""
    bench = await LinkBench.start(dut)
    link = dut.u_link
    stores = [(link.u_ram.u_array.mem, 22), (dut.u_program.mem, 23)]
    replicas = link.u_core.u_upsets if CONFIG["is_voted"] else None
    overwritten = 0  # At most: a variable that is written before it is read heals unseen.
    for _ in range(UPSETS):
        cocotb.start_soon(bench.ground.source.send(encode_frame(b"")))  # Keeps it busy a little.
        await bench.seconds(random.random() / 1000)
        if random.randrange(3) or replicas is None:
            store, width = random.choice(stores)
            number = random.randrange(len(store))
            overwritten += store is stores[0][0] and number < VARIABLES
            word = store[number]
            word.value = int(word.value) ^ 1 << random.randrange(width)
        else:
            replicas.mask.value = 1 << random.randrange(len(replicas.mask))
            replicas.flip.value = 0
            await FallingEdge(dut.clk_i)
            replicas.flip.value = 1 << random.randrange(3)
        await bench.ask(*PING, ack=ALL_ACKS)
    await bench.seconds(PATROL_CLOCKS / SECOND_CLOCKS)
    corrected = await bench.parameter("link.corrected_count")
    assert UPSETS - overwritten <= corrected <= UPSETS, "all are put right once, and counted"
    assert await bench.parameter("link.uncorrectable_count") == 0
