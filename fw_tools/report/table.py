# SPDX-License-Identifier: Apache-2.0
"""The one table at the end of a run, and the lines under it."""

from typing import TYPE_CHECKING

from fw_tools.report.records import RunReport, Status, TestRecord

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.ERROR: "bold red",
    Status.SKIPPED: "yellow",
}
_SHOWN_LINES = 12  # Of a failure's message; the log holds the rest.


def print_table(report: RunReport, console: "Console") -> None:
    """Print every test of a run, then each failure in full, then the verdict."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("bench", "test", "result"):
        table.add_column(heading, overflow="fold")
    for heading in ("simulated", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    last = ""
    for record in report.records:
        bench = "" if record.bench == last else record.bench
        status = Text(record.status, style=_STYLES[record.status])
        table.add_row(
            Text(bench),
            Text(report.shown_test(record)),
            status,
            sim_time(record.sim_ns),
            f"{record.seconds:.2f}",
        )
        last = record.bench
    console.print(table)
    for record in report.records:
        if not record.is_good:
            _print_failure(record, console)
    console.print(Text(verdict(report), style="bold green" if report.is_good else "bold red"))


def verdict(report: RunReport) -> str:
    """Return one line: how many tests ran, and how they ended."""
    counts = [f"{report.count(status)} {status}" for status in Status if report.count(status)]
    benches = len(report.benches)
    ran = f"{len(report.records)} tests in {benches} bench{'' if benches == 1 else 'es'}"
    return (
        f"{ran}: {', '.join(counts) or 'none ran'} in {report.seconds:.1f} s (seed {report.seed})"
    )


def sim_time(nanoseconds: float) -> str:
    """Return simulated time in the largest unit that keeps it above 1; "" for none."""
    for unit, factor in (("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0)):
        if nanoseconds >= factor:
            return f"{nanoseconds / factor:.4g} {unit}"
    return ""


def _print_failure(record: TestRecord, console: "Console") -> None:
    from rich.text import Text

    console.print(Text(f"\n{record.status} {record.bench} {record.test}", style="bold red"))
    lines = record.message.splitlines()
    hidden = len(lines) - _SHOWN_LINES
    for line in lines[:_SHOWN_LINES]:
        console.print(Text(f"  {line}"))
    if hidden > 0:
        console.print(Text(f"  ... and {hidden} more lines"))
    if record.log:
        console.print(Text(f"  log: {record.log}", style="dim"))
