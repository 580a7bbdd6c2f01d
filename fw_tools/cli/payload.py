# SPDX-License-Identifier: Apache-2.0
"""`fw-tools ping`, `get`, `set`, `dump`, `events`, `monitor`: one exchange with a payload."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fw_tools.cli.board_options import FiniteRange, board_options, whole_number
from telemetry.common.console import output
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from fw_tools.board.client import PayloadClient


def say(line: str) -> None:
    """Print one line as it is."""
    output().print(line, markup=False)


@click.command()
@board_options
def ping(client: "PayloadClient") -> ExitCode:
    """Ask a payload whether it is alive: TC[17,1].

    \b
    Example:
      fw-tools ping --board generated/link.json --port /dev/ttyUSB0
    """
    from fw_tools.board import verbs

    say(verbs.ping(client))
    return ExitCode.DONE


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@board_options
def get(client: "PayloadClient", names: tuple[str, ...]) -> ExitCode:
    """Show registers, or single fields as REGISTER.FIELD; all registers without a NAME.

    \b
    Example:
      fw-tools get --board board.toml status control.power_up
    """
    from fw_tools.board import verbs

    for line in verbs.get(client, names):
        say(line)
    return ExitCode.DONE


@click.command(name="set")
@click.argument("assignments", nargs=-1, required=True, metavar="NAME=VALUE...")
@board_options
def set_(client: "PayloadClient", assignments: tuple[str, ...]) -> ExitCode:
    """Set registers or fields, in one command: all of them, or none.

    A value is a number, or the name of a field's value.

    \b
    Example:
      fw-tools set --board board.toml control.power_up=on control.scrub_enable=off
    """
    from fw_tools.board import verbs

    verbs.set_(client, assignments)
    return ExitCode.DONE


@click.command()
@click.argument("memory")
@click.option(
    *("-a", "--address"), default="0", callback=whole_number, metavar="N", help="First octet."
)
@click.option(
    *("-n", "--octets"), callback=whole_number, metavar="N", help="How many; to the end by default."
)
@click.option(
    *("-o", "--output", "path"), type=click.Path(path_type=Path), metavar="FILE", help="To write."
)
@board_options
def dump(
    client: "PayloadClient", memory: str, address: int, octets: int | None, path: Path | None
) -> ExitCode:
    """Read a memory; to a file, or as rows of octets. The checksum of every area is verified.

    \b
    Example:
      fw-tools dump --board board.toml weight_buffer -a 0x100 -n 64
    """
    from fw_tools.board import verbs

    for line in verbs.dump(client, memory, address, octets, path):
        say(line)
    return ExitCode.DONE


@click.command()
@click.option("--follow", is_flag=True, help="Go on with those that come, until Ctrl-C.")
@board_options
def events(client: "PayloadClient", follow: bool) -> ExitCode:
    """Show the events that the payload has kept: its time, severity, name and data."""
    for event in client.event_log():
        say(event.text())
    if follow:
        with suppress(KeyboardInterrupt):
            for event in client.events():
                say(event.text())
    return ExitCode.DONE


@click.command()
@click.option(
    "--seconds", type=FiniteRange(0), metavar="S", help="How long; until Ctrl-C by default."
)
@click.option(
    "--definition",
    metavar="FILE.py:NAME",
    help="Decode housekeeping by this definition, as generated; the file is run.",
)
@board_options
def monitor(client: "PayloadClient", seconds: float | None, definition: str | None) -> ExitCode:
    """Show every report as it comes, one a line."""
    from fw_tools.board.reports import ReportText

    text = ReportText(client.description, definition)
    with suppress(KeyboardInterrupt):
        for report in client.reports(seconds):
            say(text.line(report))
    return ExitCode.DONE
