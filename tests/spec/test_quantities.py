# SPDX-License-Identifier: Apache-2.0
"""Quantities are exact integers in the unit of the record. Expected values are worked by hand."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fw_tools.spec.quantities import (
    CURRENT,
    FREQUENCY,
    PERCENT,
    TIME,
    VOLTAGE,
    Dimension,
    parse_quantity,
    parse_window,
)


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("1.05V", VOLTAGE, 1050),
        ("0.80V", VOLTAGE, 800),
        ("800mV", VOLTAGE, 800),
        ("54000000uV", VOLTAGE, 54000),
        (".5V", VOLTAGE, 500),
        ("60A", CURRENT, 60_000),
        ("0.2ms", TIME, 200),
        ("3000ns", TIME, 3),
        ("1 s", TIME, 1_000_000),
        ("8\u00b5s", TIME, 8),
        ("8\u03bcs", TIME, 8),
        ("50MHz", FREQUENCY, 50_000_000),
        ("32.768kHz", FREQUENCY, 32_768),
        ("95%", PERCENT, 95),
        ("123456789012.345mV", VOLTAGE, None),
        ("0.1V", VOLTAGE, 100),
        ("0.3V", VOLTAGE, 300),
    ],
)
def test_a_quantity_is_exact(text: str, dimension: Dimension, value: int | None) -> None:
    if value is None:
        with pytest.raises(ValueError, match="finer than the resolution of 1mV"):
            parse_quantity(text, dimension)
    else:
        assert parse_quantity(text, dimension) == value


@given(st.integers(0, 10**9))
def test_milli_and_whole_units_say_the_same(millivolts: int) -> None:
    assert parse_quantity(f"{millivolts}mV", VOLTAGE) == millivolts
    assert parse_quantity(f"{Decimal(millivolts) / 1000:f}V", VOLTAGE) == millivolts


@given(st.text(max_size=20) | st.floats() | st.decimals() | st.booleans() | st.none())
def test_anything_else_is_a_value_error(value: object) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse_quantity(value, TIME), int)


def test_a_window_holds_both_ends_and_may_begin_at_zero() -> None:
    assert parse_window("0.2ms..40ms", "1s") == (200, 40_000)
    assert parse_window("0us .. 5ms", "1s") == (0, 5000)
