# SPDX-License-Identifier: Apache-2.0
"""The Hsiao construction against published sizes, published matrices and outside libraries."""

import galois
import numpy as np
import pytest

from fw_tools.ecc import CodeError, LinearCode, hsiao, minimum_distance

WIDTHS = range(4, 257)
GF2 = galois.GF(2)

# (n, k): ones in H with the identity. Hsiao 1970, table 1, and the matrices of xlsynth/eccgen.
PUBLISHED_ONES = {(22, 16): 54, (39, 32): 103, (72, 64): 216, (137, 128): 481, (266, 256): 1050}

# OpenTitan's secded_gen.py (Hsiao), parity masks over the data bits, bit 0 = data[0].
OPENTITAN_MASKS = {
    (22, 16): "496E F20B 8ED8 7714 ACA5 11F3",
    (39, 32): "2606BD25 DEBA8050 413D89AA 31234ED1 C2C1323B 2DCC624C 98505586",
    (72, 64): "B9000000001FFFFF 5E00000FFFE0003F 67003FF003E007C1 CD0FC0F03C207842 "
    "B671C711C4438884 B5B65926488C9108 CBDAAA4A91152210 7AED348D221A4420",
}


def parity_check_matrix(code: LinearCode) -> galois.FieldArray:
    return GF2([[column >> j & 1 for column in code.columns] for j in range(code.check_bits)])


def column_weights(columns: list[int]) -> list[int]:
    return sorted(column.bit_count() for column in columns)


@pytest.mark.parametrize(("n", "k"), PUBLISHED_ONES)
def test_ones_of_the_matrix_are_the_published_minimum(n: int, k: int) -> None:
    code = hsiao(k)
    assert code.codeword_bits == n
    assert sum(column.bit_count() for column in code.columns) == PUBLISHED_ONES[n, k]


@pytest.mark.parametrize(("n", "k"), OPENTITAN_MASKS)
def test_weights_are_those_of_the_published_matrices(n: int, k: int) -> None:
    masks = [int(text, 16) for text in OPENTITAN_MASKS[n, k].split()]
    published = [sum((mask >> i & 1) << j for j, mask in enumerate(masks)) for i in range(k)]
    ours = hsiao(k)
    assert column_weights(list(ours.columns[:k])) == column_weights(published)
    # OpenTitan's (39,32) has a row of 12 beside rows of 14; ours are nowhere heavier.
    assert max(mask.bit_count() for mask in ours.data_masks) <= max(m.bit_count() for m in masks)


def test_every_width_has_odd_distinct_columns_and_balanced_rows() -> None:
    for k in WIDTHS:
        code = hsiao(k)
        row_weights = [mask.bit_count() for mask in code.row_masks]
        assert all(column.bit_count() % 2 for column in code.columns), k
        assert len(set(code.columns)) == code.codeword_bits, k
        assert max(row_weights) - min(row_weights) <= 1, k


def test_every_width_uses_the_fewest_check_bits() -> None:
    for k in WIDTHS:
        r = hsiao(k).check_bits
        assert 2 ** (r - 2) - (r - 1) < k <= 2 ** (r - 1) - r, k


def test_every_width_has_distance_four_by_numpy() -> None:
    for k in WIDTHS:
        columns = np.array(hsiao(k).columns)
        pairs = (columns[:, None] ^ columns[None, :])[np.triu_indices(len(columns), 1)]
        assert columns.all(), k  # d > 1
        assert pairs.all(), k  # d > 2
        assert not np.isin(pairs, columns).any(), k  # d > 3
        assert len(np.unique(pairs)) < len(pairs), k  # d = 4: two pairs with equal sums


@pytest.mark.parametrize("k", [4, 8, 11])
def test_minimum_distance_is_that_of_galois(k: int) -> None:
    code = hsiao(k)
    generator = parity_check_matrix(code).null_space()
    messages = GF2([[number >> i & 1 for i in range(k)] for number in range(1, 1 << k)])
    weights = np.asarray(messages @ generator).sum(axis=1)
    assert minimum_distance(code.columns) == weights.min() == 4


@pytest.mark.parametrize("k", [16, 32, 64, 128, 256])
def test_rank_by_galois_is_the_number_of_check_bits(k: int) -> None:
    code = hsiao(k)
    assert np.linalg.matrix_rank(parity_check_matrix(code)) == code.check_bits


def test_the_8_4_code_by_hand() -> None:
    # r = 4 leaves exactly four columns of weight 3, each missing another row.
    assert sorted(hsiao(4).columns) == [
        0b0001,
        0b0010,
        0b0100,
        0b0111,
        0b1000,
        0b1011,
        0b1101,
        0b1110,
    ]


@pytest.mark.parametrize("k", [-1, 0, 3, 257])
def test_a_width_out_of_range_is_refused(k: int) -> None:
    with pytest.raises(CodeError, match=f"{k} data bits; must be 4 to 256"):
        hsiao(k)


def test_repr_names_the_parameters() -> None:
    assert repr(hsiao(64)) == "LinearCode(hsiao [72,64,4])"
