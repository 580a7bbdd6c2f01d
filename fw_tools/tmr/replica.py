# SPDX-License-Identifier: Apache-2.0
"""What is there three times: with its logic, or the registers alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fw_tools.errors import InputError
from fw_tools.tmr.design import Bit, Bits, Register
from fw_tools.tmr.logic import LogicWriter, Step, assignment, settle
from fw_tools.tmr.naming import Naming, controls
from fw_tools.tmr.text import ModuleText, PortLine, instance, kept_flip_flops
from fw_tools.tmr.words import Names, Words, declaration

_KEPT = '(* keep_hierarchy = "yes" *)'


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica's file, and the bits of sources that it takes."""

    text: str
    needs: frozenset[Bit]


def render_replica(names: Naming) -> Replica:
    """Return a replica with all logic."""
    registers = names.plan.triplicated
    sinks = [each.d for each in registers]
    sinks += [(each.reset,) for each in registers if each.reset is not None]
    wanted = [*sinks, *names.exports, *((each.clock,) for each in registers)]
    steps = settle(names.plan.design, [*sinks, *names.exports])
    needs = _needed(steps, wanted)
    text, words = ModuleText(f"{names.top}_replica"), Words()
    inputs = _ports(names, needs, text, words)
    logic = LogicWriter(names.plan.design, words, Names(names.inside()), names.exports)
    body = logic.write(steps, wanted)
    text.declarations += [line for each in registers for line in _declared(names, each)]
    text.declarations += body.declarations
    text.lines += body.assignments
    text.lines += [line for each in registers for line in _stored(names, each, words)]
    text.lines += ["", *_handed_over(names, words), *_disagreement(names)]
    text.sink([*inputs, *body.words], words)
    head = names.head(
        f"One of three replicas of {names.top}.",
        "Holds all of its logic and a copy of each register. NAME_stored are the flip-flops of",
        "this replica, NAME is what the majority of the three holds. Logic reads that alone: a",
        "flip-flop that was upset takes over what is right at the next clock, written or not.",
        "error_o: a flip-flop of this replica is outvoted.",
    )
    return Replica(head + "\n" + text.render(_KEPT), needs)


def _ports(
    names: Naming, needs: frozenset[Bit], text: ModuleText, words: Words
) -> list[tuple[str, Bits]]:
    """Add the ports, and return the inputs that are sources."""
    inputs = list(names.inputs(needs))
    for name, bits in inputs:
        text.ports.append(PortLine("input", len(bits), name))
        words.declare(name, bits)
    for each in names.plan.triplicated:
        text.ports += _exchanged(names, each)
        words.declare(names.voted[each.name], each.q)
    for bits, name in names.exports.items():
        text.ports.append(PortLine("output", len(bits), name))
    text.ports.append(PortLine("output", 1, "error_o"))
    return inputs


def _exchanged(names: Naming, register: Register) -> Iterator[PortLine]:
    name, width = names.voted[register.name], len(register.q)
    yield PortLine("output", width, f"{name}_stored_o")
    yield PortLine("input", width, f"{name}_other1_i")
    yield PortLine("input", width, f"{name}_other2_i")


def _declared(names: Naming, register: Register) -> Iterator[str]:
    name, width = names.voted[register.name], len(register.q)
    yield f"{declaration(f'{name}_next', width)}, {name}_stored, {name};"


def _stored(names: Naming, register: Register, words: Words) -> Iterator[str]:
    """Yield the flip-flops of a register, before them what they take, behind them the voter."""
    name = names.voted[register.name]
    yield ""
    yield from assignment(f"{name}_next", words.text(register.d), register.place)
    yield from kept_flip_flops(register, name, f"{name}_next", words)
    yield f"assign {name}_stored_o = {name}_stored;"
    pins = {
        "a_i": f"{name}_stored",
        "b_i": f"{name}_other1_i",
        "c_i": f"{name}_other2_i",
        "majority_o": name,
    }
    yield from instance("tmr_majority", f"u_vote_{name}", pins, {"Width": len(register.q)})


def _handed_over(names: Naming, words: Words) -> Iterator[str]:
    for bits, name in names.exports.items():
        text = words.text(bits)
        if text != name:
            yield f"assign {name} = {text};"


def _disagreement(names: Naming) -> Iterator[str]:
    pairs = [f"{name}_stored != {name}" for name in names.voted.values()]
    yield f"assign error_o = {pairs[0]}" + ("" if pairs[1:] else ";")
    for pair in pairs[1:]:
        yield f"    || {pair}" + (";" if pair is pairs[-1] else "")


def render_bank(names: Naming) -> Replica:
    """Return a replica that is its registers alone.

    Raises `InputError` where one has a reset that logic makes.
    """
    registers = names.plan.triplicated
    _refuse_made_resets(names)
    needs = frozenset(controls(registers))
    text, words = ModuleText(f"{names.top}_replica"), Words()
    inputs = list(names.inputs(needs))
    for name, bits in inputs:
        text.ports.append(PortLine("input", len(bits), name))
        words.declare(name, bits)
    for each in registers:
        name, width = names.voted[each.name], len(each.q)
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
    words.used.update(needs)
    text.sink(inputs, words)
    head = names.head(f"The registers of {names.top}, one of three replicas.")
    return Replica(head + "\n" + text.render(_KEPT), needs)


def _refuse_made_resets(names: Naming) -> None:
    ports = names.plan.design.ports
    pins = {bit for port in ports if port.is_input for bit in port.bits}
    for each in names.plan.triplicated:
        if each.reset is not None and each.reset not in pins:
            raise InputError(
                f"{each.place}: {each.name} has a reset that logic makes; "
                "choose triple voters, or bring the reset in as a port"
            )


def _needed(steps: Sequence[Step], sinks: Sequence[Bits]) -> frozenset[Bit]:
    pins = (bits for step in steps for bits in step.pins.values())
    return frozenset(bit for bits in (*pins, *sinks) for bit in bits if isinstance(bit, int))
