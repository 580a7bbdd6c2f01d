# SPDX-License-Identifier: Apache-2.0
"""What an expression stands for: a constant, or something to be computed per lane."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from telemetry.columns.frame import Array, Frame, Slot
from telemetry.columns.intervals import Interval
from telemetry.columns.kinds import (
    BooleanKind,
    IntegerKind,
    Kind,
    RealKind,
    UnsupportedError,
)

EXACT = 1 << 53  # A float64 holds every integer up to here.


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that is the same for every packet."""

    value: bool | int | float | str | bytes | None


@dataclass(frozen=True, slots=True)
class Computation:
    """A value per lane: `run(frame)` gives an array whose dtype may be wider than the kind's."""

    kind: Kind
    run: Callable[[Frame], Array]


Value: TypeAlias = Constant | Computation
Steps: TypeAlias = list[str | int]  # `this.a[2].b` is ["a", 2, "b"].


class Names(Protocol):
    """What paths stand for; both raise `UnsupportedError` for a path that is no such value."""

    def resolve(self, steps: Steps) -> Value:
        """Return the value at the end of a path."""

    def measure(self, steps: Steps) -> Value:
        """Return how many items or octets are in the value at the end of a path."""


def read_slot(slot: Slot) -> Computation:
    """Return the expression that is just this value."""
    slot.is_used = True
    return Computation(slot.kind, lambda frame: frame.get(slot))


def as_integer(value: Value) -> Value:
    """Return a value that can count or measure; `UnsupportedError` for any other."""
    if isinstance(value, Constant):
        if isinstance(value.value, int):
            return Constant(int(value.value))
    elif isinstance(value.kind, IntegerKind | BooleanKind):
        return value
    raise UnsupportedError("a length that is not an integer")


def interval(value: Value) -> Interval | None:
    """Return the bounds of an integer or a boolean; None for anything else."""
    if isinstance(value, Constant):
        is_integer = isinstance(value.value, int)
        return Interval(int(value.value), int(value.value)) if is_integer else None  # type: ignore[arg-type]
    match value.kind:
        case IntegerKind(low, high):
            return Interval(low, high)
        case BooleanKind():
            return Interval(0, 1)
    return None


def require_interval(value: Value) -> Interval:
    """Return the bounds of an integer; `UnsupportedError` for anything else."""
    found = interval(value)
    if found is None:
        raise UnsupportedError("arithmetic with something else than numbers")
    return found


def is_real(value: Value) -> bool:
    """Tell whether this is a float."""
    if isinstance(value, Constant):
        return isinstance(value.value, float)
    return isinstance(value.kind, RealKind)


def array_of(value: Value, dtype: "np.dtype[Any] | None") -> Callable[[Frame], Array]:
    """Return what gives the value as an array; a constant is an array without dimensions."""
    if isinstance(value, Constant):
        try:
            constant = np.array(value.value, dtype)
        except OverflowError as error:
            raise UnsupportedError("a number beyond what floats reach") from error
        return lambda _: constant
    run = value.run
    return run if dtype is None else lambda frame: run(frame).astype(dtype, copy=False)


def reals_of(value: Value) -> Callable[[Frame], Array]:
    """Return what gives a number as float64, rounded as Python rounds."""
    is_number = interval(value) or (
        isinstance(value.value, float)
        if isinstance(value, Constant)
        else isinstance(value.kind, RealKind)
    )
    if not is_number:
        raise UnsupportedError("arithmetic with something else than numbers")
    return array_of(value, np.dtype(np.float64))


def require_exact(value: Value) -> None:
    """Raise `UnsupportedError` for an integer that a float64 may not hold exactly."""
    found = interval(value)
    if found and not -EXACT <= found.low <= found.high <= EXACT:
        raise UnsupportedError("integers beyond 2**53 where floats are")


def common_word(*ranges: Interval) -> "np.dtype[Any]":
    """Return the 64-bit type for all of these integers; `UnsupportedError` if there is none."""
    if all(found.is_signed_word for found in ranges):
        return np.dtype(np.int64)
    if all(found.is_unsigned_word for found in ranges):
        return np.dtype(np.uint64)
    raise UnsupportedError(
        "arithmetic that can leave 64 bits", "narrower fields, or a mask, as this.n & 0xffffffff"
    )


def fold(compute: Callable[[], Any]) -> Constant:
    """Return what is the same for every packet, computed by Python now."""
    try:
        value = compute()
    except Exception as error:
        raise UnsupportedError("an expression that always fails") from error
    if value is not None and type(value) not in (bool, int, float, str, bytes):
        raise UnsupportedError(f"a value of type {type(value).__name__}")
    return Constant(value)
