# SPDX-License-Identifier: Apache-2.0
"""Packets on the line: one packet in a COBS frame, zeros around it.

The packet's own length and CRC are the check of the frame; what fails is dropped and counted.
"""

from collections import Counter
from enum import StrEnum

from cobs import cobs

from fw_tools.pus.packets import CRC_OCTETS, LENGTH_BIAS, PRIMARY_OCTETS, crc16

DELIMITER = b"\0"
_BLOCK = 254  # Octets of the longest COBS block: one more octet for each.


class DropCause(StrEnum):
    """Why a frame was dropped; the first that is seen counts."""

    LINE = "line"  # Framing error or break of the UART within the frame.
    NO_ROOM = "no room"  # Longer than the longest packet.
    COBS = "cobs"
    LENGTH = "length"  # Not what the packet's length field says.
    CRC = "crc"


def encode_frame(packet: bytes) -> bytes:
    """Return a frame; the zero in front ends whatever half frame came before."""
    content: bytes = cobs.encode(packet)
    return DELIMITER + content + DELIMITER


def longest_content(longest_packet: int) -> int:
    """Return how many octets COBS makes of the longest packet at most, without the zeros."""
    return longest_packet + longest_packet // _BLOCK + 1


class FrameReceiver:
    """Octets of the line to whole packets, in chunks of any size."""

    def __init__(self, longest_packet: int) -> None:
        self.dropped: Counter[DropCause] = Counter()
        self._longest = longest_packet
        self._longest_content = longest_content(longest_packet)
        self._content = bytearray()
        self._spoiled: DropCause | None = None

    @property
    def is_in_frame(self) -> bool:
        """Tell whether a frame has begun and not ended."""
        return bool(self._content) or self._spoiled is not None

    def feed(self, octets: bytes) -> list[bytes]:
        """Take octets and return the packets that end in them."""
        packets = []
        *ended, rest = octets.split(DELIMITER)
        for part in ended:
            self._take(part)
            packet = self._end()
            if packet is not None:
                packets.append(packet)
        self._take(rest)
        return packets

    def spoil(self) -> None:
        """Note a framing error or a break: the frame in progress is dropped at its end."""
        if self._spoiled is None:
            self._spoiled = DropCause.LINE

    def _take(self, part: bytes) -> None:
        room = self._longest_content - len(self._content)
        self._content += part[:room]
        if len(part) > room and self._spoiled is None:
            self._spoiled = DropCause.NO_ROOM

    def _end(self) -> bytes | None:
        content, cause = bytes(self._content), self._spoiled
        self._content.clear()
        self._spoiled = None
        if not content and cause is None:
            return None
        found = cause or decode_frame(content, self._longest)
        if isinstance(found, DropCause):
            self.dropped[found] += 1
            return None
        return found


def decode_frame(content: bytes, longest_packet: int) -> bytes | DropCause:
    """Return the packet in what stands between two zeros, or why it is dropped."""
    try:
        packet: bytes = cobs.decode(content)
    except cobs.DecodeError:
        return DropCause.COBS
    if len(packet) > longest_packet:
        return DropCause.NO_ROOM
    is_short = len(packet) < PRIMARY_OCTETS + CRC_OCTETS
    if is_short or int.from_bytes(packet[4:6], "big") + LENGTH_BIAS != len(packet):
        return DropCause.LENGTH
    return DropCause.CRC if crc16(packet) else packet
