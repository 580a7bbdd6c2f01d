# SPDX-License-Identifier: Apache-2.0
"""From a description to a folder that another tool's flow begins with."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from fw_tools.netlist.hardened import Elaborated, elaborate
from fw_tools.rtl.emit import GeneratedFile, emit
from fw_tools.rtl.export_files import Export, pins_of, render_export
from fw_tools.rtl.export_sources import Target, spell_attributes
from fw_tools.rtl.payload import FILE_LIST, payload_digest, render_payload
from fw_tools.rtl.payload_top import has_line, payload_module, twin_module
from fw_tools.rtl.top import top_module
from fw_tools.spec.load import load_payload
from fw_tools.spec.records import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What `export` did."""

    name: str
    top: str
    source_count: int
    hardened_count: int  # Registers.
    changed: tuple[str, ...]  # Paths below the folder that were written or removed.


def export(spec: Path, folder: Path, target: Target) -> Exported:
    """Write the payload described in `spec` to `folder`, for `target`; what fits is not touched.

    Raises:
        InputError: the description cannot be used, or the folder is not ours to write.
        MissingToolError: Yosys, which counts the hardened registers, is not installed.
    """
    payload = load_payload(spec)
    digest = payload_digest(payload)
    top = payload_module(payload) if has_line(payload) else top_module(payload)
    sources = spell_attributes(_sources(payload), target)
    found = _elaborate(sources, top)
    described = Export(
        name=payload.name,
        top=top,
        digest=digest,
        clock_hz=payload.clock_hz,
        sources=tuple(str(source.path) for source in sources),
        pins=tuple(
            pin
            for port in found.ports
            for pin in pins_of(port.name, port.bits, is_input=port.is_input)
        ),
        hardened=found.hardened,
    )
    beside = _waivers(payload) if target is Target.FILELIST else ()
    changed = emit((*sources, *beside, *render_export(described, target)), folder, digest)
    return Exported(
        name=payload.name,
        top=top,
        source_count=len(sources),
        hardened_count=len(found.hardened),
        changed=changed,
    )


def _sources(payload: Payload) -> list[GeneratedFile]:
    """Return the sources in compile order, without the wrapper of the twin."""
    files = {str(file.path): file for file in render_payload(payload)}
    lines = files[str(FILE_LIST)].text.splitlines()
    twin = f"rtl/{twin_module(payload)}.sv"
    return [files[line] for line in lines if not line.startswith("//") and line != twin]


def _waivers(payload: Payload) -> tuple[GeneratedFile, ...]:
    """Return what Verilator's lint is told of sources that are made by another tool."""
    return tuple(file for file in render_payload(payload) if file.path.suffix == ".vlt")


def _elaborate(sources: tuple[GeneratedFile, ...], top: str) -> Elaborated:
    with tempfile.TemporaryDirectory() as name:
        places = [Path(name) / source.path for source in sources]
        for place, source in zip(places, sources, strict=True):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(source.text, encoding="utf-8")
        return elaborate(places, top)
