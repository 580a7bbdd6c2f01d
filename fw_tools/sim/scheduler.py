# SPDX-License-Identifier: Apache-2.0
"""Several benches: linted, built and run, some at a time, each to its records."""

import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from fw_tools.errors import UsageError
from fw_tools.report.records import BenchSummary, Status, TestRecord
from fw_tools.sim.build import LINT_LOG, Build, BuildError, BuildOptions, build, lint
from fw_tools.sim.descriptions import Description, describe
from fw_tools.sim.process import InterruptedRunError, Processes
from fw_tools.sim.removed_api import removed_uses
from fw_tools.sim.run import COVERAGE, DEFAULT_SEED, WAVES, RunOptions, run
from fw_tools.sim.selection import may_hold
from fw_tools.spec.records import BenchSpec

_STEPS = {
    "(build)": "The sources build.",
    "(import)": "The test modules can be imported.",
    "(run)": "The simulation runs tests and ends by itself.",
    "(cocotb 2)": "The bench uses names that cocotb 2 has.",
    "(lint)": "Verilator -Wall has nothing to say about the sources.",
}
_LINT_PURPOSE = "All sources as a whole, under their top: Verilator -Wall has to be quiet."
BENCH_FOLDER = "benches"  # Below the output folder, one folder a bench.


@dataclass(frozen=True, slots=True)
class Task:
    """A bench to build and run; one without test modules is only linted."""

    bench: BenchSpec
    folder: Path | None = None  # Where Verilator and the simulation run; see `_Job`.


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOptions:
    """How the benches of one run are built and run."""

    output: Path  # The bench folders are made below.
    seed: int = DEFAULT_SEED
    pattern: str = ""  # Regular expression: benches by name, else tests as "module.test".
    jobs: int = 2  # Benches at a time.
    timeout_s: float | None = None
    has_waves: bool = False
    has_coverage: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchResult:
    """What came of one bench."""

    summary: BenchSummary
    records: tuple[TestRecord, ...]
    coverage: Path | None = None


class Observer(Protocol):
    """Who wants to know how far the benches are; called from several threads."""

    def started(self, bench: str, activity: str) -> None:
        """Tell that a bench is now "linted", "built" or "run"."""

    def built(self, summary: BenchSummary) -> None:
        """Tell that the program of a bench is there."""

    def finished(self, bench: str, records: Sequence[TestRecord]) -> None:
        """Tell that a bench is over."""


def run_benches(
    tasks: Sequence[Task], options: ScheduleOptions, observer: Observer
) -> tuple[BenchResult, ...]:
    """Build and run every bench, `options.jobs` at a time; results are in the order of `tasks`.

    What goes wrong in a bench becomes a record. Ctrl-C, and what no bench can help (a tool or a
    source file is absent), end every process that was started, and are raised.

    Raises:
        InputError, MissingToolError: as `build` does.
        UsageError: the pattern is no regular expression.
    """
    require_pattern(options.pattern)
    processes = Processes()
    with ThreadPoolExecutor(max(1, options.jobs)) as pool:
        futures: dict[int, Future[BenchResult]] = {}
        for number in _longest_first(tasks):
            job = _Job(tasks[number], options, processes, observer, len(tasks))
            futures[number] = pool.submit(job.result)
        try:
            _wait(list(futures.values()))
        except BaseException:
            processes.end_all()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return tuple(futures[number].result() for number in range(len(tasks)))


