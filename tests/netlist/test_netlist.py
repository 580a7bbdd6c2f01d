# SPDX-License-Identifier: Apache-2.0
"""Synthesis in a child process, and what can be read from the netlist that comes back."""

import random
from pathlib import Path

import pytest

from fw_tools.netlist import Evaluator, SynthesisError, synthesise
from fw_tools.netlist.yosys import run_yosys

FAMILIES = ("ecp5", "ice40")
COUNTER = """
module counter #(
    parameter int unsigned Step = 1
) (
    input  logic       clk_i,
    input  logic       rst_ni,
    input  logic       enable_i,
    input  logic [7:0] limit_i,
    output logic [7:0] count_q,
    output logic       above_o
);
  assign above_o = count_q > limit_i;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_q <= 8'd3;
    else if (enable_i) count_q <= above_o ? '0 : count_q + 8'(Step);
  end
endmodule
"""
CELLS = ("kept_reg", "tmr_voter", "tmr_majority", "tmr_reg")


@pytest.fixture(scope="module", params=FAMILIES)
def counter(request, tmp_path_factory):
    source = tmp_path_factory.mktemp("a folder with spaces") / "counter.sv"
    source.write_text(COUNTER)
    return synthesise([source], "counter", request.param, {"Step": 5})


@pytest.fixture(scope="module", params=FAMILIES)
def voted_register(request, repository):
    """Return a triplicated register of four bits."""
    return synthesise(cells(repository), "tmr_reg", request.param, {"Width": 4})


def cells(repository: Path) -> list[Path]:
    return [repository / f"hdl/rtl/common/{name}.sv" for name in CELLS]


def test_a_register_is_found_by_its_name_with_a_flip_flop_per_bit(counter) -> None:
    flip_flops = counter.register("count_q")
    assert len(flip_flops) == len(counter.flip_flops) == 8
    assert sum(counter.counts().values()) == len(counter.cells)


def test_a_counter_evaluates_as_it_is_written(counter) -> None:
    evaluator = Evaluator(counter)
    rng = random.Random(1)
    for _ in range(200):
        count, limit, enable = rng.getrandbits(8), rng.getrandbits(8), rng.getrandbits(1)
        evaluator.set_signal("count_q", count)
        evaluator.set_signal("limit_i", limit)
        evaluator.set_signal("enable_i", enable)
        assert evaluator.read_signal("above_o") == (count > limit)
        following = 0 if count > limit else (count + 5) % 256
        assert evaluator.next_value("count_q") == (following if enable else count)


def test_reset_and_clock_advance_the_whole_netlist(counter) -> None:
    evaluator = Evaluator(counter)
    evaluator.set_signal("limit_i", 255)
    evaluator.set_signal("enable_i", 1)
    evaluator.reset()
    counts = []
    for _ in range(4):
        counts.append(evaluator.read_signal("count_q"))
        evaluator.clock()
    assert counts == [3, 8, 13, 18]


def test_what_was_given_no_value_is_named(counter) -> None:
    evaluator = Evaluator(counter)
    evaluator.reset()
    with pytest.raises(LookupError, match="limit_i was given no value"):
        evaluator.read_signal("above_o")
    with pytest.raises(ValueError, match="256 does not fit in 8 bits"):
        evaluator.set_signal("limit_i", 256)


def test_an_absent_signal_and_one_that_is_no_register_are_told_apart(counter) -> None:
    with pytest.raises(LookupError, match="no signal 'count'"):
        counter.register("count")
    with pytest.raises(LookupError, match="bit 0 of above_o is not stored in a flip-flop"):
        counter.register("above_o")


def test_three_replicas_of_every_bit_survive(voted_register) -> None:
    cells = [
        cell.name
        for index in range(3)
        for cell in voted_register.register(f"gen_replica[{index}].u_replica.stored_q")
    ]
    assert len(set(cells)) == len(voted_register.flip_flops) == 12


def test_one_upset_replica_is_outvoted_reported_and_healed(voted_register) -> None:
    evaluator = Evaluator(voted_register)
    evaluator.set_signal("write_i", 0)
    evaluator.set_signal("d_i", 0)
    for word in range(16):
        for upset in range(3):
            for index in range(3):
                value = word ^ (1 << upset if index == upset else 0)
                evaluator.set_signal(f"gen_replica[{index}].u_replica.stored_q", value)
            assert evaluator.read_signal("q_o") == word
            assert evaluator.read_signal("upset_o") == 1
            evaluator.clock()
            assert evaluator.read_signal("q_o") == word
            assert evaluator.read_signal("upset_o") == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_replicas_that_are_not_kept_apart_are_folded_and_that_is_seen(
    repository, tmp_path, family
) -> None:
    sources = []
    for source in cells(repository):
        text = source.read_text()
        for attribute in ('(* keep_hierarchy = "yes" *)', '(* keep = "true" *)'):
            text = text.replace(attribute, "")
        sources.append(tmp_path / source.name)
        sources[-1].write_text(text)
    folded = synthesise(sources, "tmr_reg", family, {"Width": 4})
    assert len(folded.flip_flops) == 4
    with pytest.raises(LookupError, match="upset_o is not stored"):
        folded.register("upset_o")


def test_an_error_of_yosys_is_told_in_its_words(tmp_path) -> None:
    source = tmp_path / "broken.sv"
    source.write_text(
        "module broken (input logic a_i, output logic b_o);\n  assign b_o = c;\nendmodule\n"
    )
    with pytest.raises(SynthesisError, match=rf"^{source}:2: use of undeclared identifier 'c'$"):
        synthesise([source], "broken", "ecp5")


def test_an_absent_top_is_told(tmp_path) -> None:
    source = tmp_path / "empty.sv"
    source.write_text("module empty;\nendmodule\n")
    with pytest.raises(SynthesisError, match="nowhere"):
        synthesise([source], "nowhere", "ecp5")


def test_a_pass_that_does_not_exist_ends_in_an_error_and_not_in_this_process(tmp_path) -> None:
    with pytest.raises(SynthesisError, match="No such command: no_such_pass"):
        run_yosys(["no_such_pass"], tmp_path)


def test_an_unknown_family_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="unknown family 'virtex'; there are: ecp5, ice40"):
        synthesise([], "top", "virtex")
