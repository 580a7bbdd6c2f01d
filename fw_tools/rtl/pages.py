# SPDX-License-Identifier: Apache-2.0
"""The pages about a payload: PeakRDL's register page, and an index that opens anywhere."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from fw_tools.rtl.packetiser import Octet, packet_octets
from fw_tools.rtl.registers import compile_rdl, render_rdl
from fw_tools.rtl.render import render
from fw_tools.spec.records import PacketSpec, Payload

if TYPE_CHECKING:
    from systemrdl.node import FieldNode, RootNode

REGISTER_PAGE = "registers"  # Folder of PeakRDL's page.
# PeakRDL asks a public server for a formula renderer, which no description here needs.
_REMOTE_SCRIPT = re.compile(r"^.*<script[^>]*src=\"https?:.*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One field of a register."""

    name: str
    high: int
    low: int
    access: str  # "r", "w" or "rw"
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRow:
    """One register with its fields, most significant first."""

    path: str
    offset: int  # Octets.
    fields: tuple[FieldRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketTable:
    """One packet: its octets, those of one meaning in one row."""

    spec: PacketSpec
    octets: tuple[Octet, ...]
    rows: tuple[tuple[int, int, str], ...]  # First and last octet, meaning.


def write_pages(payload: Payload, digest: str, folder: Path) -> None:
    """Write `index.html` and the register page below `folder`, which exists and is empty."""
    from peakrdl_html.exporter import HTMLExporter

    root = compile_rdl(render_rdl(payload, digest), folder)
    (folder / "registers.rdl").unlink()
    HTMLExporter(generate_source_links=False).export(
        root, str(folder / REGISTER_PAGE), title=f"{payload.name} registers", home_url="../"
    )
    for page in (folder / REGISTER_PAGE).glob("*.html"):
        page.write_text(_REMOTE_SCRIPT.sub("", page.read_text(encoding="utf-8")), encoding="utf-8")
    index = render(
        "docs.html.j2",
        payload=payload,
        digest=digest,
        registers=register_rows(root),
        packets=[_packet_table(packet) for packet in payload.packets],
    )
    (folder / "index.html").write_text(index, encoding="utf-8")


def register_rows(root: "RootNode") -> tuple[RegisterRow, ...]:
    """Return every register of a compiled map, in order of address."""
    from systemrdl.node import RegNode

    return tuple(
        RegisterRow(
            path=node.get_path().partition(".")[2],
            offset=node.absolute_address,
            fields=tuple(_field_row(field) for field in node.fields())[::-1],
        )
        for node in root.top.descendants()
        if isinstance(node, RegNode)
    )


def _field_row(field: "FieldNode") -> FieldRow:
    return FieldRow(
        name=field.inst_name,
        high=field.high,
        low=field.low,
        access=field.get_property("sw").name,
        description=field.get_property("desc") or "",
    )


def _packet_table(packet: PacketSpec) -> PacketTable:
    octets = packet_octets(packet)
    return PacketTable(spec=packet, octets=octets, rows=tuple(_rows(octets)))


def _rows(octets: tuple[Octet, ...]) -> Iterator[tuple[int, int, str]]:
    for meaning, group in groupby(enumerate(octets), key=lambda item: item[1].meaning):
        numbers = [number for number, _ in group]
        yield numbers[0], numbers[-1], meaning
