# SPDX-License-Identifier: Apache-2.0
"""Writing files so that nobody ever sees half of one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


class PendingFile:
    """A temporary file in `folder` that gets its name only with `commit`.

    Open it as `with PendingFile(...) as pending`: without a commit the file vanishes at the end.
    `stream` is what to write to.
    """

    def __init__(self, folder: Path, name: str, mode: str = "w", **open_options: Any) -> None:
        if "b" not in mode:
            open_options.setdefault("encoding", "utf-8")
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        self.path = Path(temporary)  # Where the octets are until the commit.
        self.stream: IO[Any] = os.fdopen(descriptor, mode, **open_options)

    def commit(self, path: Path) -> None:
        """Close the file and give it its name, in the place of whatever had that name."""
        self.stream.close()
        self.path.chmod(0o666 & ~_umask())
        self.path.replace(path)

    def discard(self) -> None:
        """Close and remove the file; after a commit, do nothing."""
        try:
            self.stream.close()
        finally:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> "PendingFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()


@contextmanager
def write_atomically(path: Path, mode: str = "w", **open_options: Any) -> Iterator[IO[Any]]:
    """Open a temporary neighbour of `path`; rename it to `path` only when the block ends well.

    Parent folders are created. On an exception the temporary file is removed, `path` as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with PendingFile(path.parent, path.name, mode, **open_options) as pending:
        yield pending.stream
        pending.commit(path)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` (UTF-8, newlines as given) in one step."""
    with write_atomically(path, newline="") as stream:
        stream.write(text)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
