# SPDX-License-Identifier: Apache-2.0
"""Sequence counts of one APID: what is missing, doubled, or out of order."""

from collections import deque
from dataclasses import dataclass, field

from telemetry.wire.space_packet import SEQUENCE_COUNT_MODULO

_WINDOW = 64  # A packet that is later than this many others counts as a restart of the counter.
_HALF = SEQUENCE_COUNT_MODULO // 2


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
    _last: int | None = None
    _recent: deque[int] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    def add(self, count: int, offset: int, *, is_trusted: bool = True) -> None:
        """Take note of a packet; an untrusted count (CRC damaged) is believed only if it fits."""
        last = self._last
        ahead = 1 if last is None else (count - last) % SEQUENCE_COUNT_MODULO
        if not is_trusted and ahead != 1:
            return
        if last is not None and ahead != 1 and not self._is_news(count, ahead, last, offset):
            return
        self._last = count
        self._recent.append(count)

    def _is_news(self, count: int, ahead: int, last: int, offset: int) -> bool:
        """Judge a count that is not the next one; True when the counter goes on from it."""
        if count in self._recent:
            self.duplicates += 1
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
