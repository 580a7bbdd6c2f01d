# SPDX-License-Identifier: Apache-2.0
"""A power sequencer, the rails on its pins, and the reference machine beside it.

Configuration (JSON, named by FW_BENCH_CONFIG): `rails` (as `RailSpec`), `clocks_per_us` and
`time_scale`; `is_voted` where registers are triplicated. Top: `sequencer_harness`.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cocotb.triggers import Timer

from fw_tools.power.graph import dependants, dependency_graph
from fw_tools.power.limits import RailLimits, rail_limits
from fw_tools.power.machine import Inputs, Outputs, SequencerModel
from fw_tools.power.rail_machine import MANY_TICKS
from fw_tools.power.records import (
    FaultResponse,
    FaultResponses,
    HardTrip,
    OnUpset,
    PowerGood,
    RailSpec,
    RailState,
)
from hdl.tb.rail_plant import PlantLimits, RailFault, RailPlant

SYNCHRONISER_CLOCKS = 2
PG_DELAY_CLOCKS = 2
QUIET_CLOCKS = MANY_TICKS - 1  # More than any time in a table takes.


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What is under test."""

    rails: tuple[RailSpec, ...]
    clocks_per_us: int
    time_scale: int
    is_voted: bool

    @classmethod
    def load(cls) -> "Config":
        """Return the configuration of this run."""
        settings = json.loads(Path(os.environ["FW_BENCH_CONFIG"]).read_text(encoding="utf-8"))
        return cls(
            rails=tuple(rail_from(row) for row in settings["rails"]),
            clocks_per_us=settings["clocks_per_us"],
            time_scale=settings["time_scale"],
            is_voted=settings["is_voted"],
        )

    def limits(self, rail: RailSpec) -> RailLimits:
        """Return the limits of a rail in ticks and clocks, as the sequencer has them."""
        return rail_limits(rail, self.clocks_per_us, self.time_scale)


def rail_from(row: Mapping[str, Any]) -> RailSpec:
    """Return the rail that `dataclasses.asdict` has taken apart."""
    trip = row["hard_trip"]
    on_fault = {cause: FaultResponse(name) for cause, name in row["on_fault"].items()}
    nested = {
        "after": tuple(row["after"]),
        "power_good": PowerGood(**row["power_good"]),
        "hard_trip": HardTrip(**trip) if trip else None,
        "on_fault": FaultResponses(**on_fault),
        "on_upset": OnUpset(row["on_upset"]),
    }
    return RailSpec(**{**row, **nested})


def seen_after(limits: RailLimits) -> int:
    """Return the clocks from a level at the power-good pin to the sequencer's knowing of it."""
    return SYNCHRONISER_CLOCKS + limits.pg_filter_clocks


def is_early_seen(limits: RailLimits, clocks_per_us: int) -> bool:
    """Tell whether the fastest ramp there is can be told from one within the window."""
    return seen_after(limits) + PG_DELAY_CLOCKS + 2 < limits.ramp_min * clocks_per_us


def is_late_possible(limits: RailLimits, clocks_per_us: int) -> bool:
    """Tell whether power good can come after the window and yet before the timeout."""
    return (limits.timeout - limits.ramp_max) * clocks_per_us > 2 * clocks_per_us + 2


def plant_limits(rail: RailSpec, limits: RailLimits, clocks_per_us: int) -> PlantLimits:
    """Return a converter that comes up early in its window, and its ways to be wrong."""
    on_level = rail.power_good.on_percent / 100

    def ramp(seen_at_ticks: float) -> int:
        crossing = seen_at_ticks * clocks_per_us - seen_after(limits) - PG_DELAY_CLOCKS
        return max(round(crossing / on_level), 1)

    window = limits.ramp_max - limits.ramp_min
    return PlantLimits(
        ramp=ramp(limits.ramp_min + min(max(2, window / 8), window / 2)),
        early_ramp=1,
        late_ramp=ramp((limits.ramp_max + limits.timeout) / 2 + 1),
        discharge_tau=max(limits.off_timeout * clocks_per_us / 64, 1.0),
        on_level=on_level,
        off_level=rail.power_good.off_percent / 100,
        pg_delay=PG_DELAY_CLOCKS,
        short_glitch=limits.pg_filter_clocks - 1,
        long_glitch=limits.pg_filter_clocks,
        short_surge=limits.oc_blank_clocks - 1,
    )


