# SPDX-License-Identifier: Apache-2.0
"""`link.json`: what a client on the ground or on the bench knows of a payload's link."""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from fw_tools.pus.identifiers import Function
from fw_tools.rtl.assembler import Program
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.link_events import link_events
from fw_tools.rtl.link_memories import link_memories
from fw_tools.rtl.link_program import ROUTINES
from fw_tools.rtl.register_rows import FieldRow, RegisterRow
from fw_tools.rtl.render import FREE_USE
from fw_tools.spec.records import Payload

LINK_FILE = PurePosixPath("link.json")
FORMAT = 1
ENGINE_WORDS = 0x8000  # Parameter ID of the engine's first word of RAM.
BUILD_IDENTITY = 0xC000  # Of the first quarter of the build identity, and of the gateware's digest.
RTL_DIGEST = 0xC004
# Words of the engine that are parameters, all read only.
ENGINE_PARAMETERS = (
    *("taken_packets", "wrong_packets", "done_commands", "repeated_commands", "functions_done"),
    *("line_errors_count", "breaks_count", "bad_frames_count", "bad_lengths_count"),
    *("no_room_count", "bad_checks", "corrected_count", "uncorrectable_count"),
    *("booted_slot", "slots_refused"),  # Where the flash has slots.
    *("events_unsent", "reports_lost", "reports_broken", "uptime_s"),
)


def render_link_file(
    payload: Payload,
    digest: str,
    rtl_digest: str,
    rows: tuple[RegisterRow, ...],
    program: Program,
) -> GeneratedFile:
    """Return `link.json` of a payload whose registers are `rows`."""
    assert payload.link is not None
    packet = payload.packets[0]
    document = {
        "format": FORMAT,
        "terms": FREE_USE,
        "payload": payload.name,
        "digest": digest,
        "rtl_digest": rtl_digest,
        "apid": packet.apid,
        "clock_hz": payload.clock_hz,
        "baud_divisor": payload.link.baud_divisor,
        "structure_id": packet.structure_id,
        "slot_octets": payload.link.slot_octets,
        "commands": [list(kind) for kind in ROUTINES],
        "parameters": [*map(_register, rows), *_engine_parameters(program)],
        "memories": [
            {
                "name": memory.name,
                "id": int(memory.id),
                "octets": memory.octets,
                "word_octets": memory.word_octets,
                "is_writable": memory.is_writable,
            }
            for memory in link_memories(payload)
        ],
        "events": [
            {"name": event.name, "id": event.id, "severity": event.severity.name.lower()}
            for event in link_events(payload)
        ],
        "functions": [
            {"name": function.name.lower(), "id": int(function)} for function in Function
        ],
    }
    return GeneratedFile(LINK_FILE, json.dumps(document, indent=2) + "\n")


def _register(row: RegisterRow) -> dict[str, Any]:
    access = "".join(kind for kind in "rw" if any(kind in field.access for field in row.fields))
    return {
        "name": row.path,
        "id": row.offset // 4,
        "access": access,
        "fields": [_field(field) for field in row.fields],
    }


def _field(field: FieldRow) -> dict[str, Any]:
    plain = {"name": field.name, "low": field.low, "high": field.high, "access": field.access}
    return plain | ({"enum": dict(field.values)} if field.values else {})


def _engine_parameters(program: Program) -> Iterator[dict[str, Any]]:
    for name in filter(program.symbols.__contains__, ENGINE_PARAMETERS):
        yield _word(f"link.{name}", ENGINE_WORDS + program.symbols[name])
    for number in range(4):
        yield _word(f"build_identity_{number}", BUILD_IDENTITY + number)
    for number in range(4):
        yield _word(f"rtl_digest_{number}", RTL_DIGEST + number)


def _word(name: str, number: int) -> dict[str, Any]:
    field = {"name": "value", "low": 0, "high": 15, "access": "r"}
    return {"name": name, "id": number, "access": "r", "fields": [field]}
