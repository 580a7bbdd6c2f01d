# SPDX-License-Identifier: Apache-2.0
"""How much gateware a payload may be: all of the hardening, or what a small FPGA has room for."""

from enum import StrEnum


class Profile(StrEnum):
    """[board] profile."""

    FULL = "full"  # State machines, enables, latches and the engine's state are voted.
    SMALL = "small"  # Codes and parity stay; nothing is triplicated.

    @property
    def triplicate(self) -> str:
        """The SystemVerilog literal that tells whether registers are voted."""
        return "1'b1" if self is Profile.FULL else "1'b0"

    def receive_bits(self, *, has_flash: bool) -> int:
        """Return the octets of the ring of received packets, as a power of two.

        The longest packet has 1,047. A flash is loaded with three of them on their way.
        """
        return 12 if self is Profile.FULL or has_flash else 11
