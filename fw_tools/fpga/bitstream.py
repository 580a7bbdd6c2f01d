# SPDX-License-Identifier: Apache-2.0
"""From a placed and routed design to the bits that configure an FPGA, alone or two in one flash."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from fw_tools.errors import InputError
from fw_tools.fpga.families import Family
from fw_tools.fpga.parts import Part

_LONGEST_COMMENT = 4096
_MIB = 1 << 20
_ERASE_BITS = 16  # Images begin at multiples of 64 KiB, which a flash erases at once.


def pack(routed: Path, part: Part) -> bytes:
    """Return the bitstream of what `route` has written.

    Raises `MissingToolError`, or `FpgaToolError` in the words of the family's packer.
    """
    family = part.family
    bits = f"design{family.suffix}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "routed").write_bytes(routed.read_bytes())  # The packers see one folder alone.
        names = iter(("routed", bits))
        arguments = [next(names) if word == "{}" else word for word in family.pack]
        family.packer.run((*part.packing, *arguments), folder)
        return (folder / bits).read_bytes()


def is_bitstream(bits: bytes, family: Family) -> bool:
    """Tell whether `bits` begin as a bitstream of the family does, behind a comment."""
    return family.preamble in bits[:_LONGEST_COMMENT]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashPlan:
    """Where two bitstreams lie in a flash; the golden one comes first."""

    flash_bytes: int
    update_address: int  # Of an ECP5; behind an iCE40's golden image the update follows at once.


def golden_and_update(golden: bytes, update: bytes, part: Part, plan: FlashPlan) -> bytes:
    """Return one flash image of two bitstreams.

    Power-on loads the golden one. The update is what a warm boot loads, which the golden one asks
    for: image 1 of an iCE40's SB_WARMBOOT, the boot address of an ECP5's PROGRAMN.

    Raises `InputError` for a family without such images, and where they do not fit;
    `FpgaToolError` in the words of the family's tool.
    """
    assemblers = {"ice40": _ice40_image, "ecp5": _ecp5_image}
    if part.family.name not in assemblers:
        raise InputError(f"{part.name}: no image of two bitstreams is made for this family")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "golden").write_bytes(golden)
        (folder / "update").write_bytes(update)
        assemblers[part.family.name](part.family, folder, plan)
        image = (folder / "image").read_bytes()
    if len(image) > plan.flash_bytes:
        sizes = f"{len(image):,} of {plan.flash_bytes:,} octets"
        raise InputError(f"golden and update do not fit into the flash: {sizes}")
    return image


def _ice40_image(family: Family, folder: Path, _: FlashPlan) -> None:
    assert family.assembler is not None
    arguments = ("-p0", f"-A{_ERASE_BITS}", "-o", "image", "golden", "update")
    family.assembler.run(arguments, folder)


def _ecp5_image(family: Family, folder: Path, plan: FlashPlan) -> None:
    assert family.assembler is not None
    size = (folder / "golden").stat().st_size
    if size > plan.update_address:
        raise InputError(
            f"the golden bitstream of {size:,} octets reaches beyond {plan.update_address:#x}, "
            "where the update begins"
        )
    megabits = plan.flash_bytes * 8 // _MIB
    files = ("--input", "golden", "--input", "update", "--output", "image")
    family.assembler.run(
        ("--flashsize", f"{megabits}", "--address", f"{plan.update_address:#x}", *files), folder
    )
