# SPDX-License-Identifier: Apache-2.0
"""The ledger and the sequence counts."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.ops.accounts import Account
from telemetry.ops.ledger import Ledger
from telemetry.ops.sequence import Gap, SequenceTracker
from telemetry.ops.table_booking import PacketTable, book_table
from telemetry.wire.batch import VerdictCode
from telemetry.wire.space_packet import PrimaryHeader
from telemetry.wire.spans import Kind, Span, Verdict


def tracker(*counts):
    sequence = SequenceTracker()
    for offset, count in enumerate(counts):
        sequence.add(count, offset)
    return sequence


def outcome(sequence):
    return (
        sequence.missing, sequence.gap_count, sequence.duplicates,
        sequence.out_of_order, sequence.restarts,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((5, 6, 7), (0, 0, 0, 0, 0)),
        ((16382, 16383, 0, 1), (0, 0, 0, 0, 0)),  # Modulo 16,384.
        ((5, 6, 9), (2, 1, 0, 0, 0)),
        ((16382, 1), (2, 1, 0, 0, 0)),
        ((5, 6, 6, 7), (0, 0, 1, 0, 0)),
        ((5, 6, 7, 5, 8), (0, 0, 1, 0, 0)),
        ((5, 7, 6, 8), (0, 1, 0, 1, 0)),  # The late one fills the gap.
        ((5000, 0, 1), (0, 0, 0, 0, 1)),  # The counter began anew.
        ((0, 8191), (8190, 1, 0, 0, 0)),  # Just less than half of the range.
    ],
)
def test_sequence_counts_are_judged(counts, expected):
    assert outcome(tracker(*counts)) == expected


def test_a_gap_is_told_with_its_place():
    assert tracker(5, 6, 9).gaps == [Gap(offset=2, after_count=6, missing=2)]


def test_a_damaged_packet_counts_as_come_only_if_its_count_fits():
    fits, wrong = SequenceTracker(), SequenceTracker()
    for sequence, doubtful in ((fits, 6), (wrong, 9000)):
        sequence.add(5, 0)
        sequence.add(doubtful, 1, is_trusted=False)
        sequence.add(7, 2)
    assert fits.missing == 0
    assert wrong.missing == 1


def test_kept_gaps_are_capped_and_counted_gaps_are_not():
    sequence = SequenceTracker(max_gaps=3)
    for count in range(0, 40, 2):
        sequence.add(count, count)
    assert len(sequence.gaps) == 3
    assert sequence.gap_count == sequence.missing == 19


HEADER = PrimaryHeader(0, 0, 0, 66, 3, 0, 0)


def test_a_hole_between_spans_stops_the_run():
    ledger = Ledger()
    ledger.add(Span(Kind.FILL, 0, 10))
    with pytest.raises(AssertionError, match=r"span at 11, but the one before ended at 10"):
        ledger.add(Span(Kind.FILL, 11, 5))


def test_a_sum_that_is_not_the_input_stops_the_run():
    ledger = Ledger()
    ledger.add(Span(Kind.FILL, 0, 10))
    with pytest.raises(AssertionError, match=r"the ledger holds 10 octets of 11"):
        ledger.close(11)


def test_each_kind_has_its_account():
    ledger = Ledger()
    ledger.add_packet(Span(Kind.PACKET, 0, 7, HEADER, verdict=Verdict.GOOD))
    ledger.add_packet(Span(Kind.PACKET, 7, 7, HEADER, verdict=Verdict.NONE))
    ledger.add_packet(Span(Kind.PACKET, 14, 7, HEADER, verdict=Verdict.DAMAGED, reason="crc"))
    assert not ledger.add_packet(Span(Kind.PACKET, 21, 7, HEADER), "PACKET.a: no")
    ledger.add(Span(Kind.LOST, 28, 3, HEADER, reason="cut"))
    ledger.add(Span(Kind.OTHER, 31, 9, HEADER._replace(apid=9)))
    ledger.add(Span(Kind.IDLE, 40, 8, HEADER._replace(apid=2047)))
    ledger.add(Span(Kind.FILL, 48, 1))
    ledger.add(Span(Kind.SKIPPED, 49, 1))
    ledger.add(Span(Kind.SKIPPED, 50, 4))
    ledger.close(54)
    assert ledger.octets == {
        Account.GOOD: 7, Account.UNCHECKED: 7, Account.NOT_AS_DEFINED: 7, Account.DAMAGED: 10,
        Account.OTHER: 9, Account.IDLE: 8, Account.FILL: 1, Account.SKIPPED: 5,
    }  # fmt: skip
    assert ledger.rows == 3
    assert [(d.offset, d.length) for d in ledger.damages] == [(14, 7), (21, 7), (28, 3), (49, 5)]


def test_lists_stay_short_however_long_the_damage():
    ledger = Ledger(max_damages=5)
    for index in range(50):
        ledger.add(Span(Kind.SKIPPED, index * 2, 1))
        ledger.add(Span(Kind.LOST, index * 2 + 1, 1, HEADER, reason=f"reason {index}"))
    assert len(ledger.damages) == len(ledger.reasons) == 5
    assert ledger.damage_count == 100


@settings(max_examples=300, deadline=None)
@given(
    runs=st.lists(
        st.tuples(
            st.sampled_from([1, 1, 1, 2, 0, -1, -3, 64, 65, 255, 300, 8191, 8192, 9000, -70]),
            st.integers(1, 200),
            st.sampled_from([1, 1, 1, 2, 3, 256, 257, 0]),
        ),
        min_size=1,
        max_size=8,
    ),
    doubts=st.sets(st.integers(0, 400), max_size=5),
    cut=st.integers(0, 400),
)
def test_many_counts_at_once_are_judged_as_one_by_one(runs, doubts, cut):
    counts, at = [], 16300
    for jump, length, stride in runs:
        at += jump
        counts += [(at + index * stride) % 16384 for index in range(length)]
        at += (length - 1) * stride
    trusted = [index not in doubts for index in range(len(counts))]
    one_by_one, at_once = SequenceTracker(max_gaps=50), SequenceTracker(max_gaps=50)
    missing = [
        one_by_one.add(count, 10 * index, is_trusted=is_trusted)
        for index, (count, is_trusted) in enumerate(zip(counts, trusted, strict=True))
    ]
    found = []
    for part in (slice(0, cut), slice(cut, None)):
        columns = np.array(counts[part]), 10 * np.arange(len(counts))[part], np.array(trusted[part])
        if len(columns[0]):
            found += at_once.add_all(columns[0], columns[1], columns[2]).tolist()
    assert found == missing
    assert at_once == one_by_one


def table_of(spans, problems, asked):
    return PacketTable(
        offsets=np.array([span.offset for span in spans], np.int64),
        lengths=np.array([span.length for span in spans], np.int64),
        apids=np.array([span.header.apid for span in spans], np.uint16),
        counts=np.array([span.header.sequence_count for span in spans], np.uint16),
        verdicts=np.array([VerdictCode[span.verdict.name] for span in spans], np.uint8),
        problems=problems,
        fates=asked and np.array([span.header.apid not in asked for span in spans], np.uint8),
    )


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1 << 32), asked=st.sampled_from([None, {66}, {66, 67}]))
def test_a_table_of_packets_is_booked_as_one_packet_after_the_other(seed, asked):
    rng = random.Random(seed)
    spans, at, counts = [], 0, {66: 16380, 67: 5}
    for _ in range(rng.randrange(1, 12)):
        for _ in range(rng.choice([1, 3, 30, 90])):
            apid, verdict = rng.choice([66, 66, 66, 67]), rng.choice([*Verdict, Verdict.GOOD])
            header = PrimaryHeader(0, 0, 0, apid, 3, counts[apid], length := rng.randrange(90))
            counts[apid] = (counts[apid] + rng.choice([1] * 20 + [0, 3, 300])) % 16384
            reason = "the CRC does not hold" if verdict is Verdict.DAMAGED else ""
            spans.append(Span(Kind.PACKET, at, length + 7, header, verdict=verdict, reason=reason))
            at += length + 7
        for kind in rng.choices([*Kind][1:], k=rng.randrange(3)):
            length = rng.randrange(1, 9)
            spans.append(Span(kind, at, length, HEADER._replace(data_length=length), reason="why"))
            at += length
    packets = [span for span in spans if span.kind is Kind.PACKET]
    problems = {i: f"no {i % 3}" for i in range(len(packets)) if rng.random() < 0.05}
    one_by_one, at_once = Ledger(max_damages=7), Ledger(max_damages=7)
    for span in spans:
        if span.kind is not Kind.PACKET:
            one_by_one.add(span)
        elif asked and span.header.apid not in asked:
            one_by_one.add_other(span)
        else:
            one_by_one.add_packet(span, problems.get(packets.index(span), ""))
    others = tuple(span for span in spans if span.kind is not Kind.PACKET)
    book_table(at_once, table_of(packets, problems, asked), others)
    one_by_one.close(at)
    at_once.close(at)
    assert at_once == one_by_one


def test_a_hole_between_packets_of_a_table_stops_the_run():
    spans = [
        Span(Kind.PACKET, 8 * i, 7, HEADER._replace(sequence_count=i), verdict=Verdict.GOOD)
        for i in range(40)
    ]
    with pytest.raises(AssertionError, match="do not follow"):
        book_table(Ledger(), table_of(spans, {}, None), ())
