# SPDX-License-Identifier: Apache-2.0
"""The one table at the end of a run, and the lines under it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fw_tools.report.records import RunReport, Status, TestRecord

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_STYLES = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.ERROR: "bold red",
    Status.SKIPPED: "yellow",
}
_SHOWN_LINES = 12  # Of a failure's message; the log holds the rest.


def print_table(
    report: RunReport, console: "Console", *, each_test: bool = True, folder: Path | None = None
) -> None:
    """Print every test of a run, or every bench; then each failure in full, then the verdict.

    `folder` is the output folder as the user spelled it; logs are shown below it.
    """
    from rich.text import Text

    console.print(_tests(report) if each_test else _benches(report))
    for record in report.records:
        if not record.is_good:
            _print_failure(record, console, folder or Path())
    console.print(Text(verdict(report), style="bold green" if report.is_good else "bold red"))


def _tests(report: RunReport) -> "Table":
    from rich.text import Text

    table = _table(("bench", "test", "result"), ("simulated", "seconds"))
    last = ""
    for record in report.records:
        bench = "" if record.bench == last else record.bench
        status = Text(record.status, style=_STYLES[record.status])
        shown = (Text(bench), Text(report.shown_test(record)), status)
        table.add_row(*shown, sim_time(record.sim_ns), f"{record.seconds:.2f}")
        last = record.bench
    return table


def _benches(report: RunReport) -> "Table":
    from rich.text import Text

    table = _table(("bench", "what it checks", "result"), ("tests", "seconds"))
    for bench in report.benches:
        records = [record for record in report.records if record.bench == bench.name]
        status = _worst(records)
        shown = (Text(bench.name), Text(bench.purpose), Text(status, style=_STYLES[status]))
        seconds = sum(record.seconds for record in records)
        table.add_row(*shown, str(len(records)), f"{seconds:.1f}")
    return table


def _worst(records: Sequence[TestRecord]) -> Status:
    """Return how a bench ended: as the first test that went wrong; skipped where all were."""
    if all(record.status is Status.SKIPPED for record in records):
        return Status.SKIPPED
    return next((record.status for record in records if not record.is_good), Status.PASSED)


def _table(texts: Sequence[str], figures: Sequence[str]) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in texts:
        table.add_column(heading, overflow="fold")
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def verdict(report: RunReport) -> str:
    """Return one line: how many tests there are, and how they ended."""
    counts = [f"{report.count(status)} {status}" for status in Status if report.count(status)]
    tests, benches = len(report.records), len(report.benches)
    ran = f"{tests} test{'s'[: tests != 1]} in {benches} bench{'es'[: 2 * (benches != 1)]}"
    outcome = f"{', '.join(counts) or 'none'} in {report.seconds:.1f} s (seed {report.seed})"
    return f"{ran}: {outcome}{'' if report.ran else '; nothing ran'}"


def sim_time(nanoseconds: float) -> str:
    """Return simulated time in the largest unit that keeps it above 1; "" for none."""
    for unit, factor in (("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0)):
        if nanoseconds >= factor:
            return f"{nanoseconds / factor:.4g} {unit}"
    return ""


def _print_failure(record: TestRecord, console: "Console", folder: Path) -> None:
    from rich.text import Text

    console.print(Text(f"\n{record.status} {record.bench} {record.test}", style="bold red"))
    lines = record.message.splitlines()
    hidden = len(lines) - _SHOWN_LINES
    for line in lines[:_SHOWN_LINES]:
        console.print(Text(f"  {line}"))
    if hidden > 0:
        console.print(Text(f"  ... and {hidden} more lines"))
    if record.log:
        console.print(Text(f"  log: {folder / record.log}", style="dim"))
