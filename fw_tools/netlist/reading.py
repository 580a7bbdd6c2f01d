# SPDX-License-Identifier: Apache-2.0
"""Yosys' JSON netlist (`write_json`) to one flat netlist, with names from the top down."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fw_tools.netlist.records import CONSTANTS, Cell, Net, Netlist

_NOT_HARDWARE = frozenset({"$scopeinfo"})


def read_netlist(document: Mapping[str, Any], top: str, family: str) -> Netlist:
    """Return the netlist below `top` of a parsed JSON document.

    Instances of modules that synthesis kept are entered; what is left are primitives. An undefined
    or high-impedance bit (`x`, `z`) reads as 0.
    """
    reader = _Reader(document["modules"])
    reader.enter(top, "", {})
    return Netlist(top, family, tuple(reader.cells), reader.signals)


def place_of(attributes: Mapping[str, Any]) -> str:
    """Return file and line of a cell's source, without its folder; "" where it is not known."""
    source = str(attributes.get("src", "")).partition("|")[0]
    file, _, position = source.rpartition(":")
    return f"{Path(file).name}:{position.partition('.')[0]}" if file else ""


class _Reader:
    def __init__(self, modules: Mapping[str, Any]) -> None:
        self.cells: list[Cell] = []
        self.signals: dict[str, tuple[Net, ...]] = {}
        self._modules = modules
        self._next_net = CONSTANTS

    def enter(self, module_name: str, path: str, bound: dict[int, Net]) -> None:
        """Add one instance: `bound` maps the module's bits at its ports to nets of its owner."""
        module = self._modules[module_name]
        nets = dict(bound)
        for name, wire in module["netnames"].items():
            if not wire.get("hide_name"):
                self.signals[path + name] = self._resolve(wire["bits"], nets)
        for name, cell in module["cells"].items():
            if cell["type"] in _NOT_HARDWARE:
                continue
            pins = {pin: self._resolve(bits, nets) for pin, bits in cell["connections"].items()}
            if self._is_design(cell["type"]):
                self.enter(cell["type"], f"{path}{name}.", self._bindings(cell["type"], pins))
            else:
                self.cells.append(_primitive(path + name, cell, pins))

    def _is_design(self, module_name: str) -> bool:
        module = self._modules.get(module_name)
        return module is not None and not module["attributes"].get("blackbox")

    def _bindings(self, module_name: str, pins: Mapping[str, tuple[Net, ...]]) -> dict[int, Net]:
        ports = self._modules[module_name]["ports"]
        return dict(_pairs(ports, pins))

    def _resolve(self, bits: list[int | str], nets: dict[int, Net]) -> tuple[Net, ...]:
        found = []
        for bit in bits:
            if isinstance(bit, str):
                found.append(1 if bit == "1" else 0)
                continue
            if bit not in nets:
                nets[bit] = self._next_net
                self._next_net += 1
            found.append(nets[bit])
        return tuple(found)


def _pairs(
    ports: Mapping[str, Any], pins: Mapping[str, tuple[Net, ...]]
) -> Iterator[tuple[int, Net]]:
    for name, nets in pins.items():
        for bit, net in zip(ports[name]["bits"], nets, strict=True):
            if not isinstance(bit, str):
                yield bit, net


def _primitive(name: str, cell: Mapping[str, Any], pins: dict[str, tuple[Net, ...]]) -> Cell:
    outputs = (pin for pin, direction in cell["port_directions"].items() if direction == "output")
    place = place_of(cell["attributes"])
    return Cell(name, cell["type"], cell["parameters"], pins, frozenset(outputs), place)
