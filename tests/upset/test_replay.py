# SPDX-License-Identifier: Apache-2.0
"""The engine against the RTL itself in Verilator, and against its netlist: all agree."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from fw_tools.errors import InputError
from fw_tools.flow.upset import Choice, prepare_payload
from fw_tools.netlist.analysis import Gates, analyse
from fw_tools.upset import native_build
from fw_tools.upset.emit import emit
from fw_tools.upset.engine import Array, Engine, Injections, Kind, Limits, Outcome, single_flips
from fw_tools.upset.machine import Machine, machine_of
from fw_tools.upset.native_build import compile_machine
from fw_tools.upset.observation import Observation, observe
from fw_tools.upset.replay import Replay, Replayed, Stimulus, build_net_replay, build_replay

REPOSITORY = Path(__file__).parents[2]
DESIGNS = Path(__file__).parent / "designs"
GENERATED = REPOSITORY / "examples" / "compute_node" / "generated"
NATIVE = REPOSITORY / "fw_tools" / "upset" / "native"
SEED = 20261125
RESET_CLOCKS = 4
FAULTS = 600  # More than there are lanes for in one pass.
LIMITS = Limits(horizon=120, alarm_window=5, hang_after=50)


@dataclass(frozen=True)
class Case:
    """A design under random inputs, reset at its start and now and then."""

    top: str
    sources: tuple[Path, ...]
    roles: Mapping[str, str] = field(default_factory=dict, hash=False)
    limits: Limits = LIMITS
    clocks: int = 800
    reset_share: float = 0.0


def own(name: str, reset_share: float = 0.0, limits: Limits = LIMITS) -> Case:
    return Case(name, (DESIGNS / f"{name}.sv",), limits=limits, reset_share=reset_share)


def generated(top: str) -> Case:
    """Return a module of the reference payload, with everything that it may need."""
    listed = (GENERATED / "filelist.f").read_text().splitlines()
    names = [line for line in listed if line and not line.startswith("//")]
    stop = next(index for index, name in enumerate(names) if name.endswith(f"{top}.sv"))
    wanted = [name for name in names[: stop + 1] if "_regs" not in name]
    return Case(top, tuple(GENERATED / name for name in wanted))


FIFO = Case("fifo", (REPOSITORY / "examples/own_bench/fifo.sv",), {"out_valid_o": "accepted"})
CASES = {
    "outcomes": own("outcomes"),
    "orders": own(
        "orders", limits=replace(LIMITS, horizon=81)
    ),  # Ends with the last that is unsafe.
    "ring": own("ring"),
    "shapes": own("shapes", reset_share=0.02),
    "fifo": FIFO,
    "sequencer": generated("compute_node_sequencer"),
    "ecc memory": generated("compute_node_command_store"),
}


@dataclass(frozen=True)
class Design:
    case: Case
    gates: Gates
    machine: Machine
    observation: Observation
    stimulus: Stimulus

    @property
    def stored(self) -> int:
        return len(self.stimulus.initial)

    @property
    def resets_at(self) -> Array:
        """The clocks in which the input called rst_ni is low."""
        ports = [port for port, nets in self.machine.inputs.items() for _ in nets]
        return np.flatnonzero(self.stimulus.inputs[:, ports.index("rst_ni")] == 0)

    def engine(self) -> Engine:
        sources = emit(self.machine, self.observation)
        library = compile_machine(sources, 64, has_transients=True)
        return Engine(library, self.stimulus.inputs, self.stimulus.initial)

    def replay(self, program: Replay, injections: Injections) -> Replayed:
        return program.run(self.stimulus, injections, self.case.limits, self.observation)


@cache
def design(name: str) -> Design:
    case = CASES[name]
    gates = analyse(case.sources, case.top)
    machine = machine_of(gates)
    rng = np.random.default_rng(SEED)
    ports = [port for port, nets in machine.inputs.items() for _ in nets]
    inputs = rng.integers(0, 2, (case.clocks, len(ports)), np.uint8)
    for column, port in enumerate(ports):
        if port == "rst_ni":
            inputs[:, column] = rng.random(case.clocks) >= case.reset_share
            inputs[:RESET_CLOCKS, column] = 0
    memories = sum(each.width * each.depth for each in machine.memories)
    initial = rng.integers(0, 2, len(machine.flip_flops) + memories, np.uint8)
    stimulus = Stimulus(inputs=inputs, initial=initial)
    return Design(case, gates, machine, observe(machine, case.roles), stimulus)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("replay")


def program(name: str, folder: Path) -> Replay:
    chosen = design(name)
    return build_replay(chosen.gates, chosen.machine, chosen.case.sources, {}, folder / name)


def random_faults(chosen: Design, *, most_places: int = 4, nets: bool = False) -> Injections:
    """Return faults at random clocks: half of single bits, half of several; of memories a third."""
    rng = np.random.default_rng(SEED + 1)
    makers = [gate.outputs[0] for gate in chosen.machine.gates if gate.kind.startswith("$_")]
    flip_flops = len(chosen.machine.flip_flops)
    cycles = np.sort(rng.integers(0, chosen.case.clocks - chosen.case.limits.horizon, FAULTS))
    kinds, places = [], []
    for _ in cycles:
        is_net = bool(nets and makers and rng.random() < 0.8)
        count = 1 if rng.random() < 0.5 else int(rng.integers(1, most_places + 1))
        is_memory = chosen.stored > flip_flops and rng.random() < 0.35
        of_state = range(flip_flops, chosen.stored) if is_memory else range(flip_flops)
        pool = makers if is_net else of_state
        places.append(rng.choice(pool, min(count, len(pool)), replace=False))
        kinds.append(Kind.TRANSIENT if is_net else Kind.FLIP)
    return Injections(
        cycle=cycles.astype(np.uint32),
        kind=np.array(kinds, np.uint8),
        first=np.cumsum([0, *map(len, places)]).astype(np.uint32),
        places=np.concatenate(places).astype(np.uint32),
    )


DISTURBANCES = [kind for kind in Kind if kind not in (Kind.FLIP, Kind.TRANSIENT)]


def disturbances(chosen: Design) -> Injections:
    """Return stuck bits and nets, and resets and clocks of random domains.

    Half of them are in or shortly after a reset; half of the stuck bits are ones that logic resets.
    """
    rng = np.random.default_rng(SEED + 2)
    machine = chosen.machine
    inputs = {net for nets in machine.inputs.values() for net in nets}
    resets = [each.reset for each in machine.flip_flops]
    flip_flops = list(range(len(resets)))
    with_reset = [n for n in flip_flops if resets[n] is not None]
    by_logic = [n for n in with_reset if resets[n] not in inputs]
    members = [*flip_flops, *range(len(resets), len(resets) + len(machine.memories))]
    of_reset = [some_of(rng, with_reset) for _ in range(6)]
    of_clock = [some_of(rng, members) for _ in range(6)] + [members]
    of_clock += [by_logic] * (8 if by_logic else 0)
    if machine.memories:
        of_clock.append(members[len(flip_flops) :])
    makers = [gate.outputs[0] for gate in machine.gates if gate.kind.startswith("$_")]
    stuck = [*flip_flops, *by_logic * (len(flip_flops) // max(len(by_logic), 1))]
    clocks = range(len(of_reset), len(of_reset) + len(of_clock))
    pools = dict.fromkeys(DISTURBANCES, clocks) | {Kind.RESET: range(len(of_reset))}
    pools |= dict.fromkeys((Kind.STUCK_0, Kind.STUCK_1), stuck)
    pools |= dict.fromkeys((Kind.NET_STUCK_0, Kind.NET_STUCK_1), makers)
    end = chosen.case.clocks - chosen.case.limits.horizon
    cycles = rng.integers(1, end, FAULTS)
    near = chosen.resets_at[:, None] + np.arange(4)
    cycles[::2] = rng.choice(near[(near > 0) & (near < end)], len(cycles[::2]))
    kinds = rng.choice(DISTURBANCES, FAULTS)
    return Injections(
        cycle=np.sort(cycles).astype(np.uint32),
        kind=kinds.astype(np.uint8),
        first=np.arange(FAULTS + 1, dtype=np.uint32),
        places=np.array([rng.choice(pools[Kind(kind)]) for kind in kinds], np.uint32),
        domains=tuple(np.sort(domain).astype(np.uint32) for domain in (*of_reset, *of_clock)),
    )


def some_of(rng: np.random.Generator, pool: list[int]) -> list[int]:
    return rng.choice(pool, max(1, len(pool) // int(rng.integers(1, 5))), replace=False).tolist()


def by_engine(chosen: Design, injections: Injections) -> Replayed:
    with chosen.engine() as engine:
        results = engine.run(injections, chosen.case.limits)
    return Replayed(results.outcome, results.effect)


def disagreements(one: Replayed, other: Replayed) -> list[tuple[int, str, int, str, int]]:
    differ = np.flatnonzero((one.outcome != other.outcome) | (one.effect != other.effect))
    return [
        (
            int(job),
            Outcome(one.outcome[job]).name,
            int(one.effect[job]),
            Outcome(other.outcome[job]).name,
            int(other.effect[job]),
        )
        for job in differ
    ]


@pytest.mark.parametrize("name", CASES)
def test_state_faults_end_on_the_rtl_as_in_the_engine(name: str, folder: Path) -> None:
    chosen = design(name)
    faults = random_faults(chosen)
    replayed = chosen.replay(program(name, folder), faults)
    assert disagreements(by_engine(chosen, faults), replayed) == [], f"seed {SEED}"
    assert len(set(replayed.outcome)) > 1


@pytest.mark.parametrize("name", ["outcomes", "shapes", "fifo", "ecc memory"])
def test_net_faults_end_on_the_written_netlist_as_in_the_engine(name: str, folder: Path) -> None:
    chosen = design(name)
    faults = random_faults(chosen, nets=True)
    assert np.count_nonzero(faults.kind == Kind.TRANSIENT) >= 300
    replayed = chosen.replay(build_net_replay(chosen.machine, folder / f"{name} nets"), faults)
    assert disagreements(by_engine(chosen, faults), replayed) == [], f"seed {SEED}"
    assert len(set(replayed.outcome)) > 1


@pytest.mark.parametrize("name", ["outcomes", "orders", "ring", "shapes", "fifo", "ecc memory"])
def test_stuck_bits_resets_and_clocks_end_as_in_the_engine(name: str, folder: Path) -> None:
    chosen = design(name)
    faults = disturbances(chosen)
    replayed = chosen.replay(build_net_replay(chosen.machine, folder / f"{name} nets"), faults)
    found = disagreements(by_engine(chosen, faults), replayed)
    assert [(Kind(faults.kind[each[0]]).name, *each) for each in found] == [], f"seed {SEED}"
    assert len(set(replayed.effect)) > 1


def test_the_sequencer_in_its_world_ends_as_in_the_engine(folder: Path) -> None:
    spec = REPOSITORY / "examples" / "compute_node" / "payload.toml"
    prepared = prepare_payload(spec, folder / "rtl", Choice())
    written = sorted((folder / "rtl").rglob("*.sv"), key=lambda path: "pkg" not in path.name)
    gates = analyse(written, prepared.machine.top)
    rng = np.random.default_rng(SEED)
    cycles = np.sort(rng.integers(10, prepared.end_clock, FAULTS)).astype(np.uint32)
    places = rng.choice([place.number for place in prepared.places], FAULTS)
    faults = Injections(
        cycle=cycles,
        kind=np.zeros(FAULTS, np.uint8),
        first=np.arange(FAULTS + 1, dtype=np.uint32),
        places=places.astype(np.uint32),
    )
    replay = build_replay(gates, machine_of(gates), written, {}, folder / "world")
    stimulus = Stimulus(inputs=prepared.inputs, initial=prepared.initial)
    replayed = replay.run(stimulus, faults, prepared.limits, prepared.observation)
    with Engine(prepared.library, prepared.inputs, prepared.initial) as engine:
        results = engine.run(faults, prepared.limits)
    engines = Replayed(results.outcome, results.effect)
    assert disagreements(engines, replayed) == [], f"seed {SEED}"
    assert len(set(replayed.outcome)) > 1


@pytest.mark.parametrize("name", ["outcomes", "orders"])
def test_a_replay_finds_what_the_registers_are_named_after(name: str, folder: Path) -> None:
    chosen = design(name)
    registers = [each.name for each in chosen.machine.flip_flops]
    known = {
        index: register.split("_")[0].upper().replace("REPLICA", "CORRECTED")
        for index, register in enumerate(registers)
        if not register.startswith(("since_q", "value_q"))
    }
    replayed = chosen.replay(program(name, folder), single_flips(list(known), range(10, 30)))
    found = [Outcome(each).name for each in replayed.outcome]
    assert found == [*known.values()] * 20


# ---- an engine with a mistake in it is noticed

Mutant = tuple[str, str, str]  # The case that notices it, what stands in the engine, what instead.
_STEP = "V differs = machine->out_of_step;"
_DRIVE = "machine->in[i] = everywhere(row[i]);"
MUTANTS: dict[str, Mutant] = {
    "the alarm window is a clock shorter": (
        "orders",
        "alarm - difference <= limits->alarm_window",
        "alarm - difference < limits->alarm_window",
    ),
    "a lane's own write is lost": (
        "ring",
        "if (todo[i].writes) set_own(store, memory, todo[i].lane, todo[i].word, todo[i].own);",
        "",
    ),
    "what golden overwrites is lost to a lane that does not": (
        "fifo",
        "if (is_golden && !(todo[i].writes && todo[i].word == golden.word))",
        "if (0)",
    ),
    "a lane whose memory differs is taken for golden": (
        "ring",
        f"{_STEP}\n  for (uint32_t m = 0; m < N_MEMORIES; m++)",
        f"{_STEP}\n  for (uint32_t m = 0; m < 0; m++)",
    ),
    "a lane that owes a transfer is taken for golden": (
        "orders",
        _STEP,
        "V differs = everywhere(0);",
    ),
    "a reset is seen a clock late": (
        "shapes",
        f"{_DRIVE}\n  if (is_in_reset(machine, cycle)) hold_in_reset(machine, cycle);",
        _DRIVE,
    ),
    "a hang counts before wrong data": (
        "orders",
        "if (difference != NEVER && !is_told) {",
        "if (difference != NEVER && !is_told && own->hung == NEVER) {",
    ),
    "it is watched for a clock less": (
        "orders",
        "jobs->cycle[job] + limits->horizon > cycle",
        "jobs->cycle[job] + limits->horizon > cycle + 1",
    ),
}


OF_DISTURBANCES: dict[str, Mutant] = {
    "a glitch of a reset ends before the edge": (
        "outcomes",
        "  take_over(machine, begun->cycle);\n  if (HAS(begun, RESET)) reset_domains",
        "  take_over(machine, begun->cycle);\n  if (0) reset_domains",
    ),
    "a memory is written without a tick": (
        "ring",
        "!bit_of(&store->still, lane) && write.word < memory->depth",
        "write.word < memory->depth",
    ),
    "an early tick does not reach a memory": (
        "fifo",
        "if (member >= N_FLIP_FLOPS) write_alone(machine, member - N_FLIP_FLOPS, lane);",
        "if (member >= N_FLIP_FLOPS) continue;",
    ),
    "an early tick goes past a reset": (
        "shapes",
        "RESET_INPUT[flip_flop] >= 0 && !inputs_at(machine, cycle)[RESET_INPUT[flip_flop]]",
        "0",
    ),
    "what logic resets is kept without a tick": (
        "shapes",
        "reset >= 0 && !bit_of(&machine->n[reset], lane)",
        "0",
    ),
    "who is stuck is taken for golden": ("outcomes", "same &= ~machine->stuck;", ""),
    "a reset frees who is stuck": (
        "shapes",
        "if (Q_NET[place]) stick_net(machine, Q_NET[place], lane, value);",
        "",
    ),
    "who was stuck stays so": (
        "outcomes",
        "    let_go(machine, place, lane);\n",
        "",
    ),
}


@pytest.fixture
def native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the engine's sources, which the engine is built of."""
    copy = tmp_path / "native"
    shutil.copytree(NATIVE, copy)
    monkeypatch.setattr(native_build, "_NATIVE", copy)
    return copy


