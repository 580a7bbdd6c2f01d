# SPDX-License-Identifier: Apache-2.0
"""Statistics as a table on the terminal, and as JSON."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telemetry.columns.limits import LimitState
from telemetry.common.text import count, printable
from telemetry.ops.statistics import ApidStatistics, ColumnStatistics, Statistics

if TYPE_CHECKING:
    from rich.table import Table

_MAX_CELL = 28
_STATE_WORDS = {
    LimitState.ALARM_HIGH: "alarm high",
    LimitState.ALARM_LOW: "alarm low",
    LimitState.WARNING_HIGH: "warning high",
    LimitState.WARNING_LOW: "warning low",
}


def number_text(value: object) -> str:
    """Return a value as tables show it: floats to six digits."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int):
        return str(value)
    text = printable(str(value))
    return text if len(text) <= _MAX_CELL else text[: _MAX_CELL - 3] + "..."


def limits_text(column: ColumnStatistics) -> str:
    """Return what the limits say of a column; "" where it has none."""
    judged = sum(column.states[state] for state in LimitState if state != LimitState.UNKNOWN)
    if not judged:
        return "not judged" if column.states[LimitState.UNKNOWN] else ""
    parts = [
        f"{column.states[state]:,} {words}"
        for state, words in _STATE_WORDS.items()
        if column.states[state]
    ]
    return ", ".join(parts) or "ok"


def violation_lines(statistics: Statistics, *, in_frames: bool) -> Iterator[str]:
    """Yield where each column was first outside of its limits."""
    where = f"first outside of its limits in the {'frame' if in_frames else 'packet'} at byte"
    for number, apid in sorted(statistics.apids.items()):
        for column in apid.columns.values():
            if column.first_violation is not None:
                name = printable(column.name)
                yield f"APID {number}, {name}: {where} {column.first_violation:,}"


def quality_text(column: ColumnStatistics, end: int) -> str:
    """Return what speaks against the values of a column; "" if nothing does."""
    left_out = (
        (column.untrusted, "of damaged packets"),
        (column.invalid, "not valid"),
        (column.not_numbers, "no number"),
        (column.absent, "absent"),
    )
    parts = ["stale"] if column.is_stale(end) else []
    parts += [f"{number:,} {words}" for number, words in left_out if number]
    return ", ".join(parts)


def rate_text(apid: ApidStatistics) -> str:
    """Return how often packets came, where they have times."""
    rate = apid.packets_per_s
    if rate is None or apid.first_time is None or apid.last_time is None:
        return ""
    first, last = moment_text(apid.first_time), moment_text(apid.last_time)
    return f"{rate:.4g} packets/s from {first} to {last}"


def moment_text(time_ms: float) -> str:
    """Return a time in ms since 1970-01-01 UTC as people write it."""
    try:
        return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return "a time beyond the calendar"


def tables(statistics: Statistics, end: int) -> Iterator["Table"]:
    """Yield a table for each APID, a line for each column; `end`: octets of the input."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    for _, apid in sorted(statistics.apids.items()):
        rate = rate_text(apid)
        title = f"APID {apid.apid}: {count(apid.packets, 'packet')}{', ' if rate else ''}{rate}"
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
        for name in ("column", "unit", "values", "min", "mean", "max", "last", "limits", "quality"):
            is_text = name in ("column", "unit", "limits", "quality")
            table.add_column(
                name, justify="left" if is_text else "right", no_wrap=name not in ("quality",)
            )
        for column in apid.columns.values():
            cells = (
                printable(column.name), printable(column.unit), f"{column.values:,}",
                number_text(column.low), number_text(column.mean), number_text(column.high),
                number_text(column.last), limits_text(column), quality_text(column, end),
            )  # fmt: skip
            table.add_row(*map(Text, cells))
        yield table


def statistics_record(statistics: Statistics, end: int) -> dict[str, Any]:
    """Return statistics by APID and column, ready for JSON."""
    return {
        str(number): {
            "packets": apid.packets,
            "missing": apid.missing,
            "gap_count": apid.gap_count,
            "packets_per_s": apid.packets_per_s,
            "first_time_ms": apid.first_time,
            "last_time_ms": apid.last_time,
            "columns": {name: _column_record(column, end) for name, column in apid.columns.items()},
        }
        for number, apid in sorted(statistics.apids.items())
    }


def _column_record(column: ColumnStatistics, end: int) -> dict[str, Any]:
    return {
        "unit": column.unit,
        "values": column.values,
        "min": _finite(column.low),
        "mean": _finite(column.mean),
        "max": _finite(column.high),
        "last": _finite(column.last),
        "last_state": column.last_state.name.lower(),
        "last_offset": column.last_place,
        "is_stale": column.is_stale(end),
        "absent": column.absent,
        "invalid": column.invalid,
        "not_numbers": column.not_numbers,
        "of_damaged_packets": column.untrusted,
        "violations": column.violations,
        "first_violation_offset": column.first_violation,
        "states": {state.name.lower(): n for state, n in column.states.items() if n},
    }


def _finite(value: Any) -> Any:
    """Return a value that JSON can say; what it cannot is text, as elsewhere."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
