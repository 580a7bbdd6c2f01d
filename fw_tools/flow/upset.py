# SPDX-License-Identifier: Apache-2.0
"""From a payload, or a design of the user's, to a campaign of upsets and what came of it."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from fw_tools.errors import InputError
from fw_tools.flow.upset_pruning import spot_check
from fw_tools.flow.upset_record import write_record
from fw_tools.netlist.analysis import Gates, analyse
from fw_tools.rtl.block_worlds import block_world
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.environment import INSTANCE
from fw_tools.spec.load import load_payload, load_upset_rates
from fw_tools.spec.rates import parse_rate
from fw_tools.spec.records import Payload, UpsetRates
from fw_tools.upset.campaign import Progress, Setting, claim, claimed_plan, run_campaign
from fw_tools.upset.classes import Classed
from fw_tools.upset.emit import Sources, emit
from fw_tools.upset.engine import Array, Engine, Limits
from fw_tools.upset.faults import Faults, Shape, Sort, faults_of
from fw_tools.upset.machine import Machine, machine_of
from fw_tools.upset.native_build import compile_machine, widest_lanes
from fw_tools.upset.observation import Observation, observe
from fw_tools.upset.places import Place
from fw_tools.upset.plan import Exhaustive, Plan, Stratified
from fw_tools.upset.stimulus import RESET_CLOCKS, inputs_of, start_state
from fw_tools.upset.summary import Summary, summarise
from telemetry.common.files import write_text

SETTLED_CLOCKS = 6  # After reset, before the first flip.
FIRST_CLOCK = RESET_CLOCKS + SETTLED_CLOCKS
_TRIAL_FLIPS = 2000
_SPOT_CHECKED = 100  # Members of classes.


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the user may choose; None and empty are for us to decide."""

    block: str = "sequencer"  # Of a payload.
    clocks: int | None = None
    horizon: int | None = None
    alarm_window: int = 16
    hang_after: int | None = None
    within: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    sort: Sort = Sort.FLIPS
    shapes: Sequence[Shape] = ()  # Of `Sort.MULTIPLE`.
    is_feed_forward: bool = False
    inputs: Path | None = None
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    is_exhaustive: bool | None = None
    is_pruned: bool = True  # Flips in memories by classes, where it is exhaustive.
    margin: float = 0.01
    confidence: float = 0.95
    seed: int = 1
    budget_s: float = 60.0  # CPU time that an exhaustive campaign may take unasked.
    lanes: int | None = None
    scheduler: str = ""  # Of dask, in place of processes here.
    rates: UpsetRates | None = None  # In place of those of a payload.


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A design that can be flipped, with its stimulus."""

    gates: Gates
    sources: tuple[Path, ...]  # In compile order.
    parameters: Mapping[str, int | str]
    machine: Machine
    observation: Observation
    faults: Faults
    stimulus: str  # What drives it, in words.
    inputs: Array
    initial: Array
    limits: Limits
    rates: UpsetRates | None
    lanes: int
    library: Path
    digest: str

    @property
    def places(self) -> tuple[Place, ...]:
        """What a fault can happen to."""
        return self.faults.places

    @property
    def end_clock(self) -> int:
        """The first clock in which nothing is flipped any more."""
        return len(self.inputs) - self.limits.horizon


def prepare_payload(spec: Path, folder: Path, choice: Choice) -> Prepared:
    """Return a block of the payload described in `spec`, as `prepare_block` does."""
    rates = choice.rates or load_upset_rates(spec)
    return prepare_block(load_payload(spec), folder, replace(choice, rates=rates))


def prepare_block(
    payload: Payload, folder: Path, choice: Choice, sources: Sequence[Path] = ()
) -> Prepared:
    """Return a block of a payload in its world: by default its power sequencer, or a memory.

    What is not among `sources`, its gateware as it stands, is written to `folder`, for a replay.
    Raises `InputError` where there is no such block.
    """
    files, world = block_world(payload, choice.block)
    standing = {path.name: path for path in sources}
    paths = [standing.get(each.path.name) or _written(each, folder) for each in files]
    limits = Limits(
        horizon=choice.horizon or world.horizon,
        alarm_window=choice.alarm_window,
        hang_after=choice.hang_after or world.hang_after,
    )
    return _prepare(
        [*paths, _written(world.file, folder)],
        world.module,
        replace(choice, within=f"{INSTANCE}.{choice.within}".rstrip(".")),
        limits,
        choice.clocks or world.clocks + limits.horizon,
        world.stimulus,
    )


def _written(file: GeneratedFile, folder: Path) -> Path:
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, file.text)
    return path


def prepare_own(files: Sequence[Path], top: str, choice: Choice) -> Prepared:
    """Return a design of the user's."""
    for path in files:
        if not path.is_file():
            raise InputError(f"{path}: no such file")
    limits = Limits(
        horizon=choice.horizon or 1000,
        alarm_window=choice.alarm_window,
        hang_after=choice.hang_after or 500,
    )
    clocks = choice.clocks or 2000 + limits.horizon
    return _prepare(files, top, choice, limits, clocks, "")


