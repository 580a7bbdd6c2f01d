# SPDX-License-Identifier: Apache-2.0
"""Numbers that registers, telemetry and the ground give the same names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NamedValue:
    """One value of an enumeration, as registers and telemetry carry it."""

    value: int
    name: str
    description: str


RAIL_STATES = (
    NamedValue(0, "off", "Off."),
    NamedValue(1, "ramp", "Enabled; waits for power good."),
    NamedValue(2, "settle", "Power good; settles."),
    NamedValue(3, "on", "On."),
    NamedValue(4, "drain", "Switched off; waits for power good to fall."),
    NamedValue(5, "fault", "Latched off by a fault."),
)
FAULT_CAUSES = (
    NamedValue(0, "none", "No fault."),
    NamedValue(1, "ramp_early", "Power good before the ramp window."),
    NamedValue(2, "ramp_timeout", "No power good in time."),
    NamedValue(3, "pg_lost", "Power good fell while the rail was on."),
    NamedValue(4, "oc", "Hard over-current trip."),
    NamedValue(5, "stuck_on", "Power good still high after switch-off."),
    NamedValue(6, "upset", "Upset of the state code that could not be put right."),
)
NO_FAULTED_RAIL = 255  # first_fault_rail when there is none.
