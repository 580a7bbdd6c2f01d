# SPDX-License-Identifier: Apache-2.0
"""--since and --until."""

import numpy as np
import pytest

from telemetry.errors import UsageError
from telemetry.ops.selection import Moment, Selection, parse_moment
from telemetry.wire.time_scales import Scale, Times

UTC, TAI = Scale.UTC, Scale.TAI


@pytest.mark.parametrize(
    ("text", "at", "scale"),
    [
        ("2026-11-22", "2026-11-22T00:00", UTC),
        ("2026-11-22T10:30", "2026-11-22T10:30", UTC),
        ("2026-11-22 10:30:05", "2026-11-22T10:30:05", UTC),
        ("2026-11-22T10:30:05.123456789Z", "2026-11-22T10:30:05.123456789", UTC),
        ("2026-11-22 10:30 tai", "2026-11-22T10:30", TAI),
        ("2026-11-22 TAI", "2026-11-22", TAI),
        (" 2026-11-22 UTC ", "2026-11-22", UTC),
    ],
)
def test_moments_are_read(text, at, scale):
    assert parse_moment(text) == Moment(np.datetime64(at, "ns"), scale)


@pytest.mark.parametrize(
    "text", ["", "now", "22.11.2026", "2026-13-01", "2026-11-22T25:00", "2026-11-22T10", "2026-11"]
)
def test_other_texts_are_refused_with_what_would_be_right(text):
    with pytest.raises(UsageError, match=r"--until .*expected a date or a time, as 2026-11-22"):
        parse_moment(text, "--until")


def times(scale=UTC):
    return Times(np.array(["2020-01-01", "2020-01-02", "2020-01-03", "NaT"], "M8[ns]"), scale)


def moment(text):
    return parse_moment(text)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, [True, True, True, True]),
        ("2020-01-02", None, [False, True, True, False]),
        (None, "2020-01-02", [True, False, False, False]),
        ("2020-01-02", "2020-01-03", [False, True, False, False]),
        ("2020-01-02T00:00:00.000000001", None, [False, False, True, False]),
        ("2020-01-02 TAI", None, [False, True, True, False]),
        ("2020-01-02T00:00:37 TAI", None, [False, True, True, False]),
        ("2020-01-02T00:00:38 TAI", None, [False, False, True, False]),
    ],
)
def test_a_selection_begins_at_since_and_ends_before_until(since, until, expected):
    selection = Selection(since and moment(since), until and moment(until))
    assert selection.mask(times()).tolist() == expected


def test_scales_are_converted():
    selection = Selection(since=moment("2020-01-01T23:59:24Z"))  # 37 s later in TAI
    assert selection.mask(times(TAI)).tolist() == [False, False, True, False]
    selection = Selection(since=moment("2020-01-01T23:59:23Z"))
    assert selection.mask(times(TAI)).tolist() == [False, True, True, False]


@pytest.mark.parametrize("until", ["2020-01-02", "2020-01-01", "2020-01-02T00:00:37 TAI"])
def test_a_selection_of_nothing_is_refused(until):
    with pytest.raises(UsageError, match="nothing lies there"):
        Selection(moment("2020-01-02"), moment(until))
