# SPDX-License-Identifier: Apache-2.0
"""What tests of twins share: the stand-in's clock, and how to wait for a client's octets."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fw_tools.board.twin import Twin
from fw_tools.board.twin_program import TwinDesign
from fw_tools.power.records import RailSpec

CLOCK_HZ = 12_000_000
DIVISOR = 16
BAUD = CLOCK_HZ // DIVISOR
PATIENCE_S = 20.0  # For answers on a machine that is busy with other things.

DESIGNS = Path(__file__).parent.parent / "twin" / "designs"

StartTwin = Callable[..., Twin]
OpenClient = Callable[..., Any]


def stand_in(name: str, rails: tuple[RailSpec, ...] = ()) -> TwinDesign:
    sources = (DESIGNS / "test_uart.sv", DESIGNS / f"{name}.sv")
    return TwinDesign(
        name=name,
        top=name,
        sources=sources,
        clock_hz=CLOCK_HZ,
        baud_divisor=DIVISOR,
        rails=rails,
    )


def exchange(client: Any, data: bytes) -> bytes:
    """Write all of `data` while reading as much."""
    writer = threading.Thread(target=client.write, args=(data,))
    writer.start()
    got = bytearray()
    while len(got) < len(data):
        part = client.read(min(4096, len(data) - len(got)))
        if not part:
            break
        got += part
    writer.join()
    return bytes(got)


def wait_until(fact: Any, what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_S} s"
        time.sleep(0.02)
