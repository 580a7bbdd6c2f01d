# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry inspect`."""

from typing import TYPE_CHECKING, Any

import click

from telemetry.cli.reading import (
    apid_option,
    build_options,
    definition_option,
    dump_name,
    framing_options,
    offset_option,
    open_dump,
)
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from telemetry.common.tables import Head
    from telemetry.ops.inspect import FieldView, PacketView

_HELP = """Show one packet of DUMP field by field: bits, bytes, raw and engineering value, limits.

\b
The first packet, the tenth of APID 66, and the one that byte 4711 is in:
  fw-telemetry inspect pass17.bin --definition mission.py:PACKETS
  fw-telemetry inspect pass17.bin --definition mission.py:PACKETS --apid 66 --packet 10
  fw-telemetry inspect pass17.bin --definition mission.py:PACKETS --offset 4711

Packets are numbered from 1, as `fw-telemetry packets --definition ...` does; with --apid, only
those of the APID count. A place is written byte.bit, both from 0, bit 0 being the highest:
"6.4 +12" is 12 bits from bit 4 of byte 6 on. Of a packet that cannot be read the fields are shown
up to the one that failed, and the exit code is 6; so it is when the CRC does not hold.
"""


@click.command(help=_HELP, short_help="Show one packet field by field.")
@click.argument("dump", metavar="DUMP")
@definition_option()
@click.option("--packet", type=click.IntRange(min=1), metavar="N", help="The N-th packet.")
@offset_option(required=False, text="The packet that holds this byte.")
@apid_option
@framing_options
def inspect(
    dump: str,
    definition_source: str,
    packet: int | None,
    offset: int | None,
    apid: int | None,
    **framing: Any,
) -> ExitCode:
    """Show one packet and return the exit code."""
    from telemetry.columns.loading import load_definition
    from telemetry.errors import InputError
    from telemetry.ops.inspect import NoPacketError, Wanted, inspect_packet
    from telemetry.wire.spans import Verdict

    if packet is not None and offset is not None:
        raise click.UsageError("--packet and --offset both name a packet; give one")
    definition = load_definition(definition_source)
    if apid is not None:
        definition = definition.bind(apid)
    wanted = Wanted(number=1 if packet is offset is None else packet, offset=offset)
    options = build_options(**framing, apid=apid)
    with open_dump(dump, "looking", options) as (_, chunks):
        try:
            view = inspect_packet(chunks, definition, wanted, options)
        except NoPacketError as error:
            raise InputError(f"{dump_name(dump)}: {error}") from error
    _show(view)
    is_good = view.error is None and view.verdict is not Verdict.DAMAGED
    return ExitCode.DONE if is_good else ExitCode.DAMAGED


def _show(view: "PacketView") -> None:
    from telemetry.common.console import output
    from telemetry.common.tables import fitted_table, left_out_text
    from telemetry.common.text import count, printable

    header = view.header
    click.echo(
        f"packet {view.number:,} at byte {view.offset:,}: APID {header.apid}, sequence count "
        f"{header.sequence_count}, {count(len(view.octets), 'byte')}"
    )
    gap = "none" if not view.missing_before else f"{count(view.missing_before, 'packet')} missing"
    gap = "not known: the packet gives no row" if view.missing_before is None else gap
    click.echo(f"  CRC: {view.verdict.value}; gap before it: {gap}")
    rows = [tuple(map(printable, _cells(field))) for field in view.fields]
    table, left_out = fitted_table(_heads(), rows, output().width)
    output().print(table)
    if left_out:
        click.echo(f"  {left_out_text(left_out)}")
    for field in view.fields:
        if field.unreadable:
            click.echo(f"  {printable(field.name)}: no value: {printable(field.unreadable)}")
    if view.error is not None:
        click.echo(f"  not as defined: {printable(str(view.error))}")


def _heads() -> "tuple[Head, ...]":
    from telemetry.common.tables import Head

    return (
        Head(name="place"), Head(name="field", least=16, is_first=True), Head(name="hex", least=8),
        Head(name="raw", is_number=True, least=8), Head(name="value", is_number=True, least=8),
        Head(name="unit", is_optional=True), Head(name="limits", least=7, is_optional=True),
        Head(name="description", least=24, rank=1, is_optional=True),
    )  # fmt: skip


def _cells(field: "FieldView") -> tuple[str, ...]:
    place = ""
    if field.extent is not None:
        first, bits = field.extent.first, field.extent.end - field.extent.first
        place = f"{first // 8}.{first % 8} +{bits}" if first % 8 or bits % 8 else f"{first // 8}"
        is_long = not (first % 8 or bits % 8) and bits > 8
        place += f" .. {(first + bits) // 8 - 1}" if is_long else ""
    state = field.state.replace("_", " ") if field.is_valid else "not valid"
    is_octets = isinstance(field.raw, str) and field.raw == field.hexadecimal
    return (
        place,
        field.name or "(no field)",
        _cut(field.hexadecimal),
        "" if is_octets else _text(field.raw),
        _text(field.engineering),
        field.unit,
        state,
        field.description,
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.9g}" if isinstance(value, float) else _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= 48 else text[:45] + "..."
