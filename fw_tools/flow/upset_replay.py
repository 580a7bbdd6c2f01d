# SPDX-License-Identifier: Apache-2.0
"""Flips of a campaign done once more in Verilator: a sample to check the engine, one for its waves."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fw_tools.errors import UsageError, VerificationError
from fw_tools.flow.upset import Prepared
from fw_tools.upset.campaign import RESULTS, Table, read_table
from fw_tools.upset.engine import Array, Injections, Kind, Outcome
from fw_tools.upset.places import Place
from fw_tools.upset.replay import Replay, Stimulus, build_net_replay, build_replay

_WORK = "replay"


@dataclass(frozen=True, slots=True)
class Replayed:
    """One flip in Verilator."""

    outcome: Outcome
    golden: Path  # Waves.
    faulty: Path


def cross_check(prepared: Prepared, folder: Path, sample: int, seed: int) -> int:
    """Replay a sample of the results in `folder` and return its size.

    Flips of stored bits are done on the RTL, transients on the gates written out as Verilog.

    Raises:
        VerificationError: Verilator and the engine differ; the message names the first flip.
    """
    table = read_table(folder / RESULTS)
    rng = np.random.default_rng([seed, 2])
    size = min(sample, len(table.outcome))
    chosen = np.sort(rng.choice(len(table.outcome), size, replace=False))
    injections = _injections(prepared, table.cycle[chosen], table.place[chosen])
    found = _build(prepared, folder, has_waves=False).run(
        _stimulus(prepared), injections, prepared.limits, prepared.observation
    )
    differs = (found.outcome != table.outcome[chosen]) | (found.effect != table.effect[chosen])
    if differs.any():
        _refuse(
            prepared, table, int(chosen[differs.argmax()]), int(found.outcome[differs.argmax()])
        )
    return size


def _refuse(prepared: Prepared, table: Table, row: int, outcome: int) -> None:
    named = {place.number: place.name for place in prepared.places}
    raise VerificationError(
        f"our bug: {named[int(table.place[row])]} flipped in clock {int(table.cycle[row])} is "
        f"{Outcome(int(table.outcome[row])).name.lower()} here and {Outcome(outcome).name.lower()} "
        "in Verilator, or at another clock; please tell us"
    )


def replay_one(prepared: Prepared, folder: Path, what: str) -> Replayed:
    """Replay one flip, "CLOCK:PLACE", and write the waves of golden and of the faulty run.

    Raises `UsageError` for a clock or a place that is not there.
    """
    clock, place = _parsed(prepared, what)
    injections = _injections(prepared, np.array([clock]), np.array([place.number]))
    replay = _build(prepared, folder, has_waves=True)
    stimulus = _stimulus(prepared)
    found = replay.run(stimulus, injections, prepared.limits, prepared.observation)
    golden, faulty = folder / "golden.vcd", folder / "faulty.vcd"
    replay.write_waves(stimulus, injections, prepared.limits.horizon, golden, faulty)
    return Replayed(Outcome(int(found.outcome[0])), golden, faulty)


def _parsed(prepared: Prepared, what: str) -> tuple[int, Place]:
    clock, _, name = what.partition(":")
    named = {place.name: place for place in prepared.places}
    if not clock.isdecimal() or int(clock) >= prepared.end_clock:
        raise UsageError(
            f"{what}: give CLOCK:PLACE, with a clock before {prepared.end_clock}, "
            f"as in 100:{prepared.places[0].name}"
        )
    if name not in named:
        near = [known for known in named if known.startswith(name.partition("[")[0])][:4]
        there = ", ".join(near or list(named)[:4])
        raise UsageError(f"{what}: nothing called {name} is flipped here; there are: {there}, ...")
    return int(clock), named[name]


def _stimulus(prepared: Prepared) -> Stimulus:
    return Stimulus(inputs=prepared.inputs, initial=prepared.initial)


def _injections(prepared: Prepared, cycle: Array, place: Array) -> Injections:
    kind = Kind.TRANSIENT if prepared.places[0].is_gate else Kind.FLIP
    return Injections(
        cycle=cycle.astype(np.uint32),
        kind=np.full(len(cycle), kind, np.uint8),
        first=np.arange(len(cycle) + 1, dtype=np.uint32),
        places=place.astype(np.uint32),
    )


def _build(prepared: Prepared, folder: Path, *, has_waves: bool) -> Replay:
    work = folder / _WORK
    work.mkdir(exist_ok=True)
    if prepared.places[0].is_gate:
        return build_net_replay(prepared.machine, work, has_waves=has_waves)
    return build_replay(
        prepared.gates,
        prepared.machine,
        prepared.sources,
        prepared.parameters,
        work,
        has_waves=has_waves,
    )
