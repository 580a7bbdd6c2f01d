# SPDX-License-Identifier: Apache-2.0
"""What can be asked of a decode: framings, times, columns, several dumps, processes."""

import csv
import io
import json
import random
import socket
import struct
import threading
import zipfile

import construct as c
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import telemetry
from telemetry.errors import InputError, UsageError
from telemetry.ops.accounts import Account
from telemetry.ops.options import Options
from telemetry.wire.framing import LengthField, encode_cobs, encode_kiss, encode_kiss_time

PACKET = c.Struct("number" / c.Int32ub, "data" / c.Bytes(8), "packet_error_control" / c.Int16ub)
TIMED = c.Struct("time_coarse" / c.Int32ub, "time_fine" / c.Int16ub, "number" / c.Int16ub)


def numbers(decoded):
    return [row["number"] for row in decoded.rows()]


@pytest.fixture
def decode(run_telemetry, definition_file, tmp_path):
    """Run `fw-telemetry decode` in `tmp_path`."""

    def run(*arguments, definition="mission.py:PACKET"):
        return run_telemetry("decode", *arguments, "--definition", definition, cwd=tmp_path)

    return run


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


# --- Framings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("framing", "encode"),
    [
        ("kiss", encode_kiss),
        ("cobs", encode_cobs),
        ("length:2be", LengthField(octets=2).encode),
        ("fixed:20", bytes),
    ],
)
def test_packets_come_out_of_frames(dump_of, framing, encode):
    stream = b"".join(map(encode, dump_of(9)))
    decoded = telemetry.decode(stream, {66: PACKET}, options=Options(framing=framing))
    assert numbers(decoded) == list(range(9))
    assert decoded.ledger.is_clean
    assert decoded.ledger.octets == {Account.GOOD: 9 * 20}  # What the frames carry.


def test_a_damaged_frame_costs_its_packet_alone(dump_of):
    frames = [encode_cobs(packet) for packet in dump_of(9)]
    frames[4] = frames[4][:7] + frames[4][9:]
    decoded = telemetry.decode(b"".join(frames), {66: PACKET}, options=Options(framing="cobs"))
    assert numbers(decoded) == [0, 1, 2, 3, 5, 6, 7, 8]
    assert not decoded.ledger.is_clean


def test_octets_before_each_packet_are_skipped(decode, tmp_path, dump_of):
    content = b"".join(b"SYNC" + packet for packet in dump_of(7))
    (tmp_path / "d.bin").write_bytes(content)
    assert decode("d.bin", "--skip", 4, "-o", "o.csv").returncode == 0
    assert [int(row["number"]) for row in read_csv(tmp_path / "o.csv")] == list(range(7))


