# SPDX-License-Identifier: Apache-2.0
"""`fw-tools faultline`: a serial line that is not perfect, between any two ports."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from telemetry.common.console import output
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from fw_tools.board.faultline import Faultline

_BAUD = 115200


@click.command()
@click.argument("near", metavar="URL_A")
@click.argument("far", metavar="URL_B")
@click.option(
    "--faults",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Schedule of faults, in TOML.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), metavar="N", help="Instead of the file's."
)
@click.option(
    "--baud",
    type=click.IntRange(1),
    default=_BAUD,
    show_default=True,
    metavar="N",
    help="Of serial devices.",
)
@click.option("--bind", metavar="ADDR", help="Address of tcp:PORT instead of 127.0.0.1.")
def faultline(
    near: str, far: str, faults: Path, seed: int | None, baud: int, bind: str | None
) -> ExitCode:
    """Stand between URL_A, the host's side, and URL_B, the payload's, and disturb what passes.

    A URL is a serial device, socket://HOST:PORT, rfc2217://HOST:PORT, or one that others open:
    pty:PATH makes a pty with a link at PATH, tcp:PORT listens (0 takes a free port). Octets alone
    pass; DTR, RTS, break and a client's baud rate do not. Ctrl-C, or a side that goes away, ends
    it, and what was done is shown. The same seed and octets give the same faults, whatever pieces
    the octets come in; cuts are by the clock.

    \b
    Examples:
      fw-tools faultline pty:/tmp/board /dev/ttyUSB0 --faults faults.toml
      fw-tools faultline tcp:2300 socket://127.0.0.1:2217 --faults faults.toml --seed 7

    \b
    A schedule of faults, as of `fw-tools twin`; of its events a line knows the cut alone:
      seed = 7
      [to_payload]           # From A to B; and [from_payload]. Chances per octet: flip
      flip = 0.001           # (a bit of it), drop, duplicate, insert (octets), and
                             # stall with stall_for = "2ms".
      [[event]]
      at = "500ms"           # After the start.
      do = "cut"
      line = "from_payload"
      for = "20ms"
    """
    from fw_tools.board.faultline import running_faultline
    from fw_tools.board.twin_faults import load_line_faults

    schedule = load_line_faults(faults)
    if seed is not None:
        schedule = replace(schedule, seed=seed)
    with running_faultline(
        near, far, schedule, baud=baud, bind=bind, say=lambda line: click.echo(line, err=True)
    ) as line:
        _show(line, schedule.seed)
        try:
            line.wait()
        finally:
            _print_counts(line)
    return ExitCode.DONE


def _show(line: "Faultline", seed: int) -> None:
    from fw_tools.board.listening import ListeningSide

    for letter, side in (("A", line.near), ("B", line.far)):
        is_ours = isinstance(side, ListeningSide)
        click.echo(f"{letter}: {'listening on' if is_ours else 'opened'} {side.name}")
        for note in side.notes if isinstance(side, ListeningSide) else ():
            click.echo(f"note: {note}")
    click.echo(f"seed {seed}; Ctrl-C ends")


def _print_counts(line: "Faultline") -> None:
    from rich.table import Table

    from fw_tools.board.twin_messages import Direction

    table = Table(box=None, pad_edge=False)
    table.add_column("direction")
    names = ("octets", "passed", "flips", "drops", "duplicates", "inserts", "stalls", "cut")
    for name in names:
        table.add_column(name, justify="right")
    for direction, shown in ((Direction.TO_PAYLOAD, "A to B"), (Direction.FROM_PAYLOAD, "B to A")):
        counts = line.counts[direction]
        table.add_row(shown, *(f"{getattr(counts, name):,}" for name in names))
    output().print(table)
