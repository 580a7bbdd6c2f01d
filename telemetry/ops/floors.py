# SPDX-License-Identifier: Apache-2.0
"""From the octets of a dump to packets: by way of frames, where there is a framing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from telemetry.columns.column import Array
from telemetry.columns.definition import Definition
from telemetry.common.kernels import Kernels
from telemetry.errors import UsageError
from telemetry.ops.frame_ledger import FrameLedger
from telemetry.ops.options import Options
from telemetry.wire.batch import PacketBatch
from telemetry.wire.framing import NO_TIME, Frame, FrameBatch, FrameKind, batch_frames, framing
from telemetry.wire.scan import Passed, Scanner, merge_spans
from telemetry.wire.space_packet import SEQUENCE_COUNT_MODULO
from telemetry.wire.spans import Kind, Span

_NONE_PASSED = Passed(
    PacketBatch(
        np.empty(0, np.uint8),
        np.empty(0, np.int64),
        np.empty(0, np.int64),
        0,
        np.empty(0, np.uint8),
    ),
    np.empty(0, np.uint16),
    np.empty(0, np.bool_),
)


@dataclass(frozen=True)
class Found:
    """Packets, and everything else between them."""

    packets: PacketBatch
    apids: Array
    counts: Array  # Sequence counts.
    rest: tuple[Span, ...]  # What is no packet, in order of its place.
    passed: Passed = _NONE_PASSED  # Packets that were walked over.
    # Where packets came in frames: the place of these in the dump, and when they were received.
    places: Array | None = None
    rest_places: tuple[int, ...] | None = None
    passed_places: Array | None = None
    received_ns: Array | None = None  # None too if no frame tells.
    frames: FrameBatch | None = None  # The frames that have just come.

    def seen_at(self, offsets: Array) -> Array:
        """Return where packets are in the dump, or their frames; `offsets` are theirs."""
        return offsets if self.places is None else self.places

    @cached_property
    def others(self) -> tuple[Span, ...]:
        """The spans of everything but the packets, in order of their place."""
        return merge_spans(self.passed, self.rest)

    @cached_property
    def other_places(self) -> tuple[int, ...] | None:
        """The places of the frames of `others`."""
        if self.rest_places is None or self.passed_places is None:
            return None
        offsets = [self.passed.packets.offset + self.passed.packets.starts]
        offsets.append(np.array([span.offset for span in self.rest], np.int64))
        places = np.concatenate((self.passed_places, np.array(self.rest_places, np.int64)))
        return tuple(places[np.argsort(np.concatenate(offsets))].tolist())


class _Frames:
    """The frames whose payloads have not been read to their end."""

    def __init__(self) -> None:
        self._starts = np.empty(0, np.int64)  # Of the payloads, in the stream of all payloads.
        self._offsets = np.empty(0, np.int64)  # Of the frames, in the dump.
        self._times_ns = np.empty(0, np.int64)

    def add(self, frames: FrameBatch, start: int) -> None:
        """Take frames whose payloads begin at `start` of the stream of payloads."""
        self._starts = np.concatenate((self._starts, frames.starts + start))
        self._offsets = np.concatenate((self._offsets, frames.offsets))
        self._times_ns = np.concatenate((self._times_ns, frames.times_ns))

    def forget(self, before: int) -> None:
        """Drop the frames that end before this place in the stream of payloads."""
        kept = max(int(np.searchsorted(self._starts, before, side="right")) - 1, 0)
        self._starts, self._offsets = self._starts[kept:], self._offsets[kept:]
        self._times_ns = self._times_ns[kept:]

    def locate(self, found: Found) -> Found:
        """Return the same with the places of its frames."""
        of_packets = self._index(found.packets.offset + found.packets.starts)
        of_passed = self._index(found.passed.packets.offset + found.passed.packets.starts)
        of_rest = self._index(np.array([span.offset for span in found.rest], np.int64))
        times = self._times_ns[of_packets]
        return replace(
            found,
            places=self._offsets[of_packets],
            passed_places=self._offsets[of_passed],
            rest_places=tuple(self._offsets[of_rest].tolist()),
            received_ns=times if (times != NO_TIME).any() else None,
        )

    def _index(self, places: Array) -> Array:
        return np.searchsorted(self._starts, places, side="right") - 1


class Floors:
    """Feed it with the octets of one dump by `push`, then `close` it."""

    def __init__(self, definition: Definition, options: Options, kernels: Kernels) -> None:
        rules = definition.rules(is_segmented=options.reassemble)
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
        self._frames = _Frames()
        self._headerless = 0  # Packets without a primary header by now.
        self.octets = 0  # Of the dump by now.
        self.packet_octets = 0  # That reached the floor of packets.

    def push(self, chunk: bytes) -> Iterator[Found]:
        """Add octets and yield what is certain now."""
        self.octets += len(chunk)
        if self._framing is None or self.frame_ledger is None:
            self.packet_octets += len(chunk)
            yield self._scanned(chunk)
        else:
            yield from self._of_frames(self.frame_ledger.watch(self._framing.push(chunk)))

    def close(self, *, is_cut: bool = False) -> Iterator[Found]:
        """Declare the end of the dump and yield what is left; the sum of the frames is asserted.

        `is_cut`: nobody waited for the rest, so that what is not whole at the end is no damage; it
        is left out, as if it had not been read.
        """
        if self._framing is not None and self.frame_ledger is not None:
            records = list(self._framing.close())
            if is_cut and records and records[-1].kind in (FrameKind.DAMAGED, FrameKind.JUNK):
                self.octets -= records.pop().length
            yield from self._of_frames(self.frame_ledger.watch(records))
            self.frame_ledger.close(self.octets)
        found = self._scanned(None)
        if is_cut and found.rest and found.rest[-1].kind in (Kind.LOST, Kind.SKIPPED):
            found = self._without_last(found)
        yield found

    def _without_last(self, found: Found) -> Found:
        last = found.rest[-1]
        if last.offset + last.length != self.packet_octets:
            return found
        self.packet_octets = last.offset
        if self._framing is None:
            self.octets = last.offset
        places = found.rest_places and found.rest_places[:-1]
        return replace(found, rest=found.rest[:-1], rest_places=places)

    def _of_frames(self, records: Iterable[Frame]) -> Iterator[Found]:
        frames = batch_frames(records)
        if not len(frames):
            return
        self._frames.add(frames, self.packet_octets)
        start = self.packet_octets
        self.packet_octets += len(frames.octets)
        if self._has_header:
            found = self._scanned(frames.octets.tobytes())
        else:
            found = self._frames.locate(self._headerless_packets(frames, start))
            self._frames.forget(self.packet_octets)
        yield replace(found, frames=frames)

    def _scanned(self, chunk: bytes | None) -> Found:
        scanned = self._scanner.finish() if chunk is None else self._scanner.scan(chunk)
        found = Found(scanned.packets, scanned.apids, scanned.counts, scanned.rest, scanned.passed)
        if self._framing is None:
            return found
        found = self._frames.locate(found)
        self._frames.forget(self._scanner.offset)
        return found

    def _headerless_packets(self, frames: FrameBatch, start: int) -> Found:
        """Take every whole frame for a packet data field.

        Nothing numbers these packets, so they are numbered as they come.
        """
        whole = np.flatnonzero(frames.is_whole)
        batch = PacketBatch(
            frames.octets,
            frames.starts[whole],
            frames.lengths[whole],
            start,
            np.zeros(len(whole), np.uint8),
        )
        others = tuple(
            Span(Kind.SKIPPED, start + int(frames.starts[i]), int(frames.lengths[i]))
            for i in np.flatnonzero(~frames.is_whole)
        )
        counts = (self._headerless + np.arange(len(whole))) % SEQUENCE_COUNT_MODULO
        self._headerless += len(whole)
        return Found(batch, np.full(len(whole), self._apid), counts, others)


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
