# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry decode`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from telemetry.cli.reading import (
    build_all_options,
    check_output,
    framing_options,
    merge_option,
    outcome_code,
    processes_option,
    progress_of,
    reassemble_options,
)
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from telemetry.columns.definition import Definition
    from telemetry.ops.decode import Outcome
    from telemetry.ops.live import JsonLinesSink, WatchSink
    from telemetry.ops.options import Options
    from telemetry.ops.preview import Preview

STANDARD_OUTPUT = Path("-")

_HELP = """Decode DUMPs of CCSDS space packets: files, "-" for standard input, a serial port, or a
pyserial URL (socket://host:port). Several are read one after the other, or with --merge time side
by side, packet by packet in order of time, so that one may fill the gaps of another. What two of
them hold both is taken once.

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
  fw-telemetry decode a.kss b.kss --framing kiss --definition mission.py:PACKETS -o ab.jsonl
  fw-telemetry decode /dev/ttyUSB0 --baud 57600 --definition mission.py:PACKETS

A definition is a program: decoding runs FILE.py, or imports MODULE, with your rights. Use only
definitions that you trust. The current folder is not searched for MODULE. Functions in it are
called, and constructs of your own are parsed, packet by packet, which is slow: the summary names
them, and what would be read many packets at a time.

Columns: packet_version, packet_type, secondary_header_flag, apid, sequence_flags, sequence_count,
data_length (bytes behind the header minus one, as on the wire), your fields (nested ones as
a.b and a[3]; bytes in hexadecimal; an Enum by name, or number where it has none), crc_verdict.
Lists whose length varies are a[] in CSV, as JSON arrays in one cell, and a[] in Parquet, as lists;
JSON lines number their elements. So the columns of CSV and Parquet are those of the definition,
whatever is in a dump, and passes can be put one behind the other. In Parquet octets are binary, and
types and units are as in Python. Where the definition has calibrations, limits or validity,
x.engineering, x.state and x.valid stand behind x.

crc_verdict is "good" or "damaged" if the definition ends in a field packet_error_control, else
"none". A packet with a damaged CRC keeps its row, so that you can judge it: filter by this column.
A packet that is cut, or has a field that cannot be read, gives no row. Every byte of the dump is
accounted for in the summary, good or not.

Packets whose sequence flags say that they are segments of a group are decoded one by one, and the
summary says so, because missions use these flags in two ways. If yours cuts one packet into many,
--reassemble puts them together: the definition is of the whole, the columns of the primary header
are those of the first segment, and a CRC is that of each segment. Segments that begin with a
secondary header need --repeated-header N. A group with a segment missing, damaged, or cut off is
never decoded; the summary tells what was lost and where. Lengths prove less of a segment than of a
packet, so that without a CRC decoding finds its way worse behind damage.

Times are UTC. A clock that passes its top goes on in packet_time, --since and --until; the summary
tells of rollovers, of reboots (clock and sequence count begin again) and of corrections.
Packets without time fields have the time at which their frame came, where frames tell it (KISS).

Ctrl-C, or SIGTERM, ends the input: what was decoded by then is written, and a packet that was on
its way is no damage. A second Ctrl-C leaves no file behind.
"""


