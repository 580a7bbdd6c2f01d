# SPDX-License-Identifier: Apache-2.0
"""Place and route by nextpnr, which runs as a process; its report becomes a record."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fw_tools.errors import InputError, MissingToolError
from fw_tools.fpga.parts import Part
from fw_tools.netlist.reading import read_netlist
from fw_tools.netlist.synthesis import synthesise_json

_CHILD = """
import sys
from {module} import run_{tool}
sys.exit(run_{tool}(sys.argv[1:]))
"""
_COMPLAINT = re.compile(r"^ERROR: (.*)$", re.MULTILINE)


class PlacementError(InputError):
    """nextpnr could not place or route the design; the message holds its own words."""


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
    slowest_from: str  # The cells between which the slowest path lies.
    slowest_to: str

    @property
    def is_in_time(self) -> bool:
        """Tell whether it runs at the clock that was asked for."""
        return self.fmax_mhz >= self.clock_mhz


def place_and_route(
    sources: Sequence[Path],
    top: str,
    part: Part,
    clock_mhz: float,
    parameters: Mapping[str, int] | None = None,
    seed: int = 1,
) -> Fit:
    """Synthesise `top` of `sources` (in compile order), place and route it; pins are nextpnr's.

    A clock that is missed is no error: see `Fit.is_in_time`.

    Raises:
        MissingToolError: Yosys or nextpnr is not installed.
        SynthesisError: the design cannot be synthesised.
        PlacementError: it does not fit, or cannot be routed.
    """
    if find_spec(_module(part)) is None:
        raise MissingToolError("nextpnr is missing: pip install 'fw-tools[fpga]'")
    netlist = synthesise_json(sources, top, part.family, parameters)
    options = (*part.arguments, part.free_pins, "--freq", f"{clock_mhz:g}", "--seed", f"{seed}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "netlist.json").write_bytes(netlist)
        files = ("--json", "netlist.json", "--report", "report.json", "--timing-allow-fail")
        _run_nextpnr(part, (*options, *files), folder)
        report = json.loads((folder / "report.json").read_bytes())
    flip_flops = read_netlist(json.loads(netlist), top, part.family).flip_flops
    return read_report(report, part, clock_mhz, len(flip_flops))


def read_report(report: Mapping[str, Any], part: Part, clock_mhz: float, flip_flops: int) -> Fit:
    """Return the record of nextpnr's report (`--report`)."""
    logic, block_ram = (report["utilization"][kind] for kind in (part.logic, part.block_ram))
    clocks = report["fmax"]
    slowest = min(clocks, key=lambda clock: float(clocks[clock]["achieved"]))
    slowest_from, slowest_to = _ends(report["critical_paths"], slowest)
    return Fit(
        part=part.name,
        logic_cells=logic["used"],
        logic_cells_available=logic["available"],
        flip_flops=flip_flops,
        block_rams=block_ram["used"],
        block_rams_available=block_ram["available"],
        clock_mhz=clock_mhz,
        fmax_mhz=clocks[slowest]["achieved"],
        slowest_from=slowest_from,
        slowest_to=slowest_to,
    )


def _ends(paths: Sequence[Mapping[str, Any]], clock: str) -> tuple[str, str]:
    """Return the first and the last cell of the slowest path from `clock` to itself."""
    edge = f"posedge {clock}"
    steps = next(path["path"] for path in paths if path["from"] == path["to"] == edge)
    return steps[0]["from"]["cell"], steps[-1]["to"]["cell"]


def _module(part: Part) -> str:
    """Return the name of the wheel's module."""
    return f"yowasp_nextpnr_{part.family}"


def _run_nextpnr(part: Part, arguments: Sequence[str], folder: Path) -> None:
    child = _CHILD.format(module=_module(part), tool=f"nextpnr_{part.family}")
    done = subprocess.run(
        [sys.executable, "-c", child, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise PlacementError(_complaint(done.stderr, done.returncode))


def _complaint(log: str, status: int) -> str:
    if found := _COMPLAINT.findall(log):
        return "\n".join(f"nextpnr: {line}" for line in dict.fromkeys(found))
    tail = "\n".join(log.strip().splitlines()[-5:])
    return f"nextpnr ended with status {status} and gave no reason; its last lines:\n{tail}"
