# SPDX-License-Identifier: Apache-2.0
"""What hangs on an enable pin: a converter, its load, and the comparators that watch them.

Time is in clocks of whoever drives the plant, voltages are shares of nominal. A fault is set at any
moment and taken back by setting `RailFault.NONE`.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

LATCH_UP_HOLD = 0.3  # A latch-up lasts until the rail has fallen below this.
DISCHARGED = 0.01  # Below this a rail counts as empty.
FOREVER = 1 << 30


class RailFault(StrEnum):
    """What can be wrong with one rail."""

    NONE = "none"
    NO_POWER_GOOD = "no_power_good"  # The rail comes up, its power-good line is stuck low.
    POWER_GOOD_STUCK = "power_good_stuck"  # The line is stuck high.
    EARLY = "early"  # The rail is up well before its window.
    LATE = "late"  # After its window, before its timeout.
    DROP = "drop"  # The converter dies.
    LATCH_UP = "latch_up"  # The load draws a short-circuit current until it has lost its supply.
    SHORT_GLITCH = "short_glitch"  # The power-good line breaks off for less than its filter.
    LONG_GLITCH = "long_glitch"  # For longer.
    SHORT_SURGE = "short_surge"  # Over-current for less than its blanking.
    STUCK_ON = "stuck_on"  # The switch is welded: the rail stays up without its enable.


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantLimits:
    """One rail; times in clocks. A ramp is the time from enable to nominal, at a constant slope."""

    ramp: int
    early_ramp: int
    late_ramp: int
    discharge_tau: float
    on_level: float  # The comparator rises here.
    off_level: float  # And falls here.
    pg_delay: int  # Of the rising comparator.
    short_glitch: int
    long_glitch: int
    short_surge: int


class RailPlant:
    """One rail. `advance` takes the enable pin; `power_good` and `over_current` answer it."""

    def __init__(self, limits: PlantLimits) -> None:
        self.limits = limits
        self.level = 0.0
        self.fault = RailFault.NONE
        self._is_above = False  # The comparator before its delay.
        self._clocks_above = 0
        self._clocks_left = 0  # Of a glitch or surge.
        self._is_latched_up = False

    @property
    def power_good(self) -> bool:
        """The power-good line."""
        if self.fault is RailFault.POWER_GOOD_STUCK:
            return True
        if self.fault is RailFault.NO_POWER_GOOD:
            return False
        if self.fault in (RailFault.SHORT_GLITCH, RailFault.LONG_GLITCH) and self._clocks_left:
            return False
        return self._is_above and self._clocks_above >= self.limits.pg_delay

    @property
    def over_current(self) -> bool:
        """The over-current line."""
        is_surging = self.fault is RailFault.SHORT_SURGE and self._clocks_left > 0
        return is_surging or self._is_latched_up

    def set_fault(self, fault: RailFault) -> None:
        """Let something go wrong from now on, or nothing any more."""
        self.fault = fault
        self._clocks_left = {
            RailFault.SHORT_GLITCH: self.limits.short_glitch,
            RailFault.LONG_GLITCH: self.limits.long_glitch,
            RailFault.SHORT_SURGE: self.limits.short_surge,
        }.get(fault, 0)
        self._load()

    def still_clocks(self, enable: bool) -> int:
        """Return how many clocks, at least 1, may pass at once; before the last no line changes."""
        ends = [self._clocks_left or FOREVER]
        if self._is_driven(enable):
            if not self._is_above:
                ends.append(math.floor((self.limits.on_level - self.level) * self._ramp))
            elif self._clocks_above < self.limits.pg_delay:
                ends.append(self.limits.pg_delay - self._clocks_above)
        else:
            ends += [
                math.floor(self.limits.discharge_tau * math.log(self.level / crossing))
                for crossing in (self.limits.off_level, LATCH_UP_HOLD, DISCHARGED)
                if self.level > crossing
            ]
        return max(1, min(ends) - 1)

    def advance(self, enable: bool, clocks: int) -> None:
        """Let `clocks` clocks pass with this enable; at most `still_clocks` of them."""
        if self._is_driven(enable):
            self.level = min(self.level + clocks / self._ramp, 1.0)
        else:
            self.level *= math.exp(-clocks / self.limits.discharge_tau)
            if self.level < DISCHARGED:
                self.level = 0.0
        threshold = self.limits.off_level if self._is_above else self.limits.on_level
        self._is_above = self.level >= threshold
        self._clocks_above = self._clocks_above + clocks if self._is_above else 0
        self._clocks_left = max(self._clocks_left - clocks, 0)
        self._load()

    def _is_driven(self, enable: bool) -> bool:
        return (enable or self.fault is RailFault.STUCK_ON) and self.fault is not RailFault.DROP

    @property
    def _ramp(self) -> int:
        ramps = {
            RailFault.EARLY: self.limits.early_ramp,
            RailFault.LATE: self.limits.late_ramp,
        }
        return max(ramps.get(self.fault, self.limits.ramp), 1)

    def _load(self) -> None:
        if self.fault is RailFault.LATCH_UP and self.level >= self.limits.on_level:
            self._is_latched_up = True
        if self.level <= LATCH_UP_HOLD:
            self._is_latched_up = False
