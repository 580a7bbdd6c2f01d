# SPDX-License-Identifier: Apache-2.0
"""A gate netlist as a machine of one clock: state, inputs, and the order in which gates settle."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fw_tools.errors import InputError
from fw_tools.netlist.analysis import GATES, Gates
from fw_tools.netlist.records import CONSTANTS, Cell, Net

_PINS = ("A", "B", "S")
_DEEPEST_MEMORY_BITS = 1 << 22
_WIDEST_WORD_BITS = 1024  # What the engine has room for.


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipFlop:
    """One stored bit."""

    name: str  # "u_rail.code_q[3]"
    q: Net
    d: Net
    reset: Net | None  # Asynchronous, active low.
    reset_value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of a memory; nets least significant bit first."""

    address: tuple[Net, ...]
    data: tuple[Net, ...]
    enable: tuple[Net, ...] = ()  # Of each bit; a write port's.


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """An array of words, read at once and written at the clock."""

    name: str
    width: int
    depth: int
    first_address: int
    initial: str  # A character a bit, word 0 bit 0 first: 0, 1 or x.
    reads: tuple[Port, ...]
    writes: tuple[Port, ...]  # A later one wins.


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A gate, or a read of a memory."""

    kind: str  # Of `GATES`; "read"; "reset0" and "reset1" of a flip-flop that logic resets.
    inputs: tuple[Net, ...]
    outputs: tuple[Net, ...]
    index: int = 0  # Of the memory, or of the flip-flop.
    name: str = ""  # "u_rail.u_state.and_4711", or that of its output where it has one.


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A design of one clock."""

    top: str
    clock: str
    inputs: Mapping[str, tuple[Net, ...]]  # Without the clock.
    outputs: Mapping[str, tuple[Net, ...]]
    flip_flops: tuple[FlipFlop, ...]
    memories: tuple[Memory, ...]
    gates: tuple[Gate, ...]  # Each behind those that it needs.


def machine_of(gates: Gates) -> Machine:
    """Return the machine of a design.

    Raises `InputError` where it has several clocks, clocks that logic makes, or a loop of gates.
    """
    netlist = gates.netlist
    inputs = {name: netlist.signals[name] for name in gates.inputs}
    outputs = {name: netlist.signals[name] for name in gates.outputs}
    clock = _clock(gates, inputs)
    memories = tuple(_memory(cell) for cell in netlist.cells if cell.kind == "$mem_v2")
    flip_flops = tuple(_flip_flops(gates))
    inputs = {name: nets for name, nets in inputs.items() if name != clock}
    known = {net for nets in inputs.values() for net in nets}
    made = list(_made_by_gates(gates, memories, flip_flops, known))
    sinks = [each.d for each in flip_flops]
    sinks += [each.reset for each in flip_flops if each.reset is not None]
    sinks += [net for memory in memories for port in memory.writes for net in _nets(port)]
    sinks += [net for nets in outputs.values() for net in nets]
    return Machine(
        top=netlist.top,
        clock=clock,
        inputs=inputs,
        outputs=outputs,
        flip_flops=flip_flops,
        memories=memories,
        gates=tuple(_settling_order(netlist.top, made, sinks)),
    )


def _nets(port: Port) -> tuple[Net, ...]:
    return (*port.address, *port.enable, *port.data)


def _clock(gates: Gates, inputs: Mapping[str, Sequence[Net]]) -> str:
    """Return the name of the one clock."""
    netlist = gates.netlist
    named = {nets[0]: name for name, nets in inputs.items() if len(nets) == 1}
    clocks: dict[Net, Cell] = {}
    for cell in netlist.cells:
        for net in cell.pins.get("C", ()) + cell.pins.get("WR_CLK", ()):
            if net >= CONSTANTS:
                clocks.setdefault(net, cell)
    foreign = [cell for net, cell in clocks.items() if net not in named]
    if foreign:
        raise InputError(
            f"{foreign[0].place or netlist.top}: {_stored_in(gates, foreign[0])} has a clock that "
            "logic makes, or its falling edge; a campaign takes one clock that comes in as a port"
        )
    if len(clocks) > 1:
        raise InputError(
            f"{netlist.top}: {len(clocks)} clocks, {', '.join(named[net] for net in clocks)}; "
            "a campaign takes one"
        )
    return named[next(iter(clocks))] if clocks else ""


def _stored_in(gates: Gates, cell: Cell) -> str:
    """Return the register of a flip-flop, or the memory."""
    if cell.kind == "$mem_v2":
        return _memory_name(cell)
    stored = cell.pins["Q"][0]
    found = (name for name in gates.registers if stored in gates.netlist.signals[name])
    return next(found, cell.name.replace("$flatten", "").replace("\\", ""))


