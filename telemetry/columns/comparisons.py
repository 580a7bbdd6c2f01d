# SPDX-License-Identifier: Apache-2.0
"""Comparisons and truth, as Python has them."""

import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from telemetry.columns.frame import Frame, Mask
from telemetry.columns.kinds import (
    BooleanKind,
    CategoryKind,
    IntegerKind,
    OctetsKind,
    RealKind,
    UnsupportedError,
    dtype_of,
)
from telemetry.columns.values import (
    Computation,
    Constant,
    Value,
    array_of,
    common_word,
    fold,
    interval,
    is_real,
    reals_of,
    require_exact,
    require_interval,
)

COMPARISONS = {
    operator.eq: np.equal,
    operator.ne: np.not_equal,
    operator.lt: np.less,
    operator.le: np.less_equal,
    operator.gt: np.greater,
    operator.ge: np.greater_equal,
}
_MIRRORED: dict[Callable[[Any, Any], Any], Callable[[Any, Any], Any]] = {
    operator.eq: operator.eq,
    operator.ne: operator.ne,
    operator.lt: operator.gt,
    operator.le: operator.ge,
    operator.gt: operator.lt,
    operator.ge: operator.le,
}


def equals(left: Value, right: Value) -> Value:
    """Return whether two values are equal in Python."""
    return compare(operator.eq, left, right)


def truth(value: Value) -> Value:
    """Return whether `value` counts as true in Python."""
    if isinstance(value, Constant):
        return Constant(bool(value.value))
    run = value.run
    match value.kind:
        case BooleanKind():
            return value
        case IntegerKind() | RealKind():
            return Computation(BooleanKind(), lambda frame: run(frame) != 0)
        case CategoryKind(names=names):  # A known name is text, which is true unless empty.
            false = [number for number, name in names if not name]
            if 0 not in dict(names):
                false.append(0)
            is_false = _is_among(value, false)
            return Computation(BooleanKind(), lambda frame: ~is_false(frame))
    raise UnsupportedError("the truth of octets")


def compare(function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    """Return `function(left, right)`, one of the six comparisons of `operator`."""
    if isinstance(left, Constant) and isinstance(right, Constant):
        return fold(lambda: function(left.value, right.value))
    if isinstance(left, Constant):
        return compare(_MIRRORED[function], right, left)
    ufunc = COMPARISONS[function]
    if interval(left) and interval(right):
        dtype = common_word(require_interval(left), require_interval(right))
        one, other = array_of(left, dtype), array_of(right, dtype)
    elif is_real(left) or is_real(right):
        one, other = reals_of(left), reals_of(right)
        require_exact(left)
        require_exact(right)
    else:
        return _compare_unlike(function, left, right)
    return Computation(BooleanKind(), lambda frame: ufunc(one(frame), other(frame)))


def _compare_unlike(function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    """Compare values of which at most one is a number; for equality only."""
    if function not in (operator.eq, operator.ne) or not isinstance(right, Constant):
        raise UnsupportedError("a comparison of unlike values")
    assert isinstance(left, Computation)
    wanted, is_wanted = right.value, function is operator.eq
    match left.kind:
        case CategoryKind(names=names) if isinstance(wanted, int | float):
            # A value that has a name is text, and equals no number.
            found = _is_among(left, [] if wanted in dict(names) else [wanted])
        case CategoryKind(names=names):
            found = _is_among(left, [number for number, name in names if name == wanted])
        case OctetsKind(length) if isinstance(wanted, bytes) and len(wanted) == length:
            found = _are_octets(left, wanted)
        case _:
            return Constant(not is_wanted)
    return Computation(BooleanKind(), lambda frame: found(frame) == is_wanted)


def _is_among(value: Computation, numbers: Iterable[int | float]) -> Callable[[Frame], Mask]:
    kind = value.kind
    assert isinstance(kind, IntegerKind | CategoryKind)
    possible = [n for n in numbers if kind.low <= n <= kind.high and n == int(n)]
    wanted = np.array([int(n) for n in possible], dtype_of(kind))
    return lambda frame: np.isin(value.run(frame), wanted)


def _are_octets(value: Computation, wanted: bytes) -> Callable[[Frame], Mask]:
    octets = np.frombuffer(wanted, np.uint8)

    def run(frame: Frame) -> Mask:
        rows = value.run(frame).view(np.uint8).reshape(-1, len(octets))
        return np.asarray((rows == octets).all(axis=1))

    return run
