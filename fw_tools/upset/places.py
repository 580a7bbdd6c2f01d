# SPDX-License-Identifier: Apache-2.0
"""What can be flipped: every stored bit by its number and its name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fw_tools.errors import InputError
from fw_tools.upset.machine import Machine


@dataclass(frozen=True, slots=True)
class Place:
    """One stored bit."""

    number: int  # As the engine counts: flip-flops, then bits of memories.
    name: str  # "u_rail.u_state.code_q[3]", "u_ram.mem[17][2]"

    @property
    def module(self) -> str:
        """The instance that it is in; "" is the top."""
        return self.name.rpartition(".")[0]

    @property
    def register(self) -> str:
        """The register, or memory, that it is a bit of."""
        above, dot, last = self.name.rpartition(".")
        return f"{above}{dot}{last.partition('[')[0]}"


def places_of(machine: Machine, within: str = "") -> list[Place]:
    """Return the stored bits of a machine below the instance `within`.

    Raises `InputError` where nothing is stored there.
    """
    found = [
        place
        for place in _all_places(machine)
        if not within or place.name.startswith((f"{within}.", f"{within}["))
    ]
    if not found:
        below = f" within {within}" if within else ""
        raise InputError(f"{machine.top}: nothing is stored{below}; {_instances(machine)}")
    return found


def bits_stored(machine: Machine) -> int:
    """Return how many bits a machine stores, those of tables left out."""
    return len(machine.flip_flops) + sum(each.width * each.depth for each in machine.memories)


def _all_places(machine: Machine) -> Iterator[Place]:
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
