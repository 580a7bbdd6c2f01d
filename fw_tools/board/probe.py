# SPDX-License-Identifier: Apache-2.0
"""Raw packets and octets to a payload, and every report that they lead to, for tests of the line.

After what is asked goes a ping, and what comes before its answer is the answer: the payload takes
commands in their order.
"""

import os
import time
from collections.abc import Sequence

from fw_tools.board.client import PayloadClient
from fw_tools.board.exchange import NoAnswerError
from fw_tools.pus.identifiers import Ack
from fw_tools.pus.packets import SEQUENCE_MODULUS, Telecommand, Telemetry, build_tc

PATIENCE_S = 20.0
UNASKED = (3, 5)  # Services whose reports come by themselves.
PING, ALIVE = (17, 1), (17, 2)
SOURCES = 0x4000  # Source IDs of what is asked are below, those of the pings behind it above.


class Probe:
    """Asks what a client would not. The client must not be within a call of its own."""

    def __init__(self, client: PayloadClient) -> None:
        self._link = client.link
        self._apid = client.description.apid
        self._count = int.from_bytes(os.urandom(2), "big") % SEQUENCE_MODULUS
        self._fence = 0
        self.source_id = int.from_bytes(os.urandom(2), "big") % (SOURCES - 1) + 1

    def packet(
        self,
        kind: tuple[int, int],
        data: bytes = b"",
        *,
        ack: Ack = Ack.ALL,
        count: int | None = None,
        source_id: int | None = None,
    ) -> bytes:
        """Return a telecommand of the payload, by default with the next sequence count."""
        return build_tc(
            Telecommand(
                apid=self._apid,
                sequence_count=self.next_count() if count is None else count,
                service=kind[0],
                subtype=kind[1],
                source_id=self.source_id if source_id is None else source_id,
                ack=ack,
                data=data,
            )
        )

    def next_count(self) -> int:
        """Return the next sequence count."""
        self._count = (self._count + 1) % SEQUENCE_MODULUS
        return self._count

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        self._link.transport.write(octets)

    def ask(self, packet: bytes) -> list[Telemetry]:
        """Send a packet and return the reports that answer it; raises `NoAnswerError`."""
        return self.ask_all([packet])

    def ask_all(self, packets: Sequence[bytes]) -> list[Telemetry]:
        """Send packets and return the reports that answer them, in order."""
        for packet in packets:
            self._link.send(packet)
        return [report for report in self.until_alive() if report.service not in UNASKED]

    def until_alive(self) -> list[Telemetry]:
        """Ping, and return every report that came before the answer.

        A ping that gets lost in the half frame before it is sent again.
        """
        self._fence = (self._fence + 1) % SOURCES
        fence = SOURCES + self._fence
        found: list[Telemetry] = []
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self._link.send(self.packet(PING, ack=Ack.NONE, source_id=fence))
            for report in self._until_fence(fence, min(deadline, time.monotonic() + 5)):
                if report.kind == ALIVE and report.destination_id == fence:
                    return found
                found.append(report)
        raise NoAnswerError(f"no ping was answered in {PATIENCE_S:g} s. {self._link.diagnosis()}")

    def _until_fence(self, fence: int, deadline: float) -> list[Telemetry]:
        found: list[Telemetry] = []
        while time.monotonic() < deadline:
            for report in self._link.receive(deadline):
                found.append(report)
                if report.kind == ALIVE and report.destination_id == fence:
                    return found
        return found


def kinds(reports: Sequence[Telemetry]) -> list[tuple[int, int]]:
    """Return the service and subtype of each report."""
    return [report.kind for report in reports]
