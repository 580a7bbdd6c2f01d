# SPDX-License-Identifier: Apache-2.0
"""What synthesis made of a design, as gates: each cell of a family by its own simulation model."""

import json
import tempfile
from pathlib import Path

from fw_tools.netlist.analysis import Gates, lowering, refuse_foreign_cells
from fw_tools.netlist.reading import read_netlist
from fw_tools.netlist.yosys import read_json, run_yosys

# Elaborated as needed: the block RAMs of iCE40 alone take 20 s. ECP5 has some cells twice.
_MODELS = {
    "ecp5": (
        "read_verilog -defer -overwrite +/ecp5/cells_sim.v",
        "read_verilog -lib +/ecp5/cells_bb.v",  # Those that have none.
    ),
    "ice40": ("read_verilog -defer -overwrite +/ice40/cells_sim.v",),
}


def analyse_mapped(document: bytes, top: str, family: str) -> Gates:
    """Return the gates of a netlist in Yosys' JSON, of "ecp5" or "ice40"; names are those there.

    Raises:
        MissingToolError: Yosys is not installed.
        SynthesisError: a cell has no model that can be lowered, as block RAMs of ECP5.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mapped.json").write_bytes(document)
        commands = (
            "read_json mapped.json",
            "delete =A:blackbox",  # Of the models nothing but ports came along.
            *_MODELS[family],
            f"hierarchy -top {top}",
            "proc -norom",
            "opt_clean",  # Of clocked writes a model has registers that nobody reads.
            *lowering(folder),
            "write_json gates.json",
        )
        run_yosys(commands, folder)
        netlist = read_netlist(read_json(folder / "gates.json"), top, "gates")
    refuse_foreign_cells(netlist)
    ports = json.loads(document)["modules"][top]["ports"].items()
    return Gates(
        netlist,
        {},
        tuple(name for name, port in ports if port["direction"] == "input"),
        tuple(name for name, port in ports if port["direction"] == "output"),
    )
