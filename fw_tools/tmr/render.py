# SPDX-License-Identifier: Apache-2.0
"""A plan as SystemVerilog: one module that is there three times, and one around them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from fw_tools.errors import InputError
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.library import library_files
from fw_tools.rtl.render import header
from fw_tools.tmr.design import Bit, Bits, Register
from fw_tools.tmr.logic import LogicWriter, Step, assignment, settle
from fw_tools.tmr.plan import Left, Plan
from fw_tools.tmr.text import (
    ModuleText,
    PortLine,
    flip_flops,
    instance,
    kept_flip_flops,
    memory_block,
    memory_index,
)
from fw_tools.tmr.words import Names, Words, declaration, identifier

REPLICAS = 3
ERROR = "tmr_error_o"
_KEPT = '(* keep_hierarchy = "yes" *)'
_CELLS = ("kept_flip_flops", "tmr_majority")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text of a result, and what its parts are called there."""

    files: tuple[GeneratedFile, ...]
    stored: Mapping[str, str]  # Register of the sources -> its flip-flops in a replica.
    single: Mapping[str, str]  # Register that is left -> its name in the top.
    exports: tuple[str, ...]  # What a replica hands over besides what it stores.
    memories: Mapping[str, str]
    boundary_voter_bits: int
    single_voter_bits: int


def render(plan: Plan, digest: str) -> Rendered:
    """Return the files of a plan, in the folder `rtl`."""
    return _Renderer(plan, digest).render()


@dataclass(frozen=True, slots=True)
class _Names:
    """What registers are called, in every module alike."""

    voted: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    memories: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)


