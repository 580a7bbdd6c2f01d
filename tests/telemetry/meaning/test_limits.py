# SPDX-License-Identifier: Apache-2.0
"""Limits against a reference that goes value by value, and states worked by hand."""

from itertools import pairwise

import numpy as np
import pytest
from construct import Float32b, Struct
from hypothesis import given
from hypothesis import strategies as st

import telemetry
from telemetry import Limits, LimitState, field
from telemetry.columns.limits import LimitMemory, as_limits, judge, persist
from telemetry.errors import InputError

BOTH = Limits(warning=(10, 40), alarm=(0, 60))
# 1, a quiet NaN, a signalling NaN and -1 as IEEE 754 has them.
SAMPLES = ("3f800000", "7fc00000", "7f800001", "bf800000")
OK, UNKNOWN = LimitState.OK, LimitState.UNKNOWN
W_LOW, W_HIGH = LimitState.WARNING_LOW, LimitState.WARNING_HIGH
A_LOW, A_HIGH = LimitState.ALARM_LOW, LimitState.ALARM_HIGH


def states(limits, values):
    found, _ = judge(limits, np.array(values, dtype=np.float64), lambda condition: condition)
    assert found.dtype == np.uint8
    return found.tolist()


def test_each_bound_is_walked_through():
    values = [-1, 0, 1, 9, 10, 11, 39, 40, 41, 59, 60, 61]
    expected = [A_LOW, W_LOW, W_LOW, W_LOW, OK, OK, OK, OK, W_HIGH, W_HIGH, W_HIGH, A_HIGH]
    assert states(BOTH, values) == expected


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(warning=(None, 40)), [OK, OK, W_HIGH]),
        (Limits(warning=(10, None)), [W_LOW, OK, OK]),
        (Limits(alarm=(None, 60)), [OK, OK, A_HIGH]),
        (Limits(alarm=(0, None)), [A_LOW, OK, OK]),
        (Limits(warning=(20, 20), alarm=(20, 20)), [A_LOW, OK, A_HIGH]),
    ],
)
def test_a_bound_that_is_left_out_judges_nothing(limits, expected):
    assert states(limits, [-1, 20, 61]) == expected


def test_no_number_is_not_judged():
    assert states(BOTH, [np.nan, np.inf, -np.inf]) == [UNKNOWN, A_HIGH, A_LOW]


def test_a_signalling_nan_is_no_number_either(make_packet):
    layout = Struct("ratio" / field(Float32b, limits={"alarm": (0, None)}))
    packets = [make_packet(66, i, bytes.fromhex(text), crc=False) for i, text in enumerate(SAMPLES)]
    found = telemetry.decode(b"".join(packets), {66: layout}).table()
    assert found.columns["ratio"].state.tolist() == [OK, UNKNOWN, UNKNOWN, A_LOW]


def test_the_first_context_that_holds_is_used_and_none_is_the_default():
    # XTCE: a ContextAlarmList is searched in order, the default alarm is for the rest.
    first, second = np.array([1, 0, 0, 1], bool), np.array([1, 1, 0, 0], bool)
    limits = Limits(
        warning=(0, 1), contexts=((first, Limits(warning=(0, 100))), (second, Limits(alarm=(0, 5))))
    )
    assert states(limits, [50, 50, 50, 200]) == [OK, A_HIGH, W_HIGH, W_HIGH]


def test_without_a_context_that_holds_and_without_a_default_nothing_is_judged():
    limits = Limits(contexts=((np.array([True, False]), Limits(warning=(0, 1))),))
    assert states(limits, [5, 5]) == [W_HIGH, UNKNOWN]


