# SPDX-License-Identifier: Apache-2.0
"""State codes: distances counted bit by bit, widths against the published bounds."""

import re
from itertools import combinations

import pytest

from fw_tools.power.records import RailState
from fw_tools.power.state_codes import (
    RAIL_STATE_BITS,
    RAIL_STATE_CODES,
    find_codes,
    min_distance,
    nearest,
)


def bits_that_differ(left: int, right: int) -> int:
    return sum(left >> bit & 1 != right >> bit & 1 for bit in range(16))


@pytest.mark.parametrize("count", range(4, 13))
def test_codes_keep_their_distance_and_no_bit_is_redundant(count) -> None:
    bits, codes = find_codes(count)
    assert len(set(codes)) == count
    assert min(bits_that_differ(a, b) for a, b in combinations(codes, 2)) >= 3
    assert min_distance(codes) >= 3
    assert 0 not in codes
    assert (1 << bits) - 1 not in codes
    columns = [tuple(code >> bit & 1 for code in codes) for bit in range(bits)]
    inverses = [tuple(1 - value for value in column) for column in columns]
    assert len(set(columns + inverses)) == 2 * bits  # Nothing to merge.
    assert all(0 < sum(column) < count for column in columns)  # Nothing constant.


def test_six_states_take_six_bits() -> None:
    # A(5,3) = 4 and A(6,3) = 8 (Brouwer's table of binary codes): five bits hold no six codes.
    assert find_codes(6)[0] == RAIL_STATE_BITS == 6


def test_the_search_is_deterministic() -> None:
    assert find_codes(6) == (6, (0b000001, 0b000110, 0b011000, 0b011111, 0b101010, 0b101101))


def test_distance_four_needs_more_bits() -> None:
    bits, codes = find_codes(6, least=4)
    assert bits == 7
    assert min(bits_that_differ(a, b) for a, b in combinations(codes, 2)) == 4


@pytest.mark.parametrize("count", [0, 3])
def test_too_few_states_are_refused(count) -> None:
    with pytest.raises(ValueError, match="at least 4"):
        find_codes(count)


def test_a_distance_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit in 10 bits"):
        find_codes(4, least=8)


def test_every_word_at_most_one_flip_away_is_read_as_its_code_and_no_other_word_is() -> None:
    codes = list(RAIL_STATE_CODES.values())
    near = [nearest(word, codes) for word in range(64)]
    assert sum(index is not None for index in near) == 6 * 7  # Spheres of 1 + 6 words.
    for index, code in enumerate(codes):
        assert near[code] == index
        assert all(near[code ^ 1 << bit] == index for bit in range(6))


def test_the_gateware_stores_the_same_codes(repository) -> None:
    text = (repository / "hdl/rtl/power/rail_pkg.sv").read_text()
    found = re.findall(r"\bCode(\w+) = 6'b([01]{6});", text)
    assert {RailState[name.upper()]: int(code, 2) for name, code in found} == RAIL_STATE_CODES
