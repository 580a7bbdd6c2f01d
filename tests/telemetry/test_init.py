# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry init`: the definition says what is in the dump, and decodes it."""

import random
import runpy

import crcmod.predefined
import pytest

import telemetry
from telemetry.ops.draft import MAX_RUNS, render_definition
from telemetry.ops.survey import survey_chunks
from telemetry.wire.framing import encode_cobs, encode_kiss

crc16 = crcmod.predefined.mkCrcFun("crc-ccitt-false")


def packet(apid, count, data, *, secondary=False, crc=False):
    """Build a telemetry packet by CCSDS 133.0-B, clause 4.1, word by word."""
    words = (secondary << 11 | apid, 0xC000 | count, len(data) + 2 * crc - 1)
    octets = b"".join(word.to_bytes(2, "big") for word in words) + data
    return octets + crc16(octets).to_bytes(2, "big") if crc else octets


def drafted(stream, tmp_path):
    """Return the text of the definition, and what it decodes from the stream."""
    text = render_definition("dump.bin", survey_chunks([stream]))
    path = tmp_path / "drafted.py"
    path.write_text(text)
    return text, telemetry.decode(stream, f"{path}:PACKETS")


@pytest.fixture
def housekeeping(repository):
    """Build packets of the compute node with the definition that the ground is given."""
    layout = runpy.run_path(str(repository / "examples/compute_node/generated/telemetry.py"))
    seeded = random.Random(7)

    def build(count):
        names = [field.name for field in layout["HOUSEKEEPING"].subcons]
        values = dict.fromkeys(names, 0)
        values |= {name: seeded.randrange(200) for name in names if name[:2] in ("up", "we", "co")}
        values |= {"pus": {"version": 2, "time_reference_status": 0}, "service_type": 3}
        values |= {"message_subtype": 25, "message_type_counter": count, "destination_id": 1}
        values |= {"time_p_field": 0x2E, "time_coarse": 1000 + count, "structure_id": 1}
        octets = layout["HOUSEKEEPING"].build(values)
        return packet(66, count, octets[:-2], secondary=True, crc=True)

    return build


def test_our_housekeeping_packet_is_recognised_and_decodes(housekeeping, tmp_path):
    stream = b"".join(housekeeping(count) for count in range(20))
    text, decoded = drafted(stream, tmp_path)
    assert "# APID 66: 20 packets with 46 octets behind the primary header." in text
    assert "# The CRC-16 at the end holds in all of them." in text
    assert "# A PUS-C secondary header is likely TM[3,25] (ECSS-E-ST-70-41C 7.4.3.1)." in text
    rows = decoded.rows(66)
    assert len(rows) == 20
    assert {row["crc_verdict"] for row in rows} == {"good"}
    assert [row["message_type_counter"] for row in rows] == list(range(20))
    assert [row["time_coarse"] for row in rows] == list(range(1000, 1020))
    assert {row["constant_14"] for row in rows} == {"0001000000"}  # Structure ID, uptime.


def test_one_packet_is_enough_for_a_definition_that_claims_no_constant(housekeeping, tmp_path):
    text, decoded = drafted(housekeeping(0), tmp_path)
    assert "# From one packet nobody can tell what is constant." in text
    assert "constant_" not in text
    assert decoded.rows(66)[0]["crc_verdict"] == "good"


@pytest.mark.outside_data
def test_the_command_writes_a_definition_that_decodes_noaa20(test_data, run_telemetry, tmp_path):
    (dump,) = (test_data / "jpss_geolocation").glob("*.DAT1")
    path = tmp_path / "noaa20.py"
    done = run_telemetry("init", dump, "-o", path)
    assert done.returncode == 0, done.stderr
    assert "511,200 bytes, 0 of them in no packet" in done.stderr
    assert "APID 11: 7,200 packets of 65 data octets, no CRC" in done.stderr
    text = path.read_text()
    assert "it does not look like PUS-C" in text
    assert '"constant_0" / Bytes(3),  # always 5a 45 00' in text  # Day 23109, and its first hour.
    decoded = run_telemetry("decode", dump, "--definition", f"{path}:PACKETS")
    assert decoded.returncode == 0, decoded.stderr
    assert "APID 11: 7,200 rows, no gap" in decoded.stderr


@pytest.mark.parametrize("crc", [False, True])
def test_packets_of_several_lengths_decode_with_what_is_left(tmp_path, crc):
    seeded = random.Random(3)
    sizes = [5, 9, 6, 30, 5, 7] * 4
    data = [b"\xaa\xbb" + seeded.randbytes(size) for size in sizes]
    stream = b"".join(packet(9, n, octets, crc=crc) for n, octets in enumerate(data))
    text, decoded = drafted(stream, tmp_path)
    assert "# APID 9: 24 packets with" in text
    rows = decoded.rows(9)
    assert [bytes.fromhex(f"{r['constant_0']}{r['data_2']}{r['rest']}") for r in rows] == data
    assert {row["crc_verdict"] for row in rows} == {"good" if crc else "none"}


def test_several_apids_each_have_their_definition(tmp_path):
    stream = b"".join(
        packet(5, n, bytes([1, n])) + packet(700, n, bytes([n, 2, 3, 4]), crc=True)
        for n in range(9)
    )
    text, decoded = drafted(stream, tmp_path)
    assert [len(decoded.rows(apid)) for apid in (5, 700)] == [9, 9]
    assert '    "constant_0" / Bytes(1),  # always 01\n    "data_1" / Bytes(1),' in text


