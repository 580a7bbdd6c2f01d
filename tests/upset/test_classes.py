# SPDX-License-Identifier: Apache-2.0
"""Classes of flips in memories against every flip itself, and against a list made by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fw_tools.errors import VerificationError
from fw_tools.flow.upset import Choice, Prepared, make_plan, prepare_own, run
from fw_tools.flow.upset_pruning import spot_check
from fw_tools.flow.upset_replay import cross_check
from fw_tools.upset.campaign import RESULTS, Table, read_table
from fw_tools.upset.classes import Classed, classes_of
from fw_tools.upset.engine import NOT_RUN, Engine, Outcome, single_flips
from fw_tools.upset.summary import Summary

REPOSITORY = Path(__file__).parents[2]
RING = Path(__file__).parent / "designs" / "ring.sv"
FIFO = REPOSITORY / "examples" / "own_bench" / "fifo.sv"
READ, WHOLE, PART = 1, 2, 4

# Two memories; the second's address comes from the first, a bit is written at a time, and word 7 of
# the second is never accessed.
CHAIN = """
module chain(input logic clk_i, rst_ni, output logic [7:0] data_o, output logic accepted_o);
  logic [7:0] a[8], b[8], value_q; logic [4:0] step_q;
  logic [2:0] at;
  assign at = a[step_q[2:0]][2:0] == 3'd7 ? 3'd0 : a[step_q[2:0]][2:0];
  assign data_o = b[at];
  assign accepted_o = step_q[4];
  always_ff @(posedge clk_i) if (step_q[4:3] == 2'b01) a[step_q[2:0]] <= value_q;
  always_ff @(posedge clk_i) if (step_q[0]) b[at][3:0] <= value_q[3:0];
  always_ff @(posedge clk_i) if (step_q[1] && step_q[4]) b[3'd2] <= value_q;
  always_ff @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin step_q <= '0; value_q <= 8'd1; end
    else begin step_q <= step_q + 5'd1; value_q <= {value_q[6:0], value_q[7] ^ value_q[3]}; end
endmodule
"""


def test_classes_end_with_each_access() -> None:
    accesses = np.array(
        [[5, 0, READ], [12, 0, READ], [15, 0, WHOLE], [20, 0, READ], [20, 0, WHOLE], [40, 0, READ],
         [18, 1, PART], [3, 2, READ]]
    )  # fmt: skip
    found = classes_of(accesses, np.arange(4), 10, 30)
    columns = (found.word, found.clock, found.length, found.ruled)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    assert rows == [
        (0, 12, 3, NOT_RUN),
        (0, 15, 3, Outcome.MASKED),
        (0, 20, 5, NOT_RUN),
        (0, 29, 9, NOT_RUN),  # It is read after the last clock in which it may flip.
        (1, 18, 9, NOT_RUN),
        (1, 29, 11, Outcome.LATENT),
        (2, 29, 20, Outcome.LATENT),
        (3, 29, 20, Outcome.LATENT),
    ]


def campaign(folder: Path, prepared: Prepared, choice: Choice) -> Summary:
    folder.mkdir()
    plan, _ = make_plan(prepared, folder, choice)
    assert isinstance(plan, Classed) == choice.is_pruned
    return run(prepared, plan, folder, choice, 1, lambda _: None)


@pytest.mark.parametrize("name", ["ring", "fifo", "chain"])
def test_every_member_ends_as_its_class(name: str, tmp_path: Path) -> None:
    source = {"ring": RING, "fifo": FIFO, "chain": tmp_path / "chain.sv"}[name]
    if name == "chain":
        source.write_text(CHAIN)
    roles = {"out_valid_o": "accepted"} if name == "fifo" else {}
    choice = Choice(
        clocks=400, horizon=60, hang_after=30, is_exhaustive=True, roles=roles,
        is_feed_forward=True,
    )  # fmt: skip
    prepared = prepare_own([source], name, choice)
    summary = campaign(tmp_path / "pruned", prepared, choice)
    table = read_table(tmp_path / "pruned" / RESULTS)
    assert table.weight is not None
    assert summary.is_exhaustive
    if name == "fifo":  # Flip-flops and classes mixed, by clock.
        assert cross_check(prepared, tmp_path / "pruned", 60, seed=1).is_good
    assert sum(share.found for share in summary.shares) == summary.faults == table.weight.sum()
    assert len(table.weight) < summary.faults
    numbers = [place.number for place in prepared.places]
    with Engine(prepared.library, prepared.inputs, prepared.initial) as engine:
        _compare(engine, prepared, table, numbers)


def _compare(engine: Engine, prepared: Prepared, table: Table, numbers: list[int]) -> None:
    """Each flip by itself, watched up to where its class was: grouped by how much earlier it is."""
    flip_flops = len(prepared.machine.flip_flops)
    of_memory = np.flatnonzero(table.place >= flip_flops)
    seen = set()
    for earlier in range(int(table.weight.max())):
        rows = of_memory[table.weight[of_memory] > earlier]
        if not len(rows):
            continue
        cycles = table.cycle[rows].astype(np.int64) - earlier
        jobs = replace(single_flips([0], cycles), places=table.place[rows].astype(np.uint32))
        limits = replace(prepared.limits, horizon=prepared.limits.horizon + earlier)
        found = engine.run(jobs, limits)
        assert np.array_equal(found.outcome, table.outcome[rows]), earlier
        seen |= set(zip(cycles.tolist(), table.place[rows].tolist(), strict=True))
    clocks = range(10, prepared.end_clock)
    assert seen == {(clock, n) for clock in clocks for n in numbers if n >= flip_flops}


def test_without_pruning_every_flip_is_done(tmp_path: Path) -> None:
    choice = Choice(clocks=200, horizon=60, hang_after=30, is_exhaustive=True, is_pruned=False)
    prepared = prepare_own([RING], "ring", choice)
    summary = campaign(tmp_path / "whole", prepared, choice)
    assert len(pq.read_table(tmp_path / "whole" / RESULTS)) == summary.faults


def test_a_class_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    choice = Choice(clocks=200, horizon=60, hang_after=30, is_exhaustive=True)
    prepared = prepare_own([RING], "ring", choice)
    campaign(tmp_path / "ring", prepared, choice)
    table = read_table(tmp_path / "ring" / RESULTS)
    assert spot_check(prepared, table, 50, seed=1) == 50
    wrong = replace(table, outcome=np.full(len(table.outcome), Outcome.HANG, np.uint8))
    with pytest.raises(VerificationError, match="and its class as hang"):
        spot_check(prepared, wrong, 50, seed=1)
