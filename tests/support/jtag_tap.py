# SPDX-License-Identifier: Apache-2.0
"""An ECP5's JTAG port behind OpenOCD's remote bitbang protocol, on TCP.

The port is IEEE 1149.1's state machine; the instructions are those of Lattice FPGA-TN-02039 that
load the configuration memory, and the one that leads to the SPI flash behind it.
"""

import socket
import threading
from types import TracebackType
from typing import Protocol

LFE5U_85F, LFE5U_25F = 0x41113043, 0x41111043
# Next state by TMS 0 and 1, as in figure 6-1 of the standard.
NEXT = {
    "reset": ("idle", "reset"),
    "idle": ("idle", "select_dr"),
    "select_dr": ("capture_dr", "select_ir"),
    "capture_dr": ("shift_dr", "exit1_dr"),
    "shift_dr": ("shift_dr", "exit1_dr"),
    "exit1_dr": ("pause_dr", "update_dr"),
    "pause_dr": ("pause_dr", "exit2_dr"),
    "exit2_dr": ("shift_dr", "update_dr"),
    "update_dr": ("idle", "select_dr"),
    "select_ir": ("capture_ir", "reset"),
    "capture_ir": ("shift_ir", "exit1_ir"),
    "shift_ir": ("shift_ir", "exit1_ir"),
    "exit1_ir": ("pause_ir", "update_ir"),
    "pause_ir": ("pause_ir", "exit2_ir"),
    "exit2_ir": ("shift_ir", "update_ir"),
    "update_ir": ("idle", "select_dr"),
}
TDI, TMS, TCK = 1, 2, 4
IR_BITS = 8
READ_ID, READ_STATUS, READ_BUSY, USERCODE = 0xE0, 0x3C, 0xF0, 0xC0
ISC_ENABLE, ISC_DISABLE, ISC_ERASE, BURST, SPI, REFRESH = 0xC6, 0x26, 0x0E, 0x7A, 0x3A, 0x79
DONE, ISC_ENABLED, ID_ERROR = 1 << 8, 1 << 9, 1 << 23
READ_AHEAD = 4096
READ, READ_STATUS_REGISTER, READ_JEDEC_ID = 0x03, 0x05, 0x9F


class SpiFlash(Protocol):
    """A flash: within one chip select octets are sent, and so many read behind them."""

    def exchange(self, sent: bytes, wanted: int) -> bytes: ...


