# SPDX-License-Identifier: Apache-2.0
"""A stream to batches of packets, at the speed of memory where nothing is wrong with it.

The scanner gives exactly what the deframer gives. It takes clean runs of packets as arrays and
hands over to the deframer, span by span, wherever a run breaks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from heapq import merge

import numpy as np

from telemetry.common.kernels import Kernels
from telemetry.wire.batch import Octets, PacketBatch, VerdictCode
from telemetry.wire.chain import (
    EMPTY_CHAIN,
    IDLE,
    PACKET,
    ApidTables,
    Array,
    Chain,
    clean_chain,
)
from telemetry.wire.deframer import Deframer
from telemetry.wire.rules import StreamRules
from telemetry.wire.space_packet import (
    DATA_LENGTH_BIAS,
    IDLE_APID,
    PRIMARY_HEADER_OCTETS,
    SEQUENCE_COUNT_MODULO,
    parse_primary_header,
)
from telemetry.wire.spans import CRC_DOES_NOT_HOLD, Kind, Span

_FIRST_RUN = 64  # Packets to look at together where nothing is known yet.
_LONGEST_RUN = 1 << 16
_GOOD_RUN = 8  # Fewer packets together are no gain.
_MOST_SETBACK = 64
_CODES = {code.verdict: int(code) for code in VerdictCode}


@dataclass(frozen=True, slots=True)
class Passed:
    """Packets that were walked over many at a time: idle ones, and of APIDs that no rule knows."""

    packets: PacketBatch
    apids: Array  # uint16
    is_idle: Array  # bool

    def __len__(self) -> int:
        return len(self.packets)

    def spans(self) -> Iterator[Span]:
        """Yield them as the deframer would."""
        for span, is_idle in zip(packet_spans(self.packets), self.is_idle.tolist(), strict=True):
            kind = Kind.IDLE if is_idle else Kind.OTHER
            yield Span(kind, span.offset, span.length, span.header)


@dataclass(frozen=True)
class Scanned:
    """A stretch of the stream: its packets, and everything else in it."""

    packets: PacketBatch
    apids: Array  # uint16, of each packet.
    counts: Array  # uint16: sequence counts.
    passed: Passed
    rest: tuple[Span, ...]  # What is neither, in order of its place.

    @cached_property
    def others(self) -> tuple[Span, ...]:
        """The spans of everything but the packets, in order of their place."""
        return merge_spans(self.passed, self.rest)


def merge_spans(passed: Passed, rest: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return the spans of both, in order of their place."""
    if not len(passed):
        return rest
    return tuple(merge(passed.spans(), rest, key=lambda span: span.offset))


