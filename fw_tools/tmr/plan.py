# SPDX-License-Identifier: Apache-2.0
"""Which registers get replicas, and what stays the only one of its kind."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from fw_tools.errors import InputError
from fw_tools.tmr.design import Bit, Bits, Design, Register
from fw_tools.tmr.read_registers import ReadRegister, read_registers

Voters = Literal["triple", "single"]
KINDS = ("register", "module", "clock")
_DEEPEST_SYNCHRONISER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user chose."""

    voters: Voters = "triple"
    left: tuple[tuple[str, str], ...] = ()  # Kind of `KINDS`, pattern: not triplicated.


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A register that is not triplicated."""

    register: Register
    reason: str
    read: ReadRegister | None = None  # As which it belongs to a memory.

    def sink(self) -> tuple[str, Bits]:
        """Return what logic decides of it, under a name."""
        if self.read is None:
            return f"{self.register.name}.next", self.register.d
        enable = () if self.read.enable is None else (self.read.enable,)
        return f"{self.register.name}.enable", enable


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A design, divided."""

    design: Design
    options: Options
    triplicated: tuple[Register, ...]
    left: tuple[Left, ...]

    def sources(self) -> Iterator[tuple[str, Bits]]:
        """Yield what logic takes besides triplicated registers, each under a name."""
        for port in self.design.ports:
            if port.is_input:
                yield port.name, port.bits
        for each in self.left:
            yield each.register.name, each.register.q
        for memory in self.design.memories:
            for index, (_, data) in enumerate(memory.reads):
                yield f"{memory.name}.read{index}_data", data

    def sinks(self) -> Iterator[tuple[str, Bits]]:
        """Yield what takes from logic and has no replicas, each under a name."""
        for port in self.design.ports:
            if not port.is_input:
                yield port.name, port.bits
        yield from (each.sink() for each in self.left)
        for memory in self.design.memories:
            yield from memory.sinks()

    def shared_bits(self) -> set[Bit]:
        """Return the bits of `sources`, and the constants."""
        return {bit for _, bits in self.sources() for bit in bits} | {"0", "1", "x"}


def plan(design: Design, options: Options) -> Plan:
    """Divide a design.

    Raises `InputError` for a pattern that fits nothing, where nothing would be triplicated, and for
    clocks and resets of what is left that logic makes.
    """
    readers = _readers(design)
    read = {each.register.name: each for each in read_registers(design, readers)}
    reasons = dict(_synchronisers(design, readers))
    reasons |= {name: f"it holds what is read of {each.memory}" for name, each in read.items()}
    for kind, pattern in options.left:
        reasons |= dict.fromkeys(_chosen(design, kind, pattern), f"{kind} {pattern}")
    registers = design.registers
    made = Plan(
        design=design,
        options=options,
        triplicated=tuple(each for each in registers if each.name not in reasons),
        left=tuple(
            Left(register=each, reason=reasons[each.name], read=read.get(each.name))
            for each in registers
            if each.name in reasons
        ),
    )
    if not made.triplicated:
        raise InputError(f"{design.top}: no register to triplicate of {len(registers)}")
    _refuse_made_clocks(made)
    return made


def _chosen(design: Design, kind: str, pattern: str) -> Sequence[str]:
    of_kind = {"register": _by_name, "module": _by_module, "clock": _by_clock}[kind]
    named = {each.name: tuple(of_kind(design, each)) for each in design.registers}
    found = [name for name, keys in named.items() if any(fnmatchcase(k, pattern) for k in keys)]
    if not found:
        known = sorted({key for keys in named.values() for key in keys})
        more = f" and {len(known) - 12} more" if len(known) > 12 else ""
        raise InputError(
            f"{design.top}: no {kind} {pattern}; there are: {', '.join(known[:12]) or 'none'}{more}"
        )
    return found


def _by_name(_: Design, register: Register) -> Iterator[str]:
    yield register.name


def _by_module(design: Design, register: Register) -> Iterator[str]:
    """Yield the modules around a register, and its instances."""
    path = register.name
    while "." in path:
        path = path.rpartition(".")[0]
        if path in design.modules:
            yield path
            yield design.modules[path]


def _by_clock(design: Design, register: Register) -> Iterator[str]:
    yield from (port.name for port in design.ports if register.clock in port.bits)


def _synchronisers(design: Design, readers: Mapping[Bit, int]) -> Iterator[tuple[str, str]]:
    """Yield registers that bring a signal into their clock: they have to be there once.

    Three first stages would each decide for themselves what a changing input was.
    """
    owner = {bit: each for each in design.registers for bit in each.q}
    pins = {bit for port in design.ports if port.is_input for bit in port.bits}
    found: dict[str, str] = {}
    for each in design.registers:
        foreign = [owner[bit] for bit in each.d if bit in owner]
        if each.is_synchroniser:
            found[each.name] = "synchroniser, marked async_reg"
        elif any(other.clock != each.clock for other in foreign):
            found[each.name] = "synchroniser, takes from another clock"
        elif _is_chain(each, pins, readers):
            found[each.name] = "synchroniser, a chain from an input"
    yield from _followers(design, found, owner)


def _followers(
    design: Design, found: Mapping[str, str], owner: Mapping[Bit, Register]
) -> Iterator[tuple[str, str]]:
    """Yield `found`, and the second stages behind first ones."""
    yield from found.items()
    for each in design.registers:
        before = {owner[bit].name: owner[bit] for bit in each.d if bit in owner}
        first = before.get(next(iter(before), ""))
        if first and first.q == each.d and each.name not in found and _is_first(first, found):
            yield each.name, "synchroniser, the stage behind one"


def _is_first(register: Register, found: Mapping[str, str]) -> bool:
    """Tell whether a register is a synchroniser's first stage and no more."""
    return register.name in found and not set(register.d) & set(register.q)


def _is_chain(register: Register, pins: set[Bit], readers: Mapping[Bit, int]) -> bool:
    """Tell whether bits follow each other from an input, and only the last one is read."""
    if not 2 <= len(register.q) <= _DEEPEST_SYNCHRONISER:
        return False
    order = list(zip(register.d, register.q, strict=True))
    if order[0][0] not in pins:
        order.reverse()
    follows = all(order[i][0] == order[i - 1][1] for i in range(1, len(order)))
    return order[0][0] in pins and follows and all(readers.get(q, 0) == 1 for _, q in order[:-1])


def _readers(design: Design) -> Mapping[Bit, int]:
    counts: dict[Bit, int] = {}
    words = [bits for each in design.operators for bits in each.inputs.values()]
    words += [each.d for each in design.registers]
    words += [port.bits for port in design.ports if not port.is_input]
    words += [bits for memory in design.memories for _, bits in memory.sinks()]
    for word in words:
        for bit in word:
            counts[bit] = counts.get(bit, 0) + 1
    return counts


def _refuse_made_clocks(made: Plan) -> None:
    pins = {bit for port in made.design.ports if port.is_input for bit in port.bits}
    for each in made.design.registers:
        if each.clock not in pins:
            raise InputError(
                f"{each.place}: {each.name} has a clock that logic makes; "
                "a clock has to come in as a port"
            )
    for one in made.left:
        if one.register.reset is not None and one.register.reset not in pins:
            raise InputError(
                f"{one.register.place}: {one.register.name} is left as it is and has a reset that "
                "logic makes; triplicate it, or bring the reset in as a port"
            )
    for memory in made.design.memories:
        for port in memory.writes:
            if port.clock not in pins:
                raise InputError(f"{memory.place}: {memory.name} has a clock that logic makes")
