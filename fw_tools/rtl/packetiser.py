# SPDX-License-Identifier: Apache-2.0
"""Housekeeping reports in gateware: CCSDS space packets, PUS-C TM[3,25] (ECSS-E-ST-70-41C).

The packet is a table of octets; the module sends one row after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.library import COUNTER_CELLS, library_files
from fw_tools.rtl.render import header, hex_literal, render
from fw_tools.spec.records import PacketSpec, Payload

PRIMARY_HEADER_OCTETS = 6
DATA_LENGTH_BIAS = 1  # CCSDS 133.0-B 4.1.3.5.3: octets of the data field minus one.
TELEMETRY_WITH_SECONDARY_HEADER = 0b0000_1 << 11  # Version 0, type 0 (telemetry), flag 1.
UNSEGMENTED = 0b11
PUS_VERSION = 2  # ECSS-E-ST-70-41C 7.4.3.1: PUS-C.
TIME_REFERENCE_STATUS = 0
SERVICE_TYPE = 3
MESSAGE_SUBTYPE = 25  # Housekeeping parameter report.
CUC_P_FIELD = 0x2E  # CCSDS 301.0-B 3.2.2: agency epoch, 4 octets of seconds, 2 of the fraction.


@dataclass(frozen=True, slots=True)
class Octet:
    """One octet of the packet: a SystemVerilog expression of 8 bits, and what it is."""

    expression: str
    meaning: str


def packet_octets(packet: PacketSpec) -> tuple[Octet, ...]:
    """Return the octets of `packet` in order of transmission, packet error control last."""
    body = [
        Octet(hex_literal(PUS_VERSION << 4 | TIME_REFERENCE_STATUS, 8), "PUS version, time status"),
        Octet(hex_literal(SERVICE_TYPE, 8), "service type"),
        Octet(hex_literal(MESSAGE_SUBTYPE, 8), "message subtype"),
        *_register("count_q", 16, "message type counter"),
        *_constant(packet.destination_id, 16, "destination ID"),
        Octet(hex_literal(CUC_P_FIELD, 8), "time: P-field"),
        *_register("coarse_time_q", 32, "time: seconds"),
        *_register("fine_time_q", 16, "time: 2^-16 s"),
        *_constant(packet.structure_id, 16, "structure ID"),
    ]
    for field in packet.fields:
        body += _register(f"field_{field.name}_q", field.bits, field.name)
    body += _register("crc_q", 16, "packet error control")
    return (*_primary_header(packet, len(body)), *body)


def _primary_header(packet: PacketSpec, data_field_octets: int) -> Iterator[Octet]:
    yield from _constant(
        TELEMETRY_WITH_SECONDARY_HEADER | packet.apid, 16, "version, type, secondary header, APID"
    )
    yield Octet(f"{{2'b{UNSEGMENTED:02b}, count_q[13:8]}}", "sequence flags, count")
    yield Octet("count_q[7:0]", "sequence count")
    yield from _constant(data_field_octets - DATA_LENGTH_BIAS, 16, "data length")


def _constant(value: int, bits: int, meaning: str) -> Iterator[Octet]:
    for low in range(bits - 8, -1, -8):
        yield Octet(hex_literal(value >> low & 0xFF, 8), meaning)


def _register(name: str, bits: int, meaning: str) -> Iterator[Octet]:
    if bits == 8:
        yield Octet(name, meaning)
        return
    for low in range(bits - 8, -1, -8):
        yield Octet(f"{name}[{low + 7}:{low}]", meaning)


def packet_module(payload: Payload, packet: PacketSpec) -> str:
    """Return the name of the module that sends `packet`."""
    return f"{payload.name}_{packet.name}"


def render_packetiser(
    payload: Payload, packet: PacketSpec, digest: str
) -> tuple[GeneratedFile, ...]:
    """Return the module that sends `packet` on an octet stream, and its library cells."""
    octets = packet_octets(packet)
    module = packet_module(payload, packet)
    text = render(
        "packetiser.sv.j2",
        head=header("//", digest, f"Packet {packet.name} of {payload.name}."),
        module=module,
        packet=packet,
        octets=octets,
        index_bits=(len(octets)).bit_length(),
    )
    cells = library_files("crc16_octet", *COUNTER_CELLS)
    return (*cells, GeneratedFile(PurePosixPath(f"rtl/{module}.sv"), text))
