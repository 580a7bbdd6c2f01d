# SPDX-License-Identifier: Apache-2.0
"""Segmented groups in the commands: whole ones are decoded, others are accounted for."""

import csv
import io
import json

import pytest
from crcmod.predefined import mkCrcFun
from spacepackets.ccsds.spacepacket import PacketType, SequenceFlags, SpacePacketHeader

import telemetry

CONTINUATION, FIRST, LAST, ALONE = (SequenceFlags(n) for n in range(4))
crc16 = mkCrcFun("crc-ccitt-false")

DEFINITION = """
from construct import *
from telemetry import Limits, field
WHOLE = Struct("number" / Int32ub, "data" / Bytes(20), "packet_error_control" / Int16ub)
PLAIN = Struct("number" / Int32ub, "data" / Bytes(20))
TAIL = Struct("size" / Int16ub, "data" / Bytes(this.size))
LARGE = Struct("data" / Bytes(100_000))
BOTH = {66: WHOLE, 67: WHOLE}
"""


def segment(flags, count, data, *, apid=66, crc=True):
    header = SpacePacketHeader(
        packet_type=PacketType.TM, apid=apid, seq_count=count % 16384,
        data_len=len(data) + 2 * crc - 1, sec_header_flag=False, seq_flags=flags,
    )  # fmt: skip
    packet = bytes(header.pack()) + data
    return packet + crc16(packet).to_bytes(2, "big") if crc else packet


def content(number):
    return number.to_bytes(4, "big") + bytes(range(number, number + 20))


def group(number, first, *, apid=66, crc=True, header=b"", pieces=4):
    """Cut the 24 bytes of a packet into segments."""
    data, size = content(number), 24 // pieces
    parts = [data[at : at + size] for at in range(0, 24, size)]
    flags = [FIRST, *[CONTINUATION] * (pieces - 2), LAST]
    return [
        segment(flags[i], first + i, (header if i else b"") + part, apid=apid, crc=crc)
        for i, part in enumerate(parts)
    ]


@pytest.fixture
def run(call, tmp_path):
    (tmp_path / "mission.py").write_text(DEFINITION)

    def decode(packets, *options, name="WHOLE", command="decode"):
        (tmp_path / "d.bin").write_bytes(b"".join(packets))
        return call(command, "d.bin", "--definition", f"mission.py:{name}", *options)

    return decode


@pytest.fixture
def decode(run, tmp_path):
    def to_rows(packets, *options, name="WHOLE"):
        (tmp_path / "out.csv").unlink(missing_ok=True)
        flags = ("--reassemble", "--quality", "-o", "out.csv", "--summary", "s.json")
        done = run(packets, *flags, *options, name=name)
        out = tmp_path / "out.csv"
        rows = list(csv.DictReader(io.StringIO(out.read_text()))) if out.exists() else []
        return done, rows, json.loads((tmp_path / "s.json").read_text())

    return to_rows


def numbers(rows):
    return [int(row["number"]) for row in rows]


def check_sums(record, asked):
    """Every octet of the input, and of the packets asked for, stands in one account."""
    assert sum(record["bytes"].values()) == record["input"]["bytes"]
    assert sum(record["groups"]["bytes"].values()) == asked


def test_a_definition_of_the_whole_is_applied_to_the_whole(decode):
    packets = [
        *group(1, 16382),  # Over the top of the sequence count.
        segment(ALONE, 2, content(2)),
        *group(3, 3),
    ]
    done, rows, record = decode(packets)
    assert done.returncode == 0, done.stderr
    assert numbers(rows) == [1, 2, 3]
    assert [row["data"] for row in rows] == [bytes(range(n, n + 20)).hex() for n in (1, 2, 3)]
    assert [row["crc_verdict"] for row in rows] == ["good"] * 3
    assert [row["sequence_flags"] for row in rows] == ["1", "3", "1"]
    assert [row["sequence_count"] for row in rows] == ["16382", "2", "3"]
    assert record["rows"] == 3
    assert record["groups"]["bytes"]["whole"] == 2 * 4 * 14
    assert record["groups"]["segments"]["whole"] == 8
    assert record["groups"]["bytes"]["alone"] == 32
    check_sums(record, 2 * 4 * 14 + 32)
    assert "in whole groups" in done.stderr


