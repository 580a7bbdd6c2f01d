# SPDX-License-Identifier: Apache-2.0
"""Failures in a day, in words and numbers for whoever reads them."""

from typing import TYPE_CHECKING

from fw_tools.upset.failures import Daily, FailuresPerDay

if TYPE_CHECKING:
    from rich.console import Console

WHY_EXCLUDED = "an upset there changes gates and wires, which no flip of a stored bit shows"
_DAYS_PER_YEAR = 365.25


def print_failures(daily: FailuresPerDay, console: "Console") -> None:
    """Print what a day has of upsets and failures, and what is left out."""
    from rich import box
    from rich.table import Table

    console.print(f"\n{basis(daily)}:", markup=False, highlight=False, soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("in a day")
    table.add_column("", justify="right")
    if not daily.is_exhaustive:
        table.add_column(f"{daily.confidence:.0%} interval", justify="right")
    table.add_column("")
    for name, *cells in rows(daily):
        table.add_row(name, *cells)
    console.print(table)
    console.print(excluded(daily), markup=False, highlight=False, soft_wrap=True)


def basis(daily: FailuresPerDay) -> str:
    """Return what the numbers are worked out from."""
    rates, parts = daily.rates, []
    if daily.flip_flops:
        parts.append(
            f"{daily.flip_flops:,} flip-flops at {rates.flip_flop:.3g} upsets a bit and day"
        )
    if daily.memory_bits:
        parts.append(f"{daily.memory_bits:,} bits of memory at {rates.memory:.3g}")
    return f"{', '.join(parts)} ({rates.orbit})"


def rows(daily: FailuresPerDay) -> list[list[str]]:
    """Return name, number, interval where there is one, and how often that is."""
    all_upsets = Daily("upsets", daily.upsets, daily.upsets, daily.upsets)
    found = []
    for row in (all_upsets, *daily.rows):
        ends = f"{_short(row.low)} to {_short(row.high)}" if row.low < row.high else ""
        words = every(row.per_day) if row.per_day else _none_seen(row)
        found.append(
            [row.name, _short(row.per_day), *([] if daily.is_exhaustive else [ends]), words]
        )
    return found


def _short(per_day: float) -> str:
    return f"{per_day:.2e}" if per_day else "0"


def _none_seen(row: Daily) -> str:
    return f"none seen, at most {every(row.high)}" if row.high else "none"


def every(per_day: float) -> str:
    """Return "one in 3.1 years"."""
    days = 1 / per_day
    if days < 1:
        return f"{per_day:,.1f} a day"
    if days < _DAYS_PER_YEAR:
        return f"one in {days:,.3g} days"
    return f"one in {_compact(days / _DAYS_PER_YEAR)} years"


def _compact(number: float) -> str:
    return f"{number:,.1f}" if number < 100 else f"{number:,.0f}"


def excluded(daily: FailuresPerDay) -> str:
    """Return what the numbers leave out."""
    upsets, many = daily.configuration_upsets, ""
    if upsets is not None:
        bits = daily.rates.configuration_bits
        many = f" of {bits:,} bits, {upsets:.2e} upsets a day, {every(upsets)}"
    return f"excluded: configuration memory{many}; {WHY_EXCLUDED}"
