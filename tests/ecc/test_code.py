# SPDX-License-Identifier: Apache-2.0
"""Encoding, syndromes and decoding against worked examples and galois."""

import random
from itertools import combinations

import galois
import numpy as np
import pytest

from fw_tools.ecc import (
    CodeError,
    LinearCode,
    Verdict,
    bursts,
    decode,
    encode,
    encoder_cost,
    flips,
    hsiao,
    minimum_distance,
    syndrome,
    syndrome_cost,
)

SEED = 1970
# Four data bits; the column of each misses one check (first data bit: checks 0, 1, 2).
BY_HAND = LinearCode("by hand", 4, 4, (0b0111, 0b1011, 0b1101, 0b1110, 1, 2, 4, 8))


@pytest.mark.parametrize(
    ("data", "codeword"),
    [
        (0b0000, 0b0000_0000),
        (0b0001, 0b0111_0001),  # column 0111
        (0b1000, 0b1110_1000),  # column 1110
        (0b0011, 0b1100_0011),  # 0111 + 1011
        (0b1111, 0b1111_1111),  # each row holds three data bits: odd
    ],
)
def test_codewords_worked_by_hand(data: int, codeword: int) -> None:
    assert encode(BY_HAND, data) == codeword
    assert syndrome(BY_HAND, codeword) == 0


@pytest.mark.parametrize("k", [8, 32, 64])
def test_every_codeword_is_orthogonal_to_h_by_galois(k: int) -> None:
    code, chooser = hsiao(k), random.Random(SEED)
    words = [encode(code, chooser.getrandbits(k)) for _ in range(64)]
    bits = galois.GF2([[word >> i & 1 for i in range(code.codeword_bits)] for word in words])
    h = galois.GF2([[column >> j & 1 for column in code.columns] for j in range(code.check_bits)])
    assert not np.any(bits @ h.T)


def test_a_syndrome_is_the_sum_of_the_columns_flipped() -> None:
    code, chooser = hsiao(32), random.Random(SEED)
    word = encode(code, chooser.getrandbits(32))
    for i, j in combinations(range(code.codeword_bits), 2):
        assert syndrome(code, word ^ (1 << i | 1 << j)) == code.columns[i] ^ code.columns[j]


@pytest.mark.parametrize("k", [4, 8, 32, 64])
def test_every_single_flip_is_corrected(k: int) -> None:
    code, data = hsiao(k), random.Random(SEED).getrandbits(k)
    word = encode(code, data)
    assert decode(code, word).verdict is Verdict.CLEAN
    for mask in flips(code.codeword_bits, 1):
        found = decode(code, word ^ mask)
        assert (found.data, found.verdict) == (data, Verdict.CORRECTED)


@pytest.mark.parametrize("k", [4, 8, 32, 64])
def test_every_double_flip_is_uncorrectable_and_data_stay_as_received(k: int) -> None:
    code, data = hsiao(k), random.Random(SEED).getrandbits(k)
    word = encode(code, data)
    for mask in flips(code.codeword_bits, 2):
        found = decode(code, word ^ mask)
        assert found.verdict is Verdict.UNCORRECTABLE
        assert found.data == (word ^ mask) & ((1 << k) - 1)


def test_an_odd_syndrome_that_is_no_column_is_uncorrectable() -> None:
    # (13,8) uses 8 of the ten columns of weight 3 and not 11111: three odd syndromes are unused.
    code = hsiao(8)
    unused = [s for s in range(1 << 5) if s.bit_count() % 2 and s not in code.columns]
    assert len(unused) == 3
    for value in unused:
        found = decode(code, value << code.data_bits)  # flips of check bits alone
        assert (found.syndrome, found.verdict) == (value, Verdict.UNCORRECTABLE)


