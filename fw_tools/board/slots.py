# SPDX-License-Identifier: Apache-2.0
"""The boot slots of a payload: what is in each, where the next image goes, which one boots."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from fw_tools.board.client import PayloadClient
from fw_tools.board.exchange import NoAnswerError
from fw_tools.errors import UsageError
from fw_tools.pus.slots import HEADER, SlotHeader, SlotHeaderError, SlotLayout, read_header

FLASH = "flash"
GOLDEN = 0
NO_SLOT = 0xFF
BOOTED, REFUSED = "link.booted_slot", "link.slots_refused"
BOOT_PATIENCE_S = 30.0
_RESET_S = 0.05  # The reset comes when the line has rested.


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of a flash."""

    number: int
    header: SlotHeader | None  # None: it is empty.
    damage: str = ""  # Why its header cannot be used.


def slot_layout(client: PayloadClient) -> SlotLayout:
    """Return how the payload's flash is divided. Raises `UsageError` where it has no slots."""
    slot_octets = client.description.slot_octets
    if not slot_octets:
        raise UsageError(
            f"{client.description.payload}: no boot slots; give [link] flash and slot in its "
            "description"
        )
    return SlotLayout(slot_octets, client.description.memory(FLASH).octets // slot_octets)


def read_slots(client: PayloadClient) -> list[Slot]:
    """Return what is in each slot, the golden one first. Raises `LinkError`."""
    layout = slot_layout(client)
    return [_slot(client, layout, number) for number in range(layout.count)]


def next_slot(slots: Sequence[Slot]) -> int:
    """Return the update slot that is missed least: an empty one, else that of the oldest image."""
    return min(slots[GOLDEN + 1 :], key=_worth).number


def next_sequence(slots: Sequence[Slot]) -> int:
    """Return the sequence number with which an image is booted before all others."""
    return 1 + max((slot.header.sequence for slot in slots if slot.header), default=0)


@dataclass(frozen=True, slots=True)
class Boot:
    """What a boot came to."""

    slot: int | None  # None: nothing was booted.
    refused: tuple[int, ...]  # Slots that were left out for what is wrong with them.


def boot(client: PayloadClient) -> Boot:
    """Start the payload anew and return what it has booted. Raises `LinkError`."""
    client.perform("warm_reset")
    deadline = time.monotonic() + BOOT_PATIENCE_S
    time.sleep(_RESET_S)
    while True:
        try:
            values = client.get_many([BOOTED, REFUSED])
            break
        except NoAnswerError:  # It is deaf while it reads an image.
            if time.monotonic() > deadline:
                raise
    number, bits = values[BOOTED], values[REFUSED]
    refused = tuple(slot for slot in range(bits.bit_length()) if bits >> slot & 1)
    return Boot(None if number == NO_SLOT else number, refused)


def _slot(client: PayloadClient, layout: SlotLayout, number: int) -> Slot:
    octets = client.read_memory(FLASH, layout.header_at(number), HEADER.sizeof())
    try:
        return Slot(number, read_header(octets, layout))
    except SlotHeaderError as error:
        return Slot(number, None, str(error))


def _worth(slot: Slot) -> int:
    return slot.header.sequence if slot.header else -1
