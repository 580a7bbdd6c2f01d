# SPDX-License-Identifier: Apache-2.0
"""Images over a payload's link into its flash: how long, and how much of the line is used.

Times of the line are the payload's own: cycles of the twin at the clock it stands for. The delay
stands between client and twin, and is as many cycles as the round trip has.
"""

import random
import re
import socket
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from rows import ROOT, Case, Measurement

from fw_tools.board.client import ClientOptions, PayloadClient
from fw_tools.board.description import load_description
from fw_tools.board.flasher import Flasher
from fw_tools.board.slots import FLASH, boot, next_sequence, read_slots, slot_layout
from fw_tools.board.twin import Twin, TwinOptions, running_twin
from fw_tools.board.twin_design import twin_design
from fw_tools.errors import FwToolsError
from fw_tools.pus.slots import ERASE_BLOCK_OCTETS, Image, ImageKind, build_records

OCTETS = 1 << 16
LINE_OCTETS = 1 << 16
LINE_BITS = 10  # Of an octet, 8N1.
SLOT = 1
ROUND_TRIP_S = 0.016
PATIENT = ClientOptions(timeout_s=60.0)  # A twin is slower than its clock, and nothing is lost.


@contextmanager
def flashing(
    example: str, divisor: int, link: str, **options: Any
) -> Iterator[tuple[Twin, PayloadClient]]:
    """Yield a twin of an example whose [link] is given, with `TwinOptions`, and its client."""
    spec = (ROOT / "examples" / example / "payload.toml").read_text()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "payload.toml"
        path.write_text(re.sub(r"\[link\]\n[^\[]*?\n\n", lambda _: f"[link]\n{link}\n\n", spec))
        design = twin_design(path, baud_divisor=divisor)
        assert design.link
        description = load_description(design.link)
        with (
            running_twin(design, TwinOptions(**options)) as twin,
            PayloadClient.open(twin.url, description, options=PATIENT) as client,
        ):
            client.set_housekeeping(is_enabled=False)
            yield twin, client


def image_of(client: PayloadClient, octets: int) -> Image:
    """Return an image of so many octets that sets one register over and over."""
    register = client.description.parameter("control")
    value = client.read_parameters([register.id])[register.id]
    record = build_records({register.id: value}, [])
    identity = int(client.description.rtl_digest, 16)
    octets_ = record * (octets // len(record))
    return Image(octets=octets_, kind=ImageKind.RECORDS, identity=identity)


def flash_verify_boot() -> list[Measurement]:
    """64 KiB into the small example's twin: looked at, erased, written, verified, booted."""
    link = 'baud_divisor = 16\nflash = "4MiB"\nslot = "512KiB"'
    with flashing("breaker_mini", 8, link) as (twin, client):
        image = image_of(client, OCTETS)
        before, started = twin.statistics(), time.monotonic()
        flasher = Flasher(client, slot_layout(client), SLOT, image, lambda *_: None)
        flasher.carry_out(flasher.plan(), next_sequence(read_slots(client)))
        assert boot(client).slot == SLOT
        seconds, after = time.monotonic() - started, twin.statistics()
    cpu_s = (after["cpu_ns"] - before["cpu_ns"]) / 1e9
    cycles = after["cycles"] - before["cycles"]
    print(f"  {cycles:,} cycles, of which the twin took {cpu_s:.2f} CPU-seconds", file=sys.stderr)
    return [
        Measurement(case="flash/twin_64k", ours=seconds, unit="s", better="lower"),
        Measurement(case="flash/twin_64k_cpu", ours=cpu_s, unit="CPU-s", better="lower"),
        Measurement(
            case="flash/payload_64k", ours=cycles / twin.design.clock_hz, unit="s", better="lower"
        ),
    ]


class Delay:
    """A TCP port behind which the twin answers later: by so many of its own cycles each way."""

    def __init__(self, twin: Twin, cycles: int) -> None:
        host, port = twin.url.removeprefix("socket://").split(":")
        self._twin, self._cycles = twin, cycles
        self._now = 0
        self._waiting: deque[tuple[int, socket.socket, bytes]] = deque()  # Both ways wait as long.
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._far = socket.create_connection((host, int(port)))
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        for source, sink in ((near, self._far), (self._far, near)):
            sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._take, args=(source, sink), daemon=True).start()
        threading.Thread(target=self._give, daemon=True).start()

    def _take(self, source: socket.socket, sink: socket.socket) -> None:
        while octets := source.recv(4096):
            self._waiting.append((self._now + self._cycles, sink, octets))

    def _give(self) -> None:
        with suppress(OSError, FwToolsError):  # The end of the twin, or of the client.
            while True:
                self._now = self._twin.statistics()["cycles"]
                while self._waiting and self._waiting[0][0] <= self._now:
                    _, sink, octets = self._waiting.popleft()
                    sink.sendall(octets)
                time.sleep(0.001)


def line_use() -> list[Measurement]:
    """64 KiB into the full example at 40 MHz and 1 Mbaud over a line of 16 ms round trip."""
    link = 'baud_divisor = 40\nflash = "4MiB"\nslot = "512KiB"'
    start, data = SLOT * (512 << 10), random.Random(1).randbytes(LINE_OCTETS)
    erased = [(start + at, ERASE_BLOCK_OCTETS) for at in range(0, LINE_OCTETS, ERASE_BLOCK_OCTETS)]
    with flashing("compute_node", 40, link) as (twin, near):
        near.close()
        delay = Delay(twin, int(ROUND_TRIP_S / 2 * twin.design.clock_hz))
        with PayloadClient.open(delay.url, near.description, options=PATIENT) as client:
            before = twin.statistics()
            client.rewrite_flash(FLASH, erased, [])
            seen: list[tuple[int, int, int]] = []  # Octets done, on the line, cycles.
            start_of_data = twin.statistics()["to_payload"]["octets"]

            def look(done: int) -> None:
                now = twin.statistics()
                seen.append((done, now["to_payload"]["octets"], now["cycles"]))

            client.rewrite_flash(FLASH, [], [(start, data)], look)
    (first, _, began), (_, ended_at, ended) = seen[0], seen[-1]
    efficiency = LINE_OCTETS / (ended_at - start_of_data)
    clocks = LINE_BITS * twin.design.baud_divisor / efficiency  # Of an octet of the image.
    uses = {
        "line_use": (LINE_OCTETS - first) * clocks / (ended - began),  # Between two answers.
        "line_use_whole": LINE_OCTETS * clocks / (ended - before["cycles"]),  # With erasing.
        "frame_efficiency": efficiency,
    }
    return [
        Measurement(case=f"flash/{case}", ours=ours, unit="of the line", better="higher")
        for case, ours in uses.items()
    ]


CASES: dict[str, Case] = {
    "flash/twin": partial(flash_verify_boot),
    "flash/line": partial(line_use),
}
