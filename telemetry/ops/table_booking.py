# SPDX-License-Identifier: Apache-2.0
"""Many packets booked in a ledger at once, as arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.ops.accounts import LEFT_OUT, Account, Damage, Fate, account_of
from telemetry.ops.ledger import Ledger
from telemetry.wire.batch import VerdictCode
from telemetry.wire.spans import CRC_DOES_NOT_HOLD, Span

Array: TypeAlias = NDArray[Any]

_FEW_PACKETS = 24  # So few are done sooner one by one.
_GOOD, _DAMAGED = int(VerdictCode.GOOD), int(VerdictCode.DAMAGED)


@dataclass(frozen=True, slots=True)
class PacketTable:
    """Packets of the stream as arrays, for booking many at once."""

    offsets: Array  # In the input.
    lengths: Array  # Octets of whole packets.
    apids: Array
    counts: Array  # Sequence counts.
    verdicts: Array  # `VerdictCode`
    problems: Mapping[int, str]  # By index: why the fields could not be read.
    places: Array | None = None  # Of their frames in the dump, where they came in frames.
    fates: Array | None = None  # `Fate` of each; None: all are asked for.

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def seen_at(self) -> Array:
        """Where each is in the dump, or its frame."""
        return self.offsets if self.places is None else self.places


def book_table(
    ledger: Ledger,
    table: PacketTable,
    others: tuple[Span, ...],
    other_places: tuple[int, ...] | None = None,
) -> Array:
    """Book packets and what lies between them; return how many are missing before each.

    `other_places` are those of the frames that `others` begin in, where there are frames.
    """
    missing = np.zeros(len(table), np.int64)
    ends = np.searchsorted(table.offsets, [span.offset for span in others]).tolist()
    at = 0
    places = other_places or [-1] * len(others)
    for span, end, place in zip(others, ends, places, strict=True):
        _book_range(ledger, table, at, end, missing)
        ledger.add(span, place)
        at = end
    _book_range(ledger, table, at, len(table), missing)
    return missing


def _book_range(ledger: Ledger, table: PacketTable, at: int, end: int, missing: Array) -> None:
    if end - at >= _FEW_PACKETS:
        _book_many(ledger, table, slice(at, end), missing)
        return
    for index in range(at, end):
        place = int(table.offsets[index]), int(table.lengths[index]), int(table.apids[index])
        if table.fates is not None and table.fates[index]:
            ledger.book_left_out(*place, int(table.fates[index]))
            if table.fates[index] == Fate.OF_OTHER_TIME:
                _pass_over(ledger, table, int(table.apids[index]), np.array([index]))
            continue
        count, verdict = int(table.counts[index]), int(table.verdicts[index])
        problem = table.problems.get(index, "")
        frame = -1 if table.places is None else int(table.places[index])
        missing[index] = ledger.book_packet(*place, count, verdict, problem, frame)


def _book_many(ledger: Ledger, table: PacketTable, part: slice, missing: Array) -> None:
    offsets, lengths = table.offsets[part], table.lengths[part]
    ends = offsets + lengths
    if offsets[0] != ledger.last_end or not (offsets[1:] == ends[:-1]).all():
        raise AssertionError(
            f"packets at {offsets[0]} do not follow what ended at {ledger.last_end}"
        )
    ledger.last_end = int(ends[-1])
    apids, verdicts = table.apids[part], table.verdicts[part]
    first = int(apids[0])
    is_one = bool((apids == first).all())
    is_plain = is_one and table.fates is None and not table.problems
    if is_plain and verdicts[0] != _DAMAGED and (verdicts == verdicts[0]).all():
        missing[part] = _count_equals(ledger, table, first, part, ledger.last_end - int(offsets[0]))
        return
    for apid in [first] if is_one else np.unique(apids).tolist():
        of_apid = np.flatnonzero(apids == apid) + part.start
        if table.fates is not None:
            fates = table.fates[of_apid]
            for fate in LEFT_OUT:
                _count_left_out(ledger, apid, table.lengths[of_apid[fates == fate]], fate)
            of_apid = of_apid[(fates == Fate.ASKED) | (fates == Fate.OF_OTHER_TIME)]
        for is_asked, packets in _runs(table, of_apid):
            if is_asked:
                missing[packets] = _count_packets(ledger, table, apid, packets)
            else:
                _pass_over(ledger, table, apid, packets)
    problems = np.array([i for i in table.problems if part.start <= i < part.stop], np.int64)
    is_told = verdicts == _DAMAGED
    is_told[problems - part.start] = True
    if table.fates is not None:
        is_told &= table.fates[part] == Fate.ASKED
    for index in (np.flatnonzero(is_told) + part.start).tolist():
        problem = table.problems.get(index, "")
        account = account_of(int(table.verdicts[index]), problem)
        offset, length = int(table.offsets[index]), int(table.lengths[index])
        place = -1 if table.places is None else int(table.places[index])
        reason = problem or CRC_DOES_NOT_HOLD
        ledger.note_damage(Damage(offset, length, account, reason, place))


def _pass_over(ledger: Ledger, table: PacketTable, apid: int, packets: Array) -> None:
    """Let the sequence count go on over packets of a time that was not asked for."""
    record = ledger.record(apid)
    record.of_other_time += len(packets)
    is_trusted = table.verdicts[packets] != _DAMAGED
    record.sequence.pass_over(table.counts[packets[is_trusted]])


def _count_equals(ledger: Ledger, table: PacketTable, apid: int, part: slice, octets: int) -> Array:
    """Count packets of one APID with the same verdict; return what is missing before each."""
    record = ledger.record(apid)
    counts, offsets = table.counts[part], table.seen_at[part]
    is_good = int(table.verdicts[part.start]) == _GOOD
    account = Account.GOOD if is_good else Account.UNCHECKED
    ledger.octets[account] += octets
    ledger.packets[account] += len(counts)
    record.rows += len(counts) * ledger.has_rows
    record.good += len(counts) * is_good
    record.unchecked += len(counts) * (not is_good)
    return record.sequence.add_all(counts, offsets, np.ones(len(counts), np.bool_))


def _count_packets(ledger: Ledger, table: PacketTable, apid: int, packets: Array) -> Array:
    """Count packets of one APID that were asked for; return what is missing before each."""
    record = ledger.record(apid)
    verdicts, lengths = table.verdicts[packets], table.lengths[packets]
    has_problem = np.isin(packets, list(table.problems)) if table.problems else verdicts > _DAMAGED
    is_damaged = verdicts == _DAMAGED
    is_clean, is_good = ~is_damaged & ~has_problem, verdicts == _GOOD
    for account, chosen in (
        (Account.DAMAGED, is_damaged),
        (Account.NOT_AS_DEFINED, has_problem & ~is_damaged),
        (Account.GOOD, is_clean & is_good),
        (Account.UNCHECKED, is_clean & ~is_good),
    ):
        if count := int(np.count_nonzero(chosen)):
            ledger.octets[account] += int(lengths[chosen].sum())
            ledger.packets[account] += count
            setattr(record, account.value, getattr(record, account.value) + count)
    record.rows += ledger.has_rows * (len(packets) - int(np.count_nonzero(has_problem)))
    return record.sequence.add_all(
        table.counts[packets], table.seen_at[packets], verdicts != _DAMAGED
    )


def _count_left_out(ledger: Ledger, apid: int, lengths: Array, fate: Fate) -> None:
    if not len(lengths):
        return
    if fate == Fate.OTHER:
        ledger.see_other(apid, len(lengths), int(lengths.min()), int(lengths.max()))
    account = LEFT_OUT[fate]
    ledger.octets[account] += int(lengths.sum())
    ledger.packets[account] += len(lengths)


def _runs(table: PacketTable, packets: Array) -> Iterator[tuple[bool, Array]]:
    """Yield packets that follow each other, those asked for apart from those of another time."""
    if table.fates is None or not len(packets):
        if len(packets):
            yield True, packets
        return
    is_asked = table.fates[packets] == Fate.ASKED
    ends = np.flatnonzero(is_asked[1:] != is_asked[:-1]) + 1
    for part in np.split(packets, ends):
        yield bool(table.fates[part[0]] == Fate.ASKED), part
