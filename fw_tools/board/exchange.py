# SPDX-License-Identifier: Apache-2.0
"""Commands and their answers over a link: a window of them, with retries.

A retry is the same packet again. The payload answers a repeat and does not execute it twice.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fw_tools.board.link import Link
from fw_tools.board.transport import DisconnectedError
from fw_tools.errors import LinkError
from fw_tools.pus.data_fields import REPORTS, TELECOMMANDS
from fw_tools.pus.failures import Failure, failure_text
from fw_tools.pus.identifiers import LONGEST_TC, LONGEST_TM, REPEATS_KEPT, Ack
from fw_tools.pus.packets import SEQUENCE_MODULUS, Telecommand, Telemetry, build_tc

STARTED, COMPLETED = (1, 3), (1, 7)
FAILURES = ((1, 2), (1, 8), (1, 10))
MOST_OUTSTANDING = REPEATS_KEPT // 2  # So that the payload still knows whatever is sent again.
LINE_BITS = 10  # Of an octet, 8N1.


class NoAnswerError(LinkError):
    """Nothing came, or nothing that could be used."""


class WrongAnswerError(LinkError):
    """Answers came whole, and what they say of themselves does not hold."""


class CommandFailedError(LinkError):
    """The payload refused a command, or could not carry it out."""

    def __init__(self, message: str, kind: tuple[int, int], failure: Failure) -> None:
        super().__init__(message)
        self.kind = kind  # Of the report that told: TM[1,2], TM[1,8] or TM[1,10].
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeOptions:
    """How patient a client is."""

    timeout_s: float = 0.5  # For one try, on top of what the octets need on the line.
    tries: int = 3
    window: int = 4  # Commands under way at once.


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One command, and the report that answers it besides its verification."""

    kind: tuple[int, int]
    fields: dict[str, Any] = field(default_factory=dict)
    answer: tuple[int, int] | None = None
    is_answered_by: Callable[[Any], bool] = lambda _: True  # The parsed data of such a report.
    fault_of: Callable[[Any], str] = lambda _: ""  # What is wrong with such an answer.
    patience_s: float = 0.0  # What it takes the payload, on top of what any command does.

    @property
    def name(self) -> str:
        """Its kind as ECSS writes it."""
        return "TC[{},{}]".format(*self.kind)


@dataclass(slots=True)
class _Command:
    """A request on its way."""

    place: int
    request: Request
    packet: bytes
    deadline: float = 0.0
    tries: int = 0
    first_sent: int = 0  # Numbers of sendings, over all commands.
    last_sent: int = 0
    fault: str = ""  # Of the answer that came last.
    answer: Telemetry | None = None

    @property
    def request_id(self) -> bytes:
        return self.packet[:4]