class OrderMonitor:
    """What must hold whatever the reference machine says: the order up and the order down."""

    def __init__(self, rails: Sequence[RailSpec]) -> None:
        graph = dependency_graph(rails)
        names = list(graph)
        self._rails = rails
        self._after = [[names.index(dep) for dep in graph[name]] for name in names]
        self._before = [[names.index(other) for other in dependants(graph)[name]] for name in names]
        self._last = Outputs(
            enable=0,
            on=0,
            faulted=0,
            late=0,
            states=(RailState.OFF,) * len(names),
            first_fault_rail=0,
            first_fault_cause=0,
            upsets_corrected=0,
            upsets_uncorrectable=0,
            halted=False,
        )

    def check(self, seen: Outputs, plants: Sequence[RailPlant], power_up: bool) -> None:
        """Compare what the sequencer shows with what it showed before, and with the voltages."""
        last, self._last = self._last, seen
        for index, rail in enumerate(self._rails):
            is_enabled, was_enabled = seen.enable >> index & 1, last.enable >> index & 1
            for dep in self._after[index]:
                assert not is_enabled or seen.enable >> dep & 1, (
                    f"{rail.name} is enabled without {self._rails[dep].name}"
                )
            if is_enabled and not was_enabled:
                self._check_rise(index, last, plants, power_up)
            if was_enabled and not is_enabled and seen.faulted == last.faulted:
                self._check_ordered_fall(index, plants, seen)

    def _check_rise(
        self, index: int, last: Outputs, plants: Sequence[RailPlant], power_up: bool
    ) -> None:
        rail = self._rails[index]
        assert rail.keep_alive or (power_up and not last.halted), f"{rail.name} rose unasked"
        for dep in self._after[index]:
            name, plant = self._rails[dep].name, plants[dep]
            assert last.on >> dep & 1, f"{rail.name} rose before {name} was on"
            is_up = plant.level >= plant.limits.off_level or plant.fault is not RailFault.NONE
            assert is_up, f"{rail.name} rose while {name} was at {plant.level:.2f}"

    def _check_ordered_fall(self, index: int, plants: Sequence[RailPlant], seen: Outputs) -> None:
        if seen.upsets_uncorrectable:
            return
        for other in self._before[index]:
            plant = plants[other]
            is_down = plant.level <= plant.limits.off_level or plant.fault is not RailFault.NONE
            names = f"{self._rails[index].name} fell before {self._rails[other].name}"
            assert is_down, f"{names} was discharged ({plant.level:.2f})"


