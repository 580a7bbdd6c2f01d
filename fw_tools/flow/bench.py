# SPDX-License-Identifier: Apache-2.0
"""A user's own benches on a user's own RTL, with no payload description."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fw_tools.errors import InputError, UsageError
from fw_tools.flow.run import prepare_output, run_to_report
from fw_tools.report.records import RunReport
from fw_tools.sim.build import require_sources
from fw_tools.sim.scheduler import ScheduleOptions, Task, require_pattern
from fw_tools.spec.bench import draft_benches, load_benches
from fw_tools.spec.findings import Findings
from fw_tools.spec.records import BenchSpec
from fw_tools.spec.toml_source import TomlSource
from fw_tools.toolchain import require_simulation

_COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignRequest:
    """A design and its bench as a command line gives them; paths relative to the current folder."""

    tops: tuple[str, ...]
    modules: tuple[str, ...]  # Dotted names, or paths of .py files.
    sources: tuple[Path, ...] = ()
    filelists: tuple[str, ...] = ()
    include_dirs: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()  # NAME or NAME=VALUE
    parameters: tuple[str, ...] = ()  # NAME=VALUE[,VALUE...]
    verilator_args: tuple[str, ...] = ()
    waivers: tuple[str, ...] = ()
    python_paths: tuple[str, ...] = ()
    lint: bool = False


def benches_of_file(path: Path) -> tuple[BenchSpec, ...]:
    """Return the benches of a bench.toml; raises `InputError` with every mistake in it."""
    return load_benches(path)


def benches_of_request(request: DesignRequest) -> tuple[BenchSpec, ...]:
    """Return the matrix that a command line asks for, checked as a [[bench]] table is.

    Raises:
        InputError: a file does not exist or a value cannot be used.
        UsageError: an option is not in its form.
    """
    _require_modules(request.modules)
    source = TomlSource(shown=_COMMAND_LINE, values={"bench": [_table(request)]}, lines={})
    findings = Findings(source)
    benches = draft_benches(source, Path.cwd(), findings)
    try:
        findings.raise_if_any()
    except InputError as error:  # A command line has no line numbers.
        raise InputError(str(error).replace(f"{_COMMAND_LINE}:1: ", "")) from None
    return benches


def _require_modules(modules: Sequence[str]) -> None:
    absent = [name for name in modules if name.endswith(".py") and not Path(name).is_file()]
    if absent:
        raise InputError("\n".join(f"-m {name}: no such file" for name in absent))


def _table(request: DesignRequest) -> dict[str, Any]:
    files = [Path(module) for module in request.modules if module.endswith(".py")]
    modules = [Path(name).stem if name.endswith(".py") else name for name in request.modules]
    folders = [*request.python_paths, *(str(file.parent) for file in files), "."]
    return {
        "name": request.tops[0] if len(request.tops) == 1 else "bench",
        "top": list(request.tops),
        "modules": modules,
        "sources": [str(path) for path in request.sources],
        "filelists": list(request.filelists),
        "include_dirs": list(request.include_dirs),
        "defines": dict(_macro(text) for text in request.defines),
        "parameters": dict(_axis(text) for text in request.parameters),
        "verilator_args": list(request.verilator_args),
        "waivers": list(request.waivers),
        "python_paths": list(dict.fromkeys(folders)),
        "lint": request.lint,
    }


def _macro(text: str) -> tuple[str, str | bool]:
    name, equals, value = text.partition("=")
    return name, value if equals else True


def _axis(text: str) -> tuple[str, list[str]]:
    name, equals, values = text.partition("=")
    if not name or not equals or not values:
        raise UsageError(f"-G {text!r}: expected NAME=VALUE or NAME=VALUE,VALUE, as in -G Depth=4")
    return name, values.split(",")


def bench(
    benches: Sequence[BenchSpec], folder: Path, options: ScheduleOptions, command: str
) -> RunReport:
    """Build and run benches in `folder`, where relative names in RTL and benches start.

    `command` is what repeats the run.

    Raises:
        InputError: a source file or the output folder cannot be used.
        MissingToolError: a tool that builds benches is absent.
        VerificationError: nothing ran.
    """
    require_pattern(options.pattern)
    require_simulation()
    for each in benches:
        require_sources(each)
    prepare_output(options.output)
    options = replace(options, output=options.output.absolute())
    tasks = [Task(each, folder) for each in benches]
    return run_to_report(_title(benches), tasks, options, command)


def _title(benches: Sequence[BenchSpec]) -> str:
    tops = dict.fromkeys(each.top for each in benches)
    return f"Benches of {', '.join(tops)}"
