# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

import pytest
from spacepackets.ecss.tm import PusTm

from fw_tools.flow.benches.housekeeping import packet_config
from fw_tools.rtl.packetiser import packet_octets
from fw_tools.spec.load import load_payload
from fw_tools.spec.records import PACKET_OVERHEAD_OCTETS, FieldSpec, PacketSpec, Payload
from hdl.tb.reports import Report, distinct_octets

DIGEST = "89abcdef" * 8
TIME_OCTETS = 7
FIELDS = tuple(
    FieldSpec(name=f"f{bits}", source=f"input.f{bits}", bits=bits, unit="")
    for bits in (8, 16, 24, 32)
)
PACKET = PacketSpec(
    name="housekeeping",
    apid=0x42,
    structure_id=0x1234,
    destination_id=0x5678,
    period_us=1_000_000,
    fields=FIELDS,
)
# PUS version 2 and time status 0; service 3; subtype 25; P-field 0x2e. Worked by hand.
CONSTANTS = {6: 0x20, 7: 3, 8: 25, 11: 0x56, 12: 0x78, 13: 0x2E, 20: 0x12, 21: 0x34}


@pytest.fixture(scope="module")
def payload(repository: Path) -> Payload:
    return load_payload(repository / "examples/compute_node/payload.toml")


@pytest.fixture(scope="module")
def report() -> Report:
    return Report.from_config(packet_config(PACKET))


def values(first: int) -> dict[str, int]:
    return {
        field.name: distinct_octets(field.bits, first + 16 * n) for n, field in enumerate(FIELDS)
    }


def literal(expression: str) -> int:
    assert expression.startswith("8'h")
    return int(expression[3:], 16)


def test_constant_octets_are_those_of_the_standards() -> None:
    octets = packet_octets(PACKET)
    assert {n: literal(octets[n].expression) for n in CONSTANTS} == CONSTANTS
    assert [literal(octets[n].expression) for n in (0, 1)] == [0x08, 0x42]


def test_data_length_counts_the_octets_after_the_primary_header_minus_one() -> None:
    octets = packet_octets(PACKET)
    assert len(octets) == PACKET_OVERHEAD_OCTETS + 1 + 2 + 3 + 4
    assert literal(octets[4].expression) << 8 | literal(octets[5].expression) == len(octets) - 7


@pytest.mark.parametrize("apid", [0, 1, 2045, 2046])
def test_the_apid_fills_its_11_bits(apid: int) -> None:
    octets = packet_octets(replace(PACKET, apid=apid))
    assert literal(octets[0].expression) << 8 | literal(octets[1].expression) == 0x0800 | apid


@pytest.mark.parametrize("apid", [0, 2046])
@pytest.mark.parametrize("count", [0, 1, 0x3FFE, 0x3FFF])
def test_spacepackets_packs_the_same_octets(apid: int, count: int, report: Report) -> None:
    report = replace(report, apid=apid)
    ours = report.pack(values(0x91), count=count, coarse=0x01020304, fine=0xF1F2)
    source = ours[6 + 7 + TIME_OCTETS : -2]
    theirs = PusTm(
        apid=apid,
        service=3,
        message_subtype=25,
        timestamp=bytes([0x2E, 1, 2, 3, 4, 0xF1, 0xF2]),
        source_data=source,
        seq_count=count,
        message_counter=count,
        destination_id=PACKET.destination_id,
    ).pack()
    assert ours == bytes(theirs)
    assert source[:2] == PACKET.structure_id.to_bytes(2, "big")


def test_spacepackets_reads_what_the_gateware_sent(report: Report) -> None:
    packet = report.pack(values(0x31), count=7, coarse=9, fine=11)
    tm = PusTm.unpack(packet, timestamp_len=TIME_OCTETS)
    assert (tm.apid, tm.seq_count, tm.service, tm.message_subtype) == (0x42, 7, 3, 25)
    assert tm.pus_tm_sec_header.message_counter == 7
    assert tm.pus_tm_sec_header.dest_id == PACKET.destination_id
