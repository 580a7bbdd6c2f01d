# SPDX-License-Identifier: Apache-2.0
"""Rates of upsets with their unit in text ("1e-7/bit/day") to upsets of one bit in a day."""

import re
from decimal import Decimal

_RATE = re.compile(
    r"\s*(\d{1,12}(?:\.\d{1,12})?(?:[eE][+-]?\d{1,2})?)\s*([^\s\d.]\S*|)\s*", re.ASCII
)
EXAMPLE = "1e-7/bit/day"
_HOURS = Decimal(24)
_MEGABIT = Decimal(10**6)
# Upsets of a bit and day in each unit. FIT: in 1e9 hours (JESD89B).
UNITS = {
    "/bit/day": Decimal(1),
    "/bit/h": _HOURS,
    "/bit/s": _HOURS * 3600,
    "/Mbit/day": 1 / _MEGABIT,
    "/Mbit/h": _HOURS / _MEGABIT,
    "FIT/bit": _HOURS / 10**9,
    "FIT/Mbit": _HOURS / _MEGABIT / 10**9,
}
PATTERN = r"^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\s*(" + "|".join(UNITS) + ")$"
HIGHEST = Decimal("0.01")  # Beyond any orbit; it is more likely that the unit is wrong.


def parse_rate(value: object) -> Decimal:
    """Return how many upsets one bit has in a day, above 0.

    Raises `ValueError` whose text says what is wrong and what would be right.
    """
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        raise ValueError(f"{value} has no unit; write '{value}/bit/day' or '{value}FIT/Mbit'")
    if not isinstance(value, str):
        raise ValueError(f"expected a rate of upsets such as '{EXAMPLE}'")
    match = _RATE.fullmatch(value)
    if not match:
        raise ValueError(f"{value!r} is no rate of upsets; expected one such as '{EXAMPLE}'")
    number, unit = match[1], match[2]
    if not unit:
        raise ValueError(f"{value!r} has no unit; write '{number}/bit/day' or '{number}FIT/Mbit'")
    if unit not in UNITS:
        raise ValueError(f"{value!r}: unknown unit {unit!r}; known here: {', '.join(UNITS)}")
    rate = Decimal(number) * UNITS[unit]
    if not 0 < rate <= HIGHEST:
        raise ValueError(f"{value!r} is out of range: above 0, at most {HIGHEST}/bit/day")
    return rate
