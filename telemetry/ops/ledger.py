# SPDX-License-Identifier: Apache-2.0
"""The ledger: every octet of the input stands in it exactly once."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from telemetry.ops.sequence import SequenceTracker
from telemetry.wire.space_packet import PrimaryHeader
from telemetry.wire.spans import Kind, Span, Verdict


class Account(StrEnum):
    """Where octets are booked."""

    GOOD = "good"  # Packets whose CRC holds.
    UNCHECKED = "unchecked"  # Packets without a CRC.
    DAMAGED = "damaged"  # Packets whose CRC does not hold, or that cannot be read.
    OTHER = "other"  # Whole packets that were not asked for.
    IDLE = "idle"  # Idle packets.
    FILL = "fill"  # Zeros between packets.
    SKIPPED = "skipped"  # No packet.


@dataclass(slots=True)
class ApidRecord:
    """What came of one APID."""

    rows: int = 0
    good: int = 0
    unchecked: int = 0
    damaged: int = 0  # With and without a row.
    sequence: SequenceTracker = field(default_factory=SequenceTracker)


@dataclass(slots=True)
class OtherRecord:
    """Packets of one APID that were not asked for."""

    packets: int = 0
    min_octets: int = 1 << 16  # Of the packet data field.
    max_octets: int = 0


@dataclass(slots=True)
class Damage:
    """A stretch of the input that gave no clean packet."""

    offset: int
    length: int
    account: Account
    reason: str


@dataclass(slots=True)
class Reason:
    """How often one reason for damage came up, and how many octets it cost."""

    first_offset: int
    count: int = 0
    octets: int = 0


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
    max_damages: int = 1000
    _last_end: int = 0
    _last: Damage | None = None

    def add_packet(self, span: Span, problem: str = "") -> bool:
        """Book a packet of the stream; `problem` is why its fields could not be read.

        Return whether the packet has a row.
        """
        header = _header(span)
        record = self.apids.setdefault(header.apid, ApidRecord())
        is_damaged = bool(problem) or span.verdict is Verdict.DAMAGED
        record.sequence.add(
            header.sequence_count, span.offset, is_trusted=span.verdict is not Verdict.DAMAGED
        )
        if is_damaged:
            record.damaged += 1
            self._book_damage(span, Account.DAMAGED, problem or span.reason)
        elif span.verdict is Verdict.GOOD:
            record.good += 1
            self._book(span, Account.GOOD)
        else:
            record.unchecked += 1
            self._book(span, Account.UNCHECKED)
        record.rows += not problem
        return not problem

    def add_other(self, span: Span) -> None:
        """Book a whole packet that was not asked for."""
        header = _header(span)
        record = self.others.setdefault(header.apid, OtherRecord())
        record.packets += 1
        record.min_octets = min(record.min_octets, header.data_octets)
        record.max_octets = max(record.max_octets, header.data_octets)
        self._book(span, Account.OTHER)

    def add(self, span: Span) -> None:
        """Book a span that is no packet with values."""
        if span.kind is Kind.IDLE:
            self._book(span, Account.IDLE)
        elif span.kind is Kind.FILL:
            self._book(span, Account.FILL)
        elif span.kind is Kind.OTHER:
            self.add_other(span)
        elif span.kind is Kind.LOST:
            header = _header(span) if span.header else None
            if header is not None and header.apid in self.apids:
                self.apids[header.apid].damaged += 1
            self._book_damage(span, Account.DAMAGED, span.reason)
        else:
            self._book_damage(span, Account.SKIPPED, "no packet here")

    def close(self, input_octets: int) -> None:
        """Assert that the accounts hold every octet of the input."""
        booked = sum(self.octets.values())
        if booked != input_octets or self._last_end != input_octets:
            raise AssertionError(f"the ledger holds {booked} octets of {input_octets}")

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
        """Whether nothing was damaged, skipped or missing."""
        return not (self.octets[Account.DAMAGED] or self.octets[Account.SKIPPED] or self.missing)

    def _book(self, span: Span, account: Account) -> None:
        if span.offset != self._last_end:
            raise AssertionError(
                f"span at {span.offset}, but the one before ended at {self._last_end}"
            )
        self._last_end = span.offset + span.length
        self.octets[account] += span.length
        self.packets[account] += account not in (Account.FILL, Account.SKIPPED)

    def _book_damage(self, span: Span, account: Account, reason: str) -> None:
        last = self._last
        goes_on = last is not None and last.offset + last.length == span.offset
        self._book(span, account)
        if goes_on and last is not None and last.account is account is Account.SKIPPED:
            last.length += span.length
            if reason in self.reasons:
                self.reasons[reason].octets += span.length
            return
        self.damage_count += 1
        self._last = Damage(span.offset, span.length, account, reason)
        if len(self.damages) < self.max_damages:
            self.damages.append(self._last)
        if reason in self.reasons or len(self.reasons) < self.max_damages:
            known = self.reasons.setdefault(reason, Reason(span.offset))
            known.count += 1
            known.octets += span.length


def _header(span: Span) -> PrimaryHeader:
    if span.header is None:
        raise AssertionError("a packet without a header")
    return span.header
