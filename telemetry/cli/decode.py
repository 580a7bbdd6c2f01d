# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry decode`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from telemetry.columns.definition import Definition
    from telemetry.ops.ledger import Ledger
    from telemetry.ops.preview import Preview

_HELP = """Decode DUMP, a file of CCSDS space packets ("-" reads standard input).

\b
A definition is a construct of what follows the 6-byte primary header:
  from construct import *
  PACKET = Struct("uptime_s" / Int32ub, "volts" / Float32b,
                  "packet_error_control" / Int16ub)
or a dict from APID to construct: PACKETS = {66: HOUSEKEEPING, 67: EVENTS}.

\b
Examples:
  fw-telemetry decode pass17.bin --definition mission.py:PACKETS
  fw-telemetry decode pass17.bin --definition mission.py:PACKETS -o pass17.csv
  fw-telemetry decode pass17.bin --definition mission.py:PACKETS --apid 66 -o hk.parquet

A definition is a program: decoding runs FILE.py, or imports MODULE, with your rights. Use only
definitions that you trust. The current folder is not searched for MODULE.

Columns: packet_version, packet_type, secondary_header_flag, apid, sequence_flags, sequence_count,
data_length (bytes behind the header minus one, as on the wire), your fields (nested ones as
a.b and a[3]; bytes in hexadecimal; an Enum by name, or number where it has none), crc_verdict.

crc_verdict is "good" or "damaged" if the definition ends in a field packet_error_control, else
"none". A packet with a damaged CRC keeps its row, so that you can judge it: filter by this column.
A packet that is cut, or has a field that cannot be read, gives no row. Every byte of the dump is
accounted for in the summary, good or not.
"""


@click.command(help=_HELP, short_help="Decode a dump to CSV, JSON lines or Parquet.")
@click.argument("dump", metavar="DUMP")
@click.option(
    "--definition",
    "definition_source",
    required=True,
    metavar="FILE.py:NAME|MODULE:NAME",
    help="What is in the packets: a construct, or a dict APID -> construct. It is run.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write .csv, .jsonl or .parquet (as the name ends). With several APIDs, or a dict of "
    "several, one file each: out.66.csv. Without -o the first packets are shown.",
)
@click.option("--apid", type=int, metavar="N", help="Decode this APID only.")
@click.option(
    "--summary",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Write the summary as JSON: bytes by account, gaps, damages.",
)
def decode(
    dump: str, definition_source: str, output: Path | None, apid: int | None, summary: Path | None
) -> ExitCode:
    """Decode a dump, print the summary and return the exit code."""
    from telemetry.columns.loading import load_definition
    from telemetry.errors import InputError
    from telemetry.ops.summary import exit_code, explain_no_packet

    _check_summary(summary, dump, output)
    definition = load_definition(definition_source)
    if apid is not None:
        definition = definition.bind(apid)
    name = "standard input" if dump == "-" else dump
    ledger, outputs = _run(dump, definition, output, apid)
    if summary is not None:
        _write_summary(summary, name, ledger, outputs)
    if not ledger.rows:
        raise InputError(explain_no_packet(name, ledger, definition))
    _tell(name, ledger, outputs)
    return exit_code(ledger)


def _check_summary(summary: Path | None, dump: str, output: Path | None) -> None:
    if summary is None:
        return
    if not summary.parent.is_dir():
        raise click.UsageError(f"--summary {summary}: there is no folder {summary.parent}")
    if summary.resolve() in (Path(dump).resolve(), output and output.resolve()):
        raise click.UsageError(f"--summary {summary}: this is the dump or the output")


def _run(
    dump: str, definition: "Definition", output: Path | None, apid: int | None
) -> "tuple[Ledger, tuple[Path, ...]]":
    from telemetry.ops.decode import decode_stream, decode_to_files, open_dump
    from telemetry.ops.preview import Preview

    source = sys.stdin.buffer if dump == "-" else dump
    inputs = () if dump == "-" else (Path(dump),)
    preview = Preview()
    with open_dump(source) as (stream, _), _progress(dump) as advance:
        if output is None:
            ledger = decode_stream(stream, definition, preview, apid=apid, on_octets=advance)
            outputs: tuple[Path, ...] = ()
        else:
            ledger, outputs = decode_to_files(
                stream, definition, output, apid=apid, inputs=inputs, on_octets=advance
            )
    _show(preview)
    return ledger, outputs


@contextmanager
def _progress(dump: str) -> Iterator[Callable[[int], object]]:
    from telemetry.common.console import progress

    size = Path(dump).stat().st_size if dump != "-" else 0
    with progress(unit="bytes") as display:
        task = display.add_task("decoding", total=size or None)
        yield lambda octets: display.advance(task, octets)


def _show(preview: "Preview") -> None:
    from telemetry.common.console import output

    for table in preview.tables(output().width):
        output().print(table)


def _tell(name: str, ledger: "Ledger", outputs: tuple[Path, ...]) -> None:
    from telemetry.ops.summary import summary_lines

    lines = list(summary_lines(name, ledger))
    lines += [f"wrote {path}" for path in outputs]
    click.echo("\n".join(lines), err=True)


def _write_summary(path: Path, name: str, ledger: "Ledger", outputs: tuple[Path, ...]) -> None:
    import json

    from telemetry.common.files import write_text
    from telemetry.ops.summary import summary_record

    record = summary_record(name, ledger, tuple(map(str, outputs)))
    write_text(path, json.dumps(record, indent=2) + "\n")
