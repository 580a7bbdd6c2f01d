# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry plot`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from telemetry.cli.reading import (
    build_all_options,
    definition_option,
    framing_options,
    processes_option,
    reassemble_options,
    selection_options,
)
from telemetry.cli.report import write_page
from telemetry.common.exit_codes import ExitCode

_HELP = """Write one HTML page with plots of the columns COLUMN... of DUMPs, and nothing else.

\b
  fw-telemetry plot pass17.bin volts --definition mission.py:PACKETS -o volts.html
  fw-telemetry plot pass17.bin 'rails*' sequence_count --definition mission.py:PACKETS -o r.html

Several dumps stand first: plot pass17.bin pass18.bin volts. A COLUMN is a name as
`fw-telemetry decode` writes it, or a pattern with * and ?. Engineering values are drawn where the
definition has calibrations; limits, gaps and damaged packets are shown as in `fw-telemetry report`.
Needs plotly:  python -m pip install 'fw-tools[report]'
"""


@click.command(help=_HELP, short_help="Write a page with plots of some columns.")
@click.argument("names", metavar="DUMP... COLUMN...", nargs=-1, required=True)
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
@reassemble_options
@framing_options
@processes_option
def plot(names: tuple[str, ...], definition_source: str, output: Path, **wanted: Any) -> ExitCode:
    """Write the page and return the exit code."""
    from telemetry.ops.report import render_plots

    dumps, columns = _split(names)
    options = build_all_options(**wanted)
    options = replace(options, columns=(*options.columns, *columns))
    if not options.columns:
        raise click.UsageError(f"name the columns to draw behind {dumps[-1]}: volts, or 'rails*'")
    return write_page(dumps, definition_source, output, options, render_plots)


def _split(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the dumps, which are the first name and the files right behind it, and the columns."""
    end = 1
    while end < len(names) and Path(names[end]).is_file():
        end += 1
    return names[:end], names[end:]
