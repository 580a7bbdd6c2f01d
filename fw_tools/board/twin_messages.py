# SPDX-License-Identifier: Apache-2.0
"""Messages between a twin's process and us, as hdl/twin/parts/channel.h defines them.

A message is its kind (one octet), the length of what follows (32 bits, little endian), and that.
"""

import struct
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from enum import IntEnum, StrEnum

_HEADER = struct.Struct("<cI")


class RailFault(StrEnum):
    """What can be wrong with a rail, in the order in which the twin numbers it."""

    NONE = "none"
    NO_POWER_GOOD = "no_power_good"
    POWER_GOOD_STUCK = "power_good_stuck"
    EARLY = "early"
    LATE = "late"
    DROP = "drop"
    LATCH_UP = "latch_up"
    SHORT_GLITCH = "short_glitch"
    LONG_GLITCH = "long_glitch"
    SHORT_SURGE = "short_surge"
    STUCK_ON = "stuck_on"


class Direction(IntEnum):
    """A wire of the line."""

    TO_PAYLOAD = 0
    FROM_PAYLOAD = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFaults:
    """Chances per octet; the order is that of the message."""

    flip: float = 0.0  # One bit of the octet is inverted.
    drop: float = 0.0
    duplicate: float = 0.0
    insert: float = 0.0  # A random octet comes before it.
    stall: float = 0.0  # The line pauses before it,
    stall_s: float = 0.0  # for so long.


@dataclass(frozen=True, slots=True)
class Message:
    """One message in either direction."""

    kind: bytes
    octets: bytes = b""

    def encode(self) -> bytes:
        """Return the message as it goes through the socket."""
        return _HEADER.pack(self.kind, len(self.octets)) + self.octets


OCTETS = b"o"  # The kind of octets for the payload.
STUCK = b"j"  # Of a bit of the flash.
FLASH_OCTETS = 4 << 20  # Of the flash that a twin has: a W25Q32JV.

# Kinds that come from the twin.
RECEIVED = b"O"  # Octets from the payload.
TAKEN = b"T"  # Octets taken from the host's queue since the start, 64 bits.
ANSWER = b"A"  # '1' or '0', then text.
EVENT = b"E"  # Text.

ASK = Message(b"q")
QUIT = Message(b"z")
DROP_QUEUE = Message(b"x")


def octets(data: bytes) -> Message:
    """Octets for the payload."""
    return Message(OCTETS, data)


def rate(baud: int) -> Message:
    """The host's baud rate from here on in the queue; 0 is the payload's own."""
    return Message(b"b", struct.pack("<I", baud))


def line_break(is_on: bool) -> Message:
    """A break begins or ends, in its place among the octets."""
    return Message(b"k", bytes([is_on]))


def reset(is_held: bool) -> Message:
    """The reset line."""
    return Message(b"r", bytes([is_held]))


def boot_select(is_high: bool) -> Message:
    """The boot-select line."""
    return Message(b"s", bytes([is_high]))


def client(is_there: bool) -> Message:
    """Somebody listens to the payload, or nobody does."""
    return Message(b"c", bytes([is_there]))


def power(is_on: bool) -> Message:
    """The board's supply."""
    return Message(b"p", bytes([is_on]))


def brown_out(is_low: bool) -> Message:
    """The supply is too low for flash and supervisor; the FPGA keeps its configuration."""
    return Message(b"w", bytes([is_low]))


def rail_fault(rail: int, fault: RailFault) -> Message:
    """Something goes wrong with a rail from now on, or nothing any more."""
    return Message(b"f", bytes([rail, list(RailFault).index(fault)]))


def line_faults(direction: Direction, seed: int, faults: LineFaults) -> Message:
    """The line's chances from here on; which octets they hit is drawn from `seed`."""
    return Message(b"l", struct.pack("<BQ6d", direction, seed, *astuple(faults)))


def cut(direction: Direction, is_cut: bool) -> Message:
    """A wire is cut, or whole again."""
    return Message(b"u", bytes([direction, is_cut]))


def upset(path: str, word: int, bit: int, *, is_asked: bool) -> Message:
    """A bit of a register or memory is inverted; `is_asked` wants an answer."""
    return Message(b"e", struct.pack("<BII", is_asked, word, bit) + path.encode())


def stuck(address: int, bit: int, value: int) -> Message:
    """A bit of the flash is 0 or 1 from now on, whatever is written."""
    return Message(STUCK, struct.pack("<IBB", address, bit, value))


def after(cycles: int, message: Message) -> Message:
    """Carry out `message` that many cycles from now."""
    return Message(b"a", struct.pack("<Q", cycles) + message.kind + message.octets)


class Splitter:
    """Takes octets as they come through the socket, and gives messages."""

    def __init__(self) -> None:
        self._octets = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield every message that is complete now."""
        self._octets += data
        at = 0
        while len(self._octets) - at >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._octets, at)
            end = at + _HEADER.size + length
            if end > len(self._octets):
                break
            yield Message(kind, bytes(self._octets[at + _HEADER.size : end]))
            at = end
        del self._octets[:at]
