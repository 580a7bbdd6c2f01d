# SPDX-License-Identifier: Apache-2.0
"""board.toml: one board, to its record: how it is reached, and the FPGA on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fw_tools.spec.findings import Findings, suggestion
from fw_tools.spec.profiles import Profile
from fw_tools.spec.schema import Table, key
from fw_tools.spec.toml_source import read_toml
from fw_tools.spec.validate import validate_table
from fw_tools.spec.values import Clock, FlashSize, Name, ProfileName, Text, Texts

CAPABILITIES = ("reset", "rails")
MAX_RAILS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FpgaSpec:
    """The FPGA of a board, and what leads from its pins to a payload. Paths are absolute."""

    part: str  # As in `fw_tools.fpga.parts`.
    clock_hz: int
    profiles: tuple[Profile, ...]  # Of the payloads that fit.
    rails: int  # How many the board has pins for.
    sources: tuple[Path, ...]  # In compile order, around board_payload and power_on_reset.
    top: str
    pins: Path
    flash_bytes: int | None  # None: no image of two bitstreams is made for the board.
    update_address: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSpec:
    """A board: how it is reached, what it can be made to do, and where its link is described."""

    name: str
    url: str | None  # As pyserial takes it; None: it has to be given.
    link: Path | None  # link.json of its payload; None: the board is for any.
    baud: int | None  # None: as the link's description says.
    capabilities: tuple[str, ...]
    fpga: FpgaSpec | None = None


class BoardOnBench(Table):
    """[board]: one board. Paths are relative to the file."""

    name: Name = key("Name of the board.", "bench_3")
    url: Text | None = key(
        "Device or URL of its link.", "/dev/serial/by-id/usb-FTDI_0001-if00-port0"
    )
    link: Text | None = key("link.json of its payload, as generated.", "generated/link.json")
    baud: int | None = key(
        "Bits per second, where they are not the payload's own.", 115200, default=None, ge=50
    )
    capabilities: Texts = key(
        "What tests may do to it: reset it by DTR; switch its rails.", ["reset"], default=[]
    )


class BoardWithFpga(BoardOnBench):
    """[board] beside [fpga], which may be a kind of boards: neither port nor payload are known."""

    url: Text | None = key("Device or URL of its link.", "/dev/ttyUSB0", default=None)
    link: Text | None = key("link.json of its payload.", "generated/link.json", default=None)


class Fpga(Table):
    """[fpga]: what a bitstream for the board is made from. Paths are relative to the file."""

    part: Text = key("The FPGA, with package and grade.", "LFE5U-85F-6BG381")
    clock: Clock = key("Of the payload on this board.", "25MHz")
    profiles: list[ProfileName] = key("Profiles of payloads that fit.", ["full"], min_length=1)
    rails: int = key("Rails that the board has pins for.", 8, ge=0, le=MAX_RAILS)
    sources: Texts = key(
        "SystemVerilog around board_payload and power_on_reset, in compile order.", ["ulx3s.sv"]
    )
    top: Name = key("The topmost module.", "ulx3s")
    pins: Text = key("The file of pins, in the words of the family's tools.", "ulx3s.lpf")
    flash: FlashSize | None = key("Of the flash with the bitstream.", "16MiB", default=None)
    update_at: FlashSize = key("Where an update begins in the flash.", "4MiB", default=4096)


_TABLES = ("board", "fpga")


def load_board(path: Path) -> BoardSpec:
    """Return the board that the file describes. Raises `InputError` with every mistake in it."""
    source = read_toml(path)
    findings = Findings(source)
    for name in source.values:
        if name not in _TABLES:
            findings.add((name,), "", f"unknown table {name!r}; {suggestion(name, _TABLES)}")
    if "board" not in source.values:
        findings.add((), "", "missing table [board]")
    has_fpga = "fpga" in source.values
    model = BoardWithFpga if has_fpga else BoardOnBench
    board = validate_table(model, source.values.get("board", {}), ("board",), "board", findings)
    found = source.values.get("fpga")
    fpga = validate_table(Fpga, found, ("fpga",), "fpga", findings) if has_fpga else None
    for index, capability in enumerate(board.capabilities if board else ()):
        if capability not in CAPABILITIES:
            hint = suggestion(capability, CAPABILITIES)
            message = f"unknown capability {capability!r}; {hint}"
            findings.add(("board", "capabilities", index), "board", message)
    for place, named in _files(board, fpga):
        if not (path.parent / named).is_file():
            findings.add(place, ": ".join(map(str, place)), f"no such file {path.parent / named}")
    findings.raise_if_any()
    assert board is not None
    return BoardSpec(
        name=board.name,
        url=board.url,
        link=path.parent / board.link if board.link else None,
        baud=board.baud,
        capabilities=tuple(board.capabilities),
        fpga=_fpga(fpga, path.parent.absolute()) if fpga else None,
    )


def _files(
    board: BoardOnBench | None, fpga: Fpga | None
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the place of each path in the file, and the path."""
    if board and board.link:
        yield ("board", "link"), board.link
    if fpga:
        yield ("fpga", "pins"), fpga.pins
        for index, source in enumerate(fpga.sources):
            yield ("fpga", "sources", index), source


def _fpga(table: Fpga, folder: Path) -> FpgaSpec:
    return FpgaSpec(
        part=table.part,
        clock_hz=table.clock,
        profiles=tuple(table.profiles),
        rails=table.rails,
        sources=tuple((folder / source).resolve() for source in table.sources),
        top=table.top,
        pins=folder / table.pins,
        flash_bytes=table.flash * 1024 if table.flash else None,
        update_address=table.update_at * 1024,
    )
