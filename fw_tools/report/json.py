# SPDX-License-Identifier: Apache-2.0
"""A run as JSON, for scripts."""

import json
from dataclasses import asdict

from fw_tools.report.records import RunReport, Status

FORMAT_VERSION = 1  # Raised when a key changes its meaning or goes.


def render_json(report: RunReport) -> str:
    """Return the run as JSON: `passed` (bool), counts per status, and everything in the report."""
    counts = {status.value: report.count(status) for status in Status}
    head = {"format": FORMAT_VERSION, "passed": report.is_good, "counts": counts}
    return json.dumps(head | asdict(report), indent=2) + "\n"
