# SPDX-License-Identifier: Apache-2.0
"""Sequence counts of one APID: what is missing, doubled, or out of order."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.wire.space_packet import SEQUENCE_COUNT_MODULO

Array: TypeAlias = NDArray[Any]

_WINDOW = 64  # A packet that is later than this many others counts as a restart of the counter.
_HALF = SEQUENCE_COUNT_MODULO // 2
_SHORT_RUN = 48  # So few are done sooner one by one.


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing packets between two that came."""

    offset: int  # Of the packet behind the gap, in the input.
    after_count: int  # The last sequence count before the gap.
    missing: int


@dataclass(slots=True)
class SequenceTracker:
    """Follow the 14-bit counter of one APID (CCSDS 133.0-B 4.1.3.4.3)."""

    max_gaps: int = 1000  # Gaps kept one by one; all are counted.
    missing: int = 0
    gap_count: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    restarts: int = 0
    gaps: list[Gap] = field(default_factory=list)
    repeats: list[int] = field(default_factory=list)  # Where duplicates are; as many as gaps.
    _last: int | None = None
    _recent: deque[int] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    def add(self, count: int, offset: int, *, is_trusted: bool = True) -> int:
        """Take note of a packet and return how many are missing right before it.

        An untrusted count (CRC damaged) is believed only if it fits.
        """
        last, missing = self._last, self.missing
        ahead = 1 if last is None else (count - last) % SEQUENCE_COUNT_MODULO
        if not is_trusted and ahead != 1:
            return 0
        if last is not None and ahead != 1 and not self._is_news(count, ahead, last, offset):
            return 0
        self._last = count
        self._recent.append(count)
        return max(self.missing - missing, 0)

    def pass_over(self, counts: Array) -> None:
        """Let the counter go on over packets of which nothing is to be told."""
        if len(counts):
            self._go_on(counts)

    def add_all(self, counts: Array, offsets: Array, is_trusted: Array) -> Array:
        """Take note of many packets, as `add` would of one after the other."""
        missing = np.zeros(len(counts), np.int64)
        counts = counts.astype(np.uint16, copy=False)
        steps = np.zeros(len(counts), np.uint16)
        np.subtract(counts[1:], counts[:-1], out=steps[1:])
        steps &= SEQUENCE_COUNT_MODULO - 1
        at = 0
        if (steps[1:] == 1).all():  # The bulk of all streams.
            missing[0] = self.add(int(counts[0]), int(offsets[0]), is_trusted=bool(is_trusted[0]))
            if self._last == counts[0]:
                self._go_on(counts[1:])
                return missing
            at = 1
        breaks = np.flatnonzero((steps < 1) | (steps >= _HALF) | ~is_trusted & (steps != 1))
        while at < len(counts):
            following = int(np.searchsorted(breaks, at, side="right"))
            end = int(breaks[following]) if following < len(breaks) else len(counts)
            if end - at >= _SHORT_RUN and self._advances(int(counts[at]), bool(is_trusted[at])):
                end = at + self._clear(counts[at:end], steps[at:end])
                if end > at:
                    self._add_run(counts[at:end], offsets[at:end], missing[at:end])
                    at = end
                    continue
            end = max(min(end, at + _SHORT_RUN), at + 1)
            for index in range(at, end):
                missing[index] = self.add(
                    int(counts[index]), int(offsets[index]), is_trusted=bool(is_trusted[index])
                )
            at = end
        return missing

    def _advances(self, count: int, is_trusted: bool) -> bool:
        """Whether the counter goes forward to `count`, with or without a gap."""
        ahead = 1 if self._last is None else (count - self._last) % SEQUENCE_COUNT_MODULO
        return ahead == 1 or (is_trusted and 1 < ahead < _HALF)

    def _clear(self, counts: Array, steps: Array) -> int:
        """Return how many of these, which go forward, surely come for the first time."""
        known = np.isin(counts[:_WINDOW], list(self._recent))
        first = int(known.argmax()) if known.any() else len(counts)
        if int(steps[1:].max(initial=0)) * _WINDOW < SEQUENCE_COUNT_MODULO:
            return first
        travelled = np.cumsum(steps, dtype=np.int64)
        since = travelled[np.maximum(np.arange(len(steps)) - _WINDOW, 0)]
        around = travelled - since >= SEQUENCE_COUNT_MODULO
        return min(first, int(around.argmax()) if around.any() else len(counts))

    def _add_run(self, counts: Array, offsets: Array, missing: Array) -> None:
        """Take note of packets with whose counts the counter goes forward; fill in `missing`."""
        counts = counts.astype(np.int64)
        before = counts[0] - 1 if self._last is None else self._last
        missing[:] = np.diff(counts, prepend=before) % SEQUENCE_COUNT_MODULO - 1
        places = np.flatnonzero(missing)
        self.gap_count += len(places)
        self.missing += int(missing.sum())
        for index in places[: max(self.max_gaps - len(self.gaps), 0)].tolist():
            last = int(counts[index - 1]) if index else int(before)
            self.gaps.append(Gap(int(offsets[index]), last, int(missing[index])))
        self._go_on(counts)

    def _go_on(self, counts: Array) -> None:
        if len(counts):
            self._last = int(counts[-1])
        self._recent.extend(counts[-_WINDOW:].tolist())

    def _is_news(self, count: int, ahead: int, last: int, offset: int) -> bool:
        """Judge a count that is not the next one; True when the counter goes on from it."""
        if count in self._recent:
            self.duplicates += 1
            if len(self.repeats) < self.max_gaps:
                self.repeats.append(offset)
            return False
        if ahead < _HALF:
            self._add_gap(Gap(offset, last, ahead - 1))
            return True
        if SEQUENCE_COUNT_MODULO - ahead <= _WINDOW:
            self.out_of_order += 1
            self.missing -= 1 if self.missing else 0
            self._recent.append(count)
            return False
        self.restarts += 1
        self._recent.clear()
        return True

    def _add_gap(self, gap: Gap) -> None:
        self.gap_count += 1
        self.missing += gap.missing
        if len(self.gaps) < self.max_gaps:
            self.gaps.append(gap)
