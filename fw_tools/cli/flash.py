# SPDX-License-Identifier: Apache-2.0
"""`fw-tools flash`: an image into a payload's boot slot, or a bitstream into a board's FPGA."""

from pathlib import Path

import click

from fw_tools.cli.board_options import Connection, connection_options
from telemetry.common.exit_codes import ExitCode


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="IMAGE")
@connection_options
@click.option("--slot", type=int, metavar="N", help="By default the oldest; 0 is the golden one.")
@click.option(
    "--verify-only", is_flag=True, help="Compare; write nothing. A boot slot needs --slot."
)
@click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")
@click.option("--no-boot", is_flag=True, help="Leave the payload running as it is.")
@click.option("--until-power-off", is_flag=True, help="Into the FPGA, not into its flash.")
def flash(
    file: Path,
    connection: Connection,
    slot: int | None,
    verify_only: bool,
    dry_run: bool,
    no_boot: bool,
    until_power_off: bool,
) -> ExitCode:
    """Write IMAGE to a board; verify and start it. What IMAGE holds says which way it goes.

    An image, as `fw-tools image` makes it, goes to a boot slot of a payload over its link. What the
    slot holds already is not sent again: the same command goes on where it was cut off. The golden
    slot is open only while the boot select pin is set. The options --slot and --no-boot are for
    this way. Exit code 4 when the device holds something else than IMAGE, or does not boot it.

    A bitstream of an iCE40, an ECP5 or a Gowin, ours or not, goes to a board with such an FPGA
    through openFPGALoader; --until-power-off is for this way.

    Anything else goes to a board with a table [program], by the vendor's programmer that it names.

    --verify-only compares what the board holds where it can be read back.

    \b
    Examples:
      fw-tools flash boot.img --board twin:payload.toml
      fw-tools flash boot.img --board board.toml --slot 2 --verify-only
      fw-tools flash blinky.bit --board ulx3s --until-power-off
      fw-tools flash blinky.bit --board ulx3s --verify-only
      fw-tools flash firmware.bin --board esp32 --port /dev/ttyUSB0
    """
    from fw_tools.errors import InputError
    from fw_tools.pus.slots import MAGIC

    try:
        octets = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    way = "link" if octets.startswith(MAGIC) else _way(connection)
    if way != "link" and (slot is not None or no_boot):
        raise click.UsageError("--slot and --no-boot are for boot slots alone")
    if verify_only and dry_run:
        raise click.UsageError("--verify-only writes nothing; leave out --dry-run")
    if way != "fpga" and until_power_off:
        raise click.UsageError("--until-power-off is for a board's FPGA alone")
    if way == "fpga":
        from fw_tools.cli.flash_fpga import flash_fpga

        return flash_fpga(
            file,
            connection.board,
            is_volatile=until_power_off,
            serial=connection.serial,
            is_verified_only=verify_only,
            is_dry=dry_run,
        )
    if way == "program":
        from fw_tools.cli.flash_program import flash_program

        return flash_program(file, connection, is_verified_only=verify_only, is_dry=dry_run)
    if verify_only and slot is None:
        raise click.UsageError("--verify-only needs --slot N")
    from fw_tools.cli.flash_link import Wishes, flash_link

    wishes = Wishes(slot=slot, is_verified_only=verify_only, is_dry=dry_run, is_booted=not no_boot)
    with connection.open() as client:
        return flash_link(file, octets, client, wishes)


def _way(connection: Connection) -> str:
    """Return what --board is written by: "link" (as twins are), "fpga" or "program"."""
    from fw_tools.board.finding import find_board
    from fw_tools.board.opening import TWIN

    named = connection.board.partition(":")[0]
    if named == TWIN or connection.board.endswith(".json"):
        return "link"
    board = find_board(connection.board)
    if board.program:
        return "program"
    return "fpga" if board.fpga else "link"
