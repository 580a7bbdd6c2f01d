# SPDX-License-Identifier: Apache-2.0
"""From length field to length field through packets that follow each other, without numba."""

from array import array
from itertools import repeat
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.wire.batch import Indices, Octets
from telemetry.wire.space_packet import PRIMARY_HEADER_OCTETS

CHAIN_OF_STRANGERS = 6  # Headers in a row that make unknown APIDs believable.
SHORTEST = PRIMARY_HEADER_OCTETS + 1
_SAMPLE = 8  # So many equal lengths in a row make it worth to look for more at once.
_LONGEST_BLOCK = 512  # Headers to follow before looking for equal lengths again.

Array: TypeAlias = NDArray[Any]


def walk(octets: Octets, at: int, limit: int) -> tuple[Indices, Indices, int]:
    """Follow the length fields; return starts, lengths, and how many packets are whole.

    At most `limit` count as whole; some more headers are followed, to see what is behind these.
    """
    most = limit + CHAIN_OF_STRANGERS
    parts: list[Array] = []
    found, block = 0, _SAMPLE
    while found < most and at + PRIMARY_HEADER_OCTETS <= len(octets):
        block = min(2 * block, _LONGEST_BLOCK, most - found)
        starts, at = _follow(octets, at, block)
        parts.append(starts)
        found += len(starts)
        if found < most and (length := _repeated_length(starts, at)):
            run = _equals(octets, at, length, most - found)
            parts.append(run)
            found += len(run)
            at += length * len(run)
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64), 0
    begin = np.concatenate(parts)
    lengths = words(octets, 0, 1, len(octets) - 1)[begin + 4] + np.int64(SHORTEST)
    whole = int(np.searchsorted(begin + lengths, len(octets), side="right"))
    return begin, lengths, min(whole, limit)


def _follow(octets: Octets, at: int, most: int) -> tuple[Indices, int]:
    """Follow at most so many headers, which are all there; return their places, and the next.

    One by one, in Python: streams without numba are read no faster than this loop goes.
    """
    data, last = octets.data, len(octets) - 2
    fields = array("q")  # Places of the length fields.
    append = fields.append
    at += 4
    for _ in repeat(None, most):
        if at > last:
            break
        append(at)
        at += (data[at] << 8 | data[at + 1]) + SHORTEST
    return np.frombuffer(fields, np.int64) - 4, at - 4


def _repeated_length(starts: Indices, end: int) -> int:
    """Return the length that the last packets have all, or 0."""
    length = end - int(starts[-1])
    if len(starts) < _SAMPLE or length != int(starts[-1]) - int(starts[-2]):
        return 0
    return length if (np.diff(starts[-_SAMPLE:]) == length).all() else 0


def _equals(octets: Octets, at: int, length: int, most: int) -> Indices:
    """Return the starts of the packets from `at` on that have this length, as far as that goes."""
    most = min(max(len(octets) - at - PRIMARY_HEADER_OCTETS, -1) // length + 1, most)
    if most < 1:
        return np.empty(0, np.int64)
    is_equal = words(octets, at + 4, length, most) == length - SHORTEST
    return at + length * np.arange(first_false(is_equal), dtype=np.int64)


def words(octets: Octets, at: int, stride: int, count: int) -> Array:
    """Return the 16 bits at `at`, and at every `stride` octets behind it, as a view."""
    return np.ndarray((count,), ">u2", octets.data, at, (stride,))


def first_false(flags: Array) -> int:
    """Return the index of the first False, or how many there are."""
    return len(flags) if flags.all() else int(flags.argmin())
