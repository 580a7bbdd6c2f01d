# SPDX-License-Identifier: Apache-2.0
"""Telemetry decoding that stands alone: bytes to packets, packets to numbers, numbers to people.

    >>> import telemetry
    >>> decoded = telemetry.decode("pass17.bin", "mission.py:PACKETS")  # doctest: +SKIP
    >>> decoded.rows(66)[0]["core_temperature"]  # doctest: +SKIP

In a definition, `field` says what a number means: its unit, calibration and limits.

Each name is loaded on first use, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from telemetry.columns.calibration import Function, Names, Polynomial, Spline, Table
    from telemetry.columns.derived import derived
    from telemetry.columns.field import field
    from telemetry.columns.limits import Limits, LimitState
    from telemetry.ops.decode import Decoded, batches, decode
    from telemetry.ops.options import Options

__all__ = [
    "Decoded",
    "Function",
    "LimitState",
    "Limits",
    "Names",
    "Options",
    "Polynomial",
    "Spline",
    "Table",
    "batches",
    "decode",
    "derived",
    "field",
]

_HOMES = {
    "Decoded": "telemetry.ops.decode",
    "Function": "telemetry.columns.calibration",
    "LimitState": "telemetry.columns.limits",
    "Limits": "telemetry.columns.limits",
    "Names": "telemetry.columns.calibration",
    "Options": "telemetry.ops.options",
    "Polynomial": "telemetry.columns.calibration",
    "Spline": "telemetry.columns.calibration",
    "Table": "telemetry.columns.calibration",
    "batches": "telemetry.ops.decode",
    "decode": "telemetry.ops.decode",
    "derived": "telemetry.columns.derived",
    "field": "telemetry.columns.field",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
