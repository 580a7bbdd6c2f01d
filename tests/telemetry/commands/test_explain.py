# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry explain`: every kind of byte is explained."""

import pytest

from telemetry.wire.framing import LengthField, encode_cobs, encode_kiss, encode_slip


@pytest.fixture
def explain(call, mission):
    def run(dump, offset, *options):
        definition = ("--definition", "mission.py:PACKETS")
        return call("explain", dump, "--offset", offset, *definition, *options)

    return run


@pytest.mark.parametrize(
    ("offset", "texts"),
    [
        (7, ["a packet, bytes 0 to 19", "CRC:          holds", "field number = 0", "gives a row"]),
        (2, ["the primary header (sequence flags, sequence count)"]),
        (112, ["a packet, bytes 100 to 119", "does not hold: the packet carries 0x",
               "field data = 05060608090a0b0c", "not to be trusted"]),
        (125, ["no packet, bytes 120 to 132 (13 bytes)", "version 7; a space packet has version 0",
               "searched for: APID 66 with 14 data bytes and a CRC that holds",
               "resumed at:   bytes 133 to 152"]),
        (153, ["2 packets of APID 66 missing right before it"]),
        (180, ["fill, bytes 173 to 202", "zeros where a packet could have begun"]),
        (210, ["an idle packet, bytes 203 to 220", "APID 2047 is for idle packets"]),
        (225, ["APID 99, which the definition does not have; it was walked over"]),
        (255, ["a packet that is not whole, bytes 253 to 259",
               "it declares 20 octets, but another packet begins after 7"]),
        (290, ["the input ends 3 octets before the packet does"]),
    ],
)  # fmt: skip
def test_each_kind_of_byte_is_explained(explain, damaged_dump, offset, texts):
    done = explain(damaged_dump, offset)
    assert done.returncode == 0, done.stderr
    for text in texts:
        assert text in done.stdout


def test_the_byte_stands_in_brackets_in_a_hex_dump(explain, damaged_dump):
    done = explain(damaged_dump, "0x7d")
    assert done.stdout.startswith("byte 125 (0x7d) of ")
    assert "00000070   06 08 09 0a 0b 0c 9b 13 ff ff ff ff ff[ff]ff ff   ....." in done.stdout


def test_every_byte_of_a_damaged_dump_has_one_explanation(damaged_dump, mission):
    from telemetry.columns.loading import load_definition
    from telemetry.ops.explain import explain
    from telemetry.ops.locate import locate
    from telemetry.ops.options import Options

    definition = load_definition(f"{mission}:PACKETS")
    data = damaged_dump.read_bytes()
    spans = set()
    for offset in range(len(data)):
        located = locate([data], definition, Options(), offset)
        (floor,) = explain(located, definition, definition.rules())
        assert any(label == "decoded" for label, _ in floor.notes)
        span = located.packet.span
        assert span.offset <= offset < span.offset + span.length
        spans.add((span.offset, span.length))
    assert sum(length for _, length in spans) == len(data)


def test_the_explanation_does_not_depend_on_chunks(damaged_dump, mission):
    from telemetry.columns.loading import load_definition
    from telemetry.ops.locate import locate
    from telemetry.ops.options import Options

    definition = load_definition(f"{mission}:PACKETS")
    data = damaged_dump.read_bytes()
    for size in (1, 7, 64):
        chunks = [data[at : at + size] for at in range(0, len(data), size)]
        for offset in range(0, len(data), 5):
            one = locate([data], definition, Options(), offset).packet
            many = locate(chunks, definition, Options(), offset).packet
            assert (one.span, one.before, one.missing_before) == (
                many.span, many.before, many.missing_before
            )  # fmt: skip
            assert one.after == many.after


def test_a_candidate_that_was_refused_is_named_with_the_reason(explain, tmp_path, dump_of):
    run = dump_of(4)
    impostor = run[1][:6] + b"\xaa" * 14  # A header that fits; the CRC does not hold.
    (tmp_path / "d.bin").write_bytes(run[0] + b"\xff" * 9 + impostor + b"\xee" * 5 + run[2])
    done = explain("d.bin", 22)
    assert "refused:      byte 29: APID 66, sequence count 1, 20 bytes declared, but" in done.stdout
    assert "the CRC does not hold" in done.stdout