def test_frames_without_a_primary_header_are_packet_data_fields(decode, tmp_path):
    fields = [struct.pack(">IQ", i, i * i) for i in range(5)]
    (tmp_path / "d.kss").write_bytes(b"".join(map(encode_kiss, fields)))
    done = decode(
        "d.kss", "--framing", "kiss", "--no-primary-header", "-o", "o.jsonl",
        definition="mission.py:PLAIN",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert rows == [{"number": i, "data": f"{i * i:016x}", "crc_verdict": "none"} for i in range(5)]


def test_a_damaged_last_frame_is_no_good_end_although_no_packet_is_missed(
    decode, tmp_path, dump_of
):
    frames = [encode_cobs(packet) for packet in dump_of(5)]
    (tmp_path / "d.bin").write_bytes(b"".join(frames)[:-2] + b"\x00")
    done = decode("d.bin", "--framing", "cobs", "-o", "o.csv", "--summary", "s.json")
    assert done.returncode == 6
    assert len(read_csv(tmp_path / "o.csv")) == 4
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["frames"]["records"]["frame"] == 4
    assert summary["frames"]["records"]["damaged"] == 1
    assert sum(summary["frames"]["bytes"].values()) == summary["input"]["bytes"]
    assert summary["input"]["bytes"] == (tmp_path / "d.bin").stat().st_size


@pytest.mark.parametrize("chunk", [7, 50, 1 << 20])
def test_places_and_times_are_those_of_the_frames_however_the_dump_comes(
    dump_of, chunk, monkeypatch
):
    monkeypatch.setattr("telemetry.ops.source.CHUNK_OCTETS", chunk)
    run = dump_of(40)
    run[20] = run[20][:12] + bytes([run[20][12] ^ 1]) + run[20][13:]
    del run[30]
    pieces = [
        encode_kiss_time(i * 1_000_000_000) + encode_kiss(packet) for i, packet in enumerate(run)
    ]
    options = Options(framing="kiss", since="1970-01-01T00:00:10")
    decoded = telemetry.decode(b"".join(pieces), {66: PACKET}, options=options)
    assert numbers(decoded) == [*range(10, 30), *range(31, 40)]

    def place(index):
        """Of a frame: behind the delimiter that opens it."""
        return len(b"".join(pieces[:index])) + len(encode_kiss_time(index * 1_000_000_000)) + 1

    (damage,) = decoded.ledger.damages
    assert damage.place == place(20)
    (gap,) = decoded.ledger.apids[66].sequence.gaps
    assert gap.offset == place(30)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--framing", "kis"], "--framing kis: no such framing; did you mean kiss?"),
        (["--no-primary-header"], "nothing says where a packet ends"),
        (["--skip", "-1"], "'--skip': -1 is not in the range x>=0"),
        (["--since", "yesterday"], "--since yesterday: expected a date or a time"),
        (["--since", "2026-01-02", "--until", "2026-01-01"], "nothing lies there"),
        (["--epoch", "mine"], "epoch mine: expected one of CCSDS"),
        (["--processes", "0"], "--processes 0: expected 1..256"),
        (["--columns", "a,"], "--columns: a name is empty"),
        (["--columns", "volts"], "--columns volts: no such column"),
    ],
)
def test_what_cannot_be_asked_is_told(decode, tmp_path, dump_of, arguments, message):
    (tmp_path / "d.bin").write_bytes(b"".join(dump_of(3)))
    done = decode("d.bin", *arguments, "-o", "o.csv")
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "o.csv").exists()


# --- Times ----------------------------------------------------------------------------------------


@pytest.fixture
def timed(make_packet):
    """Ten packets, one a second from 2000-01-01T00:00:00 TAI; the epoch is 1958-01-01 TAI."""
    days = 42 * 365 + 10  # 1960, 1964 ... 1996 were leap years.
    return [
        make_packet(67, i, struct.pack(">IHH", days * 86400 + i, 0, i), crc=False)
        for i in range(10)
    ]


def test_packets_of_a_stretch_of_time_are_selected(timed):
    options = Options(since="2000-01-01T00:00:03 TAI", until="2000-01-01T00:00:06 TAI")
    decoded = telemetry.decode(b"".join(timed), {67: TIMED}, options=options)
    assert numbers(decoded) == [3, 4, 5]
    assert decoded.ledger.packets == {Account.UNCHECKED: 3, Account.OTHER: 7}


def test_leap_seconds_stand_between_tai_and_utc(timed):
    # 32 s: IERS Bulletin C 16, from 1999-01-01 on.
    options = Options(since="1999-12-31T23:59:35Z")
    decoded = telemetry.decode(b"".join(timed), {67: TIMED}, options=options)
    assert numbers(decoded) == [7, 8, 9]


def test_frames_tell_the_time_where_packets_do_not(dump_of):
    stream = b"".join(
        encode_kiss_time(i * 1_000_000_000) + encode_kiss(packet)
        for i, packet in enumerate(dump_of(9))
    )
    options = Options(framing="kiss", since="1970-01-01T00:00:05")
    assert numbers(telemetry.decode(stream, {66: PACKET}, options=options)) == [5, 6, 7, 8]


def test_packets_without_a_time_cannot_be_selected_by_time(dump_of):
    with pytest.raises(UsageError, match="APID 66 has no time: name its time fields with --time"):
        telemetry.decode(dump_of(1)[0], {66: PACKET}, options=Options(since="2000-01-01"))


def test_a_wrong_option_is_no_fault_of_the_dump_in_which_it_shows(dump_of):
    # The option shows where a packet is, behind octets of the same dump that are accounted for.
    dumps = [io.BytesIO(b"\xff" * (1 << 17) + dump_of(1)[0]), dump_of(2)[1]]
    with pytest.raises(UsageError, match="APID 66 has no time: name its time fields with --time"):
        telemetry.decode(dumps, {66: PACKET}, options=Options(since="2000-01-01"))


