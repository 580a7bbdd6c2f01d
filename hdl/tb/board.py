# SPDX-License-Identifier: Apache-2.0
"""The board around a payload top: a plant on every rail, driven pin by pin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cocotb.triggers import FallingEdge

from hdl.tb.rail_plant import PlantLimits, RailFault, RailPlant

DISCHARGES_PER_TIMEOUT = 30  # Time constants in the time that a rail has to fall.


@dataclass(frozen=True, slots=True, kw_only=True)
class Rail:
    """One rail of the description; times in clocks of the bench."""

    name: str
    keep_alive: bool
    power_good: str  # Pins.
    over_current: str  # "" without a breaker.
    ramp_min: float
    ramp_max: float
    off_timeout: float
    on_level: float
    off_level: float


def healthy_limits(rail: Rail) -> PlantLimits:
    """Return a plant whose power good comes well within the window of `rail`."""
    ramp = rail.ramp_min + (rail.ramp_max - rail.ramp_min) / 4
    return PlantLimits(
        ramp=round(ramp / rail.on_level),
        early_ramp=1,
        late_ramp=round(rail.ramp_max * 2),
        discharge_tau=rail.off_timeout / DISCHARGES_PER_TIMEOUT,
        on_level=rail.on_level,
        off_level=rail.off_level,
        pg_delay=2,
        short_glitch=1,
        long_glitch=100,
        short_surge=1,
    )


class Board:
    """All rails; `run` steps them, clock by clock, for as long as it is not cancelled."""

    def __init__(self, dut: Any, rails: list[Mapping[str, Any]]) -> None:
        self.dut = dut
        self.rails = [Rail(**rail) for rail in rails]
        self.plants = {rail.name: RailPlant(healthy_limits(rail)) for rail in self.rails}
        self._drive()

    @property
    def everything(self) -> int:
        """All rails as a bitmap."""
        return (1 << len(self.rails)) - 1

    @property
    def kept_alive(self) -> int:
        """The rails that are never shed, as a bitmap."""
        return sum(1 << n for n, rail in enumerate(self.rails) if rail.keep_alive)

    def fail(self, rail: Rail, fault: RailFault) -> None:
        """Let something go wrong with a rail, or nothing any more."""
        self.plants[rail.name].set_fault(fault)

    async def run(self) -> None:
        """Answer the enables in every clock."""
        while True:
            await FallingEdge(self.dut.clk_i)
            for rail in self.rails:
                is_enabled = bool(self._pin(f"enable_{rail.name}_o").value)
                self.plants[rail.name].advance(is_enabled, clocks=1)
            self._drive()

    def _drive(self) -> None:
        for rail in self.rails:
            plant = self.plants[rail.name]
            self._pin(f"pin_{rail.power_good}_i").value = int(plant.power_good)
            if rail.over_current:
                self._pin(f"pin_{rail.over_current}_i").value = int(plant.over_current)

    def _pin(self, name: str) -> Any:
        return getattr(self.dut, name)
