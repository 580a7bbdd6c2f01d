# SPDX-License-Identifier: Apache-2.0
"""Octets from many places into one array."""

from typing import Any

import numpy as np

from telemetry.wire.batch import Indices, Octets


def count_within(counts: Indices) -> Indices:
    """Return 0..c-1 for each count c, one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total, dtype=np.int64) - np.repeat(ends - counts, counts)


def gather_rows(octets: Octets, starts: Indices, size: int) -> Octets:
    """Return `size` octets from each start, as an array of shape (len(starts), size)."""
    if not len(starts) or not size:
        return np.empty((len(starts), size), np.uint8)
    rows: Octets = _pieces(octets, size)[starts].view(np.uint8).reshape(len(starts), size)
    return rows


def gather_runs(octets: Octets, starts: Indices, lengths: Indices) -> Octets:
    """Return the runs `octets[start : start + length]` one after the other.

    A run of 2**k octets or more, but less than 2**(k+1), is two pieces of 2**k octets: its first
    and its last, which may overlap. All pieces of one size are copied at once.
    """
    ends = np.cumsum(lengths)
    out = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    places = ends - lengths
    powers = np.frexp(lengths)[1].astype(np.int8)  # One above k; 0 for a run of nothing.
    for power in np.flatnonzero(np.bincount(powers)).tolist():
        if power:
            lanes, size = np.flatnonzero(powers == power), 1 << power - 1
            source, target = _pieces(octets, size), _pieces(out, size)
            begin, place, rest = starts[lanes], places[lanes], lengths[lanes] - size
            target[place] = source[begin]
            target[place + rest] = source[begin + rest]
    return out


def _pieces(octets: Octets, size: int) -> "np.ndarray[Any, Any]":
    """Return `octets` as overlapping items of `size`: taking or setting one copies it in one go."""
    return np.ndarray((len(octets) - size + 1,), f"V{size}", octets.data, strides=(1,))
