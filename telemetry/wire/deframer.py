# SPDX-License-Identifier: Apache-2.0
"""Space packets out of a stream of octets, damaged or not.

The deframer walks from header to header. Where that chain breaks it searches for the next packet
that proves itself: a known APID, a length that its rule allows, and a CRC that holds or, without a
CRC, another header exactly where the length says. What it hands out partitions the input.
"""

from collections.abc import Iterator

import numpy as np

from telemetry.wire.crc import crc16
from telemetry.wire.rules import DOUBTFUL_OCTETS, PacketRule, StreamRules
from telemetry.wire.space_packet import (
    IDLE_APID,
    MAX_PACKET_OCTETS,
    PACKET_VERSION,
    PRIMARY_HEADER_OCTETS,
    SEQUENCE_COUNT_MODULO,
    PrimaryHeader,
    parse_primary_header,
)
from telemetry.wire.spans import CRC_DOES_NOT_HOLD, Kind, Span, Verdict

_ZEROS = bytes(1 << 20)
_ZERO_HEADER = _ZEROS[:PRIMARY_HEADER_OCTETS]
# Inside damage, a shorter run of zeros is more likely data of a lost packet than fill.
_FILL_AMID_DAMAGE = _ZEROS[:64]
_MAX_LEADING_ZEROS = 5  # Of a header that is not all zeros.
_MOST_STEPS = 16  # From one packet of an APID to the next that came through.
_NO_COUNT = -1
_CHAIN_OF_STRANGERS = 6  # Headers in a row that make unknown APIDs believable.


class _NeedMoreError(Exception):
    """The decision needs octets that have not arrived yet."""


