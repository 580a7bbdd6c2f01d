# SPDX-License-Identifier: Apache-2.0
"""`fw-tools flash`: an image into a boot slot of a payload, over its link."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fw_tools.cli.board_options import board_options
from telemetry.common.console import output, progress
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from fw_tools.board.client import PayloadClient
    from fw_tools.board.flasher import Plan, Show
    from fw_tools.board.slots import Slot
    from fw_tools.pus.slots import Image


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="IMAGE")
@board_options
@click.option("--slot", type=int, metavar="N", help="By default the oldest; 0 is the golden one.")
@click.option("--verify-only", is_flag=True, help="Compare; write nothing. Needs --slot.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent; write nothing.")
@click.option("--no-boot", is_flag=True, help="Leave the payload running as it is.")
def flash(
    file: Path,
    client: "PayloadClient",
    slot: int | None,
    verify_only: bool,
    dry_run: bool,
    no_boot: bool,
) -> ExitCode:
    """Write IMAGE, as `fw-tools image` makes it, to a boot slot of a payload; verify and boot it.

    What the slot holds already is not sent again: the same command goes on where it was cut off.
    The golden slot is open only while the boot select pin is set. Exit code 4 when the device holds
    something else than IMAGE, or does not boot it.

    \b
    Examples:
      fw-tools flash boot.img --board twin:payload.toml
      fw-tools flash boot.img --board board.toml --slot 2 --verify-only
    """
    from fw_tools.board.flasher import Flasher
    from fw_tools.board.slots import next_sequence, next_slot, read_slots, slot_layout

    if verify_only and slot is None:
        raise click.UsageError("--verify-only needs --slot N")
    found = _image(file, client)
    slots = read_slots(client)
    number = next_slot(slots) if slot is None else slot
    with _shown() as show:
        flasher = Flasher(client, slot_layout(client), number, found, show)
        _say(client, slots[number], len(slots))
        if verify_only:
            flasher.verify()
            output().print(f"slot {number} holds the image: {len(found.octets):,} octets")
            return ExitCode.DONE
        plan = flasher.plan()
        _say_plan(found, plan)
        if dry_run:
            return ExitCode.DONE
        flasher.carry_out(plan, next_sequence(slots))
    output().print(f"verified   CRC-32 in the device, {len(found.octets):,} octets read back")
    return ExitCode.DONE if no_boot else _boot(client, number)


def _image(file: Path, client: "PayloadClient") -> "Image":
    from fw_tools.errors import InputError
    from fw_tools.pus.slots import ImageFileError, ImageKind, read_image_file

    try:
        found = read_image_file(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    except ImageFileError as error:
        raise InputError(f"{file}: {error}") from error
    wanted = int(client.description.rtl_digest, 16)
    if found.kind is ImageKind.RECORDS and found.identity != wanted:
        raise InputError(
            f"{file}: made for gateware {found.identity:016x}; {client.description.payload} is "
            f"{wanted:016x}"
        )
    return found


def _say(client: "PayloadClient", slot: "Slot", count: int) -> None:
    holds = slot.damage or "empty"
    if slot.header:
        holds = f"{slot.header.length:,} octets, sequence {slot.header.sequence}"
    which = " (golden)" if slot.number == 0 else ""
    output().print(
        f"{client.description.payload}, slot {slot.number}{which} of {count}: {holds}", markup=False
    )


def _say_plan(image: "Image", plan: "Plan") -> None:
    kept = len(image.octets) - plan.octets
    resumed = f"; {kept:,} are there already" if kept else ""
    output().print(
        f"plan       erase {len(plan.erased)} blocks of 64 KiB, send {plan.octets:,} of "
        f"{len(image.octets):,} octets{resumed}"
    )


def _boot(client: "PayloadClient", number: int) -> ExitCode:
    from fw_tools.board.slots import boot

    booted = boot(client)
    if number in booted.refused:
        said = f"slot {number} was refused"
    elif booted.slot is None:
        said = "nothing was booted"
    else:
        said = f"slot {booted.slot}"
    output().print(f"booted     {said}", markup=False)
    return ExitCode.DONE if booted.slot == number else ExitCode.VERIFICATION


@contextmanager
def _shown() -> Iterator["Show"]:
    with progress(unit="bytes") as display:
        tasks: dict[str, int] = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = display.add_task(step, total=total)
            display.update(tasks[step], completed=done, total=total)  # type: ignore[arg-type]

        yield show
