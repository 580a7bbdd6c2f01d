# SPDX-License-Identifier: Apache-2.0
"""The loop between a twin and its port: octets both ways, each queue bounded."""

import os
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from fw_tools.board import twin_messages as messages
from fw_tools.board.twin_messages import Message
from fw_tools.errors import InputError, LinkError

LOOK_S = 0.1  # How often a port looks at what no file descriptor tells it.
PENDING_OCTETS = 1 << 20  # For a client that does not read; what comes then is lost.
CHUNK = 16384


class Process(Protocol):
    """What is served: a twin, or what takes a twin's messages in its place."""

    @property
    def socket(self) -> socket.socket:
        """Readable when `read` has something to take."""

    @property
    def baud(self) -> int:
        """The payload's own baud rate."""

    @property
    def room(self) -> int:
        """How many octets the line takes now."""

    def hand_to(self, on_octets: Callable[[bytes], None]) -> None:
        """Have the payload's octets taken by `on_octets`."""

    def send(self, message: Message) -> None:
        """Take a message."""

    def read(self) -> bool:
        """Take what has come from it and hand it on; False once it has ended."""


class Port(Protocol):
    """Where a client comes in."""

    @property
    def url(self) -> str:
        """What a client opens, as pyserial takes it."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of it."""

    def start(self, server: "TwinServer") -> None:
        """Begin to wait for clients."""

    def deliver(self, data: bytes) -> None:
        """Give octets of the payload to the client, if there is one."""

    def look(self) -> None:
        """Do what no file descriptor asks for; called at least every `LOOK_S`."""

    def watch(self) -> None:
        """Ask the server to wait for what the port can take now."""

    def close(self) -> None:
        """End it; no client finds it any more."""


class TwinServer:
    """Serves one twin on one port, in a thread of its own."""

    def __init__(self, process: Process, port: Port, say: Callable[[str], None]) -> None:
        self.process = process
        self.port = port
        self.say = say  # Gets lines for the user.
        self.selector = selectors.DefaultSelector()
        self.is_ended = threading.Event()  # By itself or by `stop`.
        self._is_running = True
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="twin", daemon=True)
        process.hand_to(port.deliver)

    def start(self) -> None:
        """Begin to serve."""
        self.selector.register(self.process.socket, selectors.EVENT_READ, self._read_twin)
        self.selector.register(self._wake_read, selectors.EVENT_READ, lambda _: None)
        self.port.start(self)
        self._thread.start()

    def stop(self) -> None:
        """End serving; the twin itself goes on."""
        self._is_running = False
        with suppress(OSError):
            os.write(self._wake_write, b".")
        self._thread.join()
        self.port.close()
        self.selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def wait_for(
        self, descriptor: int, *, read: bool, write: bool, call: Callable[[int], None]
    ) -> None:
        """Wait for a file descriptor from now on, in the given directions only."""
        mask = (selectors.EVENT_READ if read else 0) | (selectors.EVENT_WRITE if write else 0)
        known = self.selector.get_map().get(descriptor)
        if not mask:
            if known:
                self.selector.unregister(descriptor)
        elif known is None:
            self.selector.register(descriptor, mask, call)
        elif known.events != mask:
            self.selector.modify(descriptor, mask, call)

    def forget(self, descriptor: int) -> None:
        """Wait for it no more; to be called before it is closed."""
        self.wait_for(descriptor, read=False, write=False, call=lambda _: None)

    def _run(self) -> None:
        try:
            while self._is_running:
                self.port.watch()
                for key, mask in self.selector.select(LOOK_S):
                    if key.fd in self.selector.get_map():  # The one before it may have ended it.
                        key.data(mask)
                self.port.look()
        except (LinkError, InputError):  # The twin has ended; whoever waits for it tells why.
            pass
        finally:
            self.is_ended.set()

    def _read_twin(self, _mask: int) -> None:
        if not self.process.read():
            self._is_running = False


class Outlet:
    """Octets on their way to a client through a non-blocking file descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._pending = bytearray()

    @property
    def is_waiting(self) -> bool:
        """Whether octets wait for room."""
        return bool(self._pending)

    def write(self, data: bytes) -> None:
        """Queue octets and send what goes; beyond the bound they are lost, as on a full UART."""
        self._pending += data[: PENDING_OCTETS - len(self._pending)]
        self.flush()

    def flush(self) -> None:
        """Send what goes without waiting; raises `OSError` when the client is gone."""
        while self._pending:
            try:
                done = os.write(self.descriptor, self._pending)
            except BlockingIOError:
                return
            del self._pending[:done]

    def clear(self) -> None:
        """Throw away what waits."""
        self._pending.clear()


def greet(process: Process, baud: int) -> None:
    """Tell the twin that a client is there, at `baud` (0: at the payload's own rate)."""
    process.send(messages.rate(baud))
    process.send(messages.client(True))


def dismiss(process: Process) -> None:
    """Tell the twin that the client is gone, and leave its lines as nobody would drive them."""
    for message in (
        messages.client(False),
        messages.line_break(False),
        messages.reset(False),
        messages.boot_select(False),
        messages.rate(0),
    ):
        process.send(message)
