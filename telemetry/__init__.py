# SPDX-License-Identifier: Apache-2.0
"""Telemetry decoding that stands alone: bytes to packets, packets to numbers, numbers to people.

    >>> import telemetry
    >>> decoded = telemetry.decode("pass17.bin", "mission.py:PACKETS")  # doctest: +SKIP
    >>> decoded.rows(66)[0]["core_temperature"]  # doctest: +SKIP

`decode` is loaded on first use, so that importing the package costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from telemetry.ops.decode import Decoded, decode

__all__ = ["Decoded", "decode"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from telemetry.ops import decode as module

    return getattr(module, name)
