# SPDX-License-Identifier: Apache-2.0
"""A twin's port on the network: raw TCP, or RFC 2217, which also carries the lines of a UART."""

import errno
import os
import selectors
import socket
from contextlib import suppress
from typing import Any

from serial.rfc2217 import PortManager

from fw_tools.board import twin_messages as messages
from fw_tools.board.link import TWIN_IS_TAKEN
from fw_tools.board.twin_server import CHUNK, Outlet, TwinServer, dismiss, greet
from fw_tools.errors import InputError

LOOPBACK = "127.0.0.1"


def _listening_advice(error: OSError | OverflowError) -> str:
    """Return why nobody can listen there, and what would be right."""
    number = getattr(error, "errno", None) or 0
    match number:
        case errno.EADDRINUSE:
            return "somebody listens there already; name another port, or 0 for a free one"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address; 0.0.0.0 stands for all that it has"
        case errno.EACCES:
            return "no permission; ports below 1024 are the administrator's, 0 takes a free one"
    reason = os.strerror(number) if number > 0 else getattr(error, "strerror", error)
    return f"cannot be listened on: {reason}"


class TcpPort:
    """Raw TCP: octets alone, always at the payload's own rate."""

    scheme = "socket"

    def __init__(self, host: str, number: int) -> None:
        self._host = host
        try:
            self._listener = socket.create_server((host, number), backlog=4)
        except (OSError, OverflowError) as error:
            raise InputError(f"{host}:{number}: {_listening_advice(error)}") from None
        self._listener.setblocking(False)
        self._client: socket.socket | None = None

    @property
    def url(self) -> str:
        """What a client opens."""
        host, number = self._listener.getsockname()[:2]
        shown = LOOPBACK if host in ("0.0.0.0", "::") else host  # noqa: S104
        return f"{self.scheme}://{shown}:{number}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Warn of who may come in."""
        if self._host == LOOPBACK:
            return ()
        return (
            f"{self._host}: the link is unauthenticated; whoever reaches it commands the payload",
        )

    def start(self, server: TwinServer) -> None:
        """Begin to accept."""
        self._server = server
        server.wait_for(self._listener.fileno(), read=True, write=False, call=self._accept)

    def deliver(self, data: bytes) -> None:
        """Send octets of the payload."""
        if self._client:
            self._write(self._outgoing(data))

    def look(self) -> None:
        """Nothing: sockets tell everything."""

    def watch(self) -> None:
        """Read only while the line has room, so that the client's own buffers fill up."""
        if self._client:
            self._server.wait_for(
                self._client.fileno(),
                read=self._server.process.room > 0,
                write=self._outlet.is_waiting,
                call=self._move,
            )

    def close(self) -> None:
        """End the listener and the client."""
        if self._client:
            self._client.close()
        self._listener.close()

    def _accept(self, _mask: int) -> None:
        try:
            client, address = self._listener.accept()
        except OSError:  # It went away again.
            return
        self._hear_out()
        if self._client:
            self._server.say(f"refused {address[0]}:{address[1]}: another client is connected")
            with suppress(OSError), client:  # It may be gone already.
                client.sendall(self._outgoing_refusal())
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client, self._outlet = client, Outlet(client.fileno())
        greet(self._server.process, 0)
        self._begin()

    def _hear_out(self) -> None:
        """Take the client's last octets, and that it has gone, if it has: another one is there."""
        for _ in range(2):
            if self._client and self._server.process.room:
                self._move(selectors.EVENT_READ)

    def _move(self, mask: int) -> None:
        assert self._client
        try:
            self._outlet.flush()
            if mask & selectors.EVENT_READ:
                data = os.read(self._client.fileno(), min(self._server.process.room, CHUNK))
                if not data:
                    self._leave()
                    return
                self._incoming(data)
        except BlockingIOError:
            pass
        except OSError:
            self._leave()

    def _write(self, data: bytes) -> None:
        try:
            self._outlet.write(data)
        except OSError:
            self._leave()

    def _leave(self) -> None:
        if self._client:
            self._server.forget(self._client.fileno())
            self._client.close()
            self._client = None
            dismiss(self._server.process)

    def _begin(self) -> None:
        pass

    def _incoming(self, data: bytes) -> None:
        self._server.process.send(messages.octets(data))

    def _outgoing(self, data: bytes) -> bytes:
        return data

    def _outgoing_refusal(self) -> bytes:
        return TWIN_IS_TAKEN


class Rfc2217Port(TcpPort):
    """RFC 2217: baud rate and break as on a UART, DTR off holds the reset, RTS off selects boot."""

    scheme = "rfc2217"

    def _begin(self) -> None:
        self._lines = _Lines(self._server)
        # The manager warns of requests that no client needs answered.
        self._manager: Any = PortManager(self._lines, self, logger=None)

    def _incoming(self, data: bytes) -> None:
        # A command between octets is carried out between them.
        for octet in self._manager.filter(data):
            self._lines.collect(octet)
        self._lines.flush()

    def _outgoing(self, data: bytes) -> bytes:
        return data.replace(b"\xff", b"\xff\xff")  # Telnet's IAC, RFC 854.

    def write(self, data: bytes) -> None:
        """Send the manager's own octets to the client."""
        self._write(data)


class _Lines:
    """The serial port that pyserial's manager believes it manages."""

    bytesize, parity, stopbits = 8, "N", 1
    xonxoff = rtscts = False
    cts = dsr = cd = True
    ri = False

    def __init__(self, server: TwinServer) -> None:
        self._process = server.process
        self._octets = bytearray()
        self._baud = server.process.baud

    def collect(self, octet: bytes) -> None:
        """Keep an octet of data until the next command, or the end of the read."""
        self._octets += octet

    def flush(self) -> None:
        """Hand on what was collected."""
        if self._octets:
            self._process.send(messages.octets(bytes(self._octets)))
            self._octets.clear()

    def _send(self, message: messages.Message) -> None:
        self.flush()
        self._process.send(message)

    @property
    def baudrate(self) -> int:
        """The client's baud rate."""
        return self._baud

    @baudrate.setter
    def baudrate(self, baud: int) -> None:
        self._baud = baud
        self._send(messages.rate(baud))

    def _set_break(self, is_on: bool) -> None:
        self._send(messages.line_break(is_on))

    def _set_dtr(self, is_on: bool) -> None:
        self._send(messages.reset(not is_on))

    def _set_rts(self, is_on: bool) -> None:
        self._send(messages.boot_select(not is_on))

    break_condition = property(fset=_set_break)
    dtr = property(fset=_set_dtr)
    rts = property(fset=_set_rts)

    def reset_input_buffer(self) -> None:
        """Nothing: what has been received has been sent on."""

    def reset_output_buffer(self) -> None:
        """Throw away what waits for the line."""
        self._octets.clear()
        self._process.send(messages.DROP_QUEUE)
