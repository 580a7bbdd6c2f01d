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
    description: str = ""  # What the test checks, in plain words.

    @property
    def module(self) -> str:
        """The test's module; "" for steps that are no cocotb test, such as "(lint)"."""
        return self.test.partition("/")[0].rpartition(".")[0]

    @property
    def is_good(self) -> bool:
        """Tell whether the test did not go wrong; a skipped one did not."""
        return self.status in (Status.PASSED, Status.SKIPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchSummary:
    """One bench of a run."""

    name: str
    top: str
    purpose: str  # What it checks, in plain words; "" when the bench does not say.
    build_seconds: float | None  # None when nothing was built.
    is_cached: bool  # The program was built before.
    objects_cached: int = 0  # Compiled objects taken from the cache.
    objects_compiled: int = 0
    waves: str = ""  # Path of the wave file, relative to the output folder.


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow:
    """Line coverage of one source file."""

    file: str
    covered: int
    total: int  # At least 1.
    missed: tuple[int, ...]  # Line numbers.

    @property
    def percent(self) -> float:
        """Share of the lines that ran, 0..100."""
        return 100.0 * self.covered / self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """Everything that is told about one run, in the table, in files and on the page."""

    title: str
    records: tuple[TestRecord, ...]
    benches: tuple[BenchSummary, ...]
    seed: int
    command: str  # Repeats this run.
    seconds: float  # Wall clock.
    coverage: tuple[CoverageRow, ...] = ()
    tools: tuple[tuple[str, str], ...] = ()  # Name, version.

    def shown_test(self, record: TestRecord) -> str:
        """Return a test's name, without its module when its bench has only that one."""
        modules = {each.module for each in self.records if each.bench == record.bench}
        is_plain = len(modules - {""}) == 1 and record.module
        return record.test.removeprefix(f"{record.module}.") if is_plain else record.test

    def count(self, status: Status) -> int:
        """Return how many tests ended so."""
        return sum(record.status is status for record in self.records)

    @property
    def ran(self) -> int:
        """Number of tests that really ran; steps such as "(lint)" count where nothing else is."""
        tests = [record for record in self.records if record.module] or self.records
        return sum(record.status is not Status.SKIPPED for record in tests)

    @property
    def is_good(self) -> bool:
        """Tell whether at least one test ran and none went wrong."""
        return self.ran > 0 and all(record.is_good for record in self.records)
