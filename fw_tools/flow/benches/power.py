# SPDX-License-Identifier: Apache-2.0
"""The benches of a payload's power sequencer."""

import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from fw_tools.power.records import RailSpec
from fw_tools.rtl.payload import source_files
from fw_tools.rtl.sequencer import CELLS, sequencer_module
from fw_tools.spec.hardening import SEQUENCER, Harden
from fw_tools.spec.records import BenchSpec, Payload

LEAST_CLOCKS_PER_US = 2  # More than one, so that ticks and clocks differ.
SHORTEST_TICKS = 5  # Of a scaled time: enough to tell early from in time.
SHORTEST_CLOCKS = 10  # Synchroniser, shortest filter and comparator fit.


def power_benches(payload: Payload, generated: Path, work: Path) -> tuple[BenchSpec, ...]:
    """Return the bench of faults and that of upsets; their configuration goes below `work`."""
    if not payload.rails:
        return ()
    sources, scale = source_files(generated), time_scale(payload.rails)
    harden = payload.hardening(SEQUENCER).harden
    return sequencer_benches(payload.name, payload.rails, sources, work, scale, harden)


def sequencer_benches(
    payload_name: str,
    rails: tuple[RailSpec, ...],
    sources: tuple[Path, ...],
    work: Path,
    scale: int,
    harden: Harden = Harden.TMR,
) -> tuple[BenchSpec, ...]:
    """Return the benches of a sequencer whose modules are found among `sources`.

    `scale` divides all times of the simulated sequencer; see `time_scale`.
    """
    settings = {
        "rails": [asdict(rail) for rail in rails],
        "clocks_per_us": _clocks_per_us(rails, scale),
        "time_scale": scale,
        "is_voted": harden is Harden.TMR,
    }
    return tuple(
        _bench(name, module, payload_name, settings, sources, work)
        for name, module in (
            ("power_faults", "sequencer_bench"),
            ("power_upsets", "sequencer_upsets_bench"),
        )
    )


def time_scale(rails: tuple[RailSpec, ...]) -> int:
    """Return by what all times are divided: as far as leaves the shortest of them some ticks."""
    return max(1, _shortest_us(rails) // SHORTEST_TICKS)


def _clocks_per_us(rails: tuple[RailSpec, ...], scale: int) -> int:
    ticks = max(1, _shortest_us(rails) // scale)
    return max(LEAST_CLOCKS_PER_US, -(-SHORTEST_CLOCKS // ticks))


def _shortest_us(rails: tuple[RailSpec, ...]) -> int:
    times = [
        time_us
        for rail in rails
        for time_us in (
            rail.ramp_min_us or rail.ramp_max_us,
            rail.ramp_max_us - rail.ramp_min_us,
            rail.timeout_us,
            rail.off_timeout_us,
        )
    ]
    return min((time_us for time_us in times if time_us > 0), default=1)


def _bench(
    name: str,
    module: str,
    payload_name: str,
    settings: dict[str, Any],
    sources: tuple[Path, ...],
    work: Path,
) -> BenchSpec:
    work.mkdir(parents=True, exist_ok=True)
    path = work / f"{name}.json"
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    top = sequencer_module(payload_name)
    parameters = {
        "Rails": len(settings["rails"]),
        "TicksPerUs": settings["clocks_per_us"],
        "TimeScale": settings["time_scale"],
    }
    return BenchSpec(
        name=name,
        top="sequencer_harness",
        test_modules=(f"hdl.tb.{module}",),
        sources=(
            *(source for source in sources if source.stem in (*CELLS, top)),
            Path(str(files("hdl") / "tb" / "sequencer_harness.sv")),
        ),
        defines=(("SEQUENCER", top),),
        parameters=tuple((key, str(value)) for key, value in parameters.items()),
        environment=(("FW_BENCH_CONFIG", str(path.absolute())),),
        lint=True,
    )
