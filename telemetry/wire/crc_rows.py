# SPDX-License-Identifier: Apache-2.0
"""The CRC-16 of many packets at once; `telemetry.wire.crc` says which CRC it is."""

import binascii
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.common.kernels import Kernels, compiled
from telemetry.wire.batch import Indices, Octets
from telemetry.wire.crc import CRC_PRESET

_POLYNOMIAL = 0x1021
_FEW_ROWS = 48  # So few are done sooner one by one,
_LONG_ROW = 400  # and such long ones too.

Registers: TypeAlias = NDArray[Any]  # uint16


def crc16_rows(octets: Octets, starts: Indices, lengths: Indices, kernels: Kernels) -> Registers:
    """Return the CRC-16 of each run `octets[start : start + length]`; 0 where it ends in its own.

    A length may be 0; the CRC of nothing is the preset.
    """
    if kernels is Kernels.NUMBA:
        found: Registers = compiled(_crc_by_eights)(octets, starts, lengths, crc_tables())
        return found
    if len(starts) and (lengths == lengths[0]).all():
        return _crc_of_equal_rows(octets, starts, int(lengths[0]))
    crc = np.empty(len(starts), np.uint16)
    is_left = np.ones(len(starts), np.bool_)
    for length in _frequent(lengths):
        rows = np.flatnonzero(lengths == length)
        crc[rows] = _crc_of_equal_rows(octets, starts[rows], length)
        is_left[rows] = False
    crc[is_left] = _crc_one_by_one(octets, starts[is_left], lengths[is_left])
    return crc


def _frequent(lengths: Indices) -> list[int]:
    values, counts = np.unique(lengths, return_counts=True)
    found: list[int] = values[(counts >= _FEW_ROWS) & (values <= _LONG_ROW)].tolist()
    return found


@cache
def _table_of_words() -> Registers:
    """Return what the register becomes of each value by 16 zero bits."""
    values = np.arange(1 << 16, dtype=np.uint32)
    for _ in range(16):
        values = np.where(values & 0x8000, values << 1 ^ _POLYNOMIAL, values << 1)
    return values.astype(np.uint16)


@cache
def crc_tables() -> NDArray[np.uint64]:
    """Return, for k = 0..7, what each octet leaves in the register with k octets behind it."""
    table = np.empty((8, 256), np.uint64)
    words = _table_of_words()
    table[0] = [binascii.crc_hqx(bytes([octet]), 0) for octet in range(256)]
    table[1] = words[np.arange(256) << 8]
    for k in range(2, 8):
        table[k] = words[table[k - 2]]
    return table


# --- numpy: two octets of every row at a time -----------------------------------------------------


def _crc_of_equal_rows(octets: Octets, starts: Indices, length: int) -> Registers:
    if len(starts) < _FEW_ROWS or length > _LONG_ROW:
        return _crc_one_by_one(octets, starts, np.full(len(starts), length, np.int64))
    crc = np.full(len(starts), CRC_PRESET, np.uint16)
    places = np.empty(len(starts), np.intp)
    table = _table_of_words()
    for words in _words(octets, starts, length):
        np.bitwise_xor(crc, words, out=places, casting="unsafe")
        np.take(table, places, out=crc, mode="clip")  # "clip" is the mode that needs no copy.
    if length % 2:
        last = octets[starts + (length - 1)]
        crc = crc << np.uint16(8) ^ crc_tables()[0].astype(np.uint16)[crc >> np.uint16(8) ^ last]
    return crc


def _words(octets: Octets, starts: Indices, length: int) -> Iterator[NDArray[Any]]:
    """Yield the first two octets of every row as a number, then the next two, and so on."""
    first, stride = int(starts[0]), int(starts[1] - starts[0])
    if (np.diff(starts) == stride).all():
        for at in range(first, first + length - 1, 2):
            yield np.ndarray((len(starts),), ">u2", octets.data, at, (stride,))
        return
    words: NDArray[Any] = np.ndarray((len(octets) - 1,), ">u2", octets.data, 0, (1,))
    for at in range(0, length - 1, 2):
        yield words[starts + at]


def _crc_one_by_one(octets: Octets, starts: Indices, lengths: Indices) -> Registers:
    data = octets.data
    rows = zip(starts.tolist(), (starts + lengths).tolist(), strict=True)
    found = [binascii.crc_hqx(data[start:end], CRC_PRESET) for start, end in rows]
    return np.array(found, np.uint16)


# --- numba: eight octets of a row at a time -------------------------------------------------------


def _crc_by_eights(
    octets: Octets, starts: Indices, lengths: Indices, tables: NDArray[np.uint64]
) -> Registers:
    # All unsigned: an index that could be negative costs a comparison each time.
    one, eight = np.uint64(1), np.uint64(8)
    low, high = np.uint64(0xFF), np.uint64(0xFF00)
    found = np.empty(len(starts), np.uint16)
    for row in range(len(starts)):
        at = np.uint64(starts[row])
        end = at + np.uint64(lengths[row])
        crc = np.uint64(0xFFFF)
        while at + eight <= end:
            crc = (
                tables[7, octets[at] ^ (crc >> eight)]
                ^ tables[6, octets[at + one] ^ (crc & low)]
                ^ tables[5, octets[at + np.uint64(2)]]
                ^ tables[4, octets[at + np.uint64(3)]]
                ^ tables[3, octets[at + np.uint64(4)]]
                ^ tables[2, octets[at + np.uint64(5)]]
                ^ tables[1, octets[at + np.uint64(6)]]
                ^ tables[0, octets[at + np.uint64(7)]]
            )
            at += eight
        while at < end:
            crc = ((crc << eight) & high) ^ tables[0, octets[at] ^ (crc >> eight)]
            at += one
        found[row] = crc
    return found
