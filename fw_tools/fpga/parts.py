# SPDX-License-Identifier: Apache-2.0
"""The FPGAs that place and route is done for."""

from dataclasses import dataclass

from fw_tools.errors import InputError
from fw_tools.fpga.families import FAMILIES, Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One FPGA in one package."""

    name: str
    device: str  # Whatever the package and grade: bitstreams are of a device.
    family: Family
    arguments: tuple[str, ...]  # That tell nextpnr which part it is.
    packing: tuple[str, ...] = ()  # The same for the packer.


ICE40UP5K = Part(
    name="iCE40UP5K-SG48",
    device="iCE40UP5K",
    family=FAMILIES["ice40"],
    arguments=("--up5k", "--package", "sg48"),
)
ECP5_25F = Part(
    name="LFE5U-25F-6BG381",
    device="LFE5U-25F",
    family=FAMILIES["ecp5"],
    arguments=("--25k", "--package", "CABGA381", "--speed", "6"),
)
ECP5_85F = Part(
    name="LFE5U-85F-6BG381",
    device="LFE5U-85F",
    family=FAMILIES["ecp5"],
    arguments=("--85k", "--package", "CABGA381", "--speed", "6"),
)
GW1NR_9C = Part(
    name="GW1NR-LV9QN88PC6/I5",
    device="GW1N-9C",
    family=FAMILIES["gowin"],
    arguments=("--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C"),
    packing=("-d", "GW1N-9C"),
)
PARTS = {part.name: part for part in (ICE40UP5K, ECP5_25F, ECP5_85F, GW1NR_9C)}


def find_part(name: str) -> Part:
    """Return the part of that name. Raises `InputError` with the names that there are."""
    if name not in PARTS:
        raise InputError(f"unknown part {name!r}; there are: {', '.join(PARTS)}")
    return PARTS[name]
