# SPDX-License-Identifier: Apache-2.0
"""What came of a campaign, for a terminal."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fw_tools.upset.engine import Outcome
from fw_tools.upset.failures_table import print_failures
from fw_tools.upset.faults import WORDS, Sort
from fw_tools.upset.summary import Case, Row, Share, Summary

if TYPE_CHECKING:
    from rich.console import Console

MEANINGS = {
    Outcome.UNSAFE: "what must never be, was",
    Outcome.SILENT: "wrong data, no alarm in time",
    Outcome.HANG: "nothing handed over any more",
    Outcome.DETECTED: "wrong data, alarm in time",
    Outcome.OUTAGE: "false alarm or needless safe action",
    Outcome.CORRECTED: "found and corrected",
    Outcome.TIMING: "the same data at other clocks",
    Outcome.LATENT: "the state still differs at the end",
    Outcome.MASKED: "nothing came of it",
}
HARMLESS = {Outcome.CORRECTED, Outcome.MASKED}
_SHOWN = 12  # Registers.
THINGS = {
    Sort.TRANSIENTS: "instance",
    Sort.STUCK_NETS: "instance",
    Sort.RESETS: "reset",
    Sort.CLOCKS: "clock",
}


def print_summary(summary: Summary, console: "Console", line: Callable[[Case], str]) -> None:
    """Print the outcomes and the registers that fared worst, each with its `line` to replay it."""
    _print_shares(summary, console)
    if summary.latency_quantiles:
        least, median, most_99, most = summary.latency_quantiles
        console.print(
            f"\nclocks from a flip to its alarm: {least} least, {median} median, "
            f"{most_99} for 99 %, {most} most"
        )
    if summary.daily:
        print_failures(summary.daily, console)
    bad = [row for row in summary.rows if row.count(set(Outcome) - HARMLESS)]
    if bad:
        console.print()
        _print_rows(summary, bad, console)
        _print_cases([row.case for row in bad[:_SHOWN] if row.case], console, line)


def _print_cases(cases: Sequence[Case], console: "Console", line: Callable[[Case], str]) -> None:
    """Print a line for each register that has been unsafe or silent, whole, to be copied."""
    if cases:
        console.print("\nthe first of each register again in Verilator, with waves:")
    for case in cases:
        text = f"  {case.outcome.name.lower():<6}  {line(case)}"
        console.print(text, markup=False, highlight=False, soft_wrap=True)


def _print_shares(summary: Summary, console: "Console") -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("outcome")
    table.add_column(WORDS[summary.sort].faults, justify="right")
    table.add_column("share", justify="right")
    if not summary.is_exhaustive:
        table.add_column(f"{summary.confidence:.0%} interval", justify="right")
    table.add_column("")
    for share in summary.shares:
        interval = [] if summary.is_exhaustive else [_interval(share)]
        table.add_row(
            share.outcome.name.lower(),
            f"{share.found:,}",
            f"{share.share:.3%}",
            *interval,
            MEANINGS[share.outcome],
        )
    console.print(table)


def _percent(row: Row, outcome: Outcome) -> str:
    return f"{row.counts[outcome] / row.flips:.2%}" if row.counts[outcome] else ""


def _interval(share: Share) -> str:
    return f"{share.low:.3%} to {share.high:.3%}"


def _print_rows(summary: Summary, rows: list[Row], console: "Console") -> None:
    from rich import box
    from rich.table import Table

    thing = THINGS.get(summary.sort, "register")
    seen = [each for each in Outcome if any(row.counts[each] for row in rows)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(f"{thing}, worst first", overflow="fold")
    table.add_column(WORDS[summary.sort].places, justify="right")
    for each in seen:
        table.add_column(each.name.lower(), justify="right")
    for row in rows[:_SHOWN]:
        shares = [
            f"{row.counts[each] / row.flips:.2%}" if row.counts[each] else "" for each in seen
        ]
        table.add_row(row.name, str(row.places), *shares)
    console.print(table)
    if len(rows) > _SHOWN:
        console.print(f"and {len(rows) - _SHOWN} more {thing}s, in summary.json")
