# SPDX-License-Identifier: Apache-2.0
"""Where octets come from: a file, standard input, a pipe, a socket, a serial port.

Whatever it is, it comes in chunks. The end of a link, or Ctrl-C in a command, ends the chunks in
good order, so that what was decoded by then can be kept; `Source.ending` tells why there are no
more.
"""

import io
import os
import re
import select
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from telemetry.common.exit_codes import ExitCode
from telemetry.common.interrupt import stopped_by_interrupts
from telemetry.errors import InputError, LinkError, UsageError

Dump: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO
Read: TypeAlias = Callable[[], bytes | None]  # Octets; b"" at the end; None: nothing came by now.

CHUNK_OCTETS = 1 << 20
LINK_CHUNK_OCTETS = 1 << 16
POLL_S = 0.2  # How long a read waits before it looks whether Ctrl-C was pressed.
CONNECT_TIMEOUT_S = 10
DEFAULT_BAUDRATE = 115200
DEFAULT_LINE = "8N1"
_LINE = re.compile(r"([5-8])([NEOMS])(1|1\.5|2)")
_SERIAL_SCHEMES = ("rfc2217", "loop", "spy", "alt", "hwgrep", "cp2110")  # Of pyserial.
_SCHEMES = ("socket", *_SERIAL_SCHEMES)
_NO_TERMINALS = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


class Ending(StrEnum):
    """Why a source gives no more octets."""

    END = "end"  # That was all: the end of a file, or the other side closed its socket.
    INTERRUPTED = "interrupted"  # Ctrl-C.
    BROKEN = "broken"  # It cannot be read any further; `Source.problem` says why.


@dataclass(frozen=True, slots=True)
class SerialLine:
    """How a serial port is set; `UsageError` for what no port can be."""

    baudrate: int = DEFAULT_BAUDRATE
    line: str = DEFAULT_LINE  # Data bits, parity (none, even, odd, mark, space), stop bits.

    def __post_init__(self) -> None:
        if self.baudrate < 1:
            raise UsageError(f"--baud {self.baudrate}: expected bits per second, as 115200")
        if not _LINE.fullmatch(self.line):
            raise UsageError(f"--line {self.line}: expected data bits, parity, stop bits, as 8N1")

    def settings(self) -> dict[str, Any]:
        """Return the same for pyserial."""
        match = _LINE.fullmatch(self.line)
        assert match is not None
        bits, parity, stops = match.groups()
        return {
            "baudrate": self.baudrate,
            "bytesize": int(bits),
            "parity": parity,
            "stopbits": float(stops) if "." in stops else int(stops),
        }


@dataclass(slots=True)
class Source:
    """An open source. `chunks` may be called once."""

    name: str  # For messages.
    octets: int | None  # How many there are, where that is known.
    is_live: bool  # Octets come when they come, perhaps for ever.
    read: Read
    ending: Ending = Ending.END
    problem: str = ""
    is_stopped: bool = False  # Set it to end the chunks.

    def chunks(self) -> Iterator[bytes]:
        """Yield octets as they come, never more than `CHUNK_OCTETS` at once, until the ending."""
        while not self.is_stopped:
            try:
                chunk = self.read()
            except OSError as error:
                self.ending = Ending.BROKEN
                self.problem = f"{self.name}: {_reason(error)}"
                return
            if chunk == b"":
                return
            if chunk is not None:
                yield chunk
        self.ending = Ending.INTERRUPTED

    @property
    def is_cut(self) -> bool:
        """Whether reading was broken off by who reads, so that the rest is missing to nobody."""
        return self.ending is Ending.INTERRUPTED

    @property
    def exit_code(self) -> ExitCode:
        """What the ending means to a caller."""
        if self.ending is Ending.BROKEN:
            return ExitCode.LINK if self.is_live else ExitCode.INPUT
        return ExitCode.INTERRUPTED if self.ending is Ending.INTERRUPTED else ExitCode.DONE


@contextmanager
def open_source(
    dump: Dump, *, baudrate: int = DEFAULT_BAUDRATE, line: str = DEFAULT_LINE
) -> Iterator[Source]:
    """Open a dump for reading, and close it behind the `with` block.

    `dump` is a path, "-" for standard input, a pyserial URL (`socket://host:port`,
    `rfc2217://host:port`, `spy:///dev/ttyUSB0`...), a serial device, which is locked against other
    programs and set to `baudrate` and `line` (data bits, parity, stop bits); or octets, or a binary
    stream. Ctrl-C raises KeyboardInterrupt, but in a command, where the first one ends the chunks.

    Raises `InputError` for a file that cannot be read, `LinkError` for a link that cannot be
    opened, `UsageError` for a URL of no known form.
    """
    with ExitStack() as stack:
        source = _open(dump, SerialLine(baudrate, line), stack)
        stack.enter_context(stopped_by_interrupts(source))
        yield source


def is_live_name(dump: str) -> bool:
    """Whether `dump` names a link rather than a file or standard input."""
    return "://" in dump or _is_serial_device(Path(dump))


