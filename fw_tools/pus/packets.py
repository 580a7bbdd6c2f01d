# SPDX-License-Identifier: Apache-2.0
"""Telecommand and telemetry packets: CCSDS 133.0-B primary header, PUS-C secondary header, CRC.

`TC` and `TM` are construct definitions of whole packets, their data as octets; the data of each
kind is defined in `fw_tools.pus.data_fields`.
"""

import binascii
from dataclasses import dataclass
from typing import Any

from construct import BitsInteger, BitStruct, Bytes, Flag, Int8ub, Int16ub, Int32ub, Struct, this

from fw_tools.pus.identifiers import CUC_P_FIELD, PUS_VERSION, UNSEGMENTED, Ack

PRIMARY_OCTETS = 6
TC_SECONDARY_OCTETS = 5
TM_SECONDARY_OCTETS = 14  # 7, and 7 of time.
CRC_OCTETS = 2
LENGTH_BIAS = PRIMARY_OCTETS + 1  # CCSDS 133.0-B 4.1.3.5.3: octets behind the header minus one.
SHORTEST_TC = PRIMARY_OCTETS + TC_SECONDARY_OCTETS + CRC_OCTETS
SEQUENCE_MODULUS = 1 << 14
MESSAGE_MODULUS = 1 << 16

PRIMARY_HEADER = BitStruct(
    "version" / BitsInteger(3),
    "is_telecommand" / Flag,
    "has_secondary_header" / Flag,
    "apid" / BitsInteger(11),
    "sequence_flags" / BitsInteger(2),
    "sequence_count" / BitsInteger(14),
    "data_length" / BitsInteger(16),
)
TIME = Struct("p_field" / Int8ub, "seconds" / Int32ub, "fraction" / Int16ub)
TC_SECONDARY_HEADER = Struct(
    "pus" / BitStruct("version" / BitsInteger(4), "ack" / BitsInteger(4)),
    "service" / Int8ub,
    "subtype" / Int8ub,
    "source_id" / Int16ub,
)
TM_SECONDARY_HEADER = Struct(
    "pus" / BitStruct("version" / BitsInteger(4), "time_reference_status" / BitsInteger(4)),
    "service" / Int8ub,
    "subtype" / Int8ub,
    "message_count" / Int16ub,
    "destination_id" / Int16ub,
    "time" / TIME,
)


def _packet(secondary: Any, octets: int) -> Any:
    data_octets = this.primary.data_length + 1 - octets - CRC_OCTETS
    return Struct(
        "primary" / PRIMARY_HEADER,
        "secondary" / secondary,
        "data" / Bytes(data_octets),
        "packet_error_control" / Int16ub,
    )


