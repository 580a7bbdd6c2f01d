# SPDX-License-Identifier: Apache-2.0
"""Operators as the cells of a netlist that Yosys reads."""

from collections.abc import Mapping, Sequence

from fw_tools.tmr.design import Bit, Bits, Operator


class Cells:
    """Cells as Yosys reads them."""

    def __init__(self) -> None:
        self.cells: dict[str, object] = {}
        self._read: dict[Bit, None] = {}
        self._driven: set[Bit] = set()

    def operator(self, operator: Operator, inputs: Mapping[str, Bits], output: Bits) -> None:
        """Add an operator of a design."""
        kind, parameters = operator.kind, dict(operator.parameters)
        if "Y_WIDTH" in parameters:
            parameters["Y_WIDTH"] = len(output)
        if (
            kind == "$shiftx"
        ):  # What lies beyond the word is 0 in the result, and open in the source.
            kind, parameters = "$shr", parameters | {"B_SIGNED": 0}
        self.add(kind, inputs, output, parameters)

    def add(
        self, kind: str, inputs: Mapping[str, Bits], output: Bits, parameters: Mapping[str, int]
    ) -> None:
        """Add a cell."""
        pins = {pin: _known(bits) for pin, bits in inputs.items()}
        self._read |= dict.fromkeys(bit for bits in pins.values() for bit in bits)
        self._driven.update(output)
        self.cells[f"c{len(self.cells)}"] = {
            "type": kind,
            "parameters": dict(parameters),
            "attributes": {},
            "port_directions": dict.fromkeys(pins, "input") | {"Y": "output"},
            "connections": {pin: list(bits) for pin, bits in pins.items()} | {"Y": list(output)},
        }

    def open_bits(self, pairs: Sequence[tuple[Bit, Bit]]) -> list[Bit]:
        """Return what no cell drives."""
        read = self._read | dict.fromkeys(bit for pair in pairs for bit in pair)
        return [bit for bit in read if isinstance(bit, int) and bit not in self._driven]


def _known(bits: Bits) -> Bits:
    return tuple("0" if bit == "x" else bit for bit in bits)