def _prepare(
    files: Sequence[Path], top: str, choice: Choice, limits: Limits, clocks: int, stimulus: str
) -> Prepared:
    gates = analyse(files, top, choice.parameters)
    machine = machine_of(gates)
    observation = observe(machine, choice.roles)
    inputs, words = inputs_of(
        machine, clocks, choice.seed, choice.inputs, is_feed_forward=choice.is_feed_forward
    )
    if len(inputs) <= limits.horizon + RESET_CLOCKS + SETTLED_CLOCKS:
        raise InputError(
            f"{len(inputs)} clocks of stimulus leave none to flip a bit in, "
            f"which is watched for {limits.horizon}: lower --horizon or give more --clocks"
        )
    lanes = choice.lanes or widest_lanes()
    sources = emit(machine, observation)
    initial = start_state(machine, choice.seed)
    faults = faults_of(machine, choice.within, choice.sort, choice.shapes)
    return Prepared(
        gates=gates,
        sources=tuple(files),
        parameters=choice.parameters,
        machine=machine,
        observation=observation,
        faults=faults,
        stimulus=stimulus or words,
        inputs=inputs,
        initial=initial,
        limits=limits,
        rates=choice.rates,
        lanes=lanes,
        library=compile_machine(sources, lanes, has_transients=faults.are_of_nets),
        digest=_digest(sources, inputs, initial, limits, faults.places),
    )


def _digest(
    sources: Sources, inputs: Array, initial: Array, limits: Limits, places: Sequence[Place]
) -> str:
    digest = hashlib.sha256()
    for text in (*sources.gates.values(), sources.tables, sources.calls, repr(limits)):
        digest.update(text.encode())
    for array in (inputs, initial):
        digest.update(array.tobytes())
    digest.update("\n".join(place.name for place in places).encode())
    return digest.hexdigest()


def rates_given(text: str) -> UpsetRates:
    """Return the rate in `text`, as of every bit; raises `ValueError` if it is none."""
    rate = float(parse_rate(text))
    return UpsetRates(orbit="as given", flip_flop=rate, memory=rate, configuration=rate)


# ---- the plan


def make_plan(prepared: Prepared, folder: Path, choice: Choice) -> tuple[Plan, str]:
    """Return the plan of a campaign and in words why; a folder that was begun keeps its own."""
    claimed = claimed_plan(folder, prepared.digest)
    if claimed is not None:
        return _plan(prepared, claimed), f"goes on with what {folder} holds"
    known, why = _decide(prepared, choice)
    claim(folder, prepared.digest, known)
    return _plan(prepared, known), why


def _decide(prepared: Prepared, choice: Choice) -> tuple[dict[str, Any], str]:
    sampled = {
        "kind": "stratified",
        "margin": choice.margin,
        "confidence": choice.confidence,
        "seed": choice.seed,
    }
    kind = "classes" if choice.is_pruned and _has_memory_flips(prepared) else "exhaustive"
    whole = _plan(prepared, {"kind": kind})
    seconds = whole.jobs / _rate(prepared, whole, choice.seed)
    time_words = f"about {seconds:,.0f} s of CPU time"
    if choice.is_exhaustive or (choice.is_exhaustive is None and seconds <= choice.budget_s):
        return {"kind": kind}, time_words
    words = f"all {whole.jobs:,} would take {time_words}"
    return sampled, words if choice.is_exhaustive is None else "as asked for"


def _has_memory_flips(prepared: Prepared) -> bool:
    flip_flops = len(prepared.machine.flip_flops)
    is_single = prepared.faults.sort is Sort.FLIPS
    return is_single and any(place.number >= flip_flops for place in prepared.places)


def _plan(prepared: Prepared, known: Mapping[str, Any]) -> Plan:
    if known["kind"] == "classes":
        with Engine(prepared.library, prepared.inputs, prepared.initial) as engine:
            accesses = engine.accesses()
        return Classed(prepared.faults, prepared.machine, accesses, FIRST_CLOCK, prepared.end_clock)
    if known["kind"] == "exhaustive":
        return Exhaustive(prepared.faults, FIRST_CLOCK, prepared.end_clock)
    return Stratified(
        prepared.faults,
        FIRST_CLOCK,
        prepared.end_clock,
        margin=known["margin"],
        confidence=known["confidence"],
        seed=known["seed"],
    )


def _rate(prepared: Prepared, whole: Plan, seed: int) -> float:
    """Return how many flips a second of CPU time takes, by a trial; check golden on the way."""
    rng = np.random.default_rng(seed)
    start = int(rng.integers(0, whole.tasks))
    injections = whole.task(start)
    few = replace(
        injections,
        cycle=injections.cycle[:_TRIAL_FLIPS],
        kind=injections.kind[:_TRIAL_FLIPS],
        first=injections.first[: _TRIAL_FLIPS + 1],
    )
    with Engine(prepared.library, prepared.inputs, prepared.initial) as engine:
        if engine.unsafe_at is not None:
            raise InputError(
                f"{prepared.machine.top}: without any upset, what must never be is so in clock "
                f"{engine.unsafe_at}; the design or its world is wrong"
            )
        began = time.process_time()
        engine.run(few, prepared.limits)
        return len(few) / max(time.process_time() - began, 1e-6)


# ---- the whole


def run(
    prepared: Prepared, plan: Plan, folder: Path, choice: Choice, processes: int, progress: Progress
) -> Summary:
    """Carry a plan out and return what came of it, which is also written to `folder`."""
    setting = Setting(prepared.library, prepared.inputs, prepared.initial, prepared.limits, plan)
    table = run_campaign(setting, folder, processes, progress, choice.scheduler)
    if isinstance(plan, Classed):
        spot_check(prepared, table, _SPOT_CHECKED, choice.seed)
    flip_flops = len(prepared.machine.flip_flops)
    summary = summarise(plan, table, choice.confidence, prepared.rates, flip_flops)
    write_record(prepared, summary, folder)
    return summary
