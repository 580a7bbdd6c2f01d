# SPDX-License-Identifier: Apache-2.0
"""KISS: how amateur radio modems and satellite receivers hand over frames.

Mike Chepponis K3MC, Phil Karn KA9Q: "The KISS TNC", 1987. A frame is FEND, a type octet, the
payload, FEND; the type is a port (high nibble) and a command (low nibble), 0 for data. Files of
gr-satellites have a frame of command 9 before each data frame, which tells when that was received:
milliseconds since 1970-01-01 UTC in 8 octets, the highest first.
"""

from telemetry.wire.framing.delimited import DelimitedFraming
from telemetry.wire.framing.escaping import Escaping
from telemetry.wire.framing.frame import Frame, FrameKind

FEND, FESC, TFEND, TFESC = 0xC0, 0xDB, 0xDC, 0xDD
COMMAND_DATA = 0x0
COMMAND_TIME = 0x9
TIME_OCTETS = 8
NS_PER_MS = 1_000_000
MAX_TIME_NS = (1 << 63) - 1

_DELIMITER = bytes((FEND,))
_ESCAPING = Escaping(escape=FESC, codes={TFEND: FEND, TFESC: FESC})


class KissFraming(DelimitedFraming):
    """Frames of every port; a time stamp becomes the `time_ns` of the data frame behind it."""

    delimiter = _DELIMITER
    needs_opening = True
    _time_ns: int | None = None

    def decode(self, content: bytes, offset: int, length: int) -> Frame:
        """Undo the escapes and read the type octet."""
        octets, mistake = _ESCAPING.undo(content)
        if not octets:
            return Frame(FrameKind.DAMAGED, offset, length, b"", mistake)
        port, command = octets[0] >> 4, octets[0] & 0xF
        kind = FrameKind.DAMAGED if mistake else FrameKind.FRAME
        if command == COMMAND_DATA:
            time_ns, self._time_ns = self._time_ns, None
            return Frame(kind, offset, length, octets[1:], mistake, port, time_ns)
        frame = Frame(kind, offset, length, octets[1:], mistake, port)
        if mistake:
            return frame
        if command == COMMAND_TIME:
            return self._stamp(frame)
        return frame._replace(kind=FrameKind.CONTROL)

    def salvage(self, content: bytes) -> bytes:
        """Undo the escapes."""
        return _ESCAPING.undo(content)[0]

    def _stamp(self, frame: Frame) -> Frame:
        if len(frame.data) != TIME_OCTETS:
            reason = f"a time stamp of {len(frame.data)} octets; it has {TIME_OCTETS}"
            return frame._replace(kind=FrameKind.DAMAGED, reason=reason)
        time_ns = int.from_bytes(frame.data, "big") * NS_PER_MS
        if time_ns > MAX_TIME_NS:
            reason = "a time stamp beyond the year 2262"
            return frame._replace(kind=FrameKind.DAMAGED, reason=reason)
        self._time_ns = time_ns
        return frame._replace(kind=FrameKind.CONTROL, time_ns=self._time_ns)


def encode_kiss(payload: bytes, *, port: int = 0, command: int = COMMAND_DATA) -> bytes:
    """Return one frame, with a FEND before and behind it."""
    if not (0 <= port < 16 and 0 <= command < 16):
        raise ValueError(f"port {port}, command {command}: each is 0..15")
    content = _ESCAPING.apply(bytes((port << 4 | command,)) + payload)
    return _DELIMITER + content + _DELIMITER


def encode_kiss_time(time_ns: int) -> bytes:
    """Return a time stamp for the next data frame; `time_ns` is POSIX time, cut to milliseconds."""
    stamp = (time_ns // NS_PER_MS).to_bytes(TIME_OCTETS, "big")
    return encode_kiss(stamp, command=COMMAND_TIME)
