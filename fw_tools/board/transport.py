# SPDX-License-Identifier: Apache-2.0
"""Octets to and from a board: a serial device, a socket, or any other URL of pyserial.

A transport never waits longer than it is told, and its errors say what to do.
"""

import selectors
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from fw_tools.board.port_lines import has_lines, set_port_lines
from fw_tools.board.ports import opening_advice
from fw_tools.errors import LinkError, UsageError
from fw_tools.spec.board_lines import Line

POLL_S = 0.02  # How long one read of a serial port waits.
WRITE_TIMEOUT_S = 2.0
CONNECT_TIMEOUT_S = 5.0
REOPEN_TIMEOUT_S = 5.0
REOPEN_EVERY_S = 0.1
CHUNK_OCTETS = 1 << 16
ALL_ON: Mapping[Line, bool] = {}  # Of lines that are not named.


class DisconnectedError(LinkError):
    """The port went away while it was in use; reopening may bring it back."""


class Transport(Protocol):
    """An open way to a board."""

    @property
    def name(self) -> str:
        """The URL or path, for messages."""
        ...

    @property
    def baud(self) -> int | None:
        """Bits per second of the line, where this side sets them."""
        ...

    @property
    def has_lines(self) -> bool:
        """Tell whether the port has DTR, RTS and break: a pty and a TCP connection have none."""
        ...

    def set_lines(self, states: Mapping[Line, bool]) -> None:
        """Set DTR, RTS or break; True is asserted. Both of DTR and RTS change at once if they can.

        Raises `DisconnectedError`, or `LinkError` and `UsageError` for a port that has none.
        """
        ...

    def hold_break(self, seconds: float) -> None:
        """Hold the line low for so long."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, as soon as anything has; b"" when nothing came in time.

        Raises `DisconnectedError`.
        """
        ...

    def write(self, octets: bytes) -> None:
        """Send octets. Raises `DisconnectedError`, or `LinkError` when nobody takes them."""
        ...

    def reopen(self) -> None:
        """Open the same port again, as after re-enumeration. Raises `LinkError` after a while."""
        ...

    def close(self) -> None:
        """Give the port back; closing twice does no harm."""
        ...


def open_transport(url: str, baud: int, idle: Mapping[Line, bool] = ALL_ON) -> Transport:
    """Open `url`: a device as /dev/ttyUSB0 or COM3, socket://HOST:PORT, rfc2217://HOST:PORT...

    A device is locked against other programs and set to `baud`, 8N1; its DTR and RTS are as `idle`
    says. Raises `LinkError`, or `UsageError` for a URL of no known form.
    """
    if url.startswith("socket://"):
        return SocketTransport(url)
    return SerialTransport(url, baud, idle)


class SerialTransport:
    """A port by pyserial, which has it alone."""

    def __init__(self, url: str, baud: int, idle: Mapping[Line, bool]) -> None:
        self._url = url
        self._idle = idle
        self._baud = baud
        self._port = self._open()

    @property
    def name(self) -> str:
        """The URL or path."""
        return self._url

    @property
    def baud(self) -> int | None:
        """Bits per second."""
        return self._baud

    @property
    def has_lines(self) -> bool:
        """Tell whether the port has DTR, RTS and break."""
        return has_lines(self._url)

    def set_lines(self, states: Mapping[Line, bool]) -> None:
        """Set DTR, RTS or break."""
        try:
            set_port_lines(self._port, states, self._url)
        except OSError as error:
            raise self._disconnected(error) from error

    def hold_break(self, seconds: float) -> None:
        """Hold the line low for so long."""
        self._port.send_break(seconds)

    def read(self, timeout_s: float) -> bytes:
        """Return what has come; b"" when nothing came in time."""
        deadline = time.monotonic() + timeout_s
        try:
            while not (first := self._port.read(1)):
                if time.monotonic() >= deadline:
                    return b""
            waiting = min(self._port.in_waiting, CHUNK_OCTETS)
            return bytes(first + self._port.read(waiting) if waiting else first)
        except (OSError, TypeError, AttributeError) as error:  # As pyserial fails once closed.
            raise self._disconnected(error) from error

    def write(self, octets: bytes) -> None:
        """Send octets."""
        import serial

        try:
            self._port.write(octets)
        except serial.SerialTimeoutException as error:
            message = f"{self._url}: takes no octets for {WRITE_TIMEOUT_S:g} s; is the board there?"
            raise LinkError(message) from error
        except (OSError, TypeError, AttributeError) as error:
            raise self._disconnected(error) from error

    def reopen(self) -> None:
        """Open the same port again; a device that was plugged in anew needs a moment."""
        self.close()
        self._port = _reopened(self._url, self._open)

    def close(self) -> None:
        """Give the port back."""
        with suppress(OSError):  # It may be gone already.
            self._port.close()

    def _open(self) -> Any:
        import serial

        is_remote = self._url.startswith("rfc2217://")  # Its socket has a timeout of its own.
        try:
            port: Any = serial.serial_for_url(
                self._url,
                baudrate=self._baud,
                timeout=POLL_S,
                write_timeout=None if is_remote else WRITE_TIMEOUT_S,
                exclusive=True,
                do_not_open=True,
            )
            # Before it is opened: a wrong state may hold the board in reset, or select its loader.
            port.dtr = self._idle.get(Line.DTR, True)
            port.rts = self._idle.get(Line.RTS, True)
            port.open()
        except (
            ValueError,
            KeyError,
        ) as error:  # pyserial trips over its own message about loop://.
            raise UsageError(f"{self._url}: no URL that pyserial knows: {error}") from error
        except OSError as error:
            if "expected a string in the form" in str(error):
                raise UsageError(f"{self._url}: no URL that pyserial knows: {error}") from error
            raise LinkError(f"{self._url}: {opening_advice(self._url, error)}") from error
        return port

    def _disconnected(self, error: Exception) -> DisconnectedError:
        return DisconnectedError(f"{self._url}: went away in mid exchange ({error})")


