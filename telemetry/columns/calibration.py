# SPDX-License-Identifier: Apache-2.0
"""Calibrations: raw counts to engineering values, whole columns at a time.

Names are those of XTCE (CCSDS 660.1-B): a polynomial has its coefficients from low to high, a
spline joins points by straight lines (order 1) and extrapolates only when told to. A count that
has no engineering value becomes NaN, never a neighbour's value.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias, cast

import numpy as np

from telemetry.columns.column import Array
from telemetry.errors import InputError


@dataclass(frozen=True, slots=True)
class Polynomial:
    """c0 + c1*x + c2*x**2 ...; `coefficients` from low to high."""

    coefficients: tuple[float, ...]

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong with the coefficients."""
        if not self.coefficients:
            yield "a polynomial needs at least one coefficient"
        yield from _not_numbers("coefficient", self.coefficients)

    def apply(self, raw: Array) -> Array:
        """Return float64 engineering values of raw counts."""
        counts = raw.astype(np.float64)
        values: Array = np.zeros_like(counts)
        for coefficient in reversed(self.coefficients):
            values = values * counts + coefficient
        return values


@dataclass(frozen=True, slots=True)
class Spline:
    """Straight lines between `points` (raw, engineering), whose raw counts rise.

    Outside of the first and last point there is no value, unless `extrapolate` lengthens the
    outermost lines.
    """

    points: tuple[tuple[float, float], ...]
    extrapolate: bool = False

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong with the points."""
        if any(not _is_pair(point) for point in self.points):
            yield f"the points of a spline are pairs (raw, engineering), not {self.points}"
            return
        if len(self.points) < 2:
            yield f"a spline needs at least two points, not {len(self.points)}"
        numbers = [number for point in self.points for number in point]
        if wrong := list(_not_numbers("number in a point", numbers)):
            yield from wrong
            return
        for (before, _), (after, _) in pairwise(self.points):
            if after <= before:
                yield f"the raw counts of a spline must rise, but {after} follows {before}"

    def apply(self, raw: Array) -> Array:
        """Return float64 engineering values of raw counts."""
        x, y = np.array(self.points, dtype=np.float64).T
        counts = raw.astype(np.float64)
        values: Array = np.interp(counts, x, y)
        below, above = counts < x[0], counts > x[-1]
        if self.extrapolate:
            values[below] = y[0] + (counts[below] - x[0]) * (y[1] - y[0]) / (x[1] - x[0])
            values[above] = y[-1] + (counts[above] - x[-1]) * (y[-1] - y[-2]) / (x[-1] - x[-2])
        else:
            values[below | above] = np.nan
        return values


@dataclass(frozen=True, slots=True)
class Table:
    """Exactly the counts of `entries` have a value; every other is NaN.

    `entries` are pairs (raw, engineering), or a dict.
    """

    entries: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", _pairs(self.entries))

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong with the entries."""
        if any(not _is_pair(entry) for entry in self.entries):
            yield f"the entries of a table are pairs (raw, engineering), not {self.entries}"
            return
        if not self.entries:
            yield "a table needs at least one entry"
        yield from _not_numbers("number in a table", [n for entry in self.entries for n in entry])
        yield from _duplicates("table", [raw for raw, _ in self.entries])

    def apply(self, raw: Array) -> Array:
        """Return float64 engineering values of raw counts."""
        entries = sorted((key, value) for key, value in self.entries if _fits(key, raw.dtype))
        if not entries:
            return np.full(raw.shape, np.nan)
        keys = np.array([key for key, _ in entries], dtype=raw.dtype)
        values = np.array([value for _, value in entries], dtype=np.float64)
        at = np.searchsorted(keys, raw).clip(max=len(keys) - 1)
        return np.where(keys[at] == raw, values[at], np.nan)


@dataclass(frozen=True, slots=True)
class Names:
    """Names of counts, as of an Enum; a count without a name stays a number.

    `entries` are pairs (raw, name), or a dict.
    """

    entries: tuple[tuple[int, str], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", _pairs(self.entries))

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong with the entries."""
        if any(not _is_pair(entry) for entry in self.entries):
            yield f"the entries of an enumeration are pairs (raw, name), not {self.entries}"
            return
        if not self.entries:
            yield "an enumeration needs at least one name"
        for raw, name in self.entries:
            if isinstance(raw, bool) or not isinstance(raw, int) or not isinstance(name, str):
                yield f"an enumeration takes whole counts to names, not {raw!r} to {name!r}"
        yield from _duplicates("enumeration", [raw for raw, _ in self.entries])

    @property
    def categories(self) -> dict[int, str]:
        """Names by count."""
        return dict(self.entries)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the user's: float64 counts of a whole column in, as many values out."""

    function: Callable[[Array], Any]

    def mistakes(self) -> Iterator[str]:
        """Yield nothing: what a function does is seen when it is called."""
        return iter(())

    def apply(self, raw: Array) -> Array:
        """Return float64 engineering values; raise what the function raises, or `ValueError`."""
        with np.errstate(all="ignore"):
            values = np.asarray(self.function(raw.astype(np.float64)), dtype=np.float64)
        if values.shape != raw.shape:
            got = f"{values.size:,} values" if values.ndim else "one value"
            raise ValueError(f"it returned {got} for {raw.size:,} counts; expected one for each")
        return values


Calibration: TypeAlias = Polynomial | Spline | Table | Names | Function


def as_calibration(found: object) -> Calibration | None:
    """Return what a user wrote as a calibration; `InputError` for anything else.

    Numbers are the coefficients of a polynomial, pairs are the points of a spline, a dict is a
    table, or names if its values are text, and a callable is a function.
    """
    if found is None or isinstance(found, Calibration):
        return found
    if isinstance(found, Mapping):
        entries: Any = tuple(found.items())
        return Names(entries) if any(isinstance(v, str) for v in found.values()) else Table(entries)
    if isinstance(found, Sequence | np.ndarray) and not isinstance(found, str | bytes):
        if any(isinstance(item, Sequence) for item in found):
            return Spline(tuple(_tupled(item) for item in found))
        return Polynomial(tuple(found))
    if callable(found):
        return Function(cast("Callable[[Array], Any]", found))
    raise InputError(
        f"calibration is {found!r}; expected the coefficients of a polynomial, low first, the "
        "points of a spline, a dict raw -> value or name, or a function"
    )


def _tupled(item: Any) -> Any:
    return tuple(item) if isinstance(item, Sequence) else item


def _pairs(found: Any) -> Any:
    """Return the entries of a dict or of any sequence as a tuple of tuples; else what it is."""
    if isinstance(found, Mapping):
        return tuple(found.items())
    return tuple(map(_tupled, found)) if isinstance(found, Sequence) else found


def _is_pair(found: object) -> bool:
    return isinstance(found, tuple) and len(found) == 2


def _not_numbers(what: str, found: Sequence[object]) -> Iterator[str]:
    for item in found:
        is_number = isinstance(item, int | float | np.number) and not isinstance(item, bool)
        if not is_number or not math.isfinite(cast("float", item)):
            yield f"{item!r} as a {what}; expected a finite number"


def _duplicates(what: str, keys: Sequence[object]) -> Iterator[str]:
    for key in dict.fromkeys(key for n, key in enumerate(keys) if key in keys[:n]):
        yield f"the {what} has the raw count {key!r} more than once"


def _fits(key: float, dtype: Any) -> bool:
    if dtype.kind not in "iu":
        return True
    info = np.iinfo(dtype)
    return key == int(key) and info.min <= key <= info.max
