# SPDX-License-Identifier: Apache-2.0
"""The deframer: nothing is lost or invented, whatever happens to the stream."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.wire.deframer import Deframer
from telemetry.wire.rules import PacketRule, StreamRules
from telemetry.wire.spans import Kind, Verdict

FIXED = StreamRules({66: PacketRule(min_octets=14, max_octets=14, has_crc=True)})
VARIABLE = StreamRules({66: PacketRule(min_octets=2, has_crc=True)})
PLAIN = StreamRules({67: PacketRule(min_octets=12, max_octets=12)})
ANY_CRC = StreamRules({}, PacketRule(min_octets=2, has_crc=True))
ANY_FIXED = StreamRules({}, PacketRule(min_octets=12, max_octets=12))
ANY = StreamRules({}, PacketRule())


def deframe(stream, rules, chunk=1 << 20):
    deframer = Deframer(rules)
    spans = []
    for start in range(0, len(stream), chunk):
        spans += deframer.push(stream[start : start + chunk])
    spans += deframer.close()
    assert_partition(spans, len(stream))
    return spans


def assert_partition(spans, size):
    assert all(span.length > 0 for span in spans)
    assert [span.offset for span in spans] == [0, *(s.offset + s.length for s in spans)][:-1]
    assert sum(span.length for span in spans) == size


def packets(spans):
    return [s.data for s in spans if s.kind is Kind.PACKET and s.verdict is not Verdict.DAMAGED]


def kinds(spans):
    """Kinds in order, runs merged."""
    found = [span.kind for span in spans]
    return found[:1] + [after for before, after in pairwise(found) if after is not before]


def octets(spans, kind):
    return sum(span.length for span in spans if span.kind is kind)


@pytest.fixture(scope="session")
def variable_run(make_packet):
    """2,000 packets of 0 to 96 octets of payload, all different."""
    rng = random.Random(133)
    return [make_packet(66, i, rng.randbytes(rng.randrange(97))) for i in range(2000)]


# --- The damages of links and recorders -----------------------------------------------------------


def _length_ffff(stream, at):
    return stream[: at + 4] + b"\xff\xff" + stream[at + 6 :]


def _length_plus_3(stream, at):
    length = int.from_bytes(stream[at + 4 : at + 6], "big") + 3
    return stream[: at + 4] + length.to_bytes(2, "big") + stream[at + 6 :]


def _garbage(stream, at):
    return stream[: at + 9] + bytes(range(13)) + stream[at + 9 :]


def _lost_byte(stream, at):
    return stream[: at + 9] + stream[at + 10 :]


DAMAGES = [_length_ffff, _length_plus_3, _garbage, _lost_byte]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("rules", [FIXED, VARIABLE, ANY_CRC], ids=["fixed", "variable", "any"])
def test_every_undamaged_packet_comes_back_after(damage, rules, dump_of):
    run = dump_of(2000)
    stream = damage(b"".join(run), 1000 * 20)
    assert packets(deframe(stream, rules)) == run[:1000] + run[1001:]


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_undamaged_packet_of_varying_length_comes_back_after(damage, variable_run):
    at = sum(map(len, variable_run[:1000]))
    stream = damage(b"".join(variable_run), at)
    assert packets(deframe(stream, VARIABLE)) == variable_run[:1000] + variable_run[1001:]


def test_two_missing_packets_are_no_damage_to_the_rest(dump_of):
    run = dump_of(2000)
    spans = deframe(b"".join(run[:1000] + run[1002:]), FIXED)
    assert packets(spans) == run[:1000] + run[1002:]
    assert kinds(spans) == [Kind.PACKET]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("rules", [PLAIN, ANY_FIXED], ids=["known", "any"])
def test_without_a_crc_packets_of_fixed_length_come_back_too(damage, rules, dump_of):
    run = dump_of(2000, apid=67, crc=False)
    stream = damage(b"".join(run), 1000 * 18)
    found = packets(deframe(stream, rules))
    assert found[:1000] == run[:1000]
    assert found[-999:] == run[1001:]
    assert len(found) <= 2000  # The damaged one may stay: nothing tells that it is.


# --- Any one damage at any place ------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_one_damage_of_any_kind_costs_only_the_packets_it_touches(make_packet, data):
    sizes = data.draw(st.lists(st.integers(0, 40), min_size=2, max_size=8))
    run = [
        make_packet(66, i, bytes((i * 7 + k * 5 + 9) & 0xFF for k in range(size)))
        for i, size in enumerate(sizes)
    ]
    stream = b"".join(run)
    start = data.draw(st.integers(0, len(stream) - 1))
    removed = data.draw(st.integers(0, min(60, len(stream) - start)))
    inserted = data.draw(st.binary(max_size=60))
    damaged = stream[:start] + inserted + stream[start + removed :]
    found = packets(deframe(damaged, VARIABLE, data.draw(st.sampled_from([7, 64, 1 << 20]))))
    ends = [sum(map(len, run[: i + 1])) for i in range(len(run))]
    untouched = [
        packet
        for packet, end in zip(run, ends, strict=True)
        if end <= start or end - len(packet) >= start + removed
    ]
    assert [packet for packet in found if packet in untouched] == untouched


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_single_flipped_bit_costs_one_packet_at_most(make_packet, data):
    size = data.draw(st.integers(0, 70))
    run = [make_packet(66, i, bytes(size)) for i in range(6)]
    stream = bytearray(b"".join(run))
    bit = data.draw(st.integers(0, len(stream) * 8 - 1))
    stream[bit // 8] ^= 1 << bit % 8
    hit = bit // 8 // len(run[0])
    assert packets(deframe(bytes(stream), VARIABLE)) == run[:hit] + run[hit + 1 :]


@settings(max_examples=200, deadline=None)
@given(
    parts=st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.integers(1, 200).map(bytes),
            st.sampled_from([b"\x00\x42", b"\x07\xff\xc0\x00\x00\x05abcdef", b"\x00\x42\xc0\x01"]),
        ),
        max_size=8,
    ),
    cut=st.integers(0, 30),
    rules=st.sampled_from([FIXED, VARIABLE, PLAIN, ANY, ANY_CRC, ANY_FIXED]),
    chunk=st.integers(1, 50),
)
def test_spans_partition_any_stream_and_do_not_depend_on_chunks(dump_of, parts, cut, rules, chunk):
    run = [*dump_of(3), *dump_of(3, apid=67, crc=False)]
    mixed = [piece for pair in zip(run, [*parts, *[b""] * 6], strict=False) for piece in pair]
    stream = b"".join([*mixed, *parts[6:]])
    stream = stream[: len(stream) - cut]
    whole = merge(deframe(stream, rules))
    assert merge(deframe(stream, rules, chunk)) == whole


def merge(spans):
    """Fill and skipped octets may come in several spans; packets may not."""
    merged = []
    for span in spans:
        if merged and span.kind is merged[-1].kind and span.kind in (Kind.FILL, Kind.SKIPPED):
            merged[-1] = merged[-1]._replace(length=merged[-1].length + span.length)
        else:
            merged.append(span)
    return merged


@pytest.mark.parametrize("rules", [FIXED, PLAIN, VARIABLE, ANY, ANY_CRC, ANY_FIXED])
def test_noise_gives_no_packet(rules):
    spans = deframe(random.Random(4).randbytes(200_000), rules)
    assert packets(spans) == []


def test_noise_seldom_passes_for_a_packet_of_varying_length_without_a_crc():
    rules = StreamRules({67: PacketRule(min_octets=12)})
    spans = deframe(random.Random(5).randbytes(4 << 20), rules)
    assert packets(spans) == []


@pytest.mark.parametrize("rules", [ANY, PLAIN, ANY_FIXED])
@pytest.mark.parametrize("whole", [1, 2, 3])
def test_a_short_run_without_a_crc_survives_a_cut(whole, rules, dump_of):
    run = dump_of(whole + 1, apid=67, crc=False)
    for cut in range(1, 18):
        spans = deframe(b"".join(run)[:-cut], rules)
        assert packets(spans) == run[:whole]
        assert spans[-1].kind in (Kind.LOST, Kind.SKIPPED, Kind.FILL)


def test_a_run_cut_at_any_byte_ends_in_order(dump_of):
    run = dump_of(3)
    stream = b"".join(run)
    for size in range(len(stream) + 1):
        spans = deframe(stream[:size], FIXED)
        assert packets(spans) == run[: size // 20]
        rest = [span for span in spans if span.kind is not Kind.PACKET]
        assert sum(span.length for span in rest) == size % 20


# --- Fill, idle packets, strangers ----------------------------------------------------------------


@pytest.mark.parametrize("zeros", [1, 2, 5, 6, 7, 63, 64, 65, 5000])
@pytest.mark.parametrize("chunk", [11, 1 << 20])
def test_zeros_around_packets_are_fill(zeros, chunk, dump_of):
    run = dump_of(4)  # The header of APID 66 begins with a zero octet itself.
    gap = bytes(zeros)
    for stream in (gap + b"".join(run), gap.join(run), b"".join(run) + gap):
        spans = deframe(stream, FIXED, chunk)
        assert packets(spans) == run
        assert set(kinds(spans)) == {Kind.PACKET, Kind.FILL}


def test_long_zeros_amid_junk_are_fill_and_short_ones_are_not():
    junk = b"\xff" * 10
    spans = deframe(junk + bytes(63) + junk + bytes(64) + junk, FIXED)
    assert octets(spans, Kind.FILL) == 64
    assert octets(spans, Kind.SKIPPED) == 10 + 63 + 10 + 10


@pytest.mark.parametrize("rules", [ANY, StreamRules({0: PacketRule()})], ids=["any", "apid 0"])
def test_a_few_zeros_amid_damage_are_neither_packets_of_apid_0_nor_fill(rules):
    spans = deframe(b"\xff" * 9 + bytes(40) + b"\xff" * 9, rules)
    assert kinds(spans) == [Kind.SKIPPED]


@pytest.mark.parametrize("rules", [StreamRules({67: PacketRule(max_octets=12)}), ANY_FIXED])
def test_packets_with_a_secondary_header_are_found_behind_junk(rules, dump_of):
    run = [bytes([p[0] | 8]) + p[1:] for p in dump_of(4, apid=67, crc=False)]
    assert packets(deframe(b"\xee" * 9 + b"".join(run), rules)) == run


def test_idle_packets_are_counted_and_walked_over(make_packet, dump_of):
    run = dump_of(4)
    idle = make_packet(0x7FF, 0, b"\x55" * 100, crc=False)
    spans = deframe(run[0] + idle + idle + run[1] + idle, FIXED)
    assert [span.kind for span in spans] == [
        Kind.PACKET, Kind.IDLE, Kind.IDLE, Kind.PACKET, Kind.IDLE,
    ]  # fmt: skip


def test_an_idle_packet_whose_length_grew_swallows_nothing(make_packet, dump_of):
    run = dump_of(4)
    idle = make_packet(0x7FF, 0, b"\x55" * 20, crc=False)
    longer = idle[:4] + (19 + 40).to_bytes(2, "big") + idle[6:]  # By exactly two packets.
    assert packets(deframe(run[0] + longer + b"".join(run[1:]), FIXED)) == run


def test_packets_of_unknown_apids_are_walked_over_and_are_no_damage(make_packet, dump_of):
    run = dump_of(2)
    strangers = [make_packet(99, i, bytes([1 + i] * (20 + i)), crc=False) for i in range(6)]
    spans = deframe(b"".join([*strangers[:3], run[0], *strangers[3:], run[1]]), FIXED)
    assert packets(spans) == run
    assert octets(spans, Kind.OTHER) == sum(map(len, strangers))
    assert Kind.SKIPPED not in kinds(spans)


def test_a_telecommand_of_a_known_apid_is_no_telemetry(dump_of):
    run = dump_of(3)
    command = bytes([run[0][0] | 0x10]) + run[0][1:]
    spans = deframe(command + run[1] + run[2], FIXED)
    assert [span.kind for span in spans] == [Kind.OTHER, Kind.PACKET, Kind.PACKET]


def test_a_packet_carried_as_data_is_not_taken_out_of_a_damaged_one(make_packet):
    inner = make_packet(66, 500, b"inner")
    outer = bytearray(make_packet(66, 1, b"\x11" * 8 + inner + b"\x22" * 8))
    outer[8] ^= 1
    spans = deframe(make_packet(66, 0, b"a") + bytes(outer) + make_packet(66, 2, b"b"), VARIABLE)
    assert [span.verdict for span in spans] == [Verdict.GOOD, Verdict.DAMAGED, Verdict.GOOD]


def test_a_wrong_length_that_ends_where_a_packet_begins_swallows_none_that_are_whole(dump_of):
    run = dump_of(8)
    longer = run[1][:4] + (6 * 20 - 7).to_bytes(2, "big") + run[1][6:]  # Up to run[7] exactly;
    flipped = run[6][:10] + bytes([run[6][10] ^ 4]) + run[6][11:]  # what leads up to it is damaged.
    stream = b"".join([run[0], longer, *run[2:6], flipped, run[7]])
    assert packets(deframe(stream, VARIABLE)) == [run[0], *run[2:6], run[7]]


@pytest.mark.parametrize("rules", [StreamRules({67: PacketRule(), 68: PacketRule()}), ANY])
def test_a_long_wrong_length_without_a_crc_swallows_none_that_the_stream_goes_on_with(
    make_packet, rules
):
    rng = random.Random(6)
    run = [make_packet(67 + i % 2, i // 2, rng.randbytes(90), crc=False) for i in range(200)]
    longer = run[50][:4] + (100 * 96 - 7).to_bytes(2, "big") + run[50][6:]  # Up to run[150].
    spans = deframe(b"".join([*run[:50], longer, *run[51:]]), rules)
    assert packets(spans) == run[:50] + run[51:]
    assert kinds(spans) == [Kind.PACKET, Kind.LOST, Kind.PACKET]


@pytest.mark.parametrize("rules", [StreamRules({67: PacketRule(), 68: PacketRule()}), ANY])
def test_packets_carried_by_a_long_one_without_a_crc_stay_in_it(make_packet, rules):
    carried = [make_packet(68, 9000 + i, bytes([i]) * 90, crc=False) for i in range(60)]
    run = [make_packet(67 + i % 2, i // 2, b"\x11" * 90, crc=False) for i in range(40)]
    run[20] = make_packet(67, 10, b"".join(carried), crc=False)
    assert packets(deframe(b"".join(run), rules)) == run


def test_a_stranger_of_wrong_length_swallows_none_that_the_stream_goes_on_with(make_packet):
    run = [make_packet(67, i, b"\x11" * 90, crc=False) for i in range(120)]
    run[99] = b"\xff" * 96  # What leads up to where the stranger ends is damaged.
    stranger = b"\x03\x00\xc0\x00" + (60 * 96 + 20 - 7).to_bytes(2, "big") + b"\x22" * 14
    stream = b"".join([*run[:40], stranger, *run[40:]])
    expected = run[:99] + run[100:]
    assert packets(deframe(stream, StreamRules({67: PacketRule()}))) == expected


def test_a_packet_with_a_flipped_payload_keeps_its_data_and_is_flagged(dump_of):
    run = dump_of(3)
    flipped = run[1][:10] + bytes([run[1][10] ^ 4]) + run[1][11:]
    spans = deframe(run[0] + flipped + run[2], FIXED)
    assert [(s.data, s.verdict) for s in spans] == [
        (run[0], Verdict.GOOD), (flipped, Verdict.DAMAGED), (run[2], Verdict.GOOD),
    ]  # fmt: skip
    assert spans[1].reason == "the CRC does not hold"


def test_lost_packets_say_why(dump_of):
    run = dump_of(3)
    longer = run[1][:4] + b"\x00\x20" + run[1][6:]
    (lost,) = (s for s in deframe(run[0] + longer + run[2], FIXED) if s.kind is Kind.LOST)
    assert lost.reason == "it declares a data field of 33; the definition takes 14 octets"
    (lost,) = (s for s in deframe(run[0] + longer + run[2], VARIABLE) if s.kind is Kind.LOST)
    assert lost.reason == "it declares 39 octets, but another packet begins after 20"
    (lost,) = (s for s in deframe(run[0] + run[1][:17], FIXED) if s.kind is Kind.LOST)
    assert lost.reason == "the input ends 3 octets before the packet does"
    (lost,) = (s for s in deframe(run[0] + run[1][:5], FIXED) if s.kind is Kind.LOST)
    assert lost.reason == "the input ends inside a primary header"


def test_the_longest_packet_passes(make_packet):
    run = [make_packet(66, i, bytes([i + 1]) * 65534) for i in range(3)]
    assert all(len(packet) == 65542 for packet in run)
    assert packets(deframe(b"".join(run), VARIABLE, 4096)) == run


@pytest.mark.parametrize("apid", [0, 1, 255, 256, 2045, 2046])
def test_packets_of_the_first_and_last_apids_pass(apid, make_packet):
    run = [make_packet(apid, i, b"\x01\x02\x03") for i in range(4)]
    rule = PacketRule(min_octets=5, max_octets=5, has_crc=True)
    for rules in (StreamRules({apid: rule}), StreamRules({}, rule)):
        assert packets(deframe(b"\xee" * 9 + b"".join(run), rules)) == run


def test_memory_stays_bounded_on_a_long_stream(dump_of):
    deframer = Deframer(VARIABLE)
    chunk = b"".join(dump_of(500)) + b"\x00\x42\xc0\x00\xff\xff" + bytes(range(1, 200)) * 20
    longest = 0
    for _ in range(100):
        for _ in deframer.push(chunk):
            pass
        longest = max(longest, len(deframer._buffer))
    assert longest < 550_000
