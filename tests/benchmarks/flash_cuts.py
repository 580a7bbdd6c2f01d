# SPDX-License-Identifier: Apache-2.0
"""A flashing cut off at random moments: what boots meanwhile, and how much is sent again.

python tests/benchmarks/flash_cuts.py [CUTS] [OCTETS] [SEED]: by default 200 cuts of an image that
reaches into a second erase block, half an hour or more. At each cut the line is pulled, and the
supply of every second one is cut too. Then the payload is booted, and the same image flashed again
to its end. What was booted is told by the payload's event, with the digest of the image, and by
what the flash's file holds.
"""

import contextlib
import hashlib
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flash_link import flashing
from rich.console import Console
from rich.table import Table
from rows import Case, Measurement

from fw_tools.board.client import ClientOptions, PayloadClient
from fw_tools.board.flasher import Flasher
from fw_tools.board.slots import FLASH, boot, next_sequence, read_slots, slot_layout
from fw_tools.board.twin import Twin
from fw_tools.board.twin_messages import Direction
from fw_tools.errors import FwToolsError
from fw_tools.pus.identifiers import FLASH_SECTOR_OCTETS
from fw_tools.pus.slots import ERASE_BLOCK_OCTETS, Image, ImageKind, build_records

WINDOW_OCTETS = 3 * 1024
RECORD_OCTETS = 8
SETTLED, CUT = 1, 2  # Slots: one that stays, one that is written.
LINK = 'baud_divisor = 16\nflash = "4MiB"\nslot = "512KiB"'
HASTY = ClientOptions(timeout_s=1.0, tries=1)
PATIENT = ClientOptions(timeout_s=10.0)
SCRUBBING = 0x69  # Of control.
ALLOWED = WINDOW_OCTETS + ERASE_BLOCK_OCTETS


