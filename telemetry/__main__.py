# SPDX-License-Identifier: Apache-2.0
"""`python -m telemetry` is `fw-telemetry`."""

import sys
from pathlib import Path

# "-m" puts the current folder first on the import path; no definition may come from there unasked.
if not sys.flags.safe_path and sys.path and sys.path[0] == str(Path.cwd()):
    del sys.path[0]

from telemetry.cli import main

main()
