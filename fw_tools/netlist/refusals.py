# SPDX-License-Identifier: Apache-2.0
"""What of an elaborated design a campaign cannot take, told by file and line."""

from collections.abc import Iterator, Mapping
from typing import Any

from fw_tools.netlist.reading import place_of
from fw_tools.netlist.yosys import SynthesisError

_MOST_TOLD = 8


def refuse_unfit(modules: Mapping[str, Any]) -> None:
    """Raise `SynthesisError` for latches, tri-state buffers and storage on falling edges."""
    found = list(dict.fromkeys(_unfit(modules)))
    if found:
        more = [f"and {len(found) - _MOST_TOLD} more"] if len(found) > _MOST_TOLD else []
        raise SynthesisError("\n".join([*found[:_MOST_TOLD], *more]))


def _unfit(modules: Mapping[str, Any]) -> Iterator[str]:
    for name, module in modules.items():
        for cell in module["cells"].values():
            complaint = _complaint(cell)
            if complaint:
                signal = f"{name.partition('$')[0]}.{_signal(module, cell)}"
                yield f"{place_of(cell['attributes'])}: {signal} {complaint}"


def _complaint(cell: Mapping[str, Any]) -> str:
    kind = cell["type"]
    if "latch" in kind or kind == "$sr":
        return "is a latch; give it a value in every branch, or clock it"
    if kind == "$tribuf":
        return "is a tri-state buffer; a campaign takes what is inside of the pads"
    if cell["parameters"].get("CLK_POLARITY", "1").endswith("0") and "Q" in cell["connections"]:
        return "is stored on the falling edge of its clock; a campaign takes rising edges only"
    return ""


def _signal(module: Mapping[str, Any], cell: Mapping[str, Any]) -> str:
    pins = cell["connections"]
    bit = pins.get("Q", pins.get("Y"))[0]
    names = (n for n, wire in module["netnames"].items() if not wire.get("hide_name"))
    return next((n for n in names if bit in module["netnames"][n]["bits"]), "a signal")
