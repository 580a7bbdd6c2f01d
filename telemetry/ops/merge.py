# SPDX-License-Identifier: Apache-2.0
"""Several dumps as one, without what two of them hold both.

A packet of a later dump is an overlap when an earlier dump holds the same octets (and so the same
APID and sequence count), received at the same time where that is known. Packets that one dump holds
twice stay: they are duplicates, and the sequence counts tell of them.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from telemetry.columns.gather import gather_runs
from telemetry.ops.digest import digest_packets
from telemetry.wire.batch import Indices, PacketBatch
from telemetry.wire.time_scales import Flags, Moments


@dataclass(frozen=True, slots=True)
class MergedBatch:
    """Packets of one dump or of several, in the order in which they are to be read."""

    packets: PacketBatch
    dumps: NDArray[np.int32]  # The number of the dump that each packet comes from.
    offsets: Indices  # Where each packet is in its dump.
    times: Moments | None = None  # [ns]

    def __len__(self) -> int:
        return len(self.dumps)


def take_packets(batch: PacketBatch, chosen: Indices) -> PacketBatch:
    """Return a batch of these packets only, in this order; its octets hold nothing else."""
    lengths = batch.lengths[chosen]
    octets = gather_runs(batch.octets, batch.starts[chosen], lengths)
    starts = np.cumsum(lengths) - lengths
    return PacketBatch(octets, starts, lengths, batch.offset, batch.verdicts[chosen])


def of_dump(number: int, packets: PacketBatch, times: Moments | None = None) -> MergedBatch:
    """Return a batch of dump `number` in the form that merging takes."""
    dumps = np.full(len(packets), number, np.int32)
    return MergedBatch(packets, dumps, packets.starts + packets.offset, times)


def take(batch: MergedBatch, chosen: Indices) -> MergedBatch:
    """Return a batch of these packets only, in this order."""
    times = None if batch.times is None else batch.times[chosen]
    packets = take_packets(batch.packets, chosen)
    return MergedBatch(packets, batch.dumps[chosen], batch.offsets[chosen], times)


# --- In order of arrival --------------------------------------------------------------------------


@dataclass(slots=True)
class DigestSet:
    """A growing set of digests, 8 octets each."""

    _runs: list[NDArray[np.uint64]] = field(default_factory=list)  # Sorted, each longer than next.

    def holds(self, digests: NDArray[np.uint64]) -> Flags:
        """Whether each of these is in the set."""
        found = np.zeros(len(digests), np.bool_)
        for run in self._runs:
            place = np.minimum(np.searchsorted(run, digests), len(run) - 1)
            found |= run[place] == digests
        return found

    def add(self, digests: NDArray[np.uint64]) -> None:
        """Put these into the set."""
        run = np.unique(digests)
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.union1d(self._runs.pop(), run)
        if len(run):
            self._runs.append(run)


@dataclass(slots=True)
class OverlapFilter:
    """Take dumps one after the other; tell which packets an earlier one already gave.

    Memory grows by 8 octets for each packet. Packets without a time in them, or beside them, that
    come again octet by octet when the sequence count has gone round are taken for overlaps: give
    their times, or do not merge such dumps.
    """

    overlaps: int = 0  # Packets left out.
    octets: int = 0  # Of these.
    _earlier: DigestSet = field(default_factory=DigestSet)
    _current: DigestSet = field(default_factory=DigestSet)
    _dump: int | None = None

    def apply(self, batch: MergedBatch) -> MergedBatch:
        """Return the batch, which is of one dump, without overlaps."""
        if not len(batch):
            return batch
        dump = int(batch.dumps[0])
        if dump != self._dump:
            for run in self._current._runs:
                self._earlier.add(run)
            self._current, self._dump = DigestSet(), dump
        digests = digest_packets(batch.packets, _ns(batch.times))
        is_overlap = self._earlier.holds(digests)
        self._current.add(digests)
        self.overlaps += int(is_overlap.sum())
        self.octets += int(batch.packets.lengths[is_overlap].sum())
        return take(batch, np.flatnonzero(~is_overlap)) if is_overlap.any() else batch


def _ns(times: Moments | None) -> NDArray[np.int64] | None:
    return None if times is None else times.astype(np.int64)
