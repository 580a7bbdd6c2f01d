# SPDX-License-Identifier: Apache-2.0
"""Which columns a report draws, and the points of their plots."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from telemetry.columns.column import Array
from telemetry.columns.definition import CRC_FIELD
from telemetry.columns.limits import Limits
from telemetry.common.text import printable
from telemetry.ops.report_facts import Report
from telemetry.ops.series import MinMaxSeries
from telemetry.ops.statistics import ApidStatistics, ColumnStatistics, Statistics
from telemetry.ops.timeline import STEP_NAMES

MAX_PLOTS = 24
_MAX_TICKS = 12
_MAX_MARKS = 200  # Of duplicates, and of stretches that are no packet.
_SPARK_STRETCHES = 60
_SPARK_WIDTH, _SPARK_HEIGHT = 120, 22


@dataclass(frozen=True, slots=True)
class Plot:
    """A column to be drawn."""

    apid: ApidStatistics
    column: ColumnStatistics
    limits: Limits | None

    @property
    def is_steps(self) -> bool:
        """Whether the values are names, or flags, which nothing lies between."""
        return self.column.categories is not None

    @property
    def held_persistence(self) -> int:
        """How many violations in a row it takes where fewer can be told from the plot, else 1."""
        limits = self.limits
        return 1 if limits is None or limits.contexts else limits.persistence


def choose_plots(statistics: Statistics) -> tuple[list[Plot], int]:
    """Return the columns to draw, and how many more there are that could be.

    Those that violate limits come first, then those that have some, then others, in order of the
    definition. Constant columns, times, and the CRC are left out, unless columns were asked for.
    """
    is_asked = bool(statistics.options.columns)
    plots = []
    for number, apid in sorted(statistics.apids.items()):
        dull = {CRC_FIELD, *statistics.time_names(number)}
        for name, column in apid.columns.items():
            limits = statistics.limits(number, name)
            is_dull = name in dull or (column.is_constant and not limits)
            if column.is_number and column.values and (is_asked or not is_dull):
                plots.append(Plot(apid, column, limits))
    plots.sort(key=lambda plot: (-plot.column.alarms, -plot.column.violations, plot.limits is None))
    return plots[:MAX_PLOTS], max(len(plots) - MAX_PLOTS, 0)


def plot_record(plot: Plot, report: Report) -> dict[str, Any]:
    """Return what the page's script draws; lengths of `x`, `y` and `marks` are equal."""
    series = plot.column.series
    drawn = series.drawn() if series else np.empty((3, 0))
    noise = report.noise[:_MAX_MARKS]
    record = report.ledger.apids.get(plot.apid.apid)
    repeats = record.sequence.repeats if record else []
    x, y, marks = _broken(drawn, plot.apid, series.holes() if series else [])
    return {
        "apid": plot.apid.apid,
        "name": printable(plot.column.name),
        "unit": printable(plot.column.unit),
        "is_time": plot.apid.has_time,
        "is_steps": plot.is_steps,
        "span": _span(plot.apid),
        "x": x,
        "y": y,
        "marks": marks,
        "gaps": [[gap.start, gap.end] for gap in plot.apid.gaps],
        "clock": [
            [mark.at, STEP_NAMES[mark.step].replace("_", " ")] for mark in plot.apid.clock_marks
        ],
        "limits": list(_limit_lines(plot.limits)),
        "ticks": _ticks(plot.column),
        "persistence": plot.held_persistence,
        "bounds": _bounds(plot.limits),
        "damaged": plot.apid.damaged.drawn()[0].tolist(),
        "repeats": plot.apid.find(repeats[:_MAX_MARKS]),
        "noise": [
            [at, octets]
            for at, (_, octets) in zip(
                plot.apid.find([place for place, _ in noise]), noise, strict=True
            )
        ],
    }


def _span(apid: ApidStatistics) -> list[float]:
    """Return where the axis of an APID begins and ends, with a little room."""
    first, last = apid.first_time, apid.last_time
    if first is None or last is None:
        first, last = 0.0, float(apid.packets + apid.missing - 1)
    room = (last - first or 1.0) * 0.01
    return [first - room, last + room]


def _broken(
    drawn: Array, apid: ApidStatistics, left_out: list[float]
) -> tuple[list[Any], list[Any], list[int]]:
    """Return the points with holes, over which no line is drawn.

    They are at gaps, where values were left out, and where time falls.
    """
    x, y = ([_short(value) for value in row] for row in drawn[:2].tolist())
    marks = [int(mark) for mark in drawn[2].tolist()]
    ends = [gap.end for gap in apid.gaps] + left_out
    holes = np.searchsorted(drawn[0], ends, side="left").tolist()
    if apid.clock_marks:
        holes += (np.flatnonzero(np.diff(drawn[0]) < 0) + 1).tolist()  # Time fell back.
    for at in sorted(set(holes), reverse=True):
        if 0 < at < drawn.shape[1]:
            x.insert(at, x[at])
            y.insert(at, None)
            marks.insert(at, 0)
    return x, y, marks


def _short(value: float) -> float | int | None:
    """Return a number in few characters; what cannot be drawn is a hole."""
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) and abs(value) < 1e15 else float(f"{value:.9g}")


def _limit_lines(limits: Limits | None) -> Iterator[tuple[str, float]]:
    if limits is None:
        return
    for kind, bounds in (("warning", limits.warning), ("alarm", limits.alarm)):
        yield from ((kind, float(bound)) for bound in bounds or () if bound is not None)


def _bounds(limits: Limits | None) -> dict[str, float | None]:
    """Return beyond which values lie outside of any limit."""
    pairs = (limits.warning, limits.alarm) if limits else ()
    lows, highs = zip(*(pair for pair in pairs if pair), strict=True) if any(pairs) else ((), ())
    return {
        "low": max((float(low) for low in lows if low is not None), default=None),
        "high": min((float(high) for high in highs if high is not None), default=None),
    }


def _ticks(column: ColumnStatistics) -> list[tuple[int, str]]:
    """Return the names of an Enum that are within reach of its values."""
    if not column.categories or column.low is None or column.high is None:
        return []
    named = sorted(column.categories.items())
    near = [(raw, printable(name)) for raw, name in named if column.low <= raw <= column.high]
    return near if len(near) <= _MAX_TICKS else []


def sparkline(column: ColumnStatistics) -> str:
    """Return a small SVG of a column; "" where there is nothing to draw."""
    if column.series is None or not column.is_number or column.values < 2 or column.is_constant:
        return ""
    drawn = column.series.drawn()
    small = MinMaxSeries(_SPARK_STRETCHES)
    small.add(drawn[0], drawn[1])
    x, y = small.drawn()[:2]
    x, y = _scaled(x, _SPARK_WIDTH), _SPARK_HEIGHT - _scaled(y, _SPARK_HEIGHT - 2) - 1
    points = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    return (
        f'<svg class="spark" viewBox="0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}" aria-hidden="true" '
        f'preserveAspectRatio="none"><path d="M{points}"/></svg>'
    )


def _scaled(values: Array, size: int) -> Array:
    span = float(values.max() - values.min()) or 1.0
    scaled: Array = (values - values.min()) / span * size
    return scaled