def break_engine(native: Path, right: str, wrong: str) -> None:
    (source,) = [path for path in native.glob("*.c") if right in path.read_text()]
    text = source.read_text()
    assert text.count(right) == 1
    source.write_text(text.replace(right, wrong))


@pytest.mark.parametrize("mistake", MUTANTS)
def test_a_mistake_in_the_engine_is_noticed(mistake: str, native: Path, folder: Path) -> None:
    name, right, wrong = MUTANTS[mistake]
    break_engine(native, right, wrong)
    chosen = design(name)
    flip_flops = range(len(chosen.machine.flip_flops))
    every_flip = single_flips(flip_flops, range(200, 204))  # It looks for golden lanes every four.
    found = []
    for faults in (random_faults(chosen), every_flip):
        replayed = chosen.replay(program(name, folder), faults)
        found += disagreements(by_engine(chosen, faults), replayed)
    assert found


@pytest.mark.parametrize("mistake", OF_DISTURBANCES)
def test_a_mistake_with_disturbances_is_noticed(mistake: str, native: Path, folder: Path) -> None:
    name, right, wrong = OF_DISTURBANCES[mistake]
    break_engine(native, right, wrong)
    chosen = design(name)
    faults = disturbances(chosen)
    replayed = chosen.replay(build_net_replay(chosen.machine, folder / f"{name} nets"), faults)
    assert disagreements(by_engine(chosen, faults), replayed)


