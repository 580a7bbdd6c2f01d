# SPDX-License-Identifier: Apache-2.0
"""A machine written out as Verilog, in which every fault that the engine knows can be done."""

from collections.abc import Iterator, Sequence

from fw_tools.netlist.records import CONSTANTS, Net
from fw_tools.upset.emit import highest_net
from fw_tools.upset.machine import FlipFlop, Machine, Memory, Port
from fw_tools.upset.replay_plan import port_lines

_FLIPPED = "flipped_nets"  # A bit for each number of a net.
_ARMED = "armed_nets"  # Those that are flipped in the next clock.
_STUCK_NETS, _STUCK_NETS_TO = "stuck_nets", "stuck_nets_to"
_ARMED_STUCK = "armed_stuck_nets"  # Those that are stuck from the next clock on.
_STUCK, _STUCK_TO = "stuck_flip_flops", "stuck_flip_flops_to"
_RESETS_TO = "reset_values"
_STILL = "still_members"  # Flip-flops, then memories, that are not clocked.
_PUBLIC = "/* verilator public_flat_rw */"
_EXPRESSIONS = {
    "$_NOT_": "~{0}",
    "$_AND_": "{0} & {1}",
    "$_OR_": "{0} | {1}",
    "$_XOR_": "{0} ^ {1}",
    "$_MUX_": "{2} ? {1} : {0}",
}


def netlist_lines(machine: Machine) -> Iterator[str]:
    """Yield the lines of a plan for the model of what `netlist_source` returns."""
    yield from port_lines(machine)
    for each in machine.flip_flops:
        yield f"flip_flop {_net(each.q)} 0"
        if each.reset is not None:
            yield f"held_0 {_net(each.reset)} 0"
    for index in range(len(machine.flip_flops)):
        yield f"stuck {_STUCK} {index}"
        yield f"stuck_to {_STUCK_TO} {index}"
        yield f"resets_to {_RESETS_TO} {index}"
    for index in range(len(machine.flip_flops) + len(machine.memories)):
        yield f"still {_STILL} {index}"
    for index, memory in enumerate(machine.memories):
        yield f"memory memory_{index} {memory.depth} {memory.width}"
    for net in range(highest_net(machine) + 1):
        yield f"net {_FLIPPED} {net}"
        yield f"armed {_ARMED} {net}"
        yield f"stuck_net {_ARMED_STUCK} {net}"
        yield f"stuck_net_to {_STUCK_NETS_TO} {net}"


def netlist_source(machine: Machine) -> str:
    """Return the Verilog of a machine: a scalar for each net, named by its number."""
    body = [*_inputs(machine), *_gates(machine), *_outputs(machine)]
    for index, each in enumerate(machine.flip_flops):
        body += _flip_flop(machine, index, each)
    for index, memory in enumerate(machine.memories):
        body += _memory(machine, index, memory)
    lines = ["// verilator lint_off WIDTH", *_heading(machine), *_declarations(machine), *body]
    return "\n".join([*lines, "endmodule", ""])


def _net(net: Net) -> str:
    return f"1'b{net}" if net < CONSTANTS else f"n{net}"


def _word(nets: Sequence[Net]) -> str:
    return "{" + ", ".join(_net(net) for net in reversed(nets)) + "}"


def _range(nets: Sequence[Net]) -> str:
    return f"[{len(nets) - 1}:0]"


def _heading(machine: Machine) -> Iterator[str]:
    ports = [f"input {machine.clock}"] if machine.clock else []
    ports += [f"input {_range(nets)} {name}" for name, nets in machine.inputs.items()]
    ports += [f"output {_range(nets)} {name}" for name, nets in machine.outputs.items()]
    listed = ", ".join(f"{port} {_PUBLIC}" for port in ports)
    yield f"module {machine.top} ({listed});"


