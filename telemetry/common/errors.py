# SPDX-License-Identifier: Apache-2.0
"""The root of every error that a user can cause or cure."""

import errno

from telemetry.common.exit_codes import ExitCode

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # Numbers of an `OSError`.


class ReportedError(Exception):
    """An error told in one or more plain lines, without a traceback.

    The message says where, what, and what would be right. `exit_code` is what the command returns.
    """

    exit_code: ExitCode = ExitCode.INPUT