@pytest.mark.parametrize(("k", "percent"), [(32, 59.7), (64, 56.3)])
def test_share_of_triple_flips_taken_for_single_ones_is_as_published(
    k: int, percent: float
) -> None:
    # Published minimum-weight matrices: 59.66 to 59.79 % and 56.28 to 56.31 %.
    code = hsiao(k)
    verdicts = [decode(code, mask).verdict for mask in flips(code.codeword_bits, 3)]
    assert Verdict.CLEAN not in verdicts
    assert 100 * verdicts.count(Verdict.CORRECTED) / len(verdicts) == pytest.approx(
        percent, abs=0.5
    )


# XOR2 and depth of plain trees for OpenTitan's (22,16), (39,32), (72,64): the same row weights.
@pytest.mark.parametrize(
    ("k", "encoder", "decoder"),
    [(16, (42, 3), (48, 4)), (32, (89, 4), (96, 4)), (64, (200, 5), (208, 5))],
)
def test_xor_cost_of_plain_trees(
    k: int, encoder: tuple[int, int], decoder: tuple[int, int]
) -> None:
    code = hsiao(k)
    assert (encoder_cost(code).xor2, encoder_cost(code).depth) == encoder
    assert (syndrome_cost(code).xor2, syndrome_cost(code).depth) == decoder


# The Hamming code [7,4,3], the repetition code [5,1,5] and the Golay code [23,12,7].
def test_minimum_distances_of_known_codes() -> None:
    golay = galois.Poly.Int(0xAE3)  # x^11 + x^9 + x^7 + x^6 + x^5 + x + 1
    power = [int(pow(galois.Poly.Int(2), i, golay)) for i in range(23)]
    assert minimum_distance(tuple(range(1, 8))) == 3
    assert minimum_distance((0b1111, 1, 2, 4, 8)) == 5
    assert minimum_distance(tuple(power)) == 7


def test_minimum_distance_of_degenerate_columns() -> None:
    assert minimum_distance((1, 0, 2)) == 1
    assert minimum_distance((1, 3, 3)) == 2
    with pytest.raises(ValueError, match="independent"):
        minimum_distance((1, 2, 4))


@pytest.mark.parametrize(("count", "patterns"), [(1, 72), (2, 2556), (3, 59640)])
def test_flips_are_all_distinct_and_of_their_weight(count: int, patterns: int) -> None:
    masks = set(flips(72, count))
    assert len(masks) == patterns
    assert {mask.bit_count() for mask in masks} == {count}


def test_bursts_of_eight_bits_by_hand() -> None:
    assert list(bursts(4, 1)) == [0b0001, 0b0010, 0b0100, 0b1000]
    assert list(bursts(4, 2)) == [0b0011, 0b0110, 0b1100]
    assert list(bursts(4, 3)) == [0b0101, 0b0111, 0b1010, 0b1110]


@pytest.mark.parametrize(
    "columns",
    [
        (7, 1, 2, 4, 8, 16),  # six columns where four data and four check bits need eight
        (7, 11, 13, 14, 1, 2, 4, 4),  # no identity
        (7, 11, 13, 0, 1, 2, 4, 8),  # a zero column: that flip would go unseen
        (7, 11, 13, 30, 1, 2, 4, 8),  # wider than four checks
    ],
)
def test_a_matrix_that_is_no_systematic_code_is_refused(columns: tuple[int, ...]) -> None:
    with pytest.raises(CodeError, match="H"):
        LinearCode("broken", 4, 4, columns)


def test_equal_columns_are_refused_by_the_decoder() -> None:
    code = LinearCode("broken", 4, 4, (7, 7, 13, 14, 1, 2, 4, 8))
    with pytest.raises(CodeError, match="equal"):
        decode(code, 1)


def test_a_word_too_wide_is_refused() -> None:
    with pytest.raises(CodeError, match="data word 0x10 does not fit in 4 bits"):
        encode(BY_HAND, 16)
    with pytest.raises(CodeError, match="codeword 0x100 does not fit in 8 bits"):
        decode(BY_HAND, 256)
