# SPDX-License-Identifier: Apache-2.0
"""Frames without delimiters: each one says where it ends, and there the next one begins.

One wrong length breaks the chain. It is taken up again where three frames in a row fit together, or
where fewer lead exactly to the end of the input. Nowhere is a prefix cut out of a packet whose CRC
holds: such a packet is better evidence than the lengths before it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from telemetry.wire.crc import crc16
from telemetry.wire.evidence import GoodPackets, NeedMoreError
from telemetry.wire.framing.frame import MAX_FRAME_OCTETS, Frame, FrameKind
from telemetry.wire.rules import StreamRules
from telemetry.wire.space_packet import (
    PACKET_VERSION,
    PRIMARY_HEADER_OCTETS,
    PrimaryHeader,
    parse_primary_header,
)

_CHAIN = 3  # Frames in a row that are believed without help from before.
_ZEROS = PrimaryHeader(0, 0, 0, 0, 0, 0, 0)  # Fill more likely than a packet.


class ChainedFraming(ABC):
    """Walk from frame to frame; some three frames are kept besides the chunk.

    `prefix` octets stand before each payload. `rules` tell what packets in it may look like.
    """

    def __init__(
        self, prefix: int, rules: StreamRules | None, max_octets: int = MAX_FRAME_OCTETS
    ) -> None:
        self._prefix = prefix
        self._rules = rules
        self._max_octets = max_octets
        self._buffer = b""
        self._base = 0  # Offset of the buffer in the stream.
        self._at = 0  # Where the next record begins, in the buffer.
        self._is_closed = False
        self._parsed_at = -1  # In the stream: the header that was looked at last.
        self._parsed: PrimaryHeader | None = None
        self._searched: int | None = None  # Out of lock: up to where no frame begins.
        self._packets = GoodPackets(rules) if rules is not None and rules.has_crc else None

    @abstractmethod
    def end_of(self, at: int) -> int | None:
        """Return where the frame at `at` ends, or None when none can begin there.

        Raises `NeedMoreError` where the octets that tell have not come yet.
        """

    @abstractmethod
    def is_strong(self, at: int) -> bool:
        """Whether chance would hardly bring forth the beginning of a frame as it stands at `at`."""

    @abstractmethod
    def candidates(self, at: int, end: int) -> Iterator[int]:
        """Yield every place in `at .. end - 1` where a frame may begin, in order."""

    def push(self, chunk: bytes) -> Iterator[Frame]:
        """Add octets and yield every record that is certain now."""
        self._buffer = self._buffer[self._at :] + chunk if self._at < len(self._buffer) else chunk
        self._base += self._at
        if self._searched is not None:
            self._searched -= self._at
        self._at = 0
        return self._frames()

    def close(self) -> Iterator[Frame]:
        """Declare the end of the stream and yield what is left."""
        self._is_closed = True
        return self._frames()

    def _frames(self) -> Iterator[Frame]:
        while self._at < len(self._buffer):
            try:
                frame = self._in_chain() if self._searched is None else self._search()
            except NeedMoreError:
                return
            if frame is not None:
                self._at += frame.length
                yield frame

    def _frame(self, kind: FrameKind, end: int, reason: str = "") -> Frame:
        begin = self._at if kind is FrameKind.JUNK else min(self._at + self._prefix, end)
        offset, data = self._base + self._at, self._buffer[begin:end]
        return Frame(kind, offset, end - self._at, data, reason)

    # --- Looking into the buffer ------------------------------------------------------------------

    def has(self, end: int) -> bool:
        """Whether the octets before `end` exist; raises `NeedMoreError` while that is open."""
        if end <= len(self._buffer):
            return True
        if not self._is_closed:
            raise NeedMoreError
        return False

    def header(self, at: int) -> PrimaryHeader | None:
        """Return the packet header at `at` if the input reaches that far and a packet may be it."""
        if not self.has(at + PRIMARY_HEADER_OCTETS):
            return None
        place = self._base + at
        if place != self._parsed_at:
            self._parsed_at, self._parsed = place, self._parse_header(at)
        return self._parsed

    def _parse_header(self, at: int) -> PrimaryHeader | None:
        header = parse_primary_header(self._buffer, at)
        if header.packet_version != PACKET_VERSION or header == _ZEROS:
            return None
        rule = self._rules.of(header) if self._rules else None
        if rule is not None and not rule.min_octets <= header.data_octets <= rule.max_octets:
            return None
        return header

    # --- Evidence ---------------------------------------------------------------------------------

    def _is_followed(self, end: int) -> bool:
        """Whether the input ends at `end`, or another frame can begin there."""
        if not self.has(end + 1):
            return True
        if not self.has(end + self._prefix + PRIMARY_HEADER_OCTETS):
            return True  # Cut: nothing speaks against it.
        return self.end_of(end) is not None and (self.is_strong(end) or self._is_chain(end))

    def _is_proven(self, at: int, end: int) -> bool:
        """Whether the frame begins with a packet that the rules know and whose CRC holds."""
        header = self.header(at + self._prefix)
        rule = self._rules.find(header) if self._rules and header else None
        if header is None or rule is None or not rule.has_crc:
            return False
        packet = slice(at + self._prefix, at + self._prefix + header.packet_octets)
        return packet.stop <= end and crc16(memoryview(self._buffer)[packet]) == 0

    def _is_filled(self, end: int) -> bool:
        """Whether the first packet of the frame ends where the frame does."""
        header = self.header(self._at + self._prefix)
        return header is not None and self._at + self._prefix + header.packet_octets == end

    def _is_proven_frame(self, at: int) -> bool:
        end = self.end_of(at)
        return end is not None and self.has(end) and self._is_proven(at, end)

    def _is_chain(self, at: int) -> bool:
        for _ in range(_CHAIN):
            end = self.end_of(at)
            if end is None or not self.has(end):
                return False
            if not self.has(end + 1):
                return True
            at = end
        return True

    def _chain_between(self, at: int, end: int) -> int | None:
        """Return the first place in `at .. end - 1` where frames fit together, if there is one."""
        starts = (start for start in self.candidates(at, end) if self._is_chain(start))
        return next((start for start in starts if not self._cuts_packet(start)), None)

    def _packet_across(self, at: int, end: int) -> tuple[int, int] | None:
        """Return a packet whose CRC holds and that begins in `at .. end - 1` and ends behind it."""
        packets = self._good_packets()
        return packets.across(at, end) if packets and at < end else None

    def _cuts_packet(self, start: int) -> bool:
        """Whether the prefix of a frame at `start` were cut out of a packet whose CRC holds."""
        packets = self._good_packets()
        return packets is not None and packets.is_in_packet(start, start + self._prefix)

    def _good_packets(self) -> GoodPackets | None:
        if self._packets is not None:
            self._packets.see(self._buffer, self._base, self._at, is_closed=self._is_closed)
        return self._packets

    # --- In the chain, and out of it --------------------------------------------------------------

    def _in_chain(self) -> Frame | None:
        end = self.end_of(self._at)
        if end is None:
            self._searched = self._at
            return None
        if not self.has(end):
            return self._cut(end)
        is_proven = self._is_proven(self._at, end)
        if is_proven and self._is_filled(end):
            return self._frame(FrameKind.FRAME, end)
        if (cut := self._at_packet(end)) is not None:
            return cut
        if is_proven or self._is_followed(end) or self._is_chain(self._at):
            return self._frame(FrameKind.FRAME, end)
        inner = self._chain_between(self._at + 1, end)
        if inner is not None:
            return self._frame(FrameKind.DAMAGED, inner, self._too_short(end, inner))
        return self._frame(FrameKind.FRAME, end)

    def _at_packet(self, end: int) -> Frame | None:
        """Return what is before a packet that does not fit into the frame that ends at `end`."""
        begin = self._at + self._prefix
        if (packet := self._packet_across(self._at, min(begin, end))) is not None:
            return self._frame(FrameKind.JUNK, packet[1], "a packet begins where the prefix is")
        if (packet := self._packet_across(begin, end)) is not None:
            inner = packet[0] - self._prefix
            if inner <= self._at or self._cuts_packet(inner):
                return self._frame(
                    FrameKind.JUNK, packet[1], "no frame begins where its packet does"
                )
            return self._frame(FrameKind.DAMAGED, inner, self._too_short(end, inner))
        return None

    def _cut(self, end: int) -> Frame:
        size = len(self._buffer)
        if (cut := self._at_packet(size)) is not None:
            return cut
        inner = self._chain_between(self._at + 1, size)
        if inner is not None:
            return self._frame(FrameKind.DAMAGED, inner, self._too_short(end, inner))
        reason = "the input ends inside a prefix"
        if size - self._at > self._prefix:
            reason = f"the input ends {end - size:,} octets before the frame does"
        return self._frame(FrameKind.DAMAGED, size, reason)

    def _too_short(self, end: int, inner: int) -> str:
        return (
            f"it declares {end - self._at:,} octets, but another frame begins after "
            f"{inner - self._at:,}"
        )

    def _search(self) -> Frame | None:
        """Collect what is no frame, up to one that fits or to `max_octets`."""
        limit = self._at + self._max_octets
        for start in self.candidates(max(self._searched or 0, self._at), limit + 1):
            self._searched = start
            is_frame = self._is_proven_frame(start) or self._is_chain(start)
            if is_frame and not self._cuts_packet(start):
                self._searched = None
                return self._junk(start) if start > self._at else None
            self._searched = start + 1
        size = len(self._buffer)
        judged = size - self._prefix - PRIMARY_HEADER_OCTETS
        self._searched = max(self._searched or 0, judged)
        if size >= limit:
            self._searched = limit
            return self._junk(limit)
        if not self._is_closed:
            raise NeedMoreError
        return self._junk(size)

    def _junk(self, end: int) -> Frame:
        return self._frame(FrameKind.JUNK, end, "no frame can be made out")