def test_groups_of_several_apids_lie_between_each_other(decode, tmp_path):
    pairs = zip(group(1, 0), group(2, 7, apid=67), strict=True)
    _, _, record = decode([packet for pair in pairs for packet in pair], name="BOTH")
    assert record["apids"]["66"]["rows"] == record["apids"]["67"]["rows"] == 1
    assert numbers(csv.DictReader(io.StringIO((tmp_path / "out.67.csv").read_text()))) == [2]


LOST = {
    "the first": ([0], "the first segment is missing", (42, 0, 28)),
    "one within": ([2], "segment 6 is missing", (42, 0, 28)),
    "the last": ([3], "the last segment is missing", (42, 0, 28)),
    "two": ([1, 2], "2 segments, 5 to 6, are missing", (28, 0, 14)),
}


@pytest.mark.parametrize("case", LOST)
def test_a_group_that_is_not_whole_is_accounted_for_and_never_decoded(decode, case):
    lost, reason, (octets, first, last) = LOST[case]
    kept = [packet for index, packet in enumerate(group(5, 4)) if index not in lost]
    before, after = group(1, 0), group(9, 8)
    done, rows, record = decode([*before, *kept, *after])
    assert done.returncode == 6
    assert numbers(rows) == [1, 9]
    assert record["groups"]["bytes"]["broken"] == octets
    (damage,) = record["groups"]["damages"]
    assert (damage["account"], damage["reason"]) == ("broken", reason)
    assert (damage["offset"], damage["last_offset"]) == (56 + first, 56 + last)
    assert (damage["bytes"], damage["segments"]) == (octets, len(kept))
    assert record["missing"] == len(lost)
    check_sums(record, 8 * 14 + octets)
    assert "in broken groups" in done.stderr


def test_a_gap_before_a_group_stands_beside_its_row(decode):
    _, rows, _ = decode([*group(1, 0), *group(2, 9)])
    assert [row["gap_before"] for row in rows] == ["0", "5"]


def test_a_group_that_the_dump_cuts_is_broken(decode):
    done, rows, record = decode([*group(1, 0), *group(2, 4)[:3]])
    assert (done.returncode, numbers(rows)) == (6, [1])
    assert record["groups"]["bytes"]["broken"] == 42
    assert "the last segment is missing" in done.stderr


def test_a_damaged_segment_spoils_its_group_and_no_other(decode):
    packets = [*group(1, 0), *group(2, 4), *group(3, 8)]
    packets[5] = packets[5][:8] + b"\xff" + packets[5][9:]
    done, rows, record = decode(packets)
    assert (done.returncode, numbers(rows)) == (6, [1, 3])
    found = record["groups"]["bytes"]
    assert (found["damaged"], found["broken"]) == (14, 42)
    check_sums(record, 12 * 14)


def test_a_segment_that_comes_again_counts_once(decode):
    packets = group(1, 0)
    done, rows, record = decode([*packets[:2], packets[1], *packets[2:]])
    assert numbers(rows) == [1]
    assert record["groups"]["bytes"]["duplicate"] == 14
    check_sums(record, 5 * 14)
    assert done.returncode == 0


def test_the_secondary_header_of_later_segments_is_left_out(decode):
    packets = group(1, 0, header=b"time")
    _, rows, _ = decode(packets, "--repeated-header", "4")
    assert numbers(rows) == [1]
    assert rows[0]["data"] == bytes(range(1, 21)).hex()
    # Without the option the whole is too long, and that is said.
    done, rows, record = decode([*packets, *group(2, 4)])
    assert numbers(rows) == [2]
    assert record["groups"]["damages"][0]["reason"] == (
        "put together it has 38 data bytes; WHOLE takes 26"
    )
    check_sums(record, sum(map(len, packets)) + 4 * 14)
    assert done.returncode == 6


def test_a_whole_that_the_definition_cannot_read_is_told(decode):
    bad = [
        segment(FIRST, 0, b"\0\x09abc", crc=False),
        segment(LAST, 1, b"defg", crc=False),
    ]
    good = [
        segment(FIRST, 2, b"\0\x05ab", crc=False),
        segment(LAST, 3, b"cde", crc=False),
    ]
    done, rows, record = decode([*bad, *good], name="TAIL")
    assert [row["data"] for row in rows] == [b"abcde".hex()]
    (damage,) = record["groups"]["damages"]
    assert damage["account"] == "unreadable"
    assert "data" in damage["reason"]
    check_sums(record, sum(map(len, [*bad, *good])))
    assert done.returncode == 6


