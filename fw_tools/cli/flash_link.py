# SPDX-License-Identifier: Apache-2.0
"""`fw-tools flash` for an image of `fw-tools image`: over its link into a payload's boot slot."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fw_tools.cli.flash_look import Stopwatch, say, say_where, shown_progress
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from fw_tools.board.client import PayloadClient
    from fw_tools.board.flasher import Plan
    from fw_tools.board.slots import Slot
    from fw_tools.pus.slots import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is to be done with the image."""

    slot: int | None  # None: the oldest.
    is_verified_only: bool
    is_dry: bool
    is_booted: bool


def flash_link(file: Path, octets: bytes, client: "PayloadClient", wishes: Wishes) -> ExitCode:
    """Write the image, verify it and boot it, as far as is wished."""
    from fw_tools.board.flasher import Flasher
    from fw_tools.board.slots import next_sequence, next_slot, read_slots, slot_layout

    image = _image(file, octets, client)
    layout = slot_layout(client)
    slots = read_slots(client)
    number = next_slot(slots) if wishes.slot is None else wishes.slot
    with shown_progress() as show:
        flasher = Flasher(client, layout, number, image, show)
        _say_slot(client, slots[number], len(slots))
        if wishes.is_verified_only:
            flasher.verify()
            _say_verified(len(image.octets))
            return ExitCode.DONE
        plan = flasher.plan()
        _say_plan(image, plan)
        if wishes.is_dry:
            return ExitCode.DONE
        watch = Stopwatch()
        flasher.carry_out(plan, next_sequence(slots), lambda: _say_written(plan, watch))
    _say_verified(len(image.octets))
    return _boot(client, number) if wishes.is_booted else ExitCode.DONE


def _image(file: Path, octets: bytes, client: "PayloadClient") -> "Image":
    from fw_tools.errors import InputError
    from fw_tools.pus.slots import ImageFileError, ImageKind, read_image_file

    try:
        found = read_image_file(octets)
    except ImageFileError as error:
        raise InputError(f"{file}: {error}") from error
    wanted = int(client.description.rtl_digest, 16)
    if found.kind is ImageKind.RECORDS and found.identity != wanted:
        raise InputError(
            f"{file}: made for gateware {found.identity:016x}; {client.description.payload} is "
            f"{wanted:016x}: make it anew with the link.json of this payload"
        )
    return found


def _say_slot(client: "PayloadClient", slot: "Slot", count: int) -> None:
    holds = slot.damage or "empty"
    if slot.header:
        holds = f"{slot.header.length:,} octets, sequence {slot.header.sequence}"
    which = " (golden)" if slot.number == 0 else ""
    say_where(client.description.payload, f"slot {slot.number}{which} of {count}: {holds}")


def _say_plan(image: "Image", plan: "Plan") -> None:
    kept = len(image.octets) - plan.octets
    resumed = f"; {kept:,} are there already" if kept else ""
    places = ", ".join(f"{address:#x}" for address, _ in plan.erased)
    erased = f"erase 64 KiB at {places}, " if places else "erase nothing, "
    say("plan", f"{erased}send {plan.octets:,} of {len(image.octets):,} octets{resumed}")


def _say_written(plan: "Plan", watch: Stopwatch) -> None:
    say("written", watch.words(plan.octets))


def _say_verified(octets: int) -> None:
    say("verified", f"CRC-32 in the device; {octets:,} octets read back")


def _boot(client: "PayloadClient", number: int) -> ExitCode:
    from fw_tools.board.slots import boot

    booted = boot(client)
    if number in booted.refused:
        said = f"slot {number} was refused"
    elif booted.slot is None:
        said = "nothing was booted"
    else:
        said = f"slot {booted.slot}"
    say("booted", said)
    return ExitCode.DONE if booted.slot == number else ExitCode.VERIFICATION
