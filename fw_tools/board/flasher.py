# SPDX-License-Identifier: Apache-2.0
"""An image into a boot slot over the link: what the device has already is not sent again."""

import binascii
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fw_tools.board.client import PayloadClient
from fw_tools.board.comparing import require_equal
from fw_tools.board.slots import FLASH
from fw_tools.errors import UsageError, VerificationError
from fw_tools.pus.identifiers import FLASH_SECTOR_OCTETS, LONGEST_AREA
from fw_tools.pus.slots import ERASE_BLOCK_OCTETS, HEADER, Image, SlotLayout

ANOTHER_SLOT = ", and --slot takes another slot"
Show = Callable[[str, int, int], None]  # Step, octets done, octets in all.


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What has to be done so that a slot holds an image."""

    slot: int
    erased: tuple[tuple[int, int], ...]  # (address, octets)
    written: tuple[tuple[int, bytes], ...]  # (address, data), the header not among them.

    @property
    def octets(self) -> int:
        """Octets to be sent."""
        return sum(len(data) for _, data in self.written)


class Flasher:
    """Writes one image into one slot; a second one goes on where a first was cut off.

    The header is erased first and written last, so that a slot that is not finished is no slot.
    """

    def __init__(
        self, client: PayloadClient, layout: SlotLayout, slot: int, image: Image, show: Show
    ) -> None:
        if not 0 <= slot < layout.count:
            raise UsageError(f"slot {slot}; the flash has 0 (golden) to {layout.count - 1}")
        if len(image.octets) > layout.room:
            raise UsageError(
                f"the image has {len(image.octets):,} octets; a slot holds {layout.room:,}"
            )
        self._client = client
        self._layout = layout
        self._slot = slot
        self._image = image
        self._show = show

    def plan(self) -> Plan:
        """Look at what the slot holds, block by block by its CRC-32, and return what is missing."""
        erased: list[tuple[int, int]] = []
        written: list[tuple[int, bytes]] = []
        looked, total = 0, len(self._image.octets)
        for address, data in self._blocks():
            have = self._begun(address, data)
            if have is None:
                erased.append((address, ERASE_BLOCK_OCTETS))
            if have != len(data):
                written.append((address + (have or 0), data[have or 0 :]))
            looked += len(data)
            self._show("look", looked, total)
        return Plan(slot=self._slot, erased=tuple(erased), written=tuple(written))

    def carry_out(
        self, plan: Plan, sequence: int, written: Callable[[], None] = lambda: None
    ) -> None:
        """Write what is missing, verify all of it, and then write the header.

        `written` is called before it is verified. Raises `VerificationError` with the place where
        the device holds something else.
        """
        header_at, header = self._layout.header_at(self._slot), self._image.header(sequence)
        if not self._is_erased(header_at, len(header)):
            self._client.rewrite_flash(FLASH, [(header_at, FLASH_SECTOR_OCTETS)], [])
        self._client.rewrite_flash(
            FLASH, plan.erased, plan.written, lambda done: self._show("write", done, plan.octets)
        )
        written()
        self.verify()
        self._client.rewrite_flash(FLASH, [], [(header_at, header)])
        found = self._client.read_memory(FLASH, header_at, HEADER.sizeof())
        require_equal(header_at, header, found, ANOTHER_SLOT)

    def verify(self) -> None:
        """Compare the slot with the image: CRC-32 in the device, SHA-256 of what is read back."""
        address, image = self._layout.image_at(self._slot), self._image.octets
        found = self._client.read_memory(
            FLASH, address, len(image), lambda done: self._show("verify", done, len(image))
        )
        require_equal(address, image, found, ANOTHER_SLOT)
        assert hashlib.sha256(found).digest() == hashlib.sha256(image).digest()
        if self._client.image_crc32(FLASH, address, len(image)) != binascii.crc32(image):
            raise VerificationError(
                "what was read back is the image, but the CRC-32 in the device is not its own: the "
                "flash does not read the same twice"
            )

    def _blocks(self) -> Iterator[tuple[int, bytes]]:
        start, image = self._layout.image_at(self._slot), self._image.octets
        for at in range(0, len(image), ERASE_BLOCK_OCTETS):
            yield start + at, image[at : at + ERASE_BLOCK_OCTETS]

    def _holds(self, address: int, data: bytes) -> bool:
        return self._client.image_crc32(FLASH, address, len(data)) == binascii.crc32(data)

    def _begun(self, address: int, data: bytes) -> int | None:
        """Return how much of a block is there, the rest being erased; None where it is not.

        The first area tells most: where it is neither ours nor erased, no more is looked at.
        """
        first = data[:LONGEST_AREA]
        if not self._holds(address, first):
            is_erased = self._is_erased(address, len(first)) and self._is_erased(address, len(data))
            return 0 if is_erased else None
        if self._holds(address, data):
            return len(data)
        low, high = 1, -(-len(data) // LONGEST_AREA) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self._holds(address, data[: middle * LONGEST_AREA]):
                low = middle
            else:
                high = middle - 1
        have = low * LONGEST_AREA
        return have if self._is_erased(address + have, len(data) - have) else None

    def _is_erased(self, address: int, octets: int) -> bool:
        return self._holds(address, b"\xff" * octets)
