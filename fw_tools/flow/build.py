# SPDX-License-Identifier: Apache-2.0
"""From a payload, or a design of the user's, and a board to what the board is flashed with."""

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fw_tools.errors import InputError
from fw_tools.flow.bitstream import (
    Bitstream,
    Design,
    Progress,
    build_bitstream,
    flash_image,
    require_in_time,
    require_room,
    slot_image,
)
from fw_tools.flow.board_design import payload_on_board, write_design
from fw_tools.fpga.bitstream import is_bitstream
from fw_tools.fpga.parts import find_part
from fw_tools.pus.slots import SlotLayout, build_image_file
from fw_tools.spec.board import BoardSpec, FpgaSpec
from fw_tools.spec.load import load_payload
from fw_tools.spec.records import Payload
from telemetry.common.files import write_atomically

RECORD = "build.json"
FORMAT = 1  # Of the record; raised when a key changes its meaning or goes.


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What was built for a board."""

    name: str
    board: BoardSpec
    build_id: str  # What the payload tells over its link; of the user's own design, its digest.
    bitstream: Bitstream
    slots: SlotLayout | None = None  # Of a payload in whose slots bitstreams may lie.


def build_payload(spec: Path, board: BoardSpec, progress: Progress) -> tuple[Built, bytes]:
    """Build the payload described in `spec` for a board; return it with its link.json.

    Raises `InputError`, `MissingToolError`.
    """
    payload = payload_on_board(load_payload(spec), board)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "gateware"
        design, build_id = write_design(payload, _fpga(board), folder)
        bitstream = build_bitstream(design, progress)
        link = (folder / "link.json").read_bytes()
    built = Built(
        name=payload.name,
        board=board,
        build_id=build_id,
        bitstream=bitstream,
        slots=_slots(payload, board),
    )
    if built.slots:
        require_room(bitstream.bits, board, built.slots)
    return built, link


def _slots(payload: Payload, board: BoardSpec) -> SlotLayout | None:
    """Return the slots of a payload in the flash that its FPGA loads bitstreams from."""
    fpga, link = _fpga(board), payload.link
    if link is None or not link.slot_octets or fpga.flash_bytes is None:
        return None
    can_warm_boot = find_part(fpga.part).family.has_warm_boot
    return SlotLayout(link.slot_octets, link.slot_count) if can_warm_boot else None


def build_own(
    sources: Sequence[Path], top: str, pins: Path | None, board: BoardSpec, progress: Progress
) -> Built:
    """Build a design that is not ours; without `pins` it has those of the board's file.

    Raises what `build_payload` does.
    """
    fpga = _fpga(board)
    design = Design(
        sources=tuple(sources),
        top=top,
        pins=pins or fpga.pins,
        part=fpga.part,
        clock_hz=fpga.clock_hz,
    )
    for path in (*design.sources, design.pins):
        if not path.is_file():
            raise InputError(f"{path}: no such file")
    bitstream = build_bitstream(design, progress)
    return Built(name=top, board=board, build_id=design.digest()[:16], bitstream=bitstream)


def read_golden(path: Path, board: BoardSpec) -> bytes:
    """Return a bitstream that is to lie before another one in the board's flash.

    Raises `InputError` where it is none for the board, or the board keeps no two.
    """
    part = find_part(_fpga(board).part)
    if not part.family.has_warm_boot or _fpga(board).flash_bytes is None:
        raise InputError(f"board {board.name}: no flash image of two bitstreams is made for it")
    try:
        bits = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if not is_bitstream(bits, part.family):
        raise InputError(f"{path}: no bitstream for {part.name}, whose bits begin otherwise")
    return bits


def write_built(
    built: Built, folder: Path, golden: bytes | None, besides: Mapping[str, bytes]
) -> list[Path]:
    """Write the bitstream, its record and `besides` to `folder`; return the files.

    `golden` lies before the bitstream in one image of the flash. A design that misses its clock
    leaves its record alone, and `VerificationError` is raised. Raises `InputError` where the board
    has no room for two bitstreams; nothing is written then.
    """
    bitstream, name = built.bitstream, built.name
    images = {f"{name}{bitstream.suffix}": bitstream.bits, **besides}
    if built.slots:
        image = slot_image(bitstream.bits, built.build_id)
        images[f"{name}.img"] = build_image_file(image)
    if golden:
        images[f"{name}.flash"] = flash_image(
            golden, bitstream.bits, built.board, built.slots, built.build_id
        )
    _write(folder / RECORD, _record(built).encode())
    require_in_time(bitstream.fit)
    for file_name, octets in images.items():
        _write(folder / file_name, octets)
    return [folder / file_name for file_name in (*images, RECORD)]


def _record(built: Built) -> str:
    bitstream = built.bitstream
    record = {
        "format": FORMAT,
        "design": built.name,
        "board": built.board.name,
        "build_id": built.build_id,
        "bitstream": f"{built.name}{bitstream.suffix}",
        "octets": len(bitstream.bits),
        "sha256": hashlib.sha256(bitstream.bits).hexdigest(),
        "is_in_time": bitstream.fit.is_in_time,
        **asdict(bitstream.fit),
    }
    return json.dumps(record, indent=2) + "\n"


def _fpga(board: BoardSpec) -> FpgaSpec:
    if board.fpga is None:
        raise InputError(f"board {board.name}: no table [fpga], so there is nothing to build for")
    return board.fpga


def _write(path: Path, octets: bytes) -> None:
    with write_atomically(path, "wb") as stream:
        stream.write(octets)
