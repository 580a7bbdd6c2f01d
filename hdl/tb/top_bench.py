# SPDX-License-Identifier: Apache-2.0
"""A whole payload: registers, rails, memories and telemetry tell one story.

Configuration (JSON, named by FW_BENCH_CONFIG): `registers` (the map for software), `clock_hz`,
`rails` (times in clocks), `held_low` (inputs that rest), `memories`, `inputs`, `packet` (null
without telemetry), `packet_name`, `period_clocks` and `telemetry` (the generated definitions). Top:
the generated `<payload>_top`.
"""

import json
import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, Timer

from hdl.tb.apb import ApbMaster, RegisterBlock
from hdl.tb.board import Board, Rail
from hdl.tb.octet_stream import OctetSink
from hdl.tb.rail_plant import RailFault
from hdl.tb.reports import Report, decode_report, load_definitions

CLOCK_NS = 20
ON, OFF = 0x6, 0x9  # Code words of a control flag.
CLEAR_FAULTS = 0x6  # Code word of the command; all others do nothing.
PG_LOST, OVER_CURRENT = 3, 4  # Fault causes.
STATE_ON = 3
UNITS_PER_SECOND = 65536  # CCSDS 301.0-B 3.2: two octets of fraction.
STREAM = ("valid_o", "ready_i", "data_o", "last_o")
COUNT_AND_TIME = ("message_type_counter", "time_coarse", "time_fine")
NO_RAIL = 255
POLL_CLOCKS = 50
POLLS = 1000
TIMEOUT_MS = 10
CONFIG = json.loads(Path(os.environ["FW_BENCH_CONFIG"]).read_text())
# Register and field that hold the same as a source of telemetry.
REGISTER_OF_SOURCE = {
    "rails.first_fault_rail": "first_fault.rail",
    "rails.first_fault_cause": "first_fault.cause",
    "rails.upsets_corrected": "state_upsets.corrected",
    "rails.upsets_uncorrectable": "state_upsets.uncorrectable",
    "rails.halted": "status.halted",
}
REGISTER_OF_MEMORY_SOURCE = {
    "corrected": "errors.corrected",
    "uncorrectable": "errors.uncorrectable",
    "scrub_passes": "scrub.passes",
    "stuck": "scrub.stuck_words",
    "last_error_address": "last_error.address",
}


