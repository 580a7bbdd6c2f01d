# SPDX-License-Identifier: Apache-2.0
"""construct's `this` expressions, computed on the columns of a batch.

Arithmetic is that of float64; `&`, `|` and `^` combine conditions or, between whole numbers, bits.
A function in the place of an expression gets the `Scope` and returns one value for each.
"""

import operator
from collections.abc import Callable, Iterator
from typing import Any

import construct.expr
import numpy as np

from telemetry.columns.column import Array
from telemetry.columns.formula_scope import ExpressionError, Named, Operand, Scope

_ARITHMETIC: dict[Any, Callable[..., Any]] = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.truediv: np.divide,
    operator.floordiv: np.floor_divide,
    operator.mod: np.mod,
    operator.pow: np.power,
}
_BITS: dict[Any, Callable[..., Any]] = {
    operator.and_: np.bitwise_and,
    operator.or_: np.bitwise_or,
    operator.xor: np.bitwise_xor,
    operator.lshift: np.left_shift,
    operator.rshift: np.right_shift,
}
_COMPARISONS = (operator.gt, operator.ge, operator.lt, operator.le, operator.eq, operator.ne)
_UNARY: dict[Any, Callable[..., Any]] = {
    operator.neg: lambda value: -_float(value),
    operator.pos: lambda value: value,
    operator.not_: np.logical_not,
}


def evaluate(expression: Any, scope: Scope) -> Array:
    """Return one value for each place of `scope`; `ExpressionError` where that cannot be."""
    try:
        with np.errstate(all="ignore"):  # A division by zero is inf or NaN, not the end.
            found = _evaluate(expression, scope)
            values = np.asarray(found)
    except ExpressionError:
        raise
    except Exception as error:
        raise ExpressionError(f"{type(error).__name__}: {error}") from error
    if values.shape != (scope.size,):
        got = f"{values.size:,} values" if values.ndim else "one value"
        raise ExpressionError(f"it gives {got} for {scope.size:,}; expected one for each")
    if values.dtype.kind not in "biuf":
        raise ExpressionError(f"it gives {values.dtype} and not numbers")
    return values


def holds(condition: Any, scope: Scope) -> Array:
    """Return where a condition is met (bool); where what it asks for is missing, it is not."""
    values = evaluate(condition, scope)
    met: Array = values.astype(bool) & scope.usable
    return met


def paths(expression: Any) -> Iterator[tuple[str | int, ...]]:
    """Yield the paths that an expression names; those of a function cannot be known."""
    if isinstance(expression, construct.expr.Path):
        yield _parts(expression)
    elif isinstance(expression, construct.expr.BinExpr):
        yield from paths(expression.lhs)
        yield from paths(expression.rhs)
    elif isinstance(expression, construct.expr.UniExpr):
        yield from paths(expression.operand)
    elif isinstance(expression, construct.expr.FuncPath):
        yield from paths(_operand_of(expression))


def _evaluate(expression: Any, scope: Scope) -> Operand:
    if isinstance(expression, construct.expr.Path):
        return scope.find(_parts(expression))
    if isinstance(expression, construct.expr.BinExpr):
        left, right = _evaluate(expression.lhs, scope), _evaluate(expression.rhs, scope)
        return _binary(expression.op, left, right)
    if isinstance(expression, construct.expr.UniExpr):
        return _UNARY[expression.op](_evaluate(expression.operand, scope))
    if isinstance(expression, construct.expr.FuncPath):
        return _function(expression, scope)
    if callable(expression):
        return expression(scope)
    return expression


def _binary(op: Any, left: Operand, right: Operand) -> Operand:
    if op in _ARITHMETIC:
        return _ARITHMETIC[op](_float(left), _float(right))
    if op in _COMPARISONS:
        is_swapped = isinstance(right, Named) and op in (operator.eq, operator.ne)
        return op(right, left) if is_swapped else op(left, right)
    if op not in _BITS:
        raise ExpressionError(f"{construct.expr.opnames[op]!r} cannot be computed on columns")
    if not _is_whole(left) or not _is_whole(right):
        sign = construct.expr.opnames[op]
        raise ExpressionError(f"{sign!r} combines conditions or whole numbers, not fractions")
    return _BITS[op](np.asarray(left), np.asarray(right))


def _function(expression: Any, scope: Scope) -> Operand:
    if expression._FuncPath__func is not abs:
        raise ExpressionError(f"{expression} cannot be computed on columns; use a function")
    return np.abs(_float(_evaluate(_operand_of(expression), scope)))


def _operand_of(expression: Any) -> Any:
    return expression._FuncPath__operand


def _parts(path: Any) -> tuple[str | int, ...]:
    """Return the steps of a path; `this.a[3].b` has "a", 3, "b"."""
    parts: list[str | int] = []
    while path._Path__parent is not None:
        parts.insert(0, path._Path__field)
        path = path._Path__parent
    if path._Path__name != "this":
        raise ExpressionError(f"{path._Path__name} has no meaning here; use this")
    return tuple(parts)


def _float(value: Operand) -> Array:
    return np.asarray(value).astype(np.float64)


def _is_whole(value: Operand) -> bool:
    return np.asarray(value).dtype.kind in "biu"
