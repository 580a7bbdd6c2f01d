# SPDX-License-Identifier: Apache-2.0
"""SystemVerilog to the netlist of an FPGA family, with the hierarchy that hardening relies on."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from fw_tools.netlist.reading import read_netlist
from fw_tools.netlist.records import Netlist
from fw_tools.netlist.yosys import run_yosys

# Family -> Yosys' script for it, and what is run besides.
SYNTHESIS = {
    "ecp5": ("synth_ecp5 -top {top}",),
    "ice40": ("synth_ice40 -top {top}",),
    # nextpnr takes no hierarchy of this family, and pads belong to the topmost module alone.
    "gowin": (
        "synth_gowin -top {top} -noiopads",
        "setattr -mod -unset keep_hierarchy *",
        "flatten",
        "iopadmap -bits -inpad IBUF O:I -outpad OBUF I:O",
        "opt_clean",
    ),
}


def synthesise(
    sources: Sequence[Path],
    top: str,
    family: str,
    parameters: Mapping[str, int | str] | None = None,
) -> Netlist:
    """Return the netlist of `top`, as `synthesise_json` has made it."""
    document = json.loads(synthesise_json(sources, top, family, parameters))
    return read_netlist(document, top, family)


def synthesise_json(
    sources: Sequence[Path],
    top: str,
    family: str,
    parameters: Mapping[str, int | str] | None = None,
) -> bytes:
    """Synthesise `top` of `sources` (in compile order) for `family`, as a user's flow would.

    Returns Yosys' JSON netlist, which nextpnr reads. Modules marked `keep_hierarchy` stay apart,
    everything else is flattened and optimised.

    Raises:
        ValueError: a family that is not in `SYNTHESIS`.
        MissingToolError: Yosys is not installed.
        SynthesisError: the design cannot be synthesised.
    """
    if family not in SYNTHESIS:
        raise ValueError(f"unknown family {family!r}; there are: {', '.join(SYNTHESIS)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "design.f").write_text(design_file(sources, top, parameters))
        commands = (
            "read_slang --keep-hierarchy -f design.f",
            *(command.format(top=top) for command in SYNTHESIS[family]),
            "write_json netlist.json",
        )
        run_yosys(commands, folder)
        return (folder / "netlist.json").read_bytes()


def design_file(
    sources: Sequence[Path], top: str, parameters: Mapping[str, int | str] | None = None
) -> str:
    """Return a command file of `read_slang`; quotes keep spaces in a path together."""
    lines = [f'"{source.resolve()}"' for source in sources]
    chosen = (parameters or {}).items()
    lines += [f"--top {top}", *(f"-G {name}={value}" for name, value in chosen)]
    return "\n".join(lines) + "\n"
