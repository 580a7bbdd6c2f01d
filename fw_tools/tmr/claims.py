# SPDX-License-Identifier: Apache-2.0
"""What is proven of a result: read back from its text, and compared with the sources.

Both are cut at their registers, so that each claim is one question to a solver, about every state
and every input, reachable or not:

- `masks N`: whatever replica N does (its flip-flops, its logic, its voters), outputs and what the
  other replicas store next are those of the sources. Without an upset it is equal, then, too.
- `heals N`: whatever the flip-flops of replica N hold, all three replicas store at the next clock
  what the sources do, and the error outputs tell N alone, and exactly when it differs.

With single voters logic is shared, and a replica is its flip-flops.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fw_tools.netlist.yosys import run_yosys
from fw_tools.tmr.cells import Cells
from fw_tools.tmr.design import Bit, Bits, Design, Register
from fw_tools.tmr.memory_sinks import memory_sinks
from fw_tools.tmr.naming import ERROR, REPLICAS
from fw_tools.tmr.render import Rendered

_PASSES = (
    "read_json question.json",
    "hierarchy -top question",
    "opt_expr",
    "opt_merge",
    "techmap",
    "opt_expr",
    "opt_merge",
    "opt_clean",
    "abc -g AND,XOR -script +strash;fraig,-C,100000;strash",
    "opt_clean",
    "write_json answer.json",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim and what speaks against it."""

    name: str
    compared_bits: int
    differing: tuple[str, ...]  # Signals that may differ.
    is_covered: bool  # A state in which the replica really differed was among the cases.

    @property
    def holds(self) -> bool:
        """Tell whether it is proven, of a case that there is."""
        return not self.differing and self.is_covered


def prove(source: Design, result: Design, rendered: Rendered) -> tuple[Claim, ...]:
    """Return every claim of `result`, which was read back from the text of `rendered`."""
    mismatches = tuple(_other_controls(source, result, rendered))
    claims = []
    for replica in range(REPLICAS):
        for name in ("masks", "heals"):
            question = _Question(source, result, rendered)
            question.ask(name, replica)
            claims.append(question.answer(f"{name} {replica}", mismatches))
    return tuple(claims)


def _stored(rendered: Rendered, register: str, replica: int) -> str:
    return f"u_replica_{replica}.{rendered.stored[register]}"


def _other_controls(source: Design, result: Design, rendered: Rendered) -> Iterator[str]:
    """Yield registers whose clock, reset value or initial value is another."""
    found = _by_every_name(result)
    for each in source.registers:
        for name in _copies(rendered, each):
            other = found.get(name)
            if other is None or _control(each) != _control(other):
                yield name


def _by_every_name(design: Design) -> dict[str, Register]:
    stored = {each.q: each for each in design.registers}
    return {name: stored[bits] for name, bits in design.signals.items() if bits in stored}


def _copies(rendered: Rendered, register: Register) -> tuple[str, ...]:
    if register.name in rendered.single:
        return (rendered.single[register.name],)
    return tuple(_stored(rendered, register.name, replica) for replica in range(REPLICAS))


def _control(register: Register) -> tuple[object, ...]:
    return (
        len(register.q),
        register.is_rising,
        register.reset is None,
        register.is_reset_high,
        register.reset_value,
        register.initial,
    )


