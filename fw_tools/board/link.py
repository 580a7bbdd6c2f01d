# SPDX-License-Identifier: Apache-2.0
"""Packets over a transport, and what silence or garbage on it means."""

import time
from collections.abc import Callable

from fw_tools.board.transport import Transport
from fw_tools.pus.frames import FrameReceiver, encode_frame
from fw_tools.pus.identifiers import LONGEST_TM
from fw_tools.pus.packets import Telemetry, parse_tm

ENOUGH_GARBAGE = 8  # Octets without a frame that are no accident.

Listener = Callable[[Telemetry], None]


class Link:
    """Frames over a transport. `listen` adds who is told of every report that comes."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.octets_received = 0
        self.reports_received = 0
        self.foreign_packets = 0  # Whole, but no PUS-C telemetry: time reports are such.
        self._receiver = FrameReceiver(LONGEST_TM)
        self._listeners: list[Listener] = []

    @property
    def frames_dropped(self) -> int:
        """Damaged frames so far."""
        return self._receiver.dropped.total()

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of every report from now on."""
        self._listeners.append(listener)

    def send(self, packet: bytes) -> None:
        """Send one packet. Raises `LinkError`."""
        self.transport.write(encode_frame(packet))

    def receive(self, deadline: float) -> list[Telemetry]:
        """Return the reports that come next; none when `deadline` (monotonic) passes first.

        Raises `LinkError`. However much the line babbles, it returns in time.
        """
        while True:
            left = deadline - time.monotonic()
            octets = self.transport.read(max(left, 0.0))
            self.octets_received += len(octets)
            reports = [
                report for packet in self._receiver.feed(octets) for report in self._read(packet)
            ]
            if reports or time.monotonic() >= deadline:
                return reports

    def reopen(self) -> None:
        """Open the port again; the frame in progress is lost."""
        self.transport.reopen()
        self._receiver.feed(b"\0")

    def diagnosis(self) -> str:
        """Say what the line has shown so far, and what to look at."""
        name = self.transport.name
        if not self.octets_received:
            return f"{name}: not one octet came. Is the board powered, and is this its port?"
        if self.reports_received or self.foreign_packets:
            return (
                f"{name}: {self.reports_received} reports and {self.frames_dropped} damaged frames "
                "came, and none was the answer. Is this the payload of the description?"
            )
        if self.octets_received < ENOUGH_GARBAGE:
            return f"{name}: {self.octets_received} octets came and no whole frame"
        return (
            f"{name}: {self.octets_received} octets came and never a whole frame. So looks a wrong "
            f"baud rate{self._baud_text()}; or something else talks on this port"
        )

    def _baud_text(self) -> str:
        baud = self.transport.baud
        return f" (the port is set to {baud})" if baud else ""

    def _read(self, packet: bytes) -> list[Telemetry]:
        try:
            report = parse_tm(packet)
        except ValueError:
            self.foreign_packets += 1
            return []
        self.reports_received += 1
        for listener in self._listeners:
            listener(report)
        return [report]
