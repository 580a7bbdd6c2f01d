# SPDX-License-Identifier: Apache-2.0
"""Writing files so that nobody ever sees half of one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def write_atomically(path: Path, mode: str = "w", **open_options: Any) -> Iterator[IO[Any]]:
    """Open a temporary neighbour of `path`; rename it to `path` only when the block ends well.

    Parent folders are created. On an exception the temporary file goes and `path` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if "b" not in mode:
        open_options.setdefault("encoding", "utf-8")
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, mode, **open_options) as stream:
            yield stream
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` (UTF-8, newlines as given) in one step."""
    with write_atomically(path, newline="") as stream:
        stream.write(text)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
