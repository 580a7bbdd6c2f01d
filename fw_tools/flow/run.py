# SPDX-License-Identifier: Apache-2.0
"""Benches to one report: what `verify` and `bench` have in common."""

import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from fw_tools import toolchain
from fw_tools.errors import InputError, VerificationError
from fw_tools.flow.upset_sample import Sampling, sample_upsets
from fw_tools.report.json import render_json
from fw_tools.report.junit import render_junit
from fw_tools.report.page import render_page
from fw_tools.report.progress import BenchProgress
from fw_tools.report.records import CoverageRow, RunReport
from fw_tools.sim.coverage import line_coverage
from fw_tools.sim.scheduler import BenchResult, ScheduleOptions, Task, run_benches
from telemetry.common.files import write_text, writing

MARKER = ".fw-tools-output"  # Marks an output folder as ours to write.
JSON = "results.json"
JUNIT = "junit.xml"
PAGE = "report.html"
REPORTS = (JSON, JUNIT, PAGE)


def prepare_output(folder: Path) -> None:
    """Make the output folder, or take one that an earlier run made, without that run's report.

    Raises:
        InputError: it is a file, or holds files and was not made by us.
        WriteError: it cannot be written.
    """
    with writing(folder):
        _refuse_foreign(folder)
    write_text(folder / MARKER, "This folder is written by fw-tools; its files are replaced.\n")
    for name in REPORTS:
        (folder / name).unlink(missing_ok=True)


def _refuse_foreign(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file, not a folder; choose another output folder")
    if folder.is_dir() and not (folder / MARKER).is_file() and any(folder.iterdir()):
        raise InputError(
            f"{folder}: not empty and not made by fw-tools; choose a new or empty folder with -o"
        )


def run_to_report(
    title: str,
    tasks: Sequence[Task],
    options: ScheduleOptions,
    command: str,
    sampling: Sampling | None = None,
) -> RunReport:
    """Run every bench and write results.json, junit.xml and report.html to the output folder.

    `command` is what repeats the run; `sampling` is what upsets are sampled of, after the benches.

    Raises:
        VerificationError: the pattern matches no bench and no test; nothing is written then.
        InputError, MissingToolError, UsageError: as `run_benches` does.
    """
    started = time.monotonic()
    sampled = sampling.names() if sampling else []
    with BenchProgress(len(tasks) + len(sampled)) as progress:
        results = run_benches(tasks, options, progress)
        if sampling:
            results += tuple(sample_upsets(sampling, progress))
    if not any(result.records for result in results):
        raise VerificationError(_nothing_ran(tasks, sampling, options.pattern))
    report = _report(title, results, options, command, time.monotonic() - started)
    write_reports(report, options.output)
    return report


def write_reports(report: RunReport, folder: Path) -> None:
    """Write the report in its three forms."""
    write_text(folder / JSON, render_json(report))
    write_text(folder / JUNIT, render_junit(report))
    write_text(folder / PAGE, render_page(report, folder))


def _report(
    title: str,
    results: Sequence[BenchResult],
    options: ScheduleOptions,
    command: str,
    seconds: float,
) -> RunReport:
    shown = [result for result in results if result.records]  # Others the pattern left out.
    return RunReport(
        title=title,
        records=tuple(record for result in shown for record in result.records),
        benches=tuple(result.summary for result in shown),
        seed=options.seed,
        command=command,
        seconds=seconds,
        coverage=_coverage(shown, options.output),
        tools=_tools(),
    )


def _coverage(results: Sequence[BenchResult], output: Path) -> tuple[CoverageRow, ...]:
    rows = line_coverage(result.coverage for result in results if result.coverage)
    return tuple(replace(row, file=row.file.removeprefix(f"{output}/")) for row in rows)


def _tools() -> tuple[tuple[str, str], ...]:
    return (
        *((name, version(name)) for name in ("fw-tools", "cocotb")),
        *((tool.name, tool.version) for tool in toolchain.simulation_tools()),
    )


def _nothing_ran(tasks: Sequence[Task], sampling: Sampling | None, pattern: str) -> str:
    if not tasks:
        return "there is no bench to run"
    sampled = replace(sampling, pattern="").names() if sampling else []
    names = ", ".join([*(task.bench.name for task in tasks), *sampled])
    return f"-k {pattern!r} matches no bench and no test; nothing ran. Benches: {names}"