class Scanner(Deframer):
    """Cut a stream into batches; feed it with `scan`, then `finish` it.

    `push` and `close` of the deframer are there, too, and give the same span by span.
    """

    def __init__(self, rules: StreamRules, kernels: Kernels = Kernels.NUMPY) -> None:
        super().__init__(rules)
        self._tables = ApidTables(rules)
        self._kernels = kernels
        self._run = _FIRST_RUN  # Grows while runs are clean, so that little is done in vain.
        self._patience = 0  # Spans to leave to the deframer before the next attempt.
        self._setback = 1
        self._is_seen = np.zeros(IDLE_APID + 1, np.bool_)
        self._learned = 0  # How many of the APIDs that proved themselves are in the tables.

    def scan(self, chunk: bytes) -> Scanned:
        """Add octets and return everything that is certain now."""
        self._add(chunk)
        return self._scan()

    def finish(self) -> Scanned:
        """Declare the end of the stream and return what is left."""
        self._is_closed = True
        return self._scan()

    @property
    def offset(self) -> int:
        """How far the stream has been read: every octet before is in a batch, or in a span."""
        return self._base + self._at

    def _scan(self) -> Scanned:
        octets = np.frombuffer(self._buffer, np.uint8)
        parts: list[Chain] = []
        singles: list[Span] = []
        rest: list[Span] = []
        while True:
            if self._is_due() and (chain := self._clean_run(octets)) is not None:
                if singles:
                    parts.append(self._chain_of(singles))
                    singles = []
                parts.append(chain)
            elif (span := self._next()) is None:
                break
            else:
                (singles if span.kind is Kind.PACKET else rest).append(span)
        if singles or not parts:
            parts.append(self._chain_of(singles))
        chain = parts[0]
        if len(parts) > 1:
            chain = Chain(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        passed = EMPTY_CHAIN
        if chain.kinds.any():
            passed, chain = (
                _choose(chain, chain.kinds != PACKET),
                _choose(chain, chain.kinds == PACKET),
            )
        batch = PacketBatch(octets, chain.starts, chain.lengths, self._base, chain.verdicts)
        others = PacketBatch(octets, passed.starts, passed.lengths, self._base, passed.verdicts)
        return Scanned(
            batch,
            chain.apids,
            chain.counts,
            Passed(others, passed.apids, passed.kinds == IDLE),
            tuple(rest),
        )

    def _chain_of(self, spans: list[Span]) -> Chain:
        """Return packets that came one by one."""
        return Chain(
            np.array([span.offset - self._base for span in spans], np.int64),
            np.array([span.length for span in spans], np.int64),
            np.array([_CODES[span.verdict] for span in spans], np.uint8),
            np.array([span.header.apid for span in spans if span.header], np.uint16),
            np.array([span.header.sequence_count for span in spans if span.header], np.uint16),
            np.zeros(len(spans), np.uint8),
        )

    def _is_due(self) -> bool:
        """Whether an attempt at a run is due: a whole packet is bound to begin here."""
        if self._is_searching or self._is_in_fill or not self._is_whole():
            return False
        if self._rules.is_vague and not self._is_locked:
            return False
        if self._patience:
            self._patience -= 1
            return False
        return True

    def _is_whole(self) -> bool:
        """Whether a packet that begins here is there, with the header behind it."""
        at, end = self._at + PRIMARY_HEADER_OCTETS, len(self._buffer) - PRIMARY_HEADER_OCTETS
        if at > end:
            return False
        return at + DATA_LENGTH_BIAS + (self._buffer[at - 2] << 8 | self._buffer[at - 1]) <= end

    def _clean_run(self, octets: Octets) -> Chain | None:
        """Pass over a run of clean packets and return it; None where the first is none."""
        self._learn()
        chain = clean_chain(octets, self._at, self._run, self._tables, self._kernels)
        count = len(chain.starts)
        if count:
            self._at = int(chain.starts[-1] + chain.lengths[-1])
            self._see(chain)
        if count < self._run and self._is_whole():
            self._run = _FIRST_RUN
            self._setback = 1 if count >= _GOOD_RUN else min(self._setback * 2, _MOST_SETBACK)
            self._patience = self._setback - 1
        else:
            self._run = min(self._run * 4, _LONGEST_RUN)
        return chain if count else None

    def _see(self, chain: Chain) -> None:
        """Remember which APIDs proved themselves."""
        if chain.kinds.any():
            chain = _choose(chain, chain.kinds == PACKET)
        if not len(chain.apids):
            return
        self._is_locked = True
        self._see_apids(chain)
        self._last_counts[chain.apids] = chain.counts  # Of each APID the last one stays.

    def _see_apids(self, chain: Chain) -> None:
        apids = chain.apids
        if self._rules.is_vague and (is_bare := chain.verdicts == VerdictCode.NONE).any():
            self._see_steps(apids[is_bare], chain.counts[is_bare])
            apids = apids[~is_bare]
        if not len(apids):
            return
        first = int(apids[0])
        if (apids == first).all():
            self._seen_apids.add(first)
        elif not self._is_seen[apids].all():
            self._seen_apids.update(np.unique(apids).tolist())

    def _see_steps(self, apids: Array, counts: Array) -> None:
        """Remember the APIDs of which one packet has the next count, as `_accept` does."""
        is_open = ~self._is_seen[apids]
        order = np.argsort(apids[is_open], kind="stable")
        apids, counts = apids[is_open][order], counts[is_open][order].astype(np.int64)
        before = np.concatenate((counts[:1], counts[:-1]))
        is_first = np.concatenate((apids[:1] >= 0, apids[1:] != apids[:-1]))
        before[is_first] = self._last_counts[apids[is_first]]
        is_next = (before >= 0) & ((counts - before) % SEQUENCE_COUNT_MODULO == 1)
        self._seen_apids.update(np.unique(apids[is_next]).tolist())

    def _learn(self) -> None:
        """Take over what the deframer remembers."""
        if len(self._seen_apids) != self._learned:
            seen = list(self._seen_apids)
            self._is_seen[seen] = self._tables.is_strong[seen] = True
            self._learned = len(seen)


def _choose(chain: Chain, chosen: Array) -> Chain:
    return Chain(*(column[chosen] for column in chain))


def packet_spans(batch: PacketBatch) -> Iterator[Span]:
    """Yield the packets of a batch as the deframer would."""
    for index, (start, verdict) in enumerate(
        zip(batch.starts.tolist(), batch.verdicts.tolist(), strict=True)
    ):
        data = batch.packet(index)
        reason = CRC_DOES_NOT_HOLD if verdict == VerdictCode.DAMAGED else ""
        header = parse_primary_header(data)
        offset = batch.offset + start
        found = VerdictCode(verdict).verdict
        yield Span(Kind.PACKET, offset, len(data), header, data, found, reason)
