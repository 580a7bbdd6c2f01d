# SPDX-License-Identifier: Apache-2.0
"""What the description says of power rails: words of the Linux regulator bindings and PMBus."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

MAX_RAILS = 64
MAX_TIME_US = 2**24 - 2  # 16.8 s: the timer of a rail has at most 24 bits.
MAX_FILTER_US = 2**16 - 1  # 65.5 ms


class OnUpset(StrEnum):
    """What a state machine does when its state code is found to be illegal."""

    CORRECT = "correct"  # Back to the nearest legal code in one clock; none near: as SAFE_OFF.
    SAFE_OFF = "safe_off"  # All switched rails off, keep-alive rails stay.


class FaultResponse(StrEnum):
    """What a fault of one rail does to the others."""

    IGNORE = "ignore"  # Reported only: the rail goes on as if nothing had happened.
    KILL_RAIL = "kill:rail"  # This rail off at once; allowed only where no rail depends on it.
    KILL_TREE = "kill:tree"  # This rail and all that depend on it off at once.
    KILL_BOARD = (
        "kill:board"  # The tree off at once, every other switched rail down in reverse order.
    )


class FaultCause(IntEnum):
    """Why a rail is in fault, as telemetry numbers it. 0 is no fault."""

    RAMP_EARLY = 1
    RAMP_TIMEOUT = 2
    PG_LOST = 3
    OC = 4
    STUCK_ON = 5
    UPSET = 6  # The state code was beyond correction.


class RailState(IntEnum):
    """The states of one rail, as telemetry numbers them."""

    OFF = 0
    RAMP = 1  # Enabled, waiting for power good.
    SETTLE = 2  # Power is good; "on" follows after settle_us.
    ON = 3
    DRAIN = 4  # Switched off, waiting for power good to fall.
    FAULT = 5  # Switched off until the faults are cleared.


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
    """The response to each fault of one rail. Power good means the filtered pin."""

    ramp_early: FaultResponse  # Power good before ramp_min_us: sense line stuck, or rail back-fed.
    ramp_timeout: FaultResponse  # No power good within timeout_us.
    pg_lost: FaultResponse  # Power good fell while the rail was settling or on.
    oc: FaultResponse  # Hard over-current trip.
    stuck_on: FaultResponse  # Power good still high off_timeout_us after switch-off.


@dataclass(frozen=True, slots=True, kw_only=True)
class RailSpec:
    """One supply rail, as the power sequencer sees it. Times count from the entry of a state."""

    name: str
    nominal_mv: int
    rated_ma: int
    after: tuple[str, ...]  # Rails that must be on before this one is enabled.
    keep_alive: (
        bool  # On from reset; goes off only with a fault of its own tree, never by shedding.
    )
    ramp_min_us: int  # Power good earlier than this is a fault.
    ramp_max_us: int  # Power good later than this is reported as late.
    timeout_us: int  # Power good later than this is a fault.
    settle_us: int  # Between power good and "on".
    off_timeout_us: int  # Power good must have fallen by then after switch-off.
    power_good: PowerGood
    hard_trip: HardTrip | None
    on_fault: FaultResponses
    on_upset: OnUpset
