# SPDX-License-Identifier: Apache-2.0
"""The link of a payload as a reference machine: octets of the line in, octets of the line out.

It is what the gateware must answer, octet for octet. Registers, memories, housekeeping fields,
functions and time are handed in as plain objects.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fw_tools.pus.checks import DATA_AT, refusal
from fw_tools.pus.commands import COMMANDS
from fw_tools.pus.data_fields import REPORTS
from fw_tools.pus.events import EventService
from fw_tools.pus.failures import Failure
from fw_tools.pus.frames import DELIMITER, DropCause, FrameReceiver
from fw_tools.pus.functions import FunctionService, TimeService
from fw_tools.pus.housekeeping import HousekeepingService, Structure
from fw_tools.pus.identifiers import (
    LONGEST_TC,
    NO_TIME_REPORTS,
    REPEATS_KEPT,
    UNITS_PER_SECOND,
    Ack,
    Severity,
)
from fw_tools.pus.identifiers import MemoryId as Id
from fw_tools.pus.memories import Memory, MemoryService
from fw_tools.pus.packets import CRC_OCTETS, SHORTEST_TC
from fw_tools.pus.parameters import ParameterService, Registers
from fw_tools.pus.sender import ReportSender
from fw_tools.pus.service import Answer, NotExecutedError, Service, TestService

ACCEPTED, STARTED, COMPLETED, FAILED = (1, 1), (1, 3), (1, 7), (1, 8)
REQUEST_OCTETS = 4  # Packet ID and sequence control.


@dataclass(frozen=True, kw_only=True)
class PayloadParts:
    """What is behind the link."""

    apid: int
    uptime: Callable[[], int]  # Time since start in units of 2^-16 s; never goes back.
    registers: Registers
    memories: Mapping[int, Memory] = field(default_factory=dict)  # The event log comes besides.
    structures: tuple[Structure, ...] = ()
    events: Mapping[int, Severity] = field(default_factory=dict)
    functions: Mapping[int, Callable[[], None]] = field(default_factory=dict)
    frame_dropped_event: int | None = None  # Its ID; its data are how many were dropped so far.
    time_report_rate: int = NO_TIME_REPORTS  # TM[9,2] every 2^n s, until a command says otherwise.


@dataclass(frozen=True, slots=True)
class _Request:
    """An accepted command on its way through."""

    packet: bytes

    @property
    def request_id(self) -> bytes:
        return self.packet[:REQUEST_OCTETS]

    @property
    def identity(self) -> bytes:
        # The CRC covers source ID and data: another command with the same count is another one.
        return self.request_id + self.packet[-CRC_OCTETS:]

    @property
    def ack(self) -> Ack:
        return Ack(self.packet[6] & 0xF)

    @property
    def kind(self) -> tuple[int, int]:
        return self.packet[7], self.packet[8]

    @property
    def source_id(self) -> int:
        return _source_id(self.packet)

    @property
    def data(self) -> bytes:
        return self.packet[DATA_AT:-CRC_OCTETS]


class Machine:
    """One payload's end of the link."""

    def __init__(self, parts: PayloadParts) -> None:
        self._parts = parts
        self._receiver = FrameReceiver(LONGEST_TC)
        self._time = TimeService(parts.uptime, parts.time_report_rate)
        self._sender = ReportSender(parts.apid, self._time.now)
        self._housekeeping = HousekeepingService(parts.structures, parts.uptime)
        self.events = EventService(parts.events, parts.uptime, self._time.now)
        self._services: dict[int, Service] = {
            3: self._housekeeping,
            5: self.events,
            6: MemoryService({**parts.memories, Id.EVENT_LOG: self.events.log}),
            8: FunctionService(parts.functions),
            9: self._time,
            17: TestService(),
            20: ParameterService(parts.registers),
        }
        self._outcomes: dict[bytes, Failure | None] = {}  # By identity, the oldest first.
        self._time_report_due = self._next_time_report()

    @property
    def dropped(self) -> Mapping[DropCause, int]:
        """Frames dropped so far, by cause."""
        return self._receiver.dropped

    def memory(self, memory_id: int) -> Memory:
        """Return a memory of the payload by its ID."""
        return self._parts.memories[memory_id]

    def feed(self, octets: bytes) -> bytes:
        """Take octets from the line and return what goes to it."""
        *ended, rest = octets.split(DELIMITER)
        for part in ended:
            dropped = self._receiver.dropped.total()
            for packet in self._receiver.feed(part + DELIMITER):
                self._take(packet)
            if self._receiver.dropped.total() != dropped:
                self._tell_of_drop()
        self._receiver.feed(rest)
        return self._sender.taken()

    def line_error(self) -> None:
        """Note a framing error or a break of the UART."""
        self._receiver.spoil()

    def event(self, event_id: int, data: int) -> bytes:
        """Let an event happen and return what goes to the line."""
        self._report_event(event_id, data)
        return self._sender.taken()

    def poll(self) -> bytes:
        """Return the reports whose time has come."""
        for answer in self._housekeeping.due():
            self._send(answer, 0)
        rate = self._time.rate
        if rate != NO_TIME_REPORTS and self._parts.uptime() >= self._time_report_due:
            self._time_report_due = self._next_time_report()
            self._sender.send_time(rate)
        return self._sender.taken()

    def warm_reset(self) -> None:
        """Count from 0 again. The event log stays, and so does what makes repeats known."""
        self._sender.restart_counts()
        self.events.restart()

    def _take(self, packet: bytes) -> None:
        refused = refusal(packet, self._parts.apid)
        if refused is None:
            self._verify(_Request(packet))
        else:
            self._report(packet[:REQUEST_OCTETS], refused.report, packet, refused.failure)

    def _verify(self, request: _Request) -> None:
        is_reading = COMMANDS[request.kind].is_reading
        is_repeat = request.identity in self._outcomes  # A reading one is never kept.
        if Ack.ACCEPTANCE in request.ack:
            self._report(request.request_id, ACCEPTED, request.packet)
        if Ack.START in request.ack:
            self._report(request.request_id, STARTED, request.packet)
        outcome = self._outcomes[request.identity] if is_repeat else self._execute(request)
        if not is_reading and not is_repeat:
            self._keep(request.identity, outcome)
        if outcome is not None:
            self._report(request.request_id, FAILED, request.packet, outcome)
        elif Ack.COMPLETION in request.ack:
            self._report(request.request_id, COMPLETED, request.packet)

    def _execute(self, request: _Request) -> Failure | None:
        service, subtype = request.kind
        try:
            answers = self._services[service].execute(subtype, request.data)
        except NotExecutedError as error:
            return error.failure
        for answer in answers:
            self._send(answer, request.source_id)
        return None

    def _keep(self, identity: bytes, outcome: Failure | None) -> None:
        if len(self._outcomes) == REPEATS_KEPT:
            del self._outcomes[next(iter(self._outcomes))]
        self._outcomes[identity] = outcome

    def _report(
        self,
        request_id: bytes,
        kind: tuple[int, int],
        packet: bytes,
        failure: Failure | None = None,
    ) -> None:
        fields: dict[str, object] = {"request_id": request_id}
        if failure is not None:
            fields |= {"code": failure.code, "value": failure.value}
        self._sender.send(kind, REPORTS[kind].build(fields), _source_id(packet))

    def _send(self, answer: Answer, source_id: int) -> None:
        destination = source_id if answer.destination_id is None else answer.destination_id
        self._sender.send(answer.kind, answer.data, destination)

    def _tell_of_drop(self) -> None:
        if self._parts.frame_dropped_event is not None:
            self._report_event(self._parts.frame_dropped_event, self._receiver.dropped.total())

    def _report_event(self, event_id: int, data: int) -> None:
        answer = self.events.happened(event_id, data & 0xFFFFFFFF)
        if answer is not None:
            self._send(answer, 0)

    def _next_time_report(self) -> int:
        rate = 0 if self._time.rate == NO_TIME_REPORTS else self._time.rate
        return self._parts.uptime() + (UNITS_PER_SECOND << rate)


def _source_id(packet: bytes) -> int:
    """Return whose command it is; 0 where the packet is too short to tell."""
    return int.from_bytes(packet[9:11], "big") if len(packet) >= SHORTEST_TC else 0
