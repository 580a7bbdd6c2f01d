# SPDX-License-Identifier: Apache-2.0
"""A plain cocotb bench of the FIFO: any stall pattern on either side, the order is kept."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

WORDS = 200


async def start(dut):
    Clock(dut.clk_i, 10, unit="ns").start()
    dut.rst_ni.value = 0
    dut.in_valid_i.value = 0
    dut.out_ready_i.value = 0
    await FallingEdge(dut.clk_i)
    await FallingEdge(dut.clk_i)
    dut.rst_ni.value = 1


async def send(dut, words, stall):
    for word in words:
        while random.random() < stall:
            dut.in_valid_i.value = 0
            await FallingEdge(dut.clk_i)
        dut.in_valid_i.value = 1
        dut.in_data_i.value = word
        while not dut.in_ready_o.value:
            await FallingEdge(dut.clk_i)
        await FallingEdge(dut.clk_i)
    dut.in_valid_i.value = 0


async def receive(dut, count, stall):
    words = []
    while len(words) < count:
        is_ready = random.random() >= stall
        dut.out_ready_i.value = is_ready
        if is_ready and dut.out_valid_o.value:
            words.append(int(dut.out_data_o.value))
        await FallingEdge(dut.clk_i)
    return words


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(in_stall=[0.0, 0.5], out_stall=[0.0, 0.5])
async def words_arrive_in_order(dut, in_stall, out_stall):
    await start(dut)
    words = [random.getrandbits(len(dut.in_data_i)) for _ in range(WORDS)]
    cocotb.start_soon(send(dut, words, in_stall))
    assert await receive(dut, WORDS, out_stall) == words


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_full_buffer_takes_no_more(dut):
    await start(dut)
    dut.in_valid_i.value = 1
    taken = 0
    while dut.in_ready_o.value:
        await FallingEdge(dut.clk_i)
        taken += 1
    assert taken == len(dut.memory), f"took {taken} words"
