# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry packets`."""

import csv

import pytest

from telemetry.wire.framing import encode_kiss


@pytest.fixture
def packets(call):
    return lambda *arguments: call("packets", *arguments)


def read(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_dump_is_listed_without_a_definition(packets, good_dump):
    done = packets(good_dump)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["4", "60", "20", "packet", "66", "3", "3", "good"] in lines
    assert "APID 66: 20 rows, no gap" in done.stderr


def test_a_packet_without_a_crc_is_listed_as_unchecked(packets, tmp_path, make_packet):
    run = [make_packet(5, i, bytes((i, 7, 7, 7)), crc=False) for i in range(9)]
    (tmp_path / "d.bin").write_bytes(b"".join(run))
    done = packets("d.bin", "-o", "list.csv")
    assert done.returncode == 0, done.stderr
    assert {row["crc_verdict"] for row in read(tmp_path / "list.csv")} == {"none"}


def test_the_list_partitions_a_damaged_dump(packets, damaged_dump, mission, tmp_path):
    done = packets(damaged_dump, "--definition", "mission.py:PACKETS", "-o", "list.csv")
    assert done.returncode == 6
    rows = read(tmp_path / "list.csv")
    ends = [0] + [int(row["offset"]) + int(row["bytes"]) for row in rows]
    assert [int(row["offset"]) for row in rows] == ends[:-1]
    assert ends[-1] == damaged_dump.stat().st_size
    kinds = [(int(row["offset"]), row["kind"], row["crc_verdict"]) for row in rows if row["kind"]]
    assert kinds[5:] == [
        (100, "packet", "damaged"), (120, "skipped", ""), (133, "packet", "good"),
        (153, "packet", "good"), (173, "fill", ""), (203, "idle", "none"),
        (221, "other", "none"), (233, "packet", "good"), (253, "lost", "none"),
        (260, "packet", "good"), (280, "lost", "none"),
    ]  # fmt: skip
    assert {int(row["offset"]): row["missing_before"] for row in rows}[153] == "2"
    assert [row["packet"] for row in rows if row["kind"] == "packet"] == [
        str(n) for n in range(1, 11)
    ]


def test_one_apid_is_listed_up_to_a_limit(packets, tmp_path, dump_of):
    both = [p for pair in zip(dump_of(9), dump_of(9, apid=70), strict=True) for p in pair]
    (tmp_path / "two.bin").write_bytes(b"".join(both))
    done = packets("two.bin", "--apid", 70, "--limit", 3, "-o", "list.csv")
    assert done.returncode == 0, done.stderr
    rows = read(tmp_path / "list.csv")
    assert [(row["apid"], row["packet"]) for row in rows] == [("70", "2"), ("70", "4"), ("70", "6")]


def test_packets_in_frames_have_the_place_of_their_frame(packets, tmp_path, dump_of):
    frames = [encode_kiss(packet) for packet in dump_of(5)]
    (tmp_path / "d.kss").write_bytes(b"".join(frames))
    done = packets("d.kss", "--framing", "kiss", "-o", "list.csv")
    assert done.returncode == 0, done.stderr
    # A frame begins behind the FEND that ends the one before it, and begins with a FEND of its own.
    places = [int(row["offset"]) for row in read(tmp_path / "list.csv")]
    starts = [sum(map(len, frames[:index])) for index in range(5)]
    assert places == [start + 1 for start in starts]


def test_control_characters_in_a_name_do_not_reach_the_terminal(packets, tmp_path, dump_of):
    name = "d\x1b[31m.bin"
    (tmp_path / name).write_bytes(b"".join(dump_of(3)))
    done = packets(name)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "list.txt"], "expected a name that ends in .csv"),
        (["-o", "none/list.csv"], "there is no folder none"),
        (["--limit", "0"], "--limit"),
        (["--framing", "kis"], "did you mean kiss?"),
    ],
)
def test_wrong_arguments_are_told(packets, good_dump, options, message):
    done = packets(good_dump, *options)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize("content", [b"", b"abc", b"PK\x03\x04" + bytes(range(256)) * 8])
def test_what_holds_no_packet_is_refused(packets, tmp_path, content):
    (tmp_path / "bad.bin").write_bytes(content)
    done = packets("bad.bin", "-o", "list.csv")
    assert done.returncode == 3
    assert f"bad.bin: no space packet in {len(content):,} bytes" in done.stderr
    assert not (tmp_path / "list.csv").exists()


@pytest.mark.outside_data
def test_the_noaa20_dump_is_7200_packets_without_a_gap(packets, test_data, tmp_path):
    (dump,) = (test_data / "jpss_geolocation").glob("*.DAT1")
    done = packets(dump, "-o", "list.csv")
    assert done.returncode == 0, done.stderr
    rows = read(tmp_path / "list.csv")
    assert len(rows) == 7200
    assert {row["bytes"] for row in rows} == {"71"}
    assert (rows[0]["sequence_count"], rows[-1]["offset"]) == ("2606", str(511_200 - 71))
