# SPDX-License-Identifier: Apache-2.0
"""Sample sizes and intervals against published figures and exact sums."""

from fractions import Fraction
from math import comb

import pytest

from fw_tools.upset.statistics import clopper_pearson, sample_size


# The formula worked out with quantiles of three decimals; margin, confidence, faults -> sample.
@pytest.mark.parametrize(
    ("margin", "confidence", "faults", "drawn"),
    [
        (0.05, 0.95, 10**9, 385),
        (0.01, 0.95, 10**9, 9604),
        (0.05, 0.95, 10**6, 385),
        (0.01, 0.95, 10**6, 9513),
        (0.01, 0.99, 10**6, 16319),
    ],
)
def test_a_sample_is_as_large_as_the_formula_says(
    margin: float, confidence: float, faults: int, drawn: int
) -> None:
    assert sample_size(faults, margin, confidence) == pytest.approx(drawn, rel=2e-4, abs=1)


def test_a_small_population_is_drawn_whole() -> None:
    assert sample_size(10, 0.01, 0.99) == 10


@pytest.mark.parametrize("drawn", [100, 9604, 100_000])
def test_nothing_found_is_bounded_by_the_closed_form(drawn: int) -> None:
    low, high = clopper_pearson(0, drawn, 0.90)  # One side at 95 %.
    assert low == 0
    assert high == pytest.approx(1 - 0.05 ** (1 / drawn), rel=1e-9)


@pytest.mark.parametrize(("found", "drawn"), [(1, 10), (7, 20), (19, 20), (3, 200), (150, 300)])
def test_at_each_end_the_tail_of_the_binomial_is_half_of_what_is_allowed(
    found: int, drawn: int
) -> None:
    """The definition itself, summed exactly."""
    low, high = (Fraction(end) for end in clopper_pearson(found, drawn, 0.95))

    def tail(share: Fraction, counts: range) -> float:
        terms = (comb(drawn, k) * share**k * (1 - share) ** (drawn - k) for k in counts)
        return float(sum(terms))

    assert tail(low, range(found, drawn + 1)) == pytest.approx(0.025, rel=1e-9)
    assert tail(high, range(found + 1)) == pytest.approx(0.025, rel=1e-9)


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="0 of 0 is no share"):
        clopper_pearson(0, 0, 0.95)
