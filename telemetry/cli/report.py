# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry report`."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from telemetry.cli.reading import (
    build_all_options,
    check_output,
    definition_option,
    framing_options,
    merge_option,
    outcome_code,
    processes_option,
    reassemble_options,
    run_statistics,
    selection_options,
)
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from telemetry.ops.options import Options
    from telemetry.ops.report_facts import Report

_HELP = """Write one HTML page about the dumps: plots one can zoom, limits, gaps, what needs
attention, and where every byte went. It needs no network and can be sent by mail.

\b
  fw-telemetry report pass17.bin --definition mission.py:PACKETS -o report.html
  fw-telemetry report pass*.bin --definition mission.py:PACKETS --columns 'rails*' -o rails.html

Of several dumps, what two of them hold both counts once. Plots run over the time of the packets
where the definition has time fields (see `fw-telemetry decode --help`), else over their number. Of
millions of points the lowest and the highest of each stretch are drawn: no peak is lost. Up to 24
columns are drawn, those that violate their limits first; --columns chooses others.

Needs plotly:  python -m pip install 'fw-tools[report]'
"""


@click.command(help=_HELP, short_help="Write a page with plots, limits, gaps and the ledger.")
@click.argument("dumps", metavar="DUMP...", nargs=-1, required=True)
@definition_option()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE.html",
    help="Where the page goes.",
)
@selection_options
@merge_option
@reassemble_options
@framing_options
@processes_option
def report(dumps: tuple[str, ...], definition_source: str, output: Path, **wanted: Any) -> ExitCode:
    """Write the page, print the summary and return the exit code."""
    from telemetry.ops.report import render_report

    return write_page(dumps, definition_source, output, build_all_options(**wanted), render_report)


def write_page(
    dumps: tuple[str, ...],
    definition_source: str,
    output: Path,
    options: "Options",
    render: Callable[["Report"], str],
) -> ExitCode:
    """Read dumps, write the page that `render` makes of them, print the summary."""
    from telemetry.common.files import write_text
    from telemetry.ops.report import plotting_library
    from telemetry.ops.report_facts import Report
    from telemetry.ops.slow_text import slow_lines
    from telemetry.ops.summary import summary_lines

    if output.suffix.lower() not in (".html", ".htm"):
        raise click.UsageError(f"-o {output}: expected a name that ends in .html")
    check_output(output, dumps)
    plotting_library()  # Before the work: it may be absent.
    statistics, outcome = run_statistics(dumps, definition_source, options, is_drawn=True)
    names = tuple(Path(name).name if name != "-" else name for name in outcome.names)
    command = shlex.join(["fw-telemetry", *_without_processes(sys.argv[1:])])
    problems, frames = tuple(outcome.problems), tuple(outcome.frame_ledgers)
    page = render(Report(names, statistics, outcome.ledger, frames, problems, command))
    write_text(output, page)
    lines = summary_lines(outcome.name, outcome.ledger, frames)
    for line in (*lines, *slow_lines(outcome.slow), *problems, f"wrote {output}"):
        click.echo(line, err=True)
    return outcome_code(outcome)


def _without_processes(arguments: list[str]) -> list[str]:
    """Leave out what does not change the page."""
    option = "--processes"
    return [
        argument
        for argument, before in zip(arguments, ["", *arguments], strict=False)
        if option not in (argument, before) and not argument.startswith(f"{option}=")
    ]
