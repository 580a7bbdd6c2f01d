# SPDX-License-Identifier: Apache-2.0
"""A small payload around the reference machine, for tests of the link and of the client."""

import json
from pathlib import Path

from fw_tools.pus.commands import COMMANDS
from fw_tools.pus.housekeeping import Structure
from fw_tools.pus.identifiers import NO_TIME_REPORTS, Severity
from fw_tools.pus.machine import Machine, PayloadParts
from fw_tools.pus.memories import FlashMemory, PlainMemory
from fw_tools.pus.parameters import PlainRegister, PlainRegisters

APID = 66
UNITS_PER_SECOND = 65536
SCRATCH, BUFFER, ROM = 1, 2, 3
FLASH = 0xF0
FRAME_DROPPED, RAIL_TRIPPED, WORD_LOST, TIME_SET = 1, 2, 3, 4

# As the generated link.json of a payload has it.
LINK = {
    "format": 1,
    "payload": "reference",
    "digest": "0123456789abcdef",
    "rtl_digest": "fedcba9876543210",
    "apid": APID,
    "clock_hz": 12_000_000,
    "baud_divisor": 16,
    "structure_id": 1,
    "slot_octets": 0,
    "commands": [list(kind) for kind in COMMANDS],
    "parameters": [
        {
            "name": "magic",
            "id": 0,
            "access": "r",
            "fields": [{"name": "value", "low": 0, "high": 31, "access": "r"}],
        },
        {
            "name": "control",
            "id": 4,
            "access": "rw",
            "fields": [
                {
                    "name": "power_up",
                    "low": 0,
                    "high": 3,
                    "access": "rw",
                    "enum": {"off": 9, "on": 6},
                },
                {
                    "name": "scrub_enable",
                    "low": 4,
                    "high": 7,
                    "access": "rw",
                    "enum": {"off": 9, "on": 6},
                },
            ],
        },
        {
            "name": "command",
            "id": 5,
            "access": "w",
            "fields": [{"name": "clear_counters", "low": 4, "high": 4, "access": "w"}],
        },
        {
            "name": "limit",
            "id": 6,
            "access": "rw",
            "fields": [{"name": "value", "low": 0, "high": 15, "access": "rw"}],
        },
    ],
    "memories": [
        {"name": "scratch", "id": SCRATCH, "octets": 4096, "word_octets": 8, "is_writable": True},
        {"name": "buffer", "id": BUFFER, "octets": 8192, "word_octets": 1, "is_writable": True},
        {"name": "rom", "id": ROM, "octets": 1024, "word_octets": 4, "is_writable": False},
        {"name": "events", "id": 224, "octets": 768, "word_octets": 4, "is_writable": False},
    ],
    "events": [
        {"name": "frame_dropped", "id": FRAME_DROPPED, "severity": "low"},
        {"name": "rail_tripped", "id": RAIL_TRIPPED, "severity": "high"},
        {"name": "word_lost", "id": WORD_LOST, "severity": "medium"},
        {"name": "time_set", "id": TIME_SET, "severity": "info"},
    ],
    "functions": [
        {"name": "power_up", "id": 1},
        {"name": "power_down", "id": 2},
        {"name": "clear_faults", "id": 3},
        {"name": "clear_counters", "id": 4},
        {"name": "warm_reset", "id": 5},
    ],
}


def write_link(folder: Path) -> Path:
    """Write link.json."""
    path = folder / "link.json"
    path.write_text(json.dumps(LINK))
    return path


class ReferencePayload:
    """The parts, how often each function was called, and a time that only `advance` moves."""

    def __init__(self, *, time_report_rate: int = NO_TIME_REPORTS) -> None:
        self.uptime_units = 0
        self.called = dict.fromkeys(range(1, 6), 0)
        self.registers = PlainRegisters(
            {
                0: PlainRegister("r", 0x46575450),
                4: PlainRegister("rw", 0x69, writable=0xFF),
                5: PlainRegister("w", 0),
                6: PlainRegister("rw", 7, is_refused=lambda value: value > 0xFFFF),
            }
        )
        self.memories = {
            SCRATCH: PlainMemory(4096, 8),
            BUFFER: PlainMemory(8192, 1),
            ROM: PlainMemory(1024, 4, is_writable=False),
            FLASH: FlashMemory(0x4000),
        }
        self.memories[ROM].content[:] = bytes(range(256)) * 4
        severities = {each["id"]: Severity[each["severity"].upper()] for each in LINK["events"]}
        self.machine = Machine(
            PayloadParts(
                apid=APID,
                uptime=lambda: self.uptime_units,
                registers=self.registers,
                memories=self.memories,
                structures=(
                    Structure(
                        structure_id=1,
                        destination_id=0x1234,
                        fields=lambda: self.registers.read(4).to_bytes(4, "big"),
                        interval_ms=1000,
                        is_enabled=False,
                    ),
                ),
                events=severities,
                functions={number: lambda n=number: self._call(n) for number in self.called},
                frame_dropped_event=FRAME_DROPPED,
                time_report_rate=time_report_rate,
            )
        )

    def advance(self, seconds: float) -> bytes:
        """Let time go by and return what is sent meanwhile."""
        self.uptime_units += round(seconds * UNITS_PER_SECOND)
        return self.machine.poll()

    def _call(self, function_id: int) -> None:
        self.called[function_id] += 1