def require_pattern(pattern: str) -> None:
    """Raise `UsageError` unless `pattern` is a regular expression."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise UsageError(f"-k {pattern!r} is not a regular expression: {error}") from None


def bench_folder(output: Path, bench: str) -> Path:
    """Return the folder of a bench; its name keeps what file systems and shells take well."""
    return output / BENCH_FOLDER / re.sub(r"[^A-Za-z0-9_.=-]+", "_", bench).strip("_")


@dataclass(frozen=True, slots=True)
class _Job:
    """One bench on its way.

    Without a folder of its own, Verilator runs beside the first source, so that the cache does not
    depend on the output folder, and the simulation in its bench folder, where it may write.
    """

    task: Task
    options: ScheduleOptions
    processes: Processes
    observer: Observer
    tasks: int

    @property
    def bench(self) -> BenchSpec:
        return self.task.bench

    @property
    def work(self) -> Path:
        return bench_folder(self.options.output, self.bench.name)

    def result(self) -> BenchResult:
        """Lint, build, run; the records carry descriptions."""
        folders = (*self.bench.python_paths, *map(Path, sys.path))
        description = describe(self.bench.test_modules, folders)
        records: list[TestRecord] = []
        built: Build | None = None
        try:
            records += self._lint()
            if self._is_concerned(folders):
                built = self._build(description)
                records += self._run(built)
        except BuildError as error:
            record = self._record("(build)", Status.ERROR, str(error))
            records.append(replace(record, log=self._relative(error.log)))
        records = [self._described(record, description) for record in records]
        self.observer.finished(self.bench.name, records)
        coverage = self.work / COVERAGE
        return BenchResult(
            summary=self._summary(description, built),
            records=tuple(records),
            coverage=coverage if coverage.is_file() else None,
        )

    def _lint(self) -> list[TestRecord]:
        if not self.bench.lint or not self._is_whole_bench():
            return []
        self.observer.started(self.bench.name, "linted")
        started = time.monotonic()
        messages = lint(self.bench, self._build_options())
        status = Status.FAILED if messages else Status.PASSED
        record = self._record("(lint)", status, "\n".join(map(str, messages)))
        log = self._relative(self.work / LINT_LOG)
        return [replace(record, log=log, seconds=time.monotonic() - started)]

    def _build(self, description: Description) -> Build:
        self.observer.started(self.bench.name, "built")
        built = build(self.bench, self._build_options())
        self.observer.built(self._summary(description, built))
        return built

    def _run(self, built: Build) -> list[TestRecord]:
        self.observer.started(self.bench.name, "run")
        options = self.options
        run_options = RunOptions(
            work=self.work,
            root=options.output,
            seed=options.seed,
            pattern="" if self._is_whole_bench() else options.pattern,
            timeout_s=options.timeout_s,
            has_waves=options.has_waves,
            folder=self.task.folder,
            processes=self.processes,
        )
        records = list(run(built, self.bench, run_options))
        if not all(record.is_good for record in records):
            records += self._removed_api()
        return records

    def _removed_api(self) -> list[TestRecord]:
        uses = removed_uses(self.bench.test_modules, self.bench.python_paths)
        message = "\n".join(map(str, uses))
        return [self._record("(cocotb 2)", Status.ERROR, message)] if uses else []

    def _is_concerned(self, folders: Sequence[Path]) -> bool:
        modules = self.bench.test_modules
        is_whole = bool(modules) and self._is_whole_bench()
        return is_whole or may_hold(self.options.pattern, modules, folders)

    def _is_whole_bench(self) -> bool:
        return re.search(self.options.pattern, self.bench.name) is not None

    def _build_options(self) -> BuildOptions:
        return BuildOptions(
            work=self.work,
            has_waves=self.options.has_waves,
            has_coverage=self.options.has_coverage,
            jobs=max(1, self.options.jobs // self.tasks),
            folder=self.task.folder or self.bench.sources[0].parent,
            processes=self.processes,
        )

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self.options.output))

    def _record(self, test: str, status: Status, message: str) -> TestRecord:
        return TestRecord(
            bench=self.bench.name, test=test, status=status, seconds=0.0, message=message
        )

    def _described(self, record: TestRecord, description: Description) -> TestRecord:
        words = _STEPS.get(record.test) or description.of_test(record.test)
        return replace(record, description=words)

    def _summary(self, description: Description, built: Build | None) -> BenchSummary:
        waves = self.work / WAVES
        return BenchSummary(
            name=self.bench.name,
            top=self.bench.top,
            purpose=description.purpose if self.bench.test_modules else _LINT_PURPOSE,
            build_seconds=built.seconds if built else None,
            is_cached=bool(built and built.is_cached),
            objects_cached=built.objects.hits if built else 0,
            objects_compiled=built.objects.misses if built else 0,
            waves=self._relative(waves) if waves.is_file() else "",
        )


def _longest_first(tasks: Sequence[Task]) -> list[int]:
    """Return the numbers of the tasks in the order of starting them.

    Many sources take long to build, so that they begin while there is other work beside them. A
    bench with the same program as one before comes last: it would only wait for that one's build.
    """
    programs: set[tuple[object, ...]] = set()
    keys = []
    for number, task in enumerate(tasks):
        bench = task.bench
        program = (bench.top, bench.sources, bench.parameters, bench.defines, bench.verilator_args)
        keys.append((program in programs, -_octets(bench.sources), number))
        programs.add(program)
    return [number for *_, number in sorted(keys)]


def _octets(paths: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


def _wait(futures: Sequence[Future[BenchResult]]) -> None:
    """Wait until all are done; raise what the first to fail raised."""
    for future in as_completed(futures):
        with suppress(InterruptedRunError):
            future.result()
