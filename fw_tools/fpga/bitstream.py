# SPDX-License-Identifier: Apache-2.0
"""From a placed and routed design to the bits that configure an FPGA, alone or two in one flash."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from fw_tools.errors import InputError
from fw_tools.fpga.families import Family
from fw_tools.fpga.parts import Part

_LONGEST_COMMENT = 4096
_ICE40_IMAGES = 4  # That SB_WARMBOOT chooses from.
_ICE40_VECTORS = 32 * (1 + _ICE40_IMAGES)  # Octets; that of power-on goes first.


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
    update_address: int  # A multiple of 64 KiB; of a power of two for an iCE40.


def golden_and_update(golden: bytes, update: bytes, part: Part, plan: FlashPlan) -> bytes:
    """Return one flash image of two bitstreams.

    Power-on loads the golden one. The update is what a warm boot loads, which the golden one asks
    for: image 1 of an iCE40's SB_WARMBOOT, the boot address of an ECP5's PROGRAMN. An iCE40's
    images 2 and 3 are those as far behind again.

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
        first = assemblers[part.family.name](part.family, folder, plan)
    if len(first) > plan.update_address:
        raise InputError(
            f"the golden bitstream of {len(first):,} octets reaches beyond "
            f"{plan.update_address:#x}, where the update begins"
        )
    image = first.ljust(plan.update_address, b"\xff") + update
    if len(image) > plan.flash_bytes:
        sizes = f"{len(image):,} of {plan.flash_bytes:,} octets"
        raise InputError(f"golden and update do not fit into the flash: {sizes}")
    return image


def _ice40_image(family: Family, folder: Path, plan: FlashPlan) -> bytes:
    """Return the vectors of the images and the golden bitstream behind them."""
    assert family.assembler is not None
    bits = plan.update_address.bit_length() - 1
    if plan.update_address != 1 << bits:
        raise InputError(
            f"an iCE40 finds its update at a power of two only, not at {plan.update_address:#x}"
        )
    updates = [f"update{n}" for n in range(1, _ICE40_IMAGES) if n < plan.flash_bytes >> bits]
    for name in updates:  # Each of its own: icemulti knows a file again by its name.
        (folder / name).write_bytes((folder / "update").read_bytes())
    family.assembler.run(("-p0", f"-a{bits}", "-o", "image", "golden", *updates), folder)
    golden_octets = _ICE40_VECTORS + (folder / "golden").stat().st_size
    return (folder / "image").read_bytes()[:golden_octets]


def _ecp5_image(family: Family, folder: Path, plan: FlashPlan) -> bytes:
    """Return the golden bitstream with the address that PROGRAMN loads from next."""
    assert family.unpacker is not None
    family.unpacker.run(("--input", "golden", "--textcfg", "text"), folder)
    family.packer.run(
        ("--compress", "--bootaddr", f"{plan.update_address:#x}", "text", "image"), folder
    )
    return (folder / "image").read_bytes()
