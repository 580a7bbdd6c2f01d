# SPDX-License-Identifier: Apache-2.0
"""A housekeeping packetiser: every field at its ends, triggers, counts, stalls and upsets.

Configuration (JSON, named by FW_BENCH_CONFIG): `packet` (apid, structure_id, destination_id,
fields), `telemetry` (the generated definitions) and `capture` (the file that takes what was sent).
Top: the generated packetiser.
"""

import json
import os
import random
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer

from hdl.tb.octet_stream import OctetSink, stalls
from hdl.tb.reports import Report, decode_report, distinct_octets, load_definitions

CLOCK_NS = 20
SETTLED_CLOCKS = 3  # A remembered trigger starts its packet after one.
LOWEST, HIGHEST, DISTINCT = 0, -1, None


class HousekeepingBench:
    """Drives fields and triggers, and packs by hand what should come out."""

    @classmethod
    async def start(cls, dut: Any) -> "HousekeepingBench":
        """Return a bench on a packetiser that comes out of reset."""
        bench = cls(dut, json.loads(Path(os.environ["FW_BENCH_CONFIG"]).read_text()))
        cocotb.start_soon(Clock(dut.clk_i, CLOCK_NS, unit="ns").start())
        dut.rst_ni.value = 0
        bench.drive(bench.all_fields(LOWEST))
        await Timer(2 * CLOCK_NS, "ns")
        await FallingEdge(dut.clk_i)
        dut.rst_ni.value = 1
        return bench

    def __init__(self, dut: Any, config: dict[str, Any]) -> None:
        self.dut = dut
        self.report = Report.from_config(config["packet"])
        self.definitions = load_definitions(Path(config["telemetry"]))
        self.capture = Path(config["capture"])
        self.sink = OctetSink(dut.clk_i, dut.m_valid_o, dut.m_ready_i, dut.m_data_o, dut.m_last_o)
        self.count = 0
        self.time = (0, 0)
        self.values: dict[str, int] = {}
        dut.trigger_i.value = 0
        dut.clear_counters_i.value = 0

    def all_fields(self, value: int | None) -> dict[str, int]:
        """Return all fields at their lowest, their highest, or with octets that all differ."""
        values, octet = {}, random.randrange(256)
        for field in self.report.fields:
            distinct = distinct_octets(field.bits, octet)
            values[field.name] = distinct if value is None else value % (1 << field.bits)
            octet += field.bits // 8
        return values

    def drive(self, values: dict[str, int]) -> None:
        """Set the field inputs, and a new time."""
        self.values = values
        self.time = (random.getrandbits(32), random.getrandbits(16))
        for name, value in values.items():
            getattr(self.dut, f"field_{name}_i").value = value
        self.dut.coarse_time_i.value, self.dut.fine_time_i.value = self.time

    async def trigger(self) -> bytes:
        """Pulse the trigger for one clock and return the packet that is due for it."""
        self.dut.trigger_i.value = 1
        await FallingEdge(self.dut.clk_i)
        self.dut.trigger_i.value = 0
        return self.due()

    def due(self) -> bytes:
        """Return the packet that takes fields and time as they are now."""
        coarse, fine = self.time
        return self.report.pack(self.values, count=self.count, coarse=coarse, fine=fine)

    async def send(self, values: dict[str, int]) -> bytes:
        """Drive `values`, trigger, and return the packet, which must be as packed by hand."""
        self.drive(values)
        due = await self.trigger()
        self.drive(self.all_fields(DISTINCT))  # Whatever comes now belongs to the next one.
        packet = await self.sink.packet()
        assert packet == due, f"sent {packet.hex(' ')}\n due {due.hex(' ')}"
        self.count += 1
        return packet

    async def settle(self) -> None:
        """Take what is left after an upset; every packet in it must have an end."""
        self.sink.forget()
        quiet = 0
        while quiet < SETTLED_CLOCKS:
            quiet = quiet + 1 if await self.sink.step() is None else 0
        assert not self.sink.is_in_packet, "the stream stopped in the middle of a packet"


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_field_reads_back_at_lowest_highest_and_distinct_octets(dut):
    bench = await HousekeepingBench.start(dut)
    capture = bytearray()
    for bench.sink.ready_in in stalls():
        for field in bench.report.fields:
            for value in (LOWEST, HIGHEST, DISTINCT):
                values = bench.all_fields(DISTINCT)
                values[field.name] = bench.all_fields(value)[field.name]
                packet = await bench.send(values)
                apid, decoded = decode_report(bench.definitions, packet)
                assert apid == bench.report.apid
                got = {name: int(decoded[name]) for name in values}
                assert got == values, f"the ground reads {got}, driven was {values}"
                capture += packet
    bench.capture.write_bytes(capture)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_fields_together_at_lowest_and_highest(dut):
    bench = await HousekeepingBench.start(dut)
    for value in (LOWEST, HIGHEST):
        await bench.send(bench.all_fields(value))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def sequence_count_wraps_at_14_bits_and_message_counter_at_16(dut):
    bench = await HousekeepingBench.start(dut)
    for first in (0x3FFE, 0xFFFE):
        dut.count_q.value = bench.count = first
        for _ in range(3):
            await bench.send(bench.all_fields(DISTINCT))
    assert int(dut.sent_count_o.value) == 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def one_trigger_during_a_packet_is_remembered_and_further_ones_are_counted(dut):
    bench = await HousekeepingBench.start(dut)
    bench.drive(bench.all_fields(HIGHEST))
    first = await bench.trigger()
    for _ in range(3):
        await bench.trigger()
    assert await bench.sink.packet() == first
    bench.count += 1
    bench.drive(bench.all_fields(DISTINCT))
    remembered = bench.due()  # Its time and fields are those of its own start.
    assert await bench.sink.packet() == remembered
    await bench.sink.quiet(100)
    assert int(dut.lost_count_o.value) == 2
    assert int(dut.sent_count_o.value) == 2


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def lost_triggers_saturate_and_clear(dut):
    bench = await HousekeepingBench.start(dut)
    await bench.trigger()  # Held up by the sink, which is not ready.
    await bench.trigger()
    dut.u_lost_counter.u_count.q_o.value = 0xFFFE
    for expected in (0xFFFF, 0xFFFF):
        await bench.trigger()
        assert int(dut.lost_count_o.value) == expected
    dut.clear_counters_i.value = 1
    await FallingEdge(dut.clk_i)
    dut.clear_counters_i.value = 0
    await FallingEdge(dut.clk_i)
    assert int(dut.lost_count_o.value) == 0
    dut.clear_counters_i.value = 1
    await bench.trigger()
    dut.clear_counters_i.value = 0
    assert int(dut.lost_count_o.value) == 1, "an event in the clearing clock is lost"


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def no_upset_of_its_state_wedges_it_or_harms_the_next_packet(dut):
    bench = await HousekeepingBench.start(dut)
    registers = [(dut.octet_q, bit) for bit in range(len(dut.octet_q))]
    registers += [(dut.is_open_q, 0), (dut.is_pending_q, 0)]
    packet_octets = len(bench.due())
    for register, bit in registers:
        for moment in (0, 1, packet_octets // 2, packet_octets - 1, packet_octets + 2):
            await bench.trigger()
            for _ in range(moment):
                await bench.sink.step()
            register.value = int(register.value) ^ 1 << bit
            await bench.settle()
            bench.count = int(dut.count_q.value)
            await bench.send(bench.all_fields(DISTINCT))
