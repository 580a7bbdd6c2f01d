# SPDX-License-Identifier: Apache-2.0
"""Drives `memory_harness`: user port, deposits in the array, the scrubber's place."""

import json
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cocotb
from cocotb.handle import Immediate
from cocotb.triggers import FallingEdge, RisingEdge, ValueChange

from fw_tools.ecc import encode, hsiao

REPLICAS = 3
COUNTERS = ("corrected", "uncorrectable", "stuck", "scrub_pass")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a read gave."""

    data: int
    is_corrected: bool
    is_uncorrectable: bool


class MemoryBench:
    """A memory under test beside the words that it should hold.

    Inputs change at the falling edge of the clock; outputs are looked at there as well.
    """

    def __init__(self, dut: Any) -> None:
        config = json.loads(Path(os.environ["FW_BENCH_CONFIG"]).read_text(encoding="utf-8"))
        self.dut = dut
        self.code = hsiao(config["data_bits"])
        self.words: int = config["words"]
        self.interval_clocks: int = config["scrub_interval_clocks"]
        self.address_bits = (self.words - 1).bit_length()
        self.reference: dict[int, int] = {}  # Words not in here hold zero.
        self.array = dut.u_memory.u_array.mem
        self.control = dut.u_memory.u_ctrl
        self.patrol = self.control.patrol
        self._voted = {
            name: [
                getattr(self.control, f"u_{name}").gen_replica[index].u_replica.stored_q
                for index in range(REPLICAS)
            ]
            for name in ("patrol", "repair", "is_repair", "is_touched")
        }
        self._state = self.control.u_state.u_code.stored_q
        self.state_bits = len(self._state)
        self._idle = 0  # The state code at rest, known after `start`.

    @classmethod
    async def reset(cls, dut: Any) -> "MemoryBench":
        """Return a bench whose memory has just left reset and writes its words."""
        for port in ("request_i", "inject_valid_i", "clear_counters_i"):
            getattr(dut, port).value = 0
        dut.rst_ni.value = 0
        dut.scrub_enable_i.value = 1
        await FallingEdge(dut.clk)
        await FallingEdge(dut.clk)
        dut.rst_ni.value = 1
        return cls(dut)

    @classmethod
    async def start(cls, dut: Any) -> "MemoryBench":
        """Return a bench whose memory holds zeros and takes requests."""
        bench = await cls.reset(dut)
        await RisingEdge(dut.init_done_o)
        await bench.clock()
        bench._idle = bench.stored_state
        return bench

    async def clock(self, count: int = 1) -> None:
        """Let `count` clocks pass."""
        for _ in range(count):
            await FallingEdge(self.dut.clk)

    def sample(self, count: int) -> list[int]:
        """Return up to `count` addresses, the first and the last among them."""
        inner = range(1, self.words - 1)
        chosen = random.sample(inner, max(0, min(count - 2, len(inner))))
        return [0, *sorted(chosen), self.words - 1]

    # --- User port ------------------------------------------------------------------------------

    async def access(self, address: int, data: int | None, inject: int = 0) -> bool:
        """Ask for one clock to write `data`, or to read (None); tell whether it was granted."""
        dut = self.dut
        dut.request_i.value = 1
        dut.write_i.value = data is not None
        dut.address_i.value = address
        dut.wdata_i.value = data or 0
        dut.inject_valid_i.value = inject != 0
        dut.inject_mask_i.value = inject or (1 << self.code.codeword_bits) - 1
        is_granted = bool(dut.grant_o.value)  # Does not depend on the request.
        await FallingEdge(dut.clk)
        dut.request_i.value = 0
        dut.inject_valid_i.value = 0
        if is_granted and data is not None and address < self.words:
            self.reference[address] = data
        return is_granted

    async def write(self, address: int, data: int, inject: int = 0) -> None:
        """Write a word as soon as it is granted, with `inject` flipped in its codeword."""
        while not await self.access(address, data, inject):
            pass

    async def read(self, address: int) -> Answer:
        """Read a word as soon as it is granted."""
        while not await self.access(address, None):
            pass
        return self._answer()

    def _answer(self) -> Answer:
        assert self.dut.rvalid_o.value, "no answer in the clock after a granted read"
        return Answer(
            data=int(self.dut.rdata_o.value),
            is_corrected=bool(self.dut.rcorrected_o.value),
            is_uncorrectable=bool(self.dut.runcorrectable_o.value),
        )

    async def random_access(self, addresses: Sequence[int]) -> None:
        """Write, read and check, or pause for one clock."""
        address, kind = random.choice(addresses), random.randrange(4)
        if kind == 0:
            await self.clock()
        elif kind == 1:
            await self.access(address, random.getrandbits(self.code.data_bits))
        else:
            is_wrong = not self.is_clean(address)
            if await self.access(address, None):
                assert self._answer() == Answer(self.expected(address), is_wrong, False)

    # --- Storage --------------------------------------------------------------------------------

    def expected(self, address: int) -> int:
        """Return the data that a word should hold."""
        return self.reference.get(address, 0)

    def peek(self, address: int) -> int:
        """Return the codeword that the array holds."""
        return int(self.array[address].value)

    def is_clean(self, address: int) -> bool:
        """Tell whether a word is stored as it should be, check bits included."""
        return self.peek(address) == encode(self.code, self.expected(address))

    def wrong_words(self) -> list[int]:
        """Return the address of every word that is not stored as it should be."""
        return [address for address in range(self.words) if not self.is_clean(address)]

    def upset(self, address: int, mask: int) -> None:
        """Flip bits of a stored codeword."""
        self.array[address].value = Immediate(self.peek(address) ^ mask)

    def upset_if_clean(self, address: int) -> bool:
        """Flip a random bit unless the word is wrong already; tell whether that was done."""
        is_clean = self.is_clean(address)
        if is_clean:
            self.upset(address, 1 << random.randrange(self.code.codeword_bits))
        return is_clean

    @contextmanager
    def stuck_bit(self, address: int, bit: int) -> Iterator[None]:
        """Hold one stored bit at the wrong value."""
        wrong = ~encode(self.code, self.expected(address)) & 1 << bit
        task = cocotb.start_soon(self._hold(address, 1 << bit, wrong))
        try:
            yield
        finally:
            task.cancel()

    async def _hold(self, address: int, mask: int, value: int) -> None:
        while True:
            stored = self.peek(address)
            if stored & mask != value:
                self.array[address].value = Immediate(stored ^ mask)
            await FallingEdge(self.dut.clk)

    # --- Scrubber -------------------------------------------------------------------------------

    @property
    def is_visiting(self) -> bool:
        """Tell whether the scrubber is at work on a word."""
        return int(self._state.value) != self._idle

    async def arrive_at(self, address: int) -> None:
        """Bring the patrol to a word, right after the visit of the word before."""
        while self.is_visiting:
            await self.clock()
        for replica in self._voted["patrol"]:
            replica.value = (address - 1) % self.words
        await self.clock()
        while int(self.patrol.value) != address:
            await self.clock()

    async def visit(self, address: int) -> None:
        """Let the patrol visit a word; returns when it has moved on."""
        await self.arrive_at(address)
        while int(self.patrol.value) == address:
            await self.clock()

    async def visit_all(self, addresses: Iterable[int]) -> None:
        """Let the patrol visit words one by one."""
        for address in addresses:
            await self.visit(address)

    async def next_pass(self) -> None:
        """Wait until the patrol has been at the last word."""
        await ValueChange(self.dut.scrub_pass_count_o)
        await self.clock()

    async def clocks_until_patrol_moves(self) -> int:
        """Return how many clocks the patrol stays at its word."""
        place, clocks = int(self.patrol.value), 0
        while int(self.patrol.value) == place:
            await self.clock()
            clocks += 1
        return clocks

    async def begin_visit(self, address: int) -> None:
        """Upset a random bit of a word and wait for the first clock of its visit."""
        self.upset(address, 1 << random.randrange(self.code.codeword_bits))
        await self.arrive_at(address)
        while not self.is_visiting:
            await self.clock()

    async def begin_repair(self, address: int) -> None:
        """Upset a random bit of a word, read it, and wait for the first clock of its visit."""
        while self.is_visiting:
            await self.clock()
        self.upset(address, 1 << random.randrange(self.code.codeword_bits))
        await self.read(address)
        while not self.is_visiting:
            await self.clock()

    async def stored_states(self, clocks: int) -> list[int]:
        """Return the state codes as stored in this and the following clocks."""
        found = [self.stored_state]
        for _ in range(clocks):
            await self.clock()
            found.append(self.stored_state)
        return found

    @property
    def stored_state(self) -> int:
        """Return the state code as it is stored now."""
        return int(self._state.value)

    def flip_state(self, mask: int) -> None:
        """Flip bits of the stored state code."""
        self._state.value = self.stored_state ^ mask

    def voted_bits(self) -> list[tuple[str, int]]:
        """Return every bit of what a visit acts on, as register and number."""
        return [(name, bit) for name in self._voted for bit in range(len(self._voted[name][0]))]

    def flip_replica(self, name: str, bit: int) -> None:
        """Flip a bit in one replica of a voted register."""
        replica = random.choice(self._voted[name])
        replica.value = int(replica.value) ^ 1 << bit

    # --- Counters -------------------------------------------------------------------------------

    def count(self, counter: str) -> int:
        """Return one of COUNTERS."""
        return int(getattr(self.dut, f"{counter}_count_o").value)

    def counts(self) -> list[int]:
        """Return all of COUNTERS."""
        return [self.count(counter) for counter in COUNTERS]

    def preset_counters(self, value: int) -> None:
        """Put a value into each of COUNTERS."""
        for counter in COUNTERS:
            register = getattr(self.control, f"u_{counter}").u_count
            is_voted = hasattr(register, "gen_replica")
            replicas = range(REPLICAS if is_voted else 0)
            stored = [register.gen_replica[index].u_replica.stored_q for index in replicas]
            for each in stored or [register.q_o]:
                each.value = value

    async def clear_counters(self) -> None:
        """Clear all counters and the stuck flag."""
        self.dut.clear_counters_i.value = 1
        await self.clock()
        self.dut.clear_counters_i.value = 0
        await self.clock()
