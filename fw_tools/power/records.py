# SPDX-License-Identifier: Apache-2.0
"""What the description says about power rails. Words follow the Linux regulator bindings and PMBus."""

from dataclasses import dataclass
from enum import StrEnum


class OnUpset(StrEnum):
    """What a state machine does when its state code is found to be illegal."""

    CORRECT = "correct"  # Back to the nearest legal code in one clock; none near: as SAFE_OFF.
    SAFE_OFF = "safe_off"  # All switched rails off, keep-alive rails stay.


class FaultResponse(StrEnum):
    """What a fault of one rail does to the others."""

    IGNORE = "ignore"  # Counted and reported only.
    KILL_RAIL = "kill:rail"  # This rail off at once; allowed only where no rail depends on it.
    KILL_TREE = "kill:tree"  # This rail and all that depend on it off at once.
    KILL_BOARD = "kill:board"  # The tree off at once, every other switched rail down in reverse order.


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerGood:
    """The power-good comparator of a rail."""

    input: str  # Name of the pin.
    on_percent: int  # Of the nominal voltage; the comparator rises here.
    off_percent: int  # The comparator falls here; below on_percent (hysteresis).
    filter_us: int  # A level counts once it has been stable for this long.


@dataclass(frozen=True, slots=True, kw_only=True)
class HardTrip:
    """The over-current comparator of a rail (latch-up breaker)."""

    input: str  # Name of the pin.
    limit_ma: int
    blank_us: int  # The pin must be high for this long without a break.


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultResponses:
    """The response to each fault of one rail."""

    ramp_early: FaultResponse  # Power good before ramp_min_us: sense line stuck, or rail back-fed.
    ramp_timeout: FaultResponse  # No power good within timeout_us.
    pg_lost: FaultResponse  # Power good fell while the rail was on.
    oc: FaultResponse  # Hard over-current trip.
    stuck_on: FaultResponse  # Power good still high off_timeout_us after switch-off.


@dataclass(frozen=True, slots=True, kw_only=True)
class RailSpec:
    """One supply rail, as the power sequencer sees it."""

    name: str
    nominal_mv: int
    rated_ma: int
    after: tuple[str, ...]  # Rails that must be on before this one is enabled.
    keep_alive: bool  # On from reset; goes off only by its own faults, never by shedding.
    ramp_min_us: int  # Power good earlier than this is a fault.
    ramp_max_us: int  # Power good later than this is reported as late.
    timeout_us: int  # Power good later than this is a fault.
    settle_us: int  # Between power good and "on".
    off_timeout_us: int  # Power good must have fallen by then after switch-off.
    power_good: PowerGood
    hard_trip: HardTrip | None
    on_fault: FaultResponses
    on_upset: OnUpset
