# SPDX-License-Identifier: Apache-2.0
"""Run a built bench and say how each of its tests ended.

cocotb's exit status tells nothing: a failing test, a filter that matches nothing and a bench that
dies at import can all end with 0. Only the results file counts, and where it is absent, the log.
"""

import os
import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from fw_tools.errors import MissingToolError
from fw_tools.report.records import Status, TestRecord
from fw_tools.sim import results
from fw_tools.sim.build import Build
from fw_tools.sim.process import Ended, Processes
from fw_tools.spec.records import BenchSpec
from fw_tools.toolchain import verilator_environment

RUN_LOG = "run.log"
RESULTS = "results.xml"
WAVES = "waves.vcd"
COVERAGE = "coverage.dat"
DEFAULT_SEED = 1
DEFAULT_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a built bench is run."""

    work: Path  # Takes log, results, waves and coverage.
    root: Path | None = None  # Paths in records are relative to this; default: `work`.
    seed: int = DEFAULT_SEED
    pattern: str = ""  # Regular expression; only tests with a match in "module.test" run.
    timeout_s: float | None = None  # Wall clock; None: the bench's own, or 600 s.
    has_waves: bool = False  # The build must have them too.
    folder: Path | None = None  # Where the simulation runs; default: `work`.
    plusargs: tuple[str, ...] = ()
    processes: Processes = field(default_factory=Processes)

    @property
    def log_name(self) -> str:
        """Return the log's path as records carry it."""
        log = self.work / RUN_LOG
        return str(log.relative_to(self.root) if self.root else log.name)


def run(build: Build, bench: BenchSpec, options: RunOptions) -> tuple[TestRecord, ...]:
    """Run `bench` and return one record per test, or one ERROR record that says why there is none.

    No records at all mean that `options.pattern` matched none of the tests. A run beyond its time
    is ended with everything that it started.
    """
    options.work.mkdir(parents=True, exist_ok=True)
    for name in (RUN_LOG, RESULTS, WAVES, COVERAGE):
        (options.work / name).unlink(missing_ok=True)
    timeout_s = options.timeout_s or bench.timeout_s or DEFAULT_TIMEOUT_S
    ended = options.processes.run(
        _command(build, options),
        folder=options.folder or options.work,
        environment=_environment(bench, options),
        log=options.work / RUN_LOG,
        timeout_s=timeout_s,
    )
    return _records(bench, options, ended, timeout_s)


def _command(build: Build, options: RunOptions) -> list[str]:
    # Verilator takes seeds 1 .. 2^31 - 1; rand+reset+2 fills storage with random values.
    seed = options.seed % 0x7FFF_FFFF or 1
    command = [str(build.program), "+verilator+rand+reset+2", f"+verilator+seed+{seed}"]
    if options.has_waves and build.has_waves:
        command += ["--trace", "--trace-file", str(options.work / WAVES)]
    if build.has_coverage:
        command.append(f"+verilator+coverage+file+{options.work / COVERAGE}")
    return [*command, *options.plusargs]


def _environment(bench: BenchSpec, options: RunOptions) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in verilator_environment().items()
        if not name.startswith(("COCOTB_", "GPI_", "PYGPI_"))
    }
    environment = inherited | _cocotb_environment(bench, options)
    paths = [*map(str, bench.python_paths), *(path for path in sys.path if path)]
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return environment | dict(bench.environment)


def _cocotb_environment(bench: BenchSpec, options: RunOptions) -> dict[str, str]:
    from cocotb_tools.config import pygpi_entry_point
    from find_libpython import find_libpython

    libpython = find_libpython()
    if libpython is None:
        raise MissingToolError("libpython: not found; `fw-tools doctor` tells how to bring it")
    environment = {
        "GPI_USERS": f"{libpython};{pygpi_entry_point()}",
        "PYGPI_PYTHON_BIN": sys.executable,
        "TOPLEVEL_LANG": "verilog",
        "COCOTB_TOPLEVEL": bench.top,
        "COCOTB_TEST_MODULES": ",".join(bench.test_modules),
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "COCOTB_RANDOM_SEED": str(options.seed),
        "COCOTB_RESULTS_FILE": str(options.work / RESULTS),
        "COCOTB_ANSI_OUTPUT": "0",
    }
    if options.pattern:
        environment["COCOTB_TEST_FILTER"] = options.pattern
    return environment


def _records(
    bench: BenchSpec, options: RunOptions, ended: Ended, timeout_s: float
) -> tuple[TestRecord, ...]:
    log = (options.work / RUN_LOG).read_text(errors="replace")
    source = results.Source(bench=bench.name, seed=options.seed, log=options.log_name)
    if ended.is_timed_out:
        reason = f"killed after {timeout_s:g} s (time-out)"
        return results.unfinished(source, log, reason, ended.seconds)
    found = results.read(source, options.work / RESULTS)
    if found is not None and not options.pattern:
        found += results.empty_modules(source, log)
    if found is None:
        return results.unfinished(source, log, _end_reason(ended, log), ended.seconds)
    if not found and not options.pattern:
        return (results.error(source, "no test ran; is there a @cocotb.test()?", ended.seconds),)
    if not ended.exit_code:
        return found
    reason = _end_reason(ended, log)
    if all(record.status is not Status.FAILED for record in found):
        return (*found, results.error(source, reason, ended.seconds))
    return tuple(_with_cause(record, reason) for record in found)


def _with_cause(record: TestRecord, reason: str) -> TestRecord:
    """Put the assertion of the design that ended the simulation in place of cocotb's guess."""
    return replace(record, message=reason) if "SimFailure" in record.message else record


def _end_reason(ended: Ended, log: str) -> str:
    assertion = re.search(r"^\[\d+\] %(?:Error|Fatal).*|^%Error.*", log, re.MULTILINE)
    if assertion:
        return assertion.group().strip()
    if ended.exit_code < 0:
        return f"the simulation was ended by signal {-ended.exit_code}"
    return f"the simulation ended with status {ended.exit_code}"
