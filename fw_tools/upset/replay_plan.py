# SPDX-License-Identifier: Apache-2.0
"""What a replay tells its simulation program: which bits of the model, and what happens to them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from fw_tools.netlist.records import CONSTANTS, Net
from fw_tools.upset.engine import Array, Injections, Kind
from fw_tools.upset.machine import Machine


def model_lines(machine: Machine, signals: Mapping[str, Sequence[Net]]) -> Iterator[str]:
    """Yield the lines of a plan for a model of the RTL; `signals` are those of its netlist.

    A flip-flop stands under every name of its net: that of the register is among them. So does its
    reset, with the level that holds it.
    """
    names = _names_by_net(signals)
    inverted: dict[Net | None, Net] = {
        gate.outputs[0]: gate.inputs[0] for gate in machine.gates if gate.kind == "$_NOT_"
    }
    yield from port_lines(machine)
    for each in machine.flip_flops:
        kinds = ("flip_flop", *["alias"] * len(names.get(each.q, ())))
        for kind, (name, bit) in zip(kinds, names.get(each.q, ((each.name, 0),)), strict=False):
            yield f"{kind} {name} {bit}"
        for held, net in enumerate((each.reset, inverted.get(each.reset))):
            nearest = sorted(names.get(net, ()), key=lambda name: name[0].count("."))[:1]
            yield from (f"held_{held} {name} {bit}" for name, bit in nearest)
    for memory in machine.memories:
        yield f"memory {memory.name} {memory.depth} {memory.width}"


def _names_by_net(signals: Mapping[str, Sequence[Net]]) -> dict[Net | None, list[tuple[str, int]]]:
    names: dict[Net | None, list[tuple[str, int]]] = {}
    for name, nets in signals.items():
        for bit, net in enumerate(nets):
            if net >= CONSTANTS:
                names.setdefault(net, []).append((name, bit))
    return names


def port_lines(machine: Machine) -> Iterator[str]:
    """Yield the lines of the clock, the inputs and the outputs of a top."""
    if machine.clock:
        yield f"clock {machine.clock} 0"
    for kind, ports in (("input", machine.inputs), ("output", machine.outputs)):
        for name, nets in ports.items():
            yield from (f"{kind} {name} {bit}" for bit in range(len(nets)))


def write_plan(folder: Path, top: str, lines: Sequence[str], inputs: Array, initial: Array) -> None:
    """Write a plan with its stimulus: an octet for each input bit and clock, and stored bit."""
    (folder / "plan.txt").write_text("\n".join([f"{top} {len(inputs)}", *lines, ""]))
    (folder / "inputs.bin").write_bytes(np.ascontiguousarray(inputs, np.uint8).tobytes())
    (folder / "initial.bin").write_bytes(np.ascontiguousarray(initial, np.uint8).tobytes())


def write_jobs(folder: Path, injections: Injections, horizon: int) -> None:
    """Write what is injected when, and how long it is watched."""
    words = [horizon]
    for job, (cycle, kind) in enumerate(zip(injections.cycle, injections.kind, strict=True)):
        places = injections.places[injections.first[job] : injections.first[job + 1]]
        if Kind(kind).is_of_domain:
            places = injections.domains[places[0]]
        words += [int(cycle), int(kind), len(places), *map(int, places)]
    (folder / "jobs.bin").write_bytes(np.array(words, np.uint32).tobytes())