def _open(dump: Dump, line: SerialLine, stack: ExitStack) -> Source:
    if isinstance(dump, bytes | bytearray | memoryview):
        return Source("dump", len(dump), False, _stream_reader(io.BytesIO(dump)))
    if not isinstance(dump, str | os.PathLike):
        return Source(str(getattr(dump, "name", "dump")), None, False, _stream_reader(dump))
    name = os.fspath(dump)
    if name == "-":
        return _open_standard_input()
    if "://" in name:
        return _open_url(name, line, stack)
    if _is_serial_device(Path(name)):
        return Source(name, None, True, _open_serial(name, line, stack))
    return _open_file(Path(name), stack)


def joined_chunks(source: Source, octets: int) -> Iterator[bytes]:
    """Yield chunks of at least so many octets; from a pipe or a link as they come."""
    parts: list[bytes] = []
    for chunk in source.chunks():
        parts.append(chunk)
        if source.octets is None or sum(map(len, parts)) >= octets:
            yield b"".join(parts)
            parts = []
    if parts:
        yield b"".join(parts)


# --- Files and pipes ------------------------------------------------------------------------------


def _open_file(path: Path, stack: ExitStack) -> Source:
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; expected a dump file")
    try:
        stream = stack.enter_context(path.open("rb", buffering=0))
    except FileNotFoundError:
        if path.is_relative_to("/dev"):
            raise LinkError(f"{path}: no such device; is it plugged in?") from None
        raise InputError(f"{path}: no such file; expected a dump file") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    status = os.fstat(stream.fileno())
    if stat.S_ISREG(status.st_mode):
        return Source(str(path), status.st_size, False, lambda: stream.read(CHUNK_OCTETS))
    return Source(str(path), None, False, _descriptor_reader(stream.fileno()))


def _open_standard_input() -> Source:
    name = "standard input"
    if sys.stdin.isatty():
        raise InputError(f"{name} is a terminal; pipe a dump into this command")
    try:
        descriptor = sys.stdin.fileno()
    except (OSError, ValueError):  # Not a real file: a test's, or an embedding program's.
        return Source(name, None, False, _stream_reader(sys.stdin.buffer))
    return Source(name, None, False, _descriptor_reader(descriptor))


def _descriptor_reader(descriptor: int) -> Read:
    def read() -> bytes | None:
        ready, _, _ = select.select([descriptor], [], [], POLL_S)
        return os.read(descriptor, CHUNK_OCTETS) if ready else None

    return read


def _stream_reader(stream: BinaryIO) -> Read:
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    return lambda: read(CHUNK_OCTETS)


# --- Links ----------------------------------------------------------------------------------------


def _open_url(url: str, line: SerialLine, stack: ExitStack) -> Source:
    scheme, _, rest = url.partition("://")
    if scheme not in _SCHEMES:
        known = ", ".join(f"{known}://" for known in _SCHEMES)
        raise UsageError(f"{url}: no such kind of link; expected one of {known}")
    if scheme in ("socket", "rfc2217"):
        address = _address(url, scheme, rest)
        if scheme == "socket":
            return Source(url, None, True, _open_socket(url, address, stack))
    return Source(url, None, True, _open_serial(url, line, stack))


def _address(url: str, scheme: str, rest: str) -> tuple[str, int]:
    host, colon, port = rest.partition("?")[0].rstrip("/").rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 1 << 16):
        raise UsageError(f"{url}: expected {scheme}://HOST:PORT with a port of 1..65535")
    return host.strip("[]"), int(port)


def _open_socket(url: str, address: tuple[str, int], stack: ExitStack) -> Read:
    # Not by pyserial: it drops what it has read when the other side closes the connection.
    try:
        link = socket.create_connection(address, CONNECT_TIMEOUT_S)
    except OSError as error:
        raise LinkError(f"{url}: {_reason(error)}; is the other side running?") from error
    stack.enter_context(link)
    link.settimeout(POLL_S)

    def read() -> bytes | None:
        try:
            return link.recv(LINK_CHUNK_OCTETS)
        except TimeoutError:
            return None

    return read


def _is_serial_device(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISCHR(mode) and str(path) not in _NO_TERMINALS


def _open_serial(url: str, line: SerialLine, stack: ExitStack) -> Read:
    import serial

    try:
        port: Any = serial.serial_for_url(
            url, **line.settings(), timeout=POLL_S, exclusive=True, do_not_open=True
        )
        port.open()
    except (ValueError, KeyError) as error:  # pyserial trips over its own message about loop://.
        raise UsageError(f"{url}: no URL that pyserial knows: {error}") from error
    except OSError as error:
        if "expected a string in the form" in str(error):
            raise UsageError(f"{url}: no URL that pyserial knows: {error}") from error
        raise LinkError(f"{url}: {_advice(error)}") from error
    stack.enter_context(closing(port))

    def read() -> bytes | None:
        return port.read(min(port.in_waiting or 1, LINK_CHUNK_OCTETS)) or None

    return read


def _advice(error: OSError) -> str:
    """Say what would let a serial port be opened."""
    text = str(error)
    if "exclusively" in text:
        return "another program has it open"
    if isinstance(error, PermissionError) or "Permission denied" in text:
        return "no permission; on most systems the members of the group dialout have it"
    if "No such file" in text:
        return "no such device; is it plugged in?"
    return _reason(error)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
