# SPDX-License-Identifier: Apache-2.0
"""The C of a machine: one line a gate, each for a whole word of lanes at once.

A compiler's time grows faster than a function does, so the gates are cut into functions of bounded
size. A net that only its own function needs is a local variable; the others have a place in `n`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fw_tools.netlist.records import CONSTANTS, Net
from fw_tools.upset.machine import Gate, Machine
from fw_tools.upset.observation import Observation

GATES_PER_FUNCTION = 2000
FUNCTIONS_PER_FILE = 4
_READ, _NO_FUNCTION = -1, -2

_EXPRESSIONS = {
    "$_NOT_": "~{0}",
    "$_AND_": "{0} & {1}",
    "$_OR_": "{0} | {1}",
    "$_XOR_": "{0} ^ {1}",
    "$_MUX_": "({2} & {1}) | (~{2} & {0})",
    "reset0": "q[{index}] & {0}",
    "reset1": "q[{index}] | ~{0}",
}


@dataclass(frozen=True, slots=True)
class Sources:
    """Files of C by name; `gates` also serve for transients, under the macro TRANSIENTS."""

    gates: dict[str, str]
    tables: str
    calls: str


@dataclass(slots=True)
class _Layout:
    """Where every net is found."""

    of_state: dict[Net, str]  # Not made by gates: an expression.
    function_of: dict[Net, int]  # The function that makes it.
    places: dict[Net, int] = field(default_factory=dict)  # In `n`.

    def place(self, net: Net) -> int:
        return self.places.setdefault(net, len(self.places))

    def expression(self, net: Net, function: int) -> str:
        if net in self.of_state:
            return self.of_state[net]
        if net not in self.function_of:
            return "ZERO"  # Driven by nothing.
        return f"g{net}" if self.function_of[net] == function else f"n[{self.place(net)}]"


def emit(machine: Machine, observation: Observation) -> Sources:
    """Return the C of a machine, of which `observation` says what is looked at."""
    functions = list(_functions(machine.gates))
    layout = _Layout(_state_nets(machine), _makers(functions))
    tabled = [*_tabled(machine), *observation.nets()]
    for net in tabled:
        layout.place(net)
    for index, gates in enumerate(functions):
        for gate in gates:
            for net in gate.inputs:
                layout.expression(net, index)
    next_states: dict[Net, list[int]] = {}
    for index, each in enumerate(machine.flip_flops):
        next_states.setdefault(each.d, []).append(index)
    bodies = [
        "\n".join(_body(gates, index, layout, next_states, machine))
        for index, gates in enumerate(functions)
    ]
    return Sources(
        gates=dict(_files(bodies)),
        tables=_tables(machine, observation, layout),
        calls=_calls(machine, len(functions), layout, next_states),
    )


def _functions(gates: Sequence[Gate]) -> Iterator[list[Gate]]:
    for start in range(0, len(gates), GATES_PER_FUNCTION):
        yield list(gates[start : start + GATES_PER_FUNCTION])


def _makers(functions: Sequence[Sequence[Gate]]) -> dict[Net, int]:
    """Return the function that makes each net; what a memory reads is always found in `n`."""
    return {
        net: _READ if gate.kind == "read" else index
        for index, gates in enumerate(functions)
        for gate in gates
        for net in gate.outputs
    }


def _state_nets(machine: Machine) -> dict[Net, str]:
    names = {0: "ZERO", 1: "ONES"}
    bits = [net for nets in machine.inputs.values() for net in nets]
    names |= {net: f"in[{index}]" for index, net in enumerate(bits)}
    by_logic = {gate.index for gate in machine.gates if gate.kind.startswith("reset")}
    names |= {
        each.q: f"q[{index}]"
        for index, each in enumerate(machine.flip_flops)
        if index not in by_logic
    }
    return names


def _tabled(machine: Machine) -> Iterator[Net]:
    """Yield the nets that the engine looks up by their places."""
    for gate in machine.gates:
        if gate.kind == "read":
            yield from (*gate.inputs, *gate.outputs)
    for memory in machine.memories:
        for port in memory.writes:
            yield from (*port.address, *port.enable, *port.data)
    for each in machine.flip_flops:
        if each.reset is not None:
            yield each.reset


def _body(
    gates: Sequence[Gate],
    function: int,
    layout: _Layout,
    next_states: dict[Net, list[int]],
    machine: Machine,
) -> Iterator[str]:
    for gate in gates:
        if gate.kind == "read":
            yield _read(gate, layout)
            continue
        inputs = [layout.expression(net, function) for net in gate.inputs]
        (net,) = gate.outputs
        made = _EXPRESSIONS[gate.kind].format(*inputs, index=gate.index)
        yield f"  V g{net} = MADE({made}, {net});"
        if net in layout.places:
            yield f"  n[{layout.places[net]}] = g{net};"
        for index in next_states.get(net, ()):
            yield f"  d[{index}] = {_held(machine, index, f'g{net}', layout)};"


def _held(machine: Machine, index: int, value: str, layout: _Layout) -> str:
    """Return the next state, which a reset by logic holds at its value."""
    reset = machine.flip_flops[index].reset
    if reset is None or layout.of_state.get(reset, "").startswith("in["):
        return value
    name = layout.expression(reset, _NO_FUNCTION)
    if machine.flip_flops[index].reset_value:
        return f"{value} | ~{name}"
    return f"{value} & {name}"


def _read(gate: Gate, layout: _Layout) -> str:
    address = ", ".join(str(layout.places[net]) for net in gate.inputs)
    data = ", ".join(str(layout.places[net]) for net in gate.outputs)
    return (
        f"  {{ static const uint32_t address[] = {{{address}}}, data[] = {{{data}}};\n"
        f"    read_port({gate.index}, address, data, n); }}"
    )


def _files(bodies: Sequence[str]) -> Iterator[tuple[str, str]]:
    for start in range(0, len(bodies), FUNCTIONS_PER_FILE):
        text = '#include "gates.h"\n'
        for index, body in enumerate(bodies[start : start + FUNCTIONS_PER_FILE], start):
            text += f"\nvoid NAME({index})(SIGNATURE) {{\n{body}\n}}\n"
        yield f"gates_{start // FUNCTIONS_PER_FILE}.c", text


def _calls(
    machine: Machine, functions: int, layout: _Layout, next_states: dict[Net, list[int]]
) -> str:
    copies = [
        f"  n[{place}] = {layout.of_state.get(net, 'ZERO')};"
        for net, place in layout.places.items()
        if net not in layout.function_of
    ]
    late = [
        f"  d[{index}] = {_held(machine, index, layout.expression(net, _NO_FUNCTION), layout)};"
        for net, indices in next_states.items()
        if layout.function_of.get(net, _READ) == _READ
        for index in indices
    ]
    lines = ['#include "gates.h"', ""]
    for index in range(functions):
        lines += [f"void plain_{index}(SIGNATURE);", f"void flipped_{index}(SIGNATURE);"]
    lines += ["", "void evaluate(SIGNATURE) {", *copies]
    for way in ("plain", "flipped"):
        lines.append("  if (!x) {" if way == "plain" else "  } else {")
        if way == "flipped":
            lines.append("#ifdef TRANSIENTS")
        lines += [f"    {way}_{index}(q, in, d, n, x);" for index in range(functions)]
        if way == "flipped":
            lines.append("#endif")
    lines += ["  }", *late, "}", ""]
    return "\n".join(lines)


def _table(kind: str, name: str, values: Sequence[int]) -> str:
    listed = ", ".join(str(value) for value in values) or "0"
    return f"const {kind} {name}[] = {{{listed}}};"


def _tables(machine: Machine, observation: Observation, layout: _Layout) -> str:
    bits = [net for nets in machine.inputs.values() for net in nets]
    position = {net: index for index, net in enumerate(bits)}
    resets = [
        position.get(each.reset, -1) if each.reset is not None else -1
        for each in machine.flip_flops
    ]
    used = sorted({index for index in resets if index >= 0})
    counts = {
        "N_FLIP_FLOPS": len(machine.flip_flops),
        "N_SHARED": len(layout.places),
        "N_INPUTS": len(bits),
        "N_MEMORIES": len(machine.memories),
        "N_GATES": highest_net(machine) + 1,
        "N_RESETS": len(used),
    }
    lines = ['#include "engine.h"', ""]
    lines += [f"const uint32_t {name} = {value};" for name, value in counts.items()]
    lines.append(_table("uint32_t", "RESETS", used))
    lines.append(_table("int32_t", "RESET_INPUT", resets))
    by_logic = [
        each.reset if each.reset is not None and each.reset not in position else None
        for each in machine.flip_flops
    ]
    places = [-1 if net is None else layout.places[net] for net in by_logic]
    lines.append(_table("int32_t", "RESET_PLACE", places))
    driven = [0 if net is None else machine.flip_flops[i].q for i, net in enumerate(by_logic)]
    lines.append(_table("uint32_t", "Q_NET", driven))
    lines.append(
        _table("uint8_t", "RESET_VALUE", [each.reset_value for each in machine.flip_flops])
    )
    for name, nets in observation.by_role().items():
        lines.append(f"const uint32_t N_{name} = {len(nets)};")
        lines.append(_table("uint32_t", name, [layout.places[net] for net in nets]))
    lines += _memory_tables(machine, layout)
    return "\n".join(lines) + "\n"


def _memory_tables(machine: Machine, layout: _Layout) -> Iterator[str]:
    rows = []
    for index, memory in enumerate(machine.memories):
        nets = [net for port in memory.writes for net in (*port.address, *port.enable, *port.data)]
        yield "static " + _table("uint32_t", f"WRITES_{index}", [layout.places[n] for n in nets])
        ports = (*memory.reads, *memory.writes)
        address_bits = len(ports[0].address) if ports else 0
        rows.append(
            f"  {{{memory.width}, {memory.depth}, {address_bits}, {memory.first_address}, "
            f"{len(memory.writes)}, WRITES_{index}}},"
        )
    yield "\n".join(["const Memory MEMORIES[] = {", *(rows or ["  {0}"]), "};"])


def highest_net(machine: Machine) -> Net:
    """Return the largest number of a net that a gate makes."""
    return max((net for gate in machine.gates for net in gate.outputs), default=CONSTANTS)
