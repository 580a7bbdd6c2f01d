# SPDX-License-Identifier: Apache-2.0
"""Quantities with units in text ("1.05V", "0.2ms..40ms") to exact integers, and nothing rounded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from fw_tools.spec.findings import nearest

# At most 12 digits on either side: within Decimal's 28, so that scaling by a unit is exact.
_QUANTITY = re.compile(
    r"\s*([+-]?)(\d{1,12}(?:\.\d{1,12})?|\.\d{1,12})\s*([^\s\d.,]*)\s*", re.ASCII
)
_MICRO = str.maketrans({"\u00b5": "u", "\u03bc": "u"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A kind of quantity: its name, an example, and its units as multiples of the resolution."""

    name: str  # With its article, as in "a voltage".
    example: str
    resolution: str  # The unit of the integers, as in "1mV".
    units: Mapping[str, Decimal]
    usual: tuple[str, ...]  # Units that a bare number may have meant.


def _units(**factors: str) -> dict[str, Decimal]:
    return {unit: Decimal(factor) for unit, factor in factors.items()}


VOLTAGE = Dimension(
    name="a voltage",
    example="1.05V",
    resolution="1mV",
    units=_units(uV="1e-3", mV="1", V="1e3", kV="1e6"),
    usual=("V", "mV"),
)
CURRENT = Dimension(
    name="a current",
    example="60A",
    resolution="1mA",
    units=_units(uA="1e-3", mA="1", A="1e3", kA="1e6"),
    usual=("A", "mA"),
)
TIME = Dimension(
    name="a time",
    example="0.2ms",
    resolution="1us",
    units=_units(ns="1e-3", us="1", ms="1e3", s="1e6", min="6e7", h="3.6e9"),
    usual=("us", "ms", "s"),
)
FREQUENCY = Dimension(
    name="a frequency",
    example="50MHz",
    resolution="1Hz",
    units=_units(mHz="1e-3", Hz="1", kHz="1e3", MHz="1e6", GHz="1e9"),
    usual=("Hz", "MHz"),
)
PERCENT = Dimension(
    name="a percentage",
    example="95%",
    resolution="1%",
    units={"%": Decimal(1)},
    usual=("%",),
)
SHARE = Dimension(
    name="a share",
    example="0.5%",
    resolution="0.0001%",
    units={"%": Decimal(10_000)},
    usual=("%",),
)
SIZE = Dimension(
    name="a size",
    example="4MiB",
    resolution="1KiB",
    units=_units(KiB="1", MiB="1024"),
    usual=("MiB",),
)
DIMENSIONS = (VOLTAGE, CURRENT, TIME, FREQUENCY, PERCENT, SIZE)


def parse_quantity(value: object, dimension: Dimension) -> int:
    """Return the quantity in units of the dimension's resolution: "1.05V" is 1050 (mV).

    Raises `ValueError` whose text says what is wrong and what would be right.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(f"expected {dimension.name} such as {dimension.example!r}")
    if not isinstance(value, str):
        raise ValueError(_without_unit(str(value), str(value), dimension))
    match = _QUANTITY.fullmatch(value)
    if not match:
        raise ValueError(
            f"{value!r} is not a quantity; expected {dimension.name} such as {dimension.example!r}"
        )
    sign, number, unit = match[1], match[2], match[3].translate(_MICRO)
    if not unit:
        raise ValueError(_without_unit(repr(value), sign + number, dimension))
    if unit not in dimension.units:
        raise ValueError(_foreign_unit(value, number, unit, dimension))
    return _exact(value, Decimal(sign + number) * dimension.units[unit], dimension)


def parse_between(value: object, dimension: Dimension, lowest: str, highest: str) -> int:
    """As `parse_quantity`, and `ValueError` outside `lowest`..`highest`."""
    result = parse_quantity(value, dimension)
    if not parse_quantity(lowest, dimension) <= result <= parse_quantity(highest, dimension):
        raise ValueError(f"{value!r} is out of range {lowest}..{highest}")
    return result


def parse_window(value: object, highest: str) -> tuple[int, int]:
    """Return both ends, in us, of a window such as "0.2ms..40ms"; the first may be "0us".

    Raises `ValueError` when an end is wrong, missing, beyond `highest`, or the ends are swapped.
    """
    if not isinstance(value, str) or ".." not in value:
        raise ValueError(f"{_shown(value)} is no window; expected two times such as '0.2ms..40ms'")
    first, _, last = value.partition("..")
    low = parse_between(first.strip(), TIME, "0us", highest)
    high = parse_between(last.strip(), TIME, "0us", highest)
    if low >= high:
        raise ValueError(f"{value!r} ends before it begins; expected earliest..latest")
    return low, high


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def _without_unit(shown: str, number: str, dimension: Dimension) -> str:
    right = " or ".join(repr(number + unit) for unit in dimension.usual)
    return f"{shown} has no unit; write {right}"


def _foreign_unit(value: str, number: str, unit: str, dimension: Dimension) -> str:
    right = f"expected {dimension.name} such as {dimension.example!r}"
    other = next((known for known in DIMENSIONS if unit in known.units), None)
    if other:
        return f"{value!r} is {other.name}; {right}"
    near = nearest(unit, dimension.units)
    if near and near.lower() == unit.lower():
        return f"{value!r}: unknown unit {unit!r}; did you mean {number + near!r}?"
    return f"{value!r}: unknown unit {unit!r}; {right}"


def _exact(value: str, scaled: Decimal, dimension: Dimension) -> int:
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value!r} is finer than the resolution of {dimension.resolution}")
    return int(scaled)
