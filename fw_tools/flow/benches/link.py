# SPDX-License-Identifier: Apache-2.0
"""The bench of a payload's serial line."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from fw_tools.flow.benches.registers import MAGIC, register_waivers
from fw_tools.flow.benches.top import BENCH_CLOCK_HZ, bench_inputs, bench_rails
from fw_tools.rtl.link_file import LINK_FILE
from fw_tools.rtl.link_memories import word_octets
from fw_tools.rtl.link_program import has_rescue, link_program
from fw_tools.rtl.payload import source_files
from fw_tools.rtl.payload_top import has_line, payload_module
from fw_tools.spec.profiles import Profile
from fw_tools.spec.records import BenchSpec, Payload

TIME_SCALE = 4
DIVISOR = 16  # Whatever the payload's own: the bars of the bench are in clocks at this one.
BENCHES = Path(str(files("hdl") / "tb"))
VISIBLE = BENCHES / "link_bench.vlt"
TEST_MODULES = tuple(
    f"hdl.tb.link_{name}_bench"
    for name in ("line", "commands", "reports", "memories", "slots", "upsets")
)
WARM_BOOT, RESCUE = ("hdl.tb.warm_boot_bench",), ("hdl.tb.rescue_bench",)
WORDS = ("sequence_count", "rescue_next_high", "rescue_next_low")  # Of the engine, set by a bench.
UPSETS = BENCHES / "link_upsets.sv"  # Of the replicas of a voted state.


def link_benches(payload: Payload, generated: Path, work: Path) -> tuple[BenchSpec, ...]:
    """Return the bench of the line, if there is one; its configuration goes below `work`."""
    if not has_line(payload):
        return ()
    config = work / "link.json"
    work.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps(_settings(payload, generated), indent=2) + "\n")
    return (
        BenchSpec(
            name="link",
            top=payload_module(payload),
            test_modules=_test_modules(payload),
            sources=(*source_files(generated), *([UPSETS] if _is_voted(payload) else [])),
            parameters=(
                ("ClockHz", str(BENCH_CLOCK_HZ)),
                ("TimeScale", str(TIME_SCALE)),
                ("BaudDivisor", str(DIVISOR)),
            ),
            verilator_args=("--no-public-flat-rw",),  # VISIBLE says what the bench touches.
            waivers=(register_waivers(payload, generated), VISIBLE),
            environment=(("FW_BENCH_CONFIG", str(config.absolute())),),
        ),
    )


def _test_modules(payload: Payload) -> tuple[str, ...]:
    assert payload.link is not None
    return (
        *TEST_MODULES,
        *(WARM_BOOT if payload.link.slot_octets else ()),
        *(RESCUE if has_rescue(payload) else ()),
    )


def _is_voted(payload: Payload) -> bool:
    return payload.profile is Profile.FULL


def _settings(payload: Payload, generated: Path) -> dict[str, Any]:
    link = json.loads((generated / LINK_FILE).read_text(encoding="utf-8"))
    symbols = link_program(payload, link["rtl_digest"]).symbols
    return {
        "link": link | {"magic": MAGIC},
        "divisor": DIVISOR,
        "clock_hz": BENCH_CLOCK_HZ,
        "time_scale": TIME_SCALE,
        "is_voted": _is_voted(payload),
        "words": {name: symbols[name] for name in WORDS if name in symbols},
        "rails": bench_rails(payload, TIME_SCALE),
        "memories": [
            {
                "name": memory.name,
                "id": number,
                "data_bits": memory.data_bits,
                "word_octets": word_octets(memory),
                "octets": memory.words * word_octets(memory),
            }
            for number, memory in enumerate(payload.memories, start=1)
        ],
        "inputs": list(bench_inputs(payload)),
    }
