# SPDX-License-Identifier: Apache-2.0
"""Yosys in a child process: an error inside Yosys ends the process that it runs in."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fw_tools.errors import InputError, MissingToolError
from telemetry.common.files import WriteError

_CHILD = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1:]:
    libyosys.run_pass(command, design)
"""
_COMPLAINT = re.compile(
    r"^(?:(?P<file>[^:\n]+):(?P<line>\d+): )?ERROR: (?P<text>.*)$", re.MULTILINE
)


class SynthesisError(InputError):
    """Yosys refused the design; the message holds its own words."""


def run_yosys(commands: Sequence[str], folder: Path) -> str:
    """Run Yosys passes one after the other in `folder` and return the log.

    Yosys splits a command at its spaces, so name files relative to `folder`.

    Raises:
        MissingToolError: pyosys is not installed.
        SynthesisError: a pass ended with an error, or the process died.
    """
    if find_spec("pyosys") is None:
        raise MissingToolError("Yosys is missing: pip install 'fw-tools[fpga]'")
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *commands],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise SynthesisError(_complaint(done.stdout + done.stderr, done.returncode, folder))
    return done.stdout


def read_json(path: Path) -> Any:
    """Return what Yosys wrote with `write_json`, which does not notice a full disk.

    Raises `WriteError` where it ends early.
    """
    try:
        return json.loads(path.read_text())
    except json.JSONDecodeError:
        raise WriteError(path, "it ends early, as on a full disk") from None


def _complaint(log: str, status: int, folder: Path) -> str:
    found = list(_COMPLAINT.finditer(log))
    placed = [match for match in found if match["file"]]
    lines = [
        f"{(folder / match['file']).resolve()}:{match['line']}: {match['text']}"
        if match["file"]
        else f"Yosys: {match['text']}"
        for match in placed or found
    ]
    if lines:
        return "\n".join(dict.fromkeys(lines))
    tail = "\n".join(log.strip().splitlines()[-5:])
    return f"Yosys ended with status {status} and gave no reason; its last lines:\n{tail}"
