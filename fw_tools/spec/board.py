# SPDX-License-Identifier: Apache-2.0
"""board.toml: one board on a bench, to its record."""

from dataclasses import dataclass
from pathlib import Path

from fw_tools.spec.findings import Findings, suggestion
from fw_tools.spec.schema import Table, key
from fw_tools.spec.toml_source import read_toml
from fw_tools.spec.validate import validate_table
from fw_tools.spec.values import Name, Text, Texts

CAPABILITIES = ("reset", "rails")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSpec:
    """A board: how it is reached, what it can be made to do, and where its link is described."""

    name: str
    url: str  # As pyserial takes it.
    link: Path  # link.json of its payload.
    baud: int | None  # None: as the link's description says.
    capabilities: tuple[str, ...]


class BoardOnBench(Table):
    """[board]: one board. Paths are relative to the file."""

    name: Name = key("Name of the board.", "bench_3")
    url: Text = key("Device or URL of its link.", "/dev/serial/by-id/usb-FTDI_0001-if00-port0")
    link: Text = key("link.json of its payload, as generated.", "generated/link.json")
    baud: int | None = key(
        "Bits per second, where they are not the payload's own.", 115200, default=None, ge=50
    )
    capabilities: Texts = key(
        "What tests may do to it: reset it by DTR; switch its rails.", ["reset"], default=[]
    )


def load_board(path: Path) -> BoardSpec:
    """Return the board that the file describes. Raises `InputError` with every mistake in it."""
    source = read_toml(path)
    findings = Findings(source)
    for name in source.values:
        if name != "board":
            findings.add((name,), "", f"unknown table {name!r}; {suggestion(name, ['board'])}")
    if "board" not in source.values:
        findings.add((), "", "missing table [board]")
    found = source.values.get("board", {})
    board = validate_table(BoardOnBench, found, ("board",), "board", findings)
    link = path.parent / board.link if board else path
    for index, capability in enumerate(board.capabilities if board else ()):
        if capability not in CAPABILITIES:
            place = ("board", "capabilities", index)
            hint = suggestion(capability, CAPABILITIES)
            findings.add(place, "board", f"unknown capability {capability!r}; {hint}")
    if not link.is_file():
        findings.add(("board", "link"), "board: link", f"no such file {link}")
    findings.raise_if_any()
    assert board is not None
    return BoardSpec(
        name=board.name,
        url=board.url,
        link=link,
        baud=board.baud,
        capabilities=tuple(board.capabilities),
    )
