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
    def marks(self) -> tuple[object, ...]:
        """All that the filter remembers; the same twice means that nothing moves."""
        return (self.level, *self._stages, self._run)

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
    def marks(self) -> tuple[object, ...]:
        """All that can set the rail moving; the same twice: it rests until a time is up."""
        left = self.ticks_left
        return (*self.power_good.marks, *self.over_current.marks, left if left <= 0 else MANY_TICKS)

    @property
    def ticks_left(self) -> int:
        """Ticks before the time that runs in this state is up; below 0 once it is."""
        running = {
            RailState.RAMP: self.limits.timeout,
            RailState.SETTLE: self.limits.settle,
            RailState.DRAIN: self.limits.off_timeout,
            RailState.FAULT: self.limits.off_timeout,
        }.get(self.state)
        is_discharged = self.state is RailState.FAULT and not self.power_good.level
        if running is None or is_discharged:  # A discharged rail waits for nothing.
            return MANY_TICKS
        return max(running - self.ticks, -1)

    def seen(self) -> tuple[FaultCause, ...]:
        """Return the faults that stand in this clock, ignored ones included, gravest first."""
        over_current = (FaultCause.OC,) if self.over_current.level and self.is_enabled else ()
        if self.is_lost:  # Nothing else can be told of a state that is not known.
            return (FaultCause.UPSET, *over_current)
        return over_current + self._out_of_time()

    def _out_of_time(self) -> tuple[FaultCause, ...]:
        power_good, limits = self.power_good.level, self.limits
        if self.state is RailState.RAMP:
            if power_good:
                return (FaultCause.RAMP_EARLY,) if self.ticks < limits.ramp_min else ()
            return (FaultCause.RAMP_TIMEOUT,) if self.ticks > limits.timeout else ()
        if self.state in (RailState.SETTLE, RailState.ON):
            return () if power_good else (FaultCause.PG_LOST,)
        if self.state is RailState.DRAIN and power_good and self.ticks > limits.off_timeout:
            return (FaultCause.STUCK_ON,)
        return ()

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
    """Let one clock take a rail to its next state; a tick counts only in the state it fell in."""
    restarts = following is not machine.state
    if machine.is_lost:
        restarts = following is not RailState.RAMP  # What still ramps keeps its time.
    machine.ticks = 0 if restarts else machine.ticks + is_tick
    machine.state = following
    machine.is_lost = False
