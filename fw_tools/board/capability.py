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
    VERIFY = "verify"  # Compares what it holds with an image, and writes nothing.


# What would give each.
CURES = {
    Capability.UART: "url, or usb, in [board] of its board.toml would give it, or --port URL",
    Capability.RESET: 'a table [reset] in its board.toml would give it, as strategy = "dtr"',
    Capability.POWER: "a table [power] in its board.toml would give it: a supply's url and limits",
    Capability.STRAP: "a table [strap.NAME] in its board.toml would give it, with its steps",
    Capability.BITSTREAM: "[fpga] with loader, or with [program], in its board.toml would give it",
    Capability.PROGRAM: "a table [program] in its board.toml would give it, with its command",
    Capability.VERIFY: (
        "[program] with verify, or [fpga] with loader and flash, in its board.toml would give it"
    ),
}


class MissingCapabilityError(UsageError):
    """The board cannot do what it is asked to; the message says what would let it."""

    def __init__(self, board: str, capability: Capability, cure: str = "") -> None:
        super().__init__(f"board {board}: has no {capability}: {cure or CURES[capability]}")
        self.board = board
        self.capability = capability
