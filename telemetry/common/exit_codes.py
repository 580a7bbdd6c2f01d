# SPDX-License-Identifier: Apache-2.0
"""Exit codes of both commands."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller; the same for `fw-tools` and `fw-telemetry`."""

    DONE = 0
    INTERNAL = 1  # Our bug.
    USAGE = 2  # Wrong arguments.
    INPUT = 3  # Input unusable: nothing came out; or the output has no room.
    VERIFICATION = 4  # A check ran and did not hold, or nothing ran at all.
    MISSING = 5  # A tool, an extra or a board is absent.
    DAMAGED = 6  # Finished and written, but the input was damaged.
    LINK = 7  # The exchange with a board failed.
    INTERRUPTED = 130  # Ctrl-C.
