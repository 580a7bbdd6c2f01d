# SPDX-License-Identifier: Apache-2.0
"""What a payload tells by itself: housekeeping, time, events and their log.

Configuration and top as of `link_payload`.
"""

import cocotb
from cocotb.utils import get_sim_time

from fw_tools.pus.frames import encode_frame
from fw_tools.pus.identifiers import Ack
from hdl.tb.board import Rail
from hdl.tb.link_driver import Answer
from hdl.tb.link_payload import (
    CLOCK_PS,
    CONFIG,
    LINK,
    OFFER_S,
    ONE_SHOT,
    PING,
    SECOND_CLOCKS,
    SHORT_SECOND,
    STRUCTURE,
    LinkBench,
    area,
)


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def housekeeping_comes_when_due_and_when_asked(dut):
    """Periodic, at another interval, switched off, once, and faster than the line."""
    bench = await LinkBench.start(dut, is_quiet=False)
    await bench.ask(3, 31, b"\1" + STRUCTURE + (100).to_bytes(4, "big"))
    before = len(reports(bench))
    await bench.seconds(1.05 * SHORT_SECOND)
    assert len(reports(bench)) - before in (9, 10, 11)
    await bench.ask(3, 6, b"\1" + STRUCTURE)
    before = len(reports(bench))
    await bench.seconds(SHORT_SECOND)
    assert len(reports(bench)) == before
    packet = bench.ground.command(*ONE_SHOT, b"\1" + STRUCTURE, ack=Ack.NONE)
    assert not await bench.ground.ask(packet), "nothing but the report was asked for"
    (answer,) = reports(bench)[before:]
    assert answer.packet.data[:2] == STRUCTURE
    await bench.ask(3, 31, b"\1" + STRUCTURE + (10).to_bytes(4, "big"))
    await bench.ground.source.send(encode_frame(bench.ground.command(3, 5, b"\1" + STRUCTURE)))
    await bench.seconds(SHORT_SECOND)
    await bench.ground.source.send(encode_frame(bench.ground.command(*PING, ack=Ack.NONE)))
    await bench.ground.source.send(encode_frame(bench.ground.command(3, 6, b"\1" + STRUCTURE)))
    await bench.ground.settle()
    assert bench.ground.answers[-1].kind == (1, 7), "reports that nobody can carry kept it waiting"
    sent = len(reports(bench)) - before - 1
    lost = await bench.parameter("link.reports_lost")
    assert lost > 0, "the line carried a report every 10 ms"
    assert 95 <= sent + lost <= 200


def reports(bench: LinkBench) -> list[Answer]:
    """Return all housekeeping reports."""
    return [each for each in bench.ground.answers if each.kind == (3, 25)]


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def the_uptime_is_the_whole_seconds_since_reset(dut):
    """From 0, counted in clocks; to set the time does not change it."""
    clocks_a_second = SHORT_SECOND * SECOND_CLOCKS
    began = get_sim_time("ps")
    bench = await LinkBench.start(dut)
    await bench.ask(9, 128, bytes.fromhex("2e 12345678 0000"))
    for seconds in (0.95, 1.05, 1.95, 2.05):
        passed = (get_sim_time("ps") - began) / CLOCK_PS
        await bench.seconds((seconds * clocks_a_second - passed) / SECOND_CLOCKS)
        assert await bench.parameter("link.uptime_s") == int(seconds), f"after {seconds} s"


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def the_time_is_set_and_told(dut):
    """TC[9,128] sets the clock, over its end too; TM[9,2] tells it without a secondary header."""
    bench = await LinkBench.start(dut)
    await bench.ask(9, 128, bytes.fromhex("2e 12345678 0000"))
    (answer,) = await bench.ask(*PING, ack=Ack.NONE)
    assert answer.packet.seconds == 0x12345678
    await bench.ask(9, 128, bytes.fromhex("2e ffffffff fff0"))
    await bench.seconds(0.01)
    (answer,) = await bench.ask(*PING, ack=Ack.NONE)
    assert answer.packet.seconds == 0
    await bench.ask(9, 1, b"\0")
    await bench.seconds(2.1 * SHORT_SECOND)
    await bench.ask(9, 1, b"\xff")
    first, second, *_ = bench.ground.time_reports
    assert first[:7] == bytes.fromhex("0000 c000 0009 00")
    assert second[:7] == bytes.fromhex("0000 c001 0009 00")
    assert abs(units_of(second) - units_of(first) - 65536 * SHORT_SECOND) < 655


def units_of(packet: bytes) -> int:
    """Return the time of a time report in units of 2^-16 s."""
    return int.from_bytes(packet[8:14], "big")


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def a_broken_rail_becomes_an_event(dut):
    """What a register shows is told without being asked; TC[5,6] stops that and TC[5,5] resumes."""
    bench = await LinkBench.start(dut)
    if not CONFIG["rails"]:
        return
    rail = bench.board.rails[0]
    number = next(each["id"] for each in LINK["events"] if each["name"] == f"fault_{rail.name}")
    if not rail.keep_alive:
        await bench.ask(8, 1, b"\0\1")
    told = [await faults_told(bench, rail)]  # Without power good on the board it fails by itself.
    for is_told in (False, True):
        await bench.ask(5, 5 if is_told else 6, b"\1" + number.to_bytes(2, "big"))
        await bench.seconds(2 * SHORT_SECOND)
        await bench.ask(8, 1, b"\0\3")
        told.append(await faults_told(bench, rail))
    assert told == [1, 1, 2]


async def faults_told(bench: LinkBench, rail: Rail) -> int:
    """Wait until a rail must have failed, and return how often an event has told of it."""
    await bench.seconds((rail.off_timeout + 3 * rail.ramp_max) / SECOND_CLOCKS)
    await bench.ground.settle()
    found = bench.events(f"fault_{rail.name}")
    assert all(data & 1 for data in found), "the first rail is bit 0 of the register"
    return len(found)


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def the_log_of_events_can_be_dumped(dut):
    """Its last record is the boot that began this test, the one before it of an earlier reset."""
    bench = await LinkBench.start(dut)
    dut.boot_select_i.value = 1
    for _ in range(2):
        await bench.ask(8, 1, b"\0\5")
        await bench.seconds(0.02 + OFFER_S)
    packet = bench.ground.command(6, 5, area(0xE0, 0, 768), ack=Ack.NONE)
    (answer,) = await bench.ground.ask(packet, 1)
    log = answer.packet.data[8:-2]
    records = [log[start : start + 12] for start in range(0, 768, 12)]
    boots = [each[8:] for each in records if each[:2] == b"\0\1"]
    assert bytes.fromhex("0001 0001") in boots, "a warm boot with the pin high"
    assert len(boots) >= 3
