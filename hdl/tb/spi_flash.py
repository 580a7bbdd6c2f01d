# SPDX-License-Identifier: Apache-2.0
"""An SPI flash of the 25 series as a bench has it: pins in, pins out, no busy time but what is set.

Read 03h, write enable 06h, status 05h, page program 02h, sector erase 20h, block erase D8h.
Programming clears bits and wraps within its page of 256 octets; both need a write enable before.
"""

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, First, RisingEdge

PAGE = 256
SECTOR, BLOCK = 4096, 65536
READ, PROGRAM, STATUS, ENABLE, ERASE_SECTOR, ERASE_BLOCK = 0x03, 0x02, 0x05, 0x06, 0x20, 0xD8
BUSY = 1


class SpiFlash:
    """Answers on the pins of a payload for as long as the simulation runs."""

    def __init__(self, dut: Any, octets: int) -> None:
        self.dut = dut
        self.content = bytearray(b"\xff" * octets)
        self.busy_polls = 0  # How many reads of the status still find it busy.
        self.polls_after = 2  # What that becomes after programming or erasing.
        self._is_enabled = False
        dut.flash_miso_i.value = 0
        self._task = cocotb.start_soon(self._run())

    def die(self) -> None:
        """Answer nothing any more: the pin is pulled up, so that the status reads as busy."""
        self._task.cancel()
        self.dut.flash_miso_i.value = 1

    async def _run(self) -> None:
        while True:
            await FallingEdge(self.dut.flash_cs_no)
            received = await self._command()
            self._finish(received)

    async def _command(self) -> bytearray:
        """Exchange octets until the flash is deselected; return those that came in."""
        received = bytearray()
        while True:
            answer = self._answer(received)
            octet = 0
            for bit in range(7, -1, -1):
                self.dut.flash_miso_i.value = answer >> bit & 1
                rising = RisingEdge(self.dut.flash_sck_o)
                if bit < 7:
                    await rising
                elif await First(rising, over := RisingEdge(self.dut.flash_cs_no)) is over:
                    return received
                octet = octet << 1 | int(self.dut.flash_mosi_o.value)
                await FallingEdge(self.dut.flash_sck_o)
            assert self.dut.flash_cs_no.value == 0, "deselected within an octet"
            received.append(octet)

    def _answer(self, received: bytearray) -> int:
        if received[:1] == bytes([STATUS]):
            is_busy = self.busy_polls > 0
            self.busy_polls -= is_busy
            return BUSY * is_busy
        if received[:1] == bytes([READ]) and len(received) >= 4:
            assert not self.busy_polls, "read while busy"
            address = int.from_bytes(received[1:4], "big") + len(received) - 4
            return self.content[address % len(self.content)]
        return 0

    def _finish(self, received: bytearray) -> None:
        command, rest = received[0], received[1:]
        if command == ENABLE:
            self._is_enabled = True
        if command not in (PROGRAM, ERASE_SECTOR, ERASE_BLOCK) or not self._is_enabled:
            return
        assert not self.busy_polls, "written while busy"
        address = int.from_bytes(rest[:3], "big")
        if command == PROGRAM:
            self._program(address, rest[3:])
        else:
            size = SECTOR if command == ERASE_SECTOR else BLOCK
            start = address // size * size
            self.content[start : start + size] = b"\xff" * size
        self._is_enabled = False
        self.busy_polls = self.polls_after

    def _program(self, address: int, data: bytes) -> None:
        page = address // PAGE * PAGE
        for place, octet in enumerate(data, start=address - page):
            self.content[page + place % PAGE] &= octet
