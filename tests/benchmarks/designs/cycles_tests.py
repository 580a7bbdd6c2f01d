# SPDX-License-Identifier: Apache-2.0
"""Run the same cycles with the clock in HDL and with each cycle awaited in Python."""

import os
import time
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

PERIOD_NS = 10


@cocotb.test()
async def cycles_pass(dut):
    cycles = int(os.environ["CYCLES"])
    start = time.process_time()
    if hasattr(dut, "clk_i"):
        await awaited_cycles(dut, cycles)
        last = dut.cycle_o.value.to_unsigned()
    else:
        await Timer(cycles * PERIOD_NS, unit="ns")
        last = dut.cycle.value.to_unsigned()
    seconds = time.process_time() - start
    assert abs(last - cycles) <= 1, f"{last} cycles passed instead of {cycles}"
    Path(os.environ["CYCLES_PER_SECOND"]).write_text(str(cycles / seconds))


async def awaited_cycles(dut, cycles):
    Clock(dut.clk_i, PERIOD_NS, unit="ns").start()
    for _ in range(cycles):
        await RisingEdge(dut.clk_i)
