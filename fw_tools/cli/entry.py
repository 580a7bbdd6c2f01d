# SPDX-License-Identifier: Apache-2.0
"""Where the command starts: before the first import of ours, see that it would be ours."""

import sys

from fw_tools.shadow import foreign_packages

MISSING = 5  # As in telemetry.common.exit_codes, which cannot be trusted before this check.


def main() -> None:
    """Run `fw-tools`, unless a foreign package shadows one of ours: that is named, exit code 5."""
    if foreign := foreign_packages():
        print("\n".join(foreign), file=sys.stderr)  # noqa: T201
        sys.exit(MISSING)

    from fw_tools.cli.main import run_command_line

    sys.exit(run_command_line())
