# SPDX-License-Identifier: Apache-2.0
"""Terminals: results go to standard output, progress and messages to standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

PIPE_WIDTH = 160  # Columns of a table that does not go to a terminal.


@cache
def output() -> "Console":
    """Return the console of results. Colour appears only on a terminal; `NO_COLOR` is honoured."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            raise  # BrokenPipeError: the reader went away; rich would exit with 1.

    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Output(highlight=False, soft_wrap=True, width=width)


@cache
def messages() -> "Console":
    """Return the console of messages and progress (standard error)."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def progress(*, unit: str = "") -> Iterator["Progress"]:
    """Yield a progress display on standard error; it draws nothing when that is no terminal."""
    from rich import progress as rp

    columns = [rp.TextColumn("{task.description}"), rp.BarColumn(), rp.MofNCompleteColumn()]
    columns.append(rp.TimeElapsedColumn())
    if unit == "bytes":  # In 80 columns.
        left = rp.TimeRemainingColumn(compact=True, elapsed_when_finished=True)
        columns[1:] = [rp.BarColumn(20), rp.DownloadColumn(), rp.TransferSpeedColumn(), left]
    console = messages()
    display = rp.Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with display:
        yield display
