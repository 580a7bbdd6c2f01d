# SPDX-License-Identifier: Apache-2.0
"""What came of a campaign, as JSON."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fw_tools.upset.failures import FailuresPerDay
from fw_tools.upset.summary import Summary
from telemetry.common.files import write_text

if TYPE_CHECKING:
    from fw_tools.flow.upset import Prepared

SUMMARY = "summary.json"
FORMAT = 1  # Raised when a key changes its meaning or goes.


def write_record(prepared: "Prepared", summary: Summary, folder: Path) -> None:
    """Write what came of a campaign into `folder`, for programs."""
    shares = [{**asdict(share), "outcome": share.outcome.name.lower()} for share in summary.shares]
    names = [share["outcome"] for share in shares]
    record = {
        "format": FORMAT,
        "top": prepared.machine.top,
        "digest": prepared.digest,
        "places": len(prepared.places),
        "clocks": len(prepared.inputs),
        "sort": prepared.faults.sort.value,
        "stimulus": prepared.stimulus,
        "limits": asdict(prepared.limits),
        "flips": summary.flips,
        "faults": summary.faults,
        "exhaustive": summary.is_exhaustive,
        "confidence": summary.confidence,
        "shares": shares,
        "daily": _daily(summary.daily) if summary.daily else None,
        "rows": [
            {
                "name": row.name,
                "places": row.places,
                "flips": row.flips,
                **dict(zip(names, row.counts, strict=True)),
                **({"case": row.case.name} if row.case else {}),
            }
            for row in summary.rows
        ],
    }
    write_text(folder / SUMMARY, json.dumps(record, indent=1) + "\n")


def _daily(daily: FailuresPerDay) -> dict[str, Any]:
    return {
        "rates_per_bit_day": asdict(daily.rates),
        "flip_flops": daily.flip_flops,
        "memory_bits": daily.memory_bits,
        "upsets": daily.upsets,
        "rows": [asdict(row) for row in daily.rows],
        "excluded": {"configuration_memory_upsets": daily.configuration_upsets},
    }
