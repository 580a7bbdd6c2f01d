# SPDX-License-Identifier: Apache-2.0
"""What a benchmark case measures, the bars it is held to, and the rows of the table."""

import datetime
import json
import platform
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RESULTS = ROOT / "build" / "bench.json"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One figure of ours, beside a peer's where there is a peer, from the same run."""

    case: str  # Begins with its area: "sim/...".
    ours: float
    unit: str
    better: str  # "higher" or "lower"
    peer: str | None = None
    peer_value: float | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: a measurement against one bar."""

    case: str
    ours: float
    unit: str
    better: str
    peer: str | None
    peer_value: float | None
    ratio: float | None  # Above 1: ours is better.
    bar: float | None
    bar_on: str | None  # "ours" or "ratio"
    met: bool | None
    commit: str
    cpu: str
    date: str


Case = Callable[[], list[Measurement]]


def rows(measurement: Measurement) -> list[Row]:
    """Return one row per bar of the case; one without a bar where it has none."""
    bars = [bar for bar in _bars() if bar["case"] == measurement.case]
    return [_row(measurement, bar) for bar in bars or [None]]


def store(fresh: list[Row], prefix: str) -> None:
    """Write `fresh` to the results file; rows of other cases there are kept."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    kept = [row for row in kept if not row["case"].startswith(prefix)]
    everything = sorted([*kept, *map(asdict, fresh)], key=lambda row: str(row["case"]))
    RESULTS.parent.mkdir(exist_ok=True)
    temporary = RESULTS.with_suffix(".tmp")
    temporary.write_text(json.dumps(everything, indent=2) + "\n")
    temporary.replace(RESULTS)


def _row(measurement: Measurement, bar: dict[str, object] | None) -> Row:
    ratio = _ratio(measurement)
    value = float(str(bar["value"])) if bar else None
    bar_on = str(bar["on"]) if bar else None
    return Row(
        **asdict(measurement),
        ratio=ratio,
        bar=value,
        bar_on=bar_on,
        met=_is_met(measurement, ratio, value, bar_on),
        commit=_commit(),
        cpu=_cpu(),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )


def _ratio(measurement: Measurement) -> float | None:
    if measurement.peer_value is None:
        return None
    ours_per_peer = measurement.ours / measurement.peer_value
    return ours_per_peer if measurement.better == "higher" else 1 / ours_per_peer


def _is_met(
    measurement: Measurement, ratio: float | None, bar: float | None, bar_on: str | None
) -> bool | None:
    if bar is None:
        return None
    if bar_on == "ratio":
        return ratio is not None and ratio >= bar
    return measurement.ours >= bar if measurement.better == "higher" else measurement.ours <= bar


@cache
def _bars() -> list[dict[str, object]]:
    return tomllib.loads((HERE / "bars.toml").read_text())["bar"]


@cache
def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


@cache
def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
