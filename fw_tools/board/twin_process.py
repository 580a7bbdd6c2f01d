# SPDX-License-Identifier: Apache-2.0
"""A twin's program as a process: started, written to, read from, ended."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from fw_tools.board import twin_messages as messages
from fw_tools.board.twin_messages import Message, Splitter
from fw_tools.errors import InputError, LinkError

QUEUE_OCTETS = 65536  # Given to the twin and not yet on the line.
ANSWER_TIMEOUT_S = 10.0
ANSWER_LOOK_S = 0.2
END_TIMEOUT_S = 2.0
CHUNK = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOptions:
    """How a twin's program is started; times and lengths in cycles of the payload's clock."""

    program: Path
    clock_hz: int
    baud_divisor: int
    rails: Sequence[Sequence[float]] = ()  # Limits of each, as the program takes them.
    flash: Path | None = None
    flash_time: float = 1.0
    seed: int = 1
    trace: tuple[str, Path, int] | None = None  # Event, file, cycles.

    def command(self, descriptor: int) -> list[str]:
        """Return the command line; `descriptor` is the program's end of the socket."""
        trace = self.trace
        return [
            *(str(self.program), "--socket", str(descriptor)),
            *("--clock-hz", str(self.clock_hz), "--baud-divisor", str(self.baud_divisor)),
            *("--seed", str(self.seed), "--flash-time", repr(self.flash_time)),
            *(["--flash", str(self.flash)] if self.flash else []),
            *(word for rail in self.rails for word in ("--rail", ",".join(map(repr, rail)))),
            *(["--trace-event", trace[0], "--trace-file", str(trace[1])] if trace else []),
            *(["--trace-cycles", str(trace[2])] if trace else []),
        ]


@dataclass
class TwinProcess:
    """A running twin. Safe to write to from several threads; one thread calls `read`."""

    options: ProcessOptions
    on_octets: Callable[[bytes], None] = field(default=lambda _: None)
    on_event: Callable[[str], None] = field(default=lambda _: None)

    def __post_init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                self.options.command(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        self.socket = ours
        self._splitter = Splitter()
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._answers: Queue[bytes] = Queue()
        self._last_words = ""
        self._given = 0
        self._taken = 0

    @property
    def baud(self) -> int:
        """The payload's own baud rate."""
        return self.options.clock_hz // self.options.baud_divisor

    @property
    def room(self) -> int:
        """How many octets the line takes now; more wait in the client's own buffers."""
        return max(QUEUE_OCTETS - (self._given - self._taken), 0)

    def hand_to(self, on_octets: Callable[[bytes], None]) -> None:
        """Have the payload's octets taken by `on_octets` from now on."""
        self.on_octets = on_octets

    def send(self, message: Message) -> None:
        """Send a message; raises `failure` once the twin has ended."""
        try:
            with self._lock:
                self.socket.sendall(message.encode())
                if message.kind == messages.OCTETS:
                    self._given += len(message.octets)
        except OSError:
            raise self.failure() from None

    def ask(self, message: Message) -> str:
        """Send a message that is answered; return the answer's text.

        Needs another thread in `read`. `InputError` when the twin refuses, `LinkError` when it does
        not answer.
        """
        with self._asking:
            self.send(message)
            answer = self._answer()
        if answer[:1] != b"1":
            raise InputError(answer[1:].decode())
        return answer[1:].decode()

    def _answer(self) -> bytes:
        give_up = time.monotonic() + ANSWER_TIMEOUT_S
        while time.monotonic() < give_up:
            try:
                return self._answers.get(timeout=ANSWER_LOOK_S)
            except Empty:
                if self._process.poll() is not None:
                    raise self.failure() from None
        raise LinkError("the twin does not answer")

    def statistics(self) -> dict[str, Any]:
        """Return the twin's counters."""
        found: dict[str, Any] = json.loads(self.ask(messages.ASK))
        return found

    def read(self) -> bool:
        """Take what the twin has sent and hand it on; False once it has ended."""
        try:
            data = self.socket.recv(CHUNK)
        except OSError:
            return False
        for message in self._splitter.feed(data):
            self._take(message)
        return bool(data)

    def _take(self, message: Message) -> None:
        if message.kind == messages.RECEIVED:
            self.on_octets(message.octets)
        elif message.kind == messages.TAKEN:
            self._taken = int.from_bytes(message.octets, "little")
        elif message.kind == messages.ANSWER:
            self._answers.put(message.octets)
        elif message.kind == messages.EVENT:
            self.on_event(message.octets.decode())

    def end(self) -> None:
        """Cut the power: the twin writes back its flash and ends."""
        with suppress(LinkError, InputError):
            self.send(messages.QUIT)
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.socket.close()
        if self._process.stderr:
            self._process.stderr.close()

    def failure(self) -> LinkError | InputError:
        """Return why the twin ended by itself."""
        with self._lock:
            reason = self._end_reason()
        return InputError(reason) if self._process.returncode == 3 else LinkError(reason)

    def _end_reason(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_TIMEOUT_S)
        if self._process.poll() is None:
            return "the twin does not listen any more"
        if self._process.stderr and not self._last_words:
            self._last_words = self._process.stderr.read().decode().strip()
        return self._last_words or f"the twin has ended with {self._process.returncode}"