def test_a_field_that_cannot_be_read_is_named(call, tmp_path, dump_of):
    (tmp_path / "bug.py").write_text(
        "from construct import *\n"
        "P = Struct('n' / Int32ub, 'c' / Const(b'x'), 'd' / Bytes(7), 'e' / Int16ub)\n"
    )
    (tmp_path / "d.bin").write_bytes(b"".join(dump_of(2)))
    done = call("explain", "d.bin", "--offset", 12, "--definition", "bug.py:P")
    assert done.returncode == 0
    assert "decoded:      no: not as defined: P.c: parsing expected b'x' but parsed" in done.stdout


@pytest.mark.parametrize(
    ("name", "encode"), [("kiss", encode_kiss), ("slip", encode_slip), ("cobs", encode_cobs)]
)
def test_the_floor_of_frames_is_explained_too(explain, tmp_path, dump_of, name, encode):
    run = dump_of(4)
    stream = b"".join(map(encode, run))
    (tmp_path / "d.bin").write_bytes(stream)
    at = stream.index(run[2][10:18])  # The field `data` of the third packet needs no escape.
    done = explain("d.bin", at, "--framing", name)
    assert done.returncode == 0, done.stderr
    assert "a whole frame, bytes " in done.stdout
    assert "byte 10 of what the frame carries" in done.stdout
    assert "byte 10 of the packet: field data = 0203040506070809" in done.stdout


def test_a_delimiter_and_an_escape_are_no_payload(explain, tmp_path, make_packet):
    packet = make_packet(66, 0, bytes((0, 0, 0, 1)) + b"\xc0" * 8)
    stream = b"\xc0" + encode_slip(packet)
    (tmp_path / "d.bin").write_bytes(stream)
    lone = explain("d.bin", 0, "--framing", "slip")
    assert "a delimiter with no frame before it, bytes 0 to 1" in lone.stdout
    escape = explain("d.bin", stream.index(0xDB), "--framing", "slip")
    assert "overhead, no payload" in escape.stdout
    behind = explain("d.bin", stream.index(0xDB) + 1, "--framing", "slip")
    assert "byte 2 of the packet: the primary header (sequence flags" in behind.stdout


def test_a_length_field_and_junk_between_frames_are_explained(explain, tmp_path, dump_of):
    field = LengthField(octets=2)
    frames = [field.encode(packet) for packet in dump_of(8)]
    (tmp_path / "d.bin").write_bytes(b"".join(frames[:3]) + b"\xff" * 40 + b"".join(frames[3:]))
    prefix = explain("d.bin", 22, "--framing", "length:2be")
    assert "byte 0 of the frame: overhead, no payload" in prefix.stdout
    junk = explain("d.bin", 80, "--framing", "length:2be")
    assert "no frame, bytes 66 to 105 (40 bytes)" in junk.stdout
    assert "no frame can be made out" in junk.stdout


def test_without_a_definition_nothing_is_said_of_fields(call, good_dump, tmp_path):
    done = call("explain", good_dump, "--offset", 30)
    assert done.returncode == 0
    assert "give the definition with --definition" in done.stdout


def test_text_of_a_packet_does_not_steer_the_terminal(call, mission, tmp_path, make_packet):
    (tmp_path / "d.bin").write_bytes(make_packet(7, 0, b"\x1b[2Jgone\xc2\x9b".ljust(40, b"\0")))
    done = call("explain", "d.bin", "--offset", 9, "--definition", "mission.py:TEXT")
    assert "field words = \\x1b[2Jgone\\x9b" in done.stdout
    assert not {"\x1b", "\x9b"} & set(done.stdout + done.stderr)


@pytest.mark.parametrize("offset", ["297", "-1", "x"])
def test_an_offset_that_is_not_there_is_refused(explain, damaged_dump, offset):
    done = explain(damaged_dump, offset)
    assert done.returncode == 2
    assert "--offset" in done.stderr
