# SPDX-License-Identifier: Apache-2.0
"""A vendor's programmer as a process: its words filled in, its output shown, its end told."""

import os
import shlex
import shutil
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path

from fw_tools.board.watched import run_watched
from fw_tools.errors import (
    ExitCode,
    FwToolsError,
    InputError,
    MissingToolError,
    UsageError,
)
from fw_tools.spec.board_program import ProgramHint, ProgramSpec, placeholders

_LAST = 3  # Lines of the output that an error repeats.
Words = Mapping[str, str | None]


class ProgramError(FwToolsError):
    """The programmer failed; the exit code is what its output means."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.LINK) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def run_program(spec: ProgramSpec, board: str, words: Words, say: Callable[[str], None]) -> None:
    """Run the programmer of a board on an image; `say` gets each line of its output.

    No shell is between. It is ended, with all it started, on Ctrl-C and after its time.

    Raises:
        InputError: the image cannot be read, or is none that the programmer takes.
        LinkError: it took longer than it may.
        MissingToolError: there is no such program.
        ProgramError: it failed.
        UsageError: a word needs the port or the serial number, and none is known.
    """
    _check_image(Path(words["image"] or ""), spec)
    command = fill_in(spec, board, words)
    program = _find(command[0], board)
    say(shlex.join(command))
    code, told = run_watched([program, *command[1:]], say, spec.timeout_s)
    if code:
        raise _failure(spec, command[0], code, told)


def fill_in(spec: ProgramSpec, board: str, words: Words) -> list[str]:
    """Return the words of the command; an inner list with an unknown one is left out."""
    known = {name: word for name, word in words.items() if word is not None}
    command: list[str] = []
    for word in spec.command:
        parts = (word,) if isinstance(word, str) else word
        missing = {name for part in parts for name in placeholders(part)} - known.keys()
        if not missing:
            command += [part.format_map(known) for part in parts]
        elif isinstance(word, str):
            cure = "--port URL" if "port" in missing else "--serial NUMBER"
            raise UsageError(f"board {board}: {spec.command[0]} needs {word}; give {cure}")
    return command


def _check_image(image: Path, spec: ProgramSpec) -> None:
    try:
        with image.open("rb") as stream:
            is_empty = not stream.read(1)
    except OSError as error:
        raise InputError(f"{image}: cannot be read: {error.strerror}") from error
    if is_empty:
        raise InputError(f"{image}: is empty")
    if spec.images and image.suffix not in spec.images:
        taken = ", ".join(spec.images)
        raise InputError(f"{image}: {spec.command[0]} takes files that end in {taken}")


def _find(name: str, board: str) -> str:
    """Return where a program is: beside this Python's own, or on PATH."""
    path = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)))
    found = shutil.which(name, path=path)
    if found is None:
        raise MissingToolError(
            f"{name}: no such program; [program] of board {board} names it. Install it, or put its "
            "folder on PATH"
        )
    return found


def _failure(spec: ProgramSpec, name: str, code: int, told: list[str]) -> ProgramError:
    how = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
    hint = _hint(spec, told)
    lines = [f"{name}: failed ({how})" + (f": {hint.say}" if hint else "")]
    lines += [f"  {line}" for line in told[-_LAST:]]
    return ProgramError("\n".join(lines), ExitCode(hint.exit_code) if hint else ExitCode.LINK)


def _hint(spec: ProgramSpec, told: list[str]) -> ProgramHint | None:
    return next((each for each in spec.hints for line in told if each.text in line), None)
