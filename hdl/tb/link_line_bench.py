# SPDX-License-Identifier: Apache-2.0
"""The serial line of a payload against a reference machine: commands, damage, repeats, events.

First the line itself: how soon it answers, damage, a rate that is off, resets. Configuration and
top as of `link_payload`.
"""

import cocotb
from cocotb.triggers import Timer

from fw_tools.pus.frames import encode_frame
from fw_tools.pus.identifiers import Ack
from hdl.tb.link_driver import is_unsolicited, reset
from hdl.tb.link_payload import (
    ALL_ACKS,
    BIT_PS,
    CONFIG,
    PING,
    PING_CLOCKS,
    PING_WITH_ACKS_CLOCKS,
    LinkBench,
    ping_clocks,
)
from hdl.tb.uart import UartSource

PINGS = 3  # Of which the slowest counts.


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def a_ping_is_answered_in_time(dut):
    """TC[17,1] is answered by TM[17,2] in 1 ms, with three acknowledgements in 2 ms, at 12 MHz."""
    bench = await LinkBench.start(dut)
    for ack, limit in ((Ack.NONE, PING_CLOCKS), (ALL_ACKS, PING_WITH_ACKS_CLOCKS)):
        clocks = max([await ping_clocks(bench, ack) for _ in range(PINGS)])
        cocotb.log.info("TC[17,1] with %d acknowledgements: %d clocks", ack.bit_count(), clocks)
        assert clocks < limit


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def what_is_no_whole_packet_is_dropped_counted_and_told(dut):
    """Noise, half frames, trailing zeros, damaged sums and breaks leave the line as it was."""
    bench = await LinkBench.start(dut)
    ping = encode_frame(bench.ground.command(*PING, ack=Ack.NONE))
    damaged = bytearray(ping)
    damaged[9] ^= 1
    trailing = encode_frame(bench.ground.command(*PING, ack=Ack.NONE) + b"\0\0")
    long_frame = encode_frame(bytes(1100))
    before = {name: await bench.parameter(f"link.{name}") for name in DROP_COUNTS}
    answered = len(bench.ground.answers)
    for octets in (ping[:9], b"\0", bytes(damaged), trailing, long_frame, b"\5ab\0"):
        await bench.ground.source.send(octets)
    await bench.ground.settle()
    await bench.ground.source.send_break()
    await bench.ground.source.send(b"\0")
    await bench.ground.settle()
    assert all(map(is_unsolicited, bench.ground.answers[answered:])), "something was answered"
    counts = {name: await bench.parameter(f"link.{name}") - before[name] for name in DROP_COUNTS}
    assert counts == {
        "bad_frames_count": 3,  # The half one, the one that breaks off, and that of the break.
        "bad_checks": 1,
        "bad_lengths_count": 1,
        "no_room_count": 1,
        "breaks_count": 1,
        "line_errors_count": 0,
    }
    assert len(bench.events("frame_dropped")) == 1, "more than one event in a second"
    assert bench.events("line_break") == [1 << 16 | 1]
    assert [each.kind for each in await bench.ask(*PING, ack=Ack.NONE)] == [(17, 2)]
    await bench.ask(*PING, b"\x55" * 300)  # Longer than a block, and than the command may be.


DROP_COUNTS = (
    *("bad_frames_count", "bad_checks", "bad_lengths_count"),
    *("no_room_count", "breaks_count", "line_errors_count"),
)


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def a_reset_in_mid_report_costs_that_report_alone(dut):
    """At several places of a long answer; what is said after it is whole."""
    bench = await LinkBench.start(dut)
    wanted = bytes([8]) + b"\0\4" * 8
    for boots, octets in enumerate((1, 5, 17, 40), start=2):
        bench.ground.most_dropped += 1
        packet = bench.ground.command(20, 1, wanted, ack=Ack.NONE)
        await bench.ground.source.send(encode_frame(packet))
        while len(bench.ground.sink.octets) < octets:
            await Timer(BIT_PS, "ps")
        await reset(dut)
        await bench.seconds(0.02)
        await bench.ground.settle()
        assert bench.events("boot") == [0] * boots, octets
        assert bench.ground.restarts == boots
        await bench.ask(*PING, ack=ALL_ACKS)


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def a_warm_reset_comes_once_and_keeps_the_log(dut):
    """TC[8,1] warm reset acknowledges first; its repeat does not reset again."""
    bench = await LinkBench.start(dut)
    packet = bench.ground.command(8, 1, b"\0\5", ack=ALL_ACKS)
    assert [each.kind for each in await bench.exchange(packet)] == [(1, 1), (1, 3), (1, 7)]
    await bench.seconds(0.02)
    await bench.ground.settle()
    assert bench.events("boot") == [0, 1], "the second boot is a warm one"
    assert bench.ground.restarts == 2
    assert [each.kind for each in await bench.exchange(packet)] == [(1, 1), (1, 3), (1, 7)]
    await bench.seconds(0.02)
    await bench.ground.settle()
    assert bench.events("boot") == [0, 1]


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def a_line_a_little_fast_or_slow_is_understood(dut):
    """3 % off either way, and a glitch of one clock around the middle of every bit."""
    bench = await LinkBench.start(dut)
    for scale in (0.97, 1.03):
        bench.ground.source.bit_ps = round(BIT_PS * scale)
        assert len(await bench.ask(*PING, bytes(0))) == 3
    bench.ground.source.bit_ps = BIT_PS
    for place in range(CONFIG["divisor"] // 2 - 2, CONFIG["divisor"] // 2 + 4):
        frame = encode_frame(bench.ground.command(*PING, ack=Ack.NONE))
        before = len(bench.ground.answers)
        for octet in frame:
            await send_with_glitches(bench.ground.source, octet, place / CONFIG["divisor"])
        await bench.ground.settle()
        assert [each.kind for each in bench.ground.answers[before:]] == [(17, 2)], place


async def send_with_glitches(source: UartSource, octet: int, place: float) -> None:
    """Send an octet with one clock of the other level in each bit."""
    glitch = 1 / CONFIG["divisor"]
    for number in range(10):
        level = ((octet << 1) | 1 << 9) >> number & 1
        await source.hold(level, place)
        await source.hold(1 - level, glitch)
        await source.hold(level, 1 - place - glitch)
