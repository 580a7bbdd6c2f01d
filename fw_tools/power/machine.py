# SPDX-License-Identifier: Apache-2.0
"""The power sequencer as a reference machine: what a bench expects of the gateware, clock by clock.

Written from the words of `fw_tools.power.records`. The time base is 1 us and runs from reset, so
that n us have passed for certain when n + 1 ticks were counted. A minimum is therefore never short,
and a deadline is not missed before it has wholly passed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fw_tools.power.graph import dependants, dependency_graph, kill_tree
from fw_tools.power.limits import rail_limits
from fw_tools.power.rail_machine import MANY_TICKS, RailMachine, advance, kept_alive, own_way
from fw_tools.power.records import FaultCause, FaultResponse, OnUpset, RailSpec, RailState
from fw_tools.power.state_codes import RAIL_STATE_CODES, nearest

NO_RAIL = 255  # first_fault_rail when there is none.
COUNTER_MAX = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The pins of one clock; bit i of a bitmap is rail i."""

    power_up: bool
    clear_faults: bool
    power_good: int
    over_current: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What the sequencer shows after a clock; bit i of a bitmap is rail i."""

    enable: int
    on: int
    faulted: int
    late: int
    states: tuple[RailState, ...]
    first_fault_rail: int
    first_fault_cause: int
    upsets_corrected: int
    upsets_uncorrectable: int
    halted: bool


class SequencerModel:
    """The whole board. `step` is one clock; upsets are told to the model as they are injected."""

    def __init__(
        self, rails: Sequence[RailSpec], *, clocks_per_us: int, time_scale: int = 1
    ) -> None:
        graph = dependency_graph(rails)
        self.rails = {
            rail.name: RailMachine(rail, rail_limits(rail, clocks_per_us, time_scale))
            for rail in rails
        }
        self._after = graph
        self._before = dependants(graph)
        self._trees = {name: kill_tree(graph, name) for name in graph}
        self._clocks_per_us = clocks_per_us
        self._clock = 0
        self._halted = False
        self._first_fault = (NO_RAIL, 0)
        self._corrected = 0
        self._uncorrectable = 0
        self._is_still = False
        self._last_inputs: Inputs | None = None
        self._outputs = self._read()
        self._marks: list[tuple[object, ...]] = []

    def still_clocks(self, inputs: Inputs) -> int:
        """Return for how many clocks, at least 1, `advance` may go at once with these pins.

        Before the last of them no output changes: either one clock, or so many that no time in the
        table runs out.
        """
        if not self._is_still or inputs != self._last_inputs:
            return 1
        left = [machine.ticks_left for machine in self.rails.values()]
        running = [ticks for ticks in left if ticks >= 0]
        return max(1, (min(running, default=MANY_TICKS) - 1) * self._clocks_per_us)

    def advance(self, inputs: Inputs, clocks: int) -> None:
        """Do what `clocks` calls of `step` would do; at most `still_clocks` of them."""
        if clocks == 1:
            self.step(inputs)
            return
        if clocks > self.still_clocks(inputs):
            raise ValueError(f"{clocks} clocks at once: something may change before")
        ticks = (self._clock + clocks) // self._clocks_per_us - self._clock // self._clocks_per_us
        self._clock += clocks
        for machine in self.rails.values():
            machine.ticks += ticks

    def outputs(self) -> Outputs:
        """Return what the sequencer shows after the last clock."""
        return self._outputs

    def _read(self) -> Outputs:
        machines = list(self.rails.values())
        return Outputs(
            enable=_bitmap(machine.is_enabled for machine in machines),
            on=_bitmap(machine.state is RailState.ON for machine in machines),
            faulted=_bitmap(machine.faulted for machine in machines),
            late=_bitmap(machine.late for machine in machines),
            states=tuple(machine.state for machine in machines),
            first_fault_rail=self._first_fault[0],
            first_fault_cause=self._first_fault[1],
            upsets_corrected=self._corrected,
            upsets_uncorrectable=self._uncorrectable,
            halted=self._halted,
        )

    @property
    def clock(self) -> int:
        """Clocks since reset."""
        return self._clock

    def count_corrected(self) -> None:
        """Tell of an upset of a voted register: nothing but its count is to be seen."""
        self._is_still = False
        self._corrected = min(self._corrected + 1, COUNTER_MAX)

    def upset_state(self, name: str, word: int) -> None:
        """Tell that the stored state code of a rail has become `word`."""
        self._is_still = False
        machine = self.rails[name]
        meant = nearest(word, list(RAIL_STATE_CODES.values()))
        is_code = word in RAIL_STATE_CODES.values()
        if meant is None or (not is_code and machine.rail.on_upset is OnUpset.SAFE_OFF):
            machine.is_lost = True
        else:
            machine.state = list(RAIL_STATE_CODES)[meant]
            if not is_code:
                self.count_corrected()

    def upset_timer(self, name: str) -> None:
        """Tell that a bit of a rail's timer flipped: its interval begins again.

        A ramp goes on from the start of its window, so that power good is not called early.
        """
        self._is_still = False
        machine = self.rails[name]
        machine.ticks = machine.limits.ramp_min if machine.state is RailState.RAMP else 0
        self.count_corrected()

    def step(self, inputs: Inputs) -> None:
        """Advance by one clock with these pins."""
        before, marks = self._outputs, self._marks
        self._step(inputs)
        self._outputs = self._read()
        self._marks = [machine.marks for machine in self.rails.values()]
        self._is_still = before == self._outputs and marks == self._marks
        self._last_inputs = inputs

    def _step(self, inputs: Inputs) -> None:
        answered = {name: machine.acted_upon() for name, machine in self.rails.items()}
        halts = self._halts(answered)
        wanted = inputs.power_up and not self._halted and not halts
        killed = self._killed(answered)
        following = {
            name: self._next_state(name, answered[name], wanted, name in killed, inputs)
            for name in self.rails
        }
        self._report(answered, inputs.clear_faults)
        self._halted = halts or (self._halted and not inputs.clear_faults)
        self._clock += 1
        is_tick = self._clock % self._clocks_per_us == 0
        for index, (name, machine) in enumerate(self.rails.items()):
            advance(machine, following[name], is_tick)
            machine.power_good.step(bool(inputs.power_good >> index & 1))
            if machine.rail.hard_trip:
                machine.over_current.step(bool(inputs.over_current >> index & 1))

    def _halts(self, answered: dict[str, FaultCause | None]) -> bool:
        return any(
            cause is FaultCause.UPSET
            or self.rails[name].response(cause) is FaultResponse.KILL_BOARD
            for name, cause in answered.items()
            if cause
        )

    def _killed(self, answered: dict[str, FaultCause | None]) -> set[str]:
        """Return the rails that go off at once with another one."""
        killed: set[str] = set()
        for name, cause in answered.items():
            if cause is FaultCause.UPSET:
                killed |= {other for other, it in self.rails.items() if not it.rail.keep_alive}
            elif cause and self.rails[name].response(cause) in (
                FaultResponse.KILL_TREE,
                FaultResponse.KILL_BOARD,
            ):
                killed.update(self._trees[name])
        return killed

    def _next_state(
        self, name: str, cause: FaultCause | None, wanted: bool, killed: bool, inputs: Inputs
    ) -> RailState:
        machine = self.rails[name]
        if machine.is_lost and machine.rail.keep_alive:
            return kept_alive(machine)
        if cause:
            return RailState.FAULT
        wanted = wanted or machine.rail.keep_alive
        if machine.is_enabled:
            may_go = all(self.rails[other].is_down for other in self._before[name])
            if killed or (not wanted and may_go):
                return RailState.DRAIN
        if machine.state is RailState.OFF:
            ready = all(self.rails[dep].is_on for dep in self._after[name])
            return RailState.RAMP if wanted and ready and not killed else RailState.OFF
        return own_way(machine, inputs.clear_faults)

    def _report(self, answered: dict[str, FaultCause | None], clear: bool) -> None:
        if clear:
            self._first_fault = (NO_RAIL, 0)
        for index, (name, machine) in enumerate(self.rails.items()):
            cause = answered[name]
            if cause and self._first_fault[0] == NO_RAIL:
                self._first_fault = (index, int(cause))
            machine.faulted = bool(machine.seen()) or (machine.faulted and not clear)
            is_late = (
                machine.state is RailState.RAMP
                and not machine.is_lost
                and machine.power_good.level
                and machine.ticks > machine.limits.ramp_max
            )
            machine.late = is_late or (machine.late and not clear)
            if machine.is_lost:
                self._uncorrectable = min(self._uncorrectable + 1, COUNTER_MAX)


def _bitmap(flags: Iterable[bool]) -> int:
    return sum(1 << index for index, flag in enumerate(flags) if flag)
