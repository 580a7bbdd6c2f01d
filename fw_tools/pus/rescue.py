# SPDX-License-Identifier: Apache-2.0
"""Rescue of a payload by LiteX's serial flash loader (SFL), the protocol of `litex_term`.

A frame is length (8 bit, of the payload), CRC-16/XMODEM of command and payload, command, payload; a
payload begins with a 32-bit address. An address is octet 0 of a boot slot in the flash plus a place
in the file that goes into it, as `fw-tools image` writes it. Frames come in order, from the slot's
first octet on, and the slot is erased as they come; a jump to that octet checks the image, writes
the slot's header with the next sequence number and boots the slot.
"""

import binascii
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from fw_tools.pus.loader import Loader
from fw_tools.pus.packets import crc16
from fw_tools.pus.service import NotExecutedError
from fw_tools.pus.slots import HEADER, MAGIC, SlotHeader, SlotHeaderError, read_header

REQUEST, ACKNOWLEDGE = b"sL5DdSMmkekro\n", b"z6IHG7cYDID6o\n"
ADDRESS_OCTETS = 4
LONGEST_DATA = 255 - ADDRESS_OCTETS  # Octets of one frame.
HEAD_OCTETS = 64  # Of the file, before the image: header, SHA-256.
HIGHEST_SEQUENCE = 0xFFFF


class Command(IntEnum):
    """What a frame asks for."""

    ABORT = 0
    LOAD = 1
    JUMP = 2


class Reply(StrEnum):
    """The octet that answers a frame."""

    SUCCESS = "K"
    CRC_ERROR = "C"
    UNKNOWN = "U"
    ERROR = "E"


def build_frame(command: int, payload: bytes) -> bytes:
    """Return a frame."""
    content = bytes([command]) + payload
    return bytes([len(payload)]) + binascii.crc_hqx(content, 0).to_bytes(2, "big") + content


@dataclass(frozen=True, slots=True)
class _Slot:
    """A slot that is being loaded, and what has come of its file."""

    number: int
    start: int
    file: bytes

    @property
    def next(self) -> int:
        return self.start + len(self.file)


class Rescue:
    """The payload's end, frame by frame, from the acknowledge of its request on."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._slot: _Slot | None = None
        self.is_over = False
        self.booted_slot = 0  # The one that was jumped to.

    def take(self, frame: bytes) -> Reply:
        """Carry out a whole frame and return the reply."""
        if frame != build_frame(frame[3], frame[4:]):
            return Reply.CRC_ERROR
        match frame[3]:
            case Command.ABORT:
                self.is_over = True
                return Reply.SUCCESS
            case Command.LOAD:
                return self._load(frame[4:])
            case Command.JUMP:
                return self._jump(frame[4:])
        return Reply.UNKNOWN

    def _load(self, payload: bytes) -> Reply:
        address = int.from_bytes(payload[:ADDRESS_OCTETS], "big")
        data = payload[ADDRESS_OCTETS:]
        slot_octets = self._loader.layout.slot_octets
        slot = self._slot
        is_start = address % slot_octets == 0 and address < len(self._loader.flash.content)
        if is_start and data.startswith(MAGIC):
            slot = _Slot(address // slot_octets, address, b"")
        elif is_start or not data or slot is None:
            return Reply.ERROR
        elif address + len(data) == slot.next:
            return Reply.SUCCESS  # A repeat: the reply to the first was lost.
        elif address != slot.next:
            return Reply.ERROR
        if not self._is_open(slot):
            return Reply.ERROR
        self._slot = slot
        if len(slot.file) + len(data) > self._loader.layout.room + HEAD_OCTETS:
            return Reply.ERROR
        self._slot = replace(slot, file=slot.file + data)
        self._program(self._slot, max(len(slot.file), HEAD_OCTETS))
        return Reply.SUCCESS

    def _program(self, slot: _Slot, begin: int) -> None:
        """Write what came from `begin` on, each sector erased before its first octet."""
        flash = self._loader.flash
        for place, octet in enumerate(slot.file[begin:], start=slot.start + begin - HEAD_OCTETS):
            if place == slot.start:
                flash.erase(self._loader.layout.header_at(slot.number), 4096)
            if place % 4096 == 0:
                flash.erase(place, 4096)
            flash.write(place, bytes([octet]))

    def _jump(self, payload: bytes) -> Reply:
        slot = self._slot
        if slot is None or payload != slot.start.to_bytes(ADDRESS_OCTETS, "big"):
            return Reply.ERROR
        if not self._is_open(slot) or len(slot.file) <= HEAD_OCTETS:
            return Reply.ERROR
        octets, image = slot.file[: HEADER.sizeof()], slot.file[HEAD_OCTETS:]
        found = self._header(octets)
        if found is None or found.length != len(image):
            return Reply.ERROR
        can_start = self._loader.can_start(slot.number, found)
        if not can_start or found.crc32 != binascii.crc32(image):
            self._slot = None  # Once more from the beginning.
            return Reply.ERROR
        header = octets[:6] + self._next_sequence().to_bytes(2, "big") + octets[8:-2]
        header_at = self._loader.layout.header_at(slot.number)
        self._loader.flash.write(header_at, header + crc16(header).to_bytes(2, "big"))
        self.is_over, self.booted_slot = True, slot.number
        return Reply.SUCCESS

    def _header(self, octets: bytes) -> SlotHeader | None:
        try:
            return read_header(octets, self._loader.layout)
        except SlotHeaderError:
            return None

    def _next_sequence(self) -> int:
        layout, flash = self._loader.layout, self._loader.flash
        starts = (layout.header_at(slot) for slot in range(layout.count))
        found = [self._header(flash.read(start, HEADER.sizeof())) for start in starts]
        return min(HIGHEST_SEQUENCE, 1 + max((each.sequence for each in found if each), default=0))

    def _is_open(self, slot: _Slot) -> bool:
        try:
            self._loader.flash.require_open(slot.start)
        except NotExecutedError:
            return False
        return True
