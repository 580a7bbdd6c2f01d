# SPDX-License-Identifier: Apache-2.0
"""Packets into frames by the name of the framing: bytes worked by hand, and all the way back."""

import pytest

from telemetry.errors import InputError
from telemetry.wire.framing import framing, wrapping

PACKET = bytes.fromhex("0042c000000100c0")  # APID 66, count 0, and two octets of data.
FRAMES = {
    "none": PACKET.hex(),
    "kiss": "c0 00 0042dbdc00000100dbdc c0",  # FEND, type 0; FEND is FESC TFEND inside.
    "slip": "c0 0042dbdc00000100dbdc c0",  # RFC 1055.
    "cobs": "01 0342c0 01 0201 02c0 00",  # Each zero of the packet is the next code.
    "length:1": "08" + PACKET.hex(),
    "length:2be": "0008" + PACKET.hex(),
    "length:2le:inclusive": "0a00" + PACKET.hex(),
    "length:4be": "00000008" + PACKET.hex(),
    "fixed:8": PACKET.hex(),
    "fixed:11": PACKET.hex() + "000000",
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_what_the_standard_says(name):
    assert wrapping(name)(PACKET).hex() == FRAMES[name].replace(" ", "")


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("prefix", [b"", b"\xc0\xdb\0W"])
def test_the_framing_of_that_name_gives_the_packets_back(deframe, payloads, name, prefix):
    if name == "none" and not prefix:
        assert framing(name) is None  # No frames: the stream is packets.
        return
    wrap = wrapping(name, prefix=prefix)
    packets = [PACKET[:-1] + bytes((octet,)) for octet in range(256)]
    found = payloads(deframe(framing(name, skip=len(prefix)), b"".join(map(wrap, packets))))
    fill = bytes(3) if name == "fixed:11" else b""
    assert found == [packet + fill for packet in packets]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("length:1", {"prefix": bytes(248)}, "of 256 bytes; this length field tells of up to 255"),
        ("length:1:inclusive", {"prefix": bytes(247)}, "tells of up to 254"),
        ("fixed:7", {}, "8 bytes; a frame of fixed:7 takes up to 7"),
        ("fixed:9", {"has_primary_header": False}, "8 bytes; a frame of fixed:9 takes 9"),
    ],
)  # fmt: skip
def test_a_packet_that_does_not_fit_is_refused(name, options, message):
    with pytest.raises(InputError, match=message):
        wrapping(name, **options)(PACKET)


def test_the_longest_that_a_length_field_tells_of_is_taken():
    assert wrapping("length:1", prefix=bytes(247))(PACKET)[0] == 255
    assert wrapping("length:1:inclusive", prefix=bytes(246))(PACKET)[0] == 255
