# SPDX-License-Identifier: Apache-2.0
"""From a design to a bitstream, in three families: wall time and the largest process."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from rows import ROOT, Case, Measurement

BLINKY = ROOT / "examples/blinky"
PINS = {"icebreaker": "icebreaker.pcf", "ulx3s": "ulx3s.lpf", "tangnano9k": "tangnano9k.cst"}


def blinky() -> list[Measurement]:
    """Build blinky for three boards, the tools warm and nothing of it in the cache."""
    for board in PINS:
        _built(_blinky(board))
    before = time.perf_counter()
    for board in PINS:
        _built(_blinky(board))
    seconds = time.perf_counter() - before
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return [
        Measurement(case="flash/bitstream_blinkies", ours=seconds, unit="s", better="lower"),
        Measurement(case="flash/bitstream_blinkies_mb", ours=megabytes, unit="MB", better="lower"),
    ]


def payload(example: str, board: str) -> list[Measurement]:
    """Build an example's bitstream for a board."""
    spec = ROOT / "examples" / example / "payload.toml"
    before = time.perf_counter()
    _built([str(spec), "--board", board])
    seconds = time.perf_counter() - before
    case = f"flash/bitstream_{example}_{board}"
    return [Measurement(case=case, ours=seconds, unit="s", better="lower")]


def _blinky(board: str) -> list[str]:
    pins = BLINKY / PINS[board]
    return [str(BLINKY / "blinky.sv"), "--top", "blinky", "--pins", str(pins), "--board", board]


def _built(arguments: list[str]) -> None:
    """Run `fw-tools build` with an empty cache of ours; the tools' own cache stays."""
    with tempfile.TemporaryDirectory() as name:
        command = [str(Path(sys.executable).with_name("fw-tools")), "build", *arguments, "-o", name]
        environment = os.environ | {"FW_TOOLS_CACHE": f"{name}/cache"}
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


CASES: dict[str, Case] = {
    "flash/bitstream_blinkies": blinky,
    **{
        f"flash/bitstream_{example}_{board}": partial(payload, example, board)
        for example, board in (
            ("breaker_mini", "icebreaker"),
            ("breaker_mini", "tangnano9k"),
            ("compute_node", "ulx3s"),
        )
    },
}
