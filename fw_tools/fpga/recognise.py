# SPDX-License-Identifier: Apache-2.0
"""What a file is, by what it holds: a bitstream, of which FPGA, and whether all of it is there."""

from collections.abc import Callable
from dataclasses import dataclass

from fw_tools.fpga.bitstream import is_bitstream
from fw_tools.fpga.families import FAMILIES, Family
from fw_tools.pus.slots import HEADER, MAGIC

# IDCODEs of the parts, as bitstreams carry them (Lattice FPGA-TN-02039, Gowin UG290).
_ECP5 = {
    0x21111043: "LFE5U-12F",
    0x41111043: "LFE5U-25F",
    0x41112043: "LFE5U-45F",
    0x41113043: "LFE5U-85F",
    0x01111043: "LFE5UM-25F",
    0x01112043: "LFE5UM-45F",
    0x01113043: "LFE5UM-85F",
    0x81111043: "LFE5UM5G-25F",
    0x81112043: "LFE5UM5G-45F",
    0x81113043: "LFE5UM5G-85F",
}
_GOWIN = {
    0x0900281B: "GW1N-1",
    0x0100681B: "GW1NZ-1",
    0x0100381B: "GW1N-4",
    0x0100981B: "GW1NSR-4C",
    0x1100581B: "GW1N-9",
    0x1100481B: "GW1N-9C",
    0x0000081B: "GW2A-18",
    0x0000281B: "GW2A-55",
}
# An iCE40 has no IDCODE: its first bank's columns and rows tell (Project IceStorm).
_ICE40 = {
    (182, 80): "iCE40LP384",
    (332, 144): "iCE40HX1K",
    (656, 176): "iCE5LP4K",
    (692, 176): "iCE40UL",
    (692, 336): "iCE40UP5K",
    (872, 272): "iCE40HX8K",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A bitstream, or several in one image of a flash."""

    family: Family
    device: str  # As `Part.device` names it; else what tells of it.
    is_whole: bool
    count: int = 1


def recognise(bits: bytes) -> Recognised | None:
    """Return what bitstream it is; None where it is none of a family that is known here."""
    bits = _without_header(bits)
    for name, read in _READERS.items():
        if is_bitstream(bits, FAMILIES[name]):
            return read(bits, FAMILIES[name])
    return None


def _without_header(bits: bytes) -> bytes:
    """Return an image of a flash without the header of a payload's boot slot at its end."""
    end = bits[-HEADER.sizeof() :]
    return bits[: -HEADER.sizeof()] if end.startswith(MAGIC) else bits


_DUMMY, _RESET_CRC, _INIT_ADDRESS, _VERIFY_ID = 0xFF, 0x3B, 0x46, 0xE2
_ECP5_SKIPPED = {_DUMMY: 0, _RESET_CRC: 3, _INIT_ADDRESS: 3, 0x22: 7, 0x02: 11, 0x79: 3}
_PROGRAM_DONE = b"\x5e\x00\x00\x00"


def _read_ecp5(bits: bytes, family: Family) -> Recognised:
    """Commands of one octet, three of information, and what follows; the last is PROGRAM_DONE."""
    place = bits.index(family.preamble) + len(family.preamble)
    while place < len(bits) and bits[place] in _ECP5_SKIPPED:
        place += 1 + _ECP5_SKIPPED[bits[place]]
    device = "without IDCODE"
    if bits[place : place + 1] == bytes([_VERIFY_ID]):
        code = int.from_bytes(bits[place + 4 : place + 8], "big")
        device = _ECP5.get(code, f"IDCODE {code:#010x}")
    return Recognised(
        family=family,
        device=device,
        is_whole=bits.rstrip(b"\xff").endswith(_PROGRAM_DONE),
        count=bits.count(family.preamble + b"\xff\xff\xff\xff"),
    )


def _read_ice40(bits: bytes, family: Family) -> Recognised:
    addresses = sorted(_ice40_addresses(bits, family.preamble)) or [0]
    there = [at for at in addresses if at < len(bits) or at in addresses[:2]]
    images = [_walk_ice40(bits[at:], family.preamble) for at in there]
    size = images[0][0]
    return Recognised(
        family=family,
        device=_ICE40.get(size, f"bank of {size[0]} x {size[1]}"),
        is_whole=all(is_whole for _, is_whole in images),
        count=len(images),
    )


_SET_BOOT_ADDRESS, _REBOOT, _WAKE_UP = b"\x44\x03", 0x08, 0x06
_VECTOR_OCTETS, _VECTORS = 32, 5


def _ice40_addresses(bits: bytes, preamble: bytes) -> set[int]:
    """Return where the images of the vectors at the beginning lie; none of a single image."""
    found = set()
    for at in range(0, _VECTOR_OCTETS * _VECTORS, _VECTOR_OCTETS):
        vector = bits[at : at + _VECTOR_OCTETS]
        address = vector.find(_SET_BOOT_ADDRESS)
        if vector.startswith(preamble) and address > 0:
            found.add(int.from_bytes(vector[address + 2 : address + 5], "big"))
    return found


def _walk_ice40(bits: bytes, preamble: bytes) -> tuple[tuple[int, int], bool]:
    """Return the first bank's size, and whether the wake-up command is reached.

    A command's octet holds its number and how many octets of operand follow.
    """
    width = height = 0
    size = (0, 0)
    place = bits.find(preamble) + len(preamble)
    while place < len(bits):
        command, octets = bits[place] >> 4, bits[place] & 0xF
        operand = int.from_bytes(bits[place + 1 : place + 1 + octets], "big")
        place += 1 + octets
        if command == 6:
            width = operand + 1
        elif command == 7:
            height = operand
        elif command == 0 and operand in (1, 3):  # Data of the configuration or of block RAMs.
            size = size if any(size) else (width, height)
            place += width * height // 8 + 2
        elif command == 0 and operand == _WAKE_UP:
            return size, place <= len(bits)
    return size, False


def _read_gowin(bits: bytes, family: Family) -> Recognised:
    """Text, a line a command: the IDCODE's is 06, that before so many frames 3B, the last 08."""
    lines = [line for line in bits.decode("ascii", "replace").split() if set(line) <= {"0", "1"}]
    codes = [int(line[-32:], 2) for line in lines if line.startswith("00000110")]
    starts = [place for place, line in enumerate(lines[:64]) if line.startswith("00111011")]
    is_whole = False
    if starts:
        behind = lines[starts[0] + 1 :][int(lines[starts[0]][-16:], 2) :]
        is_whole = any(line == f"{0x08000000:032b}" for line in behind)
    device = _GOWIN.get(codes[0], f"IDCODE {codes[0]:#010x}") if codes else "without IDCODE"
    return Recognised(family=family, device=device, is_whole=is_whole)


_READERS: dict[str, Callable[[bytes, Family], Recognised]] = {
    "gowin": _read_gowin,  # Text comes first: nothing of the others is text.
    "ecp5": _read_ecp5,
    "ice40": _read_ice40,
}
