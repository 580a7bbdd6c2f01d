# SPDX-License-Identifier: Apache-2.0
"""Calibrations against numbers worked by hand, numpy.interp and the converters of ccsdspy."""

import ccsdspy.converters
import numpy as np
import pytest

from telemetry import Function, Names, Polynomial, Spline, Table
from telemetry.columns.calibration import as_calibration
from telemetry.errors import InputError

EVERY_OCTET = np.arange(256, dtype=np.uint8)


def same(found, expected):
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected)


def test_a_polynomial_has_its_coefficients_low_first():
    # By hand: 2 + 3*x + 0.5*x^2 at 0, 1, 4, 255.
    found = Polynomial((2, 3, 0.5)).apply(np.array([0, 1, 4, 255], dtype=np.uint8))
    same(found, [2, 5.5, 22, 33279.5])


def test_a_polynomial_is_that_of_ccsdspy_with_coefficients_the_other_way_round():
    converter = ccsdspy.converters.PolyConverter([0.25, -3, 7])
    same(Polynomial((7, -3, 0.25)).apply(EVERY_OCTET), converter.convert(EVERY_OCTET))


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.uint64, np.float32, bool])
def test_small_integers_do_not_wrap(dtype):
    same(Polynomial((1000, 1000)).apply(np.array([0, 1], dtype=dtype)), [1000, 2000])


def test_integers_wider_than_64_bits_are_calibrated():
    same(Polynomial((0, 0.5)).apply(np.array([2**70, 2], dtype=object)), [2.0**69, 1])


def test_a_spline_is_numpy_interp_between_its_points():
    points = ((-10, 5.0), (0, 0.0), (100, 2.5), (200, -40.0))
    raw = np.linspace(-10, 200, 777)
    x, y = zip(*points, strict=True)
    same(Spline(points).apply(raw), np.interp(raw, x, y))


def test_outside_of_a_spline_there_is_no_value():
    found = Spline(((10, 0.0), (20, 1.0))).apply(np.array([9, 10, 20, 21], dtype=np.uint8))
    same(found, [np.nan, 0, 1, np.nan])


def test_a_spline_that_extrapolates_lengthens_its_outermost_lines():
    # By hand: slope 2 below 10, slope 5 above 30.
    spline = Spline(((10, 0.0), (20, 20.0), (30, 70.0)), extrapolate=True)
    same(spline.apply(np.array([0, 9, 10, 30, 31, 40])), [-20, -2, 0, 70, 75, 120])


def test_no_value_stays_no_value():
    raw = np.array([np.nan, np.inf])
    same(Spline(((0, 0.0), (1, 1.0))).apply(raw), [np.nan, np.nan])
    same(Table(((1, 2.0),)).apply(raw), [np.nan, np.nan])


def test_a_table_has_exactly_its_counts():
    table = Table(((3, 0.5), (-1, 9.0), (300, 7.0)))
    same(table.apply(np.array([0, 3, 255], dtype=np.uint8)), [np.nan, 0.5, np.nan])
    same(table.apply(np.array([-1, 3, 300, 2], dtype=np.int16)), [9, 0.5, 7, np.nan])


def test_a_table_does_not_round_counts_of_64_bits():
    table = Table(((2**63, 1.0), (2**63 + 1, 2.0)))
    raw = np.array([2**63, 2**63 + 1, 2**63 + 2], dtype=np.uint64)
    same(table.apply(raw), [1, 2, np.nan])


def test_a_function_sees_the_whole_column_as_float64():
    seen = []

    def kelvin(raw):
        seen.append(raw.dtype)
        return raw * 1000 - 273.15

    same(Function(kelvin).apply(np.array([0, 255], dtype=np.uint8)), [-273.15, 254726.85])
    assert seen == [np.float64]


@pytest.mark.parametrize("result", [1.0, [1.0], [[1.0, 2.0, 3.0]]])
def test_a_function_must_give_one_value_for_each_count(result):
    with pytest.raises(ValueError, match=r"for 3 counts; expected one for each"):
        Function(lambda raw: result).apply(np.zeros(3, dtype=np.uint8))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (None, None),
        ((0, 0.01), Polynomial((0, 0.01))),
        ([1], Polynomial((1,))),
        ([(0, 1), [2, 3]], Spline(((0, 1), (2, 3)))),
        ({0: 1.5}, Table(((0, 1.5),))),
        ({0: "OFF", 1: "ON"}, Names(((0, "OFF"), (1, "ON")))),
        (abs, Function(abs)),
        (Polynomial((1, 2)), Polynomial((1, 2))),
    ],
)
def test_calibrations_may_be_written_short(written, meant):
    assert as_calibration(written) == meant


def test_what_is_no_calibration_is_refused_at_once():
    with pytest.raises(InputError, match="calibration is 'linear'; expected the coefficients"):
        as_calibration("linear")


@pytest.mark.parametrize(
    ("calibration", "mistake"),
    [
        (Polynomial(()), "a polynomial needs at least one coefficient"),
        (Polynomial(("0.1",)), "'0.1' as a coefficient; expected a finite number"),
        (Polynomial((1, float("nan"))), "nan as a coefficient; expected a finite number"),
        (Polynomial((True,)), "True as a coefficient; expected a finite number"),
        (Spline(((0, 1),)), "a spline needs at least two points, not 1"),
        (Spline(((0, 1), (2,))), "the points of a spline are pairs (raw, engineering)"),
        (Spline(((0, 1), (0, 2))), "the raw counts of a spline must rise, but 0 follows 0"),
        (Spline(((5, 1), (3, 2))), "the raw counts of a spline must rise, but 3 follows 5"),
        (Spline(((0, 1), (1, None))), "None as a number in a point; expected a finite number"),
        (Table(()), "a table needs at least one entry"),
        (Table(((7, 1), (8, 2), (7, 3))), "the table has the raw count 7 more than once"),
        (Table((1, 2)), "the entries of a table are pairs (raw, engineering), not (1, 2)"),
        (Names(()), "an enumeration needs at least one name"),
        (Names(((1, "A"), (1, "B"))), "the enumeration has the raw count 1 more than once"),
        (Names(((0.5, "A"),)), "an enumeration takes whole counts to names, not 0.5 to 'A'"),
    ],
)
def test_each_mistake_in_a_calibration_is_told(calibration, mistake):
    (text,) = calibration.mistakes()
    assert text.startswith(mistake)


def test_names_and_tables_may_be_dicts():
    assert Names({0: "off", 1: "on"}) == Names(((0, "off"), (1, "on")))
    assert Table({3: 0.5, 1: 0.25}) == Table(((3, 0.5), (1, 0.25)))
    assert not list(Table({3: 0.5}).mistakes())