# ---- waves, and what cannot be replayed


def changes(waves: Path, signal: str) -> list[tuple[int, str]]:
    """Return the times at which a signal of a VCD changes, and to what."""
    text = waves.read_text()
    match = re.search(rf"\$var \w+ +\d+ (\S+) {signal}\b", text)
    assert match is not None
    found, time = [], 0
    for line in text[text.index("$enddefinitions") :].splitlines():
        if line.startswith("#"):
            time = int(line[1:])
        elif line.endswith(match[1]):
            found.append((time, line.removesuffix(match[1]).strip()))
    return found


def test_waves_show_the_flip_in_its_clock_and_golden_without_it(tmp_path: Path) -> None:
    chosen = design("outcomes")
    replay = build_replay(
        chosen.gates, chosen.machine, chosen.case.sources, {}, tmp_path, has_waves=True
    )
    register = [each.name for each in chosen.machine.flip_flops].index("unsafe_q")
    golden, faulty = tmp_path / "golden.vcd", tmp_path / "faulty.vcd"
    replay.write_waves(chosen.stimulus, single_flips([register], [20]), 10, golden, faulty)
    assert [value for _, value in changes(golden, "unsafe_o")] == ["0"]
    assert changes(faulty, "unsafe_o")[1:] == [(200, "1")]
    assert faulty.read_text().rstrip().rsplit("#")[-1].startswith("300")


def test_a_replay_of_another_designs_stimulus_is_refused(folder: Path) -> None:
    chosen = design("outcomes")
    other = Stimulus(inputs=chosen.stimulus.inputs, initial=chosen.stimulus.initial[1:])
    with pytest.raises(InputError, match="inputs or initial state of another design"):
        program("outcomes", folder).run(
            other, single_flips([0], [10]), chosen.case.limits, chosen.observation
        )