class TopBench:
    """Software, board and ground around one payload."""

    @classmethod
    async def start(cls, dut: Any) -> "TopBench":
        """Return a bench on a payload that comes out of reset with a healthy board around it."""
        bench = cls(dut, CONFIG)
        cocotb.start_soon(Clock(dut.clk_i, CLOCK_NS, unit="ns").start())
        dut.rst_ni.value = 0
        await Timer(2 * CLOCK_NS, "ns")
        await FallingEdge(dut.clk_i)
        dut.rst_ni.value = 1
        bench.running = cocotb.start_soon(bench.board.run())
        return bench

    def __init__(self, dut: Any, config: dict[str, Any]) -> None:
        self.dut = dut
        self.config = config
        self.block = RegisterBlock(ApbMaster(dut), config["registers"])
        self.board = Board(dut, config["rails"])
        self.inputs: dict[str, int] = {}
        self.running: Any = None  # The task that steps the board.
        for name, bits in config["inputs"].items():
            self.inputs[name] = random.getrandbits(bits)
            getattr(dut, f"input_{name}_i").value = self.inputs[name]
        for name in config["held_low"]:
            getattr(dut, name).value = 0
        for memory in config["memories"]:
            for port in ("request", "write", "address", "wdata", "inject_valid", "inject_mask"):
                getattr(dut, f"{memory['name']}_{port}_i").value = 0
        if config["packet"]:
            self.report = Report.from_config(config["packet"])
            self.definitions = load_definitions(Path(config["telemetry"]))
            name = config["packet_name"]
            ports = [getattr(dut, f"{name}_{port}") for port in STREAM]
            self.sink = OctetSink(dut.clk_i, *ports)

    async def field(self, path: str) -> int:
        """Return a field by its path, as in `memory_weights.errors.corrected`."""
        register, _, name = path.rpartition(".")
        return (await self.block.read(register))[name]

    async def bitmap(self, kind: str) -> int:
        """Return a bitmap of the rails: "enabled", "on", "faulted" or "late"."""
        fields: dict[str, int] = {}
        for path in self.block.registers:
            if path.startswith(f"rails_{kind}"):
                fields |= await self.block.read(path)
        return sum(fields[f"{rail.name}_rail"] << n for n, rail in enumerate(self.board.rails))

    async def rail_state(self, rail: str) -> int:
        """Return the state of a rail."""
        for path in self.block.registers:
            if path.startswith("rail_states"):
                fields = await self.block.read(path)
                if f"{rail}_state" in fields:
                    return fields[f"{rail}_state"]
        raise KeyError(rail)

    async def until(self, path: str, expected: int) -> None:
        """Poll a field until it has a value."""
        for _ in range(POLLS):
            if await self.field(path) == expected:
                return
            await ClockCycles(self.dut.clk_i, POLL_CLOCKS)
            await FallingEdge(self.dut.clk_i)
        raise AssertionError(f"{path} is {await self.field(path)} and never became {expected}")

    async def until_bitmap(self, kind: str, expected: int) -> None:
        """Poll a bitmap of the rails until it has a value."""
        for _ in range(POLLS):
            if await self.bitmap(kind) == expected:
                return
            await ClockCycles(self.dut.clk_i, POLL_CLOCKS)
            await FallingEdge(self.dut.clk_i)
        raise AssertionError(f"rails {kind}: {await self.bitmap(kind):#x}, never {expected:#x}")

    async def control(self, *, power_up: bool, scrub: bool = True) -> None:
        """Set both control flags."""
        codes = {True: ON, False: OFF}
        await self.block.write("control", power_up=codes[power_up], scrub_enable=codes[scrub])

    async def power_up(self) -> None:
        """Ask for all rails, and wait for them."""
        await self.control(power_up=True)
        await self.until_bitmap("on", self.board.everything)

    async def ask_for_report(self) -> Mapping[str, Any]:
        """Trigger a report by register and return what the ground reads in it."""
        name = self.config["packet_name"]
        await self.block.write("command", **{f"trigger_{name}": 1})
        return self.decoded(await self.sink.packet())

    def decoded(self, packet: bytes) -> Mapping[str, Any]:
        """Return what the ground reads; the packet must be what its values give, packed by hand."""
        apid, fields = decode_report(self.definitions, packet)
        assert apid == self.report.apid
        values = {field.name: int(fields[field.name]) for field in self.report.fields}
        count, coarse, fine = (fields[name] for name in COUNT_AND_TIME)
        assert packet == self.report.pack(values, count=count, coarse=coarse, fine=fine)
        return fields

    async def expected(self, source: str, coarse_time: int) -> int:
        """Return what registers and pins say about a source of telemetry."""
        if source == "time.seconds":
            return coarse_time
        if source.startswith("rails.") and not self.board.rails:
            return NO_RAIL if source == "rails.first_fault_rail" else 0
        if source in REGISTER_OF_SOURCE:
            return await self.field(REGISTER_OF_SOURCE[source])
        kind, _, name = source.partition(".")
        if kind == "rails":
            return await self.bitmap(name)
        if kind == "input":
            return self.inputs[name]
        name, _, what = name.partition(".")
        if kind == "rail":
            return await self.rail_state(name)
        return await self.field(f"memory_{name}.{REGISTER_OF_MEMORY_SOURCE[what]}")

    async def check_telemetry(self) -> None:
        """Ask for a report: every field must say what registers and pins say."""
        if not self.config["packet"]:
            return
        await self.control(power_up=(await self.field("control.power_up")) == ON, scrub=False)
        await ClockCycles(self.dut.clk_i, POLL_CLOCKS)
        await FallingEdge(self.dut.clk_i)
        fields = await self.ask_for_report()
        for field in self.report.fields:
            expected = await self.expected(field.source, int(fields["time_coarse"]))
            got = int(fields[field.name])
            assert got == expected, f"{field.name} ({field.source}): {got}, registers {expected}"


def test_of(*needed: str) -> Callable[[Any], Any]:
    """Return the decorator of a test that exists only where the payload has what it needs."""
    if all(CONFIG[key] for key in needed):
        return cocotb.test(timeout_time=TIMEOUT_MS, timeout_unit="ms")
    return lambda function: function


@test_of("registers")
async def the_bus_reaches_the_registers(dut):
    bench = await TopBench.start(dut)
    assert await bench.field("magic.value") == int.from_bytes(b"FWTP", "big")
    assert await bench.field("format.rail_count") == len(bench.board.rails)
    assert await bench.field("format.memory_count") == len(bench.config["memories"])


