# SPDX-License-Identifier: Apache-2.0
"""The register block behind its plain ports: every register, every field, every bad access.

Configuration (JSON, named by FW_BENCH_CONFIG): `registers` (path, offset and fields of each, as the
register map for software says), `identity` (what the first registers must hold, from the
description) and the names of `rails`, `memories` and `packets`. Top: the generated `<payload>_csr`.
"""

import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer

from hdl.tb.apb import ApbMaster, BusError, Field, Register, RegisterBlock

CLOCK_NS = 20
WORD_OCTETS = 4
ON, OFF = 0x6, 0x9  # Code words of a control flag.
CLEAR_FAULTS = 0x6  # Code word of that strobe; all others are one bit.
MEMORY_PORTS = {
    "errors.corrected": "corrected",
    "errors.uncorrectable": "uncorrectable",
    "scrub.passes": "scrub_passes",
    "scrub.stuck_words": "stuck",
    "last_error.address": "last_error_address",
    "last_error.stuck": "is_stuck",
    "last_error.init_done": "init_done",
}
FIXED_PORTS = {
    "status.halted": "halted_i",
    "status.first_fault_valid": "first_fault_valid_i",
    "first_fault.rail": "first_fault_rail_i",
    "first_fault.cause": "first_fault_cause_i",
    "state_upsets.corrected": "upsets_corrected_i",
    "state_upsets.uncorrectable": "upsets_uncorrectable_i",
    "time_seconds.value": "coarse_time_i",
    "time_fraction.value": "fine_time_i",
}
FLAGS = {"power_up": OFF, "scrub_enable": ON}  # And the value after reset.


class RegistersBench:
    """Drives status ports and the bus."""

    @classmethod
    async def start(cls, dut: Any) -> "RegistersBench":
        """Return a bench on a register block that comes out of reset, all status at 0."""
        bench = cls(dut, json.loads(Path(os.environ["FW_BENCH_CONFIG"]).read_text()))
        cocotb.start_soon(Clock(dut.clk_i, CLOCK_NS, unit="ns").start())
        dut.rst_ni.value = 0
        bench.drive({})
        await Timer(2 * CLOCK_NS, "ns")
        await FallingEdge(dut.clk_i)
        dut.rst_ni.value = 1
        return bench

    def __init__(self, dut: Any, config: dict[str, Any]) -> None:
        self.dut = dut
        self.config = config
        self.bus = ApbMaster(dut)
        self.block = RegisterBlock(self.bus, config["registers"])
        self.signals = dict(self._signals())

    @property
    def registers(self) -> list[Register]:
        """Every register, in order of address."""
        return list(self.block.registers.values())

    def _signals(self) -> Iterator[tuple[str, tuple[str, int]]]:
        """Yield each field that shows a signal, with the port and its lowest bit there."""
        for register in self.registers:
            for field in register.fields:
                path = f"{register.path}.{field.name}"
                if port := self._port(register, field):
                    yield path, port

    def _port(self, register: Register, field: Field) -> tuple[str, int] | None:
        path = f"{register.path}.{field.name}"
        if path in FIXED_PORTS:
            return (FIXED_PORTS[path], 0) if hasattr(self.dut, FIXED_PORTS[path]) else None
        if bitmap := re.fullmatch(r"(rails_[a-z]+?)(_\d+)?\.(\w+)_rail", path):
            return f"{bitmap[1]}_i", self.config["rails"].index(bitmap[3])
        if state := re.fullmatch(r"rail_states_\d+\.(\w+)_state", path):
            return "rail_state_i", 8 * self.config["rails"].index(state[1])
        if memory := re.fullmatch(r"memory_(\w+?)\.(\w+\.\w+)", path):
            return f"memory_{memory[1]}_{MEMORY_PORTS[memory[2]]}_i", 0
        if packet := re.fullmatch(r"packet_(\w+)\.(sent|triggers_lost)", path):
            return f"{packet[1]}_{packet[2].removeprefix('triggers_')}_i", 0
        return None

    def drive(self, values: dict[str, int]) -> None:
        """Set the signals behind the fields `values`; all others become 0."""
        words = dict.fromkeys((port for port, _ in self.signals.values()), 0)
        for path, value in values.items():
            port, low = self.signals[path]
            words[port] |= value << low
        for port, word in words.items():
            getattr(self.dut, port).value = word

    async def shown(self) -> dict[str, int]:
        """Read every register with a signal in it; return the fields of `signals`."""
        fields = {}
        for path in dict.fromkeys(path.rpartition(".")[0] for path in self.signals):
            for name, value in (await self.block.read(path)).items():
                fields[f"{path}.{name}"] = value
        return {path: fields[path] for path in self.signals}

    def bits(self, path: str) -> int:
        """Return the width of a field."""
        register, _, name = path.rpartition(".")
        return self.block.registers[register].field(name).bits


