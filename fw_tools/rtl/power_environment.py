# SPDX-License-Identifier: Apache-2.0
"""The world around a power sequencer, synthesisable, so that every faulty machine has its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from fw_tools.power.records import RailSpec
from fw_tools.rtl.digest import model_digest
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.environment import Environment
from fw_tools.rtl.render import header, render
from fw_tools.rtl.sequencer import sequencer_module

TICKS_PER_US = 1
_FIRST_CLOCK = 50  # Of power up.
_REACTION_CLOCKS = 12  # Synchroniser, state, enable; besides the filter of power good.


@dataclass(frozen=True, slots=True)
class _Rail:
    name: str
    ramp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    rail: str
    feeder: str
    rail_index: int
    feeder_index: int
    settle: int
    grace: int


def render_power_environment(name: str, rails: Sequence[RailSpec], time_scale: int) -> Environment:
    """Return the world of a payload's sequencer, all times divided by `time_scale`."""
    index = {rail.name: place for place, rail in enumerate(rails)}
    plants = [_Rail(rail.name, _ticks(_ramp_us(rail), time_scale)) for rail in rails]
    watches = [
        _watch(rail, rails[index[feeder]], index, time_scale)
        for rail in rails
        for feeder in rail.after
    ]
    waits = [_ticks(_ramp_us(rail) + rail.settle_us, time_scale) + 20 for rail in rails]
    up = _FIRST_CLOCK + sum(waits) * TICKS_PER_US
    down = up + max(waits) + sum(plant.ramp + 20 for plant in plants)
    module = f"{name}_power_environment"
    text = render(
        "power_environment.sv.j2",
        head=header("//", model_digest(*rails), f"World of the power sequencer of {name}."),
        name=name,
        module=module,
        dut=sequencer_module(name),
        last=len(rails) - 1,
        ticks_per_us=TICKS_PER_US,
        time_scale=time_scale,
        power_up=_FIRST_CLOCK,
        power_down=up + max(waits),
        rails=plants,
        watches=watches,
    )
    return Environment(
        file=GeneratedFile(PurePosixPath(f"rtl/{module}.sv"), text),
        module=module,
        stimulus="rails that follow their enable pins, power up and power down",
        clocks=down,
        horizon=2 * max(waits) * TICKS_PER_US,
        hang_after=4 * max(waits) * TICKS_PER_US,
    )


def _ramp_us(rail: RailSpec) -> int:
    return (rail.ramp_min_us + rail.ramp_max_us) // 2


def _ticks(time_us: int, time_scale: int) -> int:
    return max(-(-time_us // time_scale), 1)


def _watch(rail: RailSpec, feeder: RailSpec, index: dict[str, int], time_scale: int) -> _Watch:
    filter_clocks = max(_ticks(feeder.power_good.filter_us, time_scale) * TICKS_PER_US, 3)
    return _Watch(
        rail=rail.name,
        feeder=feeder.name,
        rail_index=index[rail.name],
        feeder_index=index[feeder.name],
        settle=_ticks(feeder.settle_us, time_scale),
        grace=filter_clocks + _REACTION_CLOCKS,
    )
