# SPDX-License-Identifier: Apache-2.0
"""Fields at fixed bit positions out of a table with one packet per row.

A field that is a whole machine word is one strided copy. Any other is cut from the smallest word
that covers it, by shift and mask; fields that share such a word load it once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.columns.kinds import (
    WORD_BITS,
    BooleanKind,
    Kind,
    OctetsKind,
    RealKind,
    integer_of,
)
from telemetry.wire.batch import Octets

Array: TypeAlias = NDArray[Any]


class Form(Enum):
    """How the bits of a field are read."""

    UNSIGNED = "unsigned"
    SIGNED = "two's complement"
    REAL = "IEEE 754"
    FLAG = "true unless all bits are zero"
    OCTETS = "octets"


@dataclass(frozen=True, slots=True)
class BitField:
    """Bits `bit .. bit + bits - 1` of a table row, counted from the first bit of its first octet.

    With `is_swapped` the octets of the field, all of them whole, count from its end: little-endian.
    """

    bit: int
    bits: int
    form: Form
    is_swapped: bool = False

    @property
    def kind(self) -> Kind:
        """What the field holds."""
        match self.form:
            case Form.REAL:
                return RealKind(self.bits)
            case Form.FLAG:
                return BooleanKind()
            case Form.OCTETS:
                return OctetsKind(self.bits // 8)
        return integer_of(self.bits, is_signed=self.form is Form.SIGNED)

    @property
    def is_aligned(self) -> bool:
        """Whether it consists of whole octets of the row."""
        return self.bit % 8 == 0 and self.bits % 8 == 0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of `size` octets, `stride` apart, the first of them at `offset` of `octets`."""

    octets: Octets
    offset: int
    stride: int
    count: int
    size: int

    def words(self, first: int, dtype: str) -> Array:
        """Return the item of type `dtype` at octet `first` of each row, as a view."""
        if not self.count:
            return np.empty(0, dtype)
        return np.ndarray(
            (self.count,), dtype, self.octets.data, self.offset + first, (self.stride,)
        )

    def part(self, first: int, size: int) -> Octets:
        """Return octets `first .. first + size - 1` of each row, as a view."""
        if not self.count:
            return np.empty((0, size), np.uint8)
        shape, strides = (self.count, size), (self.stride, 1)
        return np.ndarray(shape, np.uint8, self.octets.data, self.offset + first, strides)


Window: TypeAlias = tuple[int, str]  # Its first octet, its dtype with byte order.


@dataclass(frozen=True, slots=True)
class Cut:
    """A field, the word that covers it, and the bits of the word below the field."""

    field: BitField
    window: Window | None  # None: no word of the row covers it.
    below: int = 0


def plan_cuts(fields: Sequence[BitField], size: int) -> tuple[Cut, ...]:
    """Choose a window for each field of a row of `size` octets."""
    return tuple(_cut(field, size) for field in fields)


def shared_windows(cuts: Sequence[Cut]) -> frozenset[Window]:
    """Return the windows that are worth loading once for several fields."""
    uses = Counter(cut.window for cut in cuts if cut.window is not None)
    return frozenset(window for window, count in uses.items() if count > 1)


def _cut(field: BitField, size: int) -> Cut:
    first, last = field.bit // 8, (field.bit + field.bits - 1) // 8
    octets = next((n for n in (1, 2, 4, 8) if last - first < n <= size), None)
    if octets is None or field.form is Form.OCTETS:
        return Cut(field, None)
    start = min(first, size - octets)
    if field.is_swapped and field.is_aligned:
        return Cut(field, (start, f"<u{octets}"), 8 * (first - start))
    return Cut(field, (start, f">u{octets}"), 8 * (start + octets) - field.bit - field.bits)


