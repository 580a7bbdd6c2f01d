# SPDX-License-Identifier: Apache-2.0
"""The ground's end of a link, and the reference machine that says what has to come back."""

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

from cocotb.triggers import ClockCycles, Timer
from cocotb.utils import get_sim_time

from fw_tools.pus.frames import FrameReceiver, encode_frame
from fw_tools.pus.housekeeping import Structure
from fw_tools.pus.identifiers import LONGEST_TM, Ack, Function, MemoryId, Severity
from fw_tools.pus.machine import Machine, PayloadParts
from fw_tools.pus.memories import FlashMemory, Memory, PlainMemory
from fw_tools.pus.packets import (
    MESSAGE_MODULUS,
    SEQUENCE_MODULUS,
    Telecommand,
    Telemetry,
    build_tc,
    parse_tm,
)
from fw_tools.pus.parameters import PlainRegister, PlainRegisters
from fw_tools.pus.rescue import REQUEST
from hdl.tb.uart import BITS_PER_OCTET, UartSink, UartSource

SOURCE_ID = 0x1234
UNSOLICITED = {3, 5}  # Services whose reports come by themselves.
QUIET_OCTETS = 25  # The line rests that long: nothing more is to come.
MOST_LOOKS = 120  # Times that the line is looked at while it is not quiet: 3,000 octets.
MOST_WAITS = 100  # For a line that rests while a command is carried out.
CONTROL, COMMAND = 4, 5  # Parameter IDs of the registers that can be written.
CONTROL_BITS, COMMAND_BITS = 0xFF, 0x1001F


@dataclass(frozen=True, slots=True)
class Answer:
    """One report, and when its last octet was there."""

    packet: Telemetry
    time_ps: int

    @property
    def kind(self) -> tuple[int, int]:
        """Service and subtype."""
        return self.packet.service, self.packet.subtype

    @property
    def meaning(self) -> tuple[int, int, int, bytes]:
        """All that does not depend on when it was sent."""
        return (*self.kind, self.packet.destination_id, self.packet.data)


class Ground:
    """Sends commands and takes reports apart; what it has taken counts on without a gap."""

    def __init__(self, dut: Any, bit_ps: int, apid: int) -> None:
        self.dut = dut
        self.apid = apid
        self.source = UartSource(dut.uart_rx_i, bit_ps)
        self.sink = UartSink(dut.uart_tx_o, bit_ps)
        self.receiver = FrameReceiver(LONGEST_TM)
        self.answers: list[Answer] = []
        self.time_reports: list[bytes] = []
        self.sequence_count: int | None = None  # Of the last report; None before the first.
        self.message_counts: Counter[tuple[int, int]] = Counter()
        self.next_count = random.randrange(SEQUENCE_MODULUS)  # Repeats are known over a reset.
        self.sent_at_ps = 0
        self._settled_at_ps = -1
        self.restarts = 0
        self.most_dropped = 0  # Frames that may be damaged.
        self.requests = 0  # For a rescue.
        self._held: list[tuple[int, int]] = []  # What may be one.

    def command(
        self,
        service: int,
        subtype: int,
        data: bytes = b"",
        *,
        ack: Ack = Ack.ACCEPTANCE | Ack.COMPLETION,
        count: int | None = None,
    ) -> bytes:
        """Return a telecommand packet with the next count."""
        if count is None:
            count, self.next_count = self.next_count, (self.next_count + 1) % SEQUENCE_MODULUS
        return build_tc(
            Telecommand(
                apid=self.apid,
                sequence_count=count,
                service=service,
                subtype=subtype,
                source_id=SOURCE_ID,
                ack=ack,
                data=data,
            )
        )

    async def ask(self, packet: bytes, count: int = 0) -> list[Answer]:
        """Send a packet and return its answers: what nobody asked for is left out.

        At least `count` of them are waited for, for as long as the longest command may take.
        """
        if int(get_sim_time("ps")) != self._settled_at_ps:
            await self.settle()
        before = len(self.answers)
        self.sent_at_ps = int(get_sim_time("ps"))
        await self.source.send(encode_frame(packet))
        for _ in range(MOST_WAITS):
            await self.settle()
            found = [each for each in self.answers[before:] if not is_unsolicited(each)]
            if len(found) >= count:
                break
        return found

    async def settle(self) -> None:
        """Wait until the line has been quiet for a while."""
        for _ in range(MOST_LOOKS):
            before = len(self.sink.octets)
            await Timer(QUIET_OCTETS * BITS_PER_OCTET * self.sink.bit_ps, "ps")
            if len(self.sink.octets) == before:
                self._settled_at_ps = int(get_sim_time("ps"))
                break
        self.collect()

    def collect(self) -> None:
        """Take what has come apart and check every count; what asks for a rescue is left out."""
        for octet, time_ps in self.sink.taken():
            self._held.append((octet, time_ps))
            if bytes(each for each, _ in self._held) == REQUEST:
                self.requests += 1
                self._held.clear()
            elif octet != REQUEST[len(self._held) - 1]:
                self._receive(self._held)
                self._held.clear()
        dropped = self.receiver.dropped
        assert dropped.total() <= self.most_dropped, f"damaged reports: {dropped}"

    def _receive(self, octets: list[tuple[int, int]]) -> None:
        for octet, time_ps in octets:
            for packet in self.receiver.feed(bytes([octet])):
                self._take(packet, time_ps)

    def restart_counts(self) -> None:
        """Expect counts from 0 on, as after a reset."""
        self.sequence_count = None
        self.message_counts.clear()
        self.restarts += 1

    def _take(self, packet: bytes, time_ps: int) -> None:
        if packet[0] & 0x0F == 0:  # APID 0 without a secondary header.
            self.time_reports.append(packet)
            return
        report = parse_tm(packet)
        if report.sequence_count == 0 and report.message_count == 0:
            self.restart_counts()
        expected = (
            0 if self.sequence_count is None else (self.sequence_count + 1) % SEQUENCE_MODULUS
        )
        assert report.sequence_count == expected, f"{report}: expected count {expected}"
        self.sequence_count = report.sequence_count
        kind = (report.service, report.subtype)
        assert report.message_count == self.message_counts[kind] % MESSAGE_MODULUS, report
        self.message_counts[kind] += 1
        assert report.apid == self.apid
        self.answers.append(Answer(report, time_ps))


