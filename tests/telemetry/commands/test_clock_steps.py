# SPDX-License-Identifier: Apache-2.0
"""What is said of clocks: of packets that come again, and of fields that hold no running clock."""

import pytest

DEFINITION = """
from construct import *
P = {66: Struct("time_coarse" / Int32ub, "time_fine" / Int16ub, "packet_error_control" / Int16ub)}
"""
NO_CLOCK = "its field is no running clock"


@pytest.fixture
def stats(call, tmp_path, make_packet):
    """Give what `stats` says of packets with these times, numbered as they come, or as said."""
    (tmp_path / "clock.py").write_text(DEFINITION)

    def run(seconds, counts=None):
        pairs = zip(counts or range(len(seconds)), seconds, strict=True)
        run = [make_packet(66, n, time.to_bytes(4, "big") + bytes(2)) for n, time in pairs]
        (tmp_path / "d.bin").write_bytes(b"".join(run))
        done = call("stats", "d.bin", "--definition", "clock.py:P")
        return [line for line in done.stderr.splitlines() if "clock" in line or "APID" in line]

    return run


def test_a_dump_of_packets_that_come_again_and_again_has_no_reboot(stats):
    assert stats([*range(500, 510)] * 30, [*range(10)] * 30) == [
        "  APID 66: 300 rows, 290 duplicates, no gap"
    ]


def test_few_steps_are_told_one_by_one(stats):
    seconds = [*range(500, 550), *range(100, 150)]
    assert stats(seconds) == [
        "  APID 66: 100 rows, clock was set back 1 time, no gap",
        "    clock was set back before the packet at byte 700",
    ]


def test_many_steps_are_one_line(stats):
    seconds = [1000 - 100 * (i // 40) + i % 40 for i in range(400)]
    assert stats(seconds) == [
        "  APID 66: 400 rows, clock was set back 9 times, no gap",
        "    9 steps of the clock, first before the packet at byte 560",
    ]


def test_a_field_that_falls_all_the_time_is_not_called_a_clock(stats):
    assert stats([1000 - i % 2 - i for i in range(40)]) == [
        f"  APID 66: 40 rows, clock fell back 20 times in 40 packets: {NO_CLOCK}, no gap",
        "    20 steps of the clock, first before the packet at byte 14",
    ]
