# SPDX-License-Identifier: Apache-2.0
"""Packets of the link against `spacepackets`, against the standard by hand, and damaged."""

from dataclasses import replace

import pytest
from spacepackets.ecss import PusTc
from spacepackets.ecss.fields import PacketFieldEnum
from spacepackets.ecss.pus_1_verification import (
    FailureNotice,
    RequestId,
    Service1Tm,
    VerificationParams,
)
from spacepackets.ecss.pus_17_test import Service17Tm
from spacepackets.ecss.tm import PusTm

from fw_tools.pus.data_fields import REPORTS, TELECOMMANDS, TIME_REPORT
from fw_tools.pus.identifiers import Ack
from fw_tools.pus.packets import (
    Telecommand,
    Telemetry,
    build_tc,
    build_tm,
    crc16,
    parse_tc,
    parse_tm,
)

STAMP = bytes.fromhex("2e0102030405f6")  # P-field, seconds, fraction.
PING = Telecommand(
    apid=66, sequence_count=22, service=17, subtype=1, source_id=0xA55A, ack=Ack.ACCEPTANCE
)
REPORT = Telemetry(
    apid=66,
    sequence_count=0x3FFE,
    service=17,
    subtype=2,
    message_count=0xFFFE,
    destination_id=0xA55A,
    seconds=0x01020304,
    fraction=0x05F6,
)


def test_the_crc_has_the_check_values_of_the_standard() -> None:
    # ECSS-E-ST-70-41C annex B.1.5, and the catalogue's check value of "123456789".
    for octets, crc in (
        ("0000", 0x1D0F),
        ("000000", 0xCC9C),
        ("abcdef01", 0x04A2),
        ("1456f89a0001", 0x7FD5),
    ):
        assert crc16(bytes.fromhex(octets)) == crc
    assert crc16(b"123456789") == 0x29B1


@pytest.mark.parametrize("apid", [0, 1, 2046])
@pytest.mark.parametrize("count", [0, 1, 0x3FFE, 0x3FFF])
@pytest.mark.parametrize("source_id", [0, 1, 0xFFFF])
@pytest.mark.parametrize("ack", [Ack.NONE, Ack.COMPLETION, Ack.ALL, Ack(15)])
def test_spacepackets_builds_the_same_ping(apid: int, count: int, source_id: int, ack: Ack) -> None:
    ours = replace(PING, apid=apid, sequence_count=count, source_id=source_id, ack=ack)
    theirs = PusTc(
        apid=apid,
        service=17,
        message_subtype=1,
        seq_count=count,
        source_id=source_id,
        ack_flags=int(ack),
    )
    assert build_tc(ours) == bytes(theirs.pack())
    assert parse_tc(bytes(theirs.pack())) == ours


@pytest.mark.parametrize("octets", [1, 2, 1023, 1024])
def test_spacepackets_builds_the_same_memory_load(octets: int) -> None:
    content = bytes(range(256)) * 4
    content = content[:octets]
    area = {"address": 0x10203040, "length": octets, "data": content, "checksum": crc16(content)}
    data = TELECOMMANDS[6, 2].build({"memory_id": 0xF0, "areas": [area]})
    by_hand = (
        b"\xf0\x01\x10\x20\x30\x40"
        + octets.to_bytes(2, "big")
        + content
        + crc16(content).to_bytes(2, "big")
    )
    assert data == by_hand
    ours = build_tc(replace(PING, service=6, subtype=2, data=data))
    theirs = PusTc(
        apid=66,
        service=6,
        message_subtype=2,
        seq_count=22,
        source_id=0xA55A,
        ack_flags=8,
        app_data=by_hand,
    )
    assert ours == bytes(theirs.pack())
    assert len(ours) == 6 + 5 + 8 + octets + 2 + 2


@pytest.mark.parametrize("subtype", [1, 3, 7])
def test_spacepackets_reads_reports_of_success(subtype: int) -> None:
    request = build_tc(PING)[:4]
    data = REPORTS[1, subtype].build({"request_id": request})
    ours = build_tm(replace(REPORT, service=1, subtype=subtype, data=data))
    theirs = Service1Tm.from_tm(PusTm.unpack(ours, len(STAMP)), _two_octet_codes())
    assert theirs.tc_req_id == RequestId.unpack(request)
    assert bytes(theirs.pack()) == ours


