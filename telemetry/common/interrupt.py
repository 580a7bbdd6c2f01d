# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C that ends the input of a command in good order, and keeps what was done.

A library must not take Ctrl-C from the program that calls it, so this holds only inside
`interrupts_end_input`, which the commands enter.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

INTERRUPTED = "interrupted: what was read by then is kept"
_REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stoppable(Protocol):
    """An input that can be told to end."""

    is_stopped: bool


_inputs: list[Stoppable] = []  # Those that are open.
_depth = 0  # Of `interrupts_end_input`.


@contextmanager
def interrupts_end_input() -> Iterator[None]:
    """Let the first Ctrl-C (SIGTERM, SIGHUP) stop the inputs that are open, if there are any.

    A second one, or one with no input open, raises KeyboardInterrupt. Only the main thread of a
    program can do that; in another this does nothing.
    """
    global _depth
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {request: signal.getsignal(request) for request in _REQUESTS}
    _depth += 1
    try:
        for request, handler in before.items():
            if handler is not signal.SIG_IGN:  # As under nohup.
                signal.signal(request, _stop)
        yield
    finally:
        _depth -= 1
        for request, handler in before.items():
            signal.signal(request, handler)


@contextmanager
def stopped_by_interrupts(source: Stoppable) -> Iterator[None]:
    """Have `source` stopped by what `interrupts_end_input` takes; without that, do nothing."""
    if not _depth or threading.current_thread() is not threading.main_thread():
        yield
        return
    _inputs.append(source)
    try:
        yield
    finally:
        _inputs.remove(source)


def _stop(*_: object) -> None:
    if all(source.is_stopped for source in _inputs):
        raise KeyboardInterrupt
    for source in _inputs:
        source.is_stopped = True
