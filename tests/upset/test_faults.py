# SPDX-License-Identifier: Apache-2.0
"""Each sort of fault on designs whose outcomes are known beforehand."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fw_tools.errors import InputError
from fw_tools.flow.upset import Choice, make_plan, prepare_own, prepare_payload, run
from fw_tools.flow.upset_replay import cross_check, replay_one
from fw_tools.netlist.analysis import analyse
from fw_tools.upset.campaign import RESULTS
from fw_tools.upset.engine import Kind, Outcome
from fw_tools.upset.faults import Shape, Sort, faults_of, parse_shapes
from fw_tools.upset.machine import Machine, machine_of
from fw_tools.upset.summary import Summary

DESIGNS = Path(__file__).parent / "designs"
SHORT = {"clocks": 400, "horizon": 100, "hang_after": 50, "is_exhaustive": True}


def machine(name: str) -> Machine:
    return machine_of(analyse([DESIGNS / f"{name}.sv"], name))


def campaign(folder: Path, design: str, sort: Sort, within: str = "") -> Summary:
    choice = Choice(sort=sort, within=within, **SHORT)
    prepared = prepare_own([DESIGNS / f"{design}.sv"], design, choice)
    plan, _ = make_plan(prepared, folder, choice)
    return run(prepared, plan, folder, choice, 1, lambda _: None)


def outcomes(summary: Summary) -> dict[str, set[str]]:
    return {row.name: {each.name for each in Outcome if row.counts[each]} for row in summary.rows}


# ---- several bits at once


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("2", [((0, 0), (0, 1))]),
        ("2..3", [((0, 0), (0, 1)), ((0, 0), (0, 1), (0, 2))]),
        ("0,2,3", [((0, 0), (0, 2), (0, 3))]),
        ("0:0,1:0", [((0, 0), (1, 0))]),
    ],
)
def test_a_shape_is_bits_in_a_row_or_offsets(text: str, shapes: list[Shape]) -> None:
    assert parse_shapes(text) == shapes


@pytest.mark.parametrize("text", ["1", "4..2", "0", "x", "1,2", "0,0", "0;1", "2..", "0:1,1:1"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text.replace(".", r"\.")):
        parse_shapes(text)


def test_every_group_of_neighbours_lies_within_a_word_or_a_register() -> None:
    """Of four words of 72 bits, and registers of 2 and 72."""
    ring = machine("ring")
    pairs = faults_of(ring, sort=Sort.MULTIPLE, shapes=parse_shapes("2")).places
    assert len(pairs) == (4 + 1) * 71 + 1
    names = {place.name: place for place in pairs}
    assert names["memory[3][4,5]"].several == (74 + 3 * 72 + 4, 74 + 3 * 72 + 5)
    assert names["memory[3][4,5]"].register == "memory"
    assert len({place.number for place in pairs}) == len(pairs)
    of_words = faults_of(ring, sort=Sort.MULTIPLE, shapes=parse_shapes("0:0,1:0")).places
    assert len(of_words) == 3 * 72
    assert of_words[0].name == "memory[0][0]+[1][0]"
    with pytest.raises(InputError, match="ring: no register or memory is wide enough"):
        faults_of(ring, sort=Sort.MULTIPLE, shapes=parse_shapes("73"))


def test_two_neighbours_of_a_word_are_never_corrected_nor_silent(
    repository: Path, tmp_path: Path
) -> None:
    """A Hsiao code corrects one error and finds two."""
    choice = Choice(
        block="command_store", within="u_array", sort=Sort.MULTIPLE, shapes=parse_shapes("2"),
        is_exhaustive=False, margin=0.02,
    )  # fmt: skip
    spec = repository / "examples" / "compute_node" / "payload.toml"
    prepared = prepare_payload(spec, tmp_path, choice)
    assert len(prepared.places) >= 38 * 256
    plan, _ = make_plan(prepared, tmp_path, choice)
    summary = run(prepared, plan, tmp_path, choice, 2, lambda _: None)
    (array,) = [row for row in summary.rows if row.name == "u_dut.u_array.mem"]
    assert array.counts[Outcome.CORRECTED] == array.counts[Outcome.SILENT] == 0
    assert array.counts[Outcome.DETECTED] + array.counts[Outcome.OUTAGE] > 0.8 * array.flips
    table = pq.read_table(tmp_path / RESULTS)
    assert set(np.asarray(table["kind"])) == {Kind.FLIP}
    assert set(np.asarray(table["place"])) <= {place.number for place in prepared.places}


# ---- stuck


def test_a_stuck_bit_does_what_its_register_is_named_after(tmp_path: Path) -> None:
    """A register that rests at a value is not hurt by being stuck there."""
    found = outcomes(campaign(tmp_path, "outcomes", Sort.STUCK_BITS))
    assert found["unsafe_q=0"] == found["hang_q=1"] == found["masked_q=0"] == {"MASKED"}
    assert found["unsafe_q=1"] == {"UNSAFE"}
    assert found["hang_q=0"] == {"HANG"}
    assert found["latent_q=1"] == found["masked_q=1"] == {"LATENT"}
    assert found["outage_safe_q=1"] == {"OUTAGE"}
    assert found["silent_q"] == {"SILENT", "MASKED", "LATENT"}


def test_a_stuck_gate_of_a_voter_is_seen_where_it_leads(tmp_path: Path) -> None:
    summary = campaign(tmp_path, "outcomes", Sort.STUCK_NETS)
    assert summary.sort is Sort.STUCK_NETS
    assert sum(share.found for share in summary.shares) == summary.faults
    assert len(summary.rows) == 1
    assert summary.rows[0].counts[Outcome.SILENT]


# ---- resets and clocks


def test_a_reset_glitch_makes_a_counter_begin_anew(tmp_path: Path) -> None:
    summary = campaign(tmp_path, "outcomes", Sort.RESETS)
    assert [row.name for row in summary.rows] == ["rst_ni"]
    assert outcomes(summary)["rst_ni"] == {"SILENT"}


def test_a_lost_or_early_tick_shifts_transfers_or_falsifies_them(tmp_path: Path) -> None:
    """In every fourth clock something is handed over: once more without a tick, not at all with."""
    summary = campaign(tmp_path, "outcomes", Sort.CLOCKS)
    counts = {row.name: Counter({o: row.counts[o] for o in Outcome}) for row in summary.rows}
    clocks = 400 - 100 - 10
    for found in counts.values():
        assert set(+found) == {Outcome.SILENT, Outcome.TIMING}
        assert abs(found[Outcome.SILENT] - clocks / 4) < 1
    table = pq.read_table(tmp_path / RESULTS)
    assert set(np.asarray(table["kind"])) == {Kind.CLOCK_LOST, Kind.CLOCK_EXTRA}


def test_each_reset_has_a_domain_of_its_own() -> None:
    faults = faults_of(machine("shapes"), sort=Sort.RESETS)
    names = [place.name for place in faults.places]
    assert {"rst_ni", "kill_q"} < set(names)
    assert len(names) == 3  # And one that a gate makes.
    members = [set(domain.tolist()) for domain in faults.domains]
    assert sum(map(len, members)) == len(set().union(*members))


def test_a_clock_within_an_instance_leaves_the_rest_alone() -> None:
    shapes = machine("shapes")
    faults = faults_of(shapes, "gen_leaf[0].u_leaf", Sort.CLOCKS)
    (members,) = faults.domains
    assert {shapes.flip_flops[n].name.rpartition(".")[0] for n in members} == {"gen_leaf[0].u_leaf"}
    with pytest.raises(InputError, match="nothing there has a clock"):
        faults_of(shapes, "nowhere", Sort.CLOCKS)


# ---- done again in Verilator


@pytest.mark.parametrize("sort", [sort for sort in Sort if sort is not Sort.FLIPS])
def test_a_campaign_of_every_sort_ends_in_verilator_as_here(sort: Sort, tmp_path: Path) -> None:
    choice = Choice(sort=sort, shapes=parse_shapes("2..3"), **SHORT)
    prepared = prepare_own([DESIGNS / "outcomes.sv"], "outcomes", choice)
    plan, _ = make_plan(prepared, tmp_path, choice)
    summary = run(prepared, plan, tmp_path, choice, 1, lambda _: None)
    assert cross_check(prepared, tmp_path, 60, seed=1).is_good
    case = next(row.case for row in summary.rows if row.case)
    replayed = replay_one(prepared, tmp_path, case.name)
    assert replayed.outcome == case.outcome
