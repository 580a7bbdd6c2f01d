# SPDX-License-Identifier: Apache-2.0
"""What openFPGALoader says when it fails: what it means, and what helps."""

import re
from collections.abc import Sequence

from fw_tools.errors import (
    FwToolsError,
    InputError,
    LinkError,
    MissingToolError,
    VerificationError,
)


class BoardMissingError(MissingToolError):
    """No such board is attached."""


_RULES = (
    "install openFPGALoader's 99-openfpgaloader.rules in /etc/udev/rules.d, be in its group "
    "(sudo usermod -aG plugdev $USER), log in anew and plug the board in again"
)
# What it says; what that means and what helps, with the numbers of what it says.
_HINTS: dict[str, tuple[type[FwToolsError], str]] = {
    r"mismatch between target's idcode": (
        InputError,
        "the bitstream is for another FPGA than the one that is attached",
    ),
    r"Verification failed at (\d+)": (
        VerificationError,
        (
            "the flash holds something else at {:#x}: flash it again; if the place stays the same, "
            "the chip is worn or damaged there"
        ),
    ),
    r"device not found|No USB devices found|Failed to claim cable": (
        BoardMissingError,
        (
            "no such board or cable is attached: is it plugged in, powered and the right one? "
            "`openfpgaloader-cli --scan-usb` lists what there is"
        ),
    ),
    r"usb_open\(\) failed|LIBUSB_ERROR_ACCESS|[Pp]ermission denied": (
        LinkError,
        f"no permission for the board's USB port, or another program holds it: {_RULES}",
    ),
    r"connection failure|Connection error": (
        LinkError,
        "nothing listens where the remote cable should be: see [fpga] loader in board.toml",
    ),
    r"cannot find board|error : \S+ not found": (
        InputError,
        (
            "openFPGALoader knows no such board or cable: see [fpga] loader in board.toml, and "
            "`openfpgaloader-cli --list-boards` or `--list-cables`"
        ),
    ),
    r"TDO is stuck|no device found|Unknown device|JTAG init failed": (
        LinkError,
        (
            "the cable answers, the FPGA does not: is the board powered, and are its JTAG pins "
            "free (on a ULX3S the ESP32 may hold them)?"
        ),
    ),
    r"incompatible file format": (
        InputError,
        "the FPGA that is attached takes no such bitstream: is it the board that was meant?",
    ),
    r"block protection is set": (
        LinkError,
        (
            "the flash is write-protected, or does not answer (all ones): a jumper or the boot "
            "mode may keep it off the bus; openFPGALoader's --unprotect-flash lifts a protection"
        ),
    ),
    r"Read ID failed|flash overflow|write en: Error": (
        LinkError,
        "the flash does not answer as it should: a jumper or the boot mode may keep it off the bus",
    ),
}


def failure(lines: Sequence[str], status: int, board: str) -> FwToolsError:
    """Return the error for what it printed before it ended with `status`."""
    said = _said(lines)
    for pattern, (kind, hint) in _HINTS.items():
        if found := re.search(pattern, "\n".join(lines)):
            numbers = [int(each) for each in found.groups()]
            return kind(f"{board}: {hint.format(*numbers)}\n{said}")
    return LinkError(f"{board}: openFPGALoader ended with status {status}\n{said}")


def _said(lines: Sequence[str]) -> str:
    """Return its complaints: the last lines that are none of its bars."""
    told = [line.strip() for line in lines if "%" not in line and not line.endswith("DONE")]
    return "openFPGALoader: " + "; ".join(told[-3:])
