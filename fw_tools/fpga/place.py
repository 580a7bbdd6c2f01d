# SPDX-License-Identifier: Apache-2.0
"""Place and route by nextpnr; its report becomes a record."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fw_tools.fpga.parts import Part
from fw_tools.fpga.slowest_path import PathStep, SourceLines, slowest_path
from fw_tools.netlist.reading import read_netlist
from fw_tools.netlist.synthesis import synthesise_json

ROUTED = "routed"  # What nextpnr writes, for the packer.


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What a design takes of a part, and how fast it may run."""

    part: str
    logic_cells: int  # Each a look-up table of four inputs; an iCE40's holds a flip-flop besides.
    logic_cells_available: int
    flip_flops: int
    block_rams: int
    block_rams_available: int
    clock_mhz: float  # What was asked for.
    fmax_mhz: float  # Of the slowest clock.
    slowest_path: tuple[PathStep, ...]  # From one flip-flop to the next.

    @property
    def is_in_time(self) -> bool:
        """Tell whether it runs at the clock that was asked for."""
        return self.fmax_mhz >= self.clock_mhz


def place_and_route(
    sources: Sequence[Path],
    top: str,
    part: Part,
    clock_mhz: float,
    parameters: Mapping[str, int | str] | None = None,
) -> Fit:
    """Synthesise `top` of `sources` (in compile order), place and route it; pins are nextpnr's.

    A clock that is missed is no error: see `Fit.is_in_time`.

    Raises:
        MissingToolError: Yosys or nextpnr is not installed.
        SynthesisError: the design cannot be synthesised.
        PlacementError: it does not fit, or cannot be routed.
    """
    netlist = synthesise_json(sources, top, part.family.name, parameters)
    with tempfile.TemporaryDirectory() as name:
        return route(netlist, top, part, clock_mhz, Path(name))


def route(
    netlist: bytes,
    top: str,
    part: Part,
    clock_mhz: float,
    folder: Path,
    pins: Path | None = None,
    seed: int = 1,
) -> Fit:
    """Place and route a netlist of `synthesise_json`; the result is the file `ROUTED` in `folder`.

    `pins` is a file of pins in the words of the family's tools; without it nextpnr chooses. Raises
    what `place_and_route` does.
    """
    family = part.family
    (folder / "netlist.json").write_bytes(netlist)
    if pins:
        (folder / "pins").write_bytes(pins.read_bytes())  # nextpnr sees this folder alone.
    which = _named(family.pins, "pins") if pins else family.free_pins
    options = (*part.arguments, *which, "--freq", f"{clock_mhz:g}", "--seed", f"{seed}")
    files = ("--json", "netlist.json", "--report", "report.json", *_named(family.routed, ROUTED))
    family.router.run((*options, *files, "--timing-allow-fail"), folder)
    report = json.loads((folder / "report.json").read_bytes())
    return read_report(report, part, clock_mhz, json.loads(netlist), top)


def read_report(
    report: Mapping[str, Any], part: Part, clock_mhz: float, netlist: Mapping[str, Any], top: str
) -> Fit:
    """Return the record of nextpnr's report (`--report`) on a netlist of `synthesise_json`."""
    used = report["utilization"]
    logic = [used[kind] for kind in part.family.logic]
    clocks = report["fmax"]
    slowest = min(clocks, key=lambda clock: float(clocks[clock]["achieved"]))
    return Fit(
        part=part.name,
        logic_cells=sum(kind["used"] for kind in logic),
        logic_cells_available=logic[0]["available"],
        flip_flops=len(read_netlist(netlist, top, part.family.name).flip_flops),
        block_rams=used[part.family.block_ram]["used"],
        block_rams_available=used[part.family.block_ram]["available"],
        clock_mhz=clock_mhz,
        fmax_mhz=clocks[slowest]["achieved"],
        slowest_path=tuple(slowest_path(report, slowest, SourceLines(netlist, top))),
    )


def _named(argument: Sequence[str], name: str) -> tuple[str, ...]:
    return tuple(part.format(name) for part in argument)
