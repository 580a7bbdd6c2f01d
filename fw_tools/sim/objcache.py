# SPDX-License-Identifier: Apache-2.0
"""The compile cache as a build sees it: the wrapper `objcache.sh`, its settings, its hits."""

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from fw_tools.sim.cache import cache_folder
from fw_tools.toolchain import verilator_environment

COMPILER = "g++"


@dataclass(frozen=True, slots=True)
class ObjectCounts:
    """Objects of one build: taken from the cache, and compiled."""

    hits: int
    misses: int


def wrapper() -> Path:
    """Return the script that make puts before each compilation."""
    return Path(str(files("fw_tools.sim") / "objcache.sh"))


def wrapper_environment(log: Path, prefix: str, main: Path, *, precompiles: bool) -> dict[str, str]:
    """Return what the wrapper reads; `log` gets one line per object.

    `prefix` begins the names of generated files, `main` is the folder of the main program.
    """
    return {
        "FW_OBJCACHE_FOLDER": str(cache_folder() / "objects"),
        "FW_OBJCACHE_IDENTITY": tool_identity(),
        "FW_OBJCACHE_RUNTIME": str(verilator_root()),
        "FW_OBJCACHE_PREFIX": prefix,
        "FW_OBJCACHE_MAIN": str(main),
        "FW_OBJCACHE_HEADER": _header_to_precompile() if precompiles else "",
        "FW_OBJCACHE_LOG": str(log),
    }


def count_objects(log: Path) -> ObjectCounts:
    """Read the wrapper's log."""
    lines = log.read_text().splitlines() if log.is_file() else []
    hits = sum(line.startswith("hit ") for line in lines)
    return ObjectCounts(hits, len(lines) - hits)


def harness() -> Path:
    """Return cocotb's C++ main program for Verilator."""
    from cocotb_tools.config import share_dir

    return Path(share_dir) / "lib" / "verilator" / "verilator.cpp"


@cache
def verilator_root() -> Path:
    """Return the folder that holds Verilator's `include`."""
    environment = verilator_environment()
    if root := environment.get("VERILATOR_ROOT"):
        return Path(root)
    done = _output(["verilator", "--getenv", "VERILATOR_ROOT"], environment)
    return Path(done.strip())


@cache
def tool_identity() -> str:
    """Return a digest of everything that turns sources into a program, besides the command line.

    That is the compiler's version and target, Verilator's program and run-time sources, and
    cocotb's main program.
    """
    digest = hashlib.sha256()
    for option in ("--version", "-dumpmachine", "-dumpfullversion"):
        digest.update(_output([COMPILER, option]).encode())
    include = verilator_root() / "include"
    sources = sorted(path for path in include.rglob("*") if path.suffix in (".h", ".cpp", ".mk"))
    program = shutil.which("verilator_bin", path=verilator_environment()["PATH"])
    for path in [*sources, harness(), *([Path(program)] if program else [])]:
        digest.update(f"{path.name}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def files_identity(folder: Path) -> str:
    """Return a digest of the C++ sources in `folder` and below."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".h", ".cpp")):
        digest.update(f"{path.relative_to(folder)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def _header_to_precompile() -> str:
    # Clang refuses a precompiled header more strictly than GCC and is not worth the risk.
    is_gcc = "Free Software Foundation" in _output([COMPILER, "--version"])
    return str(files("fw_tools.sim") / "runtime_headers.h") if is_gcc else ""


def _output(command: list[str], environment: Mapping[str, str] | None = None) -> str:
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    ).stdout