@pytest.mark.parametrize(
    ("limits", "mistake"),
    [
        (Limits(), "limits without a bound; give warning=(low, high) or alarm=(low, high)"),
        (
            Limits(warning=(5, 1)),
            "limits in the wrong order: warning low 5 is above warning high",
        ),
        (Limits(alarm=(5, 1)), "limits in the wrong order: alarm low 5 is above alarm high 1"),
        (Limits((0, 9), (1, 10)), "limits in the wrong order: alarm low 1 is above warning low 0"),
        (
            Limits((0, 9), (0, 8)),
            "limits in the wrong order: warning high 9 is above alarm high 8",
        ),
        (
            Limits((None, 1), (2, None)),
            "limits in the wrong order: alarm low 2 is above warning high 1",
        ),
        (
            Limits((3, None), (None, 2)),
            "limits in the wrong order: warning low 3 is above alarm high 2",
        ),
        (Limits(warning=5), "warning is 5; expected (low, high), None where there is no bound"),
        (Limits(warning=(1, "2")), "warning has the bound '2'; expected a number or None"),
        (Limits(warning=(1, float("nan"))), "warning has the bound nan; expected a number or None"),
        (Limits((0, 1), persistence=0), "persistence is 0; the first violation is number 1"),
        (Limits((0, 1), persistence=1.5), "persistence is 1.5; expected a whole number from 1"),
        (
            Limits(contexts=((None, Limits(warning=(2, 1))),)),
            "context 1: limits in the wrong order: warning low 2 is above warning high 1",
        ),
        (
            Limits((0, 1), contexts=((None, Limits((0, 1), contexts=((None, BOTH),))),)),
            "context 1: a context cannot have contexts of its own",
        ),
    ],
)
def test_each_mistake_in_limits_is_told_with_its_numbers(limits, mistake):
    (text,) = limits.mistakes()
    assert text.startswith(mistake)


def test_right_limits_have_no_mistake():
    assert not list(BOTH.mistakes())
    assert not list(Limits((0, 0), (0, 0)).mistakes())


def test_limits_may_be_written_as_a_dict():
    written = {"warning": [10, 40], "alarm": (0, 60), "contexts": [(1, {"warning": (0, 1)})]}
    assert as_limits(written) == Limits((10, 40), (0, 60), 1, ((1, Limits((0, 1))),))


@pytest.mark.parametrize(
    ("written", "mistake"),
    [
        (5, "limits are 5; expected Limits"),
        ({"yellow": (0, 1)}, "limits have no 'yellow'; they have warning, alarm, persistence"),
        ({"contexts": [5]}, "contexts of limits are pairs"),
    ],
)
def test_what_are_no_limits_is_refused_at_once(written, mistake):
    with pytest.raises(InputError, match=mistake):
        as_limits(written)


# --- Persistence ----------------------------------------------------------------------------------


def persisted(values, needed, memory, positions=None):
    state = np.array(values, dtype=np.uint8)
    return persist(state, np.full(state.shape, needed), memory, "x", positions).tolist()


def test_a_state_is_raised_by_the_third_violation_in_a_row_whatever_its_kind():
    # COSMOS' persistence setting 3, XTCE's minViolations 3; an unknown value neither counts nor
    # breaks the row.
    values = [W_HIGH, W_HIGH, OK, W_LOW, W_LOW, UNKNOWN, A_LOW, W_LOW, OK, A_HIGH]
    expected = [OK, OK, OK, OK, OK, UNKNOWN, A_LOW, W_LOW, OK, OK]
    assert persisted(values, 3, LimitMemory()) == expected


def one_by_one(values, needed, positions):
    """Persistence as a person would count it."""
    rows, result = {}, []
    for value, position in zip(values, positions, strict=True):
        if value == UNKNOWN:
            result.append(value)
            continue
        rows[position] = 0 if value == OK else rows.get(position, 0) + 1
        result.append(value if rows[position] >= needed else OK)
    return result


@given(
    st.lists(st.tuples(st.sampled_from(list(LimitState)), st.integers(0, 3)), max_size=60),
    st.integers(1, 4),
    st.lists(st.integers(0, 60), max_size=5),
)
def test_persistence_is_the_same_however_the_values_are_cut_into_batches(values, needed, cuts):
    state = [int(value) for value, _ in values]
    positions = [position for _, position in values]
    memory, found = LimitMemory(), []
    edges = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    for start, end in pairwise(edges):
        places = np.array(positions[start:end], dtype=np.int64)
        found += persisted(state[start:end], needed, memory, places)
    assert found == one_by_one(state, needed, positions)


def test_columns_do_not_share_their_rows_of_violations():
    memory = LimitMemory()
    two = np.full(1, 2)
    high = np.array([A_HIGH], dtype=np.uint8)
    assert persist(high, two, memory, "a").tolist() == [OK]
    assert persist(high, two, memory, "b").tolist() == [OK]
    assert persist(high, two, memory, "a").tolist() == [A_HIGH]
