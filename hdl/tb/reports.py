# SPDX-License-Identifier: Apache-2.0
"""Housekeeping reports on the ground's side of a bench: bytes by hand, and the given definition.

The layout is written down here a second time, from the standards and not from the generator:
CCSDS 133.0-B 4.1.3 (primary header), ECSS-E-ST-70-41C 7.4.3.1 (secondary header), 8.3.2.25 (report)
and CCSDS 301.0-B 3.2 (time).
"""

import binascii
import importlib.util
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRIMARY_HEADER_OCTETS = 6
SECONDARY_HEADER_PRESENT = 0x0800
UNSEGMENTED = 0xC000


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a report."""

    name: str
    bits: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the description says about a report."""

    apid: int
    structure_id: int
    destination_id: int
    fields: tuple[Field, ...]

    @classmethod
    def from_config(cls, packet: Mapping[str, Any]) -> "Report":
        """Return the report that the bench configuration describes."""
        fields = tuple(Field(**field) for field in packet["fields"])
        return cls(**{**packet, "fields": fields})

    def pack(self, values: Mapping[str, int], *, count: int, coarse: int, fine: int) -> bytes:
        """Return the whole packet; `count` is the number of reports of this APID before it."""
        body = struct.pack(">BBBHH", 0x20, 3, 25, count & 0xFFFF, self.destination_id)
        body += struct.pack(">BIH", 0x2E, coarse, fine) + struct.pack(">H", self.structure_id)
        for field in self.fields:
            body += values[field.name].to_bytes(field.bits // 8, "big")
        sequence = UNSEGMENTED | (count & 0x3FFF)
        data_length = len(body) + 2 - 1
        header = struct.pack(">HHH", SECONDARY_HEADER_PRESENT | self.apid, sequence, data_length)
        packet = header + body
        return packet + struct.pack(">H", binascii.crc_hqx(packet, 0xFFFF))


def distinct_octets(bits: int, first: int) -> int:
    """Return a value of `bits` bits whose octets are first, first+1, ... (modulo 256)."""
    octets = bytes((first + index) % 256 for index in range(bits // 8))
    return int.from_bytes(octets, "big")


def load_definitions(path: Path) -> Mapping[int, Any]:
    """Return `PACKETS` of a generated telemetry.py: APID to construct."""
    spec = importlib.util.spec_from_file_location("generated_telemetry", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PACKETS


def decode_report(definitions: Mapping[int, Any], packet: bytes) -> tuple[int, Any]:
    """Return the APID of `packet` and the fields that the ground reads in it."""
    apid = int.from_bytes(packet[:2], "big") & 0x07FF
    return apid, definitions[apid].parse(packet[PRIMARY_HEADER_OCTETS:])
