# SPDX-License-Identifier: Apache-2.0
"""One rail of the reference machine: its pins, its state, and where it goes next."""

from fw_tools.power.limits import RailLimits
from fw_tools.power.records import FaultCause, FaultResponse, RailSpec, RailState

MANY_TICKS = 1 << 24
ENERGISED = frozenset({RailState.RAMP, RailState.SETTLE, RailState.ON})


class FilteredPin:
    """A pin behind two synchroniser stages; a new level counts after so many clocks of it."""

    def __init__(self, rise_clocks: int, fall_clocks: int) -> None:
        self.level = False
        self._clocks = {True: rise_clocks, False: fall_clocks}
        self._stages = [False, False]
        self._run = 0

    @property
    def is_steady(self) -> bool:
        """Whether nothing is on its way through synchroniser and filter."""
        return self._stages == [self.level, self.level]

    @property
    def levels(self) -> tuple[bool, ...]:
        """Every level on the way from the pin; the same twice means that nothing moves."""
        return (self.level, *self._stages, self.is_steady)

    def step(self, pin: bool) -> None:
        """Advance by one clock with this level at the pin."""
        arrived = self._stages.pop(0)
        self._stages.append(pin)
        self._run = self._run + 1 if arrived != self.level else 0
        if self._run == self._clocks[arrived]:
            self.level = arrived
            self._run = 0


class RailMachine:
    """One rail: its state, the ticks spent in it, and its reports."""

    def __init__(self, rail: RailSpec, limits: RailLimits) -> None:
        self.rail = rail
        self.limits = limits
        self.state = RailState.OFF
        self.ticks = 0
        self.faulted = False
        self.late = False
        self.is_lost = False  # The state code was hit beyond correction.
        self.power_good = FilteredPin(limits.pg_filter_clocks, limits.pg_filter_clocks)
        self.over_current = FilteredPin(limits.oc_blank_clocks, 1)

    @property
    def is_enabled(self) -> bool:
        """The level of the enable pin."""
        return self.state in ENERGISED

    @property
    def is_on(self) -> bool:
        """Whether what depends on this rail may be enabled."""
        return self.state is RailState.ON and not self.is_lost

    @property
    def is_down(self) -> bool:
        """Off and discharged, or given up on."""
        if self.state is RailState.FAULT:
            return not self.power_good.level or self.ticks > self.limits.off_timeout
        return self.state is RailState.OFF

    @property
    def levels(self) -> tuple[tuple[bool, ...], ...]:
        """What the pins have come to."""
        return (self.power_good.levels, self.over_current.levels)

    @property
    def ticks_left(self) -> int:
        """Ticks until a time runs out, if the pins stay as they are; many where none runs."""
        if not (self.power_good.is_steady and self.over_current.is_steady):
            return 0
        running = {
            RailState.RAMP: self.limits.timeout,
            RailState.SETTLE: self.limits.settle,
            RailState.DRAIN: self.limits.off_timeout,
            RailState.FAULT: self.limits.off_timeout,
        }.get(self.state)
        if running is None or self.ticks > running:
            return MANY_TICKS
        return running - self.ticks

    def seen(self) -> tuple[FaultCause, ...]:
        """Return the faults that stand in this clock, ignored ones included, gravest first."""
        power_good, ramps = self.power_good.level, self.state is RailState.RAMP
        standing = {
            FaultCause.UPSET: self.is_lost,
            FaultCause.OC: self.is_enabled and self.over_current.level,
            FaultCause.RAMP_EARLY: ramps and power_good and self.ticks < self.limits.ramp_min,
            FaultCause.RAMP_TIMEOUT: ramps and not power_good and self.ticks > self.limits.timeout,
            FaultCause.PG_LOST: self.state in (RailState.SETTLE, RailState.ON) and not power_good,
            FaultCause.STUCK_ON: self.state is RailState.DRAIN
            and power_good
            and self.ticks > self.limits.off_timeout,
        }
        if self.is_lost:  # The other causes speak of a state that is not known any more.
            standing = {
                cause: cause in (FaultCause.UPSET, FaultCause.OC) and stands
                for cause, stands in standing.items()
            }
        return tuple(cause for cause, stands in standing.items() if stands)

    def response(self, cause: FaultCause) -> FaultResponse:
        """Return what the description wants done about a fault of this rail."""
        if cause is FaultCause.UPSET:
            return FaultResponse.KILL_RAIL  # That others fall too is the sequencer's.
        response: FaultResponse = getattr(self.rail.on_fault, cause.name.lower())
        return response

    def acted_upon(self) -> FaultCause | None:
        """Return the fault that is answered in this clock, or None."""
        for cause in self.seen():
            if self.response(cause) is not FaultResponse.IGNORE:
                return cause
        return None


def own_way(machine: RailMachine, clear: bool) -> RailState:
    """Return where a rail goes that is neither at fault, nor killed, nor asked to go off."""
    state, power_good = machine.state, machine.power_good.level
    if state is RailState.RAMP and power_good:
        return RailState.SETTLE
    if state is RailState.SETTLE and machine.ticks > machine.limits.settle:
        return RailState.ON
    if state is RailState.DRAIN and (not power_good or machine.ticks > machine.limits.off_timeout):
        return RailState.OFF
    if state is RailState.FAULT and clear:
        return RailState.DRAIN
    return state


def kept_alive(machine: RailMachine) -> RailState:
    """Return where a keep-alive rail goes on whose state was lost: it stays as the pin has it."""
    if machine.is_enabled:
        return RailState.SETTLE if machine.power_good.level else RailState.RAMP
    return RailState.FAULT if machine.faulted else RailState.DRAIN


def advance(machine: RailMachine, following: RailState, is_tick: bool) -> None:
    restarts = following is not machine.state
    if machine.is_lost:
        restarts = following is not RailState.RAMP  # What still ramps keeps its time.
    machine.ticks = 0 if restarts else machine.ticks + is_tick
    machine.state = following
    machine.is_lost = False
