# SPDX-License-Identifier: Apache-2.0
"""What a framing hands out: the input cut into frames and what stands between them."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple, Protocol

MAX_FRAME_OCTETS = 1 << 20  # Of the payload. A longer one is damage: its end was lost.


class FrameKind(StrEnum):
    """What the octets of a record are."""

    FRAME = "frame"  # A whole frame; `data` is its payload.
    DAMAGED = "damaged"  # A frame, but not whole; `data` is what could be read of its payload.
    CONTROL = "control"  # A frame for the link itself: a time stamp, a command to a modem.
    DELIMITER = "delimiter"  # A delimiter with no frame before it.
    JUNK = "junk"  # No frame can be made out; `data` holds the octets as they came.


class Frame(NamedTuple):
    """Octets `offset .. offset + length - 1` of the input, with delimiters and escapes.

    A whole packet may still be found in the `data` of DAMAGED and JUNK: it must prove itself.
    """

    kind: FrameKind
    offset: int
    length: int
    data: bytes = b""  # The payload without framing.
    reason: str = ""  # Why a frame is DAMAGED, or octets are JUNK.
    port: int = 0  # KISS: the high nibble of the type octet.
    time_ns: int | None = None  # When the frame was received, ns since 1970-01-01 UTC (POSIX).


class Framing(Protocol):
    """Cut a stream into frames; feed it with `push`, then `close` it.

    The records that come out follow each other without a hole or an overlap. They depend on the
    octets alone, never on how these were cut into chunks. Memory is bounded whatever comes in.
    """

    def push(self, chunk: bytes) -> Iterator[Frame]:
        """Add octets and yield every record that is certain now."""

    def close(self) -> Iterator[Frame]:
        """Declare the end of the stream and yield what is left."""
