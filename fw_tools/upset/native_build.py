# SPDX-License-Identifier: Apache-2.0
"""From the C of a machine to a library, compiled in parallel and kept in the cache."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

from fw_tools.errors import MissingToolError
from fw_tools.sim.cache import cache_folder, locked, mark_used
from fw_tools.upset.emit import Sources

_NATIVE = files("fw_tools.upset") / "native"
_OURS = (
    *("engine.h", "lanes.h", "gates.h", "state.h"),
    *("accesses.c", "clock.c", "domains.c", "faults.c", "golden.c", "machine.c", "memories.c"),
    *("outcome.c", "patterns.c", "retire.c", "run.c", "stuck.c"),
)
_WIDTHS = {512: ("avx512f", ("-mavx512f",)), 256: ("avx2", ("-mavx2",)), 64: ("", ())}


def widest_lanes() -> int:
    """Return how many lanes a word of this processor has: 512, 256 or 64."""
    flags = set(Path("/proc/cpuinfo").read_text().split())
    return next(lanes for lanes, (flag, _) in _WIDTHS.items() if not flag or flag in flags)


def compile_machine(sources: Sources, lanes: int, *, has_transients: bool) -> Path:
    """Return the library of a machine with `lanes` lanes: 64, 256 or 512.

    Raises `MissingToolError` without a C compiler.
    """
    compiler = shutil.which("gcc")
    if compiler is None:
        raise MissingToolError("no C compiler: apt install gcc")
    texts = _texts(sources)
    flags = _flags(lanes, has_transients=has_transients)
    folder = cache_folder() / "builds" / f"{_digest(texts, compiler, flags)}.upset"
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            _compile(texts, compiler, flags, folder, has_transients=has_transients)
    mark_used(folder)
    return folder / "machine.so"


def _texts(sources: Sources) -> dict[str, str]:
    ours = {name: (_NATIVE / name).read_text() for name in _OURS}
    return ours | sources.gates | {"tables.c": sources.tables, "calls.c": sources.calls}


def _flags(lanes: int, *, has_transients: bool) -> list[str]:
    flags = ["-std=gnu11", "-fPIC", "-w", f"-DLANES={lanes}", *_WIDTHS[lanes][1]]
    return [*flags, "-DTRANSIENTS"] if has_transients else flags


def _digest(texts: dict[str, str], compiler: str, flags: list[str]) -> str:
    version = subprocess.run([compiler, "-dumpfullversion"], capture_output=True, check=True).stdout
    digest = hashlib.sha256(version + " ".join(flags).encode())
    for name, text in sorted(texts.items()):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()[:32]


def _compile(
    texts: dict[str, str], compiler: str, flags: list[str], folder: Path, *, has_transients: bool
) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="upset-") as name:
        draft = Path(name)
        for file, text in texts.items():
            (draft / file).write_text(text)
        jobs = list(_jobs(texts, compiler, flags, has_transients=has_transients))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda job: _run(job, draft), jobs))
        objects = [job[-1] for job in jobs]
        _run([compiler, "-shared", *objects, "-o", "machine.so"], draft)
        finished = draft / "finished"
        finished.mkdir()
        (draft / "machine.so").rename(finished / "machine.so")
        finished.rename(folder)


def _jobs(
    texts: dict[str, str], compiler: str, flags: list[str], *, has_transients: bool
) -> Iterator[list[str]]:
    for name in texts:
        if not name.endswith(".c"):
            continue
        level = "-O1" if name.startswith("gates_") else "-O2"
        stem = name.removesuffix(".c")
        yield [compiler, "-c", level, *flags, name, "-o", f"{stem}.o"]
        if has_transients and name.startswith("gates_"):
            yield [compiler, "-c", level, *flags, "-DFLIPPED", name, "-o", f"{stem}_flipped.o"]


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stderr[:2000]}")
