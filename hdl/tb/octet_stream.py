# SPDX-License-Identifier: Apache-2.0
"""The receiving end of a valid/ready octet stream with a mark on the last octet of a packet."""

import random
from collections.abc import Iterable
from typing import Any

from cocotb.triggers import FallingEdge, ReadOnly

LONGEST_PACKET_CLOCKS = 20_000  # 1,024 octets with stalls, and room to spare.


class OctetSink:
    """Takes packets; drives `ready` after the falling edge of the clock, samples before the rise.

    While the sink stalls, the octet offered must stay as it is.
    """

    def __init__(self, clock: Any, valid: Any, ready: Any, data: Any, last: Any) -> None:
        self.clock, self.valid, self.ready, self.data, self.last = clock, valid, ready, data, last
        self.ready_in = 1.0  # Part of the clocks in which the sink is ready.
        self.is_in_packet = False  # An octet was taken that was not the last of its packet.
        self._offered: tuple[int, bool] | None = None
        ready.value = 0

    async def step(self) -> tuple[int, bool] | None:
        """Pass one clock; return the octet taken in it and whether it was the last, or None.

        Starts and ends after a falling edge, not ready.
        """
        is_ready = random.random() < self.ready_in
        self.ready.value = int(is_ready)
        await ReadOnly()
        taken = self._sampled(is_ready)
        await FallingEdge(self.clock)
        self.ready.value = 0
        return taken

    def _sampled(self, is_ready: bool) -> tuple[int, bool] | None:
        if not int(self.valid.value):
            assert self._offered is None, "valid fell before the octet was taken"
            return None
        octet = (int(self.data.value), bool(int(self.last.value)))
        assert self._offered in (None, octet), f"{self._offered} turned into {octet} in a stall"
        self._offered = None if is_ready else octet
        if not is_ready:
            return None
        self.is_in_packet = not octet[1]
        return octet

    async def packet(self) -> bytes:
        """Return the next packet."""
        octets = bytearray()
        for _ in range(LONGEST_PACKET_CLOCKS):
            taken = await self.step()
            if taken is not None:
                octets.append(taken[0])
                if taken[1]:
                    return bytes(octets)
        raise AssertionError(f"no end of packet; so far {bytes(octets).hex(' ') or 'nothing'}")

    async def quiet(self, clocks: int) -> None:
        """Pass clocks in which nothing may be offered."""
        for _ in range(clocks):
            assert await self.step() is None, "an octet where none was due"

    def forget(self) -> None:
        """Drop what was offered: the next octet need not be the same (after an upset)."""
        self._offered = None


def stalls() -> Iterable[float]:
    """Return the shares of ready clocks that a stream is tried with."""
    return (1.0, 0.3)