@pytest.mark.parametrize("subtype", [2, 8])
def test_spacepackets_reads_reports_of_failure(subtype: int) -> None:
    request = build_tc(PING)[:4]
    data = REPORTS[1, subtype].build({"request_id": request, "code": 34, "value": 0x89ABCDEF})
    ours = build_tm(replace(REPORT, service=1, subtype=subtype, data=data))
    theirs = Service1Tm.from_tm(PusTm.unpack(ours, len(STAMP)), _two_octet_codes())
    assert theirs.error_code == PacketFieldEnum(16, 34)
    again = VerificationParams(
        RequestId.unpack(request),
        failure_notice=FailureNotice(PacketFieldEnum(16, 34), bytes.fromhex("89abcdef")),
    )
    assert bytes(again.pack()) == data


def test_a_routing_failure_is_as_the_standard_lays_it_out() -> None:
    """ECSS-E-ST-70-41C 8.1.2.10: request ID, failure notice. `spacepackets` knows no TM[1,10]."""
    request = build_tc(PING)[:4]
    data = REPORTS[1, 10].build({"request_id": request, "code": 1, "value": 67})
    ours = build_tm(replace(REPORT, service=1, subtype=10, data=data))
    by_hand = bytes.fromhex(
        "0842 fffe 0019"  # Telemetry with secondary header, APID 66; flags 11, count; 32 - 7.
        "20 01 0a fffe a55a"  # PUS-C, service, subtype, message counter, destination.
        "2e 01020304 05f6"
        "1842 c016"  # Packet ID and sequence control of the command.
        "0001 00000043"
    )
    assert ours[:-2] == by_hand
    assert crc16(ours) == 0
    with pytest.raises(ValueError, match="10"):
        Service1Tm.from_tm(PusTm.unpack(ours, len(STAMP)), _two_octet_codes())


def _two_octet_codes():
    from spacepackets.ecss.pus_1_verification import ManagedParamsVerification

    return ManagedParamsVerification(bytes_step_id=1, bytes_err_code=2)


def test_spacepackets_reads_the_answer_to_a_ping() -> None:
    theirs = Service17Tm.unpack(build_tm(REPORT), len(STAMP))
    assert (theirs.service, theirs.message_subtype, theirs.source_data) == (17, 2, b"")
    assert bytes(theirs.pack()) == build_tm(REPORT)


@pytest.mark.parametrize("subtype", [1, 2, 3, 4])
def test_spacepackets_reads_events(subtype: int) -> None:
    data = REPORTS[5, subtype].build({"event_id": 0x1234, "data": 0xFEDCBA98})
    ours = build_tm(replace(REPORT, service=5, subtype=subtype, data=data))
    theirs = PusTm.unpack(ours, len(STAMP))
    assert (theirs.service, theirs.message_subtype) == (5, subtype)
    assert theirs.source_data == bytes.fromhex("1234fedcba98")
    assert theirs.pus_tm_sec_header.dest_id == REPORT.destination_id
    assert theirs.timestamp == STAMP


def test_a_report_that_spacepackets_built_is_read() -> None:
    theirs = PusTm(
        apid=66,
        service=3,
        message_subtype=25,
        timestamp=STAMP,
        source_data=b"\x00\x01fields",
        seq_count=0x3FFF,
        message_counter=0xFFFF,
        destination_id=1,
    )
    found = parse_tm(bytes(theirs.pack()))
    assert found == Telemetry(
        apid=66,
        sequence_count=0x3FFF,
        service=3,
        subtype=25,
        message_count=0xFFFF,
        destination_id=1,
        seconds=0x01020304,
        fraction=0x05F6,
        data=b"\x00\x01fields",
    )
    fields = REPORTS[3, 25].parse(found.data)
    assert (fields.structure_id, fields.fields) == (1, b"fields")


