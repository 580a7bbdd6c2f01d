# SPDX-License-Identifier: Apache-2.0
"""The serial line of a payload against a reference machine: commands, damage, repeats, events.

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
from cocotb.triggers import FallingEdge, Timer
from cocotb.utils import get_sim_time

from fw_tools.ecc import encode, hsiao
from fw_tools.pus.commands import COMMANDS
from fw_tools.pus.frames import encode_frame
from fw_tools.pus.identifiers import Ack
from fw_tools.pus.loader import Loader
from fw_tools.pus.memories import FlashMemory
from fw_tools.pus.packets import SEQUENCE_MODULUS, crc16, with_crc
from fw_tools.pus.parameters import PlainRegister, PlainRegisters
from fw_tools.pus.slots import HEADER, ImageKind, SlotLayout, build_header, build_records
from hdl.tb.board import Board, Rail
from hdl.tb.link_driver import CONTROL, Answer, Expected, Ground, is_unsolicited, reference, reset
from hdl.tb.spi_flash import SpiFlash
from hdl.tb.uart import UartSource

CLOCK_PS = 20_000
CONFIG = json.loads(Path(os.environ["FW_BENCH_CONFIG"]).read_text())
LINK = CONFIG["link"]
BIT_PS = CONFIG["divisor"] * CLOCK_PS
SECOND_CLOCKS = CONFIG["clock_hz"]  # Of the payload's clock.
SHORT_SECOND = 1 / CONFIG["time_scale"]  # What the link takes for a second.
# Bars: TC[17,1] to TM[17,2] in 1 ms without acknowledgements and in 2 ms with three, at 12 MHz.
PING_CLOCKS, PING_WITH_ACKS_CLOCKS = 12_000, 24_000
PINGS = 3  # Of which the slowest counts.
ALL_ACKS = Ack.ACCEPTANCE | Ack.START | Ack.COMPLETION
STABLE = (0, 2, 4)  # Registers that only the link changes.
RANDOM_COMMANDS = 50
UPSETS = 20
WORD_BITS = 16
VARIABLES = 557  # Words of the engine before those that survive a reset.
PATROL_CLOCKS = 600_000  # In which the engine reads every word of its own.
OFFER_S = 0.26 * SHORT_SECOND  # With the boot select pin high the line is offered that long.
WARM_BOOT_S = 0.1 * SHORT_SECOND  # In which an FPGA has to begin to load another bitstream.
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


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def a_ping_is_answered_in_time(dut):
    """TC[17,1] is answered by TM[17,2] in 1 ms, with three acknowledgements in 2 ms, at 12 MHz."""
    bench = await LinkBench.start(dut)
    for ack, limit in ((Ack.NONE, PING_CLOCKS), (ALL_ACKS, PING_WITH_ACKS_CLOCKS)):
        clocks = max([await ping_clocks(bench, ack) for _ in range(PINGS)])
        cocotb.log.info("TC[17,1] with %d acknowledgements: %d clocks", ack.bit_count(), clocks)
        assert clocks < limit


async def ping_clocks(bench: LinkBench, ack: Ack) -> int:
    """Return how long a ping takes, from its first start bit to the last stop bit it leads to."""
    await bench.seconds(random.random() / 1000)  # Whatever the engine is doing in between.
    answers = await bench.exchange(bench.ground.command(*PING, ack=ack))
    return (answers[-1].time_ps - bench.ground.sent_at_ps) // CLOCK_PS


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def every_command_is_answered_as_the_reference_machine_does(dut):
    """Right, wrong and repeated commands, with every mix of acknowledgements."""
    bench = await LinkBench.start(dut)
    sent: list[bytes] = []
    for _ in range(RANDOM_COMMANDS):
        packet = random_packet(bench.ground, sent)
        sent.append(packet)
        await bench.exchange(packet)


def random_packet(ground: Ground, sent: list[bytes]) -> bytes:
    """Return a packet that is one of many kinds of right and wrong."""
    kind = random.choice([kind for kind in COMMANDS if kind not in (ONE_SHOT, (9, 1), (6, 128))])
    data = random_data(kind)
    ack = Ack(random.choice([0, 1, 4, 8, 13]))
    match random.randrange(12):
        case 0 if sent:
            return random.choice(sent[-20:])
        case 1:  # Another length.
            return ground.command(*kind, data + bytes(random.randint(1, 3)), ack=ack)
        case 2 if data:
            return ground.command(*kind, data[:-1], ack=ack)
        case 3:  # Nobody's.
            return ground.command(random.randrange(256), random.randrange(256), data, ack=ack)
        case 4:  # A bit of its headers.
            packet = bytearray(ground.command(*kind, data, ack=ack))
            packet[random.choice([0, 1, 2, 6])] ^= 1 << random.randrange(8)
            return with_crc(bytes(packet[:-2]))
        case 5:  # Too short to have a secondary header.
            short = random.randbytes(random.randint(0, 4))
            head = ground.command(*PING)[:4] + (len(short) + 1).to_bytes(2, "big")
            return with_crc(head + short)
    return ground.command(*kind, data, ack=ack)


def random_data(kind: tuple[int, int]) -> bytes:
    """Return application data that is right, or wrong only in a value."""
    number = random.choice([1, 1, 1, 0, 2, 17, 33])
    match kind:
        case (3, 31):
            interval = random.choice([9, 1000, 70_000]).to_bytes(4, "big")
            return bytes([number]) + (random_id([LINK["structure_id"]]) + interval) * number
        case (3, _):
            return bytes([number]) + random_id([LINK["structure_id"]]) * number
        case (5, _):
            known = [each["id"] for each in LINK["events"]]
            return bytes([number]) + b"".join(random_id(known) for _ in range(number))
        case (6, _):
            return random_area(kind[1], random.choice([1, 1, 1, 0, 2]))
        case (8, 1):
            return random.choice([1, 2, 3, 4, 6, 0x100]).to_bytes(2, "big")
        case (9, _):
            return bytes([random.choice([0x2E, 0x2E, 0x1E])]) + random.randbytes(6)
        case (20, 1):
            return bytes([number]) + b"".join(random_id(STABLE) for _ in range(number))
        case (20, 3):
            values = (random.choice([0x66, 0x69, 0x96, 0x166]) for _ in range(number))
            return bytes([number]) + b"".join(
                random_id([4, 4, 0]) + value.to_bytes(4, "big") for value in values
            )
    return b""


def random_area(subtype: int, count: int) -> bytes:
    """Return a memory, a number of areas and that many areas, right or wrong in one value."""
    memory = random.choice(CONFIG["memories"] or [NO_MEMORY])
    word = memory["word_octets"]
    length = random.choice([1, 2, 3, 5]) * word + random.choice([0, 0, 0, 0, 1])
    near_end = memory["octets"] - random.choice([1, 2, 8]) * word
    address = random.choice([0, 3 * word, near_end, near_end + 1, 1 << 31])
    head = bytes([random.choice([memory["id"]] * 5 + [0x77]), count])
    place = address.to_bytes(4, "big") + length.to_bytes(4 if subtype == 129 else 2, "big")
    if subtype != 2:
        return head + place * count
    words = (random.getrandbits(memory["data_bits"]).to_bytes(word, "big") for _ in range(6))
    data = b"".join(words)[:length].ljust(length, b"\0")
    checksum = crc16(data) ^ random.choice([0, 0, 0, 1])
    return head + (place + data + checksum.to_bytes(2, "big")) * count


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def a_command_that_cannot_be_is_refused(dut):
    """Segments, PUS-A, none or two where one is taken, an area across the end, a wrong sum."""
    bench = await LinkBench.start(dut)
    for at, mask in ((2, 0x40), (2, 0x80), (2, 0xC0), (6, 0x30)):
        packet = bytearray(bench.ground.command(8, 1, b"\0\4"))
        packet[at] ^= mask
        await bench.exchange(with_crc(bytes(packet[:-2])))
    for number in (0, 2):
        for subtype, more in ((5, b""), (6, b""), (27, b""), (31, (1000).to_bytes(4, "big"))):
            await bench.ask(3, subtype, bytes([number]) + (STRUCTURE + more) * number)
    for memory in CONFIG["memories"] or [NO_MEMORY]:
        number, word = memory["id"], memory["word_octets"]
        for subtype in (5, 9):
            await bench.ask(6, subtype, bytes([number, 0]))
            await bench.ask(6, subtype, bytes([number, 2]) + area(number, 0, word)[2:] * 2)
            await bench.ask(6, subtype, area(number, memory["octets"] - word, 2 * word))
        before, after = bytes(word), bytes(word - 1) + b"\1"
        await bench.ask(6, 2, load(number, 0, before))
        await bench.ask(6, 2, load(number, 0, after)[:-2] + b"\xbe\xef")
        await bench.ask(6, 2, bytes([number, 2]) + load(number, 0, after)[2:] * 2)
        await bench.ask(6, 2, load(number, memory["octets"] - word, after * 2))
        await bench.ask(6, 5, area(number, 0, word))


def random_id(known: Any) -> bytes:
    """Return one of the known numbers, seldom another."""
    return random.choice([*known, *known, *known, 0x3FFF]).to_bytes(2, "big")


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
async def a_repeated_command_is_answered_again_and_not_carried_out(dut):
    """The last 16 are known, also after a warm reset; one older or changed is carried out."""
    bench = await LinkBench.start(dut)
    done = await bench.parameter("link.functions_done")
    packets = [bench.ground.command(8, 1, b"\0\3", ack=ALL_ACKS) for _ in range(17)]
    for packet in (*packets[:16], *packets[:16], packets[16]):
        await bench.exchange(packet)
    assert await bench.parameter("link.functions_done") == done + 17
    await bench.exchange(packets[0])
    assert await bench.parameter("link.functions_done") == done + 18
    assert await bench.parameter("link.repeated_commands") == 16


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def sequence_counts_wrap(dut):
    """From 16,383 to 0, of commands and of reports; no command is taken for another."""
    bench = await LinkBench.start(dut)
    done = await bench.parameter("link.functions_done")
    set_word(dut, "sequence_count", SEQUENCE_MODULUS - 4)
    bench.ground.sequence_count = SEQUENCE_MODULUS - 5
    bench.ground.next_count = SEQUENCE_MODULUS - 2
    for _ in range(4):
        await bench.ask(8, 1, b"\0\3", ack=ALL_ACKS)
    assert bench.ground.sequence_count == 7
    assert await bench.parameter("link.functions_done") == done + 4


def set_word(dut: Any, name: str, value: int) -> None:
    """Give a variable of the engine another value."""
    word = dut.u_link.u_ram.u_array.mem[CONFIG["words"][name]]
    word.value = encode(hsiao(WORD_BITS), value)


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
async def memories_are_written_read_and_summed(dut):
    """The longest areas, next to a user who takes every clock; an uncorrectable word is told."""
    bench = await LinkBench.start(dut)
    for memory in CONFIG["memories"]:
        name, word = memory["name"], memory["word_octets"]
        longest = 1024 if memory is CONFIG["memories"][0] else 128
        length = min(longest, memory["octets"]) // word * word
        start = memory["octets"] - length
        for user_requests in (0, 1):
            getattr(dut, f"{name}_request_i").value = user_requests
            words = [random.getrandbits(memory["data_bits"]) for _ in range(length // word)]
            data = b"".join(each.to_bytes(word, "big") for each in words)
            await bench.ask(6, 2, load(memory["id"], start, data), ack=ALL_ACKS)
            dumped = await bench.ask(6, 5, area(memory["id"], start, length))
            assert dumped[1].packet.data[8:-2] == data
            await bench.ask(6, 9, area(memory["id"], start, length))
        await bench.ask(6, 129, long_area(memory["id"], 0, 16 * word))
        getattr(dut, f"{name}_request_i").value = 0
        getattr(dut, f"{name}_inject_mask_i").value = 3
        getattr(dut, f"{name}_inject_valid_i").value = 1
        getattr(dut, f"{name}_write_i").value = 1
        getattr(dut, f"{name}_address_i").value = start // word + 1
        getattr(dut, f"{name}_request_i").value = 1
        await bench.seconds(50 / SECOND_CLOCKS)
        for port in ("request", "write", "inject_valid", "address"):
            getattr(dut, f"{name}_{port}_i").value = 0
        bench.expected.machine.memory(memory["id"]).broken_words.add(start + word)
        await bench.ask(6, 5, area(memory["id"], start, 3 * word))
        await bench.ask(6, 2, load(memory["id"], start, data[: 2 * word]))
        await bench.ask(6, 5, area(memory["id"], start, 3 * word))


def area(memory_id: int, address: int, length: int) -> bytes:
    """Return memory ID, one area."""
    return bytes([memory_id, 1]) + address.to_bytes(4, "big") + length.to_bytes(2, "big")


def long_area(memory_id: int, address: int, length: int) -> bytes:
    """Return memory ID, one area whose length has 32 bits."""
    return bytes([memory_id, 1]) + address.to_bytes(4, "big") + length.to_bytes(4, "big")


def load(memory_id: int, address: int, data: bytes) -> bytes:
    """Return the data of TC[6,2]."""
    return area(memory_id, address, len(data)) + data + crc16(data).to_bytes(2, "big")


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def the_flash_is_erased_programmed_and_read(dut):
    """Across pages, sectors and blocks; one that does not answer is told and not waited for."""
    bench = await LinkBench.start(dut)
    if not bench.flash:
        return
    number = FLASH["id"]
    open_golden(bench, is_open=True)
    data = random.randbytes(300)
    for address, chunk in ((0x10FF0, data), (0x2FFF8, data[:20]), (0x20, b"\0"), (0x20, data[:9])):
        await bench.ask(6, 2, load(number, address, chunk))
        assert await dumped(bench, address, len(chunk)) == chunk or address == 0x20
    for address, length in ((0x11000, 0x1000), (0xF000, 0x12000), (0, 0x1000)):
        await bench.ask(6, 128, long_area(number, address, length))
        expected = bytes(bench.expected.machine.memory(number).content)
        assert bytes(bench.flash.content) == expected, hex(address)
    await bench.ask(6, 129, long_area(number, 0x2FFF0, 0x20))
    open_golden(bench, is_open=False)
    if SLOTS.slot_octets:
        for address in (0, SLOTS.slot_octets - 0x1000, SLOTS.slot_octets):
            await bench.ask(6, 2, load(number, address, data))
            await bench.ask(6, 128, long_area(number, address, 0x1000))
        assert bytes(bench.flash.content) == bytes(bench.expected.machine.memory(number).content)
    bench.flash.busy_polls = 1 << 31
    packet = bench.ground.command(6, 9, area(number, 0x23456, 16))
    await bench.ground.source.send(encode_frame(packet))
    await bench.seconds(2.6 * SHORT_SECOND)
    await bench.ground.settle()
    failed = [each for each in bench.ground.answers if each.kind == (1, 8)]
    assert failed[-1].packet.data[4:] == bytes.fromhex("0027 00023456")
    bench.flash.die()
    packet = bench.ground.command(6, 9, area(number, 0x123456, 16))
    await bench.ground.source.send(encode_frame(packet))
    await bench.ground.settle()
    failed = [each for each in bench.ground.answers if each.kind == (1, 8)]
    assert failed[-1].packet.data[4:] == bytes.fromhex("0027 00123456")
    await bench.exchange(bench.ground.command(8, 1, b"\0\5"))
    await bench.seconds(0.05)
    assert await ping_clocks(bench, Ack.NONE) < PING_CLOCKS, (
        "it waits for a flash that is not there"
    )


def open_golden(bench: LinkBench, *, is_open: bool) -> None:
    """Set the boot select pin, on the board and in the reference machine."""
    bench.dut.boot_select_i.value = is_open
    bench.expected.machine.memory(FLASH["id"]).is_golden_open = is_open


async def dumped(bench: LinkBench, address: int, length: int) -> bytes:
    """Return what TC[6,5] tells of the flash."""
    answers = await bench.ask(6, 5, area(FLASH["id"], address, length))
    return answers[1].packet.data[8:-2]


@cocotb.test(timeout_time=200, timeout_unit="ms")
async def the_best_slot_that_can_be_booted_is(dut):
    """By sequence number; one with a wrong header, image, identity or content is left out."""
    bench = await LinkBench.start(dut)
    if not SLOTS.slot_octets:
        return
    flash = bench.expected.machine.memory(FLASH["id"])
    words = [(memory["id"], 2 * memory["word_octets"], memory) for memory in CONFIG["memories"]]
    data = [(number, at, some_words(memory, 3)) for number, at, memory in words]
    update = build_records({CONTROL: 0x99}, data)
    golden = build_records({}, [(number, 0, some_words(memory, 1)) for number, _, memory in words])
    bits = random.randbytes(70)
    read_only = build_records({CONTROL: 0x99, 0: 1}, [])
    past_end = build_records({}, [(number, m["octets"], b"\0" * at) for number, at, m in words])
    truncated = update[:-1]
    put_slot(flash, 0, golden, ImageKind.RECORDS, 1)
    for number, slots in enumerate(
        (
            {1: (update, ImageKind.RECORDS, 5), 2: (update, ImageKind.RECORDS, 4)},
            {3: (update, ImageKind.RECORDS, 5), 2: (golden, ImageKind.RECORDS, 5)},
            {4: (read_only, ImageKind.RECORDS, 9), 5: (past_end, ImageKind.RECORDS, 8)},
            {6: (truncated, ImageKind.RECORDS, 7), 7: (golden + bytes(9), ImageKind.RECORDS, 6)},
            {1: (bits, ImageKind.BITSTREAM, 1), 7: (update, 3, 2)},
            {1: (update, ImageKind.RECORDS, 8, 1), 2: (update, ImageKind.RECORDS, 7, 1 << 31)},
            {
                1: (update, ImageKind.RECORDS, 8, 0, 1),
                2: (bits, ImageKind.BITSTREAM, 7, 0, 1 << 63),
            },
            {2: (update, ImageKind.RECORDS, 2), 3: (update, ImageKind.BITSTREAM, 0xFFFF)},
        )
    ):
        for slot in range(1, SLOTS.count):
            put_slot(flash, slot, *slots.get(slot, (b"", ImageKind.RECORDS, 0)))
        if number == 1:
            flash.content[SLOTS.image_at(3) + 5] ^= 1
        if number == 7:
            flash.content[SLOTS.header_at(2) + 30] ^= 1
            open_golden(bench, is_open=True)
        await boots_as_the_reference(bench, flash)
    open_golden(bench, is_open=False)
    put_slot(flash, 0, b"", ImageKind.RECORDS, 1)
    await boots_as_the_reference(bench, flash)
    put_slot(flash, 2, b"", ImageKind.RECORDS, 1)
    put_slot(flash, 3, b"", ImageKind.RECORDS, 1)
    await boots_as_the_reference(bench, flash)


async def boots_as_the_reference(bench: LinkBench, flash: FlashMemory) -> list[int]:
    """Let payload and reference boot what is in the flash, and compare all that it changes.

    Return the slots whose bitstream the reference asked for.
    """
    assert bench.flash is not None
    bench.flash.content[:] = flash.content
    machine = bench.expected.machine
    registers = {4: PlainRegister("rw", 0x69, is_refused=lambda value: bool(value & ~0xFF))}
    memories = {each["id"]: machine.memory(each["id"]) for each in CONFIG["memories"]}
    identities = {ImageKind.RECORDS: int(LINK["rtl_digest"], 16), ImageKind.BITSTREAM: 0}
    loader = Loader(
        layout=SLOTS,
        flash=flash,
        registers=PlainRegisters(registers | {0: PlainRegister("r")}),
        memories=memories,
        identities=identities,
        warm_boot_slots=bench.loadable,
    )
    before = {name: len(bench.events(name)) for name in ("slot_booted", "slot_refused")}
    for memory in CONFIG["memories"]:
        await bench.ask(6, 2, load(memory["id"], 0, some_words(memory, 6)))
        machine.memory(memory["id"]).content[:] = bytes(memory["octets"])  # As a reset leaves it.
    report = loader.boot(is_golden_wanted=flash.is_golden_open)
    await bench.exchange(bench.ground.command(8, 1, b"\0\5"))
    await bench.seconds(0.08 + OFFER_S + len(loader.warm_boots) * WARM_BOOT_S)
    await bench.ground.settle()
    told = {name: bench.events(name)[count:] for name, count in before.items()}
    wanted = {"slot_booted": report.booted, "slot_refused": report.refused}
    assert told == {name: [] if data is None else [data] for name, data in wanted.items()}
    for memory in CONFIG["memories"]:
        await bench.ask(6, 5, area(memory["id"], 0, 6 * memory["word_octets"]))
    assert await bench.parameter("control") == registers[4].value
    slot = 0xFF if report.booted is None else report.booted >> 16
    assert await bench.parameter("link.booted_slot") == slot
    await bench.ask(3, 6, b"\1" + STRUCTURE)
    assert bytes(bench.flash.content) == bytes(flash.content), "the marks of a bitstream"
    return loader.warm_boots


def put_slot(
    flash: FlashMemory,
    slot: int,
    image: bytes,
    kind: int,
    sequence: int,
    crc_error: int = 0,
    error: int = 0,
) -> None:
    """Write a slot as the ground would; one without an image is empty."""
    identity = int(LINK["rtl_digest"], 16) if kind == ImageKind.RECORDS else 0
    header = build_header(image, kind, sequence, identity ^ error) if image else b"\xff" * 32
    if crc_error:
        fields = HEADER.parse(header)
        fields.crc32 ^= crc_error
        header = with_crc(HEADER.build(fields)[:-2])
    for at, octets in ((SLOTS.image_at(slot), image), (SLOTS.header_at(slot), header)):
        flash.content[at : at + len(octets)] = octets


def some_words(memory: dict[str, Any], count: int) -> bytes:
    """Return so many words of a memory."""
    words = [random.getrandbits(memory["data_bits"]) for _ in range(count)]
    return b"".join(each.to_bytes(memory["word_octets"], "big") for each in words)


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


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def an_upset_of_the_engine_changes_no_answer(dut):
    """Single flips in its words, its program and a voted replica of its state, while it works."""
    bench = await LinkBench.start(dut)
    link = dut.u_link
    stores = [(link.u_ram.u_array.mem, 22), (dut.u_program.mem, 23)]
    replicas = link.u_core.u_upsets if CONFIG["is_voted"] else None
    overwritten = 0  # At most: a variable that is written before it is read heals unseen.
    for _ in range(UPSETS):
        cocotb.start_soon(bench.ground.source.send(encode_frame(b"")))  # Keeps it busy a little.
        await bench.seconds(random.random() / 1000)
        if random.randrange(3) or replicas is None:
            store, width = random.choice(stores)
            number = random.randrange(len(store))
            overwritten += store is stores[0][0] and number < VARIABLES
            word = store[number]
            word.value = int(word.value) ^ 1 << random.randrange(width)
        else:
            replicas.mask.value = 1 << random.randrange(len(replicas.mask))
            replicas.flip.value = 0
            await FallingEdge(dut.clk_i)
            replicas.flip.value = 1 << random.randrange(3)
        await bench.ask(*PING, ack=ALL_ACKS)
    await bench.seconds(PATROL_CLOCKS / SECOND_CLOCKS)
    corrected = await bench.parameter("link.corrected_count")
    assert UPSETS - overwritten <= corrected <= UPSETS, "all are put right once, and counted"
    assert await bench.parameter("link.uncorrectable_count") == 0
