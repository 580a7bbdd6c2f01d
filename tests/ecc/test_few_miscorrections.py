# SPDX-License-Identifier: Apache-2.0
"""Words of small weight counted one by one; shares of triple flips against published ones."""

from itertools import combinations

import pytest

from fw_tools.ecc import (
    CodeError,
    LinearCode,
    Verdict,
    decode,
    flips,
    hsiao,
    minimum_distance,
    syndrome,
)
from fw_tools.ecc.codes import code_named
from fw_tools.ecc.few_miscorrections import (
    fewest_by_fourier,
    secded_any,
    secded_odd,
    triple_miscorrection,
    words_of_weight,
)


@pytest.mark.parametrize("weight", [3, 4, 5, 6])
def test_words_of_a_weight_are_as_counted_one_by_one(weight: int) -> None:
    for code in (hsiao(8), code_named("dec", 8), secded_odd(16)):
        found = sum(syndrome(code, mask) == 0 for mask in flips(code.codeword_bits, weight))
        assert words_of_weight(code, weight) == found


@pytest.mark.parametrize("build", [hsiao, secded_odd, secded_any])
def test_the_share_of_triple_flips_is_what_a_decoder_does(build: type[LinearCode]) -> None:
    code = build(32)
    masks = list(flips(code.codeword_bits, 3))
    wrong = sum(decode(code, mask).verdict is Verdict.CORRECTED for mask in masks)
    assert triple_miscorrection(code) == pytest.approx(wrong / len(masks))


# Long searches over odd columns end at 58.431 and 54.769 %; doubled caps give 46.88 and 44.63 %.
@pytest.mark.parametrize(("k", "odd", "of_any_weight"), [(32, 58.44, 46.9), (64, 54.77, 44.7)])
def test_shares_are_those_of_the_best_searches(k: int, odd: float, of_any_weight: float) -> None:
    best, cap = triple_miscorrection(secded_odd(k)), triple_miscorrection(secded_any(k))
    assert best is not None
    assert cap is not None
    assert 100 * best <= odd
    assert 100 * cap <= of_any_weight
    code = secded_odd(k)
    assert best > fewest_by_fourier(code.codeword_bits, code.check_bits)


@pytest.mark.parametrize(("n", "r", "percent"), [(39, 7, 58.30), (72, 8, 54.67)])
def test_the_bound_is_the_published_one(n: int, r: int, percent: float) -> None:
    assert 100 * fewest_by_fourier(n, r) == pytest.approx(percent, abs=0.005)


@pytest.mark.parametrize(("name", "k"), [("secded_odd", k) for k in (8, 16, 32, 60, 64, 128)])
def test_columns_of_odd_weight_are_distinct(name: str, k: int) -> None:
    code = code_named(name, k)
    assert all(column.bit_count() % 2 for column in code.columns)
    assert minimum_distance(code.columns) == 4


@pytest.mark.parametrize("k", [32, 64, 128])
def test_of_columns_of_any_weight_no_three_add_up_to_zero(k: int) -> None:
    code = secded_any(k)
    known = set(code.columns)
    assert len(known) == code.codeword_bits
    assert all(a ^ b not in known for a, b in combinations(code.columns, 2))
    assert code.check_bits == hsiao(k).check_bits


@pytest.mark.parametrize("k", [16, 40, 300])
def test_a_width_without_a_matrix_names_those_that_there_are(k: int) -> None:
    with pytest.raises(CodeError, match=f"no matrix for {k} data bits; there are: 32, 64, 128"):
        secded_any(k)
