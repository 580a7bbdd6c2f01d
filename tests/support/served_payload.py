# SPDX-License-Identifier: Apache-2.0
"""The reference payload behind a real pty or TCP socket, on a line that can go wrong."""

import os
import random
import select
import socket
import threading
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import serial
from reference_payload import UNITS_PER_SECOND, ReferencePayload
from serial.rfc2217 import PortManager

POLL_S = 0.005
Filter = Callable[[bytes], bytes]


def unchanged(octets: bytes) -> bytes:
    return octets


def garbled(octets: bytes) -> bytes:
    """What a receiver at another baud rate sees: bits of neighbours run together."""
    rng = random.Random(len(octets))
    return bytes(octet | rng.randrange(256) | 0x80 for octet in octets)


class Served:
    """A payload served in a thread. `to_device` and `to_host` stand for the two wires."""

    def __init__(self) -> None:
        self.payload = ReferencePayload()
        self.to_device: Filter = unchanged
        self.to_host: Filter = unchanged
        self.is_silent = False
        self.babble = b""  # Sent over and over, as fast as it is taken.
        self.url = ""
        self._started = time.monotonic()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Served":
        self._open()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(5)
        self._close()

    def _serve(self) -> None:
        while not self._is_over.is_set():
            try:
                octets = self._read()
                self._write(self._answer(octets))
            except OSError:
                time.sleep(POLL_S)

    def _answer(self, octets: bytes) -> bytes:
        elapsed = time.monotonic() - self._started
        self.payload.uptime_units = int(elapsed * UNITS_PER_SECOND)
        answer = self.payload.machine.feed(self.to_device(octets)) if octets else b""
        answer += self.payload.machine.poll()
        if self.babble:
            return self.babble
        return b"" if self.is_silent else self.to_host(answer)

    def event(self, event_id: int, data: int) -> None:
        self._write(self.payload.machine.event(event_id, data))

    def _open(self) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError

    def _read(self) -> bytes:
        raise NotImplementedError

    def _write(self, octets: bytes) -> None:
        raise NotImplementedError


class PtyServed(Served):
    """On a pty at a name that stays, as udev's names do."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.name = folder / "ttyBOARD"
        self.url = str(self.name)
        self._lock = threading.Lock()
        self._master = self._slave = -1

    def unplug(self) -> None:
        """Take the device away, with its name."""
        with self._lock:
            self.name.unlink()
            self._close_both()

    def plug(self) -> None:
        """Bring it back, as another device under the same name."""
        with self._lock:
            self._open()

    def _open(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.name.symlink_to(os.ttyname(self._slave))

    def _close(self) -> None:
        self.name.unlink(missing_ok=True)
        self._close_both()

    def _close_both(self) -> None:
        for descriptor in {self._master, self._slave} - {-1}:
            os.close(descriptor)
        self._master = self._slave = -1

    def _read(self) -> bytes:
        with self._lock:
            try:
                return os.read(self._master, 65536)
            except BlockingIOError:
                pass
        if not self.babble:
            time.sleep(0.0005)
        return b""

    def _write(self, octets: bytes) -> None:
        while octets and not self._is_over.is_set():
            with self._lock:
                try:
                    octets = octets[os.write(self._master, octets) :]
                except BlockingIOError:
                    if self.babble:
                        return
            time.sleep(0 if not octets else 0.001)


class TcpServed(Served):
    """On a TCP port of this machine, one client at a time."""

    def __init__(self, _: Path) -> None:
        super().__init__()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(POLL_S)
        self._client: socket.socket | None = None
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"

    def unplug(self) -> None:
        """Cut the connection and listen no more."""
        address = self._listener.getsockname()
        self._listener.close()
        if self._client:
            self._client.close()
            self._client = None
        self._address = address

    def plug(self) -> None:
        self._listener = socket.create_server(self._address)
        self._listener.settimeout(POLL_S)

    def _open(self) -> None:
        pass

    def _close(self) -> None:
        self._listener.close()
        if self._client:
            self._client.close()

    def _read(self) -> bytes:
        if self._client is None:
            try:
                self._client = self._listener.accept()[0]
            except TimeoutError:
                return b""
            self._client.settimeout(POLL_S)
        try:
            octets = self._client.recv(65536)
        except TimeoutError:
            return b""
        if not octets:
            self._client.close()
            self._client = None
        return octets

    def _write(self, octets: bytes) -> None:
        if octets and self._client:
            with suppress(TimeoutError):  # A client that does not read.
                self._client.sendall(octets)


class Rfc2217Bridge:
    """A serial port served by pyserial's own RFC2217 server."""

    def __init__(self, device: str) -> None:
        self._port = _PinlessPort(device, timeout=0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rfc2217://127.0.0.1:{self._listener.getsockname()[1]}"
        self.lines = self._port.lines
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Rfc2217Bridge":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(5)
        self._listener.close()
        self._port.close()

    def _serve(self) -> None:
        connection = self._listener.accept()[0]
        with connection:
            manager = PortManager(self._port, _Connection(connection))
            while not self._is_over.is_set():
                ready = select.select([connection, self._port], [], [], POLL_S)[0]
                if self._port in ready:
                    octets = b"".join(manager.escape(self._port.read(4096)))
                    connection.sendall(octets)
                if connection in ready:
                    octets = connection.recv(4096)
                    if not octets:
                        return
                    self._port.write(b"".join(manager.filter(octets)))


class _PinlessPort(serial.Serial):
    """A port without modem lines, as a pty is."""

    cts = dsr = ri = cd = False

    def __init__(self, *arguments: object, **options: object) -> None:
        self.lines: dict[str, bool] = {}  # As the client set them.
        super().__init__(*arguments, **options)

    def _update_dtr_state(self) -> None:
        self.lines["dtr"] = self.dtr

    def _update_rts_state(self) -> None:
        self.lines["rts"] = self.rts


class _Connection:
    """A socket as PortManager writes to one."""

    def __init__(self, connection: socket.socket) -> None:
        self.write = connection.sendall
