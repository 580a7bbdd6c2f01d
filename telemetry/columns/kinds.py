# SPDX-License-Identifier: Apache-2.0
"""What a compiled field holds, known before any packet is seen."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

WORD_BITS = 64  # Wider integers are Python's.


class UnsupportedError(Exception):
    """A construct that cannot be compiled to columns; the text says why, `path` where.

    `remedy` is what would be compiled in its place, if that is known.
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.path = ""
        self.remedy = remedy


class UntoldError(UnsupportedError):
    """A value that columns do not hold is asked for; `scope` is the context that it is in."""

    def __init__(self, reason: str, scope: object) -> None:
        super().__init__(reason)
        self.scope = scope


class HookError(UnsupportedError):
    """A function of the user that is to be called once for each field that is parsed."""


class EndlessError(UnsupportedError):
    """A construct that would never come to an end, for some packets."""


@dataclass(frozen=True, slots=True)
class IntegerKind:
    """An integer within low..high."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class CategoryKind:
    """An Enum: an integer within low..high, some of whose values have names."""

    low: int
    high: int
    names: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class BooleanKind:
    """True or False."""


@dataclass(frozen=True, slots=True)
class RealKind:
    """An IEEE 754 float of 16, 32 or 64 bits."""

    bits: int


@dataclass(frozen=True, slots=True)
class OctetsKind:
    """Octets; of varying length when `length` is None."""

    length: int | None


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """Values of mixed types, as Python objects."""


@dataclass(frozen=True, slots=True)
class PythonKind:
    """Whatever a function, or construct itself, gives: a value, or a group or list of them."""


Kind: TypeAlias = (
    IntegerKind | CategoryKind | BooleanKind | RealKind | OctetsKind | ObjectKind | PythonKind
)


def integer_of(bits: int, *, is_signed: bool) -> IntegerKind:
    """Return the kind of an integer field of that width."""
    if is_signed:
        return IntegerKind(-(1 << bits - 1), (1 << bits - 1) - 1)
    return IntegerKind(0, (1 << bits) - 1)


def dtype_of(kind: Kind) -> "np.dtype[Any]":
    """Return the narrowest dtype that holds every value of `kind` exactly."""
    match kind:
        case IntegerKind(low, high) | CategoryKind(low, high, _):
            return _integer_dtype(low, high)
        case BooleanKind():
            return np.dtype(bool)
        case RealKind(bits):
            return np.dtype(f"f{bits // 8}")
        case OctetsKind(length):
            return np.dtype(np.uint8) if length is None else np.dtype(f"V{length}")
        case ObjectKind() | PythonKind():
            return np.dtype(object)


def _integer_dtype(low: int, high: int) -> "np.dtype[Any]":
    sign = "u" if low >= 0 else "i"
    bits = high.bit_length() if low >= 0 else max(high, -low - 1).bit_length() + 1
    for octets in (1, 2, 4, 8):
        if bits <= 8 * octets:
            return np.dtype(f"{sign}{octets}")
    return np.dtype(object)


def merge_kinds(one: Kind, other: Kind) -> Kind:
    """Return the kind of a column that two alternatives fill; `UnsupportedError` if none is."""
    match one, other:
        case (IntegerKind(), IntegerKind()):
            return IntegerKind(min(one.low, other.low), max(one.high, other.high))
        case (CategoryKind(), CategoryKind()) if one.names == other.names:
            return CategoryKind(min(one.low, other.low), max(one.high, other.high), one.names)
        case (RealKind(), RealKind()):
            return RealKind(max(one.bits, other.bits))
        case (OctetsKind(), OctetsKind()):
            return one if one == other else OctetsKind(None)
        case _ if one == other:
            return one
    if _fits_object(one) and _fits_object(other):
        return ObjectKind()
    raise UnsupportedError("its alternatives hold values that do not go into one column")


def _fits_object(kind: Kind) -> bool:
    """Tell whether Python objects can hold it beside values of other kinds."""
    if isinstance(kind, OctetsKind):
        return kind.length is not None
    return not isinstance(kind, CategoryKind | PythonKind)
