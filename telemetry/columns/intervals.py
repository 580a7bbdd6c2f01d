# SPDX-License-Identifier: Apache-2.0
"""Where the result of integer arithmetic can lie, given where its operands lie.

Bounds are Python's integers, so that they are exact where 64 bits are not.
"""

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from telemetry.columns.kinds import WORD_BITS, UnsupportedError


class Interval(NamedTuple):
    """The integers low..high."""

    low: int
    high: int

    @property
    def is_signed_word(self) -> bool:
        """Whether int64 holds all of them."""
        return self.low >= -(1 << WORD_BITS - 1) and self.high < 1 << WORD_BITS - 1

    @property
    def is_unsigned_word(self) -> bool:
        """Whether uint64 holds all of them."""
        return self.low >= 0 and self.high < 1 << WORD_BITS


def interval_of(function: Callable[[Any, Any], Any], left: Interval, right: Interval) -> Interval:
    """Return the bounds of `function(a, b)`; `UnsupportedError` where there are none."""
    rule = _RULES.get(function)
    if rule is None:
        raise UnsupportedError(f"{function.__name__} of integers")
    return rule(left, right)


def _corners(function: Callable[[int, int], int]) -> "Rule":
    """For a function that is monotonic in each operand."""

    def rule(left: Interval, right: Interval) -> Interval:
        found = [function(a, b) for a in left for b in right]
        return Interval(min(found), max(found))

    return rule


def _floor_divide(left: Interval, right: Interval) -> Interval:
    divisors = [b for b in (right.low, right.high, -1, 1) if b and right.low <= b <= right.high]
    if not divisors:
        raise UnsupportedError("division by zero")
    found = [a // b for a in left for b in divisors]
    return Interval(min(found), max(found))


def _modulo(left: Interval, right: Interval) -> Interval:
    del left  # The remainder has the divisor's sign and is smaller.
    if right == (0, 0):
        raise UnsupportedError("division by zero")
    return Interval(min(right.low + 1, 0), max(right.high - 1, 0))


def _power(left: Interval, right: Interval) -> Interval:
    if not 0 <= right.low <= right.high < WORD_BITS:
        raise UnsupportedError("an exponent that may be negative or above 63")
    highest = max(abs(left.low), abs(left.high), 1) ** right.high
    return Interval(0 if left.low >= 0 else -highest, highest)


def _shift(function: Callable[[int, int], int]) -> "Rule":
    def rule(left: Interval, right: Interval) -> Interval:
        if right.low < 0 or right.high > WORD_BITS:
            raise UnsupportedError("a shift that may be negative or above 64 bits")
        return _corners(function)(left, right)

    return rule


def _bitwise(left: Interval, right: Interval) -> Interval:
    bits = max(value.bit_length() for value in (*left, *right))
    is_positive = left.low >= 0 and right.low >= 0
    return Interval(0 if is_positive else -(1 << bits), (1 << bits) - 1)


def _and(left: Interval, right: Interval) -> Interval:
    positive = [side.high for side in (left, right) if side.low >= 0]
    return Interval(0, min(positive)) if positive else _bitwise(left, right)


Rule = Callable[[Interval, Interval], Interval]

_RULES: dict[Callable[[Any, Any], Any], Rule] = {
    operator.add: _corners(operator.add),
    operator.sub: _corners(operator.sub),
    operator.mul: _corners(operator.mul),
    operator.floordiv: _floor_divide,
    operator.mod: _modulo,
    operator.pow: _power,
    operator.lshift: _shift(operator.lshift),
    operator.rshift: _shift(operator.rshift),
    operator.and_: _and,
    operator.or_: _bitwise,
    operator.xor: _bitwise,
}