class _Renderer:
    def __init__(self, plan: Plan, digest: str) -> None:
        self._plan = plan
        self._digest = digest
        self._top = plan.design.top
        self._is_triple = plan.options.voters == "triple"
        self._names = _Names()
        self._exports: dict[Bits, str] = {}
        self._needs: set[Bit] = set()  # What a replica with its logic takes.
        ports = [port.name for port in plan.design.ports]
        if ERROR in ports:
            raise InputError(f"{self._top}: has a port {ERROR} already; give it another name")
        taken = Names([*ports, ERROR, "unused", *_reserved()])
        for each in plan.triplicated:
            self._names.voted[each.name] = _free(taken, each.name, ports)
        for name, _ in plan.sources():
            is_port = name in ports and all(name != one.register.name for one in plan.left)
            self._names.sources[name] = name if is_port else taken.take(identifier(name))
        for memory in plan.design.memories:
            self._names.memories[memory.name] = taken.take(identifier(memory.name))
        self._taken = taken

    def render(self) -> Rendered:
        shared = self._plan.shared_bits()
        sinks = list(self._plan.sinks())
        if self._is_triple:
            self._exports = self._named_exports(sinks, shared)
        replica = self._replica() if self._is_triple else self._bank()
        top = self._around(sinks)
        files = (
            GeneratedFile(PurePosixPath(f"rtl/{self._top}_replica.sv"), replica),
            GeneratedFile(PurePosixPath(f"rtl/{self._top}.sv"), top),
            *library_files(*_CELLS),
        )
        order = (
            *(f"lib/{cell}.sv" for cell in _CELLS),
            f"{self._top}_replica.sv",
            f"{self._top}.sv",
        )
        listing = "".join(f"{name}\n" for name in order)
        left = [one.register.name for one in self._plan.left]
        voted_bits = sum(len(each.q) for each in self._plan.triplicated)
        return Rendered(
            files=(*files, GeneratedFile(PurePosixPath("rtl/filelist.f"), listing)),
            stored={name: f"{voted}_stored" for name, voted in self._names.voted.items()},
            single={name: self._names.sources[name] for name in left},
            exports=tuple(self._exports.values()),
            memories=self._names.memories,
            boundary_voter_bits=sum(map(len, self._exports)),
            single_voter_bits=0 if self._is_triple else voted_bits,
        )

    def _named_exports(
        self, sinks: Sequence[tuple[str, Bits]], shared: set[Bit]
    ) -> dict[Bits, str]:
        """Return what replicas hand over, and the port under which they do."""
        outputs = {port.name for port in self._plan.design.ports if not port.is_input}
        found: dict[Bits, str] = {}
        for name, bits in sinks:
            made = tuple(bit for bit in bits if bit not in shared)
            if made and made not in found:
                is_port = name in outputs and made == bits
                found[made] = name if is_port else self._taken.take(f"{identifier(name)}_o")
        return found

    def _head(self, what: str, *more: str) -> str:
        lines = "".join(f"// {line}\n" if line else "//\n" for line in ("", *more))
        return header("//", self._digest, what) + lines

    # What is there three times.

    def _replica(self) -> str:
        plan = self._plan
        sinks = [each.d for each in plan.triplicated]
        sinks += [(each.reset,) for each in plan.triplicated if each.reset is not None]
        steps = settle(plan.design, [*sinks, *self._exports])
        clocks = [(each.clock,) for each in plan.triplicated]
        text = ModuleText(f"{self._top}_replica")
        words, names = Words(), Names(self._all_names())
        self._needs = _needed(steps, [*sinks, *self._exports, *clocks])
        inputs = list(self._inputs(self._needs))
        for name, bits in inputs:
            text.ports.append(PortLine("input", len(bits), name))
            words.declare(name, bits)
        for each in plan.triplicated:
            text.ports += self._exchanged(each)
            words.declare(self._names.voted[each.name], each.q)
        for bits, name in self._exports.items():
            text.ports.append(PortLine("output", len(bits), name))
        text.ports.append(PortLine("output", 1, "error_o"))
        body = LogicWriter(plan.design, words, names, self._exports).write(
            steps, [*sinks, *self._exports, *clocks]
        )
        for each in plan.triplicated:
            text.declarations += self._declared(each)
        text.declarations += body.declarations
        text.lines += body.assignments
        for each in plan.triplicated:
            name = self._names.voted[each.name]
            text.lines += ["", *self._next(each, words)]
            text.lines += kept_flip_flops(each, name, f"{name}_next", words)
            text.lines += self._voter(each)
        text.lines += ["", *self._handed_over(words), *self._disagreement()]
        text.sink([*inputs, *body.words], words)
        head = self._head(
            f"One of three replicas of {self._top}.",
            "Holds all of its logic and a copy of each register. NAME_stored are the flip-flops of",
            "this replica, NAME is what the majority of the three holds. Logic reads that alone: a",
            "flip-flop that was upset takes over what is right at the next clock, written or not.",
            "error_o: a flip-flop of this replica is outvoted.",
        )
        return head + "\n" + text.render(_KEPT)

    def _bank(self) -> str:
        plan = self._plan
        pins = {bit for port in plan.design.ports if port.is_input for bit in port.bits}
        for each in plan.triplicated:
            if each.reset is not None and each.reset not in pins:
                raise InputError(
                    f"{each.place}: {each.name} has a reset that logic makes; "
                    "choose triple voters, or bring the reset in as a port"
                )
        text = ModuleText(f"{self._top}_replica")
        words = Words()
        for name, bits in self._inputs(_controls(plan.triplicated)):
            text.ports.append(PortLine("input", len(bits), name))
            words.declare(name, bits)
        for each in plan.triplicated:
            name, width = self._names.voted[each.name], len(each.q)
            text.ports.append(PortLine("input", width, f"{name}_next_i"))
            text.ports.append(PortLine("output", width, f"{name}_stored_o"))
            text.declarations.append(f"{declaration(f'{name}_stored', width)};")
            text.lines += [
                f"// {each.place}",
                *kept_flip_flops(each, name, f"{name}_next_i", words),
                f"assign {name}_stored_o = {name}_stored;",
                "",
            ]
        text.lines.pop()
        words.used.update(_controls(plan.triplicated))
        text.sink(list(self._inputs(_controls(plan.triplicated))), words)
        head = self._head(f"The registers of {self._top}, one of three replicas.")
        return head + "\n" + text.render(_KEPT)

    def _exchanged(self, register: Register) -> Iterator[PortLine]:
        name, width = self._names.voted[register.name], len(register.q)
        yield PortLine("output", width, f"{name}_stored_o")
        yield PortLine("input", width, f"{name}_other1_i")
        yield PortLine("input", width, f"{name}_other2_i")

    def _declared(self, register: Register) -> Iterator[str]:
        name, width = self._names.voted[register.name], len(register.q)
        yield f"{declaration(f'{name}_next', width)}, {name}_stored, {name};"

    def _next(self, register: Register, words: Words) -> list[str]:
        name = self._names.voted[register.name]
        return assignment(f"{name}_next", words.text(register.d), register.place)

    def _voter(self, register: Register) -> list[str]:
        name = self._names.voted[register.name]
        pins = {
            "a_i": f"{name}_stored",
            "b_i": f"{name}_other1_i",
            "c_i": f"{name}_other2_i",
            "majority_o": name,
        }
        voter = instance("tmr_majority", f"u_vote_{name}", pins, {"Width": len(register.q)})
        return [f"assign {name}_stored_o = {name}_stored;", *voter]

    def _handed_over(self, words: Words) -> Iterator[str]:
        for bits, name in self._exports.items():
            text = words.text(bits)
            if text != name:
                yield f"assign {name} = {text};"

    def _disagreement(self) -> Iterator[str]:
        pairs = [f"{name}_stored != {name}" for name in self._names.voted.values()]
        yield f"assign error_o = {pairs[0]}" + ("" if pairs[1:] else ";")
        for pair in pairs[1:]:
            yield f"    || {pair}" + (";" if pair is pairs[-1] else "")

    # What is around them.

    def _around(self, sinks: Sequence[tuple[str, Bits]]) -> str:
        plan = self._plan
        text = ModuleText(self._top)
        words, names = Words(), self._taken
        for port in plan.design.ports:
            way = "input" if port.is_input else "output"
            text.ports.append(PortLine(way, len(port.bits), port.name))
        text.ports.append(PortLine("output", REPLICAS, ERROR))
        sources = [(self._names.sources[name], bits) for name, bits in plan.sources()]
        for name, bits in sources:
            words.declare(name, bits)
        ports = {port.name for port in plan.design.ports}
        text.declarations += [f"{declaration(n, len(b))};" for n, b in sources if n not in ports]
        wide = [*_controls(plan.triplicated), *_controls([one.register for one in plan.left])]
        words.used.update(wide)
        words.used.update(bit for _, bits in sinks for bit in bits)
        words.used.update(bit for one in plan.left if one.read for bit in one.read.data)
        words.used.update(port.clock for memory in plan.design.memories for port in memory.writes)
        logic: list[tuple[str, Bits]] = []
        if self._is_triple:
            words.used.update(self._needs)
            self._voted_exports(text, words, ports)
            logic = [(name, bits) for bits, name in self._exports.items() if name not in ports]
        else:
            logic = self._shared_logic(text, words, names, sinks)
        self._instances(text, words)
        self._left_over(text, words)
        self._assigned_outputs(text, words)
        text.sink([*sources, *logic], words)
        head = self._head(
            f"{self._top} in three replicas.",
            f"{ERROR}[N] is high while a flip-flop of replica N is outvoted: one clock an upset.",
        )
        return head + "\n" + text.render()

    def _voted_exports(self, text: ModuleText, words: Words, ports: set[str]) -> None:
        for bits, name in self._exports.items():
            width = len(bits)
            text.declarations.append(f"{declaration(_of(name), width)}{_others(name)};")
            if name not in ports:
                text.declarations.append(f"{declaration(name, width)};")
            words.declare(name, bits)
            pins = dict(
                zip(("a_i", "b_i", "c_i"), (_of(name, i) for i in range(REPLICAS)), strict=True)
            )
            text.lines += instance(
                "tmr_majority", f"u_vote_{name}", pins | {"majority_o": name}, {"Width": width}
            )
        if self._exports:
            text.lines.append("")

    def _shared_logic(
        self, text: ModuleText, words: Words, names: Names, sinks: Sequence[tuple[str, Bits]]
    ) -> list[tuple[str, Bits]]:
        plan = self._plan
        for each in plan.triplicated:
            voted = self._names.voted[each.name]
            text.declarations.append(f"{declaration(voted, len(each.q))};")
            words.declare(voted, each.q)
        wanted = [*(bits for _, bits in sinks), *(each.d for each in plan.triplicated)]
        # Each bit of an enable is written by itself.
        ports_in = [port for memory in plan.design.memories for port in memory.writes]
        wanted += [(bit,) for port in ports_in for bit in port.enable]
        outputs = {port.bits: port.name for port in plan.design.ports if not port.is_input}
        steps = settle(plan.design, wanted)
        body = LogicWriter(plan.design, words, names, outputs).write(steps, wanted)
        text.declarations += body.declarations
        text.lines += [*body.assignments, ""]
        return body.words

    def _instances(self, text: ModuleText, words: Words) -> None:
        plan = self._plan
        for each in plan.triplicated:
            stored = f"{self._names.voted[each.name]}_stored"
            width = len(each.q)
            text.declarations.append(f"{declaration(_of(stored), width)}{_others(stored)};")
        for index in range(REPLICAS):
            pins = self._replica_pins(index, words)
            text.lines += [*instance(f"{self._top}_replica", f"u_replica_{index}", pins), ""]
        if not self._is_triple:
            for each in plan.triplicated:
                text.lines += [*self._single_voter(each), ""]
            text.lines += [*self._disagreements(), ""]

    def _single_voter(self, register: Register) -> list[str]:
        voted = self._names.voted[register.name]
        stored = [_of(f"{voted}_stored", index) for index in range(REPLICAS)]
        pins = dict(zip(("a_i", "b_i", "c_i"), stored, strict=True)) | {"majority_o": voted}
        return instance("tmr_majority", f"u_vote_{voted}", pins, {"Width": len(register.q)})

    def _disagreements(self) -> Iterator[str]:
        for index in range(REPLICAS):
            pairs = [f"{_of(f'{n}_stored', index)} != {n}" for n in self._names.voted.values()]
            yield f"assign {ERROR}[{index}] = {pairs[0]}" + ("" if pairs[1:] else ";")
            for pair in pairs[1:]:
                yield f"    || {pair}" + (";" if pair is pairs[-1] else "")

    def _replica_pins(self, index: int, words: Words) -> dict[str, str]:
        plan = self._plan
        needed = self._needs if self._is_triple else _controls(plan.triplicated)
        pins = {name: name for name, _ in self._inputs(needed)}
        for each in plan.triplicated:
            voted = self._names.voted[each.name]
            stored = f"{voted}_stored"
            if self._is_triple:
                pins[f"{stored}_o"] = _of(stored, index)
                pins[f"{voted}_other1_i"] = _of(stored, (index + 1) % REPLICAS)
                pins[f"{voted}_other2_i"] = _of(stored, (index + 2) % REPLICAS)
            else:
                pins[f"{voted}_next_i"] = words.text(each.d).replace("\n", " ")
                pins[f"{stored}_o"] = _of(stored, index)
        if self._is_triple:
            pins |= {name: _of(name, index) for name in self._exports.values()}
            pins["error_o"] = f"{ERROR}[{index}]"
        return pins

    def _left_over(self, text: ModuleText, words: Words) -> None:
        for one in self._plan.left:
            name = self._names.sources[one.register.name]
            text.lines += [*_left_register(one, name, words), ""]
        for memory in self._plan.design.memories:
            name = self._names.memories[memory.name]
            for index, (address, _) in enumerate(memory.reads):
                data = self._names.sources[f"{memory.name}.read{index}_data"]
                place = memory_index(memory, address, words)
                text.lines.append(f"assign {data} = {name}[{place}];")
            first, *rest = memory_block(memory, name, words)
            text.declarations.append(first)
            text.lines += [*rest, ""]

    def _assigned_outputs(self, text: ModuleText, words: Words) -> None:
        for port in self._plan.design.ports:
            is_voted = self._exports.get(port.bits) == port.name
            if not port.is_input and not is_voted and words.text(port.bits) != port.name:
                text.lines.append(f"assign {port.name} = {words.text(port.bits)};")

    # What modules share.

    def _inputs(self, needed: set[Bit]) -> Iterator[tuple[str, Bits]]:
        for name, bits in self._plan.sources():
            if not needed.isdisjoint(bits):
                yield self._names.sources[name], bits

    def _all_names(self) -> Iterator[str]:
        yield from self._names.sources.values()
        for name in self._names.voted.values():
            yield from (name, f"{name}_next", f"{name}_stored")
        yield from self._exports.values()
        yield from ("error_o", "unused", *_reserved())


