# SPDX-License-Identifier: Apache-2.0
"""Whole simulation programs in the cache, found by what was asked and what it was made of.

A request (command line, tools, names of the files around) leads to the list of files that Verilator
read the last time; their present contents lead to the program. So a changed `include` is seen
although nobody names it, and going back to an older text finds the older program.
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from fw_tools.sim.cache import mark_used
from fw_tools.spec.records import BenchSpec
from telemetry.common.files import write_text

# What else could be linked in; what such files include is unknown, so nothing is kept.
_NATIVE = re.compile(r"\.(c|cc|cpp|cxx|h|hpp|o|a|so|mk)$")
_FILE_LISTS = ("-f", "-F")
_READ_BY_VERILATOR = re.compile(r'^S .*"([^"]+)"$', re.MULTILINE)


def is_cacheable(bench: BenchSpec) -> bool:
    """Tell whether everything that makes the program of `bench` can be known beforehand."""
    words = [*bench.verilator_args, *map(str, bench.sources)]
    return not any(word in _FILE_LISTS or _NATIVE.search(word) for word in words)


def request_digest(bench: BenchSpec, parts: Iterable[str]) -> str:
    """Return the digest of a build request: `parts` (tools, folder, command) and nearby names.

    The names count because a new file beside the sources can take the place of one further away.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{part}\0".encode())
    for folder in sorted({*bench.include_dirs, *(source.parent for source in bench.sources)}):
        names = sorted(path.name for path in folder.iterdir() if path.suffix)
        digest.update(f"{folder}\0{names}\0".encode())
    return digest.hexdigest()[:40]


def read_files(verilated: Path, folder: Path) -> list[str]:
    """Return every file that Verilator read when it ran in `folder` and wrote into `verilated`."""
    text = next(verilated.glob("*__verFiles.dat")).read_text()
    return [str(folder / name) for name in _READ_BY_VERILATOR.findall(text)]


class StoredPrograms:
    """The programs kept for one request."""

    def __init__(self, folder: Path, request: str) -> None:
        self._inputs = folder / f"{request}.json"
        self._stem = folder / request
        self.lock = folder / f"{request}.lock"

    def fetch(self, work: Path) -> bool:
        """Copy the program and its log into `work`; tell whether there was one."""
        try:
            files = json.loads(self._inputs.read_text())
            entry = self._entry(files)
            shutil.copytree(entry, work, dirs_exist_ok=True)
        except (OSError, ValueError, shutil.Error):
            return False
        mark_used(self._inputs)
        mark_used(entry)
        return True

    def keep(self, program: Sequence[Path], files: list[str]) -> None:
        """Keep copies of the files of `program`, which was made of the files `files`."""
        entry = self._entry(files)
        draft = Path(tempfile.mkdtemp(prefix=f"{entry.name}.", dir=entry.parent))
        for path in program:
            shutil.copy2(path, draft / path.name)
        with suppress(OSError):  # Present already, when another process was as fast.
            draft.rename(entry)
        shutil.rmtree(draft, ignore_errors=True)
        write_text(self._inputs, json.dumps(files))

    def _entry(self, files: list[str]) -> Path:
        digest = hashlib.sha256()
        for name in files:
            digest.update(f"{name}\0".encode())
            digest.update(hashlib.sha256(Path(name).read_bytes()).digest())
        return self._stem.with_name(f"{self._stem.name}.{digest.hexdigest()[:24]}")
