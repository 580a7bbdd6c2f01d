# SPDX-License-Identifier: Apache-2.0
"""An image into a payload's twin, whose line is pulled in the middle: `make flash-demo`.

Each line behind a `$` is a command that was run as it stands there.
"""

import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from fw_tools.board.twin import Twin, TwinOptions, running_twin
from fw_tools.board.twin_design import twin_design
from fw_tools.board.twin_messages import Direction

NODE = Path(__file__).parent / "compute_node"
WEIGHT_OCTETS = 8192
PULLED_AT = 5000  # Octets on the line.
FLASH = "fw-tools flash boot.img --board link.json --timeout 3"


def main() -> int:
    """Build, flash, pull, go on, boot, verify; return the exit code of the last command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(NODE / "generated" / "link.json", folder)
        (folder / "weights.bin").write_bytes(random.Random(1).randbytes(WEIGHT_OCTETS))
        image = "--load weight_buffer=weights.bin --set control=0x69 -o boot.img"
        shown(f"fw-tools image link.json {image}", folder)
        design = twin_design(NODE / "payload.toml", baud_divisor=8)
        with running_twin(design, TwinOptions(flash_time=0.1)) as twin:
            flash = f"{FLASH} --port {twin.url}"
            threading.Thread(target=pull, args=(twin,), daemon=True).start()
            shown(flash, folder)
            print("# The line is plugged in again.", flush=True)
            cut(twin, is_cut=False)
            if shown(flash, folder):
                return 1
            return shown(f"{flash} --slot 1 --verify-only", folder)


def pull(twin: Twin) -> None:
    """Cut the line when so many octets have gone to the payload."""
    while twin.statistics()["to_payload"]["octets"] < PULLED_AT:
        time.sleep(0.002)
    cut(twin, is_cut=True)
    print("# The line is pulled.", flush=True)


def cut(twin: Twin, *, is_cut: bool) -> None:
    """Cut both wires, or make them whole."""
    for direction in Direction:
        twin.cut_line(direction, is_cut)


def shown(command: str, folder: Path) -> int:
    """Print a command and run it."""
    print(f"$ {command}", flush=True)
    words = [sys.executable, "-m", *shlex.split(command)]
    words[2] = words[2].replace("-", "_")
    return subprocess.run(
        words,
        cwd=folder,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stderr=subprocess.STDOUT,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
