# SPDX-License-Identifier: Apache-2.0
"""Tools as processes that never outlive us: each in a process group of its own."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GRACE_S = 1.0  # From the request to end until the end is forced.


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended."""

    exit_code: int  # Negative: the signal that ended it.
    seconds: float  # Wall clock.
    is_timed_out: bool = False


class InterruptedRunError(Exception):
    """The run was ended from elsewhere; whatever this thread was about to start is not wanted."""


class Processes:
    """The process groups that one run has started; `end_all` ends them, and starts no more.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._is_ended = False

    def run(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        log: Path,
        timeout_s: float | None = None,
    ) -> Ended:
        """Run `command` in `folder`, append its output to `log`, and wait for its end.

        Whatever it started in its group and left behind is ended with it; so is all of it on a
        time-out or when this call is interrupted.

        Raises:
            InterruptedRunError: `end_all` was called.
        """
        started = time.monotonic()
        process = self._start(command, folder, environment, log)
        is_timed_out = False
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            is_timed_out = True
        finally:
            end_group(process)
            with self._lock:
                self._running.discard(process)
        if self._is_ended:
            raise InterruptedRunError
        return Ended(process.returncode, time.monotonic() - started, is_timed_out)

    def end_all(self) -> None:
        """End every process group of this run."""
        with self._lock:
            self._is_ended = True
            running = tuple(self._running)
        for process in running:
            end_group(process)

    def _start(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        log.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, log.open("ab") as output:
            if self._is_ended:
                raise InterruptedRunError
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
        return process


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask the leader's group to end, then force what is left of it."""
    if process.poll() is None:
        _signal_group(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
