# SPDX-License-Identifier: Apache-2.0
"""The scanner: batches that hold exactly what the deframer, span by span, gives."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.common.kernels import Kernels
from telemetry.wire.deframer import Deframer
from telemetry.wire.rules import PacketRule, StreamRules
from telemetry.wire.scan import Scanner, packet_spans
from telemetry.wire.spans import Kind, Verdict

RULES = {
    "fixed": StreamRules({66: PacketRule(min_octets=14, max_octets=14, has_crc=True)}),
    "variable": StreamRules({66: PacketRule(min_octets=2, has_crc=True)}),
    "plain": StreamRules({67: PacketRule(min_octets=12, max_octets=12)}),
    "both": StreamRules({
        66: PacketRule(min_octets=14, max_octets=14, has_crc=True),
        67: PacketRule(min_octets=4, max_octets=900),
    }),
    "any": StreamRules({}, PacketRule()),
    "any with crc": StreamRules({}, PacketRule(min_octets=2, has_crc=True)),
    "any of one size": StreamRules({}, PacketRule(min_octets=12, max_octets=12)),
    "apid 0": StreamRules({0: PacketRule()}),
}  # fmt: skip


@pytest.fixture(params=list(Kernels))
def kernels(request):
    if request.param is Kernels.NUMBA:
        pytest.importorskip("numba")
    return request.param


def chunks(stream, size):
    return [stream[start : start + size] for start in range(0, len(stream), size)]


def scanned(stream, rules, kernels, size):
    """Spans by push, in order of their place."""
    scanner = Scanner(rules, kernels)
    pushes = [scanner.scan(chunk) for chunk in chunks(stream, size)] + [scanner.finish()]
    return [
        sorted([*packet_spans(push.packets), *push.others], key=lambda span: span.offset)
        for push in pushes
    ]


def deframed(stream, rules, size):
    deframer = Deframer(rules)
    pushes = [list(deframer.push(chunk)) for chunk in chunks(stream, size)]
    return [*pushes, list(deframer.close())]


def damaged(stream, rng):
    """Flip, insert, remove, overwrite with zeros or noise, here and there."""
    stream = bytearray(stream)
    for _ in range(rng.randrange(6)):
        at = rng.randrange(len(stream))
        size = rng.choice([1, 1, 2, 13, 40, 300])
        match rng.randrange(6):
            case 0:
                stream[at] ^= 1 << rng.randrange(8)
            case 1:
                stream[at:at] = rng.randbytes(size)
            case 2:
                del stream[at : at + size]
            case 3:
                stream[at : at + size] = bytes(size)
            case 4:
                stream[at : at + 2] = b"\xff\xff"
            case 5:
                stream[at : at + size] = rng.randbytes(size)
        stream = stream or bytearray(1)
    return bytes(stream)


def stream_of(make_packet, rng):
    """Packets of several APIDs, sizes and kinds, in runs, with fill between some."""
    parts = []
    count = rng.choice([0, 16370])
    for _ in range(rng.randrange(1, 8)):
        apid, crc, low, high = rng.choice(
            [(66, True, 12, 12), (66, True, 0, 90), (67, False, 12, 12), (67, False, 1, 60),
             (0, False, 1, 9), (99, True, 0, 30), (300, False, 12, 12), (0x7FF, False, 1, 50),
             (67, False, 1000, 9000), (99, False, 1000, 9000)]
        )  # fmt: skip
        for _ in range(rng.choice([1, 2, 30, 200] if high < 1000 else [1, 2, 5])):
            body = rng.choice([bytes, rng.randbytes])(rng.randint(low, high))
            parts.append(make_packet(apid, count, body, crc=crc))
            count += rng.choice([1, 1, 1, 1, 1, 3])
        parts.append(bytes(rng.choice([0, 0, 0, 1, 5, 6, 70, 3000])))
    return b"".join(parts)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 1 << 32),
    rules=st.sampled_from(sorted(RULES)),
    kernels=st.sampled_from(Kernels),
)
def test_batches_hold_what_the_deframer_gives_whatever_the_damage(
    make_packet, seed, rules, kernels
):
    if kernels is Kernels.NUMBA:
        pytest.importorskip("numba")
    rng = random.Random(seed)
    stream = damaged(stream_of(make_packet, rng), rng)
    size = rng.choice([1, 7, 20, 150, 4096, 1 << 20]) if len(stream) < 5000 else 4096
    assert scanned(stream, RULES[rules], kernels, size) == deframed(stream, RULES[rules], size)


@pytest.mark.parametrize("rules", RULES)
def test_long_lengths_that_end_where_a_packet_begins_are_judged_as_by_the_deframer(
    make_packet, rules, kernels
):
    rng = random.Random(12)
    run = [
        make_packet(rng.choice([66, 67]), i, rng.randbytes(rng.randrange(2, 60)), crc=False)
        for i in range(1500)
    ]
    for hit in range(50, 1300, 100):
        length = sum(map(len, run[hit : hit + 150])) - 7
        run[hit] = run[hit][:4] + length.to_bytes(2, "big") + run[hit][6:]
    stream = b"".join(run)
    assert scanned(stream, RULES[rules], kernels, 4096) == deframed(stream, RULES[rules], 4096)


@pytest.mark.parametrize("rules", RULES)
def test_noise_is_judged_as_by_the_deframer(rules, kernels):
    stream = random.Random(7).randbytes(100_000)
    assert scanned(stream, RULES[rules], kernels, 4096) == deframed(stream, RULES[rules], 4096)


@pytest.mark.parametrize("rules", ["fixed", "variable", "any with crc", "plain", "any of one size"])
def test_a_clean_stream_does_not_go_through_the_deframer(dump_of, kernels, rules, monkeypatch):
    is_plain = rules in ("plain", "any of one size")
    run = dump_of(5000, apid=67 if is_plain else 66, crc=not is_plain)
    spans = []
    step = Scanner._next

    def counted(scanner):
        span = step(scanner)
        spans.append(span)
        return span

    monkeypatch.setattr(Scanner, "_next", counted)
    scanner = Scanner(RULES[rules], kernels)
    batches = [scanner.scan(chunk).packets for chunk in chunks(b"".join(run), 1 << 14)]
    batches.append(scanner.finish().packets)
    found = [batch.packet(index) for batch in batches for index in range(len(batch))]
    assert found == run
    assert sum(span is not None for span in spans) <= len(batches) + 2


def test_packets_that_are_walked_over_do_not_go_through_the_deframer_either(
    make_packet, kernels, monkeypatch
):
    rng = random.Random(11)
    apids = [66, 5, 99, 300, 0x7FF, 1500]
    run = [
        make_packet(apids[i % 6], i, rng.randbytes(12), crc=apids[i % 6] == 66) for i in range(6000)
    ]
    expected = deframed(b"".join(run), RULES["fixed"], 1 << 14)
    spans = []
    step = Scanner._next

    def counted(scanner):
        span = step(scanner)
        spans.append(span)
        return span

    monkeypatch.setattr(Scanner, "_next", counted)
    assert scanned(b"".join(run), RULES["fixed"], kernels, 1 << 14) == expected
    assert sum(span is not None for span in spans) < 60


def test_every_length_of_packet_keeps_its_place_in_the_stream(make_packet, kernels):
    rng = random.Random(3)
    run = [make_packet(66, i, rng.randbytes(rng.randrange(300))) for i in range(3000)]
    stream = b"".join(run)
    scanner = Scanner(RULES["variable"], kernels)
    pushes = [scanner.scan(chunk) for chunk in chunks(stream, 10_000)] + [scanner.finish()]
    offsets = np.concatenate([push.packets.offset + push.packets.starts for push in pushes])
    lengths = np.concatenate([push.packets.lengths for push in pushes])
    assert not [span for push in pushes for span in push.others]
    assert lengths.tolist() == [len(packet) for packet in run]
    assert offsets.tolist() == (np.cumsum(lengths) - lengths).tolist()


def test_a_flipped_bit_in_each_packet_is_told(dump_of, kernels):
    run = [bytearray(packet) for packet in dump_of(2000)]
    for packet in run:
        packet[9] ^= 4
    pushes = scanned(b"".join(run), RULES["fixed"], kernels, 1 << 20)
    spans = [span for push in pushes for span in push]
    assert [span.verdict for span in spans] == [Verdict.DAMAGED] * 2000
    assert {span.kind for span in spans} == {Kind.PACKET}
