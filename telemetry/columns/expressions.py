# SPDX-License-Identifier: Apache-2.0
"""Expressions of `construct.this`, compiled to numpy operations over all packets.

The result is Python's, value for value. What numpy cannot do alike (integers that may leave 64
bits, functions, text) raises `UnsupportedError`, and the caller leaves the field to construct.
"""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from construct import expr as construct_expr

from telemetry.columns.frame import Array, Frame, Mask, Slot
from telemetry.columns.intervals import Interval, interval_of
from telemetry.columns.kinds import (
    BooleanKind,
    CategoryKind,
    IntegerKind,
    Kind,
    OctetsKind,
    RealKind,
    UnsupportedError,
    dtype_of,
)

_EXACT = 1 << 53  # A float64 holds every integer up to here.
_COMPARISONS = {
    operator.eq: np.equal,
    operator.ne: np.not_equal,
    operator.lt: np.less,
    operator.le: np.less_equal,
    operator.gt: np.greater,
    operator.ge: np.greater_equal,
}
_INTEGER_UFUNCS = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.floordiv: np.floor_divide,
    operator.mod: np.remainder,
    operator.pow: np.power,
    operator.lshift: np.left_shift,
    operator.rshift: np.right_shift,
    operator.and_: np.bitwise_and,
    operator.or_: np.bitwise_or,
    operator.xor: np.bitwise_xor,
}
_REAL_UFUNCS = {operator.add: np.add, operator.sub: np.subtract, operator.mul: np.multiply}
_BOOLEAN_UFUNCS = {
    operator.and_: np.logical_and,
    operator.or_: np.logical_or,
    operator.xor: np.logical_xor,
}


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


def compile_expression(expression: Any, names: Names) -> Value:
    """Compile an expression, in which paths such as `this._.n` stand for `names`."""
    if isinstance(expression, construct_expr.Path):
        return names.resolve(path_steps(expression))
    if isinstance(expression, construct_expr.UniExpr):
        operand = compile_expression(expression.operand, names)
        return _unary(expression.op, operand)
    if isinstance(expression, construct_expr.BinExpr):
        left = compile_expression(expression.lhs, names)
        right = compile_expression(expression.rhs, names)
        return _binary(expression.op, left, right)
    if isinstance(expression, construct_expr.FuncPath):
        return _function(expression, names)
    if callable(expression):
        raise UnsupportedError("a Python function")
    if expression is None or isinstance(expression, bool | int | float | str | bytes):
        return Constant(_plain(expression))
    raise UnsupportedError(f"a value of type {type(expression).__name__}")


def _function(expression: Any, names: Names) -> Value:
    function, operand = (vars(expression)[f"_FuncPath__{name}"] for name in ("func", "operand"))
    if function is not len or not isinstance(operand, construct_expr.Path):
        raise UnsupportedError(f"the function {function.__name__} of a list")
    return names.measure(path_steps(operand))


