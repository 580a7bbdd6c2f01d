# SPDX-License-Identifier: Apache-2.0
"""What is around three replicas: voters at the boundary, and what is left as it is."""

from collections.abc import Iterator

from fw_tools.tmr.design import Bit, Bits, Register
from fw_tools.tmr.logic import LogicWriter, settle
from fw_tools.tmr.naming import ERROR, REPLICAS, Naming, controls
from fw_tools.tmr.plan import Left, Plan
from fw_tools.tmr.text import (
    ModuleText,
    PortLine,
    flip_flops,
    instance,
    memory_block,
    memory_index,
)
from fw_tools.tmr.words import Words, declaration


def render_around(names: Naming, needs: frozenset[Bit]) -> str:
    """Return the top; each replica takes `needs` of the sources."""
    text, words = ModuleText(names.top), Words()
    ports = {port.name for port in names.plan.design.ports}
    for port in names.plan.design.ports:
        way = "input" if port.is_input else "output"
        text.ports.append(PortLine(way, len(port.bits), port.name))
    text.ports.append(PortLine("output", REPLICAS, ERROR))
    sources = [(names.sources[name], bits) for name, bits in names.plan.sources()]
    for name, bits in sources:
        words.declare(name, bits)
    text.declarations += [f"{declaration(n, len(b))};" for n, b in sources if n not in ports]
    words.used.update(needs)
    words.used.update(_used_around(names.plan))
    if names.is_triple:
        _voted_exports(names, text, words, ports)
        logic = [(name, bits) for bits, name in names.exports.items() if name not in ports]
    else:
        logic = _shared_logic(names, text, words)
    _instances(names, needs, text, words)
    _left_over(names, text, words)
    _assigned_outputs(names, text, words)
    text.sink([*sources, *logic], words)
    head = names.head(
        f"{names.top} in three replicas.",
        f"{ERROR}[N] is high while a flip-flop of replica N is outvoted: one clock an upset.",
    )
    return head + "\n" + text.render()


def _used_around(plan: Plan) -> Iterator[Bit]:
    yield from controls([*plan.triplicated, *(one.register for one in plan.left)])
    for _, bits in plan.sinks():
        yield from bits
    for one in plan.left:
        yield from one.read.data if one.read else ()
    for memory in plan.design.memories:
        yield from (port.clock for port in memory.writes)


def _voted_exports(names: Naming, text: ModuleText, words: Words, ports: set[str]) -> None:
    for bits, name in names.exports.items():
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
    if names.exports:
        text.lines.append("")


def _shared_logic(names: Naming, text: ModuleText, words: Words) -> list[tuple[str, Bits]]:
    plan = names.plan
    for each in plan.triplicated:
        voted = names.voted[each.name]
        text.declarations.append(f"{declaration(voted, len(each.q))};")
        words.declare(voted, each.q)
    wanted = [*(bits for _, bits in plan.sinks()), *(each.d for each in plan.triplicated)]
    # Each bit of an enable is written by itself.
    ports_in = [port for memory in plan.design.memories for port in memory.writes]
    wanted += [(bit,) for port in ports_in for bit in port.enable]
    outputs = {port.bits: port.name for port in plan.design.ports if not port.is_input}
    steps = settle(plan.design, wanted)
    body = LogicWriter(plan.design, words, names.taken, outputs).write(steps, wanted)
    text.declarations += body.declarations
    text.lines += [*body.assignments, ""]
    return body.words


def _instances(names: Naming, needs: frozenset[Bit], text: ModuleText, words: Words) -> None:
    plan = names.plan
    for each in plan.triplicated:
        stored = f"{names.voted[each.name]}_stored"
        width = len(each.q)
        text.declarations.append(f"{declaration(_of(stored), width)}{_others(stored)};")
    for index in range(REPLICAS):
        pins = _replica_pins(names, needs, index, words)
        text.lines += [*instance(f"{names.top}_replica", f"u_replica_{index}", pins), ""]
    if not names.is_triple:
        for each in plan.triplicated:
            text.lines += [*_single_voter(names, each), ""]
        text.lines += [*_disagreements(names), ""]


def _single_voter(names: Naming, register: Register) -> list[str]:
    voted = names.voted[register.name]
    stored = [_of(f"{voted}_stored", index) for index in range(REPLICAS)]
    pins = dict(zip(("a_i", "b_i", "c_i"), stored, strict=True)) | {"majority_o": voted}
    return instance("tmr_majority", f"u_vote_{voted}", pins, {"Width": len(register.q)})


def _disagreements(names: Naming) -> Iterator[str]:
    for index in range(REPLICAS):
        pairs = [f"{_of(f'{n}_stored', index)} != {n}" for n in names.voted.values()]
        yield f"assign {ERROR}[{index}] = {pairs[0]}" + ("" if pairs[1:] else ";")
        for pair in pairs[1:]:
            yield f"    || {pair}" + (";" if pair is pairs[-1] else "")


def _replica_pins(names: Naming, needs: frozenset[Bit], index: int, words: Words) -> dict[str, str]:
    plan = names.plan
    pins = {name: name for name, _ in names.inputs(needs)}
    for each in plan.triplicated:
        voted = names.voted[each.name]
        stored = f"{voted}_stored"
        if names.is_triple:
            pins[f"{stored}_o"] = _of(stored, index)
            pins[f"{voted}_other1_i"] = _of(stored, (index + 1) % REPLICAS)
            pins[f"{voted}_other2_i"] = _of(stored, (index + 2) % REPLICAS)
        else:
            pins[f"{voted}_next_i"] = words.text(each.d).replace("\n", " ")
            pins[f"{stored}_o"] = _of(stored, index)
    if names.is_triple:
        pins |= {name: _of(name, index) for name in names.exports.values()}
        pins["error_o"] = f"{ERROR}[{index}]"
    return pins


def _left_over(names: Naming, text: ModuleText, words: Words) -> None:
    for one in names.plan.left:
        name = names.sources[one.register.name]
        text.lines += [*_left_register(one, name, words), ""]
    for memory in names.plan.design.memories:
        name = names.memories[memory.name]
        for index, (address, _) in enumerate(memory.reads):
            data = names.sources[f"{memory.name}.read{index}_data"]
            place = memory_index(memory, address, words)
            text.lines.append(f"assign {data} = {name}[{place}];")
        first, *rest = memory_block(memory, name, words)
        text.declarations.append(first)
        text.lines += [*rest, ""]


def _assigned_outputs(names: Naming, text: ModuleText, words: Words) -> None:
    for port in names.plan.design.ports:
        is_voted = names.exports.get(port.bits) == port.name
        if not port.is_input and not is_voted and words.text(port.bits) != port.name:
            text.lines.append(f"assign {port.name} = {words.text(port.bits)};")


def _left_register(one: Left, name: str, words: Words) -> list[str]:
    if one.read is None:
        return flip_flops(one.register, name, words.text(one.register.d), words)
    enable = "" if one.read.enable is None else words.text((one.read.enable,))
    return flip_flops(one.register, name, words.text(one.read.data), words, enable)


def _of(name: str, index: int = 0) -> str:
    return f"{name}_{index}"


def _others(name: str) -> str:
    return "".join(f", {_of(name, index)}" for index in range(1, REPLICAS))
