# SPDX-License-Identifier: Apache-2.0
"""Where octets and packets are booked, and what is kept of each APID and each damage."""

from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from telemetry.ops.sequence import SequenceTracker
from telemetry.wire.batch import VerdictCode
from telemetry.wire.clock import ClockStep

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


LOST_ACCOUNTS = (Account.NOT_AS_DEFINED, Account.DAMAGED, Account.SKIPPED)


class Fate(IntEnum):
    """What becomes of a packet of the stream."""

    ASKED = 0
    OTHER = 1  # It was not asked for.
    OVERLAP = 2  # An earlier dump holds it, too.
    IDLE = 3
    OF_OTHER_TIME = 4  # It was made, or came, at a time that was not asked for.


LEFT_OUT = {
    Fate.OTHER: Account.OTHER,
    Fate.OVERLAP: Account.OVERLAP,
    Fate.IDLE: Account.IDLE,
    Fate.OF_OTHER_TIME: Account.OTHER,
}


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


def account_of(verdict: int, problem: str) -> Account:
    """Return where a packet that was asked for is booked; `problem` is why it cannot be read."""
    if verdict == VerdictCode.DAMAGED:
        return Account.DAMAGED
    if problem:
        return Account.NOT_AS_DEFINED
    return Account.GOOD if verdict == VerdictCode.GOOD else Account.UNCHECKED
