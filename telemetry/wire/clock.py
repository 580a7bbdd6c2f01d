# SPDX-License-Identifier: Apache-2.0
"""What an on-board clock went through: rollovers, reboots, corrections, and late packets.

The clock is a counter that comes with each packet of one APID, beside the sequence count. Arrays
are in order of arrival.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.wire.space_packet import SEQUENCE_COUNT_MODULO
from telemetry.wire.time_scales import Flags

Counts: TypeAlias = NDArray[np.int64]
Digests: TypeAlias = NDArray[np.uint64]
Identify: TypeAlias = Callable[[slice], Digests]  # Digests of the octets of some packets.

_FEW = 64  # Packets lost, or overtaken, that still count as going on.
_RETURN = 4  # Packets within which a stream comes back behind one that was late.
_EDGE = 16  # A rollover begins in the last, and ends in the first, sixteenth of the counter.


class ClockStep(IntEnum):
    """What happened between the packet before and this one."""

    NONE = 0  # Time went on, or stood.
    LATE = 1  # This packet was overtaken by others, or comes once more behind them.
    ROLLOVER = 2  # The counter passed its top.
    REBOOT = 3  # Time fell back, and the sequence count does not go on.
    SET_BACK = 4  # Time fell back, but the sequence count goes on: the clock was set.


def classify_clock_steps(
    clock: NDArray[np.integer],
    sequence_counts: NDArray[np.integer],
    *,
    modulus: int,
    is_open: bool = False,
) -> NDArray[np.uint8]:
    """Return a `ClockStep` for each packet; the first one has NONE.

    `clock` holds 0..`modulus` - 1, `modulus` at most 2**62. A packet is late when its time and its
    sequence count (by up to 63) lie before those of the packet before it, and one of the next four
    is beyond that packet again. Any other fall of the clock is a rollover when it leads from the
    last sixteenth of the counter to the first, unless clock and sequence count both begin again
    below 64; else a correction when the sequence count goes on (up to 63 lost); else a reboot.
    With `is_open` more packets are to come: one that looks late at the end counts as late.
    """
    now, counts = clock.astype(np.int64), sequence_counts.astype(np.int64)
    steps = np.zeros(len(now), np.uint8)
    rest = np.arange(len(now))
    for _ in range(_RETURN):
        is_late = _is_late(now[rest], counts[rest], modulus, is_open=is_open)
        if not is_late.any():
            break
        steps[rest[is_late]] = ClockStep.LATE
        rest = rest[~is_late]
    steps[rest[1:]] = _classify_falls(now[rest], counts[rest], modulus)
    return steps


def unwrap_clock(
    clock: NDArray[np.integer], steps: NDArray[np.uint8], *, modulus: int
) -> tuple[Counts, Counts]:
    """Return the clock as if it never rolled over, and the number of reboots before each packet.

    Each boot counts its rollovers anew.
    """
    now = clock.astype(np.int64)
    is_reboot = steps == ClockStep.REBOOT
    rollovers = np.cumsum(steps == ClockStep.ROLLOVER)
    at_boot = np.maximum.accumulate(np.where(is_reboot, rollovers, 0)) if len(now) else rollovers
    unwrapped = now + modulus * (rollovers - at_boot).astype(np.int64)
    is_late = steps == ClockStep.LATE
    before = np.maximum.accumulate(np.where(is_late, 0, np.arange(len(now))))[is_late]
    unwrapped[is_late] = unwrapped[before] + _shortest(now[is_late] - now[before], modulus)
    return unwrapped, np.cumsum(is_reboot).astype(np.int64)


@dataclass(slots=True)
class ClockTracker:
    """Follow the clock of one APID through blocks of packets, in order of arrival."""

    modulus: int
    _last: tuple[int, int] | None = None  # Clock and sequence count of the last that was not late.
    _turns: int = 0  # How often the clock rolled over since the last reboot.
    _is_new: bool = field(default=True)  # No packet of this dump came yet.
    _recent: Digests = field(default_factory=lambda: np.zeros(0, np.uint64))

    @property
    def turns(self) -> int:
        """How often the clock rolled over since the last reboot."""
        return self._turns

    def begin(self) -> None:
        """Declare that another dump begins: where its clock stands says nothing of a reboot."""
        self._is_new = True

    def add(
        self,
        clock: NDArray[np.integer],
        sequence_counts: NDArray[np.integer],
        identify: Identify | None = None,
    ) -> tuple[NDArray[np.uint8], Counts]:
        """Return the `ClockStep` of each packet, and how often the clock had rolled over by then.

        A reboot among the last packets of a block may be seen up to four packets late. With
        `identify`, a packet that is octet for octet one of the 64 before it says nothing of the
        clock.
        """
        if not len(clock):
            return np.zeros(0, np.uint8), np.zeros(0, np.int64)
        now = clock.astype(np.int64, copy=False)
        if self._is_new or self._last is None:
            self._turn_between_dumps(int(now[0]))
            self._last = int(now[0]), int(sequence_counts[0])
            self._is_new = False
        if now[0] >= self._last[0] and (now[1:] >= now[:-1]).all():  # The bulk of all streams.
            self._last = int(now[-1]), int(sequence_counts[-1])
            if identify is not None:
                self._remember(identify(slice(max(len(now) - _FEW, 0), len(now))))
            return np.zeros(len(now), np.uint8), np.broadcast_to(np.int64(self._turns), len(now))
        is_repeat = np.zeros(len(now), np.bool_)
        if identify is not None:
            is_repeat = self._repeats(identify(slice(0, len(now))))
        return self._follow(now, sequence_counts.astype(np.int64), is_repeat)

    def _remember(self, digests: Digests) -> None:
        self._recent = np.concatenate((self._recent, digests))[-_FEW:]

    def _repeats(self, digests: Digests) -> Flags:
        """Tell which packets are one of the 64 before them."""
        seen = np.concatenate((self._recent, digests))
        order = np.argsort(seen, kind="stable")
        is_near = np.diff(order, prepend=-_FEW - 1) <= _FEW
        is_near[1:] &= seen[order[1:]] == seen[order[:-1]]
        is_near[:1] = False
        is_repeat = np.zeros(len(seen), np.bool_)
        is_repeat[order] = is_near
        before = len(self._recent)
        self._remember(digests)
        return is_repeat[before:]

    def _turn_between_dumps(self, first: int) -> None:
        """Take the clock for rolled over between dumps, or back before, where it stands so."""
        if self._last is None:
            return
        edge = self.modulus // _EDGE
        if self._last[0] >= self.modulus - edge and first < edge:
            self._turns += 1
        elif self._last[0] < edge and first >= self.modulus - edge:
            self._turns = max(self._turns - 1, 0)

    def _follow(
        self, now: Counts, counts: Counts, is_repeat: Flags
    ) -> tuple[NDArray[np.uint8], Counts]:
        """Look closely at packets, behind the last one that came before them."""
        assert self._last is not None
        news = np.flatnonzero(np.concatenate(([True], ~is_repeat)))
        now = np.concatenate(([self._last[0]], now))
        counts = np.concatenate(([self._last[1]], counts))
        steps = np.full(len(now), ClockStep.LATE, np.uint8)
        steps[news] = classify_clock_steps(
            now[news], counts[news], modulus=self.modulus, is_open=True
        )
        newest = now[
            np.maximum.accumulate(np.where(steps == ClockStep.LATE, 0, np.arange(len(now))))
        ]
        steps[1:][is_repeat & (now == newest)[1:]] = ClockStep.NONE
        unwrapped, boots = unwrap_clock(now, steps, modulus=self.modulus)
        turns = (unwrapped - now) // self.modulus + np.where(boots == 0, self._turns, 0)
        last = int(np.flatnonzero(steps != ClockStep.LATE)[-1])
        self._last, self._turns = (int(now[last]), int(counts[last])), int(turns[last])
        return steps[1:], turns[1:]


def _shortest(difference: Counts, modulus: int) -> Counts:
    """Return the step of at most half a turn that leads as far as `difference`."""
    half = modulus // 2
    return (difference + half) % modulus - half


def _is_late(now: Counts, counts: Counts, modulus: int, *, is_open: bool) -> Flags:
    is_late = np.zeros(len(now), np.bool_)
    behind = SEQUENCE_COUNT_MODULO - np.diff(counts) % SEQUENCE_COUNT_MODULO
    is_behind = (_shortest(np.diff(now), modulus) < 0) & (behind < _FEW)
    places = np.flatnonzero(is_behind) + 1
    for distance in range(1, _RETURN + 1):
        later = np.minimum(places + distance, len(now) - 1)
        is_late[places] |= _shortest(now[later] - now[places - 1], modulus) > 0
    if is_open:
        is_late[places[places + _RETURN >= len(now)]] = True
    return is_late


def _classify_falls(now: Counts, counts: Counts, modulus: int) -> NDArray[np.uint8]:
    before, after = now[:-1], now[1:]
    ahead = np.diff(counts) % SEQUENCE_COUNT_MODULO
    goes_on = (ahead >= 1) & (ahead <= _FEW)
    is_fall = after < before
    begins_again = ~goes_on & (counts[1:] < _FEW) & (after < _FEW)
    edge = modulus // _EDGE
    is_rollover = is_fall & (before >= modulus - edge) & (after < edge) & ~begins_again
    return np.select(
        [is_rollover, is_fall & goes_on, is_fall],
        [ClockStep.ROLLOVER, ClockStep.SET_BACK, ClockStep.REBOOT],
        ClockStep.NONE,
    ).astype(np.uint8)