class SocketTransport:
    """A TCP connection; not by pyserial, which loses what it has read when the other end closes."""

    baud = None
    has_lines = False

    def __init__(self, url: str) -> None:
        self._url = url
        self._socket = self._open()

    @property
    def name(self) -> str:
        """The URL."""
        return self._url

    def read(self, timeout_s: float) -> bytes:
        """Return what has come; b"" when nothing came in time."""
        try:
            if not _is_readable(self._socket, timeout_s):
                return b""
            octets = self._socket.recv(CHUNK_OCTETS)
        except (OSError, ValueError) as error:  # ValueError: it was closed in another thread.
            raise self._disconnected(getattr(error, "strerror", None) or str(error)) from error
        if not octets:
            raise self._disconnected("the other side closed the connection")
        return octets

    def write(self, octets: bytes) -> None:
        """Send octets."""
        try:
            self._socket.sendall(octets)
        except TimeoutError as error:
            message = f"{self._url}: takes no octets for {WRITE_TIMEOUT_S:g} s; is the board there?"
            raise LinkError(message) from error
        except OSError as error:
            raise self._disconnected(error.strerror or str(error)) from error

    def set_lines(self, states: Mapping[Line, bool]) -> None:
        """Raise `UsageError`: a TCP connection has no lines."""
        raise UsageError(f"{self._url}: a TCP connection has no {', '.join(states)}")

    def hold_break(self, seconds: float) -> None:
        """Raise `UsageError`: octets alone go through a TCP connection."""
        raise UsageError(f"{self._url}: a TCP connection carries no break of {seconds} s")

    def reopen(self) -> None:
        """Connect anew."""
        self.close()
        self._socket = _reopened(self._url, self._open)

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _open(self) -> socket.socket:
        host, colon, port = self._url.removeprefix("socket://").rstrip("/").rpartition(":")
        if not (host and colon and port.isdecimal() and 0 < int(port) < 1 << 16):
            raise UsageError(f"{self._url}: expected socket://HOST:PORT with a port of 1..65535")
        try:
            link = socket.create_connection((host.strip("[]"), int(port)), CONNECT_TIMEOUT_S)
        except OSError as error:
            reason = error.strerror or str(error)
            raise LinkError(f"{self._url}: {reason}; is the other side running?") from error
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Of writing alone; `read` waits by itself, for it may run in another thread.
        link.settimeout(WRITE_TIMEOUT_S)
        return link

    def _disconnected(self, reason: str) -> DisconnectedError:
        return DisconnectedError(f"{self._url}: went away in mid exchange ({reason})")


def _is_readable(link: socket.socket, timeout_s: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(link, selectors.EVENT_READ)
        return bool(selector.select(max(timeout_s, 0.001)))


def _reopened(name: str, open_again: Any) -> Any:
    """Call `open_again` until it succeeds or the time for it is over."""
    deadline = time.monotonic() + REOPEN_TIMEOUT_S
    while True:
        try:
            return open_again()
        except LinkError as error:
            if time.monotonic() >= deadline:
                raise LinkError(
                    f"{name}: went away in mid exchange and did not come back in "
                    f"{REOPEN_TIMEOUT_S:g} s; plug it in again. A name that stays is in "
                    f"/dev/serial/by-id. Last: {error}"
                ) from error
        time.sleep(REOPEN_EVERY_S)
