# SPDX-License-Identifier: Apache-2.0
"""Expressions of `construct.this`, compiled to numpy operations over all packets.

The result is Python's, value for value. What numpy cannot do alike (integers that may leave 64
bits, functions, text) raises `UnsupportedError`, and the caller leaves the field to construct.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from construct import expr as construct_expr

from telemetry.columns.comparisons import COMPARISONS, compare, truth
from telemetry.columns.frame import Array, Frame, Mask
from telemetry.columns.intervals import interval_of
from telemetry.columns.kinds import (
    BooleanKind,
    IntegerKind,
    RealKind,
    UnsupportedError,
)
from telemetry.columns.values import (
    Computation,
    Constant,
    Names,
    Steps,
    Value,
    array_of,
    common_word,
    fold,
    interval,
    reals_of,
    require_exact,
    require_interval,
)

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
        raise UnsupportedError(
            "a Python function", "an expression, as this.n * 2 for lambda c: c.n * 2"
        )
    if expression is None or isinstance(expression, bool | int | float | str | bytes):
        return Constant(_plain(expression))
    raise UnsupportedError(f"a value of type {type(expression).__name__}")


def path_steps(path: Any) -> Steps:
    """Return the names and indices behind `this`."""
    steps: Steps = []
    while (parent := vars(path)["_Path__parent"]) is not None:
        steps.append(vars(path)["_Path__field"])
        path = parent
    if vars(path)["_Path__name"] != "this":
        raise UnsupportedError(f"the expression {path!r}")
    return steps[::-1]


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


def _unary(function: Callable[[Any], Any], operand: Value) -> Value:
    if isinstance(operand, Constant):
        return fold(lambda: function(operand.value))
    if function is operator.not_:
        found = truth(operand)
        assert isinstance(found, Computation)
        run = found.run
        return Computation(BooleanKind(), lambda frame: ~run(frame))
    if function is operator.neg:
        if isinstance(operand.kind, RealKind):
            real = reals_of(operand)
            return Computation(RealKind(64), lambda frame: np.negative(real(frame)))
        return _arithmetic(operator.sub, Constant(0), operand)
    if function is operator.pos:
        if isinstance(operand.kind, RealKind):
            return operand
        return _arithmetic(operator.add, Constant(0), operand)
    raise UnsupportedError(f"the operator {function.__name__}")


def _binary(function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    if isinstance(left, Constant) and isinstance(right, Constant):
        return fold(lambda: function(left.value, right.value))
    if function in COMPARISONS:
        return compare(function, left, right)
    if function in _BOOLEAN_UFUNCS and _is_boolean(left) and _is_boolean(right):
        ufunc, one, other = _BOOLEAN_UFUNCS[function], array_of(left, None), array_of(right, None)
        return Computation(BooleanKind(), lambda frame: ufunc(one(frame), other(frame)))
    if interval(left) and interval(right) and function is not operator.truediv:
        return _arithmetic(function, left, right)
    return _real_arithmetic(function, left, right)


def _is_boolean(value: Value) -> bool:
    if isinstance(value, Constant):
        return isinstance(value.value, bool)
    return isinstance(value.kind, BooleanKind)


def _arithmetic(function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    """Integers in int64 or, where nothing is negative, uint64."""
    ranges = require_interval(left), require_interval(right)
    result = interval_of(function, *ranges)
    dtype = common_word(*ranges, result)
    one, other, ufunc = array_of(left, dtype), array_of(right, dtype), _INTEGER_UFUNCS[function]
    may_divide_by_zero = (
        function in (operator.floordiv, operator.mod) and ranges[1].low <= 0 <= ranges[1].high
    )

    def run(frame: Frame) -> Array:
        operand = other(frame)
        if may_divide_by_zero:
            operand = _fail_zeros(frame, operand)
        return np.asarray(ufunc(one(frame), operand))

    return Computation(IntegerKind(*result), run)


def _real_arithmetic(function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    one, other = reals_of(left), reals_of(right)
    if function in _REAL_UFUNCS:
        ufunc = _REAL_UFUNCS[function]
        return Computation(RealKind(64), lambda frame: ufunc(one(frame), other(frame)))
    if function is operator.truediv:
        require_exact(left)
        require_exact(right)
        return Computation(
            RealKind(64), lambda frame: one(frame) / _fail_zeros(frame, other(frame))
        )
    raise UnsupportedError(f"{function.__name__} of floats")


def _fail_zeros(frame: Frame, divisor: Array) -> Array:
    """Fail the lanes in which Python would not divide, and give them another divisor."""
    is_zero: Mask = np.broadcast_to(divisor == 0, (len(frame),))
    frame.fail(is_zero)
    return np.where(is_zero, divisor.dtype.type(1), divisor)
