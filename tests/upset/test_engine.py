# SPDX-License-Identifier: Apache-2.0
"""The bit-parallel engine on designs whose outcomes are known beforehand."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fw_tools.errors import InputError
from fw_tools.netlist.analysis import analyse
from fw_tools.upset.emit import emit
from fw_tools.upset.engine import Engine, Limits, Outcome, single_flips
from fw_tools.upset.machine import Machine, machine_of
from fw_tools.upset.native_build import compile_machine, widest_lanes
from fw_tools.upset.observation import observe

DESIGNS = Path(__file__).parent / "designs"
RESET_CLOCKS = 4
WIDTHS = [lanes for lanes in (64, 256, 512) if lanes <= widest_lanes()]


def machine(name: str) -> Machine:
    return machine_of(analyse([DESIGNS / f"{name}.sv"], name))


def engine(design: Machine, lanes: int, cycles: int, seed: int = 1) -> Engine:
    library = compile_machine(emit(design, observe(design)), lanes, has_transients=False)
    reset = np.ones((cycles, 1), np.uint8)
    reset[:RESET_CLOCKS] = 0
    bits = len(design.flip_flops) + sum(each.width * each.depth for each in design.memories)
    initial = np.random.default_rng(seed).integers(0, 2, bits, np.uint8)
    return Engine(library, reset, initial)


@pytest.mark.parametrize("lanes", WIDTHS)
def test_every_outcome_is_what_the_register_says(lanes: int) -> None:
    design = machine("outcomes")
    names = [each.name for each in design.flip_flops]
    with engine(design, lanes, 1000) as run:
        cycles = range(10, 800)
        results = run.run(
            single_flips(range(len(names)), cycles), Limits(horizon=100, hang_after=50)
        )
        assert run.transfers == RESET_CLOCKS + (1000 - RESET_CLOCKS) // 4
    outcomes = results.outcome.reshape(len(cycles), len(names))
    for index, name in enumerate(names):
        word = name.split("_")[0].upper().replace("REPLICA", "CORRECTED")
        found = Counter(Outcome(each).name for each in outcomes[:, index])
        assert found == {word: len(cycles)}, name


def test_the_worst_of_what_an_upset_does_counts() -> None:
    design = machine("orders")
    limits = Limits(horizon=120, alarm_window=5, hang_after=50)
    due = {
        each.name: each.name.split("_")[0].upper()
        for each in design.flip_flops
        if not each.name.startswith(("since_q", "value_q"))
    }
    numbers = [index for index, each in enumerate(design.flip_flops) if each.name in due]
    with engine(design, 64, 400) as run:
        results = run.run(single_flips(numbers, range(10, 200)), limits)
    for number, outcomes in zip(numbers, results.outcome.reshape(-1, len(due)).T, strict=True):
        name = design.flip_flops[number].name
        assert {Outcome(each).name for each in outcomes} == {due[name]}, name


def test_a_register_held_in_reset_does_not_flip() -> None:
    design = machine("outcomes")
    names = [each.name for each in design.flip_flops]
    with engine(design, 64, 100) as run:
        results = run.run(
            single_flips([names.index("unsafe_q")], range(RESET_CLOCKS + 1)), Limits(horizon=20)
        )
    assert [Outcome(each).name for each in results.outcome] == ["MASKED"] * 4 + ["UNSAFE"]


@pytest.mark.parametrize("lanes", WIDTHS)
def test_a_word_of_a_memory_matters_between_its_write_and_its_read(lanes: int) -> None:
    design = machine("ring")
    bits = 4 * 72
    first = len(design.flip_flops)
    with engine(design, lanes, 400) as run:
        cycles = np.arange(12, 300)
        results = run.run(single_flips(range(first, first + bits), cycles), Limits(horizon=60))
    outcomes = results.outcome.reshape(len(cycles), 4, 72)
    for index, cycle in enumerate(cycles):
        for word in range(4):
            # It is written in a clock that is `word` mod 4, after which a flip counts three clocks.
            since_write = (cycle - RESET_CLOCKS - word) % 4 or 4
            due = Outcome.SILENT if since_write < 4 else Outcome.MASKED
            assert set(outcomes[index, word]) == {due}, (cycle, word)


def test_an_injection_that_outlives_the_stimulus_is_refused() -> None:
    with (
        engine(machine("outcomes"), 64, 100) as run,
        pytest.raises(ValueError, match="watched for 50 clocks, and the stimulus has 100"),
    ):
        run.run(single_flips([0], [60]), Limits(horizon=50))


WORD = "words[address_i]"
WIDE = """
module wide (input logic clk_i, input logic [1:0] address_i, output logic [{bits}-1:0] data_o);
  logic [{bits}-1:0] words[4];
  logic [{bits}-1:0] value_q;
  assign data_o = {read};
  always_ff @(posedge clk_i) value_q <= ~value_q;
  always_ff @(posedge clk_i) {write};
endmodule
"""


@pytest.mark.parametrize(
    ("bits", "read", "told"),
    [
        (1025, WORD, "words: a memory of words of 1,025 bits; at most 1,024"),
        (16385, "value_q", "wide: outputs of 16,385 bits of data; at most 16,384"),
    ],
)
def test_what_is_wider_than_the_engine_has_room_for_is_refused(
    bits: int, read: str, told: str, tmp_path: Path
) -> None:
    source = tmp_path / "wide.sv"
    write = f"{WORD} <= value_q" if read == WORD else ""
    source.write_text(WIDE.format(bits=bits, read=read, write=write))
    with pytest.raises(InputError, match=re.escape(told)):
        observe(machine_of(analyse([source], "wide")))


def test_the_widest_that_is_taken_runs(tmp_path: Path) -> None:
    source = tmp_path / "wide.sv"
    source.write_text(WIDE.format(bits=1024, read=WORD, write=f"{WORD} <= value_q"))
    design = machine_of(analyse([source], "wide"))
    library = compile_machine(emit(design, observe(design)), 64, has_transients=False)
    initial = np.zeros(5 * 1024, np.uint8)
    with Engine(library, np.zeros((40, 2), np.uint8), initial) as run:
        results = run.run(single_flips([1023, 2047], range(10, 15)), Limits(horizon=10))
    assert set(results.outcome) == {Outcome.SILENT}
