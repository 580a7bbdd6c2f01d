# SPDX-License-Identifier: Apache-2.0
"""PUS-C headers against packets that `spacepackets` builds and reads."""

import pytest
from construct import GreedyBytes, Struct
from spacepackets.ccsds.time import CdsShortTimestamp
from spacepackets.ecss.tm import MiscParams, PusTm

from telemetry.wire.pus import PUS_C_VERSION, pus_fields, pus_header, time_fields
from telemetry.wire.time_formats import CcsFormat, CdsFormat, CucFormat


def test_a_header_of_spacepackets_is_read_and_built():
    stamp = CdsShortTimestamp(21550, 1234)
    packet = PusTm(
        apid=66, service=3, message_subtype=25, timestamp=stamp.pack(), source_data=b"abc",
        message_counter=0x1234, destination_id=0x5678,
        misc_params=MiscParams(spacecraft_time_ref=5),
    )  # fmt: skip
    layout = Struct(*pus_fields(CdsFormat(), has_p_field=True), "data" / GreedyBytes)
    octets = bytes(packet.pack())[6:-2]
    found = layout.parse(octets)
    assert (found.pus.version, found.pus.time_reference_status) == (PUS_C_VERSION, 5)
    assert (found.service_type, found.message_subtype) == (3, 25)
    assert (found.message_type_counter, found.destination_id) == (0x1234, 0x5678)
    assert (found.time_p_field, found.time_days, found.time_ms) == (0x40, 21550, 1234)
    assert found.data == b"abc"
    assert layout.build(found) == octets


@pytest.mark.parametrize(
    ("time_format", "names", "octets"),
    [
        (CucFormat(), ["time_coarse", "time_fine"], 6),
        (CucFormat(coarse_octets=4, fine_octets=0), ["time_coarse"], 4),
        (CucFormat(coarse_octets=7, fine_octets=10), ["time_coarse", "time_fine"], 17),
        (CdsFormat(day_octets=3), ["time_days", "time_ms"], 7),
        (CdsFormat(submillisecond_octets=2), ["time_days", "time_ms", "time_us"], 8),
        (CdsFormat(submillisecond_octets=4), ["time_days", "time_ms", "time_ps"], 10),
        (CcsFormat(subsecond_octets=3), ["time_digits"], 10),
    ],
)
def test_time_fields_are_as_wide_as_their_format(time_format, names, octets):
    plain = Struct(*time_fields(time_format))
    assert [field.name for field in plain.subcons] == names
    assert plain.sizeof() == octets == time_format.octets
    headed = Struct(*time_fields(time_format, has_p_field=True))
    assert headed.sizeof() == octets + len(time_format.p_field)


def test_spare_octets_follow_the_time():
    # ECSS-E-ST-70-41C 7.4.3.1: 4 + 4 + 8 + 8 + 16 + 16 bits, time, spare.
    assert pus_header(spare_octets=2).sizeof() == 7 + 6 + 2
    assert pus_header().sizeof() == 7 + 6
