# SPDX-License-Identifier: Apache-2.0
"""The bench of a whole payload."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from fw_tools.flow.benches.housekeeping import TELEMETRY, packet_config
from fw_tools.flow.benches.registers import register_map, register_waivers
from fw_tools.power.records import RailSpec
from fw_tools.rtl.payload import source_files
from fw_tools.rtl.top import link_ports, top_module
from fw_tools.spec.records import BenchSpec, Payload
from fw_tools.spec.sources import INPUT_PREFIX

# One clock in 1 us, and times a tenth of the description's: a power-up takes some thousand clocks.
BENCH_CLOCK_HZ = 1_000_000
BENCH_TIME_SCALE = 10
VISIBLE = Path(str(files("hdl") / "tb" / "top_bench.vlt"))


def top_benches(payload: Payload, generated: Path, work: Path) -> tuple[BenchSpec, ...]:
    """Return the bench of the whole payload; its configuration goes below `work`."""
    config = work / "top.json"
    work.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps(_settings(payload, generated), indent=2) + "\n")
    return (
        BenchSpec(
            name="top",
            top=top_module(payload),
            test_modules=("hdl.tb.top_bench",),
            sources=source_files(generated),
            parameters=(
                ("ClockHz", str(BENCH_CLOCK_HZ)),
                ("TimeScale", str(BENCH_TIME_SCALE)),
            ),
            verilator_args=("--no-public-flat-rw",),  # VISIBLE says what the bench touches.
            waivers=(register_waivers(payload, generated), VISIBLE),
            environment=(("FW_BENCH_CONFIG", str(config.absolute())),),
        ),
    )


def _settings(payload: Payload, generated: Path) -> dict[str, Any]:
    packet = payload.packets[0] if payload.packets else None
    return {
        "clock_hz": BENCH_CLOCK_HZ,
        "registers": register_map(payload, generated),
        "rails": bench_rails(payload, BENCH_TIME_SCALE),
        "held_low": [port.name for port in link_ports(payload) if port.name.endswith("_i")],
        "memories": [
            {"name": memory.name, "words": memory.words, "data_bits": memory.data_bits}
            for memory in payload.memories
        ],
        "inputs": bench_inputs(payload),
        "packet": packet_config(packet) if packet else None,
        "packet_name": packet.name if packet else "",
        "period_clocks": _clocks(packet.period_us, BENCH_TIME_SCALE) if packet else 0,
        "telemetry": str((generated / TELEMETRY).absolute()),
    }


def bench_inputs(payload: Payload) -> dict[str, int]:
    """Return the bits of each external input by its name."""
    return {
        field.source.removeprefix(INPUT_PREFIX): field.bits
        for packet in payload.packets
        for field in packet.fields
        if field.source.startswith(INPUT_PREFIX)
    }


def bench_rails(payload: Payload, time_scale: int) -> list[dict[str, Any]]:
    """Return the rails as `hdl.tb.board` takes them, times in clocks of the bench."""
    return [_rail(rail, time_scale) for rail in payload.rails]


def _rail(rail: RailSpec, time_scale: int) -> dict[str, Any]:
    return {
        "name": rail.name,
        "keep_alive": rail.keep_alive,
        "power_good": rail.power_good.input,
        "over_current": rail.hard_trip.input if rail.hard_trip else "",
        "ramp_min": _clocks(rail.ramp_min_us, time_scale),
        "ramp_max": _clocks(rail.ramp_max_us, time_scale),
        "off_timeout": _clocks(rail.off_timeout_us, time_scale),
        "on_level": rail.power_good.on_percent / 100,
        "off_level": rail.power_good.off_percent / 100,
    }


def _clocks(time_us: int, time_scale: int) -> int:
    return max(1, time_us * (BENCH_CLOCK_HZ // 1_000_000) // time_scale)
