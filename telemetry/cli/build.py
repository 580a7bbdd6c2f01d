# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry build`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from telemetry.cli.reading import (
    apid_option,
    check_output,
    definition_option,
    no_primary_header_option,
)
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from telemetry.wire.framing.wrapping import Wrap

_SHOWN = 20  # Mistakes that are told.


def _read_prefix(ctx: click.Context, param: click.Parameter, value: str) -> bytes:
    try:
        return bytes.fromhex(value)
    except ValueError:
        text = f"{value!r} is not hexadecimal; expected bytes, as 1acffc1d"
        raise click.BadParameter(text, ctx, param) from None


_HELP = """Build packets from values: the reverse of decoding.

\b
  fw-telemetry decode pass17.bin --definition mission.py:PACKETS -o values.jsonl
  fw-telemetry build --definition mission.py:PACKETS --json values.jsonl -o again.bin

Each line of the file is a JSON object as `decode` writes it. Values are raw, not engineering; names
of an Enum, and bytes in hexadecimal, are understood. Lengths, and the CRC where the definition ends
in packet_error_control, are computed. A line may leave out what the definition can tell by itself,
and all of the header: then the packet is telemetry, not segmented, of the only APID of the
definition or that of --apid, and the sequence count goes on by one.

With --framing each packet is put into a frame, which `decode --framing` takes it from. In fixed:N
zeros fill up what a packet leaves. With --prefix each packet has a wrapper before it, which
`decode --skip` leaves out. With --no-primary-header only the data fields are written; nothing
checks a CRC in them, so it stays what the values say.

\b
  fw-telemetry build --definition mission.py:PACKETS --json values.jsonl --framing kiss -o a.kss
  fw-telemetry build --definition mission.py:PACKETS --json values.jsonl --prefix 00000001 -o a.bin

\b
  echo '{"uptime_s": 7, "volts": 28.5}' > values.jsonl
  fw-telemetry build --definition mission.py:PACKET --apid 66 --json values.jsonl -o one.bin
"""


@click.command(help=_HELP, short_help="Build packets from values in JSON lines.")
@definition_option()
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE.jsonl",
    help="The values, a JSON object in each line.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DUMP",
    help="Where the packets go, one behind the other.",
)
@click.option(
    "--framing",
    default="none",
    metavar="NAME",
    show_default=True,
    help="Wrap each packet: none, kiss, slip, cobs, length:2be, fixed:N.",
)
@click.option(
    "--prefix",
    callback=_read_prefix,
    default="",
    metavar="HEX",
    help="Write these bytes before each packet.",
)
@no_primary_header_option("Write packet data fields without their primary headers.")
@apid_option
def build(
    definition_source: str,
    json_file: Path,
    output: Path,
    apid: int | None,
    framing: str,
    prefix: bytes,
    has_primary_header: bool,
) -> ExitCode:
    """Build packets, write them and return the exit code."""
    from telemetry.columns.loading import load_definition
    from telemetry.common.files import write_atomically
    from telemetry.common.text import count
    from telemetry.errors import InputError
    from telemetry.ops.build import Builder

    wrap = _wrapping(framing, prefix, has_primary_header)
    check_output(output, (str(json_file),), what="the file of the values")
    definition = load_definition(definition_source)
    if apid is not None:
        definition = definition.bind(apid)
    builder = Builder(definition, has_primary_header, apid)
    mistakes: list[str] = []
    packets = octets = 0
    with write_atomically(output, "wb") as stream:
        for number, row in _rows(json_file):
            try:
                packet = wrap(builder.build(row))
            except InputError as error:
                mistakes.append(f"{json_file}:{number}: {error}")
                if len(mistakes) == _SHOWN:
                    break
                continue
            stream.write(packet)
            packets, octets = packets + 1, octets + len(packet)
        if mistakes:
            raise InputError("\n".join(mistakes))
        if not packets:
            raise InputError(f"{json_file}: there is no row in it; expected JSON lines")
    click.echo(f"wrote {output}: {count(packets, 'packet')}, {count(octets, 'byte')}", err=True)
    return ExitCode.DONE


def _wrapping(name: str, prefix: bytes, has_primary_header: bool) -> "Wrap":
    from telemetry.wire import framing

    # It tells what is wrong with a name.
    framing.framing(name, skip=len(prefix), has_primary_header=has_primary_header)
    return framing.wrapping(name, prefix=prefix, has_primary_header=has_primary_header)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line numbers and rows; `InputError` for a line that is no JSON object."""
    import json

    from telemetry.errors import InputError

    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise InputError(f"{path}:{number}: no JSON: {error}") from error
                if not isinstance(row, dict):
                    raise InputError(f'{path}:{number}: expected an object, as {{"volts": 28.5}}')
                yield number, row
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text: {error.reason}") from error
