# SPDX-License-Identifier: Apache-2.0
"""The pages about a payload: PeakRDL's register page, and an index that opens anywhere."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from fw_tools.rtl.mitigations import mitigations_of
from fw_tools.rtl.packetiser import Octet, packet_octets
from fw_tools.rtl.payload import render_payload
from fw_tools.rtl.register_rows import register_rows
from fw_tools.rtl.registers import compile_rdl, render_rdl
from fw_tools.rtl.render import render
from fw_tools.spec.records import PacketSpec, Payload

REGISTER_PAGE = "registers"  # Folder of PeakRDL's page.
# PeakRDL asks a public server for a formula renderer, which no description here needs.
_REMOTE_SCRIPT = re.compile(r"^.*<script[^>]*src=\"https?:.*\n", re.MULTILINE)


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
        mitigations=mitigations_of(_sources(payload)),
    )
    (folder / "index.html").write_text(index, encoding="utf-8")


def _sources(payload: Payload) -> dict[str, str]:
    files = (file for file in render_payload(payload) if file.path.suffix == ".sv")
    return {file.path.stem: file.text for file in files}


def _packet_table(packet: PacketSpec) -> PacketTable:
    octets = packet_octets(packet)
    return PacketTable(spec=packet, octets=octets, rows=tuple(_rows(octets)))


def _rows(octets: tuple[Octet, ...]) -> Iterator[tuple[int, int, str]]:
    for meaning, group in groupby(enumerate(octets), key=lambda item: item[1].meaning):
        numbers = [number for number, _ in group]
        yield numbers[0], numbers[-1], meaning