class Deframer:
    """Cut a stream into spans; feed it with `push`, then `close` it.

    Decisions depend on the octets alone, never on how they were cut into chunks. At most a few
    packets' worth of input (some 500 kB) is kept besides the chunk.
    """

    def __init__(self, rules: StreamRules) -> None:
        self._rules = rules
        self._pattern = rules.candidate_pattern()
        self._seen_apids: set[int] = set()  # APIDs that proved themselves.
        self._last_counts = np.full(IDLE_APID + 1, _NO_COUNT)  # Sequence counts by APID.
        self._buffer = b""
        self._base = 0  # Offset of the buffer in the stream.
        self._at = 0  # Where the next span begins, in the buffer.
        self._is_closed = False
        self._is_locked = False  # The span before ended where a packet is bound to begin.
        self._is_searching = False
        self._is_in_fill = False  # The span before was fill and did not reach its end.

    def push(self, chunk: bytes) -> Iterator[Span]:
        """Add octets and yield every span that is certain now."""
        self._add(chunk)
        return self._spans()

    def close(self) -> Iterator[Span]:
        """Declare the end of the stream and yield what is left."""
        self._is_closed = True
        return self._spans()

    def _add(self, chunk: bytes) -> None:
        self._buffer = self._buffer[self._at :] + chunk if self._at < len(self._buffer) else chunk
        self._base += self._at
        self._at = 0

    def _spans(self) -> Iterator[Span]:
        while (span := self._next()) is not None:
            yield span

    def _next(self) -> Span | None:
        """Pass over the next span and return it; None while there is none that is certain."""
        while self._at < len(self._buffer):
            try:
                span = self._search() if self._is_searching else self._at_boundary(self._at)
            except _NeedMoreError:
                return None
            if span is not None:
                self._at += span.length
                return span
        return None

    def _span(
        self,
        kind: Kind,
        end: int,
        header: PrimaryHeader | None = None,
        verdict: Verdict = Verdict.NONE,
        reason: str = "",
    ) -> Span:
        data = self._buffer[self._at : end] if kind is Kind.PACKET else b""
        offset = self._base + self._at
        return Span(kind, offset, end - self._at, header, data, verdict, reason)

    # --- Looking into the buffer ------------------------------------------------------------------

    def _has(self, end: int) -> bool:
        """Whether the octets before `end` exist; raises while that is open."""
        if end <= len(self._buffer):
            return True
        if not self._is_closed:
            raise _NeedMoreError
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

    def _is_all_zeros(self, at: int) -> bool:
        return self._buffer.startswith(_ZERO_HEADER + b"\0", at)

    # --- Evidence ---------------------------------------------------------------------------------

    def _proven_end(self, at: int) -> int | None:
        """Return the end of a packet at `at` that stands without help from before, else None."""
        header = self._header(at)
        rule = header and self._rules.find(header)
        if header is None or rule is None or self._is_all_zeros(at):
            return None
        end = at + header.packet_octets
        if not self._has(end):
            return None
        if not rule.has_crc:
            is_backed = self._is_strong(header) or self._is_backed(end, header)
            return end if is_backed and self._is_followed(end, header) else None
        is_backed = self._is_strong(header) or self._is_followed(end, header)
        return end if is_backed and self._crc_holds(at, end) else None

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
        return crc16(memoryview(self._buffer)[at:end]) == 0

    def _is_followed(
        self, at: int, before: PrimaryHeader, depth: int = _CHAIN_OF_STRANGERS
    ) -> bool:
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
        return self._has(end) and (depth == 1 or self._is_followed(end, header, depth - 1))

    def _swallowed(self, at: int, end: int, *, is_refuted: bool = False) -> int | None:
        """Return where a proven packet begins inside `at .. end`, all of which one header claims.

        If another proven packet begins right at `end`, the claim has a witness. Packets inside are
        then believed if they lead up to there; where its CRC or its rule has refuted the claim,
        two back to back will do. A single one may be data that a packet carries.
        """
        self._has(end + PRIMARY_HEADER_OCTETS - 1)  # Else a header in the last octets were missed.
        first, reached = None, at
        for start, inner_end in self._proven_between(at + 1, end):
            if first is None:
                first = start
                if not self._has_witness(end):
                    return first
            if start < reached:
                continue  # Part of what has been seen not to lead to `end`.
            if is_refuted and inner_end < end and self._proven_end(inner_end) is not None:
                return first
            reached = self._tiled_end(inner_end, end)
            if reached == end:
                return first
        return None

    def _has_witness(self, end: int) -> bool:
        """Whether the stream ends at `end`, or another proven packet begins there."""
        return self._has(end) and (not self._has(end + 1) or self._proven_end(end) is not None)

    def _proven_between(self, at: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield begin and end of every packet that proves itself and begins in `at .. end - 1`."""
        for match in self._pattern.finditer(self._buffer, at, end + PRIMARY_HEADER_OCTETS - 1):
            start = match.start()
            proven_end = self._proven_end(start)
            if proven_end is not None:
                yield start, proven_end

    def _tiled_end(self, at: int, end: int) -> int:
        """Return how far packets, idle packets and fill lead from `at` towards `end`."""
        while at < end:
            header = self._header(at)
            if header is not None and header.apid == IDLE_APID:
                following = at + header.packet_octets
            else:
                following = self._proven_end(at) or self._zeros_end(at)
            if following == at:
                break
            at = following
        return at

    # --- In lock: a packet is bound to begin here -------------------------------------------------

    def _at_boundary(self, at: int) -> Span | None:
        """Return the span that begins at `at`, or None to search instead."""
        if self._buffer[at] == 0:
            fill = self._fill(at)
            if fill is not None:
                return fill
        header = self._header(at)
        if header is None:
            return self._rest(at)
        if header.packet_version == PACKET_VERSION:
            span = self._packet(at, header)
            if span is not None:
                return span
        self._is_searching = True
        self._is_locked = False
        return None

    def _fill(self, at: int) -> Span | None:
        """Return the zeros from `at` up to the next header, whose first octets may be zeros too."""
        end = self._zeros_end(at)
        if end == len(self._buffer) and not self._is_closed:
            if end - at <= _MAX_LEADING_ZEROS:
                raise _NeedMoreError
            self._is_in_fill = True
            return self._span(Kind.FILL, end - _MAX_LEADING_ZEROS)
        starts = range(max(at, end - _MAX_LEADING_ZEROS), end + 1)
        candidates = ((s, depth) for depth in (0, _CHAIN_OF_STRANGERS) for s in starts)
        start = next((s for s, depth in candidates if self._is_believable(s, depth)), None)
        is_long = self._is_in_fill or end - at > _MAX_LEADING_ZEROS or not self._has(end + 1)
        self._is_in_fill = False
        if start is None and is_long:
            start = end
        return self._span(Kind.FILL, start) if start is not None and start > at else None

    def _rest(self, at: int) -> Span:
        """Account for the last octets of the stream, too few for a header."""
        end = len(self._buffer)
        if self._is_locked and self._rules.could_begin(self._buffer[at:]):
            return self._span(Kind.LOST, end, reason="the input ends inside a primary header")
        return self._span(Kind.SKIPPED, end)

    def _packet(self, at: int, header: PrimaryHeader) -> Span | None:
        rule = self._rules.find(header)
        if rule is not None:
            return self._known(at, header, rule)
        expected = self._rules.of(header)
        is_known = header.apid in self._rules.by_apid or header.apid in self._seen_apids
        if expected is not None and is_known:
            return self._misfit(at, header, expected)
        return self._stranger(at, header)

    def _known(self, at: int, header: PrimaryHeader, rule: PacketRule) -> Span | None:
        end = at + header.packet_octets
        if not self._has(end):
            return self._cut(at, header)
        if rule.has_crc:
            if self._crc_holds(at, end):
                return self._accept(end, header, Verdict.GOOD)
        elif self._is_followed(end, header) and self._may_begin(end, header):
            is_doubtful = not rule.is_fixed and self._is_doubtful(end, header)
            inner = self._live_inside(at, end, header) if is_doubtful else None
            if inner is None:
                return self._accept(end, header, Verdict.NONE)
            return self._span(Kind.LOST, inner, header, reason=_cut_short(header, inner - at))
        inner = self._swallowed(at, end, is_refuted=rule.has_crc)
        if inner is not None:
            return self._span(Kind.LOST, inner, header, reason=_cut_short(header, inner - at))
        is_followed = self._is_followed(end, header)
        if not self._is_locked and not is_followed:
            return None
        self._is_locked = is_followed
        if rule.has_crc:
            return self._span(Kind.PACKET, end, header, Verdict.DAMAGED, CRC_DOES_NOT_HOLD)
        return self._span(Kind.PACKET, end, header)

    def _may_begin(self, end: int, header: PrimaryHeader) -> bool:
        """Whether a packet without a CRC may begin here, by its place or by its header."""
        return self._is_locked or self._is_strong(header) or self._is_backed(end, header)

    def _is_doubtful(self, end: int, header: PrimaryHeader) -> bool:
        """Whether a damaged length may have come to end where a packet begins.

        A long one finds such a place easily; but the next count is not there.
        """
        if header.packet_octets <= DOUBTFUL_OCTETS:
            return False
        following = self._header(end)
        return following is None or not following.follows(header)

    def _live_inside(self, at: int, end: int, header: PrimaryHeader) -> int | None:
        """Return where a packet begins inside `at .. end` that the stream has to go on with.

        Its count is the next of its APID, or not far from it; that of data carried is any.
        """
        for start, _ in self._proven_between(at + 1, end):
            inner = parse_primary_header(self._buffer, start)
            if inner.follows(header) or 0 < self._steps(inner) <= _MOST_STEPS:
                return start
        return None

    def _cut(self, at: int, header: PrimaryHeader) -> Span | None:
        """Account for a packet that reaches beyond the end of the stream."""
        size = len(self._buffer)
        inner = next((start for start, _ in self._proven_between(at + 1, size)), None)
        if inner is not None:
            return self._span(Kind.LOST, inner, header, reason=_cut_short(header, inner - at))
        missing = at + header.packet_octets - size
        reason = f"the input ends {missing:,} octets before the packet does"
        return self._span(Kind.LOST, size, header, reason=reason)

    def _accept(self, end: int, header: PrimaryHeader, verdict: Verdict) -> Span:
        # Where nearly every header fits, one without a CRC proves little of its APID: noise brings
        # it forth. The next count does.
        is_proof = verdict is Verdict.GOOD or not self._rules.is_vague
        if is_proof or self._steps(header) == 1:
            self._seen_apids.add(header.apid)
        self._last_counts[header.apid] = header.sequence_count
        self._is_locked = True
        return self._span(Kind.PACKET, end, header, verdict)

    def _steps(self, header: PrimaryHeader) -> int:
        """Return by how much a header is ahead of the last packet of its APID; 0: nobody knows."""
        last = int(self._last_counts[header.apid])
        return 0 if last == _NO_COUNT else (header.sequence_count - last) % SEQUENCE_COUNT_MODULO

    def _misfit(self, at: int, header: PrimaryHeader, rule: PacketRule) -> Span | None:
        """Account for a known APID with a length that its rule forbids."""
        declared = f"it declares a data field of {header.data_octets:,}"
        reason = f"{declared}; the definition takes {rule} octets"
        end = at + header.packet_octets
        is_followed = self._has(end) and self._is_followed(end, header)
        if is_followed and self._swallowed(at, end, is_refuted=True) is None:
            self._is_locked = True
            return self._span(Kind.LOST, end, header, reason=reason)
        limit = at + MAX_PACKET_OCTETS
        inner = next((start for start, _ in self._proven_between(at + 1, limit)), None)
        if inner is None or not self._is_locked:
            return None
        return self._span(Kind.LOST, inner, header, reason=reason)

    def _stranger(self, at: int, header: PrimaryHeader) -> Span | None:
        """Walk over an idle packet, or over one of an APID that the rules do not know."""
        end = at + header.packet_octets
        if not self._has(end):
            return None
        if not self._is_followed(end, header) or self._swallowed(at, end) is not None:
            return None
        if self._is_doubtful(end, header) and self._live_inside(at, end, header) is not None:
            return None
        return self._span(Kind.IDLE if header.apid == IDLE_APID else Kind.OTHER, end, header)

    # --- Out of lock ------------------------------------------------------------------------------

    def _search(self) -> Span | None:
        """Skip to the next proven packet, or to zeros long enough to be fill."""
        at = self._at
        zeros = self._buffer.find(_FILL_AMID_DAMAGE, at)
        for match in self._pattern.finditer(self._buffer, at):
            start = match.start()
            if 0 <= zeros <= start:
                break
            try:
                is_proven = self._proven_end(start) is not None
            except _NeedMoreError:
                if start == at:
                    raise
                return self._span(Kind.SKIPPED, start)
            if is_proven:
                return self._resume(start)
        if zeros >= 0:
            return self._resume(zeros)
        undecided = 0 if self._is_closed else len(_FILL_AMID_DAMAGE) - 1
        if len(self._buffer) - undecided <= at:
            raise _NeedMoreError
        return self._span(Kind.SKIPPED, len(self._buffer) - undecided)

    def _resume(self, at: int) -> Span | None:
        self._is_searching = False
        return self._span(Kind.SKIPPED, at) if at > self._at else None


def _cut_short(header: PrimaryHeader, octets: int) -> str:
    return (
        f"it declares {header.packet_octets:,} octets, but another packet begins after {octets:,}"
    )
