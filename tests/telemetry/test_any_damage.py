# SPDX-License-Identifier: Apache-2.0
"""After any damage, every undamaged packet that carries a CRC comes back, framed or not.

Lengths, APIDs and prefixes that are wrong claim whole stretches of a stream; what proves itself
inside wins.
"""

import random
from collections import Counter
from importlib.util import find_spec

import pytest
from construct import Bytes, Int8ub, Int16ub, Struct, this

from telemetry.columns.definition import define
from telemetry.common.kernels import Kernels
from telemetry.ops.floors import Floors
from telemetry.ops.options import Options
from telemetry.wire.batch import VerdictCode

CHECKED = Struct("size" / Int8ub, "body" / Bytes(this.size), "packet_error_control" / Int16ub)
BARE = Struct("size" / Int8ub, "body" / Bytes(this.size))
DEFINITION = define({66: CHECKED, 67: BARE})
INSTALLED = [k for k in Kernels if k is not Kernels.NUMBA or find_spec("numba")]
PACKETS = 300
SEEDS = 12
CRC_APIDS, OTHERS = (66,), (67, 99, 0x7FF)  # 99 and idle packets are strangers.


@pytest.fixture
def make_run(make_packet):
    """Return packets of several APIDs, whether each carries a CRC and stays undamaged, and all."""

    def make(rng, apids):
        counts, run = Counter(), []
        for _ in range(PACKETS):
            apid = rng.choice(apids)
            body = rng.choice([bytes, rng.randbytes])(rng.randrange(1, 80))
            data = bytes([len(body)]) + body
            run.append(make_packet(apid, counts[apid], data, crc=apid in CRC_APIDS))
            counts[apid] += 1
        return run

    return make


def damaged(packet, rng):
    """Return a packet with a wrong length or APID, or octets that are wrong, lost or added."""
    found, at = bytearray(packet), rng.randrange(len(packet))
    match rng.randrange(8):
        case 0:
            found[4:6] = b"\xff\xff"
        case 1:
            found[4:6] = rng.randrange(3000).to_bytes(2, "big")
        case 2:  # Often to where another packet begins, if all have one length.
            found[4:6] = (rng.randrange(2, 6) * len(packet) - 7).to_bytes(2, "big")
        case 3:
            found[0:2] = rng.randbytes(2)
        case 4:
            found[at] ^= 1 << rng.randrange(8)
        case 5:
            found[at:at] = rng.randbytes(rng.choice([1, 2, 13, 300]))
        case 6:
            del found[at : at + rng.choice([1, 2, 9])]
        case 7:
            found[at : at + 40] = bytes(len(found[at : at + 40]))
    return bytes(found)


def good_packets(stream, options, kernels, chunk=1 << 20):
    """Return the packets whose CRC holds."""
    floors, found = Floors(DEFINITION, options, kernels), Counter()
    chunks = [stream[at : at + chunk] for at in range(0, len(stream), chunk)]
    for part in [*(floors.push(chunk) for chunk in chunks), floors.close()]:
        for item in part:
            good = (item.packets.verdicts == VerdictCode.GOOD).nonzero()[0].tolist()
            found.update(item.packets.packet(index) for index in good)
    return found


