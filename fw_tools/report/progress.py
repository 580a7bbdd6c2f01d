# SPDX-License-Identifier: Apache-2.0
"""What is seen on standard error while benches build and run."""

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from fw_tools.report.records import BenchSummary, Status, TestRecord
from telemetry.common.console import messages

if TYPE_CHECKING:
    from rich.progress import TaskID

_ACTIVITIES = {"linted": "linting", "built": "building", "run": "running"}


class BenchProgress:
    """A bar with what is going on at a terminal; elsewhere a line when something is done.

    Use as a context manager; its methods may be called from several threads.
    """

    def __init__(self, benches: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeElapsedColumn as Elapsed

        self._console = messages()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed())
        self._display: Progress = Progress(
            *columns,
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._overall: TaskID = self._display.add_task("benches", total=benches)
        self._active: dict[str, str] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "BenchProgress":
        self._display.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._display.stop()

    def started(self, bench: str, activity: str) -> None:
        """Show that a bench is now "linted", "built" or "run"."""
        with self._lock:
            self._active[bench] = _ACTIVITIES[activity]
            self._refresh()

    def built(self, summary: BenchSummary) -> None:
        """Say how long the build took and what the cache gave."""
        self._say(f"{summary.name}: {build_words(summary)}")

    def finished(self, bench: str, records: Sequence[TestRecord]) -> None:
        """Say how the tests of a bench ended."""
        with self._lock:
            self._active.pop(bench, None)
            self._refresh()
            self._display.advance(self._overall)
        if records:
            self._say(f"{bench}: {outcome_words(records)}")

    def _refresh(self) -> None:
        going_on = "; ".join(f"{verb} {bench}" for bench, verb in self._active.items())
        self._display.update(self._overall, description=going_on or "benches")

    def _say(self, text: str) -> None:
        if not self._console.is_terminal:
            self._console.print(text, markup=False)


def build_words(summary: BenchSummary) -> str:
    """Return how a bench was built, with the hits of the compile cache."""
    if summary.build_seconds is None:
        return "not built"
    if summary.is_cached:
        return f"taken from the cache in {summary.build_seconds:.1f} s"
    objects = summary.objects_cached + summary.objects_compiled
    hits = f"{summary.objects_cached} of {objects} objects from the cache"
    return f"built in {summary.build_seconds:.1f} s, {hits}"


def outcome_words(records: Sequence[TestRecord]) -> str:
    """Return the counts of the outcomes, as in "3 passed, 1 failed"."""
    counts = {status: sum(each.status is status for each in records) for status in Status}
    return ", ".join(f"{n} {status}" for status, n in counts.items() if n)
