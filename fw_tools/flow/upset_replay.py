# SPDX-License-Identifier: Apache-2.0
"""Injections of a campaign done again in Verilator: a sample as a check, one for its waves."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fw_tools.errors import UsageError
from fw_tools.flow.upset import Prepared
from fw_tools.upset.campaign import RESULTS, Table, read_table
from fw_tools.upset.engine import NEVER, Array, Engine, Injections, Outcome
from fw_tools.upset.faults import Injector
from fw_tools.upset.places import Place
from fw_tools.upset.replay import Replay, Stimulus, build_net_replay, build_replay
from fw_tools.upset.replay_outcome import Golden
from fw_tools.upset.summary import Case

_WORK = "replay"
_SALT = 2  # Of the seed.


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One injection in Verilator."""

    outcome: Outcome
    effect: int | None  # Clocks from the injection to what decided it, if anything did.
    clock: int
    golden: Path  # Waves.
    faulty: Path


@dataclass(frozen=True, slots=True)
class Difference:
    """An injection that ended otherwise in Verilator."""

    case: Case
    effect: int
    outcome: Outcome  # In Verilator.
    replayed_effect: int

    def __str__(self) -> str:
        ours, theirs = self.case.outcome.name.lower(), self.outcome.name.lower()
        return (
            f"{self.case.name} is {ours}{_after(self.effect)} here "
            f"and {theirs}{_after(self.replayed_effect)} in Verilator"
        )


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """A sample of a campaign, done again in Verilator."""

    size: int
    transfers: int  # Of golden, each compared.
    is_golden_same: bool
    differences: tuple[Difference, ...]

    @property
    def is_good(self) -> bool:
        """Whether all of it ended as here."""
        return self.is_golden_same and not self.differences

    def __str__(self) -> str:
        if not self.is_golden_same:
            return "without any upset the design does something else in Verilator than here"
        if self.differences:
            found = f"{len(self.differences):,} of {self.size:,} end otherwise in Verilator"
            return f"{found}: {self.differences[0]}"
        return (
            f"{self.size:,} of them, drawn at random from every outcome, end in Verilator as here; "
            f"so do {self.transfers:,} transfers without any upset"
        )


def _after(effect: int) -> str:
    return "" if effect == NEVER else f" after {effect:,} clocks"


def cross_check(prepared: Prepared, folder: Path, sample: int, seed: int) -> CrossCheck:
    """Replay a sample of the results in `folder`, and golden.

    Flips of stored bits are done on the RTL, others on the gates written out as Verilog.
    """
    table = read_table(folder / RESULTS)
    chosen = _draw(table, sample, seed)
    injections = _injections(prepared, table.cycle[chosen], table.place[chosen])
    found = _build(prepared, folder, has_waves=False).run(
        _stimulus(prepared), injections, prepared.limits, prepared.observation
    )
    differs = (found.outcome != table.outcome[chosen]) | (found.effect != table.effect[chosen])
    named = {place.number: place for place in prepared.places}
    differences = [
        Difference(
            Case(Outcome(table.outcome[row]), int(table.cycle[row]), named[int(table.place[row])]),
            int(table.effect[row]),
            Outcome(found.outcome[job]),
            int(found.effect[job]),
        )
        for job, row in enumerate(chosen.tolist())
        if differs[job]
    ]
    assert found.golden is not None  # `run` gives it.
    return CrossCheck(
        len(chosen),
        len(found.golden.transfers),
        _is_golden_same(prepared, found.golden),
        tuple(differences),
    )


def _draw(table: Table, sample: int, seed: int) -> Array:
    """Return rows drawn at random, by clock; the outcomes in turn: a rare one has its part."""
    order = np.random.default_rng([seed, _SALT]).permutation(len(table.outcome))
    turn = np.empty(len(order), np.int64)
    for outcome in Outcome:
        mine = np.flatnonzero(table.outcome[order] == outcome)
        turn[mine] = np.arange(len(mine))
    drawn = np.sort(order[np.argsort(turn, kind="stable")[:sample]])
    return drawn[np.argsort(table.cycle[drawn], kind="stable")]


def _is_golden_same(prepared: Prepared, golden: Golden) -> bool:
    """Return whether the design alone hands the same over in the engine and in Verilator."""
    unsafe = np.flatnonzero(golden.trace.shows("UNSAFE"))
    with Engine(prepared.library, prepared.inputs, prepared.initial) as engine:
        ours = engine.handed_over(len(prepared.observation.data))
        is_safe_same = engine.unsafe_at == (int(unsafe[0]) if len(unsafe) else None)
    return is_safe_same and np.array_equal(ours, golden.transfers)


def replay_one(prepared: Prepared, folder: Path, what: str) -> Replayed:
    """Replay one injection, "CLOCK:PLACE", and write the waves of golden and of the faulty run.

    Raises `UsageError` for a clock or a place that is not there.
    """
    clock, place = _parsed(prepared, what)
    injections = _injections(prepared, np.array([clock]), np.array([place.number]))
    replay = _build(prepared, folder, has_waves=True)
    stimulus = _stimulus(prepared)
    found = replay.run(stimulus, injections, prepared.limits, prepared.observation)
    golden, faulty = folder / _WORK / "golden.vcd", folder / _WORK / "faulty.vcd"
    replay.write_waves(stimulus, injections, prepared.limits.horizon, golden, faulty)
    effect = int(found.effect[0])
    return Replayed(
        outcome=Outcome(found.outcome[0]),
        effect=None if effect == NEVER else effect,
        clock=clock,
        golden=golden,
        faulty=faulty,
    )


def _parsed(prepared: Prepared, what: str) -> tuple[int, Place]:
    clock, _, name = what.partition(":")
    named = {each.name: each for each in sorted(prepared.places, key=lambda each: each.name)}
    if not clock.isdecimal() or int(clock) >= prepared.end_clock:
        raise UsageError(
            f"{what}: give CLOCK:PLACE, with a clock before {prepared.end_clock}, "
            f"as in 100:{next(iter(named))}"
        )
    if name not in named:
        near = [known for known in named if known.startswith(name.partition("[")[0])][:4]
        there = ", ".join(near or list(named)[:4])
        raise UsageError(f"{what}: nothing called {name} is flipped here; there are: {there}, ...")
    return int(clock), named[name]


def _stimulus(prepared: Prepared) -> Stimulus:
    return Stimulus(inputs=prepared.inputs, initial=prepared.initial)


def _injections(prepared: Prepared, cycle: Array, place: Array) -> Injections:
    index = {each.number: index for index, each in enumerate(prepared.places)}
    chosen = np.array([index[number] for number in place.tolist()], np.int64)
    return Injector(prepared.faults).injections(cycle, chosen)


def _build(prepared: Prepared, folder: Path, *, has_waves: bool) -> Replay:
    work = folder / _WORK
    work.mkdir(parents=True, exist_ok=True)
    if not prepared.faults.are_of_state:
        return build_net_replay(prepared.machine, work, has_waves=has_waves)
    return build_replay(
        prepared.gates,
        prepared.machine,
        prepared.sources,
        prepared.parameters,
        work,
        has_waves=has_waves,
    )
