# SPDX-License-Identifier: Apache-2.0
"""A payload behind its serial line, its board, and the ground, for the benches of the line.

Configuration (JSON, named by FW_BENCH_CONFIG): `link` (the payload's link.json, and `magic`),
`rails`, `memories` and `inputs` (names), `divisor` (clocks a bit), `clock_hz`, `time_scale`,
`is_voted` where the state of the engine is triplicated, and `words`, where the engine has some of
its variables.
Top: the generated `<payload>_payload`.
"""

import json
import os
import random
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Timer

from fw_tools.ecc import encode, hsiao
from fw_tools.pus.identifiers import Ack
from fw_tools.pus.packets import crc16
from fw_tools.pus.slots import SlotLayout
from hdl.tb.board import Board
from hdl.tb.link_driver import Answer, Expected, Ground, reference, reset
from hdl.tb.spi_flash import SpiFlash

CLOCK_PS = 20_000
CONFIG = json.loads(Path(os.environ["FW_BENCH_CONFIG"]).read_text())
LINK = CONFIG["link"]
BIT_PS = CONFIG["divisor"] * CLOCK_PS
SECOND_CLOCKS = CONFIG["clock_hz"]  # Of the payload's clock.
SHORT_SECOND = 1 / CONFIG["time_scale"]  # What the link takes for a second.
# Bars: TC[17,1] to TM[17,2] in 1 ms without acknowledgements and in 2 ms with three, at 12 MHz.
PING_CLOCKS, PING_WITH_ACKS_CLOCKS = 12_000, 24_000
ALL_ACKS = Ack.ACCEPTANCE | Ack.START | Ack.COMPLETION
WORD_BITS = 16
OFFER_S = 0.26 * SHORT_SECOND  # With the boot select pin high the line is offered that long.
PING, ONE_SHOT = (17, 1), (3, 27)
SLOTS = SlotLayout(
    LINK["slot_octets"],
    next((row["octets"] for row in LINK["memories"] if row["name"] == "flash"), 0)
    // (LINK["slot_octets"] or 1),
)
FLASH = next((row for row in LINK["memories"] if row["name"] == "flash"), None)
NO_MEMORY = {"id": 0x76, "octets": 64, "word_octets": 4, "data_bits": 32}  # Asked for in vain.
STRUCTURE = LINK["structure_id"].to_bytes(2, "big")


class LinkBench:
    """A payload that has come out of reset, its board, and the ground."""

    @classmethod
    async def start(cls, dut: Any, *, is_quiet: bool = True) -> "LinkBench":
        """Return a bench; `is_quiet` stops the periodic reports."""
        bench = cls(dut)
        cocotb.start_soon(Clock(dut.clk_i, CLOCK_PS, unit="ps").start())
        await reset(dut)
        await bench.ground.settle()
        if is_quiet:
            await bench.ask(3, 6, b"\1" + STRUCTURE)
        return bench

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        for name in CONFIG["inputs"]:
            getattr(dut, f"input_{name}_i").value = 0
        for memory in CONFIG["memories"]:
            for port in ("request", "write", "address", "wdata", "inject_valid", "inject_mask"):
                getattr(dut, f"{memory['name']}_{port}_i").value = 0
        dut.boot_select_i.value = 0
        self.loadable: frozenset[int] = frozenset()  # Slots whose bitstream the FPGA would load.
        if SLOTS.slot_octets:
            dut.warm_boot_slots_i.value = 0
        self.board = Board(dut, CONFIG["rails"])
        self.flash = SpiFlash(dut, FLASH["octets"]) if FLASH else None
        self.ground = Ground(dut, BIT_PS, LINK["apid"])
        self.expected = Expected(reference(LINK))

    async def ask(self, service: int, subtype: int, data: bytes = b"", **more: Any) -> list[Answer]:
        """Send a command and return its answers, which are those of the reference machine."""
        return await self.exchange(self.ground.command(service, subtype, data, **more))

    async def exchange(self, packet: bytes) -> list[Answer]:
        """Send a packet and compare its answers with the reference machine's."""
        expected = self.expected.answers(packet)
        answers = await self.ground.ask(packet, len(expected))
        assert [each.meaning for each in answers] == expected, packet.hex()
        return answers

    async def parameter(self, name: str) -> int:
        """Return a parameter of link.json by its name."""
        number = next(each["id"] for each in LINK["parameters"] if each["name"] == name)
        packet = self.ground.command(20, 1, b"\1" + number.to_bytes(2, "big"), ack=Ack.NONE)
        (answer,) = await self.ground.ask(packet)
        return int.from_bytes(answer.packet.data[3:], "big")

    async def seconds(self, count: float) -> None:
        """Let time pass."""
        await Timer(round(count * SECOND_CLOCKS) * CLOCK_PS, "ps")
        self.ground.collect()

    def events(self, name: str) -> list[int]:
        """Return the data of the events of that name that have come."""
        number = next(each["id"] for each in LINK["events"] if each["name"] == name)
        found = [each.packet.data for each in self.ground.answers if each.packet.service == 5]
        return [
            int.from_bytes(data[2:], "big")
            for data in found
            if int.from_bytes(data[:2], "big") == number
        ]


async def ping_clocks(bench: LinkBench, ack: Ack) -> int:
    """Return how long a ping takes, from its first start bit to the last stop bit it leads to."""
    await bench.seconds(random.random() / 1000)  # Whatever the engine is doing in between.
    answers = await bench.exchange(bench.ground.command(*PING, ack=ack))
    return (answers[-1].time_ps - bench.ground.sent_at_ps) // CLOCK_PS


def set_word(dut: Any, name: str, value: int) -> None:
    """Give a variable of the engine another value."""
    word = dut.u_link.u_ram.u_array.mem[CONFIG["words"][name]]
    word.value = encode(hsiao(WORD_BITS), value)


def area(memory_id: int, address: int, length: int) -> bytes:
    """Return memory ID, one area."""
    return bytes([memory_id, 1]) + address.to_bytes(4, "big") + length.to_bytes(2, "big")


def long_area(memory_id: int, address: int, length: int) -> bytes:
    """Return memory ID, one area whose length has 32 bits."""
    return bytes([memory_id, 1]) + address.to_bytes(4, "big") + length.to_bytes(4, "big")


def load(memory_id: int, address: int, data: bytes) -> bytes:
    """Return the data of TC[6,2]."""
    return area(memory_id, address, len(data)) + data + crc16(data).to_bytes(2, "big")


def open_golden(bench: LinkBench, *, is_open: bool) -> None:
    """Set the boot select pin, on the board and in the reference machine."""
    bench.dut.boot_select_i.value = is_open
    bench.expected.machine.memory(FLASH["id"]).is_golden_open = is_open


def some_words(memory: dict[str, Any], count: int) -> bytes:
    """Return so many words of a memory."""
    words = [random.getrandbits(memory["data_bits"]) for _ in range(count)]
    return b"".join(each.to_bytes(memory["word_octets"], "big") for each in words)
