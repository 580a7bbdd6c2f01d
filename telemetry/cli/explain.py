# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry explain`."""

from typing import TYPE_CHECKING, Any

import click

from telemetry.cli.reading import (
    build_options,
    definition_option,
    dump_name,
    framing_options,
    offset_option,
    open_dump,
    reassemble_option,
)
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from telemetry.ops.explain import Floor
    from telemetry.ops.locate import Located

_HELP = """Say what the byte at an offset of DUMP is, and why it was or was not decoded.

\b
`decode`, `packets` and `stats` tell offsets; the first byte is 0:
  fw-telemetry explain pass17.bin --offset 4711 --definition mission.py:PACKETS
  fw-telemetry explain pass17.bin --offset 0x1267 --definition mission.py:PACKETS

It names the frame (with --framing), the packet and the field that the byte is in; the rule that
was applied; the CRC that was computed; and, of bytes that were skipped, what was searched for,
which places looked like a packet and why they were refused, and where decoding went on. With
--reassemble it tells of a segment what became of its group.
"""


@click.command(help=_HELP, short_help="Say what a byte is, and why it was or was not decoded.")
@click.argument("dump", metavar="DUMP")
@offset_option(required=True, text="Which byte of DUMP; the first is 0.")
@definition_option(required=False)
@reassemble_option
@framing_options
def explain(dump: str, offset: int, definition_source: str | None, **framing: Any) -> ExitCode:
    """Print what each floor says of a byte and return the exit code."""
    from telemetry.columns.loading import load_definition
    from telemetry.ops.explain import explain as explain_located
    from telemetry.ops.listing import any_definition
    from telemetry.ops.locate import locate
    from telemetry.ops.segment_fate import segment_fate

    definition = load_definition(definition_source) if definition_source else None
    known = definition or any_definition()
    options = build_options(**framing)
    with open_dump(dump, "looking", options) as (_, chunks):
        located = locate(chunks, known, options, offset)
    rules = known.rules(is_segmented=options.reassemble)
    fate = segment_fate(dump, located, definition, options)
    _show(dump_name(dump), located, explain_located(located, definition, rules, fate))
    return ExitCode.DONE


def _show(name: str, located: "Located", floors: "list[Floor]") -> None:
    from telemetry.common.text import printable
    from telemetry.ops.explain import hex_lines

    click.echo(f"byte {located.offset:,} ({located.offset:#x}) of {printable(name)}\n")
    for line in hex_lines(located.window, located.offset):
        click.echo(f"  {line}")
    for floor in floors:
        click.echo(f"\n{floor.title}")
        for label, text in floor.notes:
            click.echo(f"  {label + ':':<14}{text}")
