# SPDX-License-Identifier: Apache-2.0
"""Every pattern of flips of a decoder: against published counts, and against the arithmetic."""

from collections import Counter
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
import pytest

from fw_tools.ecc import hsiao
from fw_tools.errors import InputError
from fw_tools.netlist.analysis import analyse
from fw_tools.upset.emit import emit
from fw_tools.upset.engine import Outcome
from fw_tools.upset.machine import Machine, machine_of
from fw_tools.upset.native_build import compile_machine, widest_lanes
from fw_tools.upset.observation import observe
from fw_tools.upset.patterns import flip_inputs

# lowRISC OpenTitan, secded_gen.py (34ceb5e): rows of P of its Hsiao (72,64) code. With it 8,396 of
# the 1,028,790 patterns of four flips pass unseen, counted by another program.
OPENTITAN_72_64 = (
    "B9000000001FFFFF 5E00000FFFE0003F 67003FF003E007C1 CD0FC0F03C207842 "
    "B671C711C4438884 B5B65926488C9108 CBDAAA4A91152210 7AED348D221A4420"
)
OPENTITAN_SILENT = 8396


def decoder_text(masks: list[int], data_bits: int) -> str:
    """Return a decoder by column match, written here."""
    checks, width = len(masks), data_bits + len(masks)
    rows = [mask | 1 << data_bits + row for row, mask in enumerate(masks)]
    columns = [sum((row >> bit & 1) << j for j, row in enumerate(rows)) for bit in range(width)]
    return "\n".join(
        [
            f"module decoder(input logic [{width - 1}:0] codeword_i,",
            f"  output logic [{data_bits - 1}:0] data_o, output logic corrected_o, alarm_o);",
            f"  logic [{checks - 1}:0] syndrome; logic [{width - 1}:0] hit;",
            *(
                f"  assign syndrome[{j}] = ^(codeword_i & {width}'h{row:x});"
                for j, row in enumerate(rows)
            ),
            *(f"  assign hit[{i}] = syndrome == {checks}'h{c:x};" for i, c in enumerate(columns)),
            f"  assign data_o = codeword_i[{data_bits - 1}:0] ^ hit[{data_bits - 1}:0];",
            "  assign corrected_o = |hit; assign alarm_o = |syndrome && !(|hit);",
            "endmodule",
        ]
    )


def built(folder: Path, text: str) -> tuple[Machine, Path]:
    source = folder / "decoder.sv"
    source.write_text(text)
    machine = machine_of(analyse([source], "decoder"))
    return machine, compile_machine(
        emit(machine, observe(machine)), widest_lanes(), has_transients=False
    )


def test_all_patterns_of_one_to_four_flips_of_a_published_code(tmp_path: Path) -> None:
    masks = [int(mask, 16) for mask in OPENTITAN_72_64.split()]
    machine, library = built(tmp_path, decoder_text(masks, 64))
    base = np.zeros(72, np.uint8)
    found = {flips: flip_inputs(machine, library, base, flips) for flips in (1, 2, 3, 4)}
    assert found[1][Outcome.CORRECTED] == 72
    alarmed = found[2][Outcome.DETECTED] + found[2][Outcome.OUTAGE]
    assert alarmed == comb(72, 2) == sum(found[2].values())
    # Of the triples 43.7 % have a syndrome that is no column.
    assert found[3][Outcome.SILENT] / comb(72, 3) == pytest.approx(0.5631, abs=5e-5)
    assert found[4][Outcome.SILENT] == OPENTITAN_SILENT
    assert sum(found[4].values()) == comb(72, 4) == 1_028_790


def outcome_by_columns(columns: list[int], data_bits: int, flipped: tuple[int, ...]) -> Outcome:
    """Return what becomes of a pattern by the arithmetic of the code alone."""
    syndrome, wrong = 0, {bit for bit in flipped if bit < data_bits}
    for bit in flipped:
        syndrome ^= columns[bit]
    if syndrome in columns:
        wrong ^= {bit for bit in (columns.index(syndrome),) if bit < data_bits}
        return Outcome.SILENT if wrong else Outcome.CORRECTED
    if syndrome:
        return Outcome.DETECTED if wrong else Outcome.OUTAGE
    return Outcome.SILENT if wrong else Outcome.MASKED


@pytest.mark.parametrize("flips", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("data_bits", [4, 8, 11])
def test_every_pattern_is_as_the_columns_say(tmp_path: Path, data_bits: int, flips: int) -> None:
    """Of words with data in them, too: the code is linear, its gates need not be."""
    code = hsiao(data_bits)
    machine, library = built(tmp_path, decoder_text(list(code.data_masks), data_bits))
    word = 0b1011 << data_bits - 4
    checks = sum((mask & word).bit_count() % 2 << j for j, mask in enumerate(code.data_masks))
    codeword = word | checks << data_bits
    base = np.array([codeword >> bit & 1 for bit in range(code.codeword_bits)], np.uint8)
    found = flip_inputs(machine, library, base, flips)
    due = Counter(
        outcome_by_columns(list(code.columns), data_bits, flipped)
        for flipped in combinations(range(code.codeword_bits), flips)
    )
    assert {outcome: count for outcome, count in found.items() if count} == due


def test_bits_that_are_not_chosen_stay(tmp_path: Path) -> None:
    code = hsiao(8)
    machine, library = built(tmp_path, decoder_text(list(code.data_masks), 8))
    found = flip_inputs(machine, library, np.zeros(13, np.uint8), 2, bits=[0, 5, 12])
    assert sum(found.values()) == 3


def test_a_design_that_stores_is_refused() -> None:
    source = Path(__file__).parent / "designs" / "outcomes.sv"
    with pytest.raises(InputError, match="outcomes: stores bits"):
        flip_inputs(machine_of(analyse([source], "outcomes")), source, np.zeros(1, np.uint8), 1)
