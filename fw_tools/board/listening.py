# SPDX-License-Identifier: Apache-2.0
"""A side that other programs open: a pty or a TCP port, served as a twin's is, read as a transport.

In place of the twin's process stands a queue, which takes the same messages. Octets for a client
that is not there are lost, as on a UART.
"""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

from fw_tools.board import twin_messages as messages
from fw_tools.board.twin_messages import Message, Splitter
from fw_tools.board.twin_server import CHUNK, Port, TwinServer
from fw_tools.board.twin_sockets import LOOPBACK, TcpPort
from fw_tools.errors import InputError, LinkError, UsageError

PTY, TCP = "pty:", "tcp:"
QUEUE_OCTETS = 65536  # From the client, not yet read; more waits in the client's own buffers.


def is_listening(url: str) -> bool:
    """Tell whether `url` is one that we make and others open."""
    return url.startswith((PTY, TCP))


def open_listening(
    url: str, baud: int, bind: str | None, say: Callable[[str], None]
) -> "ListeningSide":
    """Listen on pty:PATH or tcp:PORT; `say` gets lines for the user.

    Raises `UsageError` for a URL that is neither, `InputError` when it cannot be listened on.
    """
    return ListeningSide(_port(url, baud, bind), baud, say)


class ListeningSide:
    """Octets from and to whoever opens a port."""

    def __init__(self, port: Port, baud: int, say: Callable[[str], None]) -> None:
        self._port = port
        self._queue = _Queue(baud)
        self._server = TwinServer(self._queue, port, say)
        self._server.start()

    @property
    def name(self) -> str:
        """What a client opens."""
        return self._port.url

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the port."""
        return self._port.notes if isinstance(self._port, TcpPort) else ()

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, as soon as anything has; b"" when nothing came in time."""
        return self._queue.take(timeout_s)

    def write(self, octets: bytes) -> None:
        """Send octets to the client. Raises `LinkError` once the port is closed."""
        try:
            self._queue.give(octets)
        except OSError as error:
            raise LinkError(f"{self.name}: is no longer served") from error

    def close(self) -> None:
        """End the port."""
        self._server.stop()
        self._queue.close()


class _Queue:
    """What the server of a port takes for a twin's process."""

    def __init__(self, baud: int) -> None:
        self.baud = baud
        self._on_octets: Callable[[bytes], None] = lambda _: None
        self.socket, self._near = socket.socketpair()  # Wakes the server's thread.
        self._splitter = Splitter()
        self._received = bytearray()
        self._arrived = threading.Condition()
        self._giving = threading.Lock()

    @property
    def room(self) -> int:
        """How many octets are taken from the client now."""
        return max(QUEUE_OCTETS - len(self._received), 0)

    def hand_to(self, on_octets: Callable[[bytes], None]) -> None:
        """Have octets for the client taken by `on_octets`."""
        self._on_octets = on_octets

    def send(self, message: Message) -> None:
        """Take octets of the client; what else a twin would follow is let go."""
        if message.kind == messages.OCTETS:
            with self._arrived:
                self._received += message.octets
                self._arrived.notify()

    def read(self) -> bool:
        """Hand octets on to the client; False once this is closed."""
        data = self.socket.recv(CHUNK)
        for message in self._splitter.feed(data):
            if message.kind == messages.RECEIVED:
                self._on_octets(message.octets)
        return bool(data)

    def take(self, timeout_s: float) -> bytes:
        """Return the octets of the client."""
        with self._arrived:
            if not self._received:
                self._arrived.wait(timeout_s)
            octets, is_full = bytes(self._received), self.room == 0
            self._received.clear()
        if is_full:  # The server waits for room.
            self._tell(Message(messages.TAKEN))
        return octets

    def give(self, octets: bytes) -> None:
        """Send octets to the client."""
        self._tell(Message(messages.RECEIVED, octets))

    def close(self) -> None:
        """End both ends."""
        self._near.close()
        self.socket.close()

    def _tell(self, message: Message) -> None:
        with self._giving:
            self._near.sendall(message.encode())


def _port(url: str, baud: int, bind: str | None) -> Port:
    kind, rest = url[: len(TCP)], url[len(TCP) :]
    if kind == TCP:
        if not (rest.isdecimal() and int(rest) < 1 << 16):
            raise UsageError(
                f"{url}: expected tcp:PORT with a port of 0..65535; 0 takes a free one"
            )
        return TcpPort(bind or LOOPBACK, int(rest))
    if not rest:
        raise UsageError(f"{url}: expected pty:PATH, where a link to the pty is made")
    return _pty(Path(rest), baud)


def _pty(link: Path, baud: int) -> Port:
    from fw_tools.board.twin_pty import PtyPort  # Not on every system.

    if link.exists() and not link.is_symlink():
        raise InputError(f"{link}: exists and is no link of ours; name another path")
    try:
        return PtyPort(link, baud)
    except OSError as error:
        raise InputError(f"{link}: no pty can be linked there: {error.strerror}") from error
