# SPDX-License-Identifier: Apache-2.0
"""What is seen while something is flashed, the same for every way: plan, progress, result."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from telemetry.common.console import output, progress

if TYPE_CHECKING:
    from rich.progress import TaskID

Show = Callable[[str, int, int], None]  # Step, octets done, octets in all.
_LABEL_COLUMNS = 10


def say(label: str, text: str) -> None:
    """Print a line of the plan or of what came of it."""
    output().print(f"{label:{_LABEL_COLUMNS}} {text}", markup=False)


def say_where(board: str, where: str) -> None:
    """Print the first line: what is flashed, and which part of it."""
    output().print(f"{board}, {where}", markup=False)


@contextmanager
def shown_progress() -> Iterator[Show]:
    """Yield what draws a bar for each step, with its rate and the time that is left."""
    with progress(unit="bytes") as display:
        tasks: dict[str, TaskID] = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                for earlier in tasks.values():
                    display.stop_task(earlier)
                tasks[step] = display.add_task(step, total=total)
            display.update(tasks[step], completed=done, total=total)

        yield show


class Stopwatch:
    """How long something took, and at what rate."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def words(self, octets: int) -> str:
        """Return what was done since, as in "65,548 octets in 3.1 s, 21.1 kB/s"."""
        seconds = max(time.monotonic() - self._started, 1e-3)
        return f"{octets:,} octets in {seconds:.1f} s, {octets / seconds / 1000:,.1f} kB/s"
