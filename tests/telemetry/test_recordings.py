# SPDX-License-Identifier: Apache-2.0
"""Recordings of real satellites and instruments through framings and definitions."""

import json
from importlib import util

import pytest

import telemetry
from telemetry.columns.definition import define
from telemetry.ops.build import build_packets
from telemetry.wire.crc import crc16
from telemetry.wire.framing import SkipFraming
from telemetry.wire.framing.kiss import KissFraming, encode_kiss, encode_kiss_time

SATELLITES = ["1kuns_pf", "aisat", "ao73", "gomx_1", "snet_a", "trisat", "upmsat_2", "us01"]


@pytest.fixture
def load_example(repository):
    def load(name: str):
        spec = util.spec_from_file_location(name, repository / "examples" / f"{name}.py")
        module = util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def frames_of(octets: bytes):
    framing = KissFraming()
    return [*framing.push(octets), *framing.close()]


# --- Frames of amateur satellites -----------------------------------------------------------------


@pytest.mark.outside_data
@pytest.mark.parametrize("satellite", SATELLITES)
def test_a_kiss_file_splits_into_the_frames_of_another_receiver(test_data, satellite):
    folder = test_data / "satellite_frames"
    octets = (folder / f"{satellite}.kss").read_bytes()
    expected = json.loads((folder / f"{satellite}.json").read_text())["frames"]
    records = frames_of(octets)
    frames = [record for record in records if record.kind == "frame"]
    assert [frame.data.hex() for frame in frames] == [frame["frame"] for frame in expected]
    assert {record.kind for record in records} == {"delimiter", "control", "frame"}
    assert sum(record.length for record in records) == len(octets)


@pytest.mark.outside_data
@pytest.mark.parametrize("satellite", SATELLITES)
def test_a_kiss_file_is_built_again_octet_by_octet(test_data, satellite):
    octets = (test_data / "satellite_frames" / f"{satellite}.kss").read_bytes()
    frames = [record for record in frames_of(octets) if record.kind == "frame"]
    assert all(frame.time_ns is not None for frame in frames)
    built = b"".join(encode_kiss_time(f.time_ns) + encode_kiss(f.data) for f in frames)
    assert built == octets


def _numbers(value):
    """Leave out construct's own entries and the reserved bits that the peer does not show."""
    if isinstance(value, dict):
        hidden = {"_io"} | ({"reserved"} if "ch" in value else set())
        return {name: _numbers(item) for name, item in value.items() if name not in hidden}
    return [_numbers(item) for item in value] if isinstance(value, list) else value


HEADERS = {
    "1kuns_pf": ("CSP_HEADER", "csp_header", 2),
    "aisat": ("CSP_HEADER", "header", 22),
    "gomx_1": ("CSP_HEADER", "csp_header", 1),
    "upmsat_2": ("AX25_HEADER", "ax25_header", 1),
    "us01": ("AX25_HEADER", "header", 1),
}


@pytest.mark.outside_data
@pytest.mark.parametrize("satellite", HEADERS)
def test_csp_and_ax25_headers_decode_as_the_peer_reads_them(test_data, load_example, satellite):
    header, name, count = HEADERS[satellite]
    layout = getattr(load_example("amateur_headers"), header)
    folder = test_data / "satellite_frames"
    expected = json.loads((folder / f"{satellite}.json").read_text())["frames"]
    frames = [r for r in frames_of((folder / f"{satellite}.kss").read_bytes()) if r.kind == "frame"]
    assert len(frames) == len(expected) == count
    for frame, wanted in zip(frames, expected, strict=True):
        (parsed,) = wanted["parsed"].values()
        found = layout.parse(frame.data)
        assert _numbers(found) == parsed[name]
        assert frame.data.startswith(layout.build(found))


@pytest.mark.outside_data
@pytest.mark.parametrize("satellite", HEADERS)
def test_frames_without_packets_are_built_from_their_rows(test_data, load_example, satellite):
    dump = test_data / "satellite_frames" / f"{satellite}.kss"
    frame = HEADERS[satellite][0].replace("HEADER", "FRAME")
    layout = getattr(load_example("amateur_headers"), frame)
    options = telemetry.Options(framing="kiss", has_primary_header=False)
    rows = telemetry.decode(dump, layout, options=options).rows()
    built = build_packets(rows, define(layout), has_primary_header=False)
    frames = frames_of(dump.read_bytes())
    assert list(built) == [record.data for record in frames if record.kind == "frame"]