def _left_register(one: Left, name: str, words: Words) -> list[str]:
    if one.read is None:
        return flip_flops(one.register, name, words.text(one.register.d), words)
    enable = "" if one.read.enable is None else words.text((one.read.enable,))
    return flip_flops(one.register, name, words.text(one.read.data), words, enable)


def _needed(steps: Sequence[Step], sinks: Sequence[Bits]) -> set[Bit]:
    pins = (bits for step in steps for bits in step.pins.values())
    return {bit for bits in (*pins, *sinks) for bit in bits if isinstance(bit, int)}


def _controls(registers: Sequence[Register]) -> set[Bit]:
    clocks = {each.clock for each in registers}
    return clocks | {each.reset for each in registers if each.reset is not None}


def _of(name: str, index: int = 0) -> str:
    return f"{name}_{index}"


def _others(name: str) -> str:
    return "".join(f", {_of(name, index)}" for index in range(1, REPLICAS))


def _free(taken: Names, name: str, ports: Sequence[str]) -> str:
    """Return the name of a voted register, which may not be that of a port."""
    plain = identifier(name)
    return taken.take(f"{plain}_q" if plain in ports else plain)


def _reserved() -> tuple[str, ...]:
    return ("u_replica_0", "u_replica_1", "u_replica_2")