def test_a_whole_may_be_larger_than_a_packet(run, tmp_path):
    data = bytes(i % 251 for i in range(100_000))
    packets = [
        segment(flags, index, data[at : at + 25_000], crc=False)
        for index, (flags, at) in enumerate(
            zip((FIRST, CONTINUATION, CONTINUATION, LAST), range(0, 100_000, 25_000), strict=True)
        )
    ]
    options = telemetry.Options(reassemble=True)
    source = f"{tmp_path / 'mission.py'}:LARGE"
    decoded = telemetry.decode(b"".join(packets), source, options=options)
    assert decoded.columns()["data"].tolist() == [data]
    done = run(packets, name="LARGE")
    assert done.returncode == 3
    assert "put together by --reassemble" in done.stderr


def test_a_group_goes_on_in_the_next_dump(call, run, tmp_path):
    packets = [*group(1, 0), *group(2, 4)]
    run([])
    for name, part in (("a.bin", packets[:6]), ("b.bin", packets[6:])):
        (tmp_path / name).write_bytes(b"".join(part))
    done = call("decode", "a.bin", "b.bin", "--definition", "mission.py:WHOLE", "--reassemble")
    assert done.returncode == 0, done.stderr
    assert "112 bytes, 2 rows decoded" in done.stderr


def test_without_the_option_segments_are_decoded_as_they_come_and_that_is_said(run):
    done = run([segment(FIRST, 0, content(1)), segment(LAST, 1, content(2))])
    assert "2 rows decoded" in done.stderr
    assert "APID 66: by their sequence flags packets are segments of groups" in done.stderr
    assert "--reassemble" not in run([segment(ALONE, 0, content(1))]).stderr


def test_statistics_are_of_the_wholes(run, tmp_path):
    done = run(
        [*group(1, 0), *group(5, 4), *group(9, 8)[1:]], "--reassemble", "--json", "s.json",
        command="stats",
    )  # fmt: skip
    assert done.returncode == 6
    record = json.loads((tmp_path / "s.json").read_text())
    column = record["statistics"]["66"]["columns"]["number"]
    assert (column["values"], column["min"], column["max"]) == (2, 1, 5)
    assert record["groups"]["bytes"]["broken"] == 42


def test_segments_are_listed_and_explained(run, call):
    packets = [*group(1, 0), *group(2, 4)[:2], *group(3, 8)]
    done = run(packets, "--reassemble", command="packets")
    assert "10 rows" in done.stderr
    explain = ("explain", "d.bin", "--definition", "mission.py:WHOLE", "--reassemble", "--offset")
    assert "yes, in its group, which is whole" in call(*explain, 20).stdout
    told = call(*explain, 60).stdout
    assert "sequence flags 1: the first of a group" in told
    assert "from byte 56 to the packet at 70: the last segment is missing" in told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--repeated-header", "4"), "--reassemble puts together"),
        (("--reassemble", "--framing", "kiss", "--no-primary-header"), "sequence flags stand in"),
    ],
)
def test_options_that_do_not_fit_are_refused(run, options, words):
    done = run(group(1, 0), *options)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("octets", [1, 13, 14, 15, 40])
def test_groups_are_the_same_however_the_dump_comes(tmp_path, octets):
    class Slow(io.BytesIO):
        def read1(self, size=-1):
            return super().read(octets)

    (tmp_path / "mission.py").write_text(DEFINITION)
    packets = [*group(1, 0), segment(ALONE, 4, content(2)), *group(3, 5)[1:], *group(4, 9)]
    decoded = telemetry.decode(
        Slow(b"".join(packets)),
        f"{tmp_path / 'mission.py'}:WHOLE",
        options=telemetry.Options(reassemble=True),
    )
    assert decoded.columns()["number"].tolist() == [1, 2, 4]
    assert decoded.table().offsets.tolist() == [0, 56, 56 + 32 + 42]


def test_other_processes_give_the_same(run, tmp_path):
    packets = [packet for n in range(40) for packet in group(n, 4 * n)]
    for number in (1, 2):
        done = run(packets, "--reassemble", "--processes", number, "-o", f"{number}.csv")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert len((tmp_path / "1.csv").read_text().splitlines()) == 41