# --- Columns --------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_only_the_columns_asked_for_are_written(decode, tmp_path, dump_of, suffix):
    (tmp_path / "d.bin").write_bytes(b"".join(dump_of(4)))
    wanted = ("--columns", "crc_*,number", "-o", f"o.{suffix}")
    assert decode("d.bin", *wanted).returncode == 0
    path = tmp_path / f"o.{suffix}"
    match suffix:
        case "csv":
            rows = [{**row, "number": int(row["number"])} for row in read_csv(path)]
        case "jsonl":
            rows = [json.loads(line) for line in path.read_text().splitlines()]
        case _:
            rows = pq.read_table(path).to_pylist()
    assert rows == [{"number": i, "crc_verdict": "good"} for i in range(4)]


def test_the_gap_before_each_packet_is_a_column(decode, tmp_path, dump_of):
    run = dump_of(9)
    (tmp_path / "d.bin").write_bytes(b"".join(run[:2] + run[5:]))
    assert decode("d.bin", "--quality", "-o", "o.csv").returncode == 6
    found = [int(row["gap_before"]) for row in read_csv(tmp_path / "o.csv")]
    assert found == [0, 0, 3, 0, 0, 0]
    decoded = telemetry.decode(tmp_path / "d.bin", {66: PACKET})
    assert decoded.columns()["gap_before"].tolist() == found


def test_engineering_values_and_limit_states_stand_beside_raw_values(make_packet, tmp_path):
    layout = c.Struct(
        "volts"
        / telemetry.field(
            c.Int16ub,
            unit="V",
            calibration=telemetry.Polynomial((0.0, 0.5)),
            limits={"warning": (0.0, 9.0)},
        )
    )
    stream = b"".join(make_packet(5, i, struct.pack(">H", 8 * i), crc=False) for i in range(4))
    decoded = telemetry.decode(stream, {5: layout})
    assert decoded.columns()["volts"].tolist() == [0, 8, 16, 24]
    assert decoded.columns()["volts.engineering"].tolist() == [0.0, 4.0, 8.0, 12.0]
    assert decoded.table()["volts"].tolist() == [0.0, 4.0, 8.0, 12.0]
    assert [row["volts.state"] for row in decoded.rows()] == ["ok", "ok", "ok", "warning_high"]
    arrow = decoded.arrow()
    assert arrow["volts.engineering"].to_pylist() == [0.0, 4.0, 8.0, 12.0]
    assert arrow.schema.field("volts").metadata == {b"unit": b"V"}
    telemetry.decode(stream, {5: layout}, output=tmp_path / "o.csv")
    assert list(read_csv(tmp_path / "o.csv")[3].items())[7:10] == [
        ("volts", "24"), ("volts.engineering", "12.0"), ("volts.state", "warning_high"),
    ]  # fmt: skip


def test_an_arrow_table_has_lists_names_and_nulls(make_packet):
    layout = c.Struct(
        "n" / c.Int8ub,
        "state" / c.Enum(c.Int8ub, off=0, on=1),
        "late" / c.If(c.this.n > 1, c.Int16ub),
        "samples" / c.Array(c.this.n, c.Int8ub),
        "rest" / c.GreedyBytes,
    )
    payloads = [b"\1\0\x07ab", b"\2\1\0\x09\1\2", b"\0\7"]
    stream = b"".join(make_packet(5, i, p, crc=False) for i, p in enumerate(payloads))
    table = telemetry.decode(stream, {5: layout}).arrow()
    assert table["state"].to_pylist() == ["off", "on", "7"]
    assert table["late"].to_pylist() == [None, 9, None]
    assert table["samples[]"].to_pylist() == [[7], [1, 2], []]
    assert table["rest"].to_pylist() == [b"ab", b"", b""]
    assert table["n"].type == pa.uint8()


# --- Several dumps --------------------------------------------------------------------------------


