# SPDX-License-Identifier: Apache-2.0
"""What must hold between the keys of [link]."""

from collections.abc import Iterator

from fw_tools.pus.slots import ERASE_BLOCK_OCTETS, MOST_SLOTS
from fw_tools.spec.draft import Draft
from fw_tools.spec.schema import LinkTable

_BLOCK_KIB = ERASE_BLOCK_OCTETS // 1024


def check_link(draft: Draft) -> None:
    """Add slots that do not divide the flash to the findings."""
    if draft.link is not None and draft.link.slot is not None:
        for message in _slot_mistakes(draft.link, draft.link.slot):
            draft.findings.add(("link", "slot"), "link: slot", message)


def _slot_mistakes(link: LinkTable, slot: int) -> Iterator[str]:
    if link.flash is None:
        yield 'there is no flash; add flash = "4MiB", for example'
        return
    if slot % _BLOCK_KIB:
        yield f"{slot}KiB is no multiple of 64KiB, which a flash erases at once"
    elif link.flash % slot:
        yield f"a flash of {link.flash}KiB is no multiple of {slot}KiB"
    elif not 2 <= link.flash // slot <= MOST_SLOTS:
        count = link.flash // slot
        yield f"a flash of {link.flash}KiB holds {count} of them; expected 2 to {MOST_SLOTS}"
