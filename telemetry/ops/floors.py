# SPDX-License-Identifier: Apache-2.0
"""From the octets of a dump to packets: by way of frames, where there is a framing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from telemetry.columns.column import Array
from telemetry.columns.definition import Definition
from telemetry.common.kernels import Kernels
from telemetry.errors import UsageError
from telemetry.ops.frame_ledger import FrameLedger
from telemetry.ops.options import Options
from telemetry.wire.batch import PacketBatch
from telemetry.wire.framing import NO_TIME, Frame, FrameBatch, batch_frames, framing
from telemetry.wire.scan import Scanner
from telemetry.wire.space_packet import SEQUENCE_COUNT_MODULO
from telemetry.wire.spans import Kind, Span


@dataclass(frozen=True, slots=True)
class Found:
    """Packets, and the spans of everything else between them."""

    packets: PacketBatch
    others: tuple[Span, ...]
    apids: Array
    counts: Array  # Sequence counts.
    frames: FrameBatch | None = None  # What `packets.octets` came in, if it came in frames.

    def received_ns(self) -> Array | None:
        """Return when each packet was received, in ns since 1970 UTC; None if no frame tells."""
        if self.frames is None or not (self.frames.times_ns != NO_TIME).any():
            return None
        return self.frames.times_ns[self.frames.frame_of(self.packets.starts)]


class Floors:
    """Feed it with the octets of one dump by `push`, then `close` it."""

    def __init__(self, definition: Definition, options: Options, kernels: Kernels) -> None:
        rules = definition.rules()
        self._has_header = options.has_primary_header
        self._apid = 0 if self._has_header else _only_apid(definition, options)
        self._framing = framing(
            options.framing,
            skip=options.skip,
            has_primary_header=options.has_primary_header,
            rules=rules,
        )
        self.frame_ledger = None if self._framing is None else FrameLedger()
        self._scanner = Scanner(rules, kernels)
        self._frames = 0  # Without a primary header: packets by now.
        self.octets = 0  # Of the dump by now.
        self.packet_octets = 0  # That reached the floor of packets.

    def push(self, chunk: bytes) -> Iterator[Found]:
        """Add octets and yield what is certain now."""
        self.octets += len(chunk)
        if self._framing is None or self.frame_ledger is None:
            self.packet_octets += len(chunk)
            yield self._scanned(chunk, None)
        else:
            yield from self._of_frames(self.frame_ledger.watch(self._framing.push(chunk)))

    def close(self) -> Iterator[Found]:
        """Declare the end of the dump and yield what is left; the sum of the frames is asserted."""
        if self._framing is not None and self.frame_ledger is not None:
            yield from self._of_frames(self.frame_ledger.watch(self._framing.close()))
            self.frame_ledger.close(self.octets)
        yield self._scanned(None, None)

    def _of_frames(self, records: Iterable[Frame]) -> Iterator[Found]:
        frames = batch_frames(records)
        if not len(frames):
            return
        if self._has_header:
            self.packet_octets += len(frames.octets)
            yield self._scanned(frames.octets.tobytes(), frames)
        else:
            yield self._headerless(frames)
            self.packet_octets += len(frames.octets)

    def _scanned(self, chunk: bytes | None, frames: FrameBatch | None) -> Found:
        scanned = self._scanner.finish() if chunk is None else self._scanner.scan(chunk)
        return Found(scanned.packets, scanned.others, scanned.apids, scanned.counts, frames)

    def _headerless(self, frames: FrameBatch) -> Found:
        """Take every whole frame for a packet data field.

        Nothing numbers these packets, so they are numbered as they come.
        """
        whole = np.flatnonzero(frames.is_whole)
        batch = PacketBatch(
            frames.octets,
            frames.starts[whole],
            frames.lengths[whole],
            self.packet_octets,
            np.zeros(len(whole), np.uint8),
        )
        others = tuple(
            Span(Kind.SKIPPED, self.packet_octets + int(frames.starts[i]), int(frames.lengths[i]))
            for i in np.flatnonzero(~frames.is_whole)
        )
        counts = (self._frames + np.arange(len(whole))) % SEQUENCE_COUNT_MODULO
        self._frames += len(whole)
        return Found(batch, others, np.full(len(whole), self._apid), counts, frames)


def _only_apid(definition: Definition, options: Options) -> int:
    """Return the APID that packets without a primary header are booked under."""
    if options.apid is not None:
        return options.apid
    if len(definition.by_apid) > 1:
        raise UsageError(
            "--no-primary-header: nothing tells the packets of several APIDs apart; "
            "choose one with --apid"
        )
    return next(iter(definition.by_apid), 0)
