# SPDX-License-Identifier: Apache-2.0
"""Records of one size, and wrappers that every frame begins with."""

from collections.abc import Iterator

from telemetry.wire.framing.frame import Frame, FrameKind, Framing


class RecordFraming:
    """Frames of `prefix` octets that say nothing and `octets` of payload, one behind the other.

    Nothing tells where a record begins, so that a lost octet spoils all that follow it.
    """

    def __init__(self, octets: int, prefix: int = 0) -> None:
        if octets < 1 or prefix < 0:
            raise ValueError(f"records of {octets} octets behind {prefix}; expected 1 or more")
        self._prefix = prefix
        self._size = prefix + octets
        self._buffer = b""
        self._base = 0
        self._at = 0

    def push(self, chunk: bytes) -> Iterator[Frame]:
        """Add octets and yield every record that is whole."""
        self._buffer = self._buffer[self._at :] + chunk
        self._base += self._at
        self._at = 0
        return self._frames()

    def _frames(self) -> Iterator[Frame]:
        while self._at + self._size <= len(self._buffer):
            start, self._at = self._at, self._at + self._size
            data = self._buffer[start + self._prefix : self._at]
            yield Frame(FrameKind.FRAME, self._base + start, self._size, data)

    def close(self) -> Iterator[Frame]:
        """Declare the end of the stream and yield what is left."""
        yield from self._frames()
        if rest := self._buffer[self._at :]:
            reason = f"the input ends {self._size - len(rest):,} octets before the record does"
            offset = self._base + self._at
            self._at = len(self._buffer)
            yield Frame(FrameKind.DAMAGED, offset, len(rest), rest[self._prefix :], reason)


class SkipInFrames:
    """The frames of `framing` without the first `octets` of each payload."""

    def __init__(self, framing: Framing, octets: int) -> None:
        self._framing = framing
        self._octets = octets

    def push(self, chunk: bytes) -> Iterator[Frame]:
        """Add octets and yield every record that is certain now."""
        return map(self._strip, self._framing.push(chunk))

    def close(self) -> Iterator[Frame]:
        """Declare the end of the stream and yield what is left."""
        return map(self._strip, self._framing.close())

    def _strip(self, frame: Frame) -> Frame:
        if frame.kind is not FrameKind.FRAME:
            return frame  # Of a damaged frame nobody knows where it begins.
        if len(frame.data) < self._octets:
            reason = f"a payload of {len(frame.data)} octets; {self._octets} were to be skipped"
            return frame._replace(kind=FrameKind.DAMAGED, reason=reason)
        return frame._replace(data=frame.data[self._octets :])
