# SPDX-License-Identifier: Apache-2.0
"""The time since reset advances exactly: no clock is ever lost or gained.

Top: `cuc_time`, parameter ClockHz. The expected time is floor(clocks * 65536 / ClockHz) units.
"""

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer

CLOCK_NS = 10
UNITS_PER_SECOND = 65536  # CCSDS 301.0-B 3.2: two octets of fraction.


async def start(dut: Any) -> None:
    """Start the clock and leave reset after a falling edge: time is then 0."""
    cocotb.start_soon(Clock(dut.clk_i, CLOCK_NS, unit="ns").start())
    dut.rst_ni.value = 0
    dut.set_i.value = 0
    dut.coarse_i.value = 0
    dut.fine_i.value = 0
    await Timer(2 * CLOCK_NS, "ns")
    await FallingEdge(dut.clk_i)
    dut.rst_ni.value = 1


def time_units(dut: Any) -> int:
    """Return seconds and fraction as one number of 2^-16 s."""
    return int(dut.coarse_o.value) * UNITS_PER_SECOND + int(dut.fine_o.value)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def every_unit_comes_in_its_clock(dut):
    await start(dut)
    clock_hz = int(dut.ClockHz.value)
    for clocks in range(1, 2000):
        await FallingEdge(dut.clk_i)
        assert time_units(dut) == clocks * UNITS_PER_SECOND // clock_hz, f"after {clocks} clocks"


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def time_is_exact_after_seconds(dut):
    await start(dut)
    clock_hz = int(dut.ClockHz.value)
    clocks = 0
    while clocks < 2.2 * clock_hz:
        step = random.randrange(1, clock_hz // 4)
        await Timer(step * CLOCK_NS, "ns")
        clocks += step
        assert time_units(dut) == clocks * UNITS_PER_SECOND // clock_hz, f"after {clocks} clocks"


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def time_wraps_after_its_last_unit(dut):
    await start(dut)
    dut.time_q.value = (1 << 48) - 1
    while time_units(dut):
        await FallingEdge(dut.clk_i)
    assert int(dut.coarse_o.value) == 0
