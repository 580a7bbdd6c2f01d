# SPDX-License-Identifier: Apache-2.0
"""The sorts of faults that a campaign injects, and where each can happen.

Neighbours are those of the declaration: bits of a word, or of a register. What lies side by side
after placement, or in a memory whose words are interleaved, is for the user to give as a shape.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from fw_tools.errors import InputError
from fw_tools.upset.engine import Array, Injections, Kind
from fw_tools.upset.machine import FlipFlop, Machine
from fw_tools.upset.places import Place, places_of

Shape = tuple[tuple[int, int], ...]  # Of each flipped bit: words and bits from the first on.


class Sort(StrEnum):
    """What a campaign injects."""

    FLIPS = "flips"
    TRANSIENTS = "transients"
    MULTIPLE = "multiple"  # Several bits at once.
    STUCK_BITS = "stuck-bits"
    STUCK_NETS = "stuck-nets"
    RESETS = "resets"
    CLOCKS = "clocks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What faults of a sort, and what they happen to, are called."""

    faults: str
    places: str
    place: str


WORDS = {
    Sort.FLIPS: Words(faults="flips", places="bits", place="bit"),
    Sort.TRANSIENTS: Words(faults="transients", places="gates", place="gate"),
    Sort.MULTIPLE: Words(faults="multiple flips", places="groups", place="group"),
    Sort.STUCK_BITS: Words(faults="stuck bits", places="values", place="value of a bit"),
    Sort.STUCK_NETS: Words(faults="stuck nets", places="values", place="value of a gate"),
    Sort.RESETS: Words(faults="reset glitches", places="domains", place="domain"),
    Sort.CLOCKS: Words(faults="clock faults", places="ways", place="way"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What may happen in any clock."""

    places: tuple[Place, ...]
    sort: Sort = Sort.FLIPS
    domains: tuple[Array, ...] = ()  # See `Injections`.

    @property
    def are_of_nets(self) -> bool:
        """Whether the machine must be compiled with faults of gates."""
        return self.sort in (Sort.TRANSIENTS, Sort.STUCK_BITS, Sort.STUCK_NETS)

    @property
    def are_of_state(self) -> bool:
        """Whether they only invert stored bits, which every simulator can do."""
        return self.sort in (Sort.FLIPS, Sort.MULTIPLE)


class Injector:
    """Makes injections of faults, each named by its index."""

    def __init__(self, faults: Faults) -> None:
        counted = [place.counted for place in faults.places]
        self._domains = faults.domains
        self._numbers = np.array([place.number for place in faults.places], np.uint32)
        self._kinds = np.array([place.kind for place in faults.places], np.uint8)
        self._lengths = np.array([len(each) for each in counted])
        self._starts = np.cumsum(self._lengths) - self._lengths
        self._counted = np.array([number for each in counted for number in each], np.uint32)

    def injections(
        self,
        cycle: Array,
        index: Array,
        weights: Array | None = None,
        ruled: Array | None = None,
    ) -> Injections:
        """Return a job for each clock, which do not fall, and each index of a fault."""
        lengths = self._lengths[index]
        first = np.concatenate(([0], np.cumsum(lengths)))
        of_each = np.arange(first[-1]) + np.repeat(self._starts[index] - first[:-1], lengths)
        return Injections(
            cycle=cycle.astype(np.uint32),
            kind=self._kinds[index],
            first=first.astype(np.uint32),
            places=self._counted[of_each],
            numbers=self._numbers[index],
            domains=self._domains,
            weights=weights,
            ruled=ruled,
        )


def faults_of(
    machine: Machine, within: str = "", sort: Sort = Sort.FLIPS, shapes: Sequence[Shape] = ()
) -> Faults:
    """Return the faults of a sort below the instance `within`; `shapes` are those of `MULTIPLE`.

    Raises `InputError` where there are none.
    """
    if sort in (Sort.RESETS, Sort.CLOCKS):
        places, domains = (_resets if sort is Sort.RESETS else _clocks)(machine, within)
        return Faults(places=places, sort=sort, domains=domains)
    are_gates = sort in (Sort.TRANSIENTS, Sort.STUCK_NETS)
    found = places_of(machine, within, are_gates=are_gates)
    if sort in (Sort.STUCK_BITS, Sort.STUCK_NETS):
        found = _stuck(machine, found, are_gates=are_gates)
    elif sort is Sort.MULTIPLE:
        found = _multiple(machine, found, shapes)
    return Faults(places=tuple(found), sort=sort)


def _stuck(machine: Machine, places: Sequence[Place], *, are_gates: bool) -> list[Place]:
    """Return each flip-flop or gate twice; bits of memories are left out."""
    kinds = (Kind.NET_STUCK_0, Kind.NET_STUCK_1) if are_gates else (Kind.STUCK_0, Kind.STUCK_1)
    found = [
        Place(2 * place.number + value, f"{place.name}={value}", kind, (place.number,))
        for place in places
        if are_gates or place.number < len(machine.flip_flops)
        for value, kind in enumerate(kinds)
    ]
    if not found:
        raise InputError(f"{machine.top}: only memories are stored there, and none gets stuck")
    return found


# ---- several bits at once

_BIT = re.compile(r"^(?P<array>.*?)(?:\[(?P<word>\d+)\])?\[(?P<bit>\d+)\]$")


def parse_shapes(text: str) -> list[Shape]:
    """Return the shapes that `text` names: "3", "2..4" bits in a row; "0,2" or "0:0,1:0" by place.

    The latter are offsets of bits, or of words and bits, from the first. Raises `ValueError`.
    """
    row = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", text)
    if row:
        least, most = int(row[1]), int(row[2] or row[1])
        if not 2 <= least <= most:
            raise ValueError(f"{text}: two bits or more in a row, as 2 or 2..4")
        return [tuple((0, bit) for bit in range(count)) for count in range(least, most + 1)]
    if not re.fullmatch(r"\d+(:\d+)?(,\d+(:\d+)?)+", text):
        raise ValueError(f"{text}: no shape; give 2..4, or offsets as 0,2 or 0:0,1:0")
    offsets = [tuple(map(int, part.split(":"))) for part in text.split(",")]
    shape = tuple((each[0], each[1]) if len(each) == 2 else (0, each[0]) for each in offsets)
    if shape[0] != (0, 0) or len(set(shape)) != len(shape):
        raise ValueError(f"{text}: offsets begin with 0, and none is there twice")
    return [shape]


def _multiple(machine: Machine, places: Sequence[Place], shapes: Sequence[Shape]) -> list[Place]:
    """Return every group of bits that has a shape and lies within one register or memory."""
    grid = _grid(machine, places)
    found: list[Place] = []
    for shape in shapes:
        for (array, word, bit), _ in sorted(grid.items(), key=lambda item: item[1]):
            corners = [(array, word + down, bit + along) for down, along in shape]
            if all(corner in grid for corner in corners):
                numbers = tuple(grid[corner] for corner in corners)
                name = _group_name(corners, has_words=numbers[0] >= len(machine.flip_flops))
                found.append(Place(len(found), name, Kind.FLIP, numbers))
    if not found:
        raise InputError(f"{machine.top}: no register or memory is wide enough for such a group")
    return found


def _grid(machine: Machine, places: Sequence[Place]) -> dict[tuple[str, int, int], int]:
    """Return the number of each bit by its register or memory, its word and its place."""
    grid = {}
    for place in places:
        match = _BIT.match(place.name)
        if match is None:
            continue  # A register of one bit has no neighbour.
        if place.number < len(machine.flip_flops) and match["word"]:
            continue
        grid[match["array"], int(match["word"] or 0), int(match["bit"])] = place.number
    return grid


def _group_name(corners: Sequence[tuple[str, int, int]], *, has_words: bool) -> str:
    words: dict[int, list[str]] = {}
    for _, word, bit in corners:
        words.setdefault(word, []).append(str(bit))
    bits = {word: f"[{','.join(found)}]" for word, found in words.items()}
    parts = [f"[{word}]{each}" if has_words else each for word, each in bits.items()]
    return corners[0][0] + "+".join(parts)


# ---- domains


def _inside(name: str, within: str) -> bool:
    return not within or name.startswith((f"{within}.", f"{within}["))


def _flip_flops(machine: Machine, within: str) -> Iterator[tuple[int, FlipFlop]]:
    for number, each in enumerate(machine.flip_flops):
        if _inside(each.name, within):
            yield number, each


def _resets(machine: Machine, within: str) -> tuple[tuple[Place, ...], tuple[Array, ...]]:
    """Return a domain for each reset, named after what drives it; an inverter is looked through."""
    inverted = {g.outputs[0]: g.inputs[0] for g in machine.gates if g.kind == "$_NOT_"}
    names = {net: gate.name for gate in machine.gates for net in gate.outputs}
    names |= {each.q: each.name for each in machine.flip_flops}
    names |= {net: name for name, nets in machine.inputs.items() for net in nets}
    domains: dict[int, list[int]] = {}
    for number, each in _flip_flops(machine, within):
        if each.reset is not None:
            domains.setdefault(inverted.get(each.reset, each.reset), []).append(number)
    if not domains:
        raise InputError(f"{machine.top}: nothing there has an asynchronous reset")
    places = tuple(
        Place(index, names.get(net, f"net_{net}"), Kind.RESET) for index, net in enumerate(domains)
    )
    return places, tuple(np.array(members, np.uint32) for members in domains.values())


def _clocks(machine: Machine, within: str) -> tuple[tuple[Place, ...], tuple[Array, ...]]:
    """Return a tick that is lost and one that is too many: of the one clock, below `within`."""
    members = [number for number, _ in _flip_flops(machine, within)]
    members += [
        len(machine.flip_flops) + index
        for index, memory in enumerate(machine.memories)
        if memory.writes and _inside(memory.name, within)
    ]
    if not members:
        raise InputError(f"{machine.top}: nothing there has a clock")
    lost = Place(0, f"{machine.clock} loses a tick", Kind.CLOCK_LOST, (0,))
    extra = Place(1, f"{machine.clock} ticks twice", Kind.CLOCK_EXTRA, (0,))
    return (lost, extra), (np.array(members, np.uint32),)
