# SPDX-License-Identifier: Apache-2.0
"""Octets from many places into one array."""

from typing import Any

import numpy as np

from telemetry.wire.batch import Indices, Octets

_SPARSE = 8  # Runs that cover less than this share of their span are taken octet by octet.


def count_within(counts: Indices) -> Indices:
    """Return 0..c-1 for each count c, one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total, dtype=np.int64) - np.repeat(ends - counts, counts)


def gather_rows(octets: Octets, starts: Indices, size: int) -> Octets:
    """Return `size` octets from each start, as an array of shape (len(starts), size)."""
    if not len(starts) or not size:
        return np.empty((len(starts), size), np.uint8)
    # Overlapping items of `size` octets: taking one copies it in one go.
    shape, item = (len(octets) - size + 1,), f"V{size}"
    places: np.ndarray[Any, Any] = np.ndarray(shape, item, octets.data, strides=(1,))
    return places[starts].view(np.uint8).reshape(len(starts), size)


def gather_runs(octets: Octets, starts: Indices, lengths: Indices) -> Octets:
    """Return the runs `octets[start : start + length]` one after the other.

    Fast where the starts ascend and the runs do not overlap; right in any case.
    """
    total = int(lengths.sum())
    if not total:
        return np.empty(0, np.uint8)
    first, last = int(starts[0]), int(starts[-1] + lengths[-1])
    gaps = starts[1:] - (starts[:-1] + lengths[:-1])
    is_ascending = not (len(gaps) and gaps.min() < 0)
    if is_ascending and last - first < _SPARSE * total:
        if last - first == total:
            return octets[first:last].copy()
        pattern = np.empty(2 * len(starts) - 1, np.int64)
        pattern[0::2], pattern[1::2] = lengths, gaps
        is_wanted = np.repeat(np.arange(len(pattern)) % 2 == 0, pattern)
        wanted: Octets = octets[first:last][is_wanted]
        return wanted
    found: Octets = octets[np.repeat(starts, lengths) + count_within(lengths)]
    return found