class Node:
    """The twin, whose flash is a file, and images for it that set a register over and over."""

    def __init__(self, twin: Twin, client: PayloadClient, file: Path) -> None:
        self.twin, self.client, self._file = twin, client, file

    def over(self, client: PayloadClient) -> "Node":
        """Return the same through another client."""
        return Node(self.twin, client, self._file)

    def image(self, octets: int, seed: int) -> Image:
        """Return an image whose records differ in an octet that means nothing in them."""
        record = build_records({self.client.description.parameter("control").id: SCRUBBING}, [])
        filling = random.Random(seed).randbytes(octets // RECORD_OCTETS)
        records = b"".join(record[:1] + bytes((each,)) + record[2:] for each in filling)
        identity = int(self.client.description.rtl_digest, 16)
        return Image(octets=records, kind=ImageKind.RECORDS, identity=identity)

    def boots(self, slot: int, image: Image) -> bool:
        """Tell whether the payload booted this slot last, and the slot holds this image."""
        booted = [each for each in self.client.event_log() if each.name == "slot_booted"][-1]
        digest = int.from_bytes(hashlib.sha256(image.octets).digest()[:2], "big")
        place = slot_layout(self.client).image_at(slot)
        held = self._file.read_bytes()[place : place + len(image.octets)]
        return booted.data == slot << 16 | digest and held == image.octets

    def flash(self, slot: int, image: Image) -> int:
        """Flash it, and return how many octets were sent."""
        flasher = Flasher(self.client, slot_layout(self.client), slot, image, lambda *_: None)
        plan = flasher.plan()
        flasher.carry_out(plan, next_sequence(read_slots(self.client)))
        return plan.octets

    def discard(self, slot: int) -> None:
        """Erase the header of a slot; what is behind it stays, and has to be erased to be used."""
        place = slot_layout(self.client).header_at(slot)
        self.client.rewrite_flash(FLASH, [(place, FLASH_SECTOR_OCTETS)], [])

    def flash_until(self, delay_s: float, image: Image, is_power_cut: bool) -> int:
        """Flash until the line is pulled; return how many octets the payload had acknowledged."""
        done = 0

        def show(step: str, octets: int, _: int) -> None:
            nonlocal done
            done = octets if step == "write" else done

        with PayloadClient.open(self.twin.url, self.client.description, options=HASTY) as client:
            flasher = Flasher(client, slot_layout(client), CUT, image, show)
            sequence, plan = next_sequence(read_slots(client)), flasher.plan()
            timer = threading.Timer(delay_s, self._cut, (is_power_cut,))
            timer.start()
            with contextlib.suppress(FwToolsError):
                flasher.carry_out(plan, sequence)
            timer.join()
        for direction in Direction:
            self.twin.cut_line(direction, False)
        return done

    def _cut(self, is_power_cut: bool) -> None:
        for direction in Direction:
            self.twin.cut_line(direction, True)
        if is_power_cut:
            self.twin.power_cycle()


@dataclass
class Outcome:
    """What came of all cuts."""

    cuts: int = 0
    whole: int = 0  # Cuts that came after the end: the new image booted.
    wrong: int = 0  # Another image booted than the one that had to.
    most_again: int = 0  # Octets that were acknowledged, and sent once more after the cut.


def cut_off(cuts: int, octets: int, seed: int) -> Outcome:
    """Flash and cut so many times, each time over another image, with one that boots beside."""
    rng, started, outcome = random.Random(seed), time.monotonic(), Outcome()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "flash.bin"
        with flashing("breaker_mini", 8, LINK, flash_time=0.1, flash=file) as (twin, client):
            node = Node(twin, client, file)
            node.flash(SETTLED, settled := node.image(RECORD_OCTETS, 0))
            begun = time.monotonic()
            node.flash(CUT, node.image(octets, 1))
            longest_s = time.monotonic() - begun
            node.discard(CUT)
            client.close()
            for number in range(cuts):
                new = node.image(octets, number + 2)
                one_cut(node, settled, new, rng.uniform(0, longest_s), bool(number % 2), outcome)
                print(f"  {outcome}, {time.monotonic() - started:.0f} s", file=sys.stderr)
    return outcome


def one_cut(
    node: Node, settled: Image, new: Image, delay_s: float, is_power_cut: bool, outcome: Outcome
) -> None:
    """Flash a new image until the line is pulled, boot what is there, and go on to its end."""
    acknowledged = node.flash_until(delay_s, new, is_power_cut)
    with PayloadClient.open(node.twin.url, node.client.description, options=PATIENT) as client:
        node = node.over(client)
        is_whole = boot(client).slot == CUT
        outcome.cuts += 1
        outcome.whole += is_whole
        outcome.wrong += not (node.boots(CUT, new) if is_whole else node.boots(SETTLED, settled))
        if not is_whole:
            sent = node.flash(CUT, new)
            outcome.most_again = max(outcome.most_again, sent - len(new.octets) + acknowledged)
            outcome.wrong += boot(client).slot != CUT or not node.boots(CUT, new)
        node.discard(CUT)


def cuts_row(cuts: int = 200, octets: int = 66 << 10, seed: int = 1) -> list[Measurement]:
    """Return the rows of the benchmark."""
    outcome = cut_off(cuts, octets, seed)
    return [
        Measurement(case="flash/cuts_wrong", ours=outcome.wrong, unit="images", better="lower"),
        Measurement(
            case="flash/cuts_again", ours=outcome.most_again, unit="octets", better="lower"
        ),
    ]


CASES: dict[str, Case] = {"flash/cuts": partial(cuts_row)}


def main(cuts: int = 200, octets: int = 66 << 10, seed: int = 1) -> int:
    """Print a table; return 4 where a wrong image booted or too much was sent again."""
    started, outcome = time.monotonic(), cut_off(cuts, octets, seed)
    table = Table(title=f"{cuts} cuts, image of about {octets:,} octets, seed {seed}")
    for heading in ("cuts", "after the end", "wrong images", "most sent again", "allowed", "s"):
        table.add_column(heading, justify="right")
    seconds = round(time.monotonic() - started)
    again = outcome.most_again
    figures = (outcome.cuts, outcome.whole, outcome.wrong, again, ALLOWED, seconds)
    table.add_row(*(f"{figure:,}" for figure in figures))
    Console(width=120).print(table)
    return 0 if outcome.wrong == 0 and again <= ALLOWED else 4


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
