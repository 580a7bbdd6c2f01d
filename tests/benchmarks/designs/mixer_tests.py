# SPDX-License-Identifier: Apache-2.0
"""The campaign on `mixer` as one writes it with cocotb: clock and deposit from Python."""

import os
import time
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge


@cocotb.test
async def flips(dut) -> None:
    horizon, injections = int(os.environ["HORIZON"]), int(os.environ["INJECTIONS"])
    Clock(dut.clk_i, 10, "ns").start()
    dut.rst_ni.value = 0
    await RisingEdge(dut.clk_i)
    dut.rst_ni.value = 1
    await RisingEdge(dut.clk_i)
    golden = []
    start = dut.state_q.value
    for _ in range(horizon):
        await RisingEdge(dut.clk_i)
        golden.append((dut.accepted_o.value, dut.data_o.value))
    began, differ = time.process_time(), 0
    for bit in range(injections):
        dut.state_q.value = int(start) ^ 1 << bit % 300
        differs = False
        for due in golden:
            await RisingEdge(dut.clk_i)
            differs |= (dut.accepted_o.value, dut.data_o.value) != due
        differ += differs
    spent = time.process_time() - began
    Path(os.environ["FIGURE"]).write_text(str(injections * horizon / spent))
