# SPDX-License-Identifier: Apache-2.0
"""The damages of a link, in 2,000 packets: what comes back, what does not, and what is wrong.

With a CRC every undamaged packet comes back and nothing else. Without one the shares are measured
by tests/benchmarks/damage_shares.py.
"""

import random
from collections import Counter

import pytest
from construct import Bytes, GreedyBytes, Int16ub, Peek, Struct, len_, this
from damage import DAMAGES, damaged, flipped_bit, garbage

import telemetry

PACKETS = 2000
HIT = 1000  # The packet that is damaged.
FIXED_OCTETS = 64
APIDS = (67, 300, 1000)
WITH_CRC = {
    "fixed": Struct("body" / Bytes(FIXED_OCTETS), "packet_error_control" / Int16ub),
    "variable": Struct(
        "_all" / Peek(GreedyBytes),
        "body" / Bytes(len_(this._all) - 2),
        "packet_error_control" / Int16ub,
    ),
}
WITHOUT_CRC = {
    "fixed": Struct("body" / Bytes(FIXED_OCTETS)),
    "variable": Struct("body" / GreedyBytes),
}


@pytest.fixture(scope="module")
def make_run(make_packet):
    """Return packets of all APIDs, with bodies that are all different."""

    def make(layout, apids, *, crc, seed=0):
        rng, counts, run = random.Random(seed), Counter(), []
        for _ in range(PACKETS):
            apid = rng.choice(apids)
            size = FIXED_OCTETS if layout == "fixed" else rng.randrange(4, 97)
            run.append(make_packet(apid, counts[apid], rng.randbytes(size), crc=crc))
            counts[apid] += 1
        return run

    return make


def bodies(packets, *, crc):
    return Counter(packet[6 : len(packet) - 2 * crc] for packet in packets)


def decoded(stream, definition):
    """Return the bodies of the rows that no CRC speaks against."""
    found = Counter()
    for table in telemetry.batches(stream, definition):
        rows = [row for row in table.rows() if row["crc_verdict"] != "damaged"]
        found.update(bytes.fromhex(row["body"]) for row in rows)
    return found


def definition(layout, apids, is_known, *, crc):
    packet = (WITH_CRC if crc else WITHOUT_CRC)[layout]
    return dict.fromkeys(apids, packet) if is_known else packet


def two_missing(_):
    return b""


@pytest.mark.parametrize("damage", [*DAMAGES, two_missing])
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "any"])
@pytest.mark.parametrize("layout", ["fixed", "variable"])
@pytest.mark.parametrize("crc", [True, False], ids=["crc", "no_crc"])
def test_one_damage_costs_one_packet(make_run, crc, layout, is_known, damage):
    run = make_run(layout, APIDS, crc=crc)
    end = HIT + 1 + (damage is two_missing)
    stream = b"".join([*run[:HIT], damage(run[HIT]), *run[end:]])
    found = decoded(stream, definition(layout, APIDS, is_known, crc=crc))
    expected = bodies(run[:HIT] + run[end:], crc=crc)
    assert not expected - found
    # Without a CRC nothing tells that the payload of the damaged packet is not what was sent.
    assert sum((found - expected).values()) <= (not crc and damage in (flipped_bit, garbage))


@pytest.mark.parametrize("apids", [APIDS[:1], APIDS], ids=["one_apid", "three_apids"])
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "any"])
@pytest.mark.parametrize("layout", ["fixed", "variable"])
@pytest.mark.parametrize("every", [20, 5])
def test_however_many_are_damaged_all_others_with_a_crc_come_back(
    make_run, every, layout, is_known, apids
):
    for seed in range(3):
        run = make_run(layout, apids, crc=True, seed=seed)
        stream, undamaged = damaged(run, every, random.Random(seed))
        found = decoded(stream, definition(layout, apids, is_known, crc=True))
        assert found == bodies(undamaged, crc=True), f"seed {seed}"
