# SPDX-License-Identifier: Apache-2.0
"""From a description to the design that its twin runs."""

import json
from pathlib import Path

from fw_tools.board.twin_program import TwinDesign, gateware_folder
from fw_tools.errors import InputError
from fw_tools.rtl.emit import emit
from fw_tools.rtl.payload import payload_digest, render_payload, source_files
from fw_tools.sim.cache import locked
from fw_tools.spec.load import load_payload
from fw_tools.spec.records import Payload

LINK = "link.json"  # What a client knows of the payload; rendered with the gateware.


def twin_design(spec: Path, baud_divisor: int | None = None) -> TwinDesign:
    """Return the twin of the payload described in `spec`; its gateware goes to the cache.

    `baud_divisor` takes the place of the description's. Raises `InputError` when the description
    cannot be used, or has no link.
    """
    payload = load_payload(spec)
    folder = _gateware(payload)
    if not (folder / LINK).is_file():
        raise InputError(f"{spec}: no table [link]: without a link there is nothing to talk to")
    link = json.loads((folder / LINK).read_text(encoding="utf-8"))
    return TwinDesign(
        name=payload.name,
        top=f"{payload.name}_twin",
        sources=source_files(folder),
        clock_hz=link["clock_hz"],
        baud_divisor=baud_divisor or link["baud_divisor"],
        rails=payload.rails,
        waivers=tuple(sorted(folder.rglob("*.vlt"))),
        link=folder / LINK,
        has_flash=any(memory["name"] == "flash" for memory in link["memories"]),
    )


def _gateware(payload: Payload) -> Path:
    """Return the folder with the payload's generated files; rendered when it is not there yet."""
    digest = payload_digest(payload)
    folder = gateware_folder(digest)
    with locked(folder.with_suffix(".lock")):
        if not folder.is_dir():
            emit(render_payload(payload), folder, digest)
    return folder
