# SPDX-License-Identifier: Apache-2.0
"""Other people's programs as processes: watched while they work, and ended with us."""

import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence

from fw_tools.errors import LinkError
from fw_tools.sim.process import end_group

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


def run_watched(
    command: Sequence[str], say: Callable[[str], None], timeout_s: float
) -> tuple[int, list[str]]:
    """Run a program in a group of its own; return its exit code and the lines that it printed.

    `say` gets each line as it comes. The program is ended, with all it started, on Ctrl-C, on any
    other exception, and after its time. Raises `LinkError` where it took longer than it may.
    """
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        is_late = threading.Event()

        def end_late() -> None:
            is_late.set()
            end_group(process)

        watch = threading.Timer(timeout_s, end_late)
        watch.start()
        try:
            told = _show(process, say)
            code = process.wait()
        finally:
            watch.cancel()
            end_group(process)
    if is_late.is_set():
        raise LinkError(f"{command[0]}: not done after {timeout_s:g} s, and ended")
    return code, told


def _show(process: "subprocess.Popen[bytes]", say: Callable[[str], None]) -> list[str]:
    """Hand on each line as it comes; return all of them."""
    told: list[str] = []
    for line in _lines(process):
        told.append(line)
        say(line)
    return told


def _lines(process: "subprocess.Popen[bytes]") -> Iterator[str]:
    """Yield lines, ended by a line feed or by the carriage return of a progress that moves."""
    assert process.stdout
    rest = b""
    while chunk := os.read(process.stdout.fileno(), 1 << 12):
        *lines, rest = re.split(rb"[\r\n]+", rest + chunk)
        yield from filter(None, map(_readable, lines))
    yield from filter(None, [_readable(rest)])


def _readable(line: bytes) -> str:
    return _CONTROL.sub("", line.decode(errors="replace")).rstrip()