@test_of("rails")
async def rails_come_up_and_go_down_by_register_and_telemetry_says_so(dut):
    bench = await TopBench.start(dut)
    await bench.until_bitmap("on", bench.board.kept_alive)
    await bench.power_up()
    for rail in bench.board.rails:
        assert await bench.rail_state(rail.name) == STATE_ON, rail.name
    await bench.check_telemetry()
    await bench.control(power_up=False)
    await bench.until_bitmap("enabled", bench.board.kept_alive)
    assert await bench.bitmap("faulted") == 0
    await bench.check_telemetry()


@test_of("memories")
async def an_upset_in_each_memory_is_scrubbed_away_counted_and_reported(dut):
    bench = await TopBench.start(dut)
    await bench.until("status.init_done", 1)
    for memory in bench.config["memories"]:
        words = getattr(dut, f"u_{memory['name']}").u_array.mem
        address, bit = random.randrange(memory["words"]), random.randrange(memory["data_bits"])
        path = f"memory_{memory['name']}"
        word = int(words[address].value)
        words[address].value = word ^ 1 << bit
        await bench.until(f"{path}.errors.corrected", 1)
        assert int(words[address].value) == word, f"{path}: word {address} is still wrong"
        assert await bench.field(f"{path}.last_error.address") == address
        assert await bench.field(f"{path}.errors.uncorrectable") == 0
        await bench.check_telemetry()
        await bench.control(power_up=False, scrub=True)


@test_of("memories")
async def counters_clear_by_register(dut):
    bench = await TopBench.start(dut)
    memory = bench.config["memories"][0]["name"]
    await bench.until(f"memory_{memory}.scrub.passes", 1)
    await bench.control(power_up=False, scrub=False)
    await bench.block.write("command", clear_counters=1)
    await ClockCycles(dut.clk_i, POLL_CLOCKS)
    await FallingEdge(dut.clk_i)
    assert await bench.field(f"memory_{memory}.scrub.passes") == 0


@test_of("rails")
async def the_first_fault_shows_in_registers_and_telemetry_until_cleared(dut):
    bench = await TopBench.start(dut)
    for number, fault, cause in faults_to_try(bench.board.rails):
        await bench.power_up()
        rail = bench.board.rails[number]
        bench.board.fail(rail, fault)
        await bench.until("status.first_fault_valid", 1)
        assert await bench.block.read("first_fault") == {"rail": number, "cause": cause}, rail.name
        for code in set(range(16)) - {CLEAR_FAULTS}:
            await bench.block.write("command", clear_faults=code)
        assert await bench.field("status.first_fault_valid")
        assert await bench.bitmap("faulted") >> number & 1, "a wrong code cleared the fault"
        await bench.control(power_up=False)
        await bench.until_bitmap("enabled", await bench.bitmap("enabled") & bench.board.kept_alive)
        await bench.check_telemetry()
        bench.board.fail(rail, RailFault.NONE)
        await ClockCycles(dut.clk_i, POLL_CLOCKS)
        await FallingEdge(dut.clk_i)
        await bench.block.write("command", clear_faults=CLEAR_FAULTS)
        await bench.until("status.first_fault_valid", 0)
        await bench.until_bitmap("on", bench.board.kept_alive)
        assert await bench.bitmap("faulted") == 0


def faults_to_try(rails: list[Rail]) -> list[tuple[int, RailFault, int]]:
    """Return the last rail losing its supply, and the last with a breaker in latch-up."""
    breakers = [number for number, rail in enumerate(rails) if rail.over_current]
    lost = [(len(rails) - 1, RailFault.DROP, PG_LOST)]
    return lost + [(number, RailFault.LATCH_UP, OVER_CURRENT) for number in breakers[-1:]]


@test_of("packet")
async def reports_come_every_period_with_the_exact_time(dut):
    bench = await TopBench.start(dut)
    bench.running.cancel()
    period, clock_hz = bench.config["period_clocks"], bench.config["clock_hz"]
    for number in range(1, 3):
        await Timer((period - 1) * CLOCK_NS if number == 1 else period * CLOCK_NS, "ns")
        await FallingEdge(dut.clk_i)
        packet = await bench.sink.packet()
        fields = bench.decoded(packet)
        units = int(fields["time_coarse"]) * UNITS_PER_SECOND + int(fields["time_fine"])
        # The trigger falls into the last clock of a period.
        assert units == (number * period - 1) * UNITS_PER_SECOND // clock_hz, f"report {number}"
        assert int(fields["message_type_counter"]) == number - 1
