# SPDX-License-Identifier: Apache-2.0
"""Packets as 64-bit numbers: equal for equal octets, else different but for chance (2**-64)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from telemetry.columns.gather import gather_rows
from telemetry.wire.batch import PacketBatch

_WORD = 8
_BLOCK_OCTETS: Final = 1 << 22  # Worked on at once.
# The finaliser of splitmix64 (Steele, Lea, Flood, 2014), and its increment.
_GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = ((30, np.uint64(0xBF58476D1CE4E5B9)), (27, np.uint64(0x94D049BB133111EB)))


def digest_packets(
    batch: PacketBatch, times_ns: NDArray[np.int64] | None = None
) -> NDArray[np.uint64]:
    """Return a digest of the octets of each packet, and of its time where there is one.

    The digests are no defence against packets made to collide. They are the same on every machine.
    """
    digests = np.empty(len(batch), np.uint64)
    for length in np.unique(batch.lengths).tolist():
        chosen = np.flatnonzero(batch.lengths == length)
        rows = max(_BLOCK_OCTETS // length, 1)
        for at in range(0, len(chosen), rows):
            part = chosen[at : at + rows]
            digests[part] = _digest_rows(gather_rows(batch.octets, batch.starts[part], length))
    if times_ns is not None:
        digests ^= _mix(times_ns.view(np.uint64) + _GAMMA)
    return digests


def _digest_rows(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Mix each word of 8 octets with its place, and add up."""
    count, length = rows.shape
    padded = np.zeros((count, -(-length // _WORD) * _WORD), np.uint8)
    padded[:, :length] = rows
    words = padded.view("<u8").astype(np.uint64)
    places = np.arange(1, words.shape[1] + 1, dtype=np.uint64) * _GAMMA
    total: NDArray[np.uint64] = _mix(words ^ places).sum(axis=1, dtype=np.uint64)
    return _mix(total + np.full(count, length, np.uint64) * _GAMMA)


def _mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for shift, factor in _MIX:
        words = (words ^ words >> np.uint64(shift)) * factor
    return words ^ words >> np.uint64(31)