def is_unsolicited(answer: Answer) -> bool:
    """Tell whether a report came by itself."""
    return answer.packet.service in UNSOLICITED


def reference(config: dict[str, Any]) -> Machine:
    """Return the machine that answers as the payload of a link.json must.

    Its registers hold what the payload has after reset and what is written; a bench asks only for
    those that nothing else changes.
    """
    registers = {row["id"]: PlainRegister(row["access"]) for row in config["parameters"]}
    registers[0].value = config["magic"]
    registers[2].value = int(config["digest"][:8], 16)
    registers[CONTROL].value = 0x69
    for parameter, bits in ((CONTROL, CONTROL_BITS), (COMMAND, COMMAND_BITS)):
        registers[parameter].is_refused = lambda value, bits=bits: bool(value & ~bits)
    memories = {
        row["id"]: _memory(row, config["slot_octets"])
        for row in config["memories"]
        if row["id"] != MemoryId.EVENT_LOG
    }
    structure = Structure(
        structure_id=config["structure_id"],
        destination_id=0,
        fields=lambda: b"",
        interval_ms=1000,
        is_enabled=False,
    )
    return Machine(
        PayloadParts(
            apid=config["apid"],
            uptime=lambda: 0,
            registers=PlainRegisters(registers),
            memories=memories,
            structures=(structure,),
            events={each["id"]: Severity[each["severity"].upper()] for each in config["events"]},
            functions={
                int(function): lambda function=function: _perform(function, registers[CONTROL])
                for function in Function
            },
        )
    )


def _perform(function: Function, control: PlainRegister) -> None:
    flags = {Function.POWER_UP: 0x6, Function.POWER_DOWN: 0x9}
    if function in flags:
        control.value = control.value & ~0xF | flags[function]


def _memory(row: dict[str, Any], golden_octets: int) -> Memory:
    if row["id"] == MemoryId.FLASH:
        return FlashMemory(row["octets"], golden_octets)
    return PlainMemory(row["octets"], row["word_octets"], is_writable=row["is_writable"])


class Expected:
    """What the reference machine makes of the same packets."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.receiver = FrameReceiver(LONGEST_TM)

    def answers(self, packet: bytes) -> list[tuple[int, int, int, bytes]]:
        """Return the meaning of each report that a packet leads to."""
        found = [parse_tm(each) for each in self.receiver.feed(self.feed(encode_frame(packet)))]
        return [(each.service, each.subtype, each.destination_id, each.data) for each in found]

    def feed(self, octets: bytes) -> bytes:
        """Let the machine take octets of the line."""
        return self.machine.feed(octets)


async def reset(dut: Any, clocks: int = 10) -> None:
    """Hold the reset pin for some clocks."""
    dut.rst_ni.value = 0
    await ClockCycles(dut.clk_i, clocks)
    dut.rst_ni.value = 1