def _flip_flops(gates: Gates) -> Iterator[FlipFlop]:
    names: dict[Net, str] = {}
    for name, bits in gates.registers.items():
        nets = gates.netlist.signals[name]
        for bit in range(bits):
            names.setdefault(nets[bit], f"{name}[{bit}]" if len(nets) > 1 else name)
    for cell in sorted(gates.netlist.flip_flops, key=lambda cell: cell.pins["Q"][0]):
        q = cell.pins["Q"][0]
        reset = cell.pins.get("R", (None,))[0]
        yield FlipFlop(
            name=names.get(q, cell.name),
            q=q,
            d=cell.data,
            reset=reset,
            reset_value=int(cell.kind.endswith("1_")),
        )


def _number(cell: Cell, name: str) -> int:
    return int(cell.parameters[name], 2)


def _memory(cell: Cell) -> Memory:
    width, depth = _number(cell, "WIDTH"), _number(cell, "SIZE")
    address_bits = _number(cell, "ABITS")
    initial = cell.parameters["INIT"][::-1] if len(cell.parameters["INIT"]) == width * depth else ""
    if width * depth > _DEEPEST_MEMORY_BITS:
        raise InputError(
            f"{cell.name}: a memory of {width * depth:,} bits; "
            f"at most {_DEEPEST_MEMORY_BITS:,} are taken"
        )
    if width > _WIDEST_WORD_BITS:
        raise InputError(
            f"{cell.name}: a memory of words of {width:,} bits; "
            f"at most {_WIDEST_WORD_BITS:,} are taken"
        )
    return Memory(
        name=_memory_name(cell),
        width=width,
        depth=depth,
        first_address=_number(cell, "OFFSET"),
        initial=initial or "x" * (width * depth),
        reads=tuple(_ports(cell, "RD", address_bits, width)),
        writes=tuple(_ports(cell, "WR", address_bits, width)),
    )


def _memory_name(cell: Cell) -> str:
    return cell.parameters.get("MEMID", cell.name).removeprefix("\\").replace("\\", "")


def _ports(cell: Cell, way: str, address_bits: int, width: int) -> Iterator[Port]:
    pins = cell.pins
    for port in range(_number(cell, f"{way}_PORTS")):
        words = slice(port * width, (port + 1) * width)
        yield Port(
            address=pins[f"{way}_ADDR"][port * address_bits : (port + 1) * address_bits],
            data=pins[f"{way}_DATA"][words],
            enable=pins["WR_EN"][words] if way == "WR" else (),
        )


def _made_by_gates(
    gates: Gates, memories: Sequence[Memory], flip_flops: Sequence[FlipFlop], inputs: set[Net]
) -> Iterator[Gate]:
    for cell in gates.netlist.cells:
        if cell.kind in GATES:
            pins = tuple(cell.pins[pin][0] for pin in _PINS if pin in cell.pins)
            name = _gate_name(cell)
            yield Gate(kind=cell.kind, inputs=pins, outputs=cell.pins["Y"], name=name)
    for index, memory in enumerate(memories):
        for port in memory.reads:
            yield Gate(
                kind="read",
                inputs=port.address,
                outputs=port.data,
                index=index,
                name=f"a read of {memory.name}",
            )
    for index, each in enumerate(flip_flops):
        if each.reset is not None and each.reset not in inputs:
            kind = f"reset{each.reset_value}"
            yield Gate(
                kind=kind, inputs=(each.reset,), outputs=(each.q,), index=index, name=each.name
            )


def _gate_name(cell: Cell) -> str:
    """Return the instance that a gate is in, what it is and its number."""
    _, is_below, rest = cell.name.partition("$flatten")
    path = rest.partition(".$")[0].replace("\\", "") + "." if is_below else ""
    return f"{path}{cell.kind.strip('$_').lower()}_{cell.pins['Y'][0]}"


def _settling_order(top: str, gates: Sequence[Gate], sinks: Sequence[Net]) -> Iterator[Gate]:
    """Yield gates in the order of a walk from the sinks, so that neighbours stay together."""
    maker = {net: gate for gate in gates for net in gate.outputs}
    done: set[int] = set()
    under_way: dict[int, Gate] = {}
    for sink in sinks:
        stack = [(maker[sink], iter(maker[sink].inputs))] if sink in maker else []
        if not stack or id(stack[0][0]) in done:
            continue
        under_way[id(stack[0][0])] = stack[0][0]
        while stack:
            gate, rest = stack[-1]
            needed = next((maker[net] for net in rest if net in maker), None)
            if needed is None:
                stack.pop()
                del under_way[id(gate)]
                done.add(id(gate))
                yield gate
            elif id(needed) in under_way:
                loop = [each.name for each in list(under_way.values())[-4:]]
                raise InputError(f"{top}: gates in a loop, among them {', '.join(loop)}")
            elif id(needed) not in done:
                under_way[id(needed)] = needed
                stack.append((needed, iter(needed.inputs)))
