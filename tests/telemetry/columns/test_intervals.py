# SPDX-License-Identifier: Apache-2.0
"""Bounds of integer arithmetic, against every pair of operands of small intervals."""

import contextlib
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.columns.intervals import Interval, interval_of
from telemetry.columns.kinds import UnsupportedError

OPERATIONS = (
    operator.add,
    operator.sub,
    operator.mul,
    operator.floordiv,
    operator.mod,
    operator.pow,
    operator.lshift,
    operator.rshift,
    operator.and_,
    operator.or_,
    operator.xor,
)
TIGHT = (operator.add, operator.sub, operator.mul, operator.floordiv, operator.lshift)
BOUND = st.integers(-9, 9)


def results(operation, left, right):
    found = []
    for a in range(left.low, left.high + 1):
        for b in range(right.low, right.high + 1):
            with contextlib.suppress(ZeroDivisionError):
                found.append(operation(a, b))
    return found


@pytest.mark.parametrize("operation", OPERATIONS)
@given(st.lists(BOUND, min_size=2, max_size=2), st.lists(BOUND, min_size=2, max_size=2))
def test_no_result_lies_outside_of_its_bounds(operation, one, other):
    left, right = Interval(min(one), max(one)), Interval(min(other), max(other))
    try:
        bounds = interval_of(operation, left, right)
    except UnsupportedError:
        is_count = operation in (operator.pow, operator.lshift, operator.rshift)
        assert right.low < 0 if is_count else right == (0, 0), "a case that has bounds"
        return
    found = results(operation, left, right)
    assert bounds.low <= min(found)
    assert max(found) <= bounds.high
    if operation in TIGHT:
        assert bounds == (min(found), max(found))


@pytest.mark.parametrize(
    ("bounds", "is_signed", "is_unsigned"),
    [
        ((0, 2**63 - 1), True, True),
        ((0, 2**63), False, True),
        ((-(2**63), 0), True, False),
        ((-(2**63) - 1, 0), False, False),
        ((0, 2**64 - 1), False, True),
        ((0, 2**64), False, False),
        ((-1, 2**63), False, False),
    ],
)
def test_words_hold_what_64_bits_hold(bounds, is_signed, is_unsigned):
    interval = Interval(*bounds)
    assert (interval.is_signed_word, interval.is_unsigned_word) == (is_signed, is_unsigned)
