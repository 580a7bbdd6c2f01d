# SPDX-License-Identifier: Apache-2.0
"""Command lines of Verilator and of the make that follows it, and what Verilator says."""

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from fw_tools.sim.members import write_members
from fw_tools.sim.objcache import COMPILER, harness, wrapper
from fw_tools.spec.records import BenchSpec

PROGRAM = "sim"

# Storage starts random (the run gives the seed) and X is never a constant that hides a bug.
_RANDOM_START = ("--x-initial", "unique", "--x-assign", "unique")
# GCC 12 compiles the run-time headers of --timing only as C++20 with coroutines.
_TIMING = ("--timing", "-CFLAGS", "-std=c++20 -fcoroutines")
# Measured on benches of ours: -O1 compiles within a fifth of -O0 and runs 1.7 to 7 times faster;
# -O2 compiles up to twice as long and gains at most 1.6 times. One level for all, as a precompiled
# header serves only the level that it was made with.
_OPTIMISATION = "-O1"
# Instead of a Python script of Verilator's that writes the same lines and takes 0.1 s to start.
_INCLUDER = """sh -c 'shift; printf "#include \\"%s\\"\\n" "$$@"' includer"""

_MESSAGE = re.compile(
    r"^%(?P<kind>Error|Warning)(?:-(?P<code>[A-Z0-9_]+))?: "
    r"(?:(?P<file>[^:\n]+):(?P<line>\d+):(?:\d+:)? )?(?P<text>.*)$"
)
_SUMMARY = re.compile(r"^(Exiting due to|Command Failed|Internal Error)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The C++ that a design is linked with, and how Verilator and compiler are to serve it."""

    prefix: str  # Of what Verilator writes; the main program includes PREFIX.h.
    main: Path  # Folder of the main program.
    sources: tuple[Path, ...]  # Of the main program, in `main` and below.
    arguments: tuple[str, ...]  # For Verilator.
    optimisation: str  # Of the model.
    # Before the compiler, with the folder of what Verilator wrote, and the prefix.
    prepare: Callable[[Path, str], None] | None = None
    precompiles: bool = False  # Whether Verilator's headers are worth 94 MB in the cache.


def cocotb_host() -> Host:
    """Return cocotb's main program, which runs benches in Python."""
    from cocotb_tools.config import libs_dir

    return Host(
        prefix="Vtop",
        main=harness().parent,
        sources=(harness(),),
        arguments=(
            *("--vpi", "--public-flat-rw", "--assert", *_RANDOM_START, *_TIMING),
            *("-LDFLAGS", f"-Wl,-rpath,{libs_dir} -L{libs_dir} -lcocotbvpi_verilator"),
        ),
        optimisation=_OPTIMISATION,
        precompiles=True,
    )


# Evaluated by make. See hdl/twin/design.h. A reset is an input rst_n or the register is_reset.
_COUNT_TRIGGERS = (
    "-DTWIN_TRIGGERS=$(shell grep '__Vtrigprevexpr_.*;' Vtwin___024root.h"
    " | grep -vcE 'rst_n|is_reset')"
)


def twin_host() -> Host:
    """Return the main program of a payload's twin: no Python in its clock loop, built for speed.

    Equal registers stay apart, so that one replica can be upset.
    """
    main = Path(str(files("hdl") / "twin"))
    return Host(
        prefix="Vtwin",
        main=main,
        sources=tuple(sorted(main.rglob("*.cpp"))),
        arguments=(
            *("-O3", "-fno-expand", "--x-assign", "fast", "--x-initial", "fast"),
            *("--flatten", "--no-timing", "--no-assert", "--public-params", "-fno-dedup"),
            *("-CFLAGS", f"-std=c++20 -I{main} {_COUNT_TRIGGERS}"),
        ),
        optimisation="-O3",
        prepare=write_members,
    )


@dataclass(frozen=True, slots=True)
class Message:
    """One error or warning of Verilator."""

    is_error: bool
    code: str  # As in "WIDTHTRUNC"; "" when the message carries none.
    file: str  # "" when the message names no place.
    line: int
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        code = f" [{self.code}]" if self.code else ""
        return f"{place}{self.text}{code}"


def verilate_command(
    bench: BenchSpec, folder: Path, host: Host, *, has_waves: bool, has_coverage: bool
) -> list[str]:
    """Return the command that turns the sources of `bench` into C++ below `folder`.

    Warnings are shown and do not end the build; `lint_command` is where they count.
    """
    return [
        *("verilator", "--cc", "--exe", "--Mdir", str(folder), "--prefix", host.prefix),
        *("-o", PROGRAM, "-Wno-fatal", *host.arguments),
        *(["--trace"] if has_waves else []),
        *(["--coverage-line"] if has_coverage else []),
        *_design(bench),
        *map(str, host.sources),
        *map(str, bench.sources),
    ]


def lint_command(bench: BenchSpec) -> list[str]:
    """Return the command that shows every warning of `bench` and builds nothing."""
    options = ("verilator", "--lint-only", "-Wall", "-Wno-fatal", "--timing", "--assert")
    return [*options, *_design(bench), *map(str, bench.sources)]


def make_command(folder: Path, host: Host, jobs: int) -> list[str]:
    """Return the command that compiles what `verilate_command` wrote into `folder`."""
    variables = {
        "CXX": COMPILER,
        "LINK": COMPILER,
        "PYTHON3": sys.executable,
        "OBJCACHE": f"sh {wrapper()}",
        "OPT_FAST": host.optimisation,
        "OPT_SLOW": _OPTIMISATION,
        "OPT_GLOBAL": _OPTIMISATION,
        # For cocotb always, so that designs with and without delays share objects.
        "VM_TIMING": "1" if "--timing" in host.arguments else "0",
        "VERILATOR_INCLUDER": _INCLUDER,
        # For a large model, compiled file by file: plain, as `objcache.sh` precompiles another.
        "VK_PCH_I_FAST": f"-include {host.prefix}__pch.h",
        "VK_PCH_I_SLOW": f"-include {host.prefix}__pch.h",
    }
    settings = [f"{name}={value}" for name, value in variables.items()]
    return [
        "make",
        "-C",
        str(folder),
        "-f",
        f"{host.prefix}.mk",
        "-j",
        str(jobs),
        *settings,
        PROGRAM,
    ]


def parse_messages(log: str) -> tuple[Message, ...]:
    """Return the errors and warnings in Verilator's output, without its closing summary."""
    return tuple(_messages(log.splitlines()))


def _messages(lines: Iterable[str]) -> Iterable[Message]:
    for line in lines:
        match = _MESSAGE.match(line)
        if match and not _SUMMARY.match(match["text"]):
            yield Message(
                is_error=match["kind"] == "Error",
                code=match["code"] or "",
                file=match["file"] or "",
                line=int(match["line"] or 0),
                text=match["text"],
            )


def _design(bench: BenchSpec) -> list[str]:
    return [
        *("--top-module", bench.top),
        *(f"-I{folder}" for folder in bench.include_dirs),
        *(f"-D{name}={value}" if value else f"-D{name}" for name, value in bench.defines),
        *(f"-G{name}={value}" for name, value in bench.parameters),
        *bench.verilator_args,
        *map(str, bench.waivers),
    ]