# --- SUDA -----------------------------------------------------------------------------------------


@pytest.fixture
def suda(test_data, load_example):
    """The example, its packets behind four octets each, and what another decoder read."""
    example = load_example("suda")
    folder = test_data / "suda"
    (dump,) = folder.glob("*.spl")
    framing = SkipFraming(4, rules=define(example.PACKETS).rules())
    records = [*framing.push(dump.read_bytes()), *framing.close()]
    expected = json.loads((folder / "expected.json").read_text())["records"]
    assert {record.kind for record in records} == {"frame"}
    return example, [record.data for record in records], expected


@pytest.mark.outside_data
def test_all_13_packets_of_suda_are_found_and_their_crcs_hold(suda):
    _, packets, expected = suda
    assert len(packets) == len(expected) == 13
    assert [crc16(packet) for packet in packets] == [0] * 13


def _flat(value, found):
    for name, item in value.items():
        if isinstance(item, dict):
            _flat(item, found)
        elif not name.startswith("_"):
            found[name] = item
    return found


@pytest.mark.outside_data
def test_every_field_of_suda_is_that_of_another_decoder(suda):
    example, packets, expected = suda
    for packet, record in zip(packets, expected, strict=True):
        found = _flat(example.PACKET.parse(packet[6:]), {})
        found["CRCSCIFETCHPKT"] = found.pop("packet_error_control")
        wanted = {n.removeprefix("IDX__"): v for n, v in list(record.items())[8:]}
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            raw, label = value if isinstance(value, list) else (value, value)
            if isinstance(found[name], bytes):
                assert found[name].hex() == raw
            elif isinstance(found[name], str):
                assert (str(found[name]), int(found[name])) == (label, raw)
            else:
                assert found[name] == raw, name


@pytest.mark.outside_data
def test_packets_of_suda_are_built_again(suda):
    example, packets, _ = suda
    for packet in packets:
        assert example.PACKET.build(example.PACKET.parse(packet[6:])) == packet[6:]


@pytest.mark.outside_data
def test_suda_is_built_from_the_rows_that_were_decoded(suda):
    example, packets, _ = suda
    rows = telemetry.decode(b"".join(packets), example.PACKETS).rows()
    assert list(build_packets(rows, define(example.PACKETS))) == packets


# Published with the recording: tests of lasp/space_packet_parser.
MEANS = {
    2: (8193, 511.8518247284267),
    4: (8193, 510.84450140363725),
    8: (8193, 510.99353106310264),
    16: (512, 2514.470703125),
    32: (512, 1989.7421875),
    64: (512, 2078.119140625),
}


@pytest.mark.outside_data
def test_waveforms_of_suda_have_the_published_means(suda):
    example, packets, _ = suda
    raw: dict[int, bytes] = {}
    for packet in packets:
        found = example.PACKET.parse(packet[6:])
        if found.SCIFETCHTYPE != 1:
            kind = found.SCIFETCHTYPE
            raw[kind] = raw.get(kind, b"") + found.event.SCIFETCHRAW
    assert raw.keys() == MEANS.keys()
    for kind, (count, mean) in MEANS.items():
        points = example.waveform(raw[kind], kind)
        assert (len(points), points.mean()) == (count, pytest.approx(mean, rel=1e-14))


@pytest.mark.outside_data
def test_damaged_suda_gives_back_its_undamaged_packets(suda):
    example, packets, _ = suda
    rules = define(example.PACKETS).rules()
    stream = bytearray(b"".join(b"\x60\xf0\x60\x60" + packet for packet in packets))
    stream[308 + 8 : 308 + 10] = b"\xff\xff"  # The length of the second packet.
    framing = SkipFraming(4, rules=rules)
    records = [*framing.push(bytes(stream)), *framing.close()]
    found = [r.data for r in records if r.kind == "frame"]
    assert found == [packets[0], *packets[2:]]
