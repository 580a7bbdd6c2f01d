# SPDX-License-Identifier: Apache-2.0
"""The times of a rail in ticks of 1 us and in clocks; all may be divided for simulation."""

from dataclasses import dataclass

from fw_tools.power.records import RailSpec

SHORTEST_FILTER_CLOCKS = 3  # An upset of a synchroniser stage looks like a pulse of one clock.


@dataclass(frozen=True, slots=True, kw_only=True)
class RailLimits:
    """What the counters of one rail are compared with."""

    ramp_min: int  # Ticks, like all that follow down to off_timeout.
    ramp_max: int
    timeout: int
    settle: int
    off_timeout: int
    pg_filter_clocks: int
    oc_blank_clocks: int


def rail_limits(rail: RailSpec, clocks_per_us: int, time_scale: int = 1) -> RailLimits:
    """Return the limits of `rail`; a time that does not divide evenly is rounded up."""

    def ticks(time_us: int) -> int:
        return -(-time_us // time_scale)

    def clocks(time_us: int) -> int:
        return max(ticks(time_us) * clocks_per_us, SHORTEST_FILTER_CLOCKS)

    return RailLimits(
        ramp_min=ticks(rail.ramp_min_us),
        ramp_max=ticks(rail.ramp_max_us),
        timeout=ticks(rail.timeout_us),
        settle=ticks(rail.settle_us),
        off_timeout=ticks(rail.off_timeout_us),
        pg_filter_clocks=clocks(rail.power_good.filter_us),
        oc_blank_clocks=clocks(rail.hard_trip.blank_us if rail.hard_trip else 0),
    )
