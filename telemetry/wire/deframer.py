# SPDX-License-Identifier: Apache-2.0
"""Space packets out of a stream of octets, damaged or not.

The deframer walks from header to header. Where that chain breaks it searches for the next packet
that proves itself: a known APID, a length that its rule allows, and a CRC that holds or, without a
CRC, another header exactly where the length says. What it hands out partitions the input.
"""

from collections.abc import Iterator

import numpy as np

from telemetry.wire.evidence import (
    CHAIN_OF_STRANGERS,
    FILL_AMID_DAMAGE,
    Evidence,
    NeedMoreError,
    Proven,
)
from telemetry.wire.rules import DOUBTFUL_OCTETS, PacketRule, StreamRules
from telemetry.wire.space_packet import (
    IDLE_APID,
    MAX_PACKET_OCTETS,
    PACKET_VERSION,
    PRIMARY_HEADER_OCTETS,
    SEQUENCE_COUNT_MODULO,
    PrimaryHeader,
)
from telemetry.wire.spans import CRC_DOES_NOT_HOLD, Kind, Span, Verdict

_MAX_LEADING_ZEROS = 5  # Of a header that is not all zeros.
_MOST_INSIDE = 8  # Proven packets; a claim over more of them is no packet that carries some.
_MOST_TILES = 16
_MOST_STEPS = 16  # From one packet of an APID to the next that came through.
_NO_COUNT = -1


