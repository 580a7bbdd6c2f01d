# SPDX-License-Identifier: Apache-2.0
"""Fields at fixed bit positions out of a table with one packet per row.

A field that is a whole machine word is one strided copy. Any other is cut from the smallest word
that covers it, by shift and mask; fields that share such a word load it once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.columns.kinds import (
    WORD_BITS,
    BooleanKind,
    Kind,
    OctetsKind,
    RealKind,
    dtype_of,
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

    def words(self, first: int, dtype: "np.dtype[Any]") -> Array:
        """Return the item of type `dtype` at octet `first` of each row, as a view."""
        if not self.count:
            return np.empty(0, dtype)
        place = self.offset + first
        return np.ndarray((self.count,), dtype, self.octets.data, place, (self.stride,))

    def part(self, first: int, size: int) -> Octets:
        """Return octets `first .. first + size - 1` of each row, as a view."""
        if not self.count:
            return np.empty((0, size), np.uint8)
        shape, strides = (self.count, size), (self.stride, 1)
        return np.ndarray(shape, np.uint8, self.octets.data, self.offset + first, strides)


Window: TypeAlias = tuple[int, "np.dtype[Any]"]  # Its first octet, and its type.


@dataclass(frozen=True, slots=True)
class Cut:
    """A field, the word of the row that covers it, and what to do with that word."""

    field: BitField
    dtype: "np.dtype[Any]"  # Of the value.
    window: Window | None  # None: no word of the row covers the field.
    is_whole: bool = False  # Whether the word is the value.
    below: Any = None  # Bits of the word below the field, where there are any.
    mask: Any = None  # Of the field's bits, where there are others above them.
    is_reversed: bool = False  # Whether the octets of the value have to be reversed.
    spare: int = 0  # Bits of the value above those of the field.


def plan_cuts(fields: Sequence[BitField], size: int) -> tuple[Cut, ...]:
    """Choose a window for each field of a row of `size` octets."""
    return tuple(_plan_cut(field, size) for field in fields)


def shared_windows(cuts: Sequence[Cut]) -> frozenset[Window]:
    """Return the windows that are worth loading once for several fields."""
    uses = Counter(cut.window for cut in cuts if cut.window is not None and not cut.is_whole)
    return frozenset(window for window, count in uses.items() if count > 1)


def _plan_cut(field: BitField, size: int) -> Cut:
    dtype = dtype_of(field.kind)
    if field.form is Form.OCTETS or field.bits > WORD_BITS:
        return Cut(field, dtype, None)
    first, last = field.bit // 8, (field.bit + field.bits - 1) // 8
    octets = next((n for n in (1, 2, 4, 8) if last - first < n <= size), None)
    spare = 8 * dtype.itemsize - field.bits
    if octets is None:
        return Cut(field, dtype, None, is_reversed=field.is_swapped, spare=spare)
    is_little = field.is_swapped and field.is_aligned
    order: Literal["<", ">"] = "<" if is_little else ">"
    if field.is_aligned and field.bits == 8 * octets and field.form is not Form.FLAG:
        return Cut(field, dtype, (first, dtype.newbyteorder(order)), is_whole=True)
    word = np.dtype(f"{order}u{octets}")
    start = min(first, size - octets)
    below = 8 * (first - start) if is_little else 8 * (start + octets) - field.bit - field.bits
    has_more_above = below + field.bits < 8 * octets
    return Cut(
        field,
        dtype,
        (start, word),
        below=word.type(below) if below else None,
        mask=word.type((1 << field.bits) - 1) if has_more_above else None,
        is_reversed=field.is_swapped and not is_little,
        spare=spare,
    )


class Reader:
    """Reads fields of one table; the windows in `shared` are loaded once."""

    def __init__(self, table: Table, shared: frozenset[Window]) -> None:
        self._table = table
        self._shared = shared
        self._loaded: dict[Window, Array] = {}

    def read(self, cut: Cut, out: Array) -> None:
        """Fill `out`, whose dtype is that of the cut, from each row."""
        field = cut.field
        if cut.is_whole:
            self._load(cut.window, out)
        elif field.form is Form.OCTETS:
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
            _finish(cut, bits)
        if cut.dtype == np.float16:
            _drop_payloads(out)

    def _unsigned(self, cut: Cut, out: Array | None) -> Array:
        """Return the bits of the field as unsigned words: in `out` where its width allows."""
        if cut.window is None:
            return _compose(self._table, cut.field)
        if out is not None and out.itemsize != cut.window[1].itemsize:
            out = None
        if cut.window in self._shared:
            word = self._shared_word(cut.window)
        else:
            word = out = self._load(cut.window, out)
        if cut.below is not None:
            word = out = np.right_shift(word, cut.below, out=out)
        if cut.mask is not None:
            word = np.bitwise_and(word, cut.mask, out=out)
        return word

    def _shared_word(self, window: Window) -> Array:
        if window not in self._loaded:
            self._loaded[window] = self._load(window, None)
        return self._loaded[window]

    def _load(self, window: Window | None, out: Array | None) -> Array:
        assert window is not None
        if out is None:
            out = np.empty(self._table.count, window[1].newbyteorder("="))
        np.copyto(out, self._table.words(*window))
        return out


def _finish(cut: Cut, bits: Array) -> None:
    """Bring the octets into order and spread the sign, in place."""
    spare = bits.dtype.type(cut.spare)
    if cut.is_reversed:
        if spare:
            np.left_shift(bits, spare, out=bits)
        bits.byteswap(inplace=True)
    if spare and cut.field.form is Form.SIGNED:
        signed = bits.view(f"i{bits.itemsize}")
        np.left_shift(bits, spare, out=bits)
        np.right_shift(signed, signed.dtype.type(spare), out=signed)


def _drop_payloads(halves: Array) -> None:
    """Make every NaN the one that Python reads from 16 bits: it keeps the sign only."""
    bits = halves.view(np.uint16)
    is_nan = np.isnan(halves)
    if is_nan.any():
        bits[is_nan] = bits[is_nan] & 0x8000 | 0x7E00


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
