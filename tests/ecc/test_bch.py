# SPDX-License-Identifier: Apache-2.0
"""Codes that correct two flipped bits against galois, and the place asking against the table."""

import random
from itertools import combinations

import galois
import numpy as np
import pytest

from fw_tools.ecc import CodeError, Verdict, decode, encode, flips, minimum_distance, syndrome
from fw_tools.ecc.bch import bch
from fw_tools.ecc.field import PRIMITIVE, minimal_polynomial, powers, product
from fw_tools.ecc.locating import Masks, locating

SEED = 1960


def test_every_field_has_a_primitive_polynomial() -> None:
    assert all(galois.Poly.Int(each).is_primitive() for each in PRIMITIVE.values())


@pytest.mark.parametrize("degree", [4, 6, 7])
def test_fields_and_minimal_polynomials_are_those_of_galois(degree: int) -> None:
    field = galois.GF(2**degree, irreducible_poly=galois.Poly.Int(PRIMITIVE[degree]))
    alpha = field(2)
    assert powers(degree) == tuple((alpha ** np.arange(2**degree - 1)).tolist())
    for exponent in (1, 3):
        assert minimal_polynomial(degree, exponent) == int((alpha**exponent).minimal_poly())


@pytest.mark.parametrize(("k", "n", "whole"), [(8, 31, 21), (32, 63, 51), (64, 127, 113)])
def test_codewords_are_those_of_galois_shortened(k: int, n: int, whole: int) -> None:
    peer, code, chooser = galois.BCH(n, whole), bch(k), random.Random(SEED)
    degree = code.degree
    generator = product(minimal_polynomial(degree, 1), minimal_polynomial(degree, 3))
    assert int(peer.generator_poly) == generator
    for _ in range(50):
        data = chooser.getrandbits(k)
        message = [data >> i & 1 for i in reversed(range(whole))]  # Highest power first.
        codeword = np.asarray(peer.encode(message)).tolist()
        value = sum(bit << i for i, bit in enumerate(reversed(codeword)))  # x^i is bit i.
        checks = 2 * degree
        assert encode(code, data) == value >> checks | (value & (1 << checks) - 1) << k


@pytest.mark.parametrize(("k", "n", "whole"), [(32, 63, 51), (64, 127, 113)])
def test_two_flips_are_corrected_as_galois_corrects_them(k: int, n: int, whole: int) -> None:
    peer, code, chooser = galois.BCH(n, whole), bch(k), random.Random(SEED)
    for _ in range(40):
        data = chooser.getrandbits(k)
        places = chooser.sample(range(code.codeword_bits), 2)
        word = encode(code, data) ^ sum(1 << place for place in places)
        checks = 2 * code.degree
        powers_up = word >> k | (word & (1 << k) - 1) << checks
        received = galois.GF2([powers_up >> i & 1 for i in reversed(range(n))])
        message = np.asarray(peer.decode(received)).tolist()
        assert sum(bit << i for i, bit in enumerate(reversed(message))) == data
        assert decode(code, word)[0] == data


@pytest.mark.parametrize("k", [4, 8, 16, 32, 64])
@pytest.mark.parametrize(("has_parity", "distance"), [(False, 5), (True, 6)])
def test_minimum_distances(k: int, has_parity: bool, distance: int) -> None:
    code = bch(k, has_parity=has_parity)
    assert minimum_distance(code.columns) == distance


@pytest.mark.parametrize(("k", "n"), [(32, 45), (64, 79)])
def test_no_triple_flip_is_taken_for_fewer_where_there_is_a_parity(k: int, n: int) -> None:
    code = bch(k, has_parity=True)
    assert code.codeword_bits == n
    assert all(
        decode(code, mask).verdict is Verdict.UNCORRECTABLE for mask in flips(code.codeword_bits, 3)
    )


@pytest.mark.parametrize(("k", "percent"), [(32, 19.0), (64, 17.7)])
def test_share_of_triple_flips_taken_for_fewer_is_as_measured_elsewhere(
    k: int, percent: float
) -> None:
    code = bch(k)
    places = combinations(range(code.codeword_bits), 3)
    found = [code.columns[a] ^ code.columns[b] ^ code.columns[c] for a, b, c in places]
    wrong = sum(total in code.corrections for total in found)
    assert 100 * wrong / len(found) == pytest.approx(percent, abs=0.1)


def applied(masks: Masks, value: int) -> int:
    return sum(((mask & value).bit_count() & 1) << i for i, mask in enumerate(masks))


@pytest.mark.parametrize("k", [4, 32, 64])
def test_places_that_answer_are_those_that_were_flipped(k: int) -> None:
    code, chooser = bch(k), random.Random(SEED)
    sums = locating(code)
    for count in (1, 2):
        for _ in range(200):
            mask = sum(1 << i for i in chooser.sample(range(code.codeword_bits), count))
            found = syndrome(code, mask)
            s1, s3 = applied(sums.power_1, found), applied(sums.power_3, found)
            products = [(s1 >> i & 1) & (s1 >> j & 1) for i, j in sums.pairs]
            pairs = sum(bit << i for i, bit in enumerate(products))
            wanted = applied(sums.cube, s1) ^ applied(sums.cube_pairs, pairs) ^ s3
            assert (wanted == 0) == (count == 1)
            asked = [applied(masks, s1) == wanted for masks in sums.asked]
            assert sum(bit << i for i, bit in enumerate(asked)) == mask


@pytest.mark.parametrize("k", [3, 1025])
def test_a_width_out_of_range_is_refused(k: int) -> None:
    with pytest.raises(CodeError, match=f"{k} data bits; must be 4 to 1024"):
        bch(k)
