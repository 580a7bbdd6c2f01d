# SPDX-License-Identifier: Apache-2.0
"""`fw-tools twin`: a payload in simulation, with the ports of a board."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fw_tools.cli.board_options import FiniteRange
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from fw_tools.toolchain import require_simulation

    require_simulation()
    from fw_tools.board.twin import Twin


@click.command()
@click.argument("spec", type=click.Path(path_type=Path), default="payload.toml")
@click.option("--pty", "is_pty", is_flag=True, help="Serve a pseudo-terminal (the default).")
@click.option("--tcp", type=click.IntRange(0, 65535), metavar="PORT", help="Serve raw TCP.")
@click.option(
    "--rfc2217",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Serve RFC 2217: DTR off resets, RTS off selects boot, break, baud rate.",
)
@click.option("--bind", metavar="ADDR", help="Address for sockets instead of 127.0.0.1.")
@click.option(
    "--baud-divisor",
    type=click.IntRange(4, 65535),
    metavar="N",
    help="Clocks per bit, instead of what SPEC says.",
)
@click.option(
    "--flash",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where the flash is kept; made when absent, filled up when shorter. Without it the flash "
    "starts erased.",
)
@click.option(
    "--flash-time",
    type=FiniteRange(0),
    default=1.0,
    show_default=True,
    metavar="SCALE",
    help="Of the data sheet's busy times.",
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Schedule of faults, in TOML.",
)
@click.option(
    "--trace-on",
    default="",
    metavar="EVENT",
    help="Write twin.vcd from an event on: octet, reset, break, power or rail:NAME.",
)
def twin(
    spec: Path,
    is_pty: bool,
    tcp: int | None,
    rfc2217: int | None,
    bind: str | None,
    baud_divisor: int | None,
    flash: Path | None,
    flash_time: float,
    faults: Path | None,
    trace_on: str,
) -> ExitCode:
    """Run the payload described in SPEC under Verilator, as a board that is plugged in.

    It answers until Ctrl-C. One client at a time; PORT 0 takes a free one. Without a client it
    slows down and hardly uses the processor.

    \b
    Examples:
      fw-tools twin payload.toml
      fw-tools twin payload.toml --rfc2217 2217 --flash board.bin

    \b
    A schedule of faults (--faults); times are the payload's, from the start:
      seed = 7
      [to_payload]           # And [from_payload]; chances per octet: flip (a bit of
      flip = 0.001           # it), drop, duplicate, insert (octets), and stall with
                             # stall_for = "2ms".
      [[event]]
      at = "120ms"
      do = "upset"           # Or rail (rail, fault), cut (line, for), reset,
      word = 7               # brown_out, power_loss (for), stuck (address, bit, value).
      bit = 3
      path = "u_payload.u_link.u_ram.u_array.mem"
    """
    from fw_tools.board.twin import PortKind, TwinOptions, running_twin
    from fw_tools.board.twin_design import twin_design
    from fw_tools.board.twin_faults import load_faults

    ports = [(PortKind.TCP, tcp), (PortKind.RFC2217, rfc2217)]
    chosen = [(kind, number) for kind, number in ports if number is not None]
    if len(chosen) + is_pty > 1:
        raise click.UsageError("--pty, --tcp and --rfc2217 exclude each other")
    if bind and not chosen:
        raise click.UsageError("--bind is for --tcp and --rfc2217")
    kind, number = chosen[0] if chosen else (PortKind.PTY, 0)
    design = twin_design(spec, baud_divisor)
    if flash and not design.has_flash:
        raise click.UsageError(
            f'--flash: {design.name} has no flash; its description would say [link] flash = "4MiB"'
        )
    names = tuple(rail.name for rail in design.rails)
    options = TwinOptions(
        port=kind,
        number=number,
        bind=bind or "127.0.0.1",
        flash=flash,
        flash_time=flash_time,
        faults=load_faults(faults, design.clock_hz, names, has_flash=design.has_flash)
        if faults
        else None,
        trace_on=trace_on,
    )
    with running_twin(design, options, lambda line: click.echo(line, err=True)) as running:
        _show(running)
        running.wait()
    return ExitCode.DONE


def _show(running: "Twin") -> None:
    design = running.design
    click.echo(
        f"twin of {design.name}: {design.clock_hz / 1e6:g} MHz, {running.baud} baud "
        f"(divisor {design.baud_divisor}), build {design.build_id()}"
    )
    click.echo(f"listening on {running.url}")
    for note in running.notes:
        click.echo(f"note: {note}")
    speed = running.cycles_per_second()
    share = speed / design.clock_hz
    click.echo(f"{speed / 1e6:.1f} million cycles/s, {share:.2g} of real time; Ctrl-C ends")
