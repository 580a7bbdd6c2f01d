# SPDX-License-Identifier: Apache-2.0
"""`fw-tools boards` and `fw-tools ports`: which there are, a new one, and what one can do."""

from typing import TYPE_CHECKING

import click

from telemetry.common.console import messages, output
from telemetry.common.exit_codes import ExitCode
from telemetry.common.tables import Head, fitted_table, left_out_text

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group(invoke_without_command=True)
@click.pass_context
def boards(context: click.Context) -> ExitCode | None:
    """Show the boards that a name finds: those of ./boards, and those that come with fw-tools.

    \b
    Examples:
      fw-tools boards
      fw-tools boards new bench_3
      fw-tools boards check bench_3
    """
    if context.invoked_subcommand is not None:
        return None
    from fw_tools.board.listing import board_rows

    heads = (
        Head(name="board"),
        Head(name="from"),
        Head(name="what it is", least=16),
        Head(name="FPGA", rank=1),
        Head(name="can", least=12),
        Head(name="port", least=12),
    )
    rows = [(row.name, row.origin, row.about, row.fpga, row.can, row.port) for row in board_rows()]
    _print(heads, rows)
    return ExitCode.DONE


@boards.command()
@click.argument("name")
def new(name: str) -> ExitCode:
    """Write boards/NAME/board.toml, with every key explained. Nothing is ever overwritten.

    \b
    Example:
      fw-tools boards new bench_3
    """
    from fw_tools.board.new_board import create_board

    path = create_board(name)
    click.echo(f"written  {path}")
    click.echo(f"next:    say in it what the board is, then fw-tools boards check {name}")
    return ExitCode.DONE


@boards.command()
@click.argument("board", required=False, metavar="[NAME]")
@click.option("--port", metavar="URL", help="In place of the board's own.")
@click.option("--serial", metavar="NUMBER", help="Serial number of the board's USB port.")
def check(board: str | None, port: str | None, serial: str | None) -> ExitCode:
    """Prove what a board can do, one thing after the other: its line, reset, strappings, power.

    NAME is as for --board: a name, a path, or twin[:SPEC]; without it, the one board in ./boards. A
    payload is asked (link in [board]); of another board, what it says by itself is the proof. The
    board is reset, and its supply switched. Exit code 7 when one of them fails.

    \b
    Examples:
      fw-tools boards check bench_3
      fw-tools boards check twin:payload.toml
    """
    from fw_tools.board.opening import Named, connected_board
    from fw_tools.board.proving import failures, prove

    named = Named(board=board or _only_board(), port=port, serial=serial, way="rfc2217")
    with connected_board(named, lambda line: click.echo(line, err=True)) as found:
        proofs = list(prove(found))
        name = found.name
    heads = (Head(name=name), Head(name="outcome"), Head(name="seen", least=24))
    _print(heads, [(proof.what, str(proof.outcome), proof.seen) for proof in proofs])
    return ExitCode.LINK if failures(proofs) else ExitCode.DONE


@click.command()
def ports() -> ExitCode:
    """Show the serial ports of this machine: who holds each, and which board it looks like."""
    from fw_tools.board.listing import port_rows

    heads = (
        Head(name="port"),
        Head(name="USB ID"),
        Head(name="serial number"),
        Head(name="what it is", least=16),
        Head(name="held by"),
        Head(name="looks like", least=10),
    )
    rows = [
        (row.device, row.usb, row.serial, row.about, row.held_by, row.looks_like)
        for row in port_rows()
    ]
    if not rows:
        click.echo("no serial port on this machine", err=True)
        return ExitCode.DONE
    _print(heads, rows)
    return ExitCode.DONE


def _only_board() -> str:
    from fw_tools.board.finding import OWN_BOARDS, board_files

    own = [name for name, path in board_files().items() if path.is_relative_to(OWN_BOARDS)]
    if len(own) == 1:
        return own[0]
    known = f"which of {', '.join(own)}?" if own else "there is none in ./boards"
    raise click.UsageError(f"name the board to check; {known}")


def _print(heads: "Sequence[Head]", rows: "Sequence[Sequence[str]]") -> None:
    table, left_out = fitted_table(heads, rows, output().width)
    output().print(table)
    if left_out:
        messages().print(left_out_text(left_out), markup=False)
