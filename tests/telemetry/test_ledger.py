# SPDX-License-Identifier: Apache-2.0
"""The ledger and the sequence counts."""

import pytest

from telemetry.ops.ledger import Account, Ledger
from telemetry.ops.sequence import Gap, SequenceTracker
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
        Account.GOOD: 7, Account.UNCHECKED: 7, Account.DAMAGED: 17, Account.OTHER: 9,
        Account.IDLE: 8, Account.FILL: 1, Account.SKIPPED: 5,
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
