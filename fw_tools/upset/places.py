# SPDX-License-Identifier: Apache-2.0
"""What a fault can happen to: every stored bit, every gate, by its number and its name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fw_tools.errors import InputError
from fw_tools.netlist.analysis import GATES
from fw_tools.upset.engine import Kind
from fw_tools.upset.machine import Machine


@dataclass(frozen=True, slots=True)
class Place:
    """What one fault happens to, and what happens to it."""

    number: int  # What it is called in the results; by default what the engine counts.
    name: str  # "u_rail.u_state.code_q[3]", "u_ram.mem[17][2]", "u_rail.u_state.and_4711"
    kind: Kind = Kind.FLIP
    several: tuple[int, ...] = ()  # As the engine counts, where it is not `number`.

    @property
    def is_gate(self) -> bool:
        """Whether it is the output of a gate."""
        return self.kind.is_of_gates

    @property
    def counted(self) -> tuple[int, ...]:
        """Flip-flops, then bits of memories; or a gate's net; or a domain: as the engine counts."""
        return self.several or (self.number,)

    @property
    def module(self) -> str:
        """The instance that it is in; "" is the top."""
        return self.name.rpartition(".")[0]

    @property
    def register(self) -> str:
        """The register or memory that it is a bit of; of a gate the instance that it is in."""
        if self.is_gate:
            return self.module or "the top"
        above, dot, last = self.name.rpartition(".")
        return f"{above}{dot}{last.partition('[')[0]}"


def places_of(machine: Machine, within: str = "", *, are_gates: bool = False) -> list[Place]:
    """Return the stored bits of a machine below the instance `within`, or its gates.

    Raises `InputError` where there are none.
    """
    everything = _gates(machine) if are_gates else _bits(machine)
    found = [
        place
        for place in everything
        if not within or place.name.startswith((f"{within}.", f"{within}["))
    ]
    if not found:
        below = f" within {within}" if within else ""
        none = "there is no gate" if are_gates else "nothing is stored"
        raise InputError(f"{machine.top}: {none}{below}; {_instances(machine)}")
    return found


def bits_stored(machine: Machine) -> int:
    """Return how many bits a machine stores, those of tables left out."""
    return len(machine.flip_flops) + sum(each.width * each.depth for each in machine.memories)


def _gates(machine: Machine) -> Iterator[Place]:
    for gate in machine.gates:
        if gate.kind in GATES:
            yield Place(gate.outputs[0], gate.name, Kind.TRANSIENT)


def _bits(machine: Machine) -> Iterator[Place]:
    for number, each in enumerate(machine.flip_flops):
        yield Place(number, each.name)
    number = len(machine.flip_flops)
    for memory in machine.memories:
        for bit in range(memory.width * memory.depth):
            if memory.writes:  # Without a write port it is a table, which is logic.
                word, place = divmod(bit, memory.width)
                yield Place(number + bit, f"{memory.name}[{word}][{place}]")
        number += memory.width * memory.depth


def _instances(machine: Machine) -> str:
    names = sorted({each.name.partition(".")[0] for each in machine.flip_flops if "." in each.name})
    return f"instances: {', '.join(names[:8])}" if names else "it has no instances"


def modules_of(places: Sequence[Place]) -> dict[str, list[Place]]:
    """Return places by the instance that they are in."""
    found: dict[str, list[Place]] = {}
    for place in places:
        found.setdefault(place.module, []).append(place)
    return found
