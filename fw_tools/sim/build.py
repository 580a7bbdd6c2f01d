# SPDX-License-Identifier: Apache-2.0
"""From SystemVerilog to a simulation program; the same inputs are built once per machine."""

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fw_tools import toolchain
from fw_tools.errors import InputError, VerificationError
from fw_tools.sim import objcache, verilator
from fw_tools.sim.cache import cache_folder, limit_bytes, locked, trim
from fw_tools.sim.objcache import ObjectCounts
from fw_tools.sim.process import Processes
from fw_tools.sim.programs import StoredPrograms, is_cacheable, read_files, request_digest
from fw_tools.sim.verilator import Host, Message, cocotb_host
from fw_tools.spec.records import BenchSpec

BUILD_LOG = "build.log"
LINT_LOG = "lint.log"


class BuildError(VerificationError):
    """The sources of a bench do not build; the message begins with the tool's first error."""

    def __init__(self, message: str, log: Path) -> None:
        super().__init__(message)
        self.log = log


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """How a bench is built."""

    work: Path  # Takes the program and the log; made when absent.
    has_waves: bool = False
    has_coverage: bool = False
    jobs: int = 2  # Compilers at a time.
    host: Host = field(default_factory=cocotb_host)
    folder: Path = field(default_factory=Path.cwd)  # Where Verilator runs: relative `include`s.
    processes: Processes = field(default_factory=Processes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A simulation program that is ready to run."""

    program: Path
    log: Path
    seconds: float  # Wall clock, near 0 when the cache held it.
    is_cached: bool  # The whole program came out of the cache.
    objects: ObjectCounts  # Of this build; none when the whole program was cached.
    has_waves: bool
    has_coverage: bool


def build(
    bench: BenchSpec,
    options: BuildOptions,
    on_make: Callable[[], None] = lambda: None,
    on_wait: Callable[[float], None] = lambda _: None,
) -> Build:
    """Build the simulation of `bench`, or take it from the cache when nothing it reads has changed.

    `on_make` is called before what takes long: when the cache has not got it. `on_wait` is called
    where another process builds the same, with the seconds for which it has.

    Raises:
        BuildError: the sources do not build.
        InputError: a source file or include folder does not exist.
        MissingToolError: Verilator, compiler, make, perl or libpython is absent.
    """
    toolchain.require_simulation()
    require_sources(bench)
    started = time.monotonic()
    log = _fresh(options.work / BUILD_LOG)
    stored = _stored_programs(bench, options)
    with locked(stored.lock, on_wait):
        is_cached = is_cacheable(bench) and stored.fetch(options.work)
        if not is_cached:
            on_make()
        objects = ObjectCounts(0, 0) if is_cached else _make(bench, options, stored)
    return Build(
        program=options.work / verilator.PROGRAM,
        log=log,
        seconds=time.monotonic() - started,
        is_cached=is_cached,
        objects=objects,
        has_waves=options.has_waves,
        has_coverage=options.has_coverage,
    )


def lint(bench: BenchSpec, options: BuildOptions) -> tuple[Message, ...]:
    """Return everything that Verilator -Wall says about `bench` beyond its waivers.

    Raises what `build` raises, but no `BuildError`: errors are among the messages.
    """
    toolchain.require_simulation()
    require_sources(bench)
    log = _fresh(options.work / LINT_LOG)
    command = verilator.lint_command(bench)
    ended = options.processes.run(
        command, folder=options.folder, environment=toolchain.verilator_environment(), log=log
    )
    text = log.read_text(errors="replace")
    messages = verilator.parse_messages(text)
    if ended.exit_code and not messages:
        raise BuildError(f"bench {bench.name}: Verilator ended with {ended.exit_code}", log)
    return messages


def require_sources(bench: BenchSpec) -> None:
    """Raise `InputError` naming every source, waiver and include folder that does not exist."""
    absent = [
        f"{path}: no such file" for path in (*bench.sources, *bench.waivers) if not path.is_file()
    ]
    absent += [f"{path}: no such folder" for path in bench.include_dirs if not path.is_dir()]
    if absent:
        raise InputError("\n".join(f"bench {bench.name}: {line}" for line in absent))


def _stored_programs(bench: BenchSpec, options: BuildOptions) -> StoredPrograms:
    command = _verilate_command(bench, options, Path("-"))
    main = objcache.files_identity(options.host.main)
    parts = (objcache.tool_identity(), main, str(options.folder), *command)
    return StoredPrograms(cache_folder() / "builds", request_digest(bench, parts))


def _verilate_command(bench: BenchSpec, options: BuildOptions, verilated: Path) -> list[str]:
    return verilator.verilate_command(
        bench,
        verilated,
        options.host,
        has_waves=options.has_waves,
        has_coverage=options.has_coverage,
    )


def _make(bench: BenchSpec, options: BuildOptions, stored: StoredPrograms) -> ObjectCounts:
    # Not below `work`, whose path may hold a space: make refuses such a folder.
    with tempfile.TemporaryDirectory(prefix="fw-tools-") as name:
        verilated = Path(name)
        objects_log = verilated / "objcache.log"
        host = options.host
        environment = toolchain.verilator_environment() | objcache.wrapper_environment(
            objects_log, host.prefix, host.main, precompiles=host.precompiles
        )
        command = _verilate_command(bench, options, verilated)
        _step(bench, options, command, environment)
        if host.prepare:
            host.prepare(verilated, host.prefix)
        _step(bench, options, verilator.make_command(verilated, host, options.jobs), environment)
        shutil.copy2(verilated / verilator.PROGRAM, options.work)
        if is_cacheable(bench):
            files = read_files(verilated, options.folder)
            stored.keep([options.work / verilator.PROGRAM, options.work / BUILD_LOG], files)
        objects = objcache.count_objects(objects_log)
    trim(cache_folder(), limit_bytes())
    return objects


def _step(
    bench: BenchSpec, options: BuildOptions, command: list[str], environment: Mapping[str, str]
) -> None:
    log = options.work / BUILD_LOG
    ended = options.processes.run(command, folder=options.folder, environment=environment, log=log)
    if ended.exit_code:
        raise BuildError(_reason(bench, log, command[0]), log)


def _reason(bench: BenchSpec, log: Path, tool: str) -> str:
    text = log.read_text(errors="replace")
    errors = [str(message) for message in verilator.parse_messages(text) if message.is_error]
    errors += [line for line in text.splitlines() if ": error: " in line or "fatal error" in line]
    lines = errors[:5] or [f"{tool} failed; the last lines of its log:", *text.splitlines()[-5:]]
    return "\n".join([f"bench {bench.name} does not build: {lines[0]}", *lines[1:]])


def _fresh(log: Path) -> Path:
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    return log
