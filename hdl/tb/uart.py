# SPDX-License-Identifier: Apache-2.0
"""A serial line, 8N1, bit by bit: what sends to a receiver and what listens to a sender."""

from collections.abc import Iterable
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, Timer
from cocotb.utils import get_sim_time

BITS_PER_OCTET = 10
DATA_BITS = 8


class UartSource:
    """Drives the pin of a receiver. `bit_ps` may differ from the receiver's own."""

    def __init__(self, pin: Any, bit_ps: int) -> None:
        self.pin = pin
        self.bit_ps = bit_ps
        pin.value = 1

    async def send(self, octets: Iterable[int]) -> None:
        """Send octets without a gap."""
        for octet in octets:
            frame = (octet << 1) | 1 << (DATA_BITS + 1)
            for number in range(BITS_PER_OCTET):
                await self.hold(frame >> number & 1)

    async def hold(self, level: int, bits: float = 1) -> None:
        """Keep the line at a level for a number of bit times."""
        self.pin.value = level
        await Timer(round(bits * self.bit_ps), "ps")

    async def send_break(self, bits: float = 20) -> None:
        """Hold the line low, and let it rest behind."""
        await self.hold(0, bits)
        await self.hold(1, 2)


class UartSink:
    """Listens on the pin of a sender; `octets` are (octet, time of its stop bit in ps)."""

    def __init__(self, pin: Any, bit_ps: int) -> None:
        self.pin = pin
        self.bit_ps = bit_ps
        self.octets: list[tuple[int, int]] = []
        cocotb.start_soon(self._run())

    def taken(self) -> list[tuple[int, int]]:
        """Return what has come and forget it."""
        octets, self.octets = self.octets, []
        return octets

    async def _run(self) -> None:
        while True:
            await FallingEdge(self.pin)
            await Timer(self.bit_ps + self.bit_ps // 2, "ps")
            octet = 0
            for number in range(DATA_BITS):
                octet |= int(self.pin.value) << number
                await Timer(self.bit_ps, "ps")
            assert self.pin.value == 1, "no stop bit on the line"
            self.octets.append((octet, int(get_sim_time("ps"))))