def test_what_two_dumps_hold_both_is_taken_once(decode, tmp_path, dump_of):
    run = dump_of(30)
    for name, part in {"a.bin": run[:20], "b.bin": run[12:], "c.bin": run[5:9]}.items():
        (tmp_path / name).write_bytes(b"".join(part))
    done = decode("a.bin", "b.bin", "c.bin", "-o", "o.csv", "--summary", "s.json")
    assert done.returncode == 0, done.stderr
    assert [int(row["number"]) for row in read_csv(tmp_path / "o.csv")] == list(range(30))
    assert "in an earlier dump, too" in done.stderr
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["packets"]["overlap"] == 8 + 4
    assert sum(summary["bytes"].values()) == summary["input"]["bytes"] == (20 + 18 + 4) * 20
    assert summary["missing"] == 0


def test_one_bad_dump_does_not_take_the_others_down(decode, tmp_path, dump_of):
    run = dump_of(30)
    (tmp_path / "a.bin").write_bytes(b"".join(run[:10]))
    (tmp_path / "b.bin").write_bytes(b"".join(run[10:]))
    with zipfile.ZipFile(tmp_path / "z.bin", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("noise", random.Random(1).randbytes(5000))
    done = decode("a.bin", "none.bin", "z.bin", "b.bin", "-o", "o.csv")
    assert done.returncode == 6
    assert "none.bin: no such file; expected a dump file" in done.stderr
    assert [int(row["number"]) for row in read_csv(tmp_path / "o.csv")] == list(range(30))


def test_when_no_dump_can_be_read_each_is_told(decode):
    done = decode("x.bin", "y.bin")
    assert done.returncode == 3
    assert "x.bin: no such file" in done.stderr
    assert "y.bin: no such file" in done.stderr


# --- Processes, links -----------------------------------------------------------------------------


def test_processes_write_the_same_octets(decode, tmp_path, dump_of):
    (tmp_path / "d.bin").write_bytes(b"".join(dump_of(70_000)))
    for processes in (1, 2):
        done = decode("d.bin", "--processes", processes, "-o", f"o{processes}.csv")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "o1.csv").read_bytes() == (tmp_path / "o2.csv").read_bytes()


def test_a_socket_is_read_to_its_end(decode, tmp_path, dump_of):
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        link, _ = server.accept()
        with link:
            link.sendall(b"".join(dump_of(11)))

    thread = threading.Thread(target=serve)
    thread.start()
    port = server.getsockname()[1]
    done = decode(f"socket://127.0.0.1:{port}", "-o", "o.csv")
    thread.join()
    server.close()
    assert done.returncode == 0, done.stderr
    assert len(read_csv(tmp_path / "o.csv")) == 11


# --- What is no dump ------------------------------------------------------------------------------

PICTURE = (
    b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR\x00\x00\x04\x00\x00\x00\x04\x00\x08\x02\x00\x00\x00"
)


@pytest.mark.parametrize("definition", ["mission.py:PACKET", "mission.py:PACKETS"])
@pytest.mark.parametrize("kind", ["zip", "png", "text"])
def test_a_file_of_another_kind_gives_no_packet(decode, tmp_path, kind, definition):
    noise = random.Random(2).randbytes(40_000)
    path = tmp_path / f"d.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("report.txt", "telemetry " * 3000)
            archive.writestr("noise", noise)
    elif kind == "png":
        path.write_bytes(PICTURE + noise)
    else:
        path.write_text("The quick brown fox jumps over the lazy dog.\n" * 900)
    done = decode(path.name, "-o", "o.csv", definition=definition)
    assert done.returncode == 3
    assert "no packet could be decoded" in done.stderr
    assert not (tmp_path / "o.csv").exists()


def test_a_dump_cut_anywhere_is_decoded_up_to_the_cut(dump_of):
    stream = b"".join(dump_of(3))
    for size in range(1, len(stream)):
        try:
            decoded = telemetry.decode(stream[:size], {66: PACKET})
        except InputError:
            assert size < 20
            continue
        assert numbers(decoded) == list(range(size // 20))
        assert sum(decoded.ledger.octets.values()) == size


def test_a_length_of_ffff_in_the_middle_costs_one_packet(dump_of):
    run = dump_of(2000)
    run[1000] = run[1000][:4] + b"\xff\xff" + run[1000][6:]
    decoded = telemetry.decode(b"".join(run), {66: PACKET})
    assert numbers(decoded) == [i for i in range(2000) if i != 1000]
    assert decoded.ledger.missing == 1
