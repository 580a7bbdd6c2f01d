# SPDX-License-Identifier: Apache-2.0
"""COBS: consistent overhead byte stuffing, with a zero behind each frame.

S. Cheshire, M. Baker: "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on Networking 7
(2), 1999. A frame is a run of blocks; a block is a code octet n and n - 1 octets that are not zero.
It stands for these octets and a zero, but for no zero when n is 255 or the block is the last.
"""

from telemetry.wire.framing.delimited import DelimitedFraming
from telemetry.wire.framing.frame import Frame, FrameKind

FULL_CODE = 255  # The code of a block of 254 octets without a zero behind them.
_FULL_OCTETS = FULL_CODE - 1


class CobsFraming(DelimitedFraming):
    """Frames that a zero ends; zeros before a frame are allowed."""

    delimiter = b"\0"

    def decode(self, content: bytes, offset: int, length: int) -> Frame:
        """Undo the stuffing."""
        octets, mistake = decode_cobs(content)
        kind = FrameKind.DAMAGED if mistake else FrameKind.FRAME
        return Frame(kind, offset, length, octets, mistake)

    def salvage(self, content: bytes) -> bytes:
        """Undo the stuffing as far as it holds."""
        return decode_cobs(content)[0]


def decode_cobs(content: bytes) -> tuple[bytes, str]:
    """Return what `content` (no zero in it) stands for, and what is wrong with it ("" if nothing).

    Of a wrong frame everything up to its end is returned.
    """
    parts = []
    at, size = 0, len(content)
    while at < size:
        code = content[at]
        end = at + code
        parts.append(content[at + 1 : end])
        if end > size:
            return b"".join(parts), f"a block of {code - 1} octets, but only {size - at - 1} follow"
        if code < FULL_CODE and end < size:
            parts.append(b"\0")
        at = end
    return b"".join(parts), ""


def encode_cobs(payload: bytes) -> bytes:
    """Return one frame with its zero behind it."""
    runs = payload.split(b"\0")
    blocks = [_blocks(run) for run in runs]
    # The last run has no zero behind it, and needs no code of its own behind a full block.
    if runs[-1] and len(runs[-1]) % _FULL_OCTETS == 0:
        blocks[-1] = blocks[-1][:-1]
    return b"".join(blocks) + b"\0"


def _blocks(run: bytes) -> bytes:
    """Return the blocks of octets without zeros, which a zero follows."""
    blocks = b""
    while len(run) >= _FULL_OCTETS:
        blocks += bytes((FULL_CODE,)) + run[:_FULL_OCTETS]
        run = run[_FULL_OCTETS:]
    return blocks + bytes((len(run) + 1,)) + run
