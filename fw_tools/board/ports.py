# SPDX-License-Identifier: Apache-2.0
"""Why a serial port cannot be opened, and what a user can do about it."""

import errno
import os
from pathlib import Path

from fw_tools.board.holders import openings

_BUSY = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EBUSY)
_CLOSED = (errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED)
_NOT_NEGOTIATED = ("timeout while waiting for option", "does not seem to support RFC2217")


def opening_advice(device: str, error: OSError) -> str:
    """Return what is wrong with `device` and what would be right, in one line."""
    number = error.errno
    text = str(error)
    if number == errno.ENOENT or "No such file" in text or "could not find" in text.lower():
        return f"no such port; {existing_ports()}"
    if number in (errno.EACCES, errno.EPERM) or "Permission denied" in text:
        return f"no permission; {_group_advice(device)}"
    if number in _BUSY or "exclusively" in text:
        held = holder(device)
        by = f" (process {held})" if held else ""
        return f"another process has it open{by}; end it, or name another port"
    if number in _CLOSED or any(each in text for each in _NOT_NEGOTIATED):
        return "the other side does not take it; is another client connected? One at a time"
    if number == errno.ENOTTY or "Inappropriate ioctl" in text:
        return "this is no serial port"
    return error.strerror or text


def existing_ports() -> str:
    """Return the ports of this machine for a message."""
    from serial.tools.list_ports import comports

    ports = sorted(port.device for port in comports())
    return f"there are: {', '.join(ports)}" if ports else "this machine has none; is it plugged in?"


def _group_advice(device: str) -> str:
    """Name the group of the device file, which is who may use it."""
    try:
        import grp  # Not on every system.

        group = grp.getgrgid(Path(device).stat().st_gid).gr_name
    except (ImportError, OSError, KeyError):
        return "its owner or the administrator can give it"
    return (
        f"the file belongs to the group {group}: "
        f"sudo usermod -aG {group} {os.environ.get('USER', 'YOU')}, then log in again"
    )


def holder(device: str) -> str:
    """Return "12, minicom" where the system tells which other process holds the port, or ""."""
    others = (each for each in openings(Path(device).resolve()) if each != os.getpid())
    try:
        process = next(others)
        name = Path(f"/proc/{process}/comm").read_text().strip()
    except (StopIteration, OSError):
        return ""
    return f"{process}, {name}"
