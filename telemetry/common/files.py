# SPDX-License-Identifier: Apache-2.0
"""Writing files so that nobody ever sees half of one."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from telemetry.common.errors import DISK_FULL, ReportedError


class WriteError(ReportedError):
    """A file or folder cannot be written; `reason` is in the words of the system."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: cannot be written: {reason}")
        self.path, self.reason = path, reason

    def __reduce__(self) -> tuple[type["WriteError"], tuple[Path, str]]:
        """Come whole from a process that wrote to the one that asked it to."""
        return WriteError, (self.path, self.reason)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise `WriteError` about `path` for an `OSError` of the block."""
    try:
        yield
    except OSError as error:
        raise WriteError(path, error.strerror or str(error)) from error


def make_folder(folder: Path) -> None:
    """Make `folder` and its parents where they are missing, or raise `WriteError`."""
    with writing(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error


class PendingFile:
    """A temporary file in `folder` that gets its name only with `commit`.

    Open it as `with PendingFile(...) as pending`: without a commit the file vanishes at the end.
    `stream` is what to write to. `WriteError` is raised when the file cannot be made or named.
    """

    def __init__(self, folder: Path, name: str, mode: str = "w", **open_options: Any) -> None:
        if "b" not in mode:
            open_options.setdefault("encoding", "utf-8")
        with writing(folder / name):
            descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        self.path = Path(temporary)  # Where the octets are until the commit.
        self.stream: IO[Any] = os.fdopen(descriptor, mode, **open_options)

    def commit(self, path: Path) -> None:
        """Close the file and give it its name, in the place of whatever had that name."""
        with writing(path):
            self.stream.close()
            self.path.chmod(0o666 & ~_umask())
            self.path.replace(path)

    def discard(self) -> None:
        """Close and remove the file; after a commit, do nothing."""
        with suppress(OSError):  # What cannot be flushed is not wanted either.
            self.stream.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> "PendingFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()


@contextmanager
def write_atomically(path: Path, mode: str = "w", **open_options: Any) -> Iterator[IO[Any]]:
    """Open a temporary neighbour of `path`; rename it to `path` only when the block ends well.

    Parent folders are created. On an exception the temporary file is removed, `path` as it was.
    `WriteError` is raised when the file cannot be written; other errors of the block stay as they
    are.
    """
    make_folder(path.parent)
    with PendingFile(path.parent, path.name, mode, **open_options) as pending:
        try:
            yield pending.stream
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise  # Of something else that the block does.
            raise WriteError(path, error.strerror or str(error)) from error
        pending.commit(path)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` (UTF-8, newlines as given) in one step."""
    with write_atomically(path, newline="") as stream:
        stream.write(text)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
