# SPDX-License-Identifier: Apache-2.0
"""A flashing cut off at random moments: what boots meanwhile, and how much is sent again.

python tests/benchmarks/flash_cuts.py [CUTS] [OCTETS] [SEED]: by default 200 cuts of an image of two
erase blocks, about an hour. At each cut the line is pulled, and the supply of every second one is
cut too. Then the payload is booted, and the same image flashed again to its end.
"""

import contextlib
import random
import sys
import threading
import time

from flash_link import flashing
from rich.console import Console
from rich.table import Table

from fw_tools.board.client import ClientOptions, PayloadClient
from fw_tools.board.flasher import Flasher
from fw_tools.board.slots import boot, next_sequence, read_slots, slot_layout
from fw_tools.board.twin import Twin
from fw_tools.board.twin_messages import Direction
from fw_tools.errors import FwToolsError
from fw_tools.pus.slots import ERASE_BLOCK_OCTETS, Image, ImageKind, build_records

WINDOW_OCTETS = 3 * 1024
BUFFER_OCTETS = 8192
SETTLED, CUT = 1, 2  # Slots: one that stays, one that is written.
LINK = 'baud_divisor = 16\nflash = "4MiB"\nslot = "512KiB"'
HASTY = ClientOptions(timeout_s=1.0, tries=1)


class Node:
    """The twin, and images for it that fill its buffer."""

    def __init__(self, twin: Twin, client: PayloadClient, octets: int) -> None:
        self.twin, self.client, self._octets = twin, client, octets

    def image(self, seed: int) -> Image:
        data = random.Random(seed).randbytes(self._octets)
        pieces = [data[at : at + BUFFER_OCTETS] for at in range(0, len(data), BUFFER_OCTETS)]
        # What is told apart: the last piece, whole.
        records = build_records({}, [(1, 0, piece) for piece in pieces])
        identity = int(self.client.description.rtl_digest, 16)
        return Image(octets=records, kind=ImageKind.RECORDS, identity=identity)

    def holds(self, image: Image) -> bool:
        size = (self._octets - 1) % BUFFER_OCTETS + 1
        return self.client.read_memory("weight_buffer", 0, size) == image.octets[-size:]

    def flash(self, slot: int, image: Image) -> int:
        """Flash it, and return how many octets were sent."""
        flasher = Flasher(self.client, slot_layout(self.client), slot, image, lambda *_: None)
        plan = flasher.plan()
        flasher.carry_out(plan, next_sequence(read_slots(self.client)))
        return plan.octets

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


def main(cuts: int = 200, octets: int = 9 * BUFFER_OCTETS, seed: int = 1) -> int:
    """Print a table; return 4 where a wrong image booted or too much was sent again."""
    rng, started = random.Random(seed), time.monotonic()
    again, wrong, whole = [], 0, 0
    with flashing("compute_node", 8, LINK, flash_time=0.1) as (twin, client):
        url, description = twin.url, client.description
        client.close()
        with PayloadClient.open(url, description, options=ClientOptions(timeout_s=10.0)) as first:
            node = Node(twin, first, octets)
            settled = node.image(0)
            node.flash(SETTLED, settled)
            begun = time.monotonic()
            node.flash(CUT, node.image(1))
            longest_s = time.monotonic() - begun
        for number in range(cuts):
            new = Node(twin, first, octets).image(number + 2)
            acknowledged = node.flash_until(rng.uniform(0, longest_s), new, bool(number % 2))
            with PayloadClient.open(
                url, description, options=ClientOptions(timeout_s=10.0)
            ) as next_client:
                node = Node(twin, next_client, octets)
                booted = boot(next_client).slot
                is_whole = booted == CUT
                whole += is_whole
                wrong += not node.holds(new if is_whole else settled)
                sent = 0 if is_whole else node.flash(CUT, new)
                if not is_whole:
                    again.append(sent - (len(new.octets) - acknowledged))
                    wrong += boot(next_client).slot != CUT or not node.holds(new)
                node.flash(SETTLED, settled)
            print(f"  {number + 1} cuts, {time.monotonic() - started:.0f} s", file=sys.stderr)
    table = Table(title=f"{cuts} cuts, image of {len(settled.octets):,} octets, seed {seed}")
    for heading in ("cuts", "after the end", "wrong images", "most sent again", "allowed", "s"):
        table.add_column(heading, justify="right")
    allowed = WINDOW_OCTETS + ERASE_BLOCK_OCTETS
    most = max(again, default=0)
    figures = (cuts, whole, wrong, most, allowed, round(time.monotonic() - started))
    table.add_row(*(f"{figure:,}" for figure in figures))
    Console(width=120).print(table)
    return 0 if wrong == 0 and most <= allowed else 4


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
