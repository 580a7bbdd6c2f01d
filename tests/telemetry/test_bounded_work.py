# SPDX-License-Identifier: Apache-2.0
"""No input, however made, takes more work than in proportion to its length.

Work is counted, not timed: calls of functions, and octets that a CRC was computed over.
"""

import binascii
import random
import sys

import pytest

from telemetry.common.kernels import Kernels
from telemetry.wire.framing import framing
from telemetry.wire.rules import PacketRule, StreamRules
from telemetry.wire.scan import Scanner

OCTETS = 80_000  # More than the longest packet.
MOST_CALLS = 120  # For each octet.
MOST_CRC_OCTETS = 120

RULES = {
    "crc": StreamRules({66: PacketRule(min_octets=5, has_crc=True)}),
    "mixed": StreamRules({66: PacketRule(min_octets=5), 67: PacketRule(has_crc=True)}),
    "any with crc": StreamRules({}, PacketRule(min_octets=5, has_crc=True)),
}


def short(apid, count):
    packet = apid.to_bytes(2, "big") + (0xC000 | count & 0x3FFF).to_bytes(2, "big") + b"\0\2\0"
    return packet + binascii.crc_hqx(packet, 0xFFFF).to_bytes(2, "big")


def repeated(header, packets=((b"",) * 3000)):
    return b"".join(bytes.fromhex(header) + packet for packet in packets)


def endless(header):
    return bytes.fromhex(header) * (OCTETS // len(bytes.fromhex(header)))


COPIES = [short(66, -count) for count in range(5000)]
LEAPS = [short(66, 977 * count) for count in range(5000)]
MANY = [short(1 + count % 2000, -count) for count in range(5000)]
WORST = {
    "headers of the longest packets": endless("0042c000ffff"),
    "headers of long packets": endless("0042c000ea5f"),
    "headers that end inside of others": endless("0042c0004001"),
    "strangers": endless("0099c000ffff"),
    "idle packets in each other": endless("07ffc0004001"),
    "headers behind zeros": endless("000000000009"),
    "headers behind zeros, askew": endless("000000000009a2"),
    "wrong lengths before short packets": repeated("0042c000ffff", LEAPS),
    "strangers before copies": repeated("0099c0004000", COPIES),
    "idle packets before copies": repeated("07ffc0004000", COPIES),
    "long packets before copies of many": repeated("0042c0004000", MANY),
    "nearly fill": (bytes(63) + b"\1") * (OCTETS // 64),
    "octets of headers": bytes(random.Random(6).choices(b"\0\0\0\x42\x07\xff", k=OCTETS)),
}


@pytest.fixture
def crc_octets(monkeypatch):
    """Sizes of everything that binascii computes a CRC over."""
    sizes, crc_hqx = [], binascii.crc_hqx

    def counting(data, preset):
        sizes.append(len(data))
        return crc_hqx(data, preset)

    monkeypatch.setattr(binascii, "crc_hqx", counting)
    return sizes


class TooMuchError(Exception):
    """More calls than there may be."""


def counted_calls(function, most):
    """Return how often a Python or a C function is called; stop when it is more than `most`."""
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event in ("call", "c_call")
        if calls > most:
            sys.setprofile(None)
            raise TooMuchError(f"more than {most:,} calls")

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("worst", WORST)
def test_work_is_in_proportion_to_the_input(worst, rules, crc_octets):
    stream = WORST[worst]
    scanner = Scanner(RULES[rules], Kernels.NUMPY)

    def scan():
        found = sum(len(part.packets) for part in (scanner.scan(stream), scanner.finish()))
        assert found <= len(stream) // 7

    counted_calls(scan, MOST_CALLS * len(stream))
    assert sum(crc_octets) <= MOST_CRC_OCTETS * len(stream)


@pytest.mark.parametrize("name", ["length:2be", "length:4le"])
@pytest.mark.parametrize("worst", WORST)
def test_work_on_frames_is_too(worst, name, crc_octets):
    stream = WORST[worst]
    cut = framing(name, skip=0, has_primary_header=True, rules=RULES["crc"])

    def walk():
        assert sum(frame.length for frame in [*cut.push(stream), *cut.close()]) == len(stream)

    counted_calls(walk, MOST_CALLS * len(stream))
    assert sum(crc_octets) <= MOST_CRC_OCTETS * len(stream)
