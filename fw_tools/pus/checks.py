# SPDX-License-Identifier: Apache-2.0
"""What is checked of a whole packet before it is carried out, in the order in which it is."""

from dataclasses import dataclass

from fw_tools.pus.commands import COMMANDS, SERVICES
from fw_tools.pus.failures import AcceptanceFailure, Failure, RoutingFailure
from fw_tools.pus.identifiers import PUS_VERSION, UNSEGMENTED
from fw_tools.pus.packets import CRC_OCTETS, PRIMARY_HEADER, PRIMARY_OCTETS, SHORTEST_TC

DATA_AT = SHORTEST_TC - CRC_OCTETS
ROUTING_REPORT = (1, 10)
ACCEPTANCE_REPORT = (1, 2)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A packet that is no command for us, or none that we take."""

    report: tuple[int, int]  # Which one tells of it.
    failure: Failure


def refusal(packet: bytes, apid: int) -> Refusal | None:
    """Return why a whole packet is refused by the payload with `apid`; None when it is accepted."""
    header = PRIMARY_HEADER.parse(packet[:PRIMARY_OCTETS])
    is_ours = header.is_telecommand and header.has_secondary_header and not header.version
    if not is_ours or header.apid != apid:
        return Refusal(ROUTING_REPORT, Failure(RoutingFailure.NOT_OURS, header.apid))
    failure = _acceptance_failure(packet, header.sequence_flags)
    return Refusal(ACCEPTANCE_REPORT, failure) if failure else None


def _acceptance_failure(packet: bytes, sequence_flags: int) -> Failure | None:
    if sequence_flags != UNSEGMENTED:
        return Failure(AcceptanceFailure.SEGMENTED, sequence_flags)
    if len(packet) < SHORTEST_TC:  # There is no whole secondary header to look at.
        return Failure(AcceptanceFailure.WRONG_LENGTH, len(packet))
    version, service, subtype = packet[6] >> 4, packet[7], packet[8]
    if version != PUS_VERSION:
        return Failure(AcceptanceFailure.PUS_VERSION, version)
    if service not in SERVICES:
        return Failure(AcceptanceFailure.UNKNOWN_SERVICE, service)
    row = COMMANDS.get((service, subtype))
    if row is None:
        return Failure(AcceptanceFailure.UNKNOWN_SUBTYPE, subtype)
    if not row.takes(packet[DATA_AT:-CRC_OCTETS]):
        return Failure(AcceptanceFailure.WRONG_LENGTH, len(packet))
    return None