@click.command(help=_HELP, short_help="Decode dumps to CSV, JSON lines or Parquet.")
@click.argument("dumps", metavar="DUMP...", nargs=-1, required=True)
@click.option(
    "--definition",
    "definition_source",
    required=True,
    metavar="FILE.py:NAME|MODULE:NAME|FILE.csv",
    help="What is in the packets: a construct, or a dict APID -> construct. It is run.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write .csv, .jsonl or .parquet (as the name ends). With several APIDs, or a dict of "
    "several, one file each: out.66.csv. `-o -` writes JSON lines to standard output as packets "
    "come. Without -o the first packets are shown, and of a link each as it comes.",
)
@click.option("--apid", type=int, metavar="N", help="Decode this APID only.")
@click.option(
    "--columns",
    metavar="NAMES",
    help="Only these columns, by name or pattern: --columns sequence_count,rails*.",
)
@click.option("--since", metavar="TIME", help="Packets from this time on: 2026-11-22T10:30:00Z.")
@click.option("--until", metavar="TIME", help="Packets before this time.")
@click.option(
    "--time",
    metavar="FIELDS",
    help="The packets' time fields: cuc:SECONDS,FRACTION or cds:DAYS,MS,PARTS. Not needed where "
    "they are called time_coarse, time_fine or time_days, time_ms, time_us. Adds packet_time.",
)
@click.option(
    "--epoch",
    metavar="NAME",
    help="What the packets' time fields count from: CCSDS (default), UNIX, GPS, J2000, or a date "
    "as '2000-01-01 TAI'.",
)
@click.option(
    "--times",
    is_flag=True,
    help="Add packet_time (UTC, by the time fields, across rollovers of the clock) and "
    "received_time (UTC, where frames tell when they came).",
)
@click.option(
    "--leap-seconds",
    metavar="FILE",
    help="A leap-seconds.list of IERS that is newer than the table built in.",
)
@framing_options
@merge_option
@reassemble_options
@click.option(
    "--quality",
    is_flag=True,
    help="Add gap_before, the packets missing before each, and where packets have a time "
    "clock_step: none, late, rollover, reboot, set_back.",
)
@processes_option
@click.option(
    "--summary",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Write the summary as JSON: bytes by account, gaps, damages.",
)
def decode(
    dumps: tuple[str, ...],
    definition_source: str,
    output: Path | None,
    summary: Path | None,
    columns: str | None,
    **wanted: Any,
) -> ExitCode:
    """Decode dumps, print the summary and return the exit code."""
    from telemetry.columns.loading import load_definition
    from telemetry.errors import InputError
    from telemetry.ops.decode import explain_nothing

    options = build_all_options(columns, **wanted)
    _check_summary(summary, dumps, output)
    definition = load_definition(definition_source)
    if options.apid is not None:
        definition = definition.bind(options.apid)
    outcome = _run(dumps, definition, output, options)
    if summary is not None:
        _write_summary(summary, outcome)
    if not outcome.ledger.rows:
        raise InputError(explain_nothing(outcome, definition))
    _tell(outcome)
    return outcome_code(outcome)


def _check_summary(summary: Path | None, dumps: tuple[str, ...], output: Path | None) -> None:
    if summary is None:
        return
    check_output(summary, dumps, "--summary")
    if output is not None and summary.resolve() == output.resolve():
        raise click.UsageError(f"--summary {summary}: this is the output")


def _run(
    dumps: tuple[str, ...], definition: "Definition", output: Path | None, options: "Options"
) -> "Outcome":
    from telemetry.errors import UsageError
    from telemetry.ops.decode import decode_dumps, decode_to_files
    from telemetry.ops.preview import Preview

    if output is not None and output != STANDARD_OUTPUT:
        with progress_of(dumps, "decoding") as advance:
            return decode_to_files(dumps, definition, output, options, advance)
    sink = _sink(dumps, output, options)
    if isinstance(sink, Preview):
        with progress_of(dumps, "decoding") as advance:
            outcome = decode_dumps(dumps, definition, sink, options, advance)
        _show(sink)
    else:  # What comes is progress enough.
        outcome = decode_dumps(dumps, definition, sink, options)
    if outcome.ledger.rows and not sink.rows:
        raise UsageError(options.complaint())
    return outcome


def _sink(
    dumps: tuple[str, ...], output: Path | None, options: "Options"
) -> "Preview | JsonLinesSink | WatchSink":
    """Return what shows packets: as they come, where they come live."""
    from telemetry.common.console import output as console
    from telemetry.ops.live import JsonLinesSink, WatchSink
    from telemetry.ops.preview import Preview
    from telemetry.ops.source import is_live_name

    if output is not None:
        return JsonLinesSink(sys.stdout, options)
    if any(map(is_live_name, dumps)):
        return WatchSink(sys.stdout, options, console().width)
    return Preview(options)


def _show(preview: "Preview") -> None:
    from telemetry.common.console import output

    for table in preview.tables(output().width):
        output().print(table)


def _tell(outcome: "Outcome") -> None:
    from telemetry.ops.slow_text import slow_lines
    from telemetry.ops.summary import summary_lines

    lines = list(summary_lines(outcome.name, outcome.ledger, outcome.frame_ledgers))
    lines += slow_lines(outcome.slow)
    lines += outcome.problems
    lines += [f"wrote {path}" for path in outcome.outputs]
    click.echo("\n".join(lines), err=True)


def _write_summary(path: Path, outcome: "Outcome") -> None:
    import json

    from telemetry.common.files import write_text
    from telemetry.ops.slow_text import slow_record
    from telemetry.ops.summary import summary_record

    outputs = tuple(map(str, outcome.outputs))
    record = summary_record(outcome.name, outcome.ledger, outputs, outcome.frame_ledgers)
    record["exit_code"] = int(outcome_code(outcome))
    record["slow"] = slow_record(outcome.slow)
    write_text(path, json.dumps(record, indent=2) + "\n")
