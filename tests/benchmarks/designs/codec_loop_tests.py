# SPDX-License-Identifier: Apache-2.0
"""The least that says the codec is alive: one flip of each bit is corrected."""

import cocotb
from cocotb.triggers import Timer


@cocotb.test()
async def every_single_flip_is_corrected(dut):
    dut.data_i.value = 5
    for bit in range(len(dut.flips_i)):
        dut.flips_i.value = 1 << bit
        await Timer(1, unit="ns")
        assert dut.data_o.value.to_unsigned() == 5, f"flip of bit {bit} reaches the data"
        assert dut.corrected_o.value == 1, f"flip of bit {bit} is not reported"
