# SPDX-License-Identifier: Apache-2.0
"""Frames that end in a delimiter octet which nothing else in the stream can be."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from telemetry.wire.framing.frame import MAX_FRAME_OCTETS, Frame, FrameKind

_MAX_RUN = 1 << 12  # Delimiters in one record.


class DelimitedFraming(ABC):
    """Cut at every delimiter; what the octets between two of them mean is the subclass's.

    At most one frame of `max_octets` (of payload) is kept besides the chunk. Where no delimiter
    comes for longer than that, the stream is cut into damaged frames.
    """

    delimiter: bytes
    needs_opening = False  # Whether a frame may begin only behind a delimiter.

    def __init__(self, max_octets: int = MAX_FRAME_OCTETS) -> None:
        self._max_octets = max_octets
        self._limit = 2 * max_octets + 16  # Octets of the stream: each one escaped, and overhead.
        self._buffer = bytearray()
        self._base = 0  # Offset of the buffer in the stream.
        self._at = 0  # Where the next record begins, in the buffer.
        self._searched = 0  # Up to where there is no delimiter, in the buffer.
        self._is_closed = False
        self._is_behind_delimiter = not self.needs_opening

    @abstractmethod
    def decode(self, content: bytes, offset: int, length: int) -> Frame:
        """Return the frame of `content`, the octets between two delimiters, never empty."""

    @abstractmethod
    def salvage(self, content: bytes) -> bytes:
        """Return what `content` may hold when it is not known to begin with a frame."""

    def push(self, chunk: bytes) -> Iterator[Frame]:
        """Add octets and yield every record that is certain now."""
        del self._buffer[: self._at]
        self._base += self._at
        self._searched -= self._at
        self._at = 0
        self._buffer += chunk
        return self._frames()

    def close(self) -> Iterator[Frame]:
        """Declare the end of the stream and yield what is left."""
        self._is_closed = True
        yield from self._frames()
        if self._at < len(self._buffer):
            frame = self._content(len(self._buffer))
            if frame.kind is not FrameKind.DAMAGED:
                frame = frame._replace(reason="the input ends inside a frame")
            yield frame._replace(kind=FrameKind.DAMAGED)
            self._searched = self._at

    def _frames(self) -> Iterator[Frame]:
        while True:
            end = self._buffer.find(self.delimiter, max(self._searched, self._at))
            self._searched = len(self._buffer) if end < 0 else end
            while self._searched - self._at > self._limit:
                yield self._piece()
            if end < 0:
                return
            if end > self._at:
                yield self._content(end, delimiters=1)
            elif (run := self._run()) is not None:
                yield run
            else:
                return

    def _content(self, end: int, delimiters: int = 0) -> Frame:
        """Return the record of the octets before `end` and the delimiter that follows them."""
        offset, length = self._base + self._at, end + delimiters - self._at
        content = bytes(self._buffer[self._at : end])
        is_opened, self._is_behind_delimiter = self._is_behind_delimiter, True
        self._at = end + delimiters
        if not is_opened:
            reason = "no delimiter where the frame begins"
            return Frame(FrameKind.DAMAGED, offset, length, self.salvage(content), reason)
        frame = self.decode(content, offset, length)
        if len(frame.data) > self._max_octets:
            return frame._replace(kind=FrameKind.DAMAGED, reason=self._too_long())
        return frame

    def _run(self) -> Frame | None:
        """Return the delimiters with no frame before them, or None while more may come."""
        start = self._buffer[self._at : self._at + _MAX_RUN]
        length = 1
        if start[1:2] in (self.delimiter, b""):
            length = len(start) - len(start.lstrip(self.delimiter))
        if length == len(start) < _MAX_RUN and not self._is_closed:
            return None
        offset, self._at = self._base + self._at, self._at + length
        self._is_behind_delimiter = True
        return Frame(FrameKind.DELIMITER, offset, length)

    def _piece(self) -> Frame:
        """Return the first `_limit` octets of a frame that is too long."""
        offset, end = self._base + self._at, self._at + self._limit
        data = self.salvage(bytes(self._buffer[self._at : end]))
        self._at, self._is_behind_delimiter = end, False
        return Frame(FrameKind.DAMAGED, offset, self._limit, data, self._too_long())

    def _too_long(self) -> str:
        return f"no delimiter within {self._max_octets:,} octets"