# By hand from the tables of ECSS-E-ST-70-41C clause 8 with this mission's sizes.
DATA = {
    (3, 5): "01 0001",
    (3, 6): "02 0001 ffff",
    (3, 27): "00",
    (3, 31): "01 0001 0000000a",
    (5, 5): "03 0000 0001 ffff",
    (5, 6): "01 0007",
    (6, 2): "01 01 00000010 0002 beef 2ccc",
    (6, 5): "e0 01 00000000 0300",
    (6, 9): "f0 02 00000000 0001 ffffffff 0400",
    (6, 128): "f0 01 00010000 00001000",
    (6, 129): "f0 01 00010000 00100000",
    (8, 1): "0005",
    (9, 1): "03",
    (9, 128): "2e 00000001 8000",
    (17, 1): "",
    (20, 1): "02 0000 0004",
    (20, 3): "01 0004 00000066",
}
ANSWERS = {
    (1, 1): "1842 c016",
    (1, 2): "1842 c016 0003 0000000d",
    (1, 3): "1842 c016",
    (1, 7): "1842 c016",
    (1, 8): "1842 c016 0022 ffffffff",
    (1, 10): "1842 c016 0001 00000043",
    (3, 25): "0001 00000000",
    (5, 1): "0001 00000000",
    (5, 2): "0002 00000001",
    (5, 3): "0003 80000000",
    (5, 4): "ffff ffffffff",
    (6, 6): "01 01 00000010 0002 beef 2ccc",
    (6, 10): "01 01 00000010 0002 2ccc",
    (6, 130): "f0 01 00010000 00100000 cbf43926",
    (17, 2): "",
    (20, 2): "02 0000 46575450 0004 00000066",
}


@pytest.mark.parametrize("kind", list(TELECOMMANDS))
def test_the_data_of_every_command_is_read_and_built_again(kind: tuple[int, int]) -> None:
    octets = bytes.fromhex(DATA[kind])
    assert TELECOMMANDS[kind].build(TELECOMMANDS[kind].parse(octets)) == octets


@pytest.mark.parametrize("kind", list(REPORTS))
def test_the_data_of_every_report_is_read_and_built_again(kind: tuple[int, int]) -> None:
    octets = bytes.fromhex(ANSWERS[kind])
    assert REPORTS[kind].build(REPORTS[kind].parse(octets)) == octets


def test_fields_of_a_memory_area_are_where_the_standard_has_them() -> None:
    found = TELECOMMANDS[6, 2].parse(bytes.fromhex(DATA[6, 2]))
    (area,) = found.areas
    assert (found.memory_id, area.address, area.length) == (1, 16, 2)
    assert (area.data, area.checksum) == (b"\xbe\xef", 0x2CCC)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ((6, 5), ("address", "length")),
        ((6, 129), ("address", "length")),
        ((3, 31), ("structure_id", "interval_ms")),
        ((20, 3), ("id", "value")),
    ],
)
def test_fields_of_an_item_are_in_the_order_of_the_standard(kind, names) -> None:
    found = TELECOMMANDS[kind].parse(bytes.fromhex(DATA[kind]))
    items = found.areas if kind[0] == 6 else found.intervals if kind[0] == 3 else found.parameters
    expected = {
        (6, 5): (0, 0x300),
        (6, 129): (0x10000, 0x100000),
        (3, 31): (1, 10),
        (20, 3): (4, 0x66),
    }
    assert tuple(items[0][name] for name in names) == expected[kind]


def test_a_time_report_is_rate_and_time() -> None:
    found = TIME_REPORT.parse(b"\x02" + STAMP)
    assert (found.rate_exponent, found.time.p_field) == (2, 0x2E)
    assert (found.time.seconds, found.time.fraction) == (0x01020304, 0x05F6)


@pytest.mark.parametrize("packet", [build_tc(PING), build_tm(REPORT)])
def test_a_packet_with_any_one_bit_flipped_or_cut_anywhere_is_refused(packet: bytes) -> None:
    parse = parse_tc if packet[0] & 0x10 else parse_tm
    for bit in range(8 * len(packet)):
        damaged = bytearray(packet)
        damaged[bit // 8] ^= 0x80 >> bit % 8
        with pytest.raises(ValueError, match=r"length|CRC"):
            parse(bytes(damaged))
    for end in range(len(packet)):
        with pytest.raises(ValueError, match=r"length|no packet"):
            parse(packet[:end])


def test_a_command_is_no_report_and_pus_a_is_refused() -> None:
    with pytest.raises(ValueError, match="no telemetry"):
        parse_tm(build_tc(replace(PING, data=bytes(20))))
    pus_a = bytearray(build_tm(REPORT)[:-2])
    pus_a[6] = 0x10
    with pytest.raises(ValueError, match="PUS version 1"):
        parse_tm(bytes(pus_a) + crc16(bytes(pus_a)).to_bytes(2, "big"))
    with pytest.raises(ValueError, match="headers"):
        parse_tm(build_tc(PING))
