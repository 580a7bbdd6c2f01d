# SPDX-License-Identifier: Apache-2.0
"""A line with faults between any two serial ports: what comes in on one side goes out on the other.

Each direction has a thread, which reads no further while its line stalls or the other side takes
nothing, so that octets wait where they come from. Octets alone pass: no DTR, RTS, break or rate.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import Protocol

from fw_tools.board.line_engine import DisturbedLine, LineCounts
from fw_tools.board.listening import is_listening, open_listening
from fw_tools.board.transport import open_transport
from fw_tools.board.twin_faults import LineSchedule
from fw_tools.board.twin_messages import Direction, LineFaults
from fw_tools.errors import UsageError

READ_S = 0.1  # How soon a direction sees that it is to end.
LOOK_S = 0.5


class Side(Protocol):
    """An end of the line."""

    @property
    def name(self) -> str:
        """The URL or path."""

    def read(self, timeout_s: float) -> bytes:
        """Return what has come; b"" when nothing came in time. Raises `LinkError`."""

    def write(self, octets: bytes) -> None:
        """Send octets. Raises `LinkError`."""

    def close(self) -> None:
        """Give it back."""


class Faultline:
    """A running line: `near` is the host's side, `far` the payload's."""

    def __init__(self, near: Side, far: Side, schedule: LineSchedule) -> None:
        self.near, self.far = near, far
        self._schedule = schedule
        self._is_over = threading.Event()
        self._failures: list[Exception] = []
        self._start_s = time.monotonic()
        self._lines = {
            direction: DisturbedLine(
                direction, schedule.seed, schedule.faults.get(direction, LineFaults())
            )
            for direction in Direction
        }
        self._threads = [
            threading.Thread(target=self._carry, args=way, name=f"line {number}", daemon=True)
            for number, way in enumerate(
                ((near, far, Direction.TO_PAYLOAD), (far, near, Direction.FROM_PAYLOAD))
            )
        ]

    @property
    def counts(self) -> Mapping[Direction, LineCounts]:
        """What was done so far, each way."""
        return {direction: line.counts for direction, line in self._lines.items()}

    def start(self) -> None:
        """Begin to carry; times of the schedule count from here."""
        self._start_s = time.monotonic()
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Wait until a side goes away; raises why."""
        while not self._is_over.wait(LOOK_S):
            pass
        if self._failures:
            raise self._failures[0]

    def stop(self) -> None:
        """End carrying."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _carry(self, source: Side, sink: Side, direction: Direction) -> None:
        try:
            while not self._is_over.is_set():
                self._pass(source.read(READ_S), sink, direction)
        except Exception as error:  # Told by `wait`, in the thread that can tell it.
            self._failures.append(error)
        finally:
            self._is_over.set()

    def _pass(self, octets: bytes, sink: Side, direction: Direction) -> None:
        line = self._lines[direction]
        line.is_cut = self._is_cut(direction)
        for passed in line.feed(octets):
            if passed.pause_s and self._is_over.wait(passed.pause_s):
                return
            if passed.octets:
                sink.write(passed.octets)
            line.is_cut = self._is_cut(direction)

    def _is_cut(self, direction: Direction) -> bool:
        return self._schedule.is_cut(direction, time.monotonic() - self._start_s)


@contextmanager
def running_faultline(
    near: str,
    far: str,
    schedule: LineSchedule,
    *,
    baud: int,
    bind: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Faultline]:
    """Open both sides and carry between them; close both behind the `with` block.

    A side is pty:PATH or tcp:PORT, which others open, or what `open_transport` takes. `bind` is
    the address of the former instead of loopback. Raises `UsageError`, `InputError`, `LinkError`.
    """
    if bind and not any(url.startswith("tcp:") for url in (near, far)):
        raise UsageError("--bind is for a side that listens, as tcp:PORT")
    with ExitStack() as stack:
        sides = [stack.enter_context(closing(_open(url, baud, bind, say))) for url in (near, far)]
        line = Faultline(sides[0], sides[1], schedule)
        stack.callback(line.stop)
        line.start()
        yield line


def _open(url: str, baud: int, bind: str | None, say: Callable[[str], None]) -> Side:
    if is_listening(url):
        return open_listening(url, baud, bind, say)
    return open_transport(url, baud)
