# SPDX-License-Identifier: Apache-2.0
"""Packets over a transport, and what silence or garbage on it means."""

import re
import time
from collections.abc import Callable

from fw_tools.board.transport import Transport
from fw_tools.errors import LinkError
from fw_tools.pus.frames import FrameReceiver, encode_frame
from fw_tools.pus.identifiers import LONGEST_TM
from fw_tools.pus.packets import Telemetry, parse_tm

ENOUGH_GARBAGE = 8  # Octets without a frame that are no accident.
LONG_SILENCE_S = 1.4  # More than the longest pause in what comes from a payload that answers.
MOST_TEXT = 200  # Octets kept of what is no frame, to be shown where it can be read.
# What a twin answers whoever comes while it has a client; it hangs up then.
TWIN_IS_TAKEN = b"twin: another client is connected; one at a time\r\n"
_TEXT = re.compile(rb"[\t\r\n\x20-\x7e]+")

Listener = Callable[[Telemetry], None]


class Link:
    """Frames over a transport. `listen` adds who is told of every report that comes."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.octets_received = 0
        self.reports_received = 0
        self._last_report_s = 0.0
        self.foreign_packets = 0  # Whole, but no PUS-C telemetry: time reports are such.
        self._receiver = FrameReceiver(LONGEST_TM)
        self._last = b""  # Octets that came.
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
            self._last = (self._last + octets)[-MOST_TEXT:]
            if self._last.endswith(TWIN_IS_TAKEN):
                raise LinkError(
                    f"{self.transport.name}: another client has this twin, which takes one at a "
                    "time; end that one (Ctrl-C), or start a twin of your own"
                )
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
        name, baud = self.transport.name, self.transport.baud
        rate = f", and {baud} its baud rate" if baud else ""
        if not self.octets_received:
            return f"{name}: not one octet came. Is the board powered, and is this its port{rate}?"
        silence_s = time.monotonic() - self._last_report_s
        if self.reports_received and silence_s > LONG_SILENCE_S:
            return (
                f"{name}: {self.reports_received} reports came, the last {silence_s:.0f} s ago. "
                "Is the line whole, and the board powered?"
            )
        if self.reports_received or self.foreign_packets:
            return (
                f"{name}: {self.reports_received} reports and {self.frames_dropped} damaged frames "
                "came, and none was the answer. Is this the payload of the description?"
            )
        came = f"{name}: {self.octets_received} octets came and never a whole frame"
        if self.octets_received < ENOUGH_GARBAGE:
            return f"{came}. Is this its port{rate}?"
        of_port = f" (the port is set to {baud})" if baud else ""
        if text := self._text():
            return f"{came}, but text: {text!r}. Something else talks on this port"
        return f"{came}. So looks a wrong baud rate{of_port}; or something else talks on this port"

    def _text(self) -> str:
        """Return the last line of what came, where all of it can be read."""
        if not _TEXT.fullmatch(self._last):
            return ""
        lines = self._last.decode("ascii").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _read(self, packet: bytes) -> list[Telemetry]:
        try:
            report = parse_tm(packet)
        except ValueError:
            self.foreign_packets += 1
            return []
        self.reports_received += 1
        self._last_report_s = time.monotonic()
        for listener in self._listeners:
            listener(report)
        return [report]