class Deframer(Evidence):
    """Cut a stream into spans; feed it with `push`, then `close` it.

    Decisions depend on the octets alone, never on how they were cut into chunks. At most a few
    packets' worth of input (some 500 kB) is kept besides the chunk.
    """

    def __init__(self, rules: StreamRules) -> None:
        super().__init__(rules)
        self._last_counts = np.full(IDLE_APID + 1, _NO_COUNT)  # Sequence counts by APID.
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

    def _spans(self) -> Iterator[Span]:
        while (span := self._next()) is not None:
            yield span

    def _next(self) -> Span | None:
        """Pass over the next span and return it; None while there is none that is certain."""
        while self._at < len(self._buffer):
            try:
                span = self._search() if self._is_searching else self._at_boundary(self._at)
            except NeedMoreError:
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

    # --- Packets inside of what one header claims -------------------------------------------------

    def _swallowed(self, at: int, end: int, *, is_refuted: bool = False) -> int | None:
        """Return where a proven packet begins inside `at .. end`, all of which one header claims.

        If another proven packet begins right at `end`, the claim has a witness. Packets inside are
        then believed if one is missed outside, or if they lead up to there; where its CRC or its
        rule has refuted the claim, two back to back will do. A single one may be data that a packet
        carries.
        """
        self._has(end + PRIMARY_HEADER_OCTETS - 1)  # Else a header in the last octets were missed.
        inside: list[Proven] = []
        reached, witness = at, None
        for inner in self._proven_between(at + 1, end):
            inside.append(inner)
            first = inside[0].start - self._base
            if len(inside) == 1:
                witness = self._proven_at(end) if self._has(end + 1) else None
                if witness is None and self._has(end + 1):
                    return first
            if len(inside) == _MOST_INSIDE or self._is_missed(inside, witness):
                return first
            if inner.start - self._base < reached:
                continue  # Part of what has been seen not to lead to `end`.
            inner_end = inner.end - self._base
            if is_refuted and inner_end < end and self._proven_at(inner_end) is not None:
                return first
            reached = self._tiled_end(inner_end, end)
            if reached == end:
                return first
        return None

    def _swallowed_good(self, at: int, end: int) -> int | None:
        """Return where packets with a CRC begin inside a claim that carries none.

        They are believed if they are missed outside: what the claim lacks itself is their proof.
        """
        if not self._rules.has_crc:
            return None
        self._has(end + PRIMARY_HEADER_OCTETS - 1)
        inside: list[Proven] = []
        for inner in self._proven_between(at + 1, end):
            if not inner.has_crc:
                continue
            inside.append(inner)
            witness = self._proven_at(end) if self._has(end + 1) else None
            if len(inside) == _MOST_INSIDE or self._is_missed(inside, witness):
                return inside[0].start - self._base
        return None

    def _is_missed(self, inside: list[Proven], witness: Proven | None) -> bool:
        """Whether the last of these packets, by its CRC and its count, belongs to the stream.

        A packet that another one carries as data is a copy of one that was sent before, or not at
        all; one that is missed has a count between those of its neighbours.
        """
        last = inside[-1]
        if not last.has_crc:
            return False
        if any(last.header.follows(other.header) for other in inside[:-1] if other.has_crc):
            return True
        half = SEQUENCE_COUNT_MODULO // 2
        behind = 1
        if witness is not None and witness.header.apid == last.header.apid:
            steps = witness.header.sequence_count - last.header.sequence_count
            behind = steps % SEQUENCE_COUNT_MODULO
        if self._last_counts[last.header.apid] == _NO_COUNT:
            return 0 < behind < half
        ahead = self._steps(last.header)
        return ahead > 0 and behind > 0 and ahead + behind < half

    def _tiled_end(self, at: int, end: int) -> int:
        """Return how far packets, idle packets and fill lead from `at` towards `end`."""
        for _ in range(_MOST_TILES):
            if at >= end:
                break
            header = self._header(at)
            proven = self._proven_at(at)
            if header is not None and header.apid == IDLE_APID:
                following = at + header.packet_octets
            elif proven is not None:
                following = proven.end - self._base
            else:
                following = self._zeros_end(at)
            if following == at:
                break
            at = following
        else:
            return end  # So many do not come by chance.
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
                raise NeedMoreError
            self._is_in_fill = True
            return self._span(Kind.FILL, end - _MAX_LEADING_ZEROS)
        starts = range(max(at, end - _MAX_LEADING_ZEROS), end + 1)
        candidates = ((s, depth) for depth in (0, CHAIN_OF_STRANGERS) for s in starts)
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
            inner = self._refuting(at, end, header, rule)
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

    def _refuting(self, at: int, end: int, header: PrimaryHeader, rule: PacketRule) -> int | None:
        """Return where a packet begins inside of one without a CRC that tells its length wrong."""
        inner = self._swallowed_good(at, end)
        if inner is None and not rule.is_fixed and self._is_doubtful(end, header):
            inner = self._live_inside(at, end, header)
        return inner

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
        for inner in self._proven_between(at + 1, end):
            if inner.header.follows(header) or 0 < self._steps(inner.header) <= _MOST_STEPS:
                return inner.start - self._base
        return None

    def _cut(self, at: int, header: PrimaryHeader) -> Span | None:
        """Account for a packet that reaches beyond the end of the stream."""
        size = len(self._buffer)
        inner = self._next_proven(at + 1, size)
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
        inner = self._next_proven(at + 1, limit)
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
        at, size = self._at, len(self._buffer)
        zeros = self._next_long_zeros(at)
        try:
            start = self._next_proven(at, size if zeros is None else zeros)
        except NeedMoreError:
            judged = min(self._proven_to - self._base, size - len(FILL_AMID_DAMAGE) + 1)
            if judged <= at:
                raise
            return self._span(Kind.SKIPPED, judged)
        if start is None:
            start = zeros
        return self._span(Kind.SKIPPED, size) if start is None else self._resume(start)

    def _next_proven(self, at: int, end: int) -> int | None:
        """Return where the first packet that proves itself begins in `at .. end - 1`."""
        proven = next(self._proven_between(at, end), None)
        return None if proven is None else proven.start - self._base

    def _resume(self, at: int) -> Span | None:
        self._is_searching = False
        return self._span(Kind.SKIPPED, at) if at > self._at else None


def _cut_short(header: PrimaryHeader, octets: int) -> str:
    return (
        f"it declares {header.packet_octets:,} octets, but another packet begins after {octets:,}"
    )
