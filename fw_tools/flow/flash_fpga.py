# SPDX-License-Identifier: Apache-2.0
"""A bitstream, ours or not, into the FPGA of a board: what it is, whether it fits, what is done.

What the flash holds is compared with it here: openFPGALoader alone compares only what it wrote.
"""

from dataclasses import dataclass
from pathlib import Path

from fw_tools.board.capability import Capability, MissingCapabilityError
from fw_tools.board.comparing import require_equal
from fw_tools.board.openfpgaloader import Load, Show, read_flash
from fw_tools.errors import InputError, UsageError
from fw_tools.fpga.parts import Part, find_part
from fw_tools.fpga.recognise import Recognised, recognise
from fw_tools.pus.slots import MAGIC
from fw_tools.spec.board import BoardSpec

ERASE_OCTETS = 1 << 16
_FAMILIES = "iCE40, ECP5 or Gowin"


@dataclass(frozen=True, slots=True, kw_only=True)
class FpgaPlan:
    """What is done to which board."""

    board: BoardSpec
    part: Part
    load: Load
    octets: int
    bitstreams: int
    held: bytes  # What the flash holds then, from its beginning.

    @property
    def blocks(self) -> int:
        """How many blocks of 64 KiB are erased."""
        return -(-self.octets // ERASE_OCTETS)


def verify_fpga(plan: FpgaPlan, show: Show) -> None:
    """Compare the flash with the bitstream, and write nothing; the FPGA loads anew behind it.

    Raises `VerificationError` with the place where it holds something else, what `read_flash` does,
    and `MissingCapabilityError` where nothing is read back.
    """
    if not plan.load.is_for_flash:
        raise UsageError("--verify-only: the FPGA's own memory is not read back; the flash is")
    if not plan.load.is_read_back:
        cure = f"openFPGALoader reads no flash of a {plan.part.device} back"
        if plan.part.family.name != "gowin":
            cure = "its board.toml would say in [fpga] how large the flash is"
        raise MissingCapabilityError(plan.board.name, Capability.VERIFY, cure)
    require_equal(0, plan.held, read_flash(plan.load, len(plan.held), show))


def plan_fpga(file: Path, board: BoardSpec, *, is_volatile: bool, serial: str | None) -> FpgaPlan:
    """Return how the file gets into the board's FPGA, or into the flash that it loads from.

    Raises `InputError` for what is no bitstream for that FPGA, a part of one, or too long, and for
    a board that openFPGALoader does not load; `UsageError` where the options do not fit.
    """
    fpga = board.fpga
    if fpga is None or not fpga.loader:
        raise InputError(
            f"board {board.name}: no FPGA that is loaded: board.toml needs [fpga] with loader, as "
            'in loader = ["--board", "ulx3s"]'
        )
    part = find_part(fpga.part)
    try:
        bits = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    found = _require_bitstream(file, bits, board.name, part)
    if is_volatile and found.count > 1:
        raise UsageError(
            f"{file}: {found.count} bitstreams, an image for the flash; leave out --until-power-off"
        )
    room = fpga.flash_bytes
    if not is_volatile and room is not None and len(bits) > room:
        raise InputError(f"{file}: {len(bits):,} octets; the flash of {board.name} holds {room:,}")
    load = Load(
        file=file,
        kind=_kind(found),
        is_for_flash=not is_volatile,
        is_read_back=not is_volatile and room is not None,
        cable=fpga.loader,
        serial=serial or board.serial,
    )
    return FpgaPlan(
        board=board,
        part=part,
        load=load,
        octets=len(bits),
        bitstreams=found.count,
        held=_held(bits, found),
    )


def _require_bitstream(file: Path, bits: bytes, board: str, part: Part) -> Recognised:
    found = recognise(bits)
    if found is None:
        raise InputError(f"{file}: {_what_it_is(bits)}; no bitstream of {_FAMILIES}")
    if found.device != part.device:
        raise InputError(
            f"{file}: a bitstream for {found.device}; the FPGA of {board} is {part.device}"
        )
    if not found.is_whole:
        raise InputError(
            f"{file}: cut off: its {len(bits):,} octets end before the bitstream's last command; "
            "copy or build it anew"
        )
    return found


def _what_it_is(bits: bytes) -> str:
    if not bits:
        return "an empty file"
    if bits.startswith(MAGIC):
        return "an image for a boot slot, which goes over a payload's link (--board with --port)"
    head = bits[:4096]
    try:
        head.decode("utf-8", "strict" if len(head) == len(bits) else "ignore")
    except UnicodeDecodeError:
        return "data of no kind that is known here"
    is_text = not any(octet < 0x20 and octet not in b"\t\n\r\f\x1b" for octet in head)
    return "a text file" if is_text else "data of no kind that is known here"


def _held(bits: bytes, found: Recognised) -> bytes:
    """Return what openFPGALoader writes of it: of a .bit what stands behind its comment."""
    if _kind(found) != "bit":
        return bits
    return bits[max(bits.index(found.family.preamble) - 1, 0) :]


def _kind(found: Recognised) -> str:
    """Return what openFPGALoader is to take the file for.

    Of an ECP5's .bit it drops the comment in front, which would move a second one.
    """
    return "bin" if found.count > 1 else found.family.suffix.removeprefix(".")