def test_a_crc_that_most_packets_have_makes_the_others_damaged_ones(tmp_path):
    packets = [packet(5, n, bytes([7, 7, n, n]), crc=True) for n in range(10)]
    packets[4] = packets[4][:7] + b"\xff" + packets[4][8:]
    text, decoded = drafted(b"".join(packets), tmp_path)
    assert "holds in 9 of them; the others are damaged" in text
    assert '"constant_0" / Bytes(2),  # always 07 07' in text
    verdicts = [row["crc_verdict"] for row in decoded.rows(5)]
    assert verdicts == ["good"] * 4 + ["damaged"] + ["good"] * 5


def test_a_header_flag_alone_makes_no_pus(tmp_path):
    data = [bytes([0x5A, 1, 2, 3, 4, 5, 6, 7, n, n]) for n in range(5)]
    stream = b"".join(packet(5, n, octets, secondary=True) for n, octets in enumerate(data))
    text, _ = drafted(stream, tmp_path)
    assert "The secondary header flag is set in all of them; it does not look like PUS-C" in text
    assert "service_type" not in text


def test_a_packet_of_many_small_runs_stays_readable(tmp_path):
    striped = bytes(range(256)) * 8
    stream = b"".join(
        packet(5, n, bytes(o if i % 2 else n for i, o in enumerate(striped))) for n in range(5)
    )
    text, decoded = drafted(stream, tmp_path)
    assert text.count("Bytes(") <= MAX_RUNS
    assert len(decoded.rows(5)) == 5


def test_the_name_of_a_dump_cannot_leave_the_docstring(tmp_path):
    stream = packet(5, 0, b"ab") * 3
    text = render_definition('x""" + exit() + """\n\x1b[31m\\', survey_chunks([stream]))
    namespace = {}
    exec(text, namespace)
    assert list(namespace["PACKETS"]) == [5]
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("content", "arguments", "code", "message"),
    [
        (b"", (), 3, "no space packet in 0 bytes"),
        (b"\x00" * 5000, (), 3, "no space packet in 5,000 bytes"),
        (None, (), 3, "no such file"),
        (b"", ("-o", "here.py"), 2, "it exists already and is not overwritten"),
        (b"", ("-o", "no/where.py"), 2, "there is no folder no"),
    ],
)
def test_what_cannot_be_done_is_told(run_telemetry, tmp_path, content, arguments, code, message):
    (tmp_path / "here.py").write_text("keep")
    if content is not None:
        (tmp_path / "dump.bin").write_bytes(content)
    done = run_telemetry("init", "dump.bin", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "here.py").read_text() == "keep"


def test_without_an_output_the_definition_goes_to_standard_output(run_telemetry, tmp_path):
    (tmp_path / "dump.bin").write_bytes(packet(5, 0, b"abc") + packet(5, 1, b"abd"))
    done = run_telemetry("init", "dump.bin", cwd=tmp_path)
    assert done.returncode == 0
    assert 'APID_5 = Struct(\n    "constant_0" / Bytes(2),  # always 61 62' in done.stdout


@pytest.mark.parametrize(
    ("wrap", "option"),
    [
        (encode_kiss, "--framing kiss"),
        (encode_cobs, "--framing cobs"),
        (lambda octets: b"SYNC" + octets, "--skip 4"),
    ],
)
def test_a_wrapped_dump_is_drafted_with_its_options_which_are_suggested(
    housekeeping, run_telemetry, tmp_path, wrap, option
):
    run = [housekeeping(count) for count in range(40)]
    (tmp_path / "d.bin").write_bytes(b"".join(map(wrap, run)))
    done = run_telemetry("init", "d.bin", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"; with {option} it is " in done.stderr
    done = run_telemetry("init", "d.bin", *option.split(), "-o", "m.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "APID 66: 40 packets of 46 data octets, CRC-16, PUS-C likely" in done.stderr
    assert f"fw-telemetry decode DUMP {option} --definition" in (tmp_path / "m.py").read_text()
    decode = ("decode", "d.bin", *option.split(), "--definition", "m.py:PACKETS", "-o", "o.csv")
    assert run_telemetry(*decode, cwd=tmp_path).returncode in (0, 6)
    assert len((tmp_path / "o.csv").read_text().splitlines()) == 41


def test_data_fields_without_headers_are_drafted(run_telemetry, tmp_path):
    fields = [bytes((1, 2, index)) for index in range(9)]
    (tmp_path / "d.kss").write_bytes(b"".join(map(encode_kiss, fields)))
    options = ("--framing", "kiss", "--no-primary-header")
    done = run_telemetry("init", "d.kss", *options, "-o", "m.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    decode = ("decode", "d.kss", *options, "--definition", "m.py:PACKETS", "-o", "o.csv")
    assert run_telemetry(*decode, cwd=tmp_path).returncode == 0
    assert (tmp_path / "o.csv").read_text().splitlines()[1:] == [
        f"0102,{index:02x},none" for index in range(9)
    ]


@pytest.mark.parametrize("highest", [4, 8, 16])
def test_no_definition_is_drafted_from_what_looks_like_packets_by_chance(
    run_telemetry, tmp_path, highest
):
    """Of small numbers many make a header: all but some octets are walked over as packets."""
    seeded = random.Random(highest)
    noise = bytes(seeded.randrange(highest) for _ in range(50_000))
    (tmp_path / "photo.png").write_bytes(noise)
    done = run_telemetry("init", "photo.png", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "of 50,000 bytes look like space packets, which chance could do" in done.stderr
