# SPDX-License-Identifier: Apache-2.0
"""The user's cache folder: where it is, locks between processes, and what is removed when it grows.

An entry is a file or folder that appears by renaming, so nobody sees half of one. Using an entry
touches it; `trim` removes those unused for longest.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

FOLDER_VARIABLE = "FW_TOOLS_CACHE"
LIMIT_VARIABLE = "FW_TOOLS_CACHE_MB"
DEFAULT_LIMIT_MB = 2048  # A precompiled header takes 94 MB, a set of run-time objects 3 MB.
ABANDONED_S = 3600.0  # A draft or lock file this old was left by a process that was killed.


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the cache that can be removed by itself."""

    path: Path
    size: int  # bytes
    used_at: float  # seconds since 1970, last use


def cache_folder() -> Path:
    """Return $FW_TOOLS_CACHE, else `fw-tools` in $XDG_CACHE_HOME or ~/.cache."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "fw-tools"


def limit_bytes() -> int:
    """Return the size to which the cache is trimmed: $FW_TOOLS_CACHE_MB or 2048 MB."""
    text = os.environ.get(LIMIT_VARIABLE, "")
    return (int(text) if text.isdecimal() else DEFAULT_LIMIT_MB) * 1_000_000


@contextmanager
def locked(path: Path, on_wait: Callable[[float], None] = lambda _: None) -> Iterator[None]:
    """Hold the advisory lock file `path`; a second process waits until the first is done.

    `on_wait` is called before it waits, with the seconds for which the other has held it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:  # Leaves the time at which the other got it.
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait(max(time.time() - os.fstat(stream.fileno()).st_mtime, 0.0))
            fcntl.flock(stream, fcntl.LOCK_EX)
        os.utime(stream.fileno())
        yield


def mark_used(path: Path) -> None:
    """Note that an entry was used now; one that another process has just removed is left so."""
    with suppress(OSError):
        os.utime(path)


def trim(folder: Path, limit: int) -> int:
    """Remove the entries unused for longest until `folder` holds at most `limit` bytes.

    Returns the number of entries removed. Safe beside other processes: one that loses an entry
    makes it again.
    """
    entries = sorted(_entries(folder), key=lambda entry: entry.used_at)
    excess = sum(entry.size for entry in entries) - limit
    removed = 0
    for entry in entries:
        if excess <= 0:
            break
        _remove(entry.path)
        excess -= entry.size
        removed += 1
    return removed


def _entries(folder: Path) -> list[Entry]:
    found = []
    for kind in ("objects", "builds"):
        for path in (folder / kind).glob("*"):
            with suppress(OSError):
                used_at = path.stat().st_mtime
                if path.suffix == ".lock":
                    _forget_if_abandoned(path, used_at)
                else:
                    found.append(Entry(path, _size(path), used_at))
    return found


def _forget_if_abandoned(path: Path, used_at: float) -> None:
    if time.time() - used_at > ABANDONED_S:
        path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(_size(child) for child in path.iterdir())
    return path.stat().st_size


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
