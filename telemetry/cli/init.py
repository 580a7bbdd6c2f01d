# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry init`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from telemetry.ops.survey import Survey

_HELP = """Write a first definition of the packets in DUMP ("-" reads standard input).

It names every APID that is there, with the number and the lengths of its packets, which octets
never change, whether a CRC-16 stands at the end, and whether a PUS-C secondary header is likely.
It decodes the dump as it stands; then give the octets names and types.

\b
Example:
  fw-telemetry init pass17.bin -o mission.py
  fw-telemetry decode pass17.bin --definition mission.py:PACKETS

Without -o the definition goes to standard output. A file that is there already is not overwritten.
"""


@click.command(help=_HELP, short_help="Write a first definition from what a dump holds.")
@click.argument("dump", metavar="DUMP")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.py",
    help="Where the definition goes.",
)
def init(dump: str, output: Path | None) -> ExitCode:
    """Survey a dump, write the definition and return the exit code."""
    from telemetry.errors import InputError
    from telemetry.ops.draft import render_definition

    if output is not None:
        _check_output(output)
    survey = _survey(dump)
    name = "standard input" if dump == "-" else Path(dump).name
    if not survey.apids:
        raise InputError(f"{name}: no space packet in {survey.octets:,} bytes")
    text = render_definition(name, survey)
    if output is None:
        click.echo(text, nl=False)
        return ExitCode.DONE
    from telemetry.common.files import write_text

    write_text(output, text)
    for line in _told(name, survey, output):
        click.echo(line, err=True)
    return ExitCode.DONE


def _check_output(output: Path) -> None:
    if output.exists():
        raise click.UsageError(f"-o {output}: it exists already and is not overwritten")
    if not output.parent.is_dir():
        raise click.UsageError(f"-o {output}: there is no folder {output.parent}")


def _survey(dump: str) -> "Survey":
    from telemetry.common.console import progress
    from telemetry.errors import InputError
    from telemetry.ops.source import open_source
    from telemetry.ops.survey import survey_chunks

    with open_source(dump) as source, progress(unit="bytes") as display:
        task = display.add_task("looking", total=source.octets)

        def chunks() -> Iterator[bytes]:
            for chunk in source.chunks():
                yield chunk
                display.advance(task, len(chunk))

        survey = survey_chunks(chunks())
    if source.problem:
        raise InputError(source.problem)
    return survey


def _told(name: str, survey: "Survey", output: Path) -> Iterator[str]:
    rest = survey.octets - survey.packet_octets
    yield f"{name}: {survey.octets:,} bytes, {rest:,} of them in no packet of telemetry"
    for apid, seen in sorted(survey.apids.items()):
        shape = seen.every
        octets = f"{shape.min_octets:,}" + ("" if shape.is_fixed else f" to {shape.max_octets:,}")
        crc = "CRC-16" if seen.has_crc else "no CRC"
        pus = ", PUS-C likely" if seen.is_pus else ""
        yield f"  APID {apid}: {shape.packets:,} packets of {octets} data octets, {crc}{pus}"
    yield f"wrote {output}; try: fw-telemetry decode {name} --definition {output}:PACKETS"
