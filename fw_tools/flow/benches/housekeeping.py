# SPDX-License-Identifier: Apache-2.0
"""The benches of a payload's housekeeping reports and of their time."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fw_tools.rtl.library import COUNTER_CELLS
from fw_tools.rtl.packetiser import packet_module
from fw_tools.rtl.payload import source_files
from fw_tools.spec.records import BenchSpec, PacketSpec, Payload

TELEMETRY = "telemetry.py"
TIME_CLOCK_HZ = 300_007  # A prime: no unit of 2^-16 s is a whole number of clocks.


def housekeeping_benches(payload: Payload, generated: Path, work: Path) -> tuple[BenchSpec, ...]:
    """Return one bench per packet, and one for its time.

    Their configuration goes below `work`; what was sent, into `<packet>.bin` beside `generated`.
    """
    packets = [_packet_bench(payload, packet, generated, work) for packet in payload.packets]
    return (*packets, *([_time_bench(generated)] if packets else []))


def packet_config(packet: PacketSpec) -> dict[str, Any]:
    """Return what a bench needs to pack `packet` by hand."""
    record = asdict(packet)
    fields = [{key: field[key] for key in ("name", "bits", "source")} for field in record["fields"]]
    return {key: record[key] for key in ("apid", "structure_id", "destination_id")} | {
        "fields": fields
    }


def _packet_bench(payload: Payload, packet: PacketSpec, generated: Path, work: Path) -> BenchSpec:
    work.mkdir(parents=True, exist_ok=True)
    config = work / f"{packet.name}.json"
    capture = generated.parent / f"{packet.name}.bin"
    settings = {
        "packet": packet_config(packet),
        "telemetry": str((generated / TELEMETRY).absolute()),
        "capture": str(capture.absolute()),
    }
    config.write_text(json.dumps(settings, indent=2) + "\n")
    module = packet_module(payload, packet)
    return BenchSpec(
        name=packet.name,
        top=module,
        test_modules=("hdl.tb.housekeeping_bench",),
        sources=_needed(generated, module, "crc16_octet", *COUNTER_CELLS),
        environment=(("FW_BENCH_CONFIG", str(config.absolute())),),
        lint=True,
    )


def _time_bench(generated: Path) -> BenchSpec:
    return BenchSpec(
        name="time",
        top="cuc_time",
        test_modules=("hdl.tb.time_bench",),
        sources=_needed(generated, "cuc_time"),
        parameters=(("ClockHz", str(TIME_CLOCK_HZ)),),
        lint=True,
    )


def _needed(generated: Path, *modules: str) -> tuple[Path, ...]:
    """Return the sources of `modules` alone: what else is in the folder would only be compiled."""
    return tuple(path for path in source_files(generated) if path.stem in modules)
