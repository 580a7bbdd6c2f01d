# SPDX-License-Identifier: Apache-2.0
"""Primary headers and CRCs against libraries and published values."""

import struct

import crcmod.predefined
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacepackets.ccsds.spacepacket import PacketType, SequenceFlags, SpacePacketHeader

from telemetry.wire.crc import crc16
from telemetry.wire.space_packet import (
    PrimaryHeader,
    build_primary_header,
    parse_primary_header,
)

ZERO = PrimaryHeader(0, 0, 0, 0, 0, 0, 0)
WIDTHS = dict(zip(PrimaryHeader._fields, (3, 1, 1, 11, 2, 14, 16), strict=True))


def test_crc_of_the_catalogue_string_is_the_catalogue_check_value():
    # CRC-16/IBM-3740 ("CCITT-FALSE"), CRC RevEng catalogue: check = 0x29b1.
    assert crc16(b"123456789") == 0x29B1


# ECSS-E-ST-70-41C annex B.1.5: the test vectors of the packet error control.
@pytest.mark.parametrize(
    ("data", "crc"),
    [("0000", 0x1D0F), ("000000", 0xCC9C), ("abcdef01", 0x04A2), ("1456f89a0001", 0x7FD5)],
)
def test_crc_of_the_standard_s_test_vectors(data, crc):
    assert crc16(bytes.fromhex(data)) == crc


@given(st.binary(max_size=300))
def test_crc_equals_crcmod(data):
    assert crc16(data) == crcmod.predefined.mkCrcFun("crc-ccitt-false")(data)


@given(st.binary(max_size=300))
def test_crc_over_a_packet_and_its_crc_is_zero(data):
    assert crc16(data + crc16(data).to_bytes(2, "big")) == 0


def _by_spacepackets(header: PrimaryHeader) -> bytes:
    return bytes(
        SpacePacketHeader(
            packet_type=PacketType(header.packet_type),
            apid=header.apid,
            seq_count=header.sequence_count,
            data_len=header.data_length,
            sec_header_flag=bool(header.secondary_header_flag),
            seq_flags=SequenceFlags(header.sequence_flags),
            ccsds_version=header.packet_version,
        ).pack()
    )


@pytest.mark.parametrize("field", WIDTHS)
@pytest.mark.parametrize("rest", ["zeros", "ones"])
def test_each_header_field_at_its_edges_is_read_and_built_as_spacepackets_does(field, rest):
    maximum = (1 << WIDTHS[field]) - 1
    others = {name: (1 << bits) - 1 if rest == "ones" else 0 for name, bits in WIDTHS.items()}
    others["packet_version"] = 0  # spacepackets builds version 0 only.
    values = {0} if field == "packet_version" else {0, 1, maximum // 2, maximum - 1, maximum}
    for value in values:
        header = PrimaryHeader(**{**others, field: value})
        assert build_primary_header(header) == _by_spacepackets(header)
        assert parse_primary_header(_by_spacepackets(header)) == header


def test_the_version_is_the_top_three_bits():
    assert parse_primary_header(b"\xe0" + bytes(5)) == ZERO._replace(packet_version=7)


@pytest.mark.parametrize("field", WIDTHS)
@pytest.mark.parametrize("past", ["below", "above"])
def test_a_header_value_past_its_width_is_refused(field, past):
    value = -1 if past == "below" else 1 << WIDTHS[field]
    with pytest.raises(ValueError, match=f"{field} is {value}; it holds 0.."):
        build_primary_header(ZERO._replace(**{field: value}))


def test_a_header_of_five_octets_is_refused():
    with pytest.raises(struct.error):
        parse_primary_header(bytes(5))


@pytest.mark.parametrize(("field", "octets"), [(0, 7), (1, 8), (65534, 65541), (65535, 65542)])
def test_packet_octets_count_header_and_data(field, octets):
    header = ZERO._replace(data_length=field)
    assert header.packet_octets == octets
    assert header.data_octets == octets - 6
