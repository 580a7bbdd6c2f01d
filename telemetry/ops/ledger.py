# SPDX-License-Identifier: Apache-2.0
"""The ledger: every octet of the input stands in it exactly once."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.columns.flatten import VERDICT_COLUMN
from telemetry.ops.cells import OCTETS_COLUMN
from telemetry.ops.sequence import SequenceTracker
from telemetry.ops.shares import DumpShare, place_text
from telemetry.wire.batch import VerdictCode
from telemetry.wire.clock import ClockStep
from telemetry.wire.space_packet import PRIMARY_HEADER_OCTETS, PrimaryHeader
from telemetry.wire.spans import CRC_DOES_NOT_HOLD, Kind, Span

if TYPE_CHECKING:
    from telemetry.ops.group_ledger import GroupLedger
    from telemetry.ops.table import Table

Array: TypeAlias = NDArray[Any]

_FEW_PACKETS = 24  # So few are done sooner one by one.
_GOOD, _DAMAGED = int(VerdictCode.GOOD), int(VerdictCode.DAMAGED)


CLOCK_EVENTS = (ClockStep.ROLLOVER, ClockStep.REBOOT, ClockStep.SET_BACK)


class Account(StrEnum):
    """Where octets are booked."""

    GOOD = "good"  # Packets whose CRC holds.
    UNCHECKED = "unchecked"  # Packets without a CRC.
    NOT_AS_DEFINED = "not_as_defined"  # Packets that the definition cannot read; no CRC objects.
    DAMAGED = "damaged"  # Packets whose CRC does not hold, or that are not whole.
    OTHER = "other"  # Whole packets that were not asked for.
    OVERLAP = "overlap"  # Packets that an earlier dump holds, too.
    IDLE = "idle"  # Idle packets.
    FILL = "fill"  # Zeros between packets.
    SKIPPED = "skipped"  # No packet.


class Fate(IntEnum):
    """What becomes of a packet of the stream."""

    ASKED = 0
    OTHER = 1  # It was not asked for.
    OVERLAP = 2  # An earlier dump holds it, too.
    IDLE = 3
    OF_OTHER_TIME = 4  # It was made, or came, at a time that was not asked for.


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """A rollover, a reboot, or a correction of the on-board clock."""

    offset: int  # Of the first packet behind it, or of its frame.
    step: ClockStep


@dataclass(slots=True)
class ApidRecord:
    """What came of one APID."""

    rows: int = 0
    good: int = 0
    unchecked: int = 0
    damaged: int = 0  # With and without a row.
    not_as_defined: int = 0
    of_other_time: int = 0  # Left out by --since and --until.
    sequence: SequenceTracker = field(default_factory=SequenceTracker)
    clock: Counter[ClockStep] = field(default_factory=Counter)
    clock_events: list[ClockEvent] = field(default_factory=list)

    @property
    def packets(self) -> int:
        """Packets that came, of whatever time."""
        read = self.good + self.unchecked + self.damaged + self.not_as_defined
        return read + self.of_other_time


@dataclass(slots=True)
class OtherRecord:
    """Packets of one APID that were not asked for."""

    packets: int = 0
    min_octets: int = 1 << 16  # Of the packet data field.
    max_octets: int = 0


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


@dataclass(slots=True)
class Damage:
    """A stretch of the input that gave no clean packet."""

    offset: int  # In the input; where there are frames, in what these carry.
    length: int
    account: Account
    reason: str
    place: int = -1  # In the dump: `offset`, or that of the frame.

    def __post_init__(self) -> None:
        if self.place < 0:
            self.place = self.offset


@dataclass(slots=True)
class Reason:
    """How often one reason for damage came up, and how many octets it cost."""

    first_offset: int
    count: int = 0
    octets: int = 0
    account: Account = Account.DAMAGED


@dataclass(slots=True)
class Valueless:
    """A field that had no value in some packets, which gave rows all the same."""

    first_offset: int
    reason: str  # The first.
    packets: int = 0


@dataclass(slots=True)
class Ledger:
    """Octets and packets by account, and what is worth telling of each APID.

    Lists are capped so that memory stays bounded however damaged the input is; counts are not.
    """

    octets: Counter[Account] = field(default_factory=Counter)
    packets: Counter[Account] = field(default_factory=Counter)
    apids: dict[int, ApidRecord] = field(default_factory=dict)
    others: dict[int, OtherRecord] = field(default_factory=dict)
    damages: list[Damage] = field(default_factory=list)
    damage_count: int = 0
    reasons: dict[str, Reason] = field(default_factory=dict)
    valueless: dict[str, Valueless] = field(default_factory=dict)  # By the path of the field.
    valueless_count: int = 0  # Values that are not there, of all fields.
    groups: "GroupLedger | None" = None  # The floor above, where segments are put together.
    notes: list[str] = field(default_factory=list)  # What a reader of the values should know.
    dumps: list[DumpShare] = field(
        default_factory=list
    )  # Where there are several: in order, each when it has ended.
    max_damages: int = 1000
    _last_end: int = 0
    _last: Damage | None = None

    def end_dump(
        self, name: str, start: int, part: "Counter[Account]", rows: int, frame_octets_lost: int
    ) -> None:
        """Take note of the end of a dump, which begins at `start` of the input.

        `part` is what was booked of it; `frame_octets_lost` are those in damaged frames or none, -1
        where there is no framing.
        """
        lost = Counter(
            {account.value.replace("_", " "): part[account] for account in LOST_ACCOUNTS}
        )
        lost["in no whole frame"] = max(frame_octets_lost, 0)
        share = DumpShare(name, start, part.total(), rows, lost, frame_octets_lost >= 0)
        self.dumps = sorted((*self.dumps, share), key=lambda share: share.start)

    def where(self, place: int) -> str:
        """Return where an octet of the input is, with the name of the dump if there are several."""
        return place_text(place, self.dumps)

    def add_packet(self, span: Span, problem: str = "") -> bool:
        """Book a packet of the stream; `problem` is why its fields could not be read.

        Return whether the packet has a row.
        """
        header = _header(span)
        code = int(VerdictCode[span.verdict.name])
        self._book_packet(
            span.offset, span.length, header.apid, header.sequence_count, code, problem
        )
        return not problem

    def add_table(
        self,
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
            self._book_range(table, at, end, missing)
            self.add(span, place)
            at = end
        self._book_range(table, at, len(table), missing)
        return missing

    def _book_range(self, table: PacketTable, at: int, end: int, missing: Array) -> None:
        if end - at >= _FEW_PACKETS:
            self._book_many(table, slice(at, end), missing)
            return
        for index in range(at, end):
            place = int(table.offsets[index]), int(table.lengths[index]), int(table.apids[index])
            if table.fates is not None and table.fates[index]:
                self._book_left_out(*place, int(table.fates[index]))
                if table.fates[index] == Fate.OF_OTHER_TIME:
                    self._pass_over(table, int(table.apids[index]), np.array([index]))
                continue
            count, verdict = int(table.counts[index]), int(table.verdicts[index])
            problem = table.problems.get(index, "")
            frame = -1 if table.places is None else int(table.places[index])
            missing[index] = self._book_packet(*place, count, verdict, problem, frame)

    def _book_many(self, table: PacketTable, part: slice, missing: Array) -> None:
        offsets, lengths = table.offsets[part], table.lengths[part]
        ends = offsets + lengths
        if offsets[0] != self._last_end or not (offsets[1:] == ends[:-1]).all():
            raise AssertionError(
                f"packets at {offsets[0]} do not follow what ended at {self._last_end}"
            )
        self._last_end = int(ends[-1])
        apids, verdicts = table.apids[part], table.verdicts[part]
        first = int(apids[0])
        is_one = bool((apids == first).all())
        is_plain = is_one and table.fates is None and not table.problems
        if is_plain and verdicts[0] != _DAMAGED and (verdicts == verdicts[0]).all():
            missing[part] = self._count_equals(table, first, part, self._last_end - int(offsets[0]))
            return
        for apid in [first] if is_one else np.unique(apids).tolist():
            of_apid = np.flatnonzero(apids == apid) + part.start
            if table.fates is not None:
                fates = table.fates[of_apid]
                for fate in _LEFT_OUT:
                    self._count_left_out(apid, table.lengths[of_apid[fates == fate]], fate)
                of_apid = of_apid[(fates == Fate.ASKED) | (fates == Fate.OF_OTHER_TIME)]
            for is_asked, packets in _runs(table, of_apid):
                if is_asked:
                    missing[packets] = self._count_packets(table, apid, packets)
                else:
                    self._pass_over(table, apid, packets)
        problems = np.array([i for i in table.problems if part.start <= i < part.stop], np.int64)
        is_told = verdicts == _DAMAGED
        is_told[problems - part.start] = True
        if table.fates is not None:
            is_told &= table.fates[part] == Fate.ASKED
        for index in (np.flatnonzero(is_told) + part.start).tolist():
            problem = table.problems.get(index, "")
            account = _account(int(table.verdicts[index]), problem)
            offset, length = int(table.offsets[index]), int(table.lengths[index])
            place = -1 if table.places is None else int(table.places[index])
            reason = problem or CRC_DOES_NOT_HOLD
            self._note_damage(Damage(offset, length, account, reason, place))

    def _pass_over(self, table: PacketTable, apid: int, packets: Array) -> None:
        """Let the sequence count go on over packets of a time that was not asked for."""
        record = self.apids.setdefault(apid, ApidRecord())
        record.of_other_time += len(packets)
        is_trusted = table.verdicts[packets] != _DAMAGED
        record.sequence.pass_over(table.counts[packets[is_trusted]])

    def _count_equals(self, table: PacketTable, apid: int, part: slice, octets: int) -> Array:
        """Count packets of one APID with the same verdict; return what is missing before each."""
        record = self.apids.setdefault(apid, ApidRecord())
        counts, offsets = table.counts[part], table.seen_at[part]
        is_good = int(table.verdicts[part.start]) == _GOOD
        account = Account.GOOD if is_good else Account.UNCHECKED
        self.octets[account] += octets
        self.packets[account] += len(counts)
        record.rows += len(counts) * self._has_rows
        record.good += len(counts) * is_good
        record.unchecked += len(counts) * (not is_good)
        return record.sequence.add_all(counts, offsets, np.ones(len(counts), np.bool_))

    def _count_packets(self, table: PacketTable, apid: int, packets: Array) -> Array:
        """Count packets of one APID that were asked for; return what is missing before each."""
        record = self.apids.setdefault(apid, ApidRecord())
        verdicts, lengths = table.verdicts[packets], table.lengths[packets]
        has_problem = (
            np.isin(packets, list(table.problems)) if table.problems else verdicts > _DAMAGED
        )
        is_damaged = verdicts == _DAMAGED
        is_clean, is_good = ~is_damaged & ~has_problem, verdicts == _GOOD
        for account, chosen in (
            (Account.DAMAGED, is_damaged),
            (Account.NOT_AS_DEFINED, has_problem & ~is_damaged),
            (Account.GOOD, is_clean & is_good),
            (Account.UNCHECKED, is_clean & ~is_good),
        ):
            if count := int(np.count_nonzero(chosen)):
                self.octets[account] += int(lengths[chosen].sum())
                self.packets[account] += count
                setattr(record, account.value, getattr(record, account.value) + count)
        record.rows += self._has_rows * (len(packets) - int(np.count_nonzero(has_problem)))
        return record.sequence.add_all(
            table.counts[packets], table.seen_at[packets], verdicts != _DAMAGED
        )

    def _count_left_out(self, apid: int, lengths: Array, fate: Fate) -> None:
        if not len(lengths):
            return
        if fate == Fate.OTHER:
            self._see_other(apid, len(lengths), int(lengths.min()), int(lengths.max()))
        account = _LEFT_OUT[fate]
        self.octets[account] += int(lengths.sum())
        self.packets[account] += len(lengths)

    def _see_other(self, apid: int, packets: int, shortest: int, longest: int) -> None:
        record = self.others.setdefault(apid, OtherRecord())
        record.packets += packets
        record.min_octets = min(record.min_octets, shortest - PRIMARY_HEADER_OCTETS)
        record.max_octets = max(record.max_octets, longest - PRIMARY_HEADER_OCTETS)

    def _book_packet(
        self,
        offset: int,
        length: int,
        apid: int,
        count: int,
        verdict: int,
        problem: str,
        place: int = -1,
    ) -> int:
        record = self.apids.setdefault(apid, ApidRecord())
        record.rows += not problem and self._has_rows
        seen_at = offset if place < 0 else place
        missing = record.sequence.add(count, seen_at, is_trusted=verdict != _DAMAGED)
        account = _account(verdict, problem)
        setattr(record, account.value, getattr(record, account.value) + 1)
        if account in (Account.DAMAGED, Account.NOT_AS_DEFINED):
            reason = problem or CRC_DOES_NOT_HOLD
            self._book_damage(Damage(offset, length, account, reason, place))
        else:
            self._book(offset, length, account)
        return missing

    def add_other(self, span: Span) -> None:
        """Book a whole packet that was not asked for."""
        header = _header(span)
        self._book_left_out(span.offset, span.length, header.apid, Fate.OTHER)

    def _book_left_out(self, offset: int, length: int, apid: int, fate: int) -> None:
        if fate == Fate.OTHER:
            self._see_other(apid, 1, length, length)
        self._book(offset, length, _LEFT_OUT[Fate(fate)])

    def add(self, span: Span, place: int = -1) -> None:
        """Book a span that is no packet with values; `place` is that of its frame."""
        if span.kind is Kind.IDLE:
            self._book(span.offset, span.length, Account.IDLE)
        elif span.kind is Kind.FILL:
            self._book(span.offset, span.length, Account.FILL)
        elif span.kind is Kind.OTHER:
            self.add_other(span)
        elif span.kind is Kind.LOST:
            header = _header(span) if span.header else None
            if header is not None and header.apid in self.apids:
                self.apids[header.apid].damaged += 1
            self._book_damage(Damage(span.offset, span.length, Account.DAMAGED, span.reason, place))
        else:
            self._book_damage(
                Damage(span.offset, span.length, Account.SKIPPED, "no packet here", place)
            )

    def add_rows(self, apid: int, rows: int, of_other_time: int) -> None:
        """Count what groups gave, packets being booked already."""
        record = self.apids.setdefault(apid, ApidRecord())
        record.rows += rows
        record.of_other_time += of_other_time

    def note_valueless(self, path: str, reason: str, place: int, packets: int = 1) -> None:
        """Take note of a field that has no value in packets, the first of them at `place`."""
        self.valueless_count += packets
        if path in self.valueless or len(self.valueless) < self.max_damages:
            known = self.valueless.setdefault(path, Valueless(place, reason))
            known.packets += packets

    def note(self, text: str) -> None:
        """Keep what is to be told, once."""
        if text not in self.notes:
            self.notes.append(text)

    def note_clock(self, apid: int, steps: Array, offsets: Array) -> None:
        """Take note of what a clock did before packets; `steps` are `ClockStep`."""
        record = self.apids.setdefault(apid, ApidRecord())
        for index in np.flatnonzero(np.isin(steps, CLOCK_EVENTS)).tolist():
            step = ClockStep(int(steps[index]))
            record.clock[step] += 1
            if len(record.clock_events) < self.max_damages:
                record.clock_events.append(ClockEvent(int(offsets[index]), step))

    def record(self, apid: int) -> ApidRecord:
        """Return what came of an APID."""
        return self.apids.setdefault(apid, ApidRecord())

    def absorb(self, part: "Ledger", base: int, *, is_framed: bool) -> None:
        """Take over the ledger of a dump, but for its sequences and clocks.

        `base` is where the dump begins in the input; places of frames are those in their dump.
        """
        self.octets.update(part.octets)
        self.packets.update(part.packets)
        for apid, found in part.apids.items():
            record = self.record(apid)
            for name in ("rows", "good", "unchecked", "damaged", "not_as_defined", "of_other_time"):
                setattr(record, name, getattr(record, name) + getattr(found, name))
        for apid, other in part.others.items():
            known = self.others.setdefault(apid, OtherRecord())
            known.packets += other.packets
            known.min_octets = min(known.min_octets, other.min_octets)
            known.max_octets = max(known.max_octets, other.max_octets)
        shift = 0 if is_framed else base
        room = self.max_damages - len(self.damages)
        self.damages += [
            replace(damage, offset=damage.offset + base, place=damage.place + shift)
            for damage in part.damages[:room]
        ]
        self.damage_count += part.damage_count
        for text, reason in part.reasons.items():
            if text in self.reasons or len(self.reasons) < self.max_damages:
                fresh = Reason(reason.first_offset + shift, account=reason.account)
                total = self.reasons.setdefault(text, fresh)
                total.count += reason.count
                total.octets += reason.octets
        for path, lost in part.valueless.items():
            self.note_valueless(path, lost.reason, lost.first_offset + shift, lost.packets)
        for note in part.notes:
            self.note(note)

    def move_overlaps(self, table: "Table") -> None:
        """Book packets, which gave rows until now, as what another dump holds, too."""
        record = self.record(table.apid)
        verdicts = table.columns[VERDICT_COLUMN].raw
        octets = table.columns[OCTETS_COLUMN].raw
        for account, chosen in (
            (Account.GOOD, verdicts == _GOOD),
            (Account.UNCHECKED, verdicts != _GOOD),
        ):
            moved, number = int(octets[chosen].sum()), int(chosen.sum())
            self.octets.update({account: -moved, Account.OVERLAP: moved})
            self.packets.update({account: -number, Account.OVERLAP: number})
            setattr(record, account.value, getattr(record, account.value) - number)
        record.rows -= len(table)

    def check(self, input_octets: int) -> None:
        """Assert that the accounts of dumps that were absorbed hold every octet of them."""
        booked = sum(self.octets.values())
        if booked != input_octets:
            raise AssertionError(f"the ledger holds {booked} octets of {input_octets}")

    def close(self, input_octets: int) -> None:
        """Assert that the accounts hold every octet of the input."""
        booked = sum(self.octets.values())
        if booked != input_octets or self._last_end != input_octets:
            raise AssertionError(f"the ledger holds {booked} octets of {input_octets}")

    @property
    def _has_rows(self) -> bool:
        """Whether packets give rows by themselves, and not by their groups."""
        return self.groups is None

    @property
    def rows(self) -> int:
        """Packets that gave a row, damaged or not."""
        return sum(record.rows for record in self.apids.values())

    @property
    def missing(self) -> int:
        """Packets that sequence counts say are missing."""
        return sum(record.sequence.missing for record in self.apids.values())

    @property
    def is_clean(self) -> bool:
        """Whether nothing was damaged, skipped, missing, or other than the definition says."""
        is_whole = self.groups is None or self.groups.is_clean
        is_lost = self.missing or any(self.octets[account] for account in LOST_ACCOUNTS)
        return is_whole and not is_lost

    def _book(self, offset: int, length: int, account: Account) -> None:
        if offset != self._last_end:
            raise AssertionError(f"span at {offset}, but the one before ended at {self._last_end}")
        self._last_end = offset + length
        self.octets[account] += length
        self.packets[account] += account not in (Account.FILL, Account.SKIPPED)

    def _book_damage(self, damage: Damage) -> None:
        self._book(damage.offset, damage.length, damage.account)
        last = self._last
        goes_on = last is not None and last.offset + last.length == damage.offset
        if goes_on and last is not None and last.account is damage.account is Account.SKIPPED:
            last.length += damage.length
            if damage.reason in self.reasons:
                self.reasons[damage.reason].octets += damage.length
            return
        self._note_damage(damage)

    def _note_damage(self, damage: Damage) -> None:
        self.damage_count += 1
        self._last = damage
        if len(self.damages) < self.max_damages:
            self.damages.append(damage)
        if damage.reason in self.reasons or len(self.reasons) < self.max_damages:
            fresh = Reason(damage.place, account=damage.account)
            known = self.reasons.setdefault(damage.reason, fresh)
            known.count += 1
            known.octets += damage.length


LOST_ACCOUNTS = (Account.NOT_AS_DEFINED, Account.DAMAGED, Account.SKIPPED)


def _account(verdict: int, problem: str) -> Account:
    """Return where a packet that was asked for is booked; `problem` is why it cannot be read."""
    if verdict == _DAMAGED:
        return Account.DAMAGED
    if problem:
        return Account.NOT_AS_DEFINED
    return Account.GOOD if verdict == _GOOD else Account.UNCHECKED


_LEFT_OUT = {
    Fate.OTHER: Account.OTHER,
    Fate.OVERLAP: Account.OVERLAP,
    Fate.IDLE: Account.IDLE,
    Fate.OF_OTHER_TIME: Account.OTHER,
}


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


def _header(span: Span) -> PrimaryHeader:
    if span.header is None:
        raise AssertionError("a packet without a header")
    return span.header