class SequencerBench:
    """Drives the pins from the plants, and compares every output in every clock with the model.

    While nothing moves many clocks pass at once; the harness counts the changes of the outputs, so
    that none between is missed.
    """

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.config = Config.load()
        self.rails = self.config.rails
        self.names = [rail.name for rail in self.rails]
        self.all_rails = (1 << len(self.rails)) - 1
        self.keep_alive_rails = sum(r.keep_alive << i for i, r in enumerate(self.rails))

    @classmethod
    async def start(cls, dut: Any) -> "SequencerBench":
        """Return a bench whose sequencer comes out of reset, with healthy rails."""
        bench = cls(dut)
        await bench.reset()
        return bench

    async def reset(self, faults: Mapping[int, RailFault] | None = None) -> None:
        """Begin again, with these faults from the first clock on."""
        config = self.config
        self.model = SequencerModel(
            self.rails, clocks_per_us=config.clocks_per_us, time_scale=config.time_scale
        )
        self.plants = [
            RailPlant(plant_limits(rail, config.limits(rail), config.clocks_per_us))
            for rail in self.rails
        ]
        for index, fault in (faults or {}).items():
            self.plants[index].set_fault(fault)
        self.monitor = OrderMonitor(self.rails)
        self.power_up = False
        self.clear_faults = False
        self._driven: Inputs | None = None
        self.dut.rst_ni.value = 0
        self._drive()
        await Timer(2, "ns")
        self.dut.rst_ni.value = 1
        self._raw, self._due = -1, self.model.outputs()
        self._enable_changes = int(self.dut.enable_changes.value)
        self._check()

    def set_fault(self, rail: int, fault: RailFault) -> None:
        """Let something go wrong with a rail from now on."""
        self.plants[rail].set_fault(fault)

    def state(self, rail: int) -> RailState:
        """Return the state of a rail as the reference machine has it."""
        return self.model.rails[self.names[rail]].state

    async def run(self, clocks: int) -> None:
        """Let time pass."""
        while clocks > 0:
            still = min(clocks, self._still_clocks())
            await self._advance(still)
            clocks -= still

    async def run_until_quiet(self) -> None:
        """Let time pass until nothing moves any more."""
        while (clocks := self._still_clocks()) < QUIET_CLOCKS:
            await self._advance(clocks)

    async def run_until_state(self, rail: int, state: RailState) -> None:
        """Let time pass until a rail has reached a state, or nothing moves any more."""
        while self.state(rail) is not state and (clocks := self._still_clocks()) < QUIET_CLOCKS:
            await self._advance(clocks)

    async def cure(self, rail: int) -> None:
        """Take the fault of a rail back, clear what it left, and wait."""
        self.set_fault(rail, RailFault.NONE)
        await self.run_until_quiet()
        await self.pulse_clear()
        await self.run_until_quiet()

    async def pulse_clear(self) -> None:
        """Clear the faults."""
        self.clear_faults = True
        await self.run(1)
        self.clear_faults = False

    def _still_clocks(self) -> int:
        enable = self.model.outputs().enable
        plants = (plant.still_clocks(bool(enable >> i & 1)) for i, plant in enumerate(self.plants))
        return min(self.model.still_clocks(self._inputs()), *plants)

    def _inputs(self) -> Inputs:
        return Inputs(
            power_up=self.power_up,
            clear_faults=self.clear_faults,
            power_good=sum(plant.power_good << i for i, plant in enumerate(self.plants)),
            over_current=sum(plant.over_current << i for i, plant in enumerate(self.plants)),
        )

    def _drive(self) -> Inputs:
        inputs = self._inputs()
        if inputs != self._driven:
            self.dut.power_up_i.value = int(inputs.power_up)
            self.dut.clear_faults_i.value = int(inputs.clear_faults)
            self.dut.pg_i.value = inputs.power_good
            self.dut.oc_i.value = inputs.over_current
            self._driven = inputs
        return inputs

    async def _advance(self, clocks: int) -> None:
        inputs = self._drive()
        enable = self.model.outputs().enable
        self.model.advance(inputs, clocks)
        changes = int(self.dut.changes.value) if clocks > 1 else 0
        await Timer(clocks, "ns")
        self._check()
        if clocks > 1:
            moved = int(self.dut.changes.value) - changes
            assert not moved, f"an output moved in the {clocks} clocks before {self.model.clock}"
        for index, plant in enumerate(self.plants):
            plant.advance(bool(enable >> index & 1), clocks)

    def _check(self) -> None:
        raw, due = int(self.dut.observed.value), self.model.outputs()
        if raw != self._raw or due != self._due:
            self._compare(raw, due)
        changes = int(self.dut.enable_changes.value)
        if changes != self._enable_changes:
            raise AssertionError(f"an enable moved between two clocks before {self.model.clock}")

    def _compare(self, raw: int, due: Outputs) -> None:
        seen = unpack(raw, len(self.rails))
        if seen != due:
            wrong = differences(seen, due, self.names)
            raise AssertionError(f"at clock {self.model.clock}: {wrong}")
        self._enable_changes += seen.enable != self._due.enable
        self._raw, self._due = raw, due
        self.monitor.check(seen, self.plants, self.power_up)


def unpack(observed: int, rails: int) -> Outputs:
    """Return the outputs that the harness has put into one vector."""
    fields: list[int] = []
    for width in (rails, rails, rails, rails, 8 * rails, 1, 8, 8, 16, 16, 1):
        fields.append(observed & (1 << width) - 1)
        observed >>= width
    enable, on, faulted, late, states, _, rail, cause, corrected, uncorrectable, halted = fields
    return Outputs(
        enable=enable,
        on=on,
        faulted=faulted,
        late=late,
        states=tuple(RailState(states >> 8 * index & 0xFF) for index in range(rails)),
        first_fault_rail=rail,
        first_fault_cause=cause,
        upsets_corrected=corrected,
        upsets_uncorrectable=uncorrectable,
        halted=bool(halted),
    )


def differences(seen: Outputs, due: Outputs, names: Sequence[str]) -> str:
    """Return what differs, in words: bitmaps as names."""
    found = []
    for field in Outputs.__dataclass_fields__:
        got, wanted = getattr(seen, field), getattr(due, field)
        if got == wanted:
            continue
        if field in ("enable", "on", "faulted", "late"):
            rails = [name for i, name in enumerate(names) if (got ^ wanted) >> i & 1]
            found.append(f"{field} of {', '.join(rails)}")
        elif field == "states":
            pairs = zip(names, got, wanted, strict=True)
            found += [f"{n} is {a.name}, not {b.name}" for n, a, b in pairs if a is not b]
        else:
            found.append(f"{field} is {got}, not {wanted}")
    return "; ".join(found)
