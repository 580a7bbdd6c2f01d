# SPDX-License-Identifier: Apache-2.0
"""Encoders as circuits: what they compute, how deep, and how many gates against published ones."""

import random

import pytest

from fw_tools.ecc import CodeError, hsiao, minimum_distance
from fw_tools.ecc.chained import chain, secded
from fw_tools.ecc.circuit import CircuitWriter, XorCircuit
from fw_tools.ecc.code import LinearCode
from fw_tools.ecc.codes import FAMILIES, code_named, encoder_circuit
from fw_tools.ecc.sharing import shared

WIDTHS = {
    "hsiao": range(4, 257),
    "secded": range(4, 257),
    "secded_odd": (8, 30, 64),
    "secded_any": (30, 32, 64),
    "dec": (4, 9, 64),
    "dec_ted": (4, 9, 64),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_encoder_computes_the_check_bits_of_its_code(name: str) -> None:
    for k in random.Random(1).sample(WIDTHS[name], 3):
        code = code_named(name, k)
        assert encoder_circuit(code).masks == code.data_masks, k


# Two-input gates and levels: the smallest of greedy sharing over published matrices, best of many
# runs: OpenTitan's and eccgen's SEC-DED 70@4, 143@5, 295@7; BCH 108@5, 217@7; DEC-TED 111@5, 232@7.
@pytest.mark.parametrize(
    ("name", "k", "gates", "levels"),
    [
        ("secded", 32, 66, 4),
        ("secded", 64, 131, 5),
        ("secded", 128, 263, 7),
        ("dec", 32, 107, 5),
        ("dec", 64, 216, 7),
        ("dec_ted", 32, 110, 5),
        ("dec_ted", 64, 231, 7),
    ],
)
def test_encoders_are_smaller_than_published_matrices_allow(
    name: str, k: int, gates: int, levels: int
) -> None:
    circuit = encoder_circuit(code_named(name, k))
    assert len(circuit.gates) <= gates
    assert circuit.depth <= levels


def test_every_chained_width_has_distance_4_and_the_fewest_check_bits() -> None:
    for k in WIDTHS["secded"]:
        code = secded(k)
        odd = all(column.bit_count() % 2 for column in code.columns)
        assert odd, k
        assert len(set(code.columns)) == code.codeword_bits, k  # Odd and distinct: no 1, 2 or 3.
        assert code.check_bits == hsiao(k).check_bits, k
    assert minimum_distance(secded(64).columns) == 4


@pytest.mark.parametrize("k", [8, 33, 64])
def test_a_chained_encoder_takes_two_gates_a_bit_and_one_a_group_less_one_a_check(k: int) -> None:
    made = chain(k)
    used = {node for pair in made.bits for node in pair}
    groups = sum(made.check_bits + i in used for i in range(len(made.groups)))
    assert len(made.circuit().gates) == 2 * k + groups - made.check_bits


def test_sharing_keeps_to_its_bound_or_to_that_of_plain_trees() -> None:
    masks = code_named("dec", 32).data_masks
    deep, flat = shared(masks, 32, 9), shared(masks, 32, 5)
    assert len(deep.gates) <= len(flat.gates)
    assert flat.depth == 5
    assert shared(masks, 32, 0).depth == 5  # 18 leaves cannot do with less.
    assert shared(masks, 32, 5, seed=1) == shared(masks, 32, 5, seed=1)


def test_a_tree_is_as_shallow_as_its_leaves_allow() -> None:
    writer = CircuitWriter(6)
    deep = writer.gate(writer.gate(0, 1), 2)  # Level 2, so four leaves' worth.
    circuit = writer.finished([writer.tree([deep, 3, 4, 5])])
    assert circuit.depth == 3
    assert circuit.masks == (0b111111,)


def test_a_circuit_worked_by_hand() -> None:
    circuit = XorCircuit(3, ((0, 1), (3, 2)), (4, 3, 2))
    assert circuit.masks == (0b111, 0b011, 0b100)
    assert circuit.depth == 2


@pytest.mark.parametrize(("name", "k"), [("secded", 257), ("secded", 3)])
def test_a_width_without_a_table_is_refused(name: str, k: int) -> None:
    with pytest.raises(CodeError, match=f"{k} data bits; must be 4 to 256"):
        code_named(name, k)


def test_an_unknown_code_names_those_that_there_are() -> None:
    with pytest.raises(CodeError, match="no code bhc; there are: hsiao, secded, secded_odd"):
        code_named("bhc", 8)


def test_a_code_whose_double_flips_coincide_is_refused_by_the_decoder() -> None:
    class Broken(LinearCode):
        errors = 2

    with pytest.raises(CodeError, match="equal"):
        _ = Broken("broken", 4, 4, (7, 11, 13, 14, 1, 2, 4, 8)).corrections
