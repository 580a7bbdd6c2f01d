# SPDX-License-Identifier: Apache-2.0
"""What speaks for a packet at a place of a stream: its APID, its length, its CRC, what follows it.

Whatever a stream holds, looking for packets in it takes time in proportion to its length: what was
found out about a place is kept, and a CRC over many octets is taken from running sums.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from telemetry.wire.crc import crc16
from telemetry.wire.crc_index import CrcIndex
from telemetry.wire.rules import StreamRules
from telemetry.wire.space_packet import (
    IDLE_APID,
    PACKET_VERSION,
    PRIMARY_HEADER_OCTETS,
    PrimaryHeader,
    parse_primary_header,
)

_ZEROS = bytes(1 << 20)
_ZERO_HEADER = _ZEROS[:PRIMARY_HEADER_OCTETS]
# Inside damage, a shorter run of zeros is more likely data of a lost packet than fill.
FILL_AMID_DAMAGE = _ZEROS[:64]
CHAIN_OF_STRANGERS = 6  # Headers in a row that make unknown APIDs believable.
_SHORT = 512  # Octets whose CRC costs less than looking into the sums.
_MOST_REMEMBERED = 1 << 16
_MOST_NESTED = 8


class NeedMoreError(Exception):
    """The decision needs octets that have not arrived yet."""


class Proven(NamedTuple):
    """A packet that stands without help from before, `start .. end - 1` of the stream."""

    start: int
    end: int
    header: PrimaryHeader
    has_crc: bool


class Evidence:
    """A stretch of a stream, and what can be told of the packets in it."""

    def __init__(self, rules: StreamRules) -> None:
        self._rules = rules
        self._pattern = rules.candidate_pattern()
        self._seen_apids: set[int] = set()  # APIDs that proved themselves.
        self._buffer = b""
        self._base = 0  # Offset of the buffer in the stream.
        self._at = 0  # Where the next span begins, in the buffer.
        self._is_closed = False
        self._sums = CrcIndex()
        # All proven packets that begin in a stretch of the stream that begins at or before `_at`.
        self._proven: list[Proven] = []
        self._proven_from = self._proven_to = 0
        self._proven_by = 0  # How many APIDs had proved themselves then.
        self._chains: dict[tuple[int, int], bool] = {}  # What a weak header leads to.
        self._zeros_from = self._zeros_to = 0  # In the stream: no long zeros begin between.

    def _add(self, chunk: bytes) -> None:
        self._buffer = self._buffer[self._at :] + chunk if self._at < len(self._buffer) else chunk
        self._base += self._at
        self._at = 0

    # --- Looking into the buffer ------------------------------------------------------------------

    def _has(self, end: int) -> bool:
        """Whether the octets before `end` exist; raises while that is open."""
        if end <= len(self._buffer):
            return True
        if not self._is_closed:
            raise NeedMoreError
        return False

    def _header(self, at: int) -> PrimaryHeader | None:
        """Return the header at `at`, or None when the stream ends before it does."""
        if not self._has(at + PRIMARY_HEADER_OCTETS):
            return None
        return parse_primary_header(self._buffer, at)

    def _zeros_end(self, at: int) -> int:
        """Return where the run of zeros that begins at `at` ends, within the buffer."""
        size = 16  # Most runs are the first octet of a header; some are gigabytes.
        while at < len(self._buffer):
            block = self._buffer[at : at + size]
            if block != _ZEROS[: len(block)]:
                return at + len(block) - len(block.lstrip(b"\0"))
            at += len(block)
            size = len(_ZEROS)
        return at

    def _next_long_zeros(self, at: int) -> int | None:
        """Return where zeros long enough to be fill begin, at or behind `at`."""
        if not self._zeros_from <= self._base + at <= self._zeros_to:
            self._zeros_to = self._base + at
        self._zeros_from = self._base + at
        found = self._buffer.find(FILL_AMID_DAMAGE, self._zeros_to - self._base)
        undecided = max(len(self._buffer) - len(FILL_AMID_DAMAGE) + 1, at)
        self._zeros_to = self._base + (undecided if found < 0 else found)
        return None if found < 0 else found

    def _is_all_zeros(self, at: int) -> bool:
        return self._buffer.startswith(_ZERO_HEADER + b"\0", at)

    # --- A packet by itself -----------------------------------------------------------------------

    def _proven_at(self, at: int) -> Proven | None:
        """Return the packet at `at` if it stands without help from before."""
        header = self._header(at)
        rule = header and self._rules.find(header)
        if header is None or rule is None or self._is_all_zeros(at):
            return None
        end = at + header.packet_octets
        if not self._has(end):
            return None
        if rule.has_crc:
            is_backed = self._is_strong(header) or self._is_followed(end, header)
            is_proven = is_backed and self._crc_holds(at, end)
        else:
            is_backed = self._is_strong(header) or self._is_backed(end, header)
            is_proven = is_backed and self._is_followed(end, header)
        return (
            Proven(self._base + at, self._base + end, header, rule.has_crc) if is_proven else None
        )

    def _is_strong(self, header: PrimaryHeader) -> bool:
        """Whether chance would hardly bring forth this header, which fits its rule."""
        return self._rules.is_specific(header) or header.apid in self._seen_apids

    def _is_backed(self, end: int, header: PrimaryHeader) -> bool:
        """Whether what is behind a vague header without a CRC could prove it.

        It ends by chance where the stream does, as lengths are often small, or where any packet
        begins. Where APIDs are known, one of its own has to follow in sequence.
        """
        if not self._has(end + 1):
            return False
        following = self._header(end) if self._seen_apids else None
        return not self._seen_apids or (following is not None and following.follows(header))

    def _crc_holds(self, at: int, end: int) -> bool:
        if end - at <= _SHORT:
            return crc16(memoryview(self._buffer)[at:end]) == 0
        return self._sums.holds(self._buffer, self._base, self._at, at, end)

    # --- What follows a packet --------------------------------------------------------------------

    def _is_followed(self, at: int, before: PrimaryHeader, depth: int = CHAIN_OF_STRANGERS) -> bool:
        """Whether the stream goes on as it should at `at`, behind the packet headed by `before`.

        That is with its end, with fill, or with a believable header.
        """
        if not self._has(at + 1):
            return True
        for zeros in range(PRIMARY_HEADER_OCTETS):
            if self._is_believable(at + zeros, depth, before):
                return True
            if not self._has(at + zeros + 1):
                return True
            if self._buffer[at + zeros]:
                return False
        return True  # A header's worth of zeros: fill.

    def _is_believable(self, at: int, depth: int, before: PrimaryHeader | None = None) -> bool:
        """Whether a header at `at` is strong, or the first of `depth` weaker ones in a row.

        It is strong too if it continues the sequence of the header `before`; so is an idle one,
        but where nearly every header fits: there chance brings both forth too often.
        """
        header = self._header(at)
        if header is None:
            return self._rules.could_begin(self._buffer[at:], before)
        if header.packet_version != PACKET_VERSION or self._is_all_zeros(at):
            return False
        is_idle = header.apid == IDLE_APID
        if is_idle and not self._rules.is_vague:
            return True
        fits = is_idle or self._rules.find(header) is not None
        if (fits and self._is_strong(header)) or (before and header.follows(before)):
            return True
        if depth == 0 or (self._rules.is_vague and not fits):
            return False
        end = at + header.packet_octets
        if not self._has(end):
            return False
        return depth == 1 or self._leads_on(end, header, depth - 1)

    def _leads_on(self, at: int, before: PrimaryHeader, depth: int) -> bool:
        """Return `_is_followed`, and keep it: many chains of headers lead to the same one."""
        key = (self._base + at - before.packet_octets, depth)
        found = self._chains.get(key)
        if found is None:
            found = self._is_followed(at, before, depth)
            if len(self._chains) >= _MOST_REMEMBERED:
                self._chains.clear()
            self._chains[key] = found
        return found

    # --- All packets in a stretch -----------------------------------------------------------------

    def _proven_between(self, at: int, end: int) -> Iterator[Proven]:
        """Yield every packet that proves itself and begins in `at .. end - 1`, in order."""
        self._forget_proven()
        first, last = self._base + at, self._base + end
        index = bisect_left(self._proven, (first,))
        while True:
            while index < len(self._proven):
                if self._proven[index].start >= last:
                    return
                if self._proven[index].start >= first:  # What was looked for may begin before it.
                    yield self._proven[index]
                index += 1
            if self._proven_to >= last or not self._prove_next(end):
                return

    def _forget_proven(self) -> None:
        """Drop what is before `_at`; and everything, if more APIDs prove packets by now."""
        place = self._base + self._at
        if self._rules.is_vague and self._proven_by != len(self._seen_apids):
            self._proven_by = len(self._seen_apids)
            self._proven_to = -1
            self._chains.clear()
        if self._proven_to < place:
            self._proven, self._proven_to = [], place
        elif self._proven and self._proven[0].start < place:
            del self._proven[: bisect_right(self._proven, (place,))]

    def _prove_next(self, end: int) -> bool:
        """Look for one more proven packet that begins before `end`; False if there is none."""
        stop = min(end + PRIMARY_HEADER_OCTETS - 1, len(self._buffer))
        for match in self._pattern.finditer(self._buffer, self._proven_to - self._base, stop):
            self._proven_to = self._base + match.start()
            proven = self._proven_at(match.start())
            self._proven_to += 1
            if proven is not None:
                self._proven.append(proven)
                return True
        judged = self._base + min(end, len(self._buffer) - PRIMARY_HEADER_OCTETS + 1)
        self._proven_to = max(self._proven_to, judged)
        self._has(end + PRIMARY_HEADER_OCTETS - 1)  # Else a header in the last octets were missed.
        return False


class GoodPackets(Evidence):
    """The packets in a stream whose CRC holds, for who cuts that stream into something else."""

    def see(self, buffer: bytes, base: int, at: int, *, is_closed: bool) -> None:
        """Look at a buffer that begins at `base` of the stream; all before `at` is done with."""
        self._buffer, self._base, self._at = buffer, base, at
        self._is_closed = is_closed

    def across(self, at: int, end: int) -> tuple[int, int] | None:
        """Return the first packet that begins in `at .. end - 1` and goes on behind that."""
        for proven in self._proven_between(at, end):
            if proven.has_crc and proven.end > self._base + end:
                return proven.start - self._base, proven.end - self._base
        return None

    def is_in_packet(self, begin: int, end: int) -> bool:
        """Whether one of `begin .. end - 1` is in a packet that began before it."""
        self._forget_proven()
        while self._proven_to < self._base + end and self._prove_next(end):
            pass
        index = bisect_left(self._proven, (self._base + end,))
        near = self._proven[max(index - _MOST_NESTED, 0) : index]
        return any(proven.has_crc and proven.end > self._base + begin for proven in near)