class Exchange:
    """Sends commands and collects answers, one caller at a time.

    The first sequence count and the source ID are random. The payload knows a repeat by the request
    ID (APID and count) *and* the CRC of the whole packet, which covers the source ID and the data.
    So a command of ours is not taken for a repeat of another client's that used the same count: it
    would also have to have a packet with the same CRC within the last 16 commands.
    """

    def __init__(self, link: Link, apid: int, options: ExchangeOptions) -> None:
        self.link = link
        self.options = options
        self._apid = apid
        self._count = int.from_bytes(os.urandom(2), "big") % SEQUENCE_MODULUS
        self.source_id = int.from_bytes(os.urandom(2), "big") or 1  # 0: nobody asked for it.
        self._running: bytes | None = None  # The request whose TM[1,3] came last.
        self._sendings = 0

    def run(self, requests: Iterable[Request]) -> list[Telemetry | None]:
        """Carry out requests in order and return their answers, None where there is none.

        Raises `CommandFailedError` for the first that fails, after which those behind it may or may
        not have been carried out; `WrongAnswerError`; `NoAnswerError`; `LinkError`.
        """
        return [answer for _, answer in sorted(self.stream(requests), key=lambda pair: pair[0])]

    def stream(
        self, requests: Iterable[Request], window: int | None = None
    ) -> Iterator[tuple[int, Telemetry | None]]:
        """Yield (place, answer) as the requests are done; for long lists of them.

        `window` takes the place of the options', where the payload has room for fewer.
        """
        most = min(window or self.options.window, MOST_OUTSTANDING)
        waiting = enumerate(requests)
        under_way: dict[bytes, _Command] = {}
        self._running = None
        is_more = True
        while is_more or under_way:
            while is_more and len(under_way) < most:
                item = next(waiting, None)
                if item is None:
                    is_more = False
                    break
                command = self._command(*item)
                self._send(command, under_way)
                under_way[command.request_id] = command
            if under_way:
                for done in self._collect(under_way):
                    yield done.place, done.answer

    def _collect(self, under_way: dict[bytes, _Command]) -> list[_Command]:
        """Wait for the next reports, or for the first command that has waited too long."""
        first = min(under_way.values(), key=lambda command: command.deadline)
        try:
            reports = self.link.receive(first.deadline)
        except DisconnectedError:
            self.link.reopen()
            self._running = None
            for command in under_way.values():
                self._send(command, under_way)
            return []
        done = [found for report in reports if (found := self._take(report, under_way))]
        for found in done:
            self._expect_next(found, under_way)
        now = time.monotonic()
        for command in under_way.values():
            if now >= command.deadline:
                self._send(command, under_way)
        return done

    def _expect_next(self, done: _Command, under_way: dict[bytes, _Command]) -> None:
        """Give each its time, one after the other from now on; those before `done` are lost.

        The payload takes commands in their order: each begins when the last has ended.
        """
        deadline = time.monotonic()
        for command in sorted(under_way.values(), key=lambda each: each.last_sent):
            if command.last_sent < done.first_sent:
                command.deadline = 0.0
            elif command.deadline:
                deadline += self._patience_s(command)
                command.deadline = deadline

    def _take(self, report: Telemetry, under_way: dict[bytes, _Command]) -> _Command | None:
        """Note a report; return the command that it ends."""
        is_housekeeping = report.kind == (3, 25)  # It goes to whom the description says.
        is_ours = report.destination_id == self.source_id or is_housekeeping
        if report.apid != self._apid or not is_ours:
            return None
        if report.service != 1:
            self._take_answer(report, under_way)
            return None
        command = under_way.get(report.data[:4])
        if report.kind == STARTED:
            self._running = command.request_id if command else None
        if command is None:
            return None
        if report.kind in FAILURES:
            raise _failed(report, command.request)
        if report.kind != COMPLETED:
            return None
        self._running = None
        if command.request.answer and command.answer is None:
            command.deadline = 0.0  # The answer was lost on the way: ask again, now.
            return None
        return under_way.pop(command.request_id)

    def _take_answer(self, report: Telemetry, under_way: dict[bytes, _Command]) -> None:
        """Keep an answer of the command that runs: it comes between TM[1,3] and TM[1,7]."""
        command = under_way.get(self._running) if self._running else None
        if command is None or report.kind != command.request.answer:
            return
        fields = REPORTS[report.kind].parse(report.data)
        if command.request.is_answered_by(fields):
            command.fault = command.request.fault_of(fields)
            command.answer = None if command.fault else report

    def _command(self, place: int, request: Request) -> _Command:
        packet = build_tc(
            Telecommand(
                apid=self._apid,
                sequence_count=self._count,
                service=request.kind[0],
                subtype=request.kind[1],
                source_id=self.source_id,
                ack=Ack.START | Ack.COMPLETION if request.answer else Ack.COMPLETION,
                data=TELECOMMANDS[request.kind].build(request.fields),
            )
        )
        self._count = (self._count + 1) % SEQUENCE_MODULUS
        return _Command(place, request, packet)

    def _send(self, command: _Command, under_way: dict[bytes, _Command]) -> None:
        if command.tries == self.options.tries:
            if command.fault:
                raise WrongAnswerError(
                    f"{command.request.name}: {command.fault}, in each of {command.tries} tries"
                )
            raise NoAnswerError(
                f"no answer to {command.request.name} after {command.tries} tries of "
                f"{self._patience_s(command):.2g} s. {self.link.diagnosis()}"
            )
        command.tries += 1
        self._sendings += 1
        command.last_sent = self._sendings
        command.first_sent = command.first_sent or self._sendings
        try:
            self.link.send(command.packet)
        except DisconnectedError:
            self.link.reopen()
            self.link.send(command.packet)
        before = (each.deadline for each in under_way.values() if each is not command)
        begins = max(time.monotonic(), *before, 0.0)
        command.deadline = begins + self._patience_s(command)

    def _patience_s(self, command: _Command) -> float:
        """Return how long one try waits: the line may be busy with a whole window each way."""
        baud = self.link.transport.baud
        octets = self.options.window * (LONGEST_TC + LONGEST_TM)
        patience_s = self.options.timeout_s + command.request.patience_s
        return patience_s + (octets * LINE_BITS / baud if baud else 0.0)


def _failed(report: Telemetry, request: Request) -> CommandFailedError:
    fields = REPORTS[report.kind].parse(report.data)
    failure = Failure(fields.code, fields.value)
    text = failure_text(report.subtype, failure)
    return CommandFailedError(f"{request.name}: {text}", report.kind, failure)