def _plain(value: Any) -> Any:
    """Return a constant without what a subclass, such as the names of an Enum, adds to it."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes):
        return bytes(value)
    return int(value) if isinstance(value, int) else float(value)


def path_steps(path: Any) -> Steps:
    """Return the names and indices behind `this`."""
    steps: Steps = []
    while (parent := vars(path)["_Path__parent"]) is not None:
        steps.append(vars(path)["_Path__field"])
        path = parent
    if vars(path)["_Path__name"] != "this":
        raise UnsupportedError(f"the expression {path!r}")
    return steps[::-1]


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


def equals(left: Value, right: Value) -> Value:
    """Return whether two values are equal in Python."""
    return _compare(operator.eq, left, right)


def _unary(function: Callable[[Any], Any], operand: Value) -> Value:
    if isinstance(operand, Constant):
        return _fold(lambda: function(operand.value))
    if function is operator.not_:
        found = truth(operand)
        assert isinstance(found, Computation)
        run = found.run
        return Computation(BooleanKind(), lambda frame: ~run(frame))
    if function is operator.neg:
        if isinstance(operand.kind, RealKind):
            real = _reals(operand)
            return Computation(RealKind(64), lambda frame: np.negative(real(frame)))
        return _arithmetic(operator.sub, Constant(0), operand)
    if function is operator.pos:
        if isinstance(operand.kind, RealKind):
            return operand
        return _arithmetic(operator.add, Constant(0), operand)
    raise UnsupportedError(f"the operator {function.__name__}")


def _binary(function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    if isinstance(left, Constant) and isinstance(right, Constant):
        return _fold(lambda: function(left.value, right.value))
    if function in _COMPARISONS:
        return _compare(function, left, right)
    if function in _BOOLEAN_UFUNCS and _is_boolean(left) and _is_boolean(right):
        ufunc, one, other = _BOOLEAN_UFUNCS[function], _array(left, None), _array(right, None)
        return Computation(BooleanKind(), lambda frame: ufunc(one(frame), other(frame)))
    if interval(left) and interval(right) and function is not operator.truediv:
        return _arithmetic(function, left, right)
    return _real_arithmetic(function, left, right)


def _fold(compute: Callable[[], Any]) -> Constant:
    try:
        value = compute()
    except Exception as error:
        raise UnsupportedError("an expression that always fails") from error
    if value is not None and type(value) not in (bool, int, float, str, bytes):
        raise UnsupportedError(f"a value of type {type(value).__name__}")
    return Constant(value)


def _is_boolean(value: Value) -> bool:
    if isinstance(value, Constant):
        return isinstance(value.value, bool)
    return isinstance(value.kind, BooleanKind)


def _arithmetic(function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    """Integers in int64 or, where nothing is negative, uint64."""
    ranges = _interval(left), _interval(right)
    result = interval_of(function, *ranges)
    dtype = _common_word(*ranges, result)
    one, other, ufunc = _array(left, dtype), _array(right, dtype), _INTEGER_UFUNCS[function]
    may_divide_by_zero = (
        function in (operator.floordiv, operator.mod) and ranges[1].low <= 0 <= ranges[1].high
    )

    def run(frame: Frame) -> Array:
        operand = other(frame)
        if may_divide_by_zero:
            operand = _fail_zeros(frame, operand)
        return np.asarray(ufunc(one(frame), operand))

    return Computation(IntegerKind(*result), run)


def _fail_zeros(frame: Frame, divisor: Array) -> Array:
    """Fail the lanes in which Python would not divide, and give them another divisor."""
    is_zero: Mask = np.broadcast_to(divisor == 0, (len(frame),))
    frame.fail(is_zero)
    return np.where(is_zero, divisor.dtype.type(1), divisor)


def _common_word(*ranges: Interval) -> "np.dtype[Any]":
    if all(found.is_signed_word for found in ranges):
        return np.dtype(np.int64)
    if all(found.is_unsigned_word for found in ranges):
        return np.dtype(np.uint64)
    raise UnsupportedError("arithmetic that can leave 64 bits")


def _interval(value: Value) -> Interval:
    found = interval(value)
    if found is None:
        raise UnsupportedError("arithmetic with something else than numbers")
    return found


def _array(value: Value, dtype: "np.dtype[Any] | None") -> Callable[[Frame], Array]:
    """Return what gives the value as an array; a constant is an array without dimensions."""
    if isinstance(value, Constant):
        try:
            constant = np.array(value.value, dtype)
        except OverflowError as error:
            raise UnsupportedError("a number beyond what floats reach") from error
        return lambda _: constant
    run = value.run
    return run if dtype is None else lambda frame: run(frame).astype(dtype, copy=False)


def _real_arithmetic(function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    one, other = _reals(left), _reals(right)
    if function in _REAL_UFUNCS:
        ufunc = _REAL_UFUNCS[function]
        return Computation(RealKind(64), lambda frame: ufunc(one(frame), other(frame)))
    if function is operator.truediv:
        _require_exact(left)
        _require_exact(right)
        return Computation(
            RealKind(64), lambda frame: one(frame) / _fail_zeros(frame, other(frame))
        )
    raise UnsupportedError(f"{function.__name__} of floats")


def _reals(value: Value) -> Callable[[Frame], Array]:
    is_number = interval(value) or (
        isinstance(value.value, float)
        if isinstance(value, Constant)
        else isinstance(value.kind, RealKind)
    )
    if not is_number:
        raise UnsupportedError("arithmetic with something else than numbers")
    return _array(value, np.dtype(np.float64))


def _require_exact(value: Value) -> None:
    found = interval(value)
    if found and not -_EXACT <= found.low <= found.high <= _EXACT:
        raise UnsupportedError("integers beyond 2**53 where floats are")


def _compare(function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    if isinstance(left, Constant) and isinstance(right, Constant):
        return _fold(lambda: function(left.value, right.value))
    if isinstance(left, Constant):
        return _compare(_MIRRORED[function], right, left)
    ufunc = _COMPARISONS[function]
    if interval(left) and interval(right):
        dtype = _common_word(_interval(left), _interval(right))
        one, other = _array(left, dtype), _array(right, dtype)
    elif _is_real(left) or _is_real(right):
        one, other = _reals(left), _reals(right)
        _require_exact(left)
        _require_exact(right)
    else:
        return _compare_unlike(function, left, right)
    return Computation(BooleanKind(), lambda frame: ufunc(one(frame), other(frame)))


_MIRRORED: dict[Callable[[Any, Any], Any], Callable[[Any, Any], Any]] = {
    operator.eq: operator.eq,
    operator.ne: operator.ne,
    operator.lt: operator.gt,
    operator.le: operator.ge,
    operator.gt: operator.lt,
    operator.ge: operator.le,
}


def _is_real(value: Value) -> bool:
    if isinstance(value, Constant):
        return isinstance(value.value, float)
    return isinstance(value.kind, RealKind)


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
