# SPDX-License-Identifier: Apache-2.0
"""The CRC-16 between any two places of a stream, from running sums: the same as by binascii."""

import binascii
import random

from telemetry.wire import crc_index
from telemetry.wire.crc_index import CrcIndex

PRESET = 0xFFFF
LONGEST = 65_542  # Octets of a packet: more than the powers of x take to repeat.


def test_a_crc_holds_where_binascii_says_so():
    rng = random.Random(1021)
    data = bytearray(rng.randbytes(200_000))
    runs = []
    for _ in range(60):
        at = rng.randrange(130_000)
        end = at + rng.choice([3, 9, 500, 5_000, LONGEST])
        data[end - 2 : end] = binascii.crc_hqx(data[at : end - 2], PRESET).to_bytes(2, "big")
        runs.append((at, end))
    buffer, index = bytes(data), CrcIndex()
    verdicts = []
    for at, end in runs + [(at + 1, end) for at, end in runs]:
        verdicts.append(index.holds(buffer, 0, 0, at, end))
        assert verdicts[-1] == (binascii.crc_hqx(buffer[at:end], PRESET) == 0)
    assert verdicts.count(True) > 20  # Those that no later run has overwritten.


def test_places_stay_the_same_while_the_buffer_moves_along_the_stream():
    rng = random.Random(17)
    body = rng.randbytes(70_000)
    packet = body + binascii.crc_hqx(body, PRESET).to_bytes(2, "big")
    stream = b"".join(rng.randbytes(rng.randrange(40_000)) + packet for _ in range(12))
    index, found = CrcIndex(), 0
    for base in range(0, len(stream) - 200_000, 30_011):
        buffer = stream[base : base + 200_000]
        at = buffer.find(packet)
        if at >= 0:
            found += index.holds(buffer, base, 0, at, at + len(packet))
            assert not index.holds(buffer, base, 0, at, at + len(packet) - 1)
    assert found > 10


def test_each_octet_is_summed_once(monkeypatch):
    sums, summed = crc_index._sums, []

    def counting(octets, place):
        summed.append(len(octets))
        return sums(octets, place)

    monkeypatch.setattr(crc_index, "_sums", counting)
    buffer, index = bytes(range(256)) * 1000, CrcIndex()
    for at in range(0, 100_000, 6):
        index.holds(buffer, 0, at, at, at + LONGEST)
    assert 100_000 < sum(summed) <= len(buffer)