def _declarations(machine: Machine) -> Iterator[str]:
    """Declare every net before its first use; one that nothing drives is 0."""
    stored = {each.q for each in machine.flip_flops}
    driven = {net for gate in machine.gates for net in gate.outputs} - stored
    driven |= {net for nets in machine.inputs.values() for net in nets}
    used = {net for gate in machine.gates for net in gate.inputs}
    used |= {net for nets in machine.outputs.values() for net in nets}
    used |= {each.d for each in machine.flip_flops}
    used |= {
        net
        for memory in machine.memories
        for port in memory.writes
        for net in (*port.address, *port.data, *port.enable)
    }
    resets = {each.reset for each in machine.flip_flops}
    for net in sorted(driven):
        yield f"wire {_net(net)}{f' {_PUBLIC}' if net in resets else ''};"
    yield from (f"reg {_net(net)} {_PUBLIC};" for net in sorted(stored))
    nets, flip_flops = highest_net(machine) + 1, len(machine.flip_flops)
    resets_to = "".join(str(each.reset_value) for each in reversed(machine.flip_flops))
    for name, bits, value in (
        *((name, nets, "0") for name in (_FLIPPED, _ARMED)),
        *((name, nets, "0") for name in (_STUCK_NETS, _ARMED_STUCK, _STUCK_NETS_TO)),
        *((name, max(flip_flops, 1), "0") for name in (_STUCK, _STUCK_TO)),
        (_RESETS_TO, max(flip_flops, 1), f"{flip_flops}'b{resets_to}" if flip_flops else "0"),
        (_STILL, flip_flops + len(machine.memories) + 1, "0"),
    ):
        yield f"reg [{bits - 1}:0] {name} {_PUBLIC};"
        yield f"initial {name} = {value};"
    if machine.clock:
        yield f"always @(posedge {machine.clock}) {_FLIPPED} <= {_ARMED};"
        yield f"always @(posedge {machine.clock}) {_STUCK_NETS} <= {_ARMED_STUCK};"
    open_nets = used - driven - stored - set(range(CONSTANTS))
    yield from (f"wire {_net(net)} = 1'b0;" for net in sorted(open_nets))


def _inputs(machine: Machine) -> Iterator[str]:
    for name, nets in machine.inputs.items():
        for bit, net in enumerate(nets):
            yield f"assign {_net(net)} = {name}[{bit}];"


def _outputs(machine: Machine) -> Iterator[str]:
    for name, nets in machine.outputs.items():
        yield f"assign {name} = {_word(nets)};"


def _gates(machine: Machine) -> Iterator[str]:
    for gate in machine.gates:
        if gate.kind in _EXPRESSIONS:
            (net,) = gate.outputs
            made = _EXPRESSIONS[gate.kind].format(*map(_net, gate.inputs))
            made = f"({made}) ^ {_FLIPPED}[{net}]"
            yield f"assign {_net(net)} = {_STUCK_NETS}[{net}] ? {_STUCK_NETS_TO}[{net}] : {made};"


def _flip_flop(machine: Machine, index: int, each: FlipFlop) -> Iterator[str]:
    q = _net(each.q)
    stuck = f"{_STUCK}[{index}] ? {_STUCK_TO}[{index}]"
    after = f"{q} <= {stuck} : {_STILL}[{index}] ? {q} : {_net(each.d)};"
    if each.reset is None:
        yield f"always @(posedge {machine.clock}) {after}"
        return
    reset = _net(each.reset)
    yield f"always @(posedge {machine.clock} or negedge {reset})"
    yield f"  if (!{reset}) {q} <= {stuck} : 1'b{each.reset_value}; else {after}"


def _memory(machine: Machine, index: int, memory: Memory) -> Iterator[str]:
    name = f"memory_{index}"
    yield f"reg [{memory.width - 1}:0] {name} [0:{memory.depth - 1}] {_PUBLIC};"
    for port in memory.reads:
        word = _address(memory, port)
        value = f"{word} < {memory.depth} ? {name}[{word}] : {memory.width}'d0"
        yield f"assign {_word(port.data)} = {value};"
    if memory.writes:
        still = f"{_STILL}[{len(machine.flip_flops) + index}]"
        yield f"always @(posedge {machine.clock}) if (!{still}) begin"
        for port in memory.writes:
            word = _address(memory, port)
            for bit, (enable, data) in enumerate(zip(port.enable, port.data, strict=True)):
                yield f"  if ({_net(enable)} && {word} < {memory.depth})"
                yield f"    {name}[{word}][{bit}] <= {_net(data)};"
        yield "end"


def _address(memory: Memory, port: Port) -> str:
    return f"(32'd0 + {_word(port.address)} - 32'd{memory.first_address})"