class Reader:
    """Reads fields of one table; the windows in `shared` are loaded once."""

    def __init__(self, table: Table, shared: frozenset[Window]) -> None:
        self._table = table
        self._shared = shared
        self._loaded: dict[Window, Array] = {}

    def read(self, cut: Cut, out: Array) -> None:
        """Fill `out`, whose dtype is that of the field's kind, from each row."""
        field = cut.field
        if field.form is Form.OCTETS:
            part = self._table.part(field.bit // 8, field.bits // 8)
            out.view(np.uint8).reshape(part.shape)[:] = part
        elif field.bits > WORD_BITS:
            out[:] = _wide_integers(self._table, field)
        elif field.form is Form.FLAG:
            np.not_equal(self._unsigned(cut, None), 0, out=out)
        else:
            bits = out.view(f"u{out.itemsize}")
            found = self._unsigned(cut, bits)
            if found is not bits:
                np.copyto(bits, found, casting="unsafe")
            _finish(field, cut, bits)

    def _unsigned(self, cut: Cut, out: Array | None) -> Array:
        """Return the bits of the field as unsigned words: in `out` where its width allows."""
        if cut.window is None:
            return _compose(self._table, cut.field)
        width = 8 * int(cut.window[1][2:])
        if out is not None and 8 * out.itemsize != width:
            out = None
        if cut.window in self._shared:
            word = self._shared_word(cut.window)
        else:
            word = out = self._load(cut.window, out)
        if cut.below:
            word = out = np.right_shift(word, word.dtype.type(cut.below), out=out)
        if cut.below + cut.field.bits < width:
            mask = word.dtype.type((1 << cut.field.bits) - 1)
            word = np.bitwise_and(word, mask, out=out)
        return word

    def _shared_word(self, window: Window) -> Array:
        if window not in self._loaded:
            self._loaded[window] = self._load(window, None)
        return self._loaded[window]

    def _load(self, window: Window, out: Array | None) -> Array:
        first, dtype = window
        if out is None:
            out = np.empty(self._table.count, dtype[1:])
        np.copyto(out, self._table.words(first, dtype))
        return out


def _finish(field: BitField, cut: Cut, bits: Array) -> None:
    """Bring the octets into order and spread the sign, in place."""
    spare = bits.dtype.type(8 * bits.itemsize - field.bits)
    is_in_order = cut.window is not None and cut.window[1][0] == "<"
    if field.is_swapped and not is_in_order:
        if spare:
            np.left_shift(bits, spare, out=bits)
        bits.byteswap(inplace=True)
    if field.form is Form.SIGNED and spare:
        signed = bits.view(f"i{bits.itemsize}")
        np.left_shift(bits, spare, out=bits)
        np.right_shift(signed, signed.dtype.type(spare), out=signed)


def _compose(table: Table, field: BitField) -> Array:
    """Return the bits of a field that no word of the row covers, octet by octet."""
    first, end = field.bit // 8, (field.bit + field.bits + 7) // 8
    below = 8 * end - field.bit - field.bits
    octets = table.part(first, end - first)
    found = octets[:, 0].astype(np.uint64)
    found &= np.uint64(0xFF >> field.bit % 8)
    for index in range(1, end - first):
        is_last = index == end - first - 1
        shift = 8 - below if is_last else 8
        found <<= np.uint64(shift)
        found |= octets[:, index] >> np.uint8(below if is_last else 0)
    return found if end - first > 1 else found >> np.uint64(below)


def _wide_integers(table: Table, field: BitField) -> list[int]:
    """Return integers of more than 64 bits, which only Python has."""
    first, end = field.bit // 8, (field.bit + field.bits + 7) // 8
    below = 8 * end - field.bit - field.bits
    mask = (1 << field.bits) - 1
    sign = 1 << field.bits - 1 if field.form is Form.SIGNED else 0
    rows = np.ascontiguousarray(table.part(first, end - first)).view(f"V{end - first}")
    found = []
    for row in rows.ravel().tolist():
        value = int.from_bytes(row, "big") >> below & mask
        if field.is_swapped:
            value = int.from_bytes(value.to_bytes(field.bits // 8, "big"), "little")
        found.append((value ^ sign) - sign)
    return found
