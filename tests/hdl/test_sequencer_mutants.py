# SPDX-License-Identifier: Apache-2.0
"""The power benches pass on the small board, and go red for every broken sequencer.

One build carries all mutants: the harness gets a variable `mutant`, which the changed sources read
by name while the simulation runs; 0 is the untouched design. `mutants_bench` sets it and runs the
bench that `verify` runs.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from mutation import mutate, with_choice

from fw_tools.flow.benches.power import sequencer_benches
from fw_tools.report.records import Status
from fw_tools.rtl.sequencer import render_sequencer
from fw_tools.sim.build import Build, BuildOptions, build, lint
from fw_tools.sim.run import RunOptions, run
from fw_tools.spec.load import load_payload
from fw_tools.spec.records import BenchSpec

SEED = 3
TIME_SCALE = 1  # Each time of the table as it stands, to the microsecond.
GENERATED = "little_board_sequencer"


@dataclass(frozen=True, slots=True)
class Mutation:
    """One broken expression: the part of `place` between « and » becomes `mutated`."""

    cell: str
    what: str
    place: str
    mutated: str


FAULT_MUTATIONS = (
    Mutation(
        "rail_ctrl",
        "a ramp never times out",
        "seen_timeout = «!power_good && is_past»;",
        "1'b0",
    ),
    Mutation(
        "rail_ctrl", "a deadline is a tick short", "is_past = «timer > limit»;", "timer >= limit"
    ),
    Mutation(
        "rail_ctrl",
        "power good before the window passes",
        "seen_early   = «power_good && is_early»;",
        "1'b0",
    ),
    Mutation(
        "rail_ctrl",
        "late power good is not reported",
        "seen_late    = «power_good && is_past»;",
        "1'b0",
    ),
    Mutation(
        "rail_ctrl",
        "over-current is not seen",
        "seen_oc  = «enable_o && over_current»;",
        "1'b0",
    ),
    Mutation(
        "rail_ctrl",
        "a rail that stays up is taken for down",
        "seen_stuck_on = «power_good && is_past»;",
        "1'b0",
    ),
    Mutation(
        "rail_ctrl",
        "down does not wait for what depends on the rail",
        "(!want_i && «dependants_down_i»)",
        "1'b1",
    ),
    Mutation(
        "rail_ctrl",
        "a rail starts without its dependencies",
        "want_i && «deps_on_i» && !kill_i",
        "1'b1",
    ),
    Mutation("rail_ctrl", "settling is skipped", "if («is_past») next = StateOn;", "1'b1"),
    Mutation("rail_ctrl", "a fault forgets itself", "if («clear_i») next = StateDrain;", "1'b1"),
    Mutation(
        "rail_supervisor",
        "a board fault does not halt the board",
        "assign halt            = «|kill_board_i || |lost_i»;",
        "|lost_i",
    ),
    Mutation(
        "rail_supervisor",
        "the first fault is overwritten by the next",
        ".write_i  («clear_i || !first_fault_valid_o»),",
        "clear_i || fault_seen",
    ),
    Mutation(
        "glitch_filter",
        "the filter is one clock short",
        "follow  = differs && «count_q >= last»;",
        "count_q + 1'b1 >= last",
    ),
    Mutation(
        "glitch_filter",
        "the filter does not start anew after a break",
        "else if («!differs || follow») count_q <= '0;",
        "follow",
    ),
    Mutation(
        GENERATED,
        "a dependency is dropped",
        "assign deps_on[IO]         = «on_o[CORE]»;",
        "1'b1",
    ),
    Mutation(
        GENERATED,
        "a kill set misses a rail",
        "assign kill[IO]            = «kill_switched || kill_tree[BUS] || kill_tree[CORE]»;",
        "kill_switched || kill_tree[BUS]",
    ),
    Mutation(
        GENERATED,
        "the reverse order is lost",
        "assign dependants_down[CORE] = «down[IO]»;",
        "1'b1",
    ),
    Mutation(
        "tick_gen",
        "a tick comes at another rate",
        "else if (tick_o) count_q <= CountBits'(«Clocks - 1»);",
        "Clocks",
    ),
)

UPSET_MUTATIONS = (
    Mutation(
        "fsm_reg",
        "a flipped code is taken for a lost one",
        "$countones(code_q ^ word(state)) <= «MostFlips»",
        "state == 3 ? 0 : MostFlips",
    ),
    Mutation(
        "rail_ctrl",
        "a rail whose state is lost keeps its enable",
        ".d_i      («next == StateRamp || next == StateSettle || next == StateOn»),",
        "next == StateRamp || next == StateSettle || next == StateOn || (lost_o && enable_o)",
    ),
    Mutation("fsm_reg", "an illegal code is not reported", "lost_o      = «1'b1»;", "1'b0"),
    Mutation(
        "fsm_reg",
        "an upset is not counted",
        "corrected_o = «code_q != word(state)»;",
        "1'b0",
    ),
    Mutation(
        "rail_supervisor",
        "a lost state leaves switched rails on",
        "assign kill_switched_o = «|lost_i»;",
        "1'b0",
    ),
    Mutation(
        "rail_ctrl",
        "a keep-alive rail falls with its state",
        "if («lost_o && KeepAlive») begin",
        "1'b0",
    ),
    Mutation(
        "rail_timer",
        "an upset of a timer is not seen",
        "upset_o = Parity && «^{parity_q, count_q}»;",
        "1'b0",
    ),
    Mutation(
        "tmr_reg",
        "the voter has no feedback",
        ".d_i(«replica_d»),",
        "write_i ? d_i : stored",
    ),
    Mutation(
        "tmr_voter",
        "the voter listens to one replica",
        "majority_o = «(a_i & b_i) | (b_i & c_i) | (a_i & c_i)»;",
        "a_i",
    ),
    Mutation(
        "tmr_voter",
        "a voter input is swapped",
        "majority_o = «(a_i & b_i) | (b_i & c_i) | (a_i & c_i)»;",
        "(a_i & b_i) | (b_i & c_i) | (a_i & b_i)",
    ),
    Mutation(
        "tmr_voter",
        "an outvoted replica is not reported",
        "mismatch_o = «(a_i != b_i) || (b_i != c_i)»;",
        "1'b0",
    ),
    Mutation(
        "event_counter",
        "one upset in a clock is lost",
        "{1'b0, «start»};",
        "start >> 1 << 1",
    ),
)


MUTATIONS = (*FAULT_MUTATIONS, *UPSET_MUTATIONS)


@dataclass(frozen=True, slots=True)
class Mutable:
    """The small board with all mutants in one program."""

    built: Build
    benches: Mapping[str, BenchSpec]  # By module.


@pytest.fixture(scope="module")
def mutable(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Mutable:
    folder = tmp_path_factory.mktemp("mutants")
    benches = small_board_benches(repository, folder)
    sources = benches["sequencer_bench"].sources
    texts = {path.stem: path.read_text() for path in sources}
    places: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for number, mutation in enumerate(MUTATIONS, start=1):
        places[mutation.cell, mutation.place][number] = mutation.mutated
    for (cell, place), mutated in places.items():
        texts[cell] = mutate(texts[cell], place, mutated, "sequencer_harness")
    texts["sequencer_harness"] = with_choice(texts["sequencer_harness"])
    changed = folder / "changed"
    changed.mkdir()
    for name, text in texts.items():
        (changed / f"{name}.sv").write_text(text)
    benches = {
        module: replace(
            bench,
            sources=tuple(changed / path.name for path in sources),
            test_modules=("mutants_bench",),
            python_paths=(Path(__file__).parent,),
        )
        for module, bench in benches.items()
    }
    built = build(benches["sequencer_bench"], BuildOptions(work=folder / "build"))
    return Mutable(built, benches)


@pytest.mark.parametrize(
    ("module", "mutations"),
    [("sequencer_bench", FAULT_MUTATIONS), ("sequencer_upsets_bench", UPSET_MUTATIONS)],
)
def test_the_small_board_passes_and_every_mutant_of_it_fails(
    mutable: Mutable, tmp_path: Path, module: str, mutations: Sequence[Mutation]
) -> None:
    bench = mutable.benches[module]
    config = Path(dict(bench.environment)["FW_BENCH_CONFIG"])
    settings = json.loads(config.read_text()) | {
        "bench": f"hdl.tb.{module}",
        "mutants": [(MUTATIONS.index(mutation) + 1, 0) for mutation in mutations],
    }
    config.write_text(json.dumps(settings))
    records = run(mutable.built, bench, RunOptions(work=tmp_path, seed=SEED))
    assert [record.status for record in records] == [Status.PASSED] * 2, [
        (record.test, record.message) for record in records
    ]


def test_the_small_board_has_no_warnings(repository: Path, tmp_path: Path) -> None:
    bench = small_board_benches(repository, tmp_path)["sequencer_bench"]
    assert lint(bench, BuildOptions(work=tmp_path)) == ()


def small_board_benches(repository: Path, folder: Path) -> dict[str, BenchSpec]:
    """Return the benches of the small board by module; its sources are in `folder`."""
    payload = load_payload(repository / "tests/power/small_board.toml")
    paths = []
    for file in render_sequencer(payload.name, payload.rails, payload.clock_hz):
        paths.append(folder / file.path.name)
        paths[-1].write_text(file.text)
    benches = sequencer_benches(payload.name, payload.rails, tuple(paths), folder, TIME_SCALE)
    return {bench.test_modules[0].rpartition(".")[2]: bench for bench in benches}
