# SPDX-License-Identifier: Apache-2.0
"""The slowest path of a placed design, in the names and lines of its sources."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# Yosys names a net that nobody named NEIGHBOUR_CELL_PORT, again and again.
_NAMED_BY_YOSYS = re.compile(
    r"_(?:SB_[A-Z0-9]+|LUT\d|TRELLIS_[A-Z]+|CCU2C|PFUMX|L6MUX21|ALU|MUX2_LUT\d|DFF[A-Z]*)_.*$"
)
_BIT = re.compile(r"\[\d+\]$")
LOGIC = "(logic)"
_NO_PATH: Mapping[str, Any] = {"path": []}
_OF_NEXTPNR = "$nextpnr"  # Begins the names of nets that it makes itself, as between two carries.
_LIBRARY = "/pyosys/share/"  # Where Yosys keeps the cells of a family, which nobody wrote.


@dataclass(frozen=True, slots=True)
class PathStep:
    """A signal on the slowest path, or logic that synthesis made beside it."""

    signal: str  # Instances and name, joined by dots; `LOGIC` for a name where nobody gave one.
    source: str  # FILE:LINE of its declaration, as far as synthesis knows; "" otherwise.
    arrives_ns: float  # After the clock edge; of the last net of this step.


def slowest_path(report: Mapping[str, Any], clock: str, lines: "SourceLines") -> list[PathStep]:
    """Return the steps from a flip-flop to a flip-flop of `clock`; `report` is nextpnr's.

    There are none where no path begins and ends at that clock.
    """
    edge = f"posedge {clock}"
    ends = (path for path in report["critical_paths"] if path["from"] == path["to"] == edge)
    steps: list[PathStep] = []
    for net, arrives_ns in _arrivals(next(ends, _NO_PATH)["path"]):
        signal, near = lines.find(net)
        step = PathStep(signal, near, arrives_ns)
        if steps and replace(steps[-1], arrives_ns=arrives_ns) == step:
            steps[-1] = step
        else:
            steps.append(step)
    return steps


def _arrivals(hops: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    """Yield each net, and at last the cell where the path ends, with the time of arrival."""
    passed = 0.0
    for hop in hops:
        passed += hop["delay"]
        if "net" in hop and not hop["net"].startswith(_OF_NEXTPNR):
            yield hop["net"], round(passed, 2)
    if hops:
        yield hops[-1]["to"]["cell"], round(passed, 2)


class SourceLines:
    """Where the signals of a netlist (as `write_json` writes it) are declared."""

    def __init__(self, netlist: Mapping[str, Any], top: str) -> None:
        self._modules = netlist["modules"]
        self._top = top

    def find(self, net: str) -> tuple[str, str]:
        """Return the name of a net as `PathStep` has it, and FILE:LINE of what is known of it.

        The name of a nameless net begins with its neighbours' names: the longest that is known
        counts. Without any, "" is returned for the line.
        """
        module, path, name = self._descend(self._top, "", _BIT.sub("", net))
        parts = name.split("_")
        near = ("_".join(parts[:count]) for count in range(len(parts), 0, -1))
        known = (module["netnames"].get(name) or module["cells"].get(name) for name in near)
        line = next((line for found in known if found and (line := _line(found))), "")
        if _NAMED_BY_YOSYS.search(name):
            name = f"{name.rpartition('.')[0]}.{LOGIC}".lstrip(".")
        return path + name, line

    def _descend(self, top: str, path: str, name: str) -> tuple[Mapping[str, Any], str, str]:
        """Return the module that a name lies in, the instances down to it, and the name there.

        A flattened name holds dots itself, so the longest instance that there is counts.
        """
        module = self._modules[top]
        parts = name.split(".")
        for count in range(len(parts) - 1, 0, -1):
            instance = ".".join(parts[:count])
            kind = module["cells"].get(instance, {}).get("type")
            if kind in self._modules:
                return self._descend(kind, f"{path}{instance}.", ".".join(parts[count:]))
        return module, path, name


def _line(known: Mapping[str, Any]) -> str:
    """Return the first place that a person wrote."""
    places = known.get("attributes", {}).get("src", "").split("|")
    place = next((place for place in places if place and _LIBRARY not in place), "")
    path, _, columns = place.rpartition(":")
    return f"{Path(path).name}:{columns.partition('.')[0]}" if place else ""
