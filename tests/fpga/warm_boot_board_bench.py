# SPDX-License-Identifier: Apache-2.0
"""The top of a board with a bitstream in slot 1 of its flash: what its FPGA is asked to load.

The primitive of an iCE40, SB_WARMBOOT, takes up image {S1, S0} at the rising edge of BOOT
(FPGA-TN-02001); an ECP5 configures itself anew when PROGRAMN falls (FPGA-TN-02039). Top: that of
the board.
"""

import os
from types import SimpleNamespace
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, First, RisingEdge, Timer

from fw_tools.pus.slots import ImageKind, SlotLayout, build_header
from hdl.tb.spi_flash import SpiFlash

SLOTS = SlotLayout(slot_octets=0x20000, count=4)
PATIENCE_US = 20_000


def icebreaker(dut: Any) -> tuple[Any, Any, Any]:
    """Return clock, what asks when it rises, and the number of the image then."""
    dut.btn_n.value = 1
    fpga = dut.u_warm_boot.u_fpga
    return dut.clk, RisingEdge(fpga.BOOT), lambda: int(fpga.S1.value) << 1 | int(fpga.S0.value)


def ulx3s(dut: Any) -> tuple[Any, Any, Any]:
    """As of an iCEBreaker; the image is the one that the golden bitstream names as the next."""
    dut.ftdi_ndtr.value = 1
    dut.ftdi_nrts.value = 1
    return dut.clk_25mhz, FallingEdge(dut.user_programn), lambda: 1


async def is_asked(dut: Any, header: bytes) -> int | None:
    """Return the image that is asked for with this header in slot 1; None for none."""
    clock, asked, image = {"icebreaker": icebreaker, "ulx3s": ulx3s}[os.environ["BOARD"]](dut)
    cocotb.start_soon(Clock(clock, 80, unit="ns").start())
    pins = SimpleNamespace(
        flash_sck_o=dut.flash_sck,
        flash_cs_no=dut.flash_csn,
        flash_mosi_o=dut.flash_mosi,
        flash_miso_i=dut.flash_miso,
    )
    flash = SpiFlash(pins, SLOTS.slot_octets * SLOTS.count)
    at = SLOTS.header_at(1)
    flash.content[: SLOTS.slot_octets] = bytes(SLOTS.slot_octets)  # What power-on loads.
    flash.content[SLOTS.image_at(1) : SLOTS.image_at(1) + 9] = b"bitstream"
    flash.content[at : at + len(header)] = header
    over = Timer(PATIENCE_US, unit="us")
    return image() if await First(asked, over) is asked else None


@cocotb.test()
async def another_bitstream_is_asked_for(dut: Any) -> None:
    assert await is_asked(dut, build_header(b"bitstream", ImageKind.BITSTREAM, 1, 0x123)) == 1


@cocotb.test()
async def an_empty_slot_is_not(dut: Any) -> None:
    assert await is_asked(dut, b"") is None
