# SPDX-License-Identifier: Apache-2.0
"""The ledger: every octet of the input stands in it exactly once."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.ops.accounts import (
    CLOCK_EVENTS,
    LEFT_OUT,
    LOST_ACCOUNTS,
    Account,
    ApidRecord,
    ClockEvent,
    Damage,
    Fate,
    OtherRecord,
    Reason,
    Valueless,
    account_of,
)
from telemetry.ops.shares import DumpShare, place_text
from telemetry.wire.batch import VerdictCode
from telemetry.wire.clock import ClockStep
from telemetry.wire.space_packet import PRIMARY_HEADER_OCTETS, PrimaryHeader
from telemetry.wire.spans import CRC_DOES_NOT_HOLD, Kind, Span

if TYPE_CHECKING:
    from telemetry.ops.group_ledger import GroupLedger

Array: TypeAlias = NDArray[Any]


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
    last_end: int = 0  # Of what is booked.
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
        self.book_packet(
            span.offset, span.length, header.apid, header.sequence_count, code, problem
        )
        return not problem

    def see_other(self, apid: int, packets: int, shortest: int, longest: int) -> None:
        """Count packets that were not asked for; lengths are those of whole packets."""
        record = self.others.setdefault(apid, OtherRecord())
        record.packets += packets
        record.min_octets = min(record.min_octets, shortest - PRIMARY_HEADER_OCTETS)
        record.max_octets = max(record.max_octets, longest - PRIMARY_HEADER_OCTETS)

    def book_packet(
        self,
        offset: int,
        length: int,
        apid: int,
        count: int,
        verdict: int,
        problem: str,
        place: int = -1,
    ) -> int:
        """Book a packet that was asked for; return how many are missing before it."""
        record = self.record(apid)
        record.rows += not problem and self.has_rows
        seen_at = offset if place < 0 else place
        missing = record.sequence.add(count, seen_at, is_trusted=verdict != VerdictCode.DAMAGED)
        account = account_of(verdict, problem)
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
        self.book_left_out(span.offset, span.length, header.apid, Fate.OTHER)

    def book_left_out(self, offset: int, length: int, apid: int, fate: int) -> None:
        """Book a packet that gives no row, by its `Fate`."""
        if fate == Fate.OTHER:
            self.see_other(apid, 1, length, length)
        self._book(offset, length, LEFT_OUT[Fate(fate)])

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
        record = self.record(apid)
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
        record = self.record(apid)
        for index in np.flatnonzero(np.isin(steps, CLOCK_EVENTS)).tolist():
            step = ClockStep(int(steps[index]))
            record.clock[step] += 1
            if len(record.clock_events) < self.max_damages:
                record.clock_events.append(ClockEvent(int(offsets[index]), step))

    def record(self, apid: int) -> ApidRecord:
        """Return what came of an APID."""
        return self.apids.setdefault(apid, ApidRecord())

    def check(self, input_octets: int) -> None:
        """Assert that the accounts of dumps that were absorbed hold every octet of them."""
        booked = sum(self.octets.values())
        if booked != input_octets:
            raise AssertionError(f"the ledger holds {booked} octets of {input_octets}")

    def close(self, input_octets: int) -> None:
        """Assert that the accounts hold every octet of the input."""
        booked = sum(self.octets.values())
        if booked != input_octets or self.last_end != input_octets:
            raise AssertionError(f"the ledger holds {booked} octets of {input_octets}")

    @property
    def has_rows(self) -> bool:
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
        if offset != self.last_end:
            raise AssertionError(f"span at {offset}, but the one before ended at {self.last_end}")
        self.last_end = offset + length
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
        self.note_damage(damage)

    def note_damage(self, damage: Damage) -> None:
        """Keep what gave no clean packet, and why, its octets being booked already."""
        self.damage_count += 1
        self._last = damage
        if len(self.damages) < self.max_damages:
            self.damages.append(damage)
        if damage.reason in self.reasons or len(self.reasons) < self.max_damages:
            fresh = Reason(damage.place, account=damage.account)
            known = self.reasons.setdefault(damage.reason, fresh)
            known.count += 1
            known.octets += damage.length


def _header(span: Span) -> PrimaryHeader:
    if span.header is None:
        raise AssertionError("a packet without a header")
    return span.header
