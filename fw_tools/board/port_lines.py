# SPDX-License-Identifier: Apache-2.0
"""DTR, RTS and break of a serial port: which ports have them, and sequences of their states."""

import errno
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fw_tools.errors import LinkError
from fw_tools.spec.board_lines import Line, Step

if TYPE_CHECKING:
    from fw_tools.board.transport import Transport

TRIES = 3  # A port of USB may vanish when its board is reset.


def has_lines(url: str) -> bool:
    """Tell whether the port of a URL has lines: a pty and a TCP connection have none."""
    if url.startswith(("socket://", "loop://")):
        return False
    return not Path(url).resolve().is_relative_to("/dev/pts")


def set_port_lines(port: Any, states: Mapping[Line, bool], name: str) -> None:
    """Set lines of an open port of pyserial; DTR and RTS of a local one at the same moment.

    Raises `LinkError` for a port that has none, `OSError` for one that went away.
    """
    modem: dict[Line, bool] = {
        line: is_on for line, is_on in states.items() if line is not Line.BREAK
    }
    try:
        if len(modem) > 1 and isinstance(getattr(port, "fd", None), int):
            _set_at_once(port.fd, modem)
        else:
            for line, is_on in modem.items():
                setattr(port, line, is_on)
        if Line.BREAK in states:
            port.break_condition = states[Line.BREAK]
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.EINVAL):
            raise LinkError(f"{name}: this port has no DTR and RTS; nothing was set") from error
        raise


def _set_at_once(descriptor: int, states: Mapping[Line, bool]) -> None:
    """Set both lines by one call of the system, as tty_ioctl(4) has it (TIOCMSET)."""
    import fcntl
    import termios

    bits = {Line.DTR: termios.TIOCM_DTR, Line.RTS: termios.TIOCM_RTS}
    (lines,) = struct.unpack("I", fcntl.ioctl(descriptor, termios.TIOCMGET, b"\0\0\0\0"))
    for line, is_on in states.items():
        lines = lines | bits[line] if is_on else lines & ~bits[line]
    fcntl.ioctl(descriptor, termios.TIOCMSET, struct.pack("I", lines))


def run_steps(transport: "Transport", steps: Sequence[Step]) -> None:
    """Let the lines of a port take the states of each step, and hold them.

    A port that vanishes meanwhile is opened again, and the sequence begun anew. Raises `LinkError`.
    """
    from fw_tools.board.transport import DisconnectedError

    for tries_left in reversed(range(TRIES)):
        try:
            for step in steps:
                transport.set_lines(dict(step.states))
                time.sleep(step.hold_s)
        except DisconnectedError:
            if not tries_left:
                raise
            transport.reopen()
        else:
            return