class Ecp5Tap:
    """One device on a chain, and what it was made to do."""

    def __init__(self, idcode: int = LFE5U_85F, flash: SpiFlash | None = None) -> None:
        self.loaded = b""  # What came behind LSC_BITSTREAM_BURST last.
        self.erased = 0  # How often its memory was.
        self.status = 0
        self._idcode = idcode
        self._flash = flash
        self._state = "reset"
        self._instruction = READ_ID
        self._tck = False
        self._tdo = 0
        self._in: list[int] = []  # Bits of this scan, the first first.
        self._out: list[int] = []
        self._sent = b""  # Whole octets of this chip select.
        self._ahead = b""  # What the flash gives behind a reading command, as far as it was asked.
        self._answer = 0

    def bits(self, value: int) -> None:
        """Take the levels of TCK, TMS and TDI."""
        rises, self._tck = bool(value & TCK) and not self._tck, bool(value & TCK)
        if rises:
            self._rise(value & TDI, value & TMS)
        elif not self._tck and self._state in ("shift_dr", "shift_ir"):
            self._tdo = self._next_out()

    def many(self, octets: bytes) -> int:
        """Take a run of clocks in Shift-DR at once; return how many octets it took.

        It does what `bits` does: a long scan in which TMS stays low and nobody looks at TDO.
        """
        if self._state != "shift_dr" or self._instruction != BURST:
            return 0
        odd, even = octets[1::2], octets[::2]
        count = min(_leading(even, b"01"), _leading(odd, b"45"))
        self._in += [octet & TDI for octet in odd[:count]]
        self._tck = self._tck or count > 0
        return 2 * count

    @property
    def tdo(self) -> int:
        return self._tdo

    def _rise(self, tdi: int, tms: int) -> None:
        if self._state in ("shift_dr", "shift_ir"):
            self._in.append(tdi)
        state = NEXT[self._state][bool(tms)]
        if state in ("capture_dr", "capture_ir"):
            self._in = []
            value, width = (1, IR_BITS) if state == "capture_ir" else self._captured()
            self._out = [value >> bit & 1 for bit in range(width)]
        elif state == "update_ir":
            self._instruction = _number(self._in[-IR_BITS:])  # As a register of its width holds it.
            self._obey()
        elif state == "exit1_dr" and self._instruction == SPI:
            self._end_of_chip_select()
        elif state == "update_dr":
            self._update()
        elif state == "reset":
            self._instruction = READ_ID
        self._state = state

    def _captured(self) -> tuple[int, int]:
        values = {
            READ_ID: (self._idcode, 32),
            READ_STATUS: (self.status, 32),
            READ_BUSY: (0, 8),
            USERCODE: (0, 32),
        }
        return values.get(self._instruction, (0, 1))

    def _next_out(self) -> int:
        if self._instruction == SPI and self._state == "shift_dr":
            return self._miso()
        place, width = len(self._in), len(self._out)
        # What is shifted in comes out again behind the register.
        return self._out[place] if place < width else self._in[place - width]

    def _obey(self) -> None:
        if self._instruction == ISC_ENABLE:
            self.status |= ISC_ENABLED
        elif self._instruction == ISC_DISABLE:
            self.status &= ~ISC_ENABLED
        elif self._instruction == REFRESH:
            self.status |= DONE

    def _update(self) -> None:
        if self._instruction == ISC_ERASE:
            self.erased += 1
            self.status &= ~DONE
        elif self._instruction == BURST:
            self.loaded = _octets(self._in)
            if self._idcode.to_bytes(4, "big") in self.loaded[:64]:
                self.status |= DONE
            else:
                self.status |= ID_ERROR

    # --- The flash: Shift-DR is its chip select --------------------------------------------------

    def _miso(self) -> int:
        bit = len(self._in) % 8
        if bit == 0:
            self._sent += _octets(self._in[8 * len(self._sent) :])
            self._answer = self._answered()
        return self._answer >> (7 - bit) & 1

    def _answered(self) -> int:
        """Return the octet that the flash gives behind what was sent; it has no effect on it."""
        assert self._flash
        sent = self._sent
        if sent[:1] == bytes([READ_STATUS_REGISTER]):
            return self._flash.exchange(sent[:1], 1)[0]
        head = {READ: 4, READ_JEDEC_ID: 1}.get(sent[0], len(sent) + 1) if sent else 1
        behind = len(sent) - head
        if behind >= len(self._ahead):
            self._ahead = self._flash.exchange(sent[:head], behind + READ_AHEAD)
        return self._ahead[behind] if behind >= 0 else 0

    def _end_of_chip_select(self) -> None:
        sent = _octets(self._in)
        if self._flash and sent and sent[0] not in (READ, READ_STATUS_REGISTER, READ_JEDEC_ID):
            self._flash.exchange(sent, 0)
        self._sent = self._ahead = b""


class TapServer:
    """Serves a TAP to one client after the other: octets 0 to 7 are levels, R asks for TDO."""

    def __init__(self, tap: Ecp5Tap) -> None:
        self.tap = tap
        self.octets = 0  # That came so far.
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "TapServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while octets := _received(connection):
                    self.octets += len(octets)
                    if not self._take(connection, octets):
                        break

    def _take(self, connection: socket.socket, octets: bytes) -> bool:
        place = 0
        while place < len(octets):
            taken = self.tap.many(octets[place:]) if len(octets) - place > 64 else 0
            place += taken
            if taken or place == len(octets):
                continue
            command = octets[place]
            place += 1
            if ord("0") <= command <= ord("7"):
                self.tap.bits(command - ord("0"))
            elif command == ord("R"):
                connection.sendall(b"01"[self.tap.tdo : self.tap.tdo + 1])
            elif command == ord("Q"):
                return False
        return True


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 16)
    except ConnectionError:
        return b""


def _leading(octets: bytes, wanted: bytes) -> int:
    """Return how many of the first octets are among those."""
    return len(octets) - len(octets.lstrip(wanted))


def _number(bits: list[int]) -> int:
    return sum(bit << place for place, bit in enumerate(bits))


def _octets(bits: list[int]) -> bytes:
    """Return whole octets, the most significant bit of each first."""
    whole = len(bits) // 8 * 8
    return int("0" + "".join(map(str, bits[:whole])), 2).to_bytes(whole // 8, "big")
