# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry stats`."""

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
    from telemetry.ops.decode import Outcome
    from telemetry.ops.statistics import Statistics

_HELP = """Tell minimum, mean, maximum and last value of each column of the dumps, how often limits
were violated, what is missing, and where every byte went.

\b
  fw-telemetry stats pass17.bin --definition mission.py:PACKETS
  fw-telemetry stats pass17.bin --definition mission.py:PACKETS --columns 'rails*,core_temperature'
  fw-telemetry stats pass17.bin --definition mission.py:PACKETS --json stats.json

Values are engineering values where the definition has calibrations. Those of packets whose CRC does
not hold, those that `valid_if` rules out, and those that are no number do not count; `quality` says
how many there were. A column is "stale" when its values came regularly and then no more: the last
is older than three times the usual interval when the dump ends.
"""


@click.command(help=_HELP, short_help="Tell range, mean, last value and violations of each column.")
@click.argument("dumps", metavar="DUMP...", nargs=-1, required=True)
@definition_option()
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write everything as JSON, with the ledger.",
)
@selection_options
@merge_option
@reassemble_options
@framing_options
@processes_option
def stats(
    dumps: tuple[str, ...], definition_source: str, json_file: Path | None, **wanted: Any
) -> ExitCode:
    """Print statistics and return the exit code."""
    from telemetry.common.console import output
    from telemetry.ops.slow_text import slow_lines
    from telemetry.ops.statistics_text import tables, violation_lines
    from telemetry.ops.summary import summary_lines

    if json_file is not None:
        check_output(json_file, dumps, "--json")
    statistics, outcome = run_statistics(dumps, definition_source, build_all_options(**wanted))
    end = statistics.end(outcome.ledger)
    for table, left_out in tables(statistics, end, output().width):
        output().print(table)
        click.echo(f"  {left_out}\n" if left_out else "")
    for line in violation_lines(statistics, outcome.ledger, in_frames=bool(outcome.frame_ledgers)):
        click.echo(line)
    lines = summary_lines(outcome.name, outcome.ledger, outcome.frame_ledgers)
    for line in (*lines, *slow_lines(outcome.slow), *outcome.problems):
        click.echo(line, err=True)
    if json_file is not None:
        _write(json_file, statistics, outcome, end)
        click.echo(f"wrote {json_file}", err=True)
    return outcome_code(outcome)


def _write(path: Path, statistics: "Statistics", outcome: "Outcome", end: int) -> None:
    import json

    from telemetry.common.files import write_text
    from telemetry.ops.slow_text import slow_record
    from telemetry.ops.statistics_text import statistics_record
    from telemetry.ops.summary import summary_record

    record = summary_record(outcome.name, outcome.ledger, (), outcome.frame_ledgers)
    record["exit_code"] = int(outcome_code(outcome))
    record["slow"] = slow_record(outcome.slow)
    record["statistics"] = statistics_record(statistics, end)
    write_text(path, json.dumps(record, indent=2) + "\n")
