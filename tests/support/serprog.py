# SPDX-License-Identifier: Apache-2.0
"""The twin's flash behind a serial programmer: flashrom's serprog protocol, version 1."""

import ctypes
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PARTS = Path(__file__).parents[2] / "hdl" / "twin" / "parts"
OCTETS = 4 << 20
ACK, NAK = b"\x06", b"\x15"
SPI = b"\x08"
# What is asked before anything is done; numbers are little endian.
ANSWERS = {
    0x00: ACK,
    0x01: ACK + b"\1\0",  # Of the protocol.
    0x03: ACK + b"fw-tools twin".ljust(16, b"\0"),
    0x04: ACK + b"\xff\xff",  # Room of the line.
    0x05: ACK + SPI,
    0x10: NAK + ACK,
}
SET_BUS, SPI_EXCHANGE = 0x12, 0x13
OFFERED = sum(1 << number for number in (0x02, *ANSWERS, SET_BUS, SPI_EXCHANGE))
ANSWERS[0x02] = ACK + OFFERED.to_bytes(32, "little")


class Flash:
    """The model in a library of its own. `time_scale` is that of its busy times."""

    def __init__(self, folder: Path, time_scale: float) -> None:
        library = folder / "flash_pins.so"
        sources = (Path(__file__).with_name("flash_pins.cpp"), PARTS / "flash.cpp")
        subprocess.run(
            ["g++", "-std=c++20", "-O2", "-shared", "-fPIC", f"-I{PARTS}", *sources, "-o", library],
            check=True,
        )
        self._library = ctypes.CDLL(str(library))
        self._library.flash_open.restype = ctypes.c_void_p
        self._flash = ctypes.c_void_p(self._library.flash_open(ctypes.c_double(time_scale)))

    def exchange(self, sent: bytes, wanted: int) -> bytes:
        answer = ctypes.create_string_buffer(wanted)
        counts = ctypes.c_size_t(len(sent)), ctypes.c_size_t(wanted)
        self._library.flash_exchange(self._flash, sent, counts[0], answer, counts[1])
        return answer.raw

    def content(self) -> bytes:
        array = ctypes.create_string_buffer(OCTETS)
        self._library.flash_content(self._flash, array)
        return array.raw

    def close(self) -> None:
        self._library.flash_close(self._flash)


@contextmanager
def served(flash: Flash) -> Iterator[str]:
    """Serve a flash to one client after the other; yield flashrom's name for it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, flash), daemon=True).start()
        yield f"serprog:ip=127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, flash: Flash) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:  # Closed: the test is over.
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, client.makefile("rwb") as line:
            while command := line.read(1):
                line.write(_answer(command[0], line, flash))
                line.flush()


def _answer(command: int, line: BinaryIO, flash: Flash) -> bytes:
    if command == SET_BUS:
        return ACK if line.read(1) == SPI else NAK
    if command == SPI_EXCHANGE:
        sent, wanted = (int.from_bytes(line.read(3), "little") for _ in range(2))
        return ACK + flash.exchange(line.read(sent), wanted)
    return ANSWERS.get(command, NAK)