@dataclass(slots=True)
class _Question:
    source: Design
    result: Design
    rendered: Rendered
    _bound: dict[Bit, Bit] = field(default_factory=dict)  # Net of the result -> of the question.
    _cut: set[Bit] = field(default_factory=set)  # Bound, so not driven by the result's logic.
    _pairs: list[tuple[str, Bit, Bit]] = field(default_factory=list)
    _cover: list[tuple[Bit, Bit]] = field(default_factory=list)
    _errors: list[Bit] = field(default_factory=list)
    _next: int = 0

    def ask(self, claim: str, replica: int) -> None:
        """Bind inputs and states of the result to the source's, and pair what has to agree."""
        self._next = 1 + _highest(self.source)
        self._bind_inputs()
        of = _by_every_name(self.result)
        for each in self.source.registers:
            for index, name in enumerate(_copies(self.rendered, each)):
                if name in of:
                    is_free = index == replica and each.name not in self.rendered.single
                    self._bind_state(each, of[name], is_free=is_free)
        if claim == "masks":
            self._free_exports(replica)
        self._pair_outputs()
        spared = replica if claim == "masks" else None
        for each in self.source.registers:
            for index, name in enumerate(_copies(self.rendered, each)):
                is_single = each.name in self.rendered.single
                if name in of and (is_single or index != spared):
                    self._pair_registers(each, of[name], name)
        if claim == "heals":
            self._pair_errors(replica)

    def _fresh(self) -> int:
        self._next += 1
        return self._next

    def _of_result(self, bit: Bit) -> Bit:
        """Return a net of the result in the question, numbered behind those of the source."""
        if isinstance(bit, str):
            return bit
        if bit not in self._bound:
            self._next += 1
            self._bound[bit] = self._next
        return self._bound[bit]

    def _bind(self, ours: Bits, theirs: Bits) -> None:
        pairs: dict[Bit, Bit] = {
            b: other for b, other in zip(theirs, ours, strict=False) if isinstance(b, int)
        }
        self._bound |= pairs
        self._cut |= pairs.keys()

    def _bind_inputs(self) -> None:
        ports = {port.name: port for port in self.result.ports}
        for port in self.source.ports:
            if port.is_input and port.name in ports:
                self._bind(port.bits, ports[port.name].bits)
        memories = {memory.name: memory for memory in self.result.memories}
        for memory in self.source.memories:
            other = memories.get(self.rendered.memories[memory.name])
            for ours, theirs in zip(memory.reads, other.reads if other else (), strict=False):
                self._bind(ours[1], theirs[1])

    def _bind_state(self, ours: Register, theirs: Register, *, is_free: bool) -> None:
        if not is_free:
            self._bind(ours.q, theirs.q)
            return
        free = tuple(self._fresh() for _ in theirs.q)
        self._bind(free, theirs.q)
        self._cover += list(zip(ours.q, free, strict=False))

    def _free_exports(self, replica: int) -> None:
        for name in self.rendered.exports:
            bits = self.result.signals.get(f"u_replica_{replica}.{name}", ())
            self._bind(tuple(self._fresh() for _ in bits), bits)

    def _pair(self, name: str, ours: Bits, theirs: Bits) -> None:
        width = max(len(ours), len(theirs))
        left, right = (bits + ("0",) * (width - len(bits)) for bits in (ours, theirs))
        for index, (bit, other) in enumerate(zip(left, right, strict=True)):
            label = f"{name}[{index}]" if width > 1 else name
            self._pairs.append((label, bit, self._of_result(other)))

    def _pair_outputs(self) -> None:
        ports = {port.name: port for port in self.result.ports}
        for port in self.source.ports:
            if not port.is_input:
                self._pair(port.name, port.bits, ports[port.name].bits)
        memories = {memory.name: memory for memory in self.result.memories}
        for memory in self.source.memories:
            other = memories.get(self.rendered.memories[memory.name])
            theirs = dict(memory_sinks(other)) if other else {}
            for name, bits in memory_sinks(memory):
                self._pair(f"{memory.name}.{name}", bits, theirs.get(name, ()))

    def _pair_registers(self, ours: Register, theirs: Register, name: str) -> None:
        self._pair(f"{name} next", ours.d, theirs.d)
        self._pair(f"{name} clock", (ours.clock,), (theirs.clock,))
        if ours.reset is not None and theirs.reset is not None:
            self._pair(f"{name} reset", (ours.reset,), (theirs.reset,))

    def _pair_errors(self, replica: int) -> None:
        (bits,) = (port.bits for port in self.result.ports if port.name == ERROR)
        for index, bit in enumerate(bits):
            told = self._of_result(bit)
            if index == replica:
                self._errors.append(told)
            else:
                self._pairs.append((f"{ERROR}[{index}]", "0", told))

    def answer(self, name: str, mismatches: tuple[str, ...]) -> Claim:
        """Return what a solver says."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            (path / "question.json").write_text(
                json.dumps({"modules": {"question": self._module()}})
            )
            run_yosys(_PASSES, path)
            answer = json.loads((path / "answer.json").read_text())["modules"]["question"]
        differs = answer["ports"]["differs"]["bits"]
        pairs = self._pairs + [(f"{ERROR} tells", "0", "0")] * bool(self._errors)
        found = [label for (label, _, _), bit in zip(pairs, differs, strict=True) if bit != "0"]
        cover = answer["ports"]["covered"]["bits"][0]
        return Claim(name, len(pairs), (*mismatches, *found), is_covered=cover != "0")

    def _module(self) -> dict[str, object]:
        cells = Cells()
        for each in self.source.operators:
            cells.operator(each, each.inputs, each.output)
        for each in self.result.operators:
            inputs = {pin: self._all_of_result(bits) for pin, bits in each.inputs.items()}
            cells.operator(each, inputs, tuple(self._driven(bit) for bit in each.output))
        pairs = [(ours, theirs) for _, ours, theirs in self._pairs]
        covered = self._differ(cells, [bit for pair in self._cover for bit in pair])
        pairs += [(covered, told) for told in self._errors]
        differs = [self._differ(cells, pair) for pair in pairs]
        ports = {
            "open": {"direction": "input", "bits": cells.open_bits([*pairs, *self._cover])},
            "differs": {"direction": "output", "bits": differs},
            "covered": {"direction": "output", "bits": [covered]},
        }
        return {"attributes": {"top": 1}, "ports": ports, "cells": cells.cells, "netnames": {}}

    def _all_of_result(self, bits: Bits) -> Bits:
        return tuple(self._of_result(bit) for bit in bits)

    def _driven(self, bit: Bit) -> Bit:
        """Return the net that an operator of the result drives; what was cut it drives in vain."""
        if bit in self._cut:
            self._next += 1
            return self._next
        return self._of_result(bit)

    def _differ(self, cells: Cells, bits: Sequence[Bit]) -> Bit:
        """Return whether bits at even places differ from those behind them."""
        self._next += 1
        width = {"A_WIDTH": len(bits) // 2, "B_WIDTH": len(bits) // 2, "Y_WIDTH": 1}
        sides = {"A": tuple(bits[::2]), "B": tuple(bits[1::2])}
        cells.add("$ne", sides, (self._next,), width | {"A_SIGNED": 0, "B_SIGNED": 0})
        return self._next


def _highest(design: Design) -> int:
    words = [bits for each in design.operators for bits in (*each.inputs.values(), each.output)]
    words += [bits for each in design.registers for bits in (each.q, each.d)]
    words += [port.bits for port in design.ports]
    words += [bits for memory in design.memories for _, bits in memory_sinks(memory)]
    words += [data for memory in design.memories for _, data in memory.reads]
    return max((bit for bits in words for bit in bits if isinstance(bit, int)), default=0)
