# SPDX-License-Identifier: Apache-2.0
"""`fw-tools build`: from a payload description, or a design of your own, to a board's bitstream."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from telemetry.common.console import output, progress
from telemetry.common.exit_codes import ExitCode
from telemetry.common.files import make_folder

if TYPE_CHECKING:
    from fw_tools.flow.bitstream import Progress
    from fw_tools.flow.build import Built

_STEPS = 3  # Synthesis, place and route, bitstream.


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SPEC | FILE..."
)
@click.option("--board", required=True, metavar="NAME|PATH", help="A board with an FPGA.")
@click.option("--top", metavar="TOP", help="FILEs are a design of your own; this is its top.")
@click.option(
    "--pins",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Its pins, in the words of the family's tools; by default those of the board.",
)
@click.option(
    "--golden",
    type=click.Path(path_type=Path),
    metavar="BITSTREAM",
    help="Write a flash image too: BITSTREAM loads at power-on, the new one by a warm boot.",
)
@click.option(
    *("-o", "--output", "folder"),
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the files go; build/BOARD/NAME by default.",
)
def build(
    files: tuple[Path, ...],
    board: str,
    top: str | None,
    pins: Path | None,
    golden: Path | None,
    folder: Path | None,
) -> ExitCode:
    """Synthesise, place and route the payload described in SPEC, and pack it for a board.

    The payload runs at the board's clock; its times and its baud rate stay what SPEC says. DIR then
    holds the bitstream, build.json with every figure, and the link.json of this build; NAME.img
    too, the bitstream for a boot slot, where the payload has slots in a flash that the FPGA loads
    bitstreams from. The same sources and tools give the same bits, which are kept in the cache.
    Exit code 4 when the design misses its clock: no bitstream is written then.

    \b
    Examples:
      fw-tools build payload.toml --board ulx3s
      fw-tools build payload.toml --board icebreaker --golden first.bin
      fw-tools build blinky.sv --top blinky --pins blinky.pcf --board icebreaker
    """
    from fw_tools.board.finding import find_board
    from fw_tools.flow import build as flow

    found = find_board(board)
    first = flow.read_golden(golden, found) if golden else None
    if folder:
        make_folder(folder)  # Minutes before it is filled, for what cannot be made is told at once.
    link: dict[str, bytes] = {}
    with _steps() as show:
        if top:
            built = flow.build_own(files, top, pins, found, show)
        else:
            built, link["link.json"] = flow.build_payload(_spec(files, pins), found, show)
    _print(built)
    into = folder or Path("build") / found.name / built.name
    for path in flow.write_built(built, into, first, link):
        output().print(f"written  {path}", markup=False)
    return ExitCode.DONE


def _spec(files: tuple[Path, ...], pins: Path | None) -> Path:
    if len(files) > 1:
        raise click.UsageError("several FILEs are a design of your own: give --top TOP too")
    if pins:
        raise click.UsageError("--pins belongs to a design of your own: give --top TOP too")
    return files[0]


@contextmanager
def _steps() -> Iterator["Progress"]:
    with progress() as display:
        task = display.add_task("", total=_STEPS)

        def show(step: str) -> None:
            display.update(task, description=step, advance=1 if display.tasks[0].description else 0)

        yield show


def _print(built: "Built") -> None:
    from fw_tools.fpga.fit_table import print_fit

    bitstream = built.bitstream
    cached = ", from the cache" if bitstream.is_cached else ""
    output().print(
        f"{built.name} on {built.board.name}, {bitstream.fit.part}: "
        f"{len(bitstream.bits):,} octets, build {built.build_id}{cached}\n",
        markup=False,
    )
    print_fit(bitstream.fit, output())
    output().print()
