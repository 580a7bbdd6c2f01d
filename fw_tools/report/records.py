# SPDX-License-Identifier: Apache-2.0
"""One record per test: all that tables, JSON, JUnit and the page are made of."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"  # It ran and its claim did not hold.
    ERROR = "error"  # It could not run: build, import, time-out, simulator death.
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRecord:
    """The outcome of one test of one bench."""

    __test__ = False  # Not a pytest class.

    bench: str
    test: str
    status: Status
    seconds: float  # Wall clock.
    sim_ns: float = 0.0  # Simulated time.
    message: str = ""  # What failed, in the words of the assertion.
    location: str = ""  # file:line of the test.
    seed: int | None = None
    log: str = ""  # Path of the log, relative to the output folder.
