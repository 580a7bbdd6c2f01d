# SPDX-License-Identifier: Apache-2.0
"""What a synthesiser has to leave of a design: its ports, and a flip-flop for each hardened bit."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fw_tools.netlist.reading import read_netlist
from fw_tools.netlist.synthesis import design_file
from fw_tools.netlist.yosys import read_json, run_yosys

_STORED = ".stored_q"  # Of the module kept_reg, which every hardened register is an instance of.


@dataclass(frozen=True, slots=True, kw_only=True)
class PortBits:
    """One port of a top."""

    name: str
    is_input: bool
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Elaborated:
    """A design before any optimisation."""

    ports: tuple[PortBits, ...]
    hardened: Mapping[str, int]  # Instance of kept_reg, from the top down -> its bits.


def elaborate(sources: Sequence[Path], top: str) -> Elaborated:
    """Return what `sources` (in compile order) describe below `top`.

    Raises `MissingToolError` without Yosys, `SynthesisError` for sources that do not elaborate.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "design.f").write_text(design_file(sources, top))
        commands = ("read_slang --keep-hierarchy -f design.f", f"hierarchy -top {top}", "proc")
        run_yosys((*commands, "write_json netlist.json"), folder)
        document = read_json(folder / "netlist.json")
    signals = read_netlist(document, top, "none").signals
    hardened = {
        signal.removesuffix(_STORED): len(nets)
        for signal, nets in sorted(signals.items())
        if signal.endswith(_STORED)
    }
    ports = document["modules"][top]["ports"]
    return Elaborated(
        ports=tuple(
            PortBits(name=name, is_input=port["direction"] == "input", bits=len(port["bits"]))
            for name, port in ports.items()
        ),
        hardened=hardened,
    )
