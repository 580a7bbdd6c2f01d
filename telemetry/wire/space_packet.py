# SPDX-License-Identifier: Apache-2.0
"""The primary header of a space packet (CCSDS 133.0-B-2, clause 4.1.3)."""

import struct
from typing import NamedTuple

PRIMARY_HEADER_OCTETS = 6  # 4.1.3.1
PACKET_VERSION = 0  # 4.1.3.2: '000' for a space packet
PACKET_TYPE_TELEMETRY = 0  # 4.1.3.3.2
IDLE_APID = 0x7FF  # 4.1.3.3.4.4: the APID of idle packets
SEQUENCE_COUNT_MODULO = 1 << 14  # 4.1.3.4.3
SEQUENCE_FLAGS_UNSEGMENTED = 3  # 4.1.3.4.2.2
DATA_LENGTH_BIAS = 1  # 4.1.3.5.2: the field holds the octets of the data field minus one.
MIN_DATA_OCTETS = 1  # 4.1.4.1: the data field is never empty.
MAX_DATA_OCTETS = 1 << 16
MAX_PACKET_OCTETS = PRIMARY_HEADER_OCTETS + MAX_DATA_OCTETS  # 65,542

_HEADER = struct.Struct(">HHH")


class PrimaryHeader(NamedTuple):
    """The seven fields, as raw counts in order of transmission."""

    packet_version: int  # 3 bits
    packet_type: int  # 1 bit: 0 telemetry, 1 telecommand
    secondary_header_flag: int  # 1 bit
    apid: int  # 11 bits
    sequence_flags: int  # 2 bits: 0 continuation, 1 first, 2 last, 3 unsegmented
    sequence_count: int  # 14 bits
    data_length: int  # 16 bits: octets behind the header minus one

    @property
    def data_octets(self) -> int:
        """Octets behind the primary header, 1..65,536."""
        return self.data_length + DATA_LENGTH_BIAS

    @property
    def packet_octets(self) -> int:
        """Octets of the whole packet, 7..65,542."""
        return PRIMARY_HEADER_OCTETS + self.data_length + DATA_LENGTH_BIAS

    def follows(self, before: "PrimaryHeader") -> bool:
        """Whether this is the next packet of the same APID and type as `before`, by its count."""
        expected = (before.sequence_count + 1) % SEQUENCE_COUNT_MODULO
        return self[:4] == before[:4] and self.sequence_count == expected


def parse_primary_header(data: bytes, offset: int = 0) -> PrimaryHeader:
    """Read the six octets at `offset`; `struct.error` when there are fewer."""
    identification, sequence, length = _HEADER.unpack_from(data, offset)
    return PrimaryHeader(
        identification >> 13,
        identification >> 12 & 1,
        identification >> 11 & 1,
        identification & 0x7FF,
        sequence >> 14,
        sequence & 0x3FFF,
        length,
    )


def build_primary_header(header: PrimaryHeader) -> bytes:
    """Return the six octets of `header`; `ValueError` when a field is wider than its place."""
    widths = (3, 1, 1, 11, 2, 14, 16)
    for name, value, bits in zip(header._fields, header, widths, strict=True):
        if not 0 <= value < 1 << bits:
            raise ValueError(f"{name} is {value}; it holds 0..{(1 << bits) - 1}")
    version, kind, secondary, apid, flags, count, length = header
    return _HEADER.pack(
        version << 13 | kind << 12 | secondary << 11 | apid, flags << 14 | count, length
    )
