# SPDX-License-Identifier: Apache-2.0
"""Statistics as a table on the terminal, and as JSON."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telemetry.columns.limits import Limits, LimitState
from telemetry.common.tables import Head, fitted_table, left_out_text
from telemetry.common.text import count, printable
from telemetry.ops.ledger import Ledger
from telemetry.ops.statistics import ApidStatistics, ColumnStatistics, Statistics

if TYPE_CHECKING:
    from rich.table import Table

_MAX_CELL = 28
_PLAIN_LOW, _PLAIN_HIGH = 1e-3, 1e12  # Between them numbers are written without an exponent.
_EXACT_HIGH = 10**15  # So are integers below it.
_STATE_WORDS = {
    LimitState.ALARM_HIGH: "alarm high",
    LimitState.ALARM_LOW: "alarm low",
    LimitState.WARNING_HIGH: "warning high",
    LimitState.WARNING_LOW: "warning low",
}


def number_text(value: object, most: int = _MAX_CELL) -> str:
    """Return a value as tables show it: numbers to six digits or whole, text cut to `most`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < _EXACT_HIGH else f"{value:.6g}"
    text = printable(str(value))
    return text if len(text) <= most else text[: most - 3] + "..."


def _float_text(value: float) -> str:
    """Return six significant digits, all of those before the point, and no needless zeros."""
    size = abs(value)
    if not math.isfinite(value) or not (size == 0 or _PLAIN_LOW <= size < _PLAIN_HIGH):
        return f"{value:.6g}"
    digits = 5 - (math.floor(math.log10(size)) if size else 0)
    text = f"{value:,.{max(digits, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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


def persistence_text(limits: Limits | None) -> str:
    """Return how many violations in a row it takes; "" where each counts."""
    if limits is None or limits.max_persistence == 1:
        return ""
    wanted = {limits.persistence, *(inner.persistence for _, inner in limits.contexts)}
    numbers = " or ".join(f"{number:,}" for number in sorted(wanted))
    return f"counted from {numbers} violations in a row on"


def violation_lines(statistics: Statistics, ledger: Ledger, *, in_frames: bool) -> Iterator[str]:
    """Yield where and when each column was first outside of its limits."""
    where = f"first outside of its limits in the {'frame' if in_frames else 'packet'} at"
    for number, apid in sorted(statistics.apids.items()):
        for column in apid.columns.values():
            if column.first_violation is not None:
                name, when = printable(column.name), first_violation_time(apid, column)
                at = f"{ledger.where(column.first_violation)}{', at ' if when else ''}{when}"
                held = persistence_text(statistics.limits(number, column.name))
                yield f"APID {number}, {name}: {where} {at}{f' ({held})' if held else ''}"


def first_violation_time(apid: ApidStatistics, column: ColumnStatistics) -> str:
    """Return the UTC time of the first value outside of its limits; "" where nothing tells it."""
    is_known = apid.has_time and column.first_violation_at is not None
    return moment_text(column.first_violation_at or 0.0) if is_known else ""


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


_HEADS = (
    Head(name="column", least=16, is_first=True), Head(name="unit", is_optional=True),
    Head(name="values", is_number=True, rank=3), Head(name="min", is_number=True),
    Head(name="mean", is_number=True, rank=2), Head(name="max", is_number=True),
    Head(name="last", is_number=True), Head(name="limits", least=12, is_optional=True),
    Head(name="quality", least=12, is_optional=True),
)  # fmt: skip
_MAX_LAST = 14


def tables(statistics: Statistics, end: int, width: int) -> Iterator["tuple[Table, str]"]:
    """Yield a table for each APID, a line for each column, and what to tell below it.

    `end`: octets of the input; `width`: of the terminal.
    """
    for _, apid in sorted(statistics.apids.items()):
        rate = rate_text(apid)
        title = f"APID {apid.apid}: {count(apid.packets, 'packet')}{', ' if rate else ''}{rate}"
        rows = [
            (
                printable(column.name), printable(column.unit), f"{column.values:,}",
                number_text(column.low), number_text(column.mean), number_text(column.high),
                number_text(column.last, _MAX_LAST), limits_text(column),
                quality_text(column, end),
            )
            for column in apid.columns.values()
        ]  # fmt: skip
        table, left_out = fitted_table(_HEADS, rows, width, title)
        yield table, left_out_text(left_out)


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
            "columns": {
                name: _column_record(column, end, has_time=apid.has_time)
                for name, column in apid.columns.items()
            },
        }
        for number, apid in sorted(statistics.apids.items())
    }


def _column_record(column: ColumnStatistics, end: int, *, has_time: bool) -> dict[str, Any]:
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
        "first_violation_time_ms": column.first_violation_at if has_time else None,
        "states": {state.name.lower(): n for state, n in column.states.items() if n},
    }


def _finite(value: Any) -> Any:
    """Return a value that JSON can say; what it cannot is text, as elsewhere."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