async def refused(access: Any) -> bool:
    """Return whether a bus access is answered with an error."""
    try:
        await access
    except BusError:
        return True
    return False


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def identity_is_that_of_the_description(dut):
    bench = await RegistersBench.start(dut)
    for path, expected in bench.config["identity"].items():
        assert await bench.block.read(path) == expected, path


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_register_has_its_reset_value(dut):
    bench = await RegistersBench.start(dut)
    ready = () if bench.config["memories"] else ("status.init_done",)
    for register in bench.registers:
        if register.can("r"):
            word = await bench.bus.read(register.offset)
            for field in register.fields:
                path = f"{register.path}.{field.name}"
                assert field.of(word) == (1 if path in ready else field.reset or 0), path


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_field_shows_its_own_signal_alone(dut):
    bench = await RegistersBench.start(dut)
    for path in bench.signals:
        expected = dict.fromkeys(bench.signals, 0)
        expected[path] = (1 << bench.bits(path)) - 1
        bench.drive({path: expected[path]})
        assert await bench.shown() == expected, path


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_fields_show_different_values_at_once(dut):
    bench = await RegistersBench.start(dut)
    for _ in range(8):
        values = {path: random.getrandbits(bench.bits(path)) for path in bench.signals}
        bench.drive(values)
        assert await bench.shown() == values


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def status_sums_up_the_memories(dut):
    bench = await RegistersBench.start(dut)
    memories = bench.config["memories"]
    ready = {f"memory_{memory}.last_error.init_done": 1 for memory in memories}
    bench.drive(ready)
    assert (await bench.block.read("status"))["init_done"] == 1
    for memory in memories:
        bench.drive({**ready, f"memory_{memory}.last_error.init_done": 0})
        assert (await bench.block.read("status"))["init_done"] == 0, memory
        bench.drive({f"memory_{memory}.last_error.stuck": 1})
        assert (await bench.block.read("status"))["memory_stuck"] == 1, memory


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def read_only_registers_refuse_writes_and_keep_their_value(dut):
    bench = await RegistersBench.start(dut)
    for register in bench.registers:
        if not register.can("w"):
            before = await bench.bus.read(register.offset)
            assert await refused(bench.bus.write(register.offset, ~before & 0xFFFFFFFF))
            assert await bench.bus.read(register.offset) == before, register.path


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_address_without_a_register_is_refused(dut):
    bench = await RegistersBench.start(dut)
    used = {register.offset for register in bench.registers}
    for address in range(0, 1 << bench.bus.address_bits, WORD_OCTETS):
        if address not in used:
            assert await refused(bench.bus.read(address)), f"read of {address:#x}"
            assert await refused(bench.bus.write(address, 0)), f"write of {address:#x}"


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def control_flags_follow_their_code_words(dut):
    bench = await RegistersBench.start(dut)
    for power_up, scrub_enable in ((ON, OFF), (OFF, ON), (ON, ON), (OFF, OFF)):
        await bench.block.write("control", power_up=power_up, scrub_enable=scrub_enable)
        written = {"power_up": power_up, "scrub_enable": scrub_enable}
        assert await bench.block.read("control") == written
        assert int(dut.power_up_o.value) == (power_up == ON)
        assert int(dut.scrub_enable_o.value) == (scrub_enable == ON)
    await bench.bus.write(bench.block.registers["control"].offset, 0x66, strobes=0)
    assert await bench.block.read("control") == {"power_up": OFF, "scrub_enable": OFF}
    assert await bench.block.read("control_upsets") == {"corrected": 0}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_flipped_control_bit_changes_no_flag_and_is_put_right_and_counted(dut):
    # A bus write brings the flip: the flag sees the same code as after an upset.
    bench = await RegistersBench.start(dut)
    upsets = 0
    for flag, other in (("power_up", "scrub_enable"), ("scrub_enable", "power_up")):
        output = getattr(dut, f"{flag}_o")
        for code in (ON, OFF):
            for bit in range(4):
                await bench.block.write("control", **{flag: code ^ 1 << bit, other: OFF})
                assert int(output.value) == (code == ON), f"{flag} {code:#x} bit {bit}"
                upsets += 1
                assert (await bench.block.read("control"))[flag] == code
                assert int(output.value) == (code == ON)
                assert await bench.block.read("control_upsets") == {"corrected": upsets}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_control_code_with_two_flips_takes_the_value_after_reset(dut):
    bench = await RegistersBench.start(dut)
    for code in range(16):
        if {(code ^ ON).bit_count(), (code ^ OFF).bit_count()} == {2}:
            await bench.block.write("control", power_up=code, scrub_enable=code)
            assert await bench.block.read("control") == FLAGS, f"code {code:#x}"


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_strobe_acts_for_one_clock_alone(dut):
    bench = await RegistersBench.start(dut)
    command = bench.block.registers["command"]
    names = [field.name for field in command.fields]
    for name in names:
        await bench.block.write("command", **{name: CLEAR_FAULTS if name == "clear_faults" else 1})
        for expected in (name, None):
            high = [other for other in names if int(getattr(dut, f"{other}_o").value)]
            assert high == ([expected] if expected else []), f"{name}: {high} are high"
            await FallingEdge(dut.clk_i)
    assert await refused(bench.bus.read(command.offset))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def no_other_code_clears_faults(dut):
    # A bus write brings the code: the field holds the same as after upsets.
    bench = await RegistersBench.start(dut)
    field = bench.block.registers["command"].field("clear_faults")
    for code in range(16):
        await bench.bus.write(bench.block.registers["command"].offset, code << field.low)
        assert int(dut.clear_faults_o.value) == (code == CLEAR_FAULTS), f"code {code:#x}"
        await FallingEdge(dut.clk_i)
        assert not dut.clear_faults_o.value, f"code {code:#x} stays"


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def control_upsets_saturate_and_clear(dut):
    bench = await RegistersBench.start(dut)
    dut.u_control_upsets.u_count.q_o.value = 0xFFFF
    await bench.block.write("control", power_up=0x7, scrub_enable=ON)
    assert await bench.block.read("control_upsets") == {"corrected": 0xFFFF}
    await bench.block.write("command", clear_counters=1)
    await FallingEdge(dut.clk_i)
    assert await bench.block.read("control_upsets") == {"corrected": 0}
