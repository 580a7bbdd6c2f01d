# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry init`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from telemetry.cli.reading import build_options, framing_options, open_dump
from telemetry.common.exit_codes import ExitCode
from telemetry.common.interrupt import INTERRUPTED

if TYPE_CHECKING:
    from telemetry.ops.options import Options
    from telemetry.ops.survey import Survey

_CLEAN = 0.999  # From here on nothing is said of the rest.
_HEAD_OCTETS = 1 << 18  # Tried with other framings, where this one does not fit.

_HELP = """Write a first definition of the packets in DUMP ("-" reads standard input).

It names every APID that is there, with the number and the lengths of its packets, which octets
never change, whether a CRC-16 stands at the end, and whether a PUS-C secondary header is likely.
It decodes the dump as it stands; then give the octets names and types.

\b
Example:
  fw-telemetry init pass17.bin -o mission.py
  fw-telemetry decode pass17.bin --definition mission.py:PACKETS

Packets that are wrapped need the same options as for `fw-telemetry decode`: --framing, --skip,
--no-primary-header. From a dump that hardly holds packets no definition is drafted.

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
@framing_options
def init(dump: str, output: Path | None, **framing: Any) -> ExitCode:
    """Survey a dump, write the definition and return the exit code."""
    from telemetry.ops.draft import render_definition

    if output is not None:
        _check_output(output)
    options = build_options(**framing)
    name = "standard input" if dump == "-" else Path(dump).name
    survey = _survey(dump, name, options)
    how = options_text(options)
    text = render_definition(name, survey, how)
    code = ExitCode.DONE if survey.share > _CLEAN else ExitCode.DAMAGED
    if output is None:
        click.echo(text, nl=False)
    else:
        from telemetry.common.files import write_text

        write_text(output, text)
    for line in _told(name, survey, output, how):
        click.echo(line, err=True)
    return ExitCode.INTERRUPTED if survey.is_cut else code


def options_text(options: "Options") -> str:
    """Return the options of framing as they are given, with a blank before each."""
    framing = f" --framing {options.framing}" if options.framing != "none" else ""
    skip = f" --skip {options.skip}" if options.skip else ""
    return framing + skip + ("" if options.has_primary_header else " --no-primary-header")


def _check_output(output: Path) -> None:
    if output.exists():
        raise click.UsageError(f"-o {output}: it exists already and is not overwritten")
    if not output.parent.is_dir():
        raise click.UsageError(f"-o {output}: there is no folder {output.parent}")


def _survey(dump: str, name: str, options: "Options") -> "Survey":
    """Survey a dump; `InputError` where hardly anything in it is a packet."""
    from telemetry.errors import InputError
    from telemetry.ops.survey import suggest_options, survey_chunks

    head = bytearray()

    def watched(chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            head.extend(chunk[: max(_HEAD_OCTETS - len(head), 0)])
            yield chunk

    with open_dump(dump, "looking", options, may_be_cut=True) as (source, chunks):
        survey = survey_chunks(watched(chunks), options, lambda: source.is_cut)
    if survey.is_likely or (survey.apids and not options.has_primary_header):
        return survey
    if not survey.apids:
        text = f"{name}: no space packet in {survey.octets:,} bytes"
    else:
        text = (
            f"{name}: {survey.packet_octets:,} of {survey.octets:,} bytes look like space packets, "
            "which chance could do; no definition is drafted from that"
        )
    better = suggest_options(bytes(head), options)
    if better:
        raise InputError(f"{text}; with {better[0]} it is {100 * better[1]:.0f} %")
    raise InputError(f"{text}. Are they wrapped? See --framing, --skip and --no-primary-header")


def _told(name: str, survey: "Survey", output: Path | None, how: str) -> Iterator[str]:
    from telemetry.common.text import count

    rest = survey.octets - survey.packet_octets
    yield f"{name}: {survey.octets:,} bytes, {rest:,} of them in no packet of telemetry"
    if survey.share <= _CLEAN:
        yield f"  {100 - 100 * survey.share:.2g} % of it is neither packets nor filler: damaged?"
    if survey.is_cut:
        yield f"  {INTERRUPTED}"
    for apid, seen in sorted(survey.apids.items()):
        shape = seen.every
        octets = f"{shape.min_octets:,}" + ("" if shape.is_fixed else f" to {shape.max_octets:,}")
        crc = "CRC-16" if seen.has_crc else "no CRC"
        pus = ", PUS-C likely" if seen.is_pus else ""
        yield f"  APID {apid}: {count(shape.packets, 'packet')} of {octets} data octets, {crc}{pus}"
    if output is not None:
        yield f"wrote {output}; try: fw-telemetry decode {name}{how} --definition {output}:PACKETS"
