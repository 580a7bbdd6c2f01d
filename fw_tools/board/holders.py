# SPDX-License-Identifier: Apache-2.0
"""Which processes have a file open, as far as Linux lets us look (proc(5), /proc/PID/fd)."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def openings(path: Path) -> Iterator[int]:
    """Yield the number of a process for each time it has `path` (resolved) open.

    Processes and files that go meanwhile, and those of other users, are passed over.
    """
    for process in _entries(Path("/proc")):
        if process.name.isdecimal():
            for link in _entries(process / "fd"):
                if _leads_to(link, path):
                    yield int(process.name)


def _entries(folder: Path) -> list[Path]:
    with suppress(OSError):
        return list(folder.iterdir())
    return []


def _leads_to(link: Path, path: Path) -> bool:
    try:
        return link.readlink() == path
    except OSError:  # Closed meanwhile.
        return False
