# SPDX-License-Identifier: Apache-2.0
"""The FPGAs that place and route is done for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One FPGA in one package."""

    name: str
    family: str  # As in `fw_tools.netlist.synthesis.SYNTHESIS`; nextpnr's name too.
    arguments: tuple[str, ...]  # That tell nextpnr which part it is.
    logic: str  # What nextpnr calls a logic cell, and a block RAM.
    block_ram: str
    free_pins: str  # The argument that lets nextpnr choose the pins.


ICE40UP5K = Part(
    name="iCE40UP5K-SG48",
    family="ice40",
    arguments=("--up5k", "--package", "sg48"),
    logic="ICESTORM_LC",
    block_ram="ICESTORM_RAM",
    free_pins="--pcf-allow-unconstrained",
)
ECP5_25F = Part(
    name="LFE5U-25F-6BG381",
    family="ecp5",
    arguments=("--25k", "--package", "CABGA381", "--speed", "6"),
    logic="TRELLIS_COMB",
    block_ram="DP16KD",
    free_pins="--lpf-allow-unconstrained",
)
