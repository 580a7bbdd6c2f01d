# SPDX-License-Identifier: Apache-2.0
"""`fw-tools shell`: talk to a payload, its reports scrolling by above the prompt."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fw_tools.cli.board_options import board_options
from telemetry.common.errors import ReportedError
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from fw_tools.board.client import PayloadClient

LISTEN_S = 0.05  # How long the listener keeps the link from a command.
QUIT = ("quit", "exit")


@click.command()
@click.option(
    "--definition",
    metavar="FILE.py:NAME",
    help="Decode housekeeping by this definition, as generated; the file is run.",
)
@board_options
def shell(client: "PayloadClient", definition: str | None) -> ExitCode:
    """Talk to a payload; `help` lists the words, Tab completes names, `quit` ends.

    Every report shows as a line above the prompt. From a pipe the lines are carried out one after
    the other up to the first that fails.

    \b
    Example:
      fw-tools shell --board board.toml
    """
    from fw_tools.board.reports import ReportText

    text = ReportText(client.description, definition)
    client.link.listen(lambda report: print(text.line(report)))  # noqa: T201
    if sys.stdin.isatty():
        return _talk(client)
    for line in sys.stdin:
        if line.strip() in QUIT:
            break
        _carry_out(client, line)
    return ExitCode.DONE


def history_file() -> Path:
    """Return where the lines of former sessions are kept; nowhere that lasts, if not there."""
    base = os.environ.get("XDG_STATE_HOME")
    folder = (Path(base) if base else Path.home() / ".local" / "state") / "fw-tools"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(os.devnull)
    return folder / "shell_history"


def _talk(client: "PayloadClient") -> ExitCode:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory
    from prompt_toolkit.patch_stdout import patch_stdout

    session: Any = PromptSession(
        f"{client.description.payload}> ",
        history=FileHistory(str(history_file())),
        completer=_completer(client),
        complete_while_typing=False,
    )
    with patch_stdout(), _listening(client) as link_is_free:
        while True:
            try:
                line = session.prompt()
            except KeyboardInterrupt:
                continue  # The line is given up, not the session.
            except EOFError:
                return ExitCode.DONE
            if line.strip() in QUIT:
                return ExitCode.DONE
            with link_is_free:
                try:
                    _carry_out(client, line)
                except ReportedError as error:
                    print(error)  # noqa: T201
                except KeyboardInterrupt:
                    print("interrupted")  # noqa: T201


def _carry_out(client: "PayloadClient", line: str) -> None:
    from fw_tools.board.shell import run_line

    for told in run_line(client, line):
        print(told)  # noqa: T201


def _completer(client: "PayloadClient") -> Any:
    from prompt_toolkit.completion import Completer, Completion

    from fw_tools.board.shell import completions

    class Names(Completer):
        def get_completions(self, document: Any, _: Any) -> Iterator[Completion]:
            line = document.text_before_cursor
            typed = len(line.rpartition(" ")[2])
            for name in completions(client.description, line):
                yield Completion(name, start_position=-typed)

    return Names()


@contextmanager
def _listening(client: "PayloadClient") -> Iterator[threading.Lock]:
    """Read reports while nobody uses the link; yield the lock under which a command has it."""
    link_is_free, is_over = threading.Lock(), threading.Event()

    def listen() -> None:
        while not is_over.is_set():
            with link_is_free:
                try:
                    client.link.receive(time.monotonic() + LISTEN_S)
                except ReportedError:
                    is_over.wait(LISTEN_S)  # The next command tells of it, and opens it anew.
            is_over.wait(0.001)  # A lock is not fair: let the prompt have it.

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield link_is_free
    finally:
        is_over.set()
        listener.join()