@pytest.mark.parametrize("apids", [CRC_APIDS, (*CRC_APIDS * 3, *OTHERS)], ids=["one", "many"])
@pytest.mark.parametrize("sync", ["", "1acf", "1acffc1d", "0836", "0036"])
def test_in_a_stream_whatever_stands_before_each_packet(sync, apids, make_run):
    for seed in range(SEEDS):
        rng = random.Random(seed)
        run = make_run(rng, apids)
        hit = set(rng.sample(range(PACKETS), PACKETS // 7))
        parts = [damaged(p, rng) if i in hit else p for i, p in enumerate(run)]
        stream = b"".join(bytes.fromhex(sync) + part for part in parts)
        apid_of = [int.from_bytes(packet[:2], "big") & 0x7FF for packet in run]
        checked = Counter(p for p, apid in zip(run, apid_of, strict=True) if apid in CRC_APIDS)
        undamaged = Counter(p for p, part in zip(run, parts, strict=True) if p in part) & checked
        chunk = rng.choice([997, 1 << 20])
        found = good_packets(stream, Options(), rng.choice(INSTALLED), chunk)
        assert undamaged <= found <= checked, f"seed {seed}"


PREFIXES = {
    "length:1": lambda packet: len(packet).to_bytes(1, "big"),
    "length:2be": lambda packet: len(packet).to_bytes(2, "big"),
    "length:4le": lambda packet: len(packet).to_bytes(4, "little"),
    "none": lambda _: b"\xaa\xbb\xcc\xdd",  # Read with --skip 4.
}


def hit_frame(prefix, packet, rng):
    """Damage a prefix or a packet; return the frame, and whether the packet is undamaged."""
    frame = bytearray(prefix + packet)
    at = rng.randrange(len(prefix)) if rng.random() < 0.5 else rng.randrange(len(frame))
    match rng.randrange(4):
        case 0:
            frame[at] = 0xFF
        case 1:
            frame[at] ^= 1 << rng.randrange(8)
        case 2:
            del frame[at]
        case 3:
            frame[at:at] = rng.randbytes(rng.choice([1, 3, 20]))
    return bytes(frame), packet in bytes(frame)


@pytest.mark.parametrize("name", PREFIXES)
def test_behind_prefixes_that_are_wrong(name, make_run):
    options = Options(framing=name, skip=4 if name == "none" else 0)
    for seed in range(2 * SEEDS):
        rng = random.Random(seed)
        parts, undamaged = [], []
        for packet in make_run(rng, CRC_APIDS):
            frame, is_undamaged = PREFIXES[name](packet) + packet, True
            if rng.random() < 0.1:
                frame, is_undamaged = hit_frame(PREFIXES[name](packet), packet, rng)
            parts.append(frame)
            undamaged += [packet] * is_undamaged
        found = good_packets(b"".join(parts), options, rng.choice(INSTALLED))
        assert found == Counter(undamaged), f"seed {seed}"


def test_a_stranger_over_the_whole_stream_loses(make_packet):
    run = [make_packet(66, count, b"\x2d" + bytes([count % 256] * 45)) for count in range(2000)]
    assert len(run[0]) == 0x36  # Behind their lengths some seem to begin a packet of 49 kB.
    stream = b"".join(len(packet).to_bytes(2, "big") + packet for packet in run)
    assert good_packets(stream, Options(), Kernels.NUMPY) == Counter(run)
    wrong = stream[:5600] + b"\xff" + stream[5601:]
    assert good_packets(wrong, Options(framing="length:2be"), Kernels.NUMPY) == Counter(run)


def test_a_copy_that_a_stranger_carries_stays_in_it(make_packet):
    run = [make_packet(66, count, b"\x01a") for count in range(10)]
    carrier = make_packet(99, 0, b"\x11" * 8 + run[3] + b"\x22" * 8, crc=False)
    stream = b"".join([*run[:5], carrier, *run[5:]])
    assert good_packets(stream, Options(), Kernels.NUMPY) == Counter(run)


def test_a_packet_without_a_crc_swallows_none_that_has_one(make_packet):
    bare = [make_packet(67, count, b"\x04abcd", crc=False) for count in range(2)]
    run = [make_packet(66, count, b"\x05abcde") for count in range(6)]
    longer = bare[0][:4] + (len(bare[0]) - 7 + 2 * len(run[0])).to_bytes(2, "big") + bare[0][6:]
    stream = b"".join([*run[:2], longer, *run[2:], bare[1]])
    for kernels in INSTALLED:
        assert good_packets(stream, Options(), kernels) == Counter(run)
