# SPDX-License-Identifier: Apache-2.0
"""What a board can be asked to do, and the error of one that cannot."""

from enum import StrEnum

from fw_tools.errors import UsageError


class Capability(StrEnum):
    """What a board may be able to do."""

    UART = "uart"
    RESET = "reset"
    POWER = "power"
    STRAP = "strap"
    BITSTREAM = "bitstream"  # Loads an FPGA.
    PROGRAM = "program"  # Writes an image by a program of the vendor's.


# What in board.toml would give each.
CURES = {
    Capability.UART: "url, or usb, in [board], or --port URL",
    Capability.RESET: 'a table [reset], as [reset] and strategy = "dtr"',
    Capability.POWER: "a table [power] with the bench supply's url, volts and amps",
    Capability.STRAP: "a table [strap.NAME] with its steps",
    Capability.BITSTREAM: "[fpga], and [program] with the command that loads it",
    Capability.PROGRAM: "a table [program] with the command that writes an image",
}


class MissingCapabilityError(UsageError):
    """The board cannot do what it is asked to; the message says what would let it."""

    def __init__(self, board: str, capability: Capability, cure: str = "") -> None:
        cure = cure or f"{CURES[capability]}, in its board.toml would give it"
        super().__init__(f"board {board}: cannot do {capability}: {cure}")
        self.board = board
        self.capability = capability
