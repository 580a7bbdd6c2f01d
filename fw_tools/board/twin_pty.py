# SPDX-License-Identifier: Apache-2.0
"""A twin's port as a pseudo-terminal at a stable link.

A pty carries octets and the client's baud rate. It has no modem lines (DTR and RTS answer ENOTTY)
and loses a break: those need RFC 2217. We keep the client's side open, or reads would fail with EIO
and the terminal would fall back to echoing whenever a client leaves; who comes and goes is told by
inotify.
"""

import ctypes
import fcntl
import os
import struct
import termios
import tty
from contextlib import suppress
from pathlib import Path

from fw_tools.board import twin_messages as messages
from fw_tools.board.holders import openings
from fw_tools.board.twin_server import CHUNK, Outlet, TwinServer, dismiss, greet
from fw_tools.errors import InputError

# linux/asm-generic: termios2 holds rates beyond the named ones.
_TCGETS2, _TCSETS2 = 0x802C542A, 0x402C542B
_TERMIOS2 = struct.Struct("4IB19s2I")
_CBAUD, _BOTHER = 0o010017, 0o010000
_IN_CLOSE_WRITE, _IN_CLOSE_NOWRITE, _IN_OPEN = 0x8, 0x10, 0x20
_EVENT = struct.Struct("iIII")


class PtyPort:
    """A pseudo-terminal with a symbolic link `link` to it."""

    def __init__(self, link: Path, baud: int) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        _set_baud(self._slave, baud)
        os.set_blocking(self._master, False)
        self._name = os.ttyname(self._slave)
        self._watch = _watch_opens(self._name)
        self._outlet = Outlet(self._master)
        self._clients = 0
        self._is_doubtful = False  # Whether there is one, after all.
        self._seen_baud = baud
        self.link = link
        self._lock = _take_link(link, self._name)

    @property
    def url(self) -> str:
        """What a client opens."""
        return str(self.link)

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what a pty cannot."""
        return ("a pty has no DTR, RTS and break; --rfc2217 has",)

    def start(self, server: TwinServer) -> None:
        """Begin to wait for somebody to open it."""
        self._server = server
        server.wait_for(self._watch, read=True, write=False, call=self._come_or_go)

    def deliver(self, data: bytes) -> None:
        """Send octets of the payload."""
        if self._clients:
            self._outlet.write(data)

    def look(self) -> None:
        """Follow the client's baud rate, which nothing announces; see whether it is still there."""
        if not self._clients:
            return
        if self._is_doubtful and not self._still_open():
            self._clients, self._is_doubtful = 0, False
            self._leave()
            return
        baud = _get_baud(self._master)
        if baud != self._seen_baud:
            self._seen_baud = baud
            self._server.process.send(messages.rate(baud))

    def watch(self) -> None:
        """Read only while the line has room, so that the client's writes wait."""
        self._server.wait_for(
            self._master,
            read=self._server.process.room > 0,
            write=self._outlet.is_waiting,
            call=self._move,
        )

    def close(self) -> None:
        """Take the link away."""
        with suppress(OSError):
            if str(self.link.readlink()) == self._name:
                self.link.unlink()
        for descriptor in (self._watch, self._master, self._slave, self._lock):
            os.close(descriptor)

    def _move(self, mask: int) -> None:
        self._outlet.flush()
        if mask & 1:  # selectors.EVENT_READ
            with suppress(BlockingIOError):
                data = os.read(self._master, min(self._server.process.room, CHUNK))
                self._come_or_go(0)  # It was opened, and its rate set, before this was written.
                self.look()
                self._server.process.send(messages.octets(data))

    def _come_or_go(self, _mask: int) -> None:
        """Count who has opened and closed since the last time, which may have been several."""
        before, has_emptied = self._clients, False
        try:
            events = os.read(self._watch, 4096)
        except BlockingIOError:
            return
        for at in range(0, len(events), _EVENT.size):  # A watched file's events carry no name.
            mask = _EVENT.unpack_from(events, at)[1]
            self._clients += bool(mask & _IN_OPEN)
            self._clients -= bool(mask & (_IN_CLOSE_WRITE | _IN_CLOSE_NOWRITE))
            has_emptied |= self._clients == 0
        if self._clients <= 0:  # The system merges openings in a row: two may have counted as one.
            self._clients = self._still_open()
            has_emptied = self._clients == 0
            self._is_doubtful = not has_emptied
        if self._clients > 1:  # Only root gets past TIOCEXCL.
            self._server.say("a second client opened the pty; their octets will mix")
        if before and has_emptied:
            self._leave()
        if self._clients and (has_emptied or not before):
            self._come()

    def _still_open(self) -> int:
        """Return how many have it open besides us; who is just being forked counts too."""
        return max(sum(1 for _ in openings(Path(self._name))) - 1, 0)

    def _come(self) -> None:
        fcntl.ioctl(self._slave, termios.TIOCEXCL)
        self._seen_baud = _get_baud(self._master)
        greet(self._server.process, self._seen_baud)

    def _leave(self) -> None:
        fcntl.ioctl(self._slave, termios.TIOCNXCL)
        if self._clients:  # The next one is here already: what waits may be for it.
            dismiss(self._server.process)
            return
        self._drain()
        dismiss(self._server.process)
        self._outlet.clear()
        # The next client shall not see what it did not read. Its settings stay, as on a real port:
        # the next one may have made its own by now.
        termios.tcflush(self._slave, termios.TCIFLUSH)

    def _drain(self) -> None:
        """Take what the client wrote before it left."""
        with suppress(BlockingIOError):
            while data := os.read(self._master, CHUNK):
                self._server.process.send(messages.octets(data))


def _watch_opens(name: str) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    mask = _IN_OPEN | _IN_CLOSE_WRITE | _IN_CLOSE_NOWRITE
    if descriptor < 0 or libc.inotify_add_watch(descriptor, name.encode(), mask) < 0:
        raise InputError(f"{name}: cannot be watched: {os.strerror(ctypes.get_errno())}")
    return descriptor


def _get_baud(descriptor: int) -> int:
    raw = fcntl.ioctl(descriptor, _TCGETS2, bytes(_TERMIOS2.size))
    return int(_TERMIOS2.unpack(raw)[-1])


def _set_baud(descriptor: int, baud: int) -> None:
    raw = fcntl.ioctl(descriptor, _TCGETS2, bytes(_TERMIOS2.size))
    iflag, oflag, cflag, lflag, line, characters, _, _ = _TERMIOS2.unpack(raw)
    cflag = cflag & ~_CBAUD | _BOTHER
    packed = _TERMIOS2.pack(iflag, oflag, cflag, lflag, line, characters, baud, baud)
    fcntl.ioctl(descriptor, _TCSETS2, packed)


def _take_link(link: Path, target: str) -> int:
    """Make `link`, unless another living twin has it; return the lock that says it is ours."""
    link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(
        link.with_name(f"{link.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise InputError(
            f"{link}: another process serves a pty there; end it, or listen on TCP"
        ) from None
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    return lock
