# SPDX-License-Identifier: Apache-2.0
"""What an on-board clock went through: rollovers, reboots, corrections, and late packets.

The clock is a counter that comes with each packet of one APID, beside the sequence count. Arrays
are in order of arrival.
"""

from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.wire.space_packet import SEQUENCE_COUNT_MODULO
from telemetry.wire.time_scales import Flags

Counts: TypeAlias = NDArray[np.int64]

_FEW = 64  # Packets lost, or overtaken, that still count as going on.
_RETURN = 4  # Packets within which a stream comes back behind one that was late.
_EDGE = 16  # A rollover begins in the last, and ends in the first, sixteenth of the counter.


class ClockStep(IntEnum):
    """What happened between the packet before and this one."""

    NONE = 0  # Time went on, or stood.
    LATE = 1  # This packet was overtaken by others.
    ROLLOVER = 2  # The counter passed its top.
    REBOOT = 3  # Time fell back, and the sequence count does not go on.
    SET_BACK = 4  # Time fell back, but the sequence count goes on: the clock was set.


def classify_clock_steps(
    clock: NDArray[np.integer], sequence_counts: NDArray[np.integer], *, modulus: int
) -> NDArray[np.uint8]:
    """Return a `ClockStep` for each packet; the first one has NONE.

    `clock` holds 0..`modulus` - 1, `modulus` at most 2**62. A packet is late when its time and its
    sequence count (by up to 63) lie before those of the packet before it, and one of the next four
    is beyond that packet again. Any other fall of the clock is a rollover when it leads from the
    last sixteenth of the counter to the first, unless clock and sequence count both begin again
    below 64; else a correction when the sequence count goes on (up to 63 lost); else a reboot.
    """
    now, counts = clock.astype(np.int64), sequence_counts.astype(np.int64)
    steps = np.zeros(len(now), np.uint8)
    rest = np.arange(len(now))
    for _ in range(_RETURN):
        is_late = _is_late(now[rest], counts[rest], modulus)
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


def _shortest(difference: Counts, modulus: int) -> Counts:
    """Return the step of at most half a turn that leads as far as `difference`."""
    half = modulus // 2
    return (difference + half) % modulus - half


def _is_late(now: Counts, counts: Counts, modulus: int) -> Flags:
    is_late = np.zeros(len(now), np.bool_)
    behind = SEQUENCE_COUNT_MODULO - np.diff(counts) % SEQUENCE_COUNT_MODULO
    is_behind = (_shortest(np.diff(now), modulus) < 0) & (behind < _FEW)
    places = np.flatnonzero(is_behind) + 1
    for distance in range(1, _RETURN + 1):
        later = np.minimum(places + distance, len(now) - 1)
        is_late[places] |= _shortest(now[later] - now[places - 1], modulus) > 0
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
