# SPDX-License-Identifier: Apache-2.0
"""SLIP (RFC 1055): END behind each frame, and maybe before it."""

from telemetry.wire.framing.delimited import DelimitedFraming
from telemetry.wire.framing.escaping import Escaping
from telemetry.wire.framing.frame import Frame, FrameKind

END, ESC, ESC_END, ESC_ESC = 0o300, 0o333, 0o334, 0o335  # RFC 1055 writes them in octal.

_DELIMITER = bytes((END,))
_ESCAPING = Escaping(escape=ESC, codes={ESC_END: END, ESC_ESC: ESC})


class SlipFraming(DelimitedFraming):
    """Frames as RFC 1055 has them; the first one needs no END before it."""

    delimiter = _DELIMITER

    def decode(self, content: bytes, offset: int, length: int) -> Frame:
        """Undo the escapes."""
        octets, mistake = _ESCAPING.undo(content)
        kind = FrameKind.DAMAGED if mistake else FrameKind.FRAME
        return Frame(kind, offset, length, octets, mistake)

    def salvage(self, content: bytes) -> bytes:
        """Undo the escapes."""
        return _ESCAPING.undo(content)[0]


def encode_slip(payload: bytes) -> bytes:
    """Return one frame with an END before it, which flushes line noise, and one behind it."""
    return _DELIMITER + _ESCAPING.apply(payload) + _DELIMITER