TC = _packet(TC_SECONDARY_HEADER, TC_SECONDARY_OCTETS)
TM = _packet(TM_SECONDARY_HEADER, TM_SECONDARY_OCTETS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telecommand:
    """A telecommand packet; what it holds besides is always the same."""

    apid: int
    sequence_count: int
    service: int
    subtype: int
    source_id: int
    ack: Ack
    data: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """A telemetry packet with a PUS-C secondary header."""

    apid: int
    sequence_count: int
    service: int
    subtype: int
    message_count: int
    destination_id: int
    seconds: int
    fraction: int  # 2^-16 s
    data: bytes = b""

    @property
    def kind(self) -> tuple[int, int]:
        """Service and subtype."""
        return self.service, self.subtype


def crc16(octets: bytes) -> int:
    """Return the packet error control of ECSS-E-ST-70-41C annex B; 0 where they end in their own.

    It is also the checksum of a memory area (ECSS-E-ST-70-41C 6.6.2.3).
    """
    return binascii.crc_hqx(octets, 0xFFFF)


def with_crc(octets: bytes) -> bytes:
    """Return `octets` with their CRC behind them."""
    return octets + crc16(octets).to_bytes(CRC_OCTETS, "big")


def data_length(octets: int) -> int:
    """Return the length field of a packet of so many octets."""
    return octets - LENGTH_BIAS


def build_tc(command: Telecommand) -> bytes:
    """Return the packet of a command."""
    octets = SHORTEST_TC + len(command.data)
    packet = TC.build(
        {
            "primary": _primary(True, command.apid, command.sequence_count, octets),
            "secondary": {
                "pus": {"version": PUS_VERSION, "ack": int(command.ack)},
                "service": command.service,
                "subtype": command.subtype,
                "source_id": command.source_id,
            },
            "data": command.data,
            "packet_error_control": 0,
        }
    )
    return with_crc(packet[:-CRC_OCTETS])


def parse_tc(packet: bytes) -> Telecommand:
    """Return what a command says. Raises `ValueError` unless `check_packet` finds it whole.

    No header field is checked against what a payload accepts.
    """
    parsed = _parsed(TC, packet, SHORTEST_TC)
    secondary = parsed.secondary
    return Telecommand(
        apid=parsed.primary.apid,
        sequence_count=parsed.primary.sequence_count,
        service=secondary.service,
        subtype=secondary.subtype,
        source_id=secondary.source_id,
        ack=Ack(secondary.pus.ack),
        data=parsed.data,
    )


def build_tm(report: Telemetry) -> bytes:
    """Return the packet of a report."""
    octets = PRIMARY_OCTETS + TM_SECONDARY_OCTETS + len(report.data) + CRC_OCTETS
    packet = TM.build(
        {
            "primary": _primary(False, report.apid, report.sequence_count, octets),
            "secondary": {
                "pus": {"version": PUS_VERSION, "time_reference_status": 0},
                "service": report.service,
                "subtype": report.subtype,
                "message_count": report.message_count,
                "destination_id": report.destination_id,
                "time": {
                    "p_field": CUC_P_FIELD,
                    "seconds": report.seconds,
                    "fraction": report.fraction,
                },
            },
            "data": report.data,
            "packet_error_control": 0,
        }
    )
    return with_crc(packet[:-CRC_OCTETS])


def parse_tm(packet: bytes) -> Telemetry:
    """Return what a report says.

    Raises `ValueError` when the packet is damaged, or no telemetry with a PUS-C secondary header.
    """
    parsed = _parsed(TM, packet, PRIMARY_OCTETS + TM_SECONDARY_OCTETS + CRC_OCTETS)
    primary, secondary = parsed.primary, parsed.secondary
    if primary.version or primary.is_telecommand or not primary.has_secondary_header:
        raise ValueError("no telemetry packet with a secondary header")
    if secondary.pus.version != PUS_VERSION:
        raise ValueError(f"PUS version {secondary.pus.version}; expected {PUS_VERSION} (PUS-C)")
    return Telemetry(
        apid=primary.apid,
        sequence_count=primary.sequence_count,
        service=secondary.service,
        subtype=secondary.subtype,
        message_count=secondary.message_count,
        destination_id=secondary.destination_id,
        seconds=secondary.time.seconds,
        fraction=secondary.time.fraction,
        data=parsed.data,
    )


def check_packet(packet: bytes) -> None:
    """Raise `ValueError` unless the octets are one whole packet: its length and CRC are right."""
    if len(packet) < PRIMARY_OCTETS + CRC_OCTETS:
        raise ValueError(f"{len(packet)} octets are no packet")
    stated = int.from_bytes(packet[4:6], "big") + LENGTH_BIAS
    if stated != len(packet):
        raise ValueError(f"the length field says {stated} octets; there are {len(packet)}")
    if crc16(packet):
        raise ValueError("the CRC is wrong")


def _parsed(definition: Any, packet: bytes, shortest: int) -> Any:
    check_packet(packet)
    if len(packet) < shortest:
        raise ValueError(f"{len(packet)} octets; the headers and the CRC alone have {shortest}")
    return definition.parse(packet)


def _primary(is_telecommand: bool, apid: int, count: int, octets: int) -> dict[str, object]:
    return {
        "version": 0,
        "is_telecommand": is_telecommand,
        "has_secondary_header": True,
        "apid": apid,
        "sequence_flags": UNSEGMENTED,
        "sequence_count": count,
        "data_length": data_length(octets),
    }
