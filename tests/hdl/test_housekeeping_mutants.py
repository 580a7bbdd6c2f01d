# SPDX-License-Identifier: Apache-2.0
"""The benches of packets and time pass on the compute node and go red on each broken copy of it."""

from typing import Any

import pytest
from spacepackets.ecss.tm import PusTm

from fw_tools.flow.benches.housekeeping import housekeeping_benches
from fw_tools.report.records import Status

PACKETISER = "compute_node_housekeeping.sv"
CRC = "crc16_octet.sv"
TESTS = 9
PACKETS = 16 * 3 * 2  # Fields; lowest, highest, distinct octets; without and with stalls.

# File, broken expression, what it becomes, the test that must notice.
MUTANTS = {
    "another PUS version": (PACKETISER, "= «8'h20»;", "8'h10", "every_field"),
    "a length that is off by one": (PACKETISER, "= «8'h2d»;", "8'h2e", "every_field"),
    "another CRC polynomial": (CRC, "? «Polynomial» :", "16'h8005", "every_field"),
    "a CRC register that is not preset": (
        PACKETISER,
        "else if («is_start») crc_q",
        "1'b0",
        "every_field",
    ),
    "octets of a field swapped": (
        PACKETISER,
        "= «field_uptime_s_q[31:24]»",
        "field_uptime_s_q[23:16]",
        "every_field",
    ),
    "a field sent as it is now": (
        PACKETISER,
        "= «field_core_temperature_q[7:0]»",
        "field_core_temperature_i[7:0]",
        "every_field",
    ),
    "an octet that leaves without ready": (
        PACKETISER,
        "is_taken   = «m_valid_o && m_ready_i»",
        "m_valid_o",
        "every_field",
    ),
    "a sequence count of 13 bits": (
        PACKETISER,
        "= «{2'b11, count_q[13:8]}»",
        "{3'b110, count_q[12:8]}",
        "sequence_count",
    ),
    "a trigger that is forgotten": (
        PACKETISER,
        ": «is_pending_q || trigger_i»;",
        "1'b0",
        "one_trigger",
    ),
    "lost triggers that wrap": ("event_counter.sv", "«!(&count_o)»", "1'b1", "lost_triggers"),
    "no end after an upset": (
        PACKETISER,
        "m_valid_o  = «is_sending || is_open_q»",
        "is_sending",
        "no_upset",
    ),
    "a rounded unit of time": ("cuc_time.sv", "«phase_sum - Modulus»", "'0", "every_unit"),
}


@pytest.fixture(scope="module")
def run(carry_mutants: Any) -> Any:
    return carry_mutants(housekeeping_benches, MUTANTS)


def test_packets_and_time_of_the_compute_node_pass(run: Any) -> None:
    records = run.sound()
    assert [record.message for record in records if record.status is not Status.PASSED] == []
    assert len(records) == TESTS


def test_spacepackets_packs_the_octets_that_the_gateware_sent(run: Any) -> None:
    assert len(run.sound("every_field")) == 1
    capture = (run.folder / "housekeeping.bin").read_bytes()
    length = 7 + int.from_bytes(capture[4:6], "big")
    packets = [capture[start : start + length] for start in range(0, len(capture), length)]
    assert len(packets) == PACKETS
    for count, packet in enumerate(packets):
        read = PusTm.unpack(packet, timestamp_len=7)
        packed = PusTm(
            apid=66,
            service=3,
            message_subtype=25,
            timestamp=packet[13:20],
            source_data=read.source_data,
            seq_count=count,
            message_counter=count,
            destination_id=1,
        ).pack()
        assert packet == bytes(packed)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_packet_or_time_is_noticed(name: str, run: Any) -> None:
    assert run.failures(name)
