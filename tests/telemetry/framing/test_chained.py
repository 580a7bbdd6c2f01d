# SPDX-License-Identifier: Apache-2.0
"""Lengths, prefixes and records: frames without delimiters."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.wire.framing import LengthField, LengthFraming, RecordFraming, SkipFraming
from telemetry.wire.rules import PacketRule, StreamRules

FIELDS = [
    LengthField(octets=octets, order=order, is_inclusive=is_inclusive)
    for octets in (1, 2, 4)
    for order in ("big", "little")
    for is_inclusive in (False, True)
]
RULES = StreamRules({66: PacketRule(min_octets=2, max_octets=200, has_crc=True)})
BE = LengthField(octets=2)
sizes_of_chunks = st.lists(st.integers(1, 60), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def packets(make_packet):
    rng = random.Random(301)
    return [make_packet(66, i, rng.randbytes(rng.randrange(1, 90))) for i in range(40)]


def wrapped(packets, prefix=b"\xf0\x00\x60\x60"):
    return b"".join(prefix + packet for packet in packets)


@pytest.mark.parametrize("field", FIELDS, ids=str)
@given(contents=st.lists(st.binary(min_size=1, max_size=200), max_size=6), sizes=sizes_of_chunks)
@settings(max_examples=30)
def test_what_was_framed_comes_back_however_the_stream_is_cut(
    deframe, payloads, field, contents, sizes
):
    stream = b"".join(map(field.encode, contents))
    framing = LengthFraming(field, holds_packets=False)
    assert payloads(deframe(framing, stream, sizes)) == contents


# Worked by hand.
@pytest.mark.parametrize(
    ("field", "frame"),
    [
        (LengthField(octets=1), "03 616263"),
        (LengthField(octets=2), "0003 616263"),
        (LengthField(octets=2, order="little"), "0300 616263"),
        (LengthField(octets=4, is_inclusive=True), "00000007 616263"),
        (LengthField(octets=4, order="little", is_inclusive=True), "07000000 616263"),
    ],
    ids=str,
)
def test_a_length_field_is_written_as_its_name_says(field, frame):
    assert field.encode(b"abc") == bytes.fromhex(frame)


def test_a_payload_that_the_field_cannot_count_is_refused():
    with pytest.raises(OverflowError):
        LengthField(octets=1, is_inclusive=True).encode(bytes(255))


def make_framings():
    return {
        "length": LengthFraming(BE, rules=RULES),
        "length without rules": LengthFraming(BE),
        "data": LengthFraming(BE, holds_packets=False, max_octets=300),
        "skip": SkipFraming(4, rules=RULES),
        "skip without rules": SkipFraming(4),
    }


@pytest.mark.parametrize("name", make_framings())
@given(st.binary(max_size=400), sizes_of_chunks)
@settings(max_examples=60)
def test_random_octets_give_the_same_records_however_they_are_cut(deframe, name, stream, sizes):
    whole = deframe(make_framings()[name], stream)
    assert deframe(make_framings()[name], stream, sizes) == whole


@pytest.mark.parametrize("name", make_framings())
@given(st.integers(0, 400), st.binary(max_size=30), st.integers(0, 20), sizes_of_chunks)
@settings(max_examples=60)
def test_damaged_streams_give_the_same_records_however_they_are_cut(
    deframe, packets, name, place, garbage, lost, sizes
):
    if name.startswith("skip"):
        stream = wrapped(packets[:12])
    else:
        stream = b"".join(map(BE.encode, packets[:12]))
    stream = stream[:place] + garbage + stream[place + lost :]
    whole = deframe(make_framings()[name], stream)
    assert deframe(make_framings()[name], stream, sizes) == whole


# --- Packets behind a prefix ----------------------------------------------------------------------


@pytest.mark.parametrize("rules", [RULES, None])
@pytest.mark.parametrize("prefix", [b"\xf0", b"\x00\x00", b"\x60\xf0\x60\x60", b"0123456789abcdef"])
def test_packets_behind_a_prefix_come_out_whole(deframe, payloads, packets, rules, prefix):
    records = deframe(SkipFraming(len(prefix), rules=rules), wrapped(packets, prefix), [17])
    assert payloads(records) == packets


def test_frames_know_their_place(deframe, packets):
    (first, second, *_) = deframe(SkipFraming(4, rules=RULES), wrapped(packets))
    assert (first.offset, first.length) == (0, 4 + len(packets[0]))
    assert second.offset == first.length


def _length_ffff(stream, at):
    return stream[: at + 4] + b"\xff\xff" + stream[at + 6 :]


def _length_plus_3(stream, at):
    length = int.from_bytes(stream[at + 4 : at + 6], "big") + 3
    return stream[: at + 4] + length.to_bytes(2, "big") + stream[at + 6 :]


def _garbage(stream, at):
    return stream[: at + 9] + bytes(range(13)) + stream[at + 9 :]


def _lost_octet(stream, at):
    return stream[: at + 9] + stream[at + 10 :]


def _lost_prefix_octet(stream, at):
    return stream[: at - 1] + stream[at:]


def _length_of_frame_ffff(stream, at):
    return stream[: at - 2] + b"\xff\xff" + stream[at:]


def _length_of_frame_zero(stream, at):
    return stream[: at - 2] + b"\0\0" + stream[at:]


IN_PACKET = [_length_ffff, _length_plus_3, _garbage, _lost_octet]


@pytest.mark.parametrize("harm", [*IN_PACKET, _lost_prefix_octet])
@pytest.mark.parametrize("which", [0, 1, 20, 38, 39])
def test_one_damage_costs_one_packet_behind_a_prefix(deframe, payloads, packets, harm, which):
    at = len(wrapped(packets[:which])) + 4
    records = deframe(SkipFraming(4, rules=RULES), harm(wrapped(packets), at))
    assert_others_are_back(payloads(records), packets, which)


@pytest.mark.parametrize("harm", [*IN_PACKET, _lost_prefix_octet, _length_of_frame_ffff])
@pytest.mark.parametrize("which", [0, 1, 20, 38, 39])
@pytest.mark.parametrize("rules", [RULES, None])
def test_one_damage_costs_one_frame_behind_a_length(deframe, payloads, packets, harm, which, rules):
    stream = b"".join(map(BE.encode, packets))
    at = len(b"".join(map(BE.encode, packets[:which]))) + 2
    records = deframe(LengthFraming(BE, rules=rules), harm(stream, at))
    assert_others_are_back(payloads(records), packets, which)


def assert_others_are_back(found, packets, which):
    others = [packet for index, packet in enumerate(packets) if index != which]
    assert [packet for packet in found if packet in others] == others
    assert len(found) <= len(packets)


@pytest.mark.parametrize("harm", [_length_of_frame_ffff, _length_of_frame_zero, _lost_prefix_octet])
def test_a_packet_whose_frame_is_damaged_is_still_in_what_is_handed_on(deframe, packets, harm):
    stream = b"".join(map(BE.encode, packets))
    at = len(b"".join(map(BE.encode, packets[:20]))) + 2
    records = deframe(LengthFraming(BE, rules=RULES), harm(stream, at))
    kinds = {r.kind for r in records if packets[20] in r.data}
    assert kinds
    assert kinds <= {"damaged", "junk"}


def test_a_cut_stream_is_told(deframe, packets):
    stream = wrapped(packets[:3])
    *_, last = deframe(SkipFraming(4, rules=RULES), stream[:-5])
    assert (last.kind, last.reason) == ("damaged", "the input ends 5 octets before the frame does")
    *_, last = deframe(SkipFraming(4, rules=RULES), stream + b"\xf0\x00")
    assert (last.kind, last.reason) == ("damaged", "the input ends inside a prefix")


def test_noise_between_frames_is_junk_with_its_octets(deframe, payloads, packets):
    noise = b"\xff" * 500
    stream = wrapped(packets[:5]) + noise + wrapped(packets[5:])
    records = deframe(SkipFraming(4, rules=RULES), stream)
    assert payloads(records) == packets
    assert b"".join(payloads(records, "junk")) == noise


def test_zeros_are_no_packets_behind_a_prefix(deframe):
    assert {r.kind for r in deframe(SkipFraming(4), bytes(5000))} == {"junk"}


def test_lengths_that_overlap_in_all_places_are_not_tried_one_by_one(deframe):
    framing = LengthFraming(BE, holds_packets=False)
    records = deframe(framing, b"\xff" * 200_000)  # Wherever one looks, a frame of 65,537.
    assert len(records) <= 6


def test_endless_junk_is_handed_on_in_pieces_and_not_kept():
    framing = LengthFraming(BE, holds_packets=False, max_octets=1000)
    junk = 0
    for _ in range(50):
        junk += sum(record.length for record in framing.push(b"\xff" * 4096))
    assert junk >= 49 * 4096 - 1000
    assert len(framing._buffer) <= 4096 + 1000


# --- Records of one size --------------------------------------------------------------------------


@given(st.binary(max_size=200), st.integers(1, 20), st.integers(0, 5), sizes_of_chunks)
def test_records_are_cut_at_their_size(deframe, payloads, stream, octets, prefix, sizes):
    records = deframe(RecordFraming(octets, prefix), stream, sizes)
    size = octets + prefix
    whole = [stream[i + prefix : i + size] for i in range(0, len(stream) - size + 1, size)]
    assert payloads(records) == whole
    assert len(payloads(records, "damaged")) == bool(len(stream) % size)


def test_a_last_record_that_is_cut_is_told(deframe):
    (record,) = deframe(RecordFraming(10, 2), b"12345")
    assert (record.kind, record.data) == ("damaged", b"345")
    assert record.reason == "the input ends 7 octets before the record does"


@pytest.mark.parametrize(("octets", "prefix"), [(0, 0), (1, -1)])
def test_a_record_without_octets_is_refused(octets, prefix):
    with pytest.raises(ValueError, match="expected 1 or more"):
        RecordFraming(octets, prefix)
