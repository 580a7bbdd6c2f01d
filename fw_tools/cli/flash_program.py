# SPDX-License-Identifier: Apache-2.0
"""`fw-tools flash` by a vendor's programmer: what [program] of board.toml says, as a process."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

from fw_tools.cli.board_options import Connection
from fw_tools.cli.flash_look import Show, Stopwatch, say, say_where, shown_progress
from telemetry.common.console import messages
from telemetry.common.exit_codes import ExitCode

_PERCENT = re.compile(r"(\d{1,3})(?:\.\d+)? ?%")


def flash_program(
    file: Path, connection: Connection, *, is_verified_only: bool, is_dry: bool
) -> ExitCode:
    """Say what is run, and run it unless `is_dry`; its lines go by on standard error."""
    from fw_tools.board.opening import Named, wired_board

    named = Named(board=connection.board, port=connection.port, serial=connection.serial)
    with wired_board(named) as board:
        command = board.program_command(file, is_verified_only=is_verified_only)
        octets = file.stat().st_size
        say_where(board.name, board.spec.about or "by a programmer of its vendor")
        does = "compares with" if is_verified_only else "writes"
        say("plan", f"{command[0]} {does} {octets:,} octets of {file.name}")
        if is_dry:
            say("command", shlex.join(command))
            return ExitCode.DONE
        watch = Stopwatch()
        with shown_progress() as show:
            board.program(file, _told(show, octets), is_verified_only=is_verified_only)
        say("verified" if is_verified_only else "written", watch.words(octets))
    return ExitCode.DONE


def _told(show: Show, octets: int) -> Callable[[str], None]:
    """Return what makes a bar of percentages, and shows each line that has none."""

    def told(line: str) -> None:
        if found := _PERCENT.search(line):
            show("write", min(int(found[1]), 100) * octets // 100, octets)
        else:
            messages().print(f"  {line}", markup=False)

    return told
