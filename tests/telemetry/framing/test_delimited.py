# SPDX-License-Identifier: Apache-2.0
"""KISS, SLIP and COBS: every octet accounted for, whatever happens to the stream."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ops.frame_ledger import FrameAccount, FrameLedger
from telemetry.wire.framing import (
    CobsFraming,
    KissFraming,
    SlipFraming,
    encode_cobs,
    encode_kiss,
    encode_kiss_time,
    encode_slip,
)
from telemetry.wire.framing.cobs import decode_cobs
from telemetry.wire.framing.slip import END, ESC, ESC_END, ESC_ESC

FRAMINGS = {
    "kiss": (KissFraming, encode_kiss),
    "slip": (SlipFraming, encode_slip),
    "cobs": (CobsFraming, encode_cobs),
}
every_framing = pytest.mark.parametrize(("kind", "encode"), FRAMINGS.values(), ids=FRAMINGS)
octets_with_delimiters = st.one_of(
    st.binary(min_size=1, max_size=600),
    st.lists(st.sampled_from([0, 1, 0xC0, 0xDB, 0xDC, 0xDD, 0xFF]), min_size=1).map(bytes),
)
sizes_of_chunks = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@every_framing
@given(contents=st.lists(octets_with_delimiters, max_size=8), sizes=sizes_of_chunks)
def test_what_was_framed_comes_back_however_the_stream_is_cut(
    deframe, payloads, kind, encode, contents, sizes
):
    stream = b"".join(map(encode, contents))
    assert payloads(deframe(kind(), stream, sizes)) == contents


@every_framing
@given(stream=octets_with_delimiters, sizes=sizes_of_chunks)
def test_random_octets_give_the_same_records_however_they_are_cut(
    deframe, kind, encode, stream, sizes
):
    whole = deframe(kind(), stream)
    assert deframe(kind(), stream, sizes) == whole
    assert deframe(kind(), stream, [1]) == whole


@every_framing
@given(stream=st.binary(max_size=300), sizes=sizes_of_chunks, limit=st.integers(1, 9))
def test_frames_over_the_limit_are_cut_at_the_same_places_however_they_come(
    deframe, kind, encode, stream, sizes, limit
):
    records = deframe(kind(limit), stream, sizes)
    assert records == deframe(kind(limit), stream)
    assert all(len(record.data) <= limit for record in records if record.kind == "frame")


# RFC 1055 names the octets: END is 300 octal, ESC 333, ESC_END 334, ESC_ESC 335.
def test_slip_escapes_are_those_of_the_rfc():
    assert (END, ESC, ESC_END, ESC_ESC) == (192, 219, 220, 221)
    assert encode_slip(bytes((1, 192, 219, 2))) == bytes((192, 1, 219, 220, 219, 221, 2, 192))


def test_slip_needs_no_end_before_the_first_frame(deframe, payloads):
    assert payloads(deframe(SlipFraming(), b"ab\xc0cd\xc0")) == [b"ab", b"cd"]


# Worked by hand from the rules of Cheshire and Baker, 1999, section 3.
COBS_EXAMPLES = [
    (b"", "01 00"),
    (b"\0", "01 01 00"),
    (b"\0\0", "01 01 01 00"),
    (b"\x11\x22\0\x33", "03 11 22 02 33 00"),
    (b"\x11\0\0\0", "02 11 01 01 01 00"),
    (bytes(range(1, 255)), "ff" + bytes(range(1, 255)).hex() + "00"),
    (b"\0" + bytes(range(1, 255)), "01 ff" + bytes(range(1, 255)).hex() + "00"),
    (bytes(range(1, 256)), "ff" + bytes(range(1, 255)).hex() + "02 ff 00"),
    (bytes(range(1, 255)) + b"\0", "ff" + bytes(range(1, 255)).hex() + "01 01 00"),
    (bytes(range(2, 256)) + b"\0", "ff" + bytes(range(2, 256)).hex() + "01 01 00"),
    (bytes(range(3, 256)) + b"\0\1", "fe" + bytes(range(3, 256)).hex() + "02 01 00"),
]


@pytest.mark.parametrize(("payload", "frame"), COBS_EXAMPLES)
def test_cobs_examples_are_built_and_read(payload, frame):
    frame = bytes.fromhex(frame)
    assert encode_cobs(payload) == frame
    assert decode_cobs(frame[:-1]) == (payload, "")


# From the examples of the KISS specification: TEST on port 0, Hello on port 5.
def test_kiss_examples_are_built_and_read(deframe, payloads):
    assert encode_kiss(b"TEST") == b"\xc0\x00TEST\xc0"
    assert encode_kiss(b"Hello", port=5) == b"\xc0\x50Hello\xc0"
    (record,) = [r for r in deframe(KissFraming(), b"\xc0\x50Hello\xc0") if r.kind == "frame"]
    assert (record.port, record.data, record.offset, record.length) == (5, b"Hello", 1, 7)


def test_kiss_escapes_a_type_octet_that_looks_like_a_delimiter(deframe):
    stream = encode_kiss(b"x", port=12)
    assert stream == b"\xc0\xdb\xdcx\xc0"
    assert deframe(KissFraming(), stream)[1].port == 12


@pytest.mark.parametrize("value", [-1, 16])
def test_kiss_ports_and_commands_past_a_nibble_are_refused(value):
    with pytest.raises(ValueError, match=r"each is 0\.\.15"):
        encode_kiss(b"", port=value)
    with pytest.raises(ValueError, match=r"each is 0\.\.15"):
        encode_kiss(b"", command=value)


def test_a_time_stamp_is_the_time_of_the_next_data_frame_only(deframe):
    time_ns = 1_796_000_000_123_000_000
    stream = encode_kiss_time(time_ns) + encode_kiss(b"a") + encode_kiss(b"b")
    records = [r for r in deframe(KissFraming(), stream) if r.kind != "delimiter"]
    assert [(r.kind, r.time_ns) for r in records] == [
        ("control", time_ns), ("frame", time_ns), ("frame", None)
    ]  # fmt: skip


def test_a_command_to_a_modem_is_no_data(deframe, payloads):
    stream = encode_kiss(b"\x32", command=1) + encode_kiss(b"data") + b"\xc0\xff\xc0"
    records = deframe(KissFraming(), stream)
    assert payloads(records) == [b"data"]
    assert payloads(records, "control") == [b"\x32", b""]


# --- Damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "stream", "data", "reason"),
    [
        (SlipFraming, b"a\xdbbc\xc0", b"abc", "an escape octet before 0x62"),
        (SlipFraming, b"a\xdb\xc0", b"a", "an escape octet with nothing behind it"),
        (SlipFraming, b"abc", b"abc", "the input ends inside a frame"),
        (KissFraming, b"ab\xc0", b"ab", "no delimiter where the frame begins"),
        (KissFraming, b"\xc0\xdb\xc0", b"", "an escape octet with nothing behind it"),
        (KissFraming, b"\xc0\x09abc\xc0", b"abc", "a time stamp of 3 octets; it has 8"),
        (
            KissFraming,
            b"\xc0\x09\x7f" + bytes(7) + b"\xc0",
            b"\x7f" + bytes(7),
            "a time stamp beyond the year 2262",
        ),
        (KissFraming, b"\xc0\x00abc", b"abc", "the input ends inside a frame"),
        (CobsFraming, b"\x05ab\0", b"ab", "a block of 4 octets, but only 2 follow"),
        (CobsFraming, b"\x03ab", b"ab", "the input ends inside a frame"),
    ],
)
def test_damage_is_named_and_what_can_be_read_is_kept(deframe, kind, stream, data, reason):
    (damaged,) = [r for r in deframe(kind(), stream) if r.kind == "damaged"]
    assert damaged.data == data
    assert damaged.reason.startswith(reason)


@pytest.mark.parametrize("kind", [KissFraming, SlipFraming])
def test_a_lost_delimiter_joins_two_frames_and_loses_neither(deframe, payloads, kind):
    stream = b"\xc0\x00first\xc0\x00second\xc0\x00third\xc0"
    broken = stream[:7] + b"\x55" + stream[8:]
    contents = payloads(deframe(kind(), broken))
    assert any(b"first" in content and b"second" in content for content in contents)
    assert contents[-1].endswith(b"third")


@every_framing
def test_after_any_one_octet_is_changed_at_most_two_frames_differ(deframe, payloads, kind, encode):
    rng = random.Random(1055)
    contents = [rng.randbytes(rng.randrange(1, 30)) for _ in range(12)]
    stream = bytearray(b"".join(map(encode, contents)))
    for place in range(len(stream)):
        broken = bytes(stream[:place]) + bytes((stream[place] ^ 0x5A,)) + bytes(stream[place + 1 :])
        left = list(payloads(deframe(kind(), broken)))
        kept = sum(left.count(content) > 0 for content in contents)
        assert kept >= len(contents) - 2, f"octet {place}"


def test_octets_without_a_delimiter_are_cut_off_at_the_limit(deframe, payloads):
    stream = bytes(1000).replace(b"\0", b"x")
    records = deframe(SlipFraming(100), stream + b"\xc0good\xc0")
    assert payloads(records) == [b"good"]
    *pieces, rest = [r for r in records if r.kind == "damaged"]
    assert [r.length for r in pieces] == [216] * 4  # 100 octets, each one escaped, and 16 more
    assert {r.reason for r in pieces} == {"no delimiter within 100 octets"}
    assert (rest.length, rest.reason) == (137, "no delimiter where the frame begins")


def test_a_stream_without_delimiters_is_not_kept():
    framing = KissFraming(1000)
    for _ in range(100):
        list(framing.push(b"x" * 1000))
    assert len(framing._buffer) <= 2016 + 1000


# --- The ledger -----------------------------------------------------------------------------------


def test_the_ledger_books_each_octet_once(deframe):
    ledger = FrameLedger()
    stream = encode_kiss_time(0) + encode_kiss(b"\xc0\xdb") + b"\xc0\x00a\xdbb\xc0"
    framing = KissFraming()
    for record in [*framing.push(stream), *framing.close()]:
        ledger.add(record)
    ledger.close(len(stream))
    assert dict(ledger.octets) == {
        FrameAccount.DELIMITERS: 3,  # Each frame has one before it, and
        FrameAccount.CONTROL: 1 + 8 + 1,  # type, time stamp, FEND
        FrameAccount.PAYLOAD: 2,
        FrameAccount.OVERHEAD: 1 + 2 + 1,  # type, two FESC, FEND
        FrameAccount.DAMAGED: 5,
    }
    assert not ledger.is_clean
    assert [(r.count, r.octets) for r in ledger.reasons.values()] == [(1, 5)]


def test_the_ledger_refuses_a_hole_and_a_wrong_sum():
    framing = SlipFraming()
    first, second = framing.push(b"ab\xc0cd\xc0")
    with pytest.raises(AssertionError, match="ended at 0"):
        FrameLedger().add(second)
    ledger = FrameLedger()
    ledger.add(first)
    with pytest.raises(AssertionError, match="3 octets of 6"):
        ledger.close(6)
