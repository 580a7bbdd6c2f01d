# SPDX-License-Identifier: Apache-2.0
"""Evaluates a synthesised netlist: any state of its flip-flops in, the next state out.

The functions of the primitives are those of Yosys' simulation models (`lattice/cells_sim_ecp5.v`,
`ice40/cells_sim.v`).
"""

from collections.abc import Callable, Mapping

from fw_tools.netlist.records import Cell, Net, Netlist

Values = dict[Net, int]  # Each 0 or 1.
_Inputs = Callable[[str], int]


class Evaluator:
    """One netlist with one setting of inputs and flip-flops.

    Resets are taken as released. `LookupError` is raised for a primitive without a model and for an
    input or flip-flop that was given no value.
    """

    def __init__(self, netlist: Netlist) -> None:
        self._netlist = netlist
        self._given: Values = {}
        self._values: Values = {}

    def copy(self) -> "Evaluator":
        """Return another evaluation of the same netlist that begins where this one stands."""
        other = Evaluator(self._netlist)
        other._given = dict(self._given)
        return other

    def set_signal(self, name: str, value: int) -> None:
        """Give an input port or a register a value, least significant bit first."""
        nets = self._netlist.signal(name)
        if value >> len(nets):
            raise ValueError(f"{name}: {value} does not fit in {len(nets)} bits")
        for bit, net in enumerate(nets):
            self._given[net] = value >> bit & 1
        self._values.clear()

    def read_signal(self, name: str) -> int:
        """Return what a signal shows now, before the next clock."""
        nets = self._netlist.signal(name)
        return sum(self._value(net) << bit for bit, net in enumerate(nets))

    def next_value(self, name: str) -> int:
        """Return what a register will hold after the next clock."""
        cells = self._netlist.register(name)
        return sum(self._next(cell) << bit for bit, cell in enumerate(cells))

    def clock(self) -> None:
        """Advance every flip-flop by one clock."""
        after = {cell.pins["Q"][0]: self._next(cell) for cell in self._netlist.flip_flops}
        self._given.update(after)
        self._values.clear()

    def reset(self) -> None:
        """Give every flip-flop the value that reset gives it."""
        for cell in self._netlist.flip_flops:
            self._given[cell.pins["Q"][0]] = _reset_value(cell)
        self._values.clear()

    def _next(self, cell: Cell) -> int:
        for enable in ("CE", "E"):
            if enable in cell.pins and not self._value(cell.pins[enable][0]):
                return self._value(cell.pins["Q"][0])
        if _has_synchronous_reset(cell) and self._value(_reset_net(cell)):
            return _reset_value(cell)
        return self._value(cell.data)

    def _value(self, net: Net) -> int:
        if net <= 1:
            return net
        if net in self._given:
            return self._given[net]
        if net not in self._values:
            self._values[net] = self._drive(net)
        return self._values[net]

    def _drive(self, net: Net) -> int:
        driver = self._netlist.driver(net)
        if driver is None or driver[0].is_flip_flop:
            name = driver[0].name if driver else self._name(net)
            raise LookupError(f"{self._netlist.top}: {name} was given no value")
        cell, pin, _ = driver
        model = _MODELS.get(cell.kind)
        if model is None:
            raise LookupError(f"{cell.name}: no model of the primitive {cell.kind}")
        return model(cell, pin, lambda name: self._pin(cell, name))

    def _pin(self, cell: Cell, name: str) -> int:
        nets = cell.pins.get(name, ())
        return self._value(nets[0]) if nets else 0  # An open input reads 0.

    def _name(self, net: Net) -> str:
        names = (name for name, nets in self._netlist.signals.items() if net in nets)
        return next(names, f"net {net}")


def _bits(text: str) -> int:
    return int(text, 2)


def _look_up(table: int, *inputs: int) -> int:
    return table >> sum(value << place for place, value in enumerate(inputs)) & 1


def _lut4(cell: Cell, pin: str, value: _Inputs) -> int:  # noqa: ARG001 (one signature for all)
    return _look_up(_bits(cell.parameters["INIT"]), *(value(name) for name in "ABCD"))


def _sb_lut4(cell: Cell, pin: str, value: _Inputs) -> int:  # noqa: ARG001
    table = _bits(cell.parameters["LUT_INIT"])
    return _look_up(table, *(value(name) for name in ("I0", "I1", "I2", "I3")))


def _sb_carry(cell: Cell, pin: str, value: _Inputs) -> int:  # noqa: ARG001
    return int(value("I0") + value("I1") + value("CI") >= 2)


def _pfumx(cell: Cell, pin: str, value: _Inputs) -> int:  # noqa: ARG001
    return value("ALUT") if value("C0") else value("BLUT")


def _l6mux21(cell: Cell, pin: str, value: _Inputs) -> int:  # noqa: ARG001
    return value("D1") if value("SD") else value("D0")


def _ccu2c(cell: Cell, pin: str, value: _Inputs) -> int:
    """Evaluate two bits of a carry chain; INJECT1_x cuts the carry between them off."""
    carry = value("CIN")
    for half in "01":
        table = _bits(cell.parameters[f"INIT{half}"])
        four = _look_up(table, *(value(f"{name}{half}") for name in "ABCD"))
        two = _look_up(table & 0xF, value(f"A{half}"), value(f"B{half}"))
        is_cut = cell.parameters[f"INJECT1_{half}"].strip() == "YES"
        if pin == f"S{half}":
            return four ^ (0 if is_cut else carry)
        carry = carry if four else (0 if is_cut else two)
    return carry  # COUT


_MODELS: Mapping[str, Callable[[Cell, str, _Inputs], int]] = {
    "LUT4": _lut4,
    "PFUMX": _pfumx,
    "L6MUX21": _l6mux21,
    "CCU2C": _ccu2c,
    "SB_LUT4": _sb_lut4,
    "SB_CARRY": _sb_carry,
}


def _has_synchronous_reset(cell: Cell) -> bool:
    if cell.kind == "TRELLIS_FF":
        return cell.parameters.get("SRMODE", "").strip() != "ASYNC" and "LSR" in cell.pins
    return cell.kind.endswith(("SR", "SS"))


def _reset_net(cell: Cell) -> Net:
    return next(cell.pins[name][0] for name in ("LSR", "R", "S") if name in cell.pins)


def _reset_value(cell: Cell) -> int:
    if cell.kind == "TRELLIS_FF":
        return int(cell.parameters["REGSET"].strip() == "SET")
    return int(cell.kind.endswith("S"))
