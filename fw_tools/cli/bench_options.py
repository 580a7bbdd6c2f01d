# SPDX-License-Identifier: Apache-2.0
"""Options that `verify` and `bench` share, and how both end."""

import functools
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from telemetry.common.console import output
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from fw_tools.report.records import RunReport
    from fw_tools.sim.scheduler import ScheduleOptions

DEFAULT_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions:
    """What the command line says about how benches are run."""

    pattern: str
    seed: int
    jobs: int
    has_waves: bool
    has_coverage: bool
    timeout_s: float | None
    folder: Path | None

    def schedule(self, default_output: Path) -> "ScheduleOptions":
        """Return the same for the scheduler."""
        from fw_tools.sim.scheduler import ScheduleOptions

        return ScheduleOptions(
            output=self.folder or default_output,
            seed=self.seed,
            pattern=self.pattern,
            jobs=self.jobs,
            timeout_s=self.timeout_s,
            has_waves=self.has_waves,
            has_coverage=self.has_coverage,
        )


_OPTIONS = (
    click.option(
        *("-k", "pattern"),
        default="",
        metavar="PATTERN",
        help="Run only benches, or tests (MODULE.TEST), in which this regular expression is found.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=DEFAULT_SEED,
        show_default=True,
        help="Of every random choice: storage at start, cocotb's random numbers.",
    ),
    click.option(
        "--jobs",
        type=click.IntRange(1, 64),
        default=2,
        show_default=True,
        help="Benches at a time.",
    ),
    click.option("--waves", "has_waves", is_flag=True, help="Write a VCD file per bench."),
    click.option(
        "--coverage", "has_coverage", is_flag=True, help="Line coverage, shown in the report."
    ),
    click.option(
        "--timeout",
        "timeout_s",
        type=click.FloatRange(0, min_open=True),
        metavar="SECONDS",
        help="Kill a bench that runs longer (wall clock; default 600, or what its table says).",
    ),
    click.option(
        *("-o", "--output", "folder"),
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Where logs, results.json, junit.xml and report.html go.",
    ),
)


def bench_options(command: Callable[..., ExitCode]) -> Callable[..., ExitCode]:
    """Give a command the shared options; it gets them as one argument `options`."""
    names = tuple(BenchOptions.__dataclass_fields__)

    @functools.wraps(command)
    def wrapped(**arguments: Any) -> ExitCode:
        options = BenchOptions(**{name: arguments.pop(name) for name in names})
        return command(options=options, **arguments)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def repeat_command(options: BenchOptions) -> str:
    """Return the command line that repeats this run, with its seed even when that was not given."""
    arguments = sys.argv[1:]
    if not any(argument.split("=")[0] == "--seed" for argument in arguments):
        arguments = [*arguments, "--seed", str(options.seed)]
    return shlex.join(["fw-tools", *arguments])


def show(report: "RunReport", folder: Path, *, each_test: bool) -> ExitCode:
    """Print the table and where the files are; return the exit code of the verdict.

    `folder` is the output folder as it was typed: so it is shown.
    """
    from fw_tools.report.table import print_table

    print_table(report, output(), each_test=each_test, folder=folder)
    for bench in report.benches:
        if bench.waves:
            output().print(f"waves: {folder / bench.waves}", markup=False)
    output().print(f"report: {folder / 'report.html'}", markup=False)
    return ExitCode.DONE if report.is_good else ExitCode.VERIFICATION
