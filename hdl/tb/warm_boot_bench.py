# SPDX-License-Identifier: Apache-2.0
"""Boot slots with the bitstream of another gateware, against the reference of the loader.

Configuration and top as of `link_payload`, whose payload has slots. The FPGA is the bench: it sees
what is asked for, and loads it or does not.
"""

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from fw_tools.pus.slots import ImageKind, build_records
from hdl.tb.link_driver import reset
from hdl.tb.link_payload import FLASH, SLOTS, LinkBench
from hdl.tb.link_slots import boots_as_the_reference, put_slot

LOADABLE = frozenset({1, 3})
OTHER = 0x1234  # What differs between the identity of a bitstream and that of what runs.
ATTEMPTS = 3
RUNNING_VALUE, GOLDEN_VALUE = 0x99, 0x96  # Of the register control.


class Fpga:
    """What configures the payload."""

    def __init__(self, bench: LinkBench) -> None:
        self.dut = bench.dut
        self.asked: list[int] = []
        self.is_loading = False  # Loads what it is asked for: everything begins anew.
        bench.loadable = LOADABLE
        self.dut.warm_boot_slots_i.value = sum(1 << slot for slot in LOADABLE)
        cocotb.start_soon(self._watch())
        cocotb.start_soon(self._slot_stands())

    async def _watch(self) -> None:
        while True:
            await RisingEdge(self.dut.warm_boot_o)
            self.asked.append(int(self.dut.warm_boot_slot_o.value))
            assert self.dut.flash_cs_no.value == 1, "asked in mid command of the flash"
            if self.is_loading:
                await reset(self.dut)

    async def _slot_stands(self) -> None:
        """The slot is there a clock before it is asked for, and stays."""
        before = 0
        while True:
            await FallingEdge(self.dut.clk_i)
            slot = int(self.dut.warm_boot_slot_o.value)
            assert not self.dut.warm_boot_o.value or slot == before
            before = slot


async def start(dut: Any) -> tuple[LinkBench, Fpga, Any]:
    """Return a bench, its FPGA, and a flash with a golden image of registers."""
    bench = await LinkBench.start(dut)
    flash = bench.expected.machine.memory(FLASH["id"])
    put_slot(flash, 0, build_records({4: GOLDEN_VALUE}, []), ImageKind.RECORDS, 1)
    return bench, Fpga(bench), flash


def bitstream() -> bytes:
    """Return what stands for a bitstream; the loader takes any."""
    return random.randbytes(70)


@cocotb.test(timeout_time=400, timeout_unit="ms")
async def a_bitstream_that_does_not_come_is_asked_for_three_times(dut):
    """It is told as refused each time, and the next best slot boots."""
    bench, fpga, flash = await start(dut)
    put_slot(flash, 3, bitstream(), ImageKind.BITSTREAM, 9, 0, OTHER)
    put_slot(flash, 2, build_records({4: RUNNING_VALUE}, []), ImageKind.RECORDS, 8)
    for boots in range(ATTEMPTS + 1):
        asked = await boots_as_the_reference(bench, flash)
        assert asked == ([3] if boots < ATTEMPTS else [])
        assert fpga.asked == [3] * min(boots + 1, ATTEMPTS)
        assert bench.events("slot_refused")[-1] == 1 << 3 + 16 | 6
        assert bench.events("slot_booted")[-1] >> 16 == 2


@cocotb.test(timeout_time=400, timeout_unit="ms")
async def a_bitstream_that_was_loaded_begins_anew_and_is_no_endless_loop(dut):
    """What comes up is another one than its header says, each time: three times, and no more."""
    bench, fpga, flash = await start(dut)
    assert bench.flash is not None
    put_slot(flash, 1, bitstream(), ImageKind.BITSTREAM, 9, 0, OTHER)
    bench.flash.content[:] = flash.content
    fpga.is_loading = True
    await reset(dut)
    await bench.seconds(0.15)
    await bench.ground.settle()
    assert fpga.asked == [1] * ATTEMPTS
    assert bench.events("slot_refused") == [1 << 1 + 16 | 6]
    assert [data >> 16 for data in bench.events("slot_booted")] == [0]
    assert await bench.parameter("control") == GOLDEN_VALUE


@cocotb.test(timeout_time=400, timeout_unit="ms")
async def one_that_has_run_is_asked_for_as_often_as_it_takes(dut):
    """The bitstream that runs notes that it does; another gateware then loads it without end."""
    bench, fpga, flash = await start(dut)
    put_slot(flash, 1, bitstream(), ImageKind.BITSTREAM, 9)
    assert await boots_as_the_reference(bench, flash) == []
    assert fpga.asked == []
    assert flash.content[SLOTS.marks_at(1) + 1] == 0
    put_slot(flash, 1, bitstream(), ImageKind.BITSTREAM, 9, 0, OTHER)
    for boots in range(1, ATTEMPTS + 2):
        assert await boots_as_the_reference(bench, flash) == [1]
        assert fpga.asked == [1] * boots


@cocotb.test(timeout_time=400, timeout_unit="ms")
async def what_cannot_be_loaded_is_not_asked_for(dut):
    """A slot that the FPGA does not reach, and a damaged bitstream."""
    bench, fpga, flash = await start(dut)
    put_slot(flash, 2, bitstream(), ImageKind.BITSTREAM, 9, 0, OTHER)
    put_slot(flash, 3, bitstream(), ImageKind.BITSTREAM, 8, 1, OTHER)
    assert await boots_as_the_reference(bench, flash) == []
    assert bench.events("slot_refused")[-1] == 0b1100 << 16 | 3
    assert fpga.asked == []
