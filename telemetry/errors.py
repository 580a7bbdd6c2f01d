# SPDX-License-Identifier: Apache-2.0
"""Errors of the telemetry package."""

from telemetry.common.errors import ReportedError
from telemetry.common.exit_codes import ExitCode


class TelemetryError(ReportedError):
    """Root of what `telemetry` raises."""


class UsageError(TelemetryError):
    """The arguments do not fit together."""

    exit_code = ExitCode.USAGE


class InputError(TelemetryError):
    """The dump or the definition cannot be used."""

    exit_code = ExitCode.INPUT


class MissingExtraError(TelemetryError):
    """An optional library is absent; the message holds the command that brings it."""

    exit_code = ExitCode.MISSING


class LinkError(TelemetryError):
    """A serial port or a connection cannot be opened, or broke."""

    exit_code = ExitCode.LINK
