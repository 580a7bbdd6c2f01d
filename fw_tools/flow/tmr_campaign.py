# SPDX-License-Identifier: Apache-2.0
"""Every flip-flop of the replicas flipped in the netlist that synthesis left, inputs at random.

Each flip has to be told by the error outputs, to reach nothing outside, and to be gone one clock
later.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fw_tools.errors import InputError
from fw_tools.netlist.mapped import analyse_mapped
from fw_tools.netlist.records import Netlist
from fw_tools.tmr.naming import ERROR
from fw_tools.tmr.plan import Plan
from fw_tools.tmr.render import Rendered
from fw_tools.tmr.survival import flip_flop_behind, stored_signals
from fw_tools.upset.emit import emit
from fw_tools.upset.engine import Array, Engine, Injections, Kind, Limits, Outcome
from fw_tools.upset.machine import Machine, machine_of
from fw_tools.upset.native_build import compile_machine, widest_lanes
from fw_tools.upset.observation import observe
from fw_tools.upset.places import bits_stored

CLOCKS = 256
_RESET_CLOCKS = 4
_MOST_FLIPS = 1_000_000
_SEED = 1
_LIMITS = Limits(horizon=2, alarm_window=2, hang_after=CLOCKS)  # Healed at the first edge.


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What came of it for one family."""

    family: str
    flips: int
    is_exhaustive: bool  # Every flip-flop in every clock.
    harmed: tuple[str, ...]  # Flip-flops a flip of which was seen outside, not told or not healed.
    refusal: str = ""  # Why there was none.


def run_campaign(document: bytes, netlist: Netlist, plan: Plan, rendered: Rendered) -> Campaign:
    """Flip the replicas of a result in its netlist: Yosys' JSON, and the same as read."""
    try:
        gates = analyse_mapped(document, netlist.top, netlist.family)
        machine = machine_of(gates)
    except InputError as error:
        return Campaign(
            family=netlist.family, flips=0, is_exhaustive=False, harmed=(), refusal=str(error)
        )
    stored = {each.q: number for number, each in enumerate(machine.flip_flops)}
    numbers = {}
    for name, net in _replicas(netlist, plan, rendered):
        signal, bit = net
        numbers[stored[gates.netlist.signals[signal][bit]]] = name
    injections = _injections(sorted(numbers))
    outcome = _outcomes(machine, plan, injections)
    harmed = np.unique(injections.places[outcome != Outcome.CORRECTED]).tolist()
    return Campaign(
        family=netlist.family,
        flips=len(injections),
        is_exhaustive=len(injections) == len(numbers) * _clocks().size,
        harmed=tuple(numbers[number] for number in harmed),
    )


def _replicas(
    netlist: Netlist, plan: Plan, rendered: Rendered
) -> Sequence[tuple[str, tuple[str, int]]]:
    """Return each flip-flop of a replica: what it is of, and a name of the net that it drives."""
    called = {
        net: (signal, bit)
        for signal, nets in netlist.signals.items()
        for bit, net in enumerate(nets)
    }
    found = []
    for name, width in stored_signals(plan, rendered):
        for bit, net in enumerate(netlist.signals.get(name, ())[:width]):
            cell = flip_flop_behind(netlist, net)
            if cell is not None:
                label = f"{name}[{bit}]" if width > 1 else name
                found.append((label, called[cell.pins["Q"][0]]))
    return found


def _clocks() -> Array:
    return np.arange(2 * _RESET_CLOCKS, CLOCKS - _LIMITS.horizon, dtype=np.uint32)


def _injections(places: Sequence[int]) -> Injections:
    clocks = _clocks()
    every = len(places) * len(clocks)
    chosen = np.arange(every)
    if every > _MOST_FLIPS:
        chosen = np.random.default_rng(_SEED).choice(every, _MOST_FLIPS, replace=False)
        chosen.sort()
    return Injections(
        cycle=clocks[chosen // len(places)],
        kind=np.full(len(chosen), Kind.FLIP, np.uint8),
        first=np.arange(len(chosen) + 1, dtype=np.uint32),
        places=np.asarray(places, np.uint32)[chosen % len(places)],
    )


def _outcomes(machine: Machine, plan: Plan, injections: Injections) -> Array:
    library = compile_machine(
        emit(machine, observe(machine, {ERROR: "corrected"})),
        widest_lanes(),
        has_transients=False,
    )
    rng = np.random.default_rng([_SEED, 1])
    inputs = rng.integers(0, 2, (CLOCKS, sum(map(len, machine.inputs.values()))), np.uint8)
    _hold_resets(machine, plan, inputs)
    initial = rng.integers(0, 2, bits_stored(machine), np.uint8)
    with Engine(library, inputs, initial) as engine:
        return engine.run(injections, _LIMITS).outcome


def _hold_resets(machine: Machine, plan: Plan, inputs: Array) -> None:
    """Reset for a few clocks, then never again."""
    resets = {each.reset: each.is_reset_high for each in plan.design.registers}
    levels = {
        port.name: resets[port.bits[0]]
        for port in plan.design.ports
        if port.is_input and len(port.bits) == 1 and port.bits[0] in resets
    }
    names = [name for name, nets in machine.inputs.items() for _ in nets]
    for name, is_high in levels.items():
        column = names.index(name)
        inputs[:, column] = not is_high
        inputs[:_RESET_CLOCKS, column] = is_high
