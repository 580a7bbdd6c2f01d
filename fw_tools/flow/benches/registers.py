# SPDX-License-Identifier: Apache-2.0
"""The bench of a payload's registers: the gateware against the map that software is given."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fw_tools.rtl.control_status import control_status_module
from fw_tools.rtl.library import COUNTER_CELLS
from fw_tools.rtl.payload import payload_digest, source_files
from fw_tools.rtl.register_rows import register_rows
from fw_tools.rtl.registers import compile_rdl
from fw_tools.rtl.render import FORMAT_VERSION
from fw_tools.spec.records import BenchSpec, Payload

MAGIC = int.from_bytes(b"FWTP", "big")


def registers_benches(payload: Payload, generated: Path, work: Path) -> tuple[BenchSpec, ...]:
    """Return the bench that walks every register; its configuration goes below `work`."""
    block = f"{payload.name}_regs"
    config = work / "registers.json"
    settings = {
        "registers": register_map(payload, generated),
        "identity": _identity(payload),
        "rails": [rail.name for rail in payload.rails],
        "memories": [memory.name for memory in payload.memories],
        "packets": [packet.name for packet in payload.packets],
    }
    work.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps(settings, indent=2) + "\n")
    top = control_status_module(payload)
    needed = ("guarded_flag", *COUNTER_CELLS, f"{block}_pkg", block, top)
    return (
        BenchSpec(
            name="registers",
            top=top,
            test_modules=("hdl.tb.registers_bench",),
            sources=tuple(path for path in source_files(generated) if path.stem in needed),
            waivers=(register_waivers(payload, generated),),
            environment=(("FW_BENCH_CONFIG", str(config.absolute())),),
            lint=True,
        ),
    )


def register_map(payload: Payload, generated: Path) -> list[dict[str, Any]]:
    """Return every register in the generated SystemRDL, as benches take them."""
    rdl = (generated / "regs" / f"{payload.name}_regs.rdl").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        rows = [asdict(row) for row in register_rows(compile_rdl(rdl, Path(folder)))]
    for row in rows:
        for field in row["fields"]:
            del field["description"], field["values"]
    return rows


def register_waivers(payload: Payload, generated: Path) -> Path:
    """Return the file that says which warnings of PeakRDL's output are waived, and why."""
    return (generated / "rtl" / f"{payload.name}_regs.vlt").absolute()


def _identity(payload: Payload) -> dict[str, dict[str, int]]:
    """Return what the first registers must hold."""
    counts = {
        "format_version": FORMAT_VERSION,
        "rail_count": len(payload.rails),
        "memory_count": len(payload.memories),
        "packet_count": len(payload.packets),
    }
    return {
        "magic": {"value": MAGIC},
        "format": counts,
        "model_digest": {"value": int(payload_digest(payload)[:8], 16)},
    }
