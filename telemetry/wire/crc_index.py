# SPDX-License-Identifier: Apache-2.0
"""Whether a CRC-16 holds between any two places of a stream, at a cost that no length adds to.

The register is a remainder by P = x^16 + x^12 + x^5 + 1; an octet turns S into S x^8 + d x^16. With
T(i) = S(i) x^(-8i) each octet adds d x^(8 - 8i), so that T is a running sum, and the CRC holds over
octets a .. b - 1 where T(a) + T(b) = preset x^(-8a). All powers of x repeat after 32,767 octets.
"""

from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.wire.crc import CRC_PRESET

_P = 0x11021
_PERIOD = 32767  # P = (x + 1) times a primitive polynomial of degree 15.
_STEP = 4096  # Octets to sum at once, at least.

Registers: TypeAlias = NDArray[Any]  # uint16


class CrcIndex:
    """Running sums over a stream from some place on; each octet is summed once at most."""

    def __init__(self) -> None:
        self._start = 0  # In the stream: of the first sum.
        self._sums = np.zeros(1, np.uint16)
        self._view = self._sums.data
        self._count = 1  # Of the sums that are known.

    def holds(self, buffer: bytes, base: int, floor: int, at: int, end: int) -> bool:
        """Whether the CRC of `buffer[at:end]` is 0.

        `buffer` begins at `base` of the stream; nothing before `floor` is asked for any more.
        """
        if self._start + self._count <= base + floor:
            self._start, self._count = base + floor, 1
        if base + end >= self._start + self._count:
            self._extend(buffer, base, end)
        first, last = base + at - self._start, base + end - self._start
        return self._view[first] ^ self._view[last] == _tables()[2][(base + at) % _PERIOD]

    def _extend(self, buffer: bytes, base: int, end: int) -> None:
        done = self._start + self._count - 1 - base  # In the buffer.
        end = min(max(end, done + _STEP), len(buffer))
        sums = _sums(np.frombuffer(buffer, np.uint8, end - done, done), base + done)
        sums ^= self._sums[self._count - 1]
        self._make_room(self._count + len(sums), base)
        self._sums[self._count : self._count + len(sums)] = sums
        self._count += len(sums)

    def _make_room(self, size: int, base: int) -> None:
        """Let there be room for so many sums, or for those that may be asked for yet."""
        if size <= len(self._sums):
            return
        dropped = min(max(base - self._start, 0), self._count - 1)
        kept = self._sums[dropped : self._count]
        self._sums = np.zeros(2 * (size - dropped), np.uint16)
        self._sums[: len(kept)] = kept
        self._view = self._sums.data
        self._start, self._count = self._start + dropped, len(kept)


def _sums(octets: NDArray[np.uint8], place: int) -> Registers:
    """Return the running sums of octets that begin at `place` of the stream."""
    low, high, _ = _tables()
    column = np.arange(place, place + len(octets)) % _PERIOD
    found = low[octets & 15, column] ^ high[octets >> 4, column]
    sums: Registers = np.bitwise_xor.accumulate(found)
    return sums


@cache
def _tables() -> tuple[Registers, Registers, list[int]]:
    """Return n x^(8 - 8i) and n x^(12 - 8i) for all n below 16, and preset x^(-8i)."""
    powers = _powers()  # x^(-8i)
    low = _multiples(_times(powers, 1 << 8))
    high = _multiples(_times(powers, 1 << 12))
    return low, high, _times(powers, CRC_PRESET).tolist()


def _powers() -> Registers:
    """Return x^(-8i) modulo P for all i of a period."""
    found = np.array([1], np.uint16)
    step = 1  # x^(-8 n) for the n that are found.
    for _ in range(8):
        step = _halved(step)
    while len(found) < _PERIOD:
        found = np.concatenate((found, _times(found, step)))
        step = int(_times(np.array([step], np.uint16), step)[0])
    return found[:_PERIOD]


def _times(values: Registers, factor: int) -> Registers:
    """Return each value times one factor, modulo P."""
    found = np.zeros(len(values), np.uint16)
    for bit in range(16):
        found ^= np.where(values >> bit & 1, np.uint16(factor), np.uint16(0))
        factor = factor << 1 ^ (_P if factor & 0x8000 else 0)
    return found


def _multiples(values: Registers) -> Registers:
    """Return rows of 0, 1, ... 15 times the values: a number's bits are powers of x."""
    rows = np.zeros((1, len(values)), np.uint16)
    for bit in range(4):
        rows = np.concatenate((rows, rows ^ _times(values, 1 << bit)))
    return rows


def _halved(value: int) -> int:
    """Return value / x modulo P."""
    return (value ^ (_P if value & 1 else 0)) >> 1
