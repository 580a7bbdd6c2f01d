# SPDX-License-Identifier: Apache-2.0
"""Several dumps: which of them is bad, and where in it, is told."""

import json

import pytest

from telemetry.wire.framing import encode_cobs

DEFINITION = ("--definition", "mission.py:PACKETS")


@pytest.fixture
def three(dump_of, mission, tmp_path):
    """Ten good packets, a dump of noise with one more in it, and ten that follow: 200, 99, 200."""
    run = dump_of(21)
    noise = b"\x89PNG" + b"\xa5" * 50
    for name, content in (
        ("a.bin", b"".join(run[:10])),
        ("a.png", noise + run[10] + b"\xa5" * 25),
        ("b.bin", b"".join(run[11:])),
    ):
        (tmp_path / name).write_bytes(content)
    return "a.bin", "a.png", "b.bin"


def test_the_bad_one_is_named_and_places_are_its_own(call, three, tmp_path):
    done = call("decode", *three, *DEFINITION, "-o", "o.csv", "--summary", "s.json")
    assert done.returncode == 6
    assert "Dumps that are not whole, 1 of 3:" in done.stderr
    assert "a.png: 1 row of 99 bytes, 79 skipped" in done.stderr
    assert "79 bytes, 2 times, first at byte 0 of a.png: no packet here" in done.stderr
    record = json.loads((tmp_path / "s.json").read_text())
    keys = ("name", "start", "bytes", "rows", "skipped")
    assert [tuple(dump[key] for key in keys) for dump in record["dumps"]] == [
        ("a.bin", 0, 200, 10, 0), ("a.png", 200, 99, 1, 79), ("b.bin", 299, 200, 10, 0),
    ]  # fmt: skip
    assert sum(dump["bytes"] for dump in record["dumps"]) == record["input"]["bytes"]


def test_what_explain_says_of_the_place_is_what_the_summary_told(call, three):
    done = call("explain", "a.png", "--offset", 0, *DEFINITION)
    assert "no packet" in done.stdout.lower()


@pytest.mark.beyond_base
def test_a_report_names_it_too(call, three, tmp_path):
    assert call("report", *three, *DEFINITION, "-o", "r.html").returncode == 6
    page = (tmp_path / "r.html").read_text()
    assert "Dumps that are not whole, 1 of 3" in page
    assert "first at byte 0 of a.png" in page


def test_of_a_hundred_dumps_the_summary_names_two_and_those_that_are_bad(
    call, dump_of, mission, tmp_path
):
    run = dump_of(100)
    names = [f"pass{number:03}.bin" for number in range(100)]
    for name, packet in zip(names, run, strict=True):
        (tmp_path / name).write_bytes(packet if name != "pass050.bin" else packet + b"\xff" * 5)
    done = call("decode", *names, *DEFINITION, "-o", "o.csv")
    head = done.stderr.splitlines()[0]
    assert head == "100 dumps, pass000.bin to pass099.bin: 2,005 bytes, 100 rows decoded"
    assert "pass050.bin: 1 row of 25 bytes, 5 skipped" in done.stderr
    assert "pass051.bin" not in done.stderr


def test_a_damaged_frame_is_told_with_its_dump(call, dump_of, mission, tmp_path):
    run = [encode_cobs(packet) for packet in dump_of(8)]
    run[5] = run[5][:9] + run[5][10:]  # One octet lost: it does not decode.
    (tmp_path / "a.bin").write_bytes(b"".join(run[:4]))
    (tmp_path / "b.bin").write_bytes(b"".join(run[4:]))
    done = call("decode", "a.bin", "b.bin", "--framing", "cobs", *DEFINITION, "-o", "o.csv")
    assert done.returncode == 6
    assert f"at byte {len(run[4])} of b.bin" in done.stderr
    assert "in no whole frame" in done.stderr


def test_one_dump_and_whole_dumps_need_no_word(call, three):
    for names in (["a.bin"], ["a.bin", "b.bin"]):
        done = call("decode", *names, *DEFINITION, "-o", "o.csv")
        assert "not whole" not in done.stderr
