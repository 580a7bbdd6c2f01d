# SPDX-License-Identifier: Apache-2.0
"""Errors of the firmware tools: one root, one class per exit code."""

from telemetry.common.errors import ReportedError
from telemetry.common.exit_codes import ExitCode

__all__ = [
    "ExitCode",
    "FwToolsError",
    "InputError",
    "LinkError",
    "MissingToolError",
    "UsageError",
    "VerificationError",
]


class FwToolsError(ReportedError):
    """Root of what `fw_tools` raises."""


class UsageError(FwToolsError):
    """The arguments do not fit together."""

    exit_code = ExitCode.USAGE


class InputError(FwToolsError):
    """A description, a source file or an output folder cannot be used."""

    exit_code = ExitCode.INPUT


class VerificationError(FwToolsError):
    """A check ran and did not hold, or nothing ran at all."""

    exit_code = ExitCode.VERIFICATION


class MissingToolError(FwToolsError):
    """A tool or an extra is absent; the message holds the command that brings it."""

    exit_code = ExitCode.MISSING


class LinkError(FwToolsError):
    """The exchange with a board failed."""

    exit_code = ExitCode.LINK
