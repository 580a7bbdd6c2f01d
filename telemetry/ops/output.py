# SPDX-License-Identifier: Apache-2.0
"""Output files of one decode: one per APID where there may be more than one."""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from telemetry.errors import InputError, UsageError
from telemetry.ops.arrow import require_pyarrow
from telemetry.ops.options import DEFAULTS, Options
from telemetry.ops.parquet import ParquetWriter
from telemetry.ops.rows import CsvWriter, JsonLinesWriter, LinesWriter, RowWriter
from telemetry.ops.table import Table

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

WRITERS: Mapping[str, Callable[[Path, str], RowWriter]] = {
    ".csv": CsvWriter,
    ".jsonl": JsonLinesWriter,
    ".parquet": ParquetWriter,
}


class Sink(Protocol):
    """Where packets go."""

    def take(self, table: Table) -> None:
        """Take the next packets of an APID."""


@runtime_checkable
class Timed(Protocol):
    """A sink that wants the columns of time whatever the options say."""

    is_timed: ClassVar[bool]


class Output:
    """Rows to `path`, or to `name.<apid>.suffix` beside it when there is more than one APID.

    Nothing has its name before `commit`; leaving the `with` block without one removes everything.
    `is_split` says that a file per APID is wanted even if the input holds one APID only, so that
    names do not depend on what happens to be in a dump. `inputs` are files not to be overwritten.
    """

    def __init__(
        self,
        path: Path,
        *,
        is_split: bool = False,
        inputs: tuple[Path, ...] = (),
        options: Options = DEFAULTS,
    ) -> None:
        _check_target(path)
        self._path = path
        self._is_split = is_split
        self._inputs = inputs
        self._options = options
        self._pool: ProcessPoolExecutor | None = None
        self._writers: dict[int, RowWriter] = {}
        self._open = ExitStack()
        self._refuse_inputs(path)

    def take(self, table: Table) -> None:
        """Take the next packets of an APID; `DiskFullError` if not all of them went to the disk."""
        writer = self._writer(table.apid)
        shape = table.whole if writer.has_lists else table.flat
        writer.write_columns(shape(self._options))

    def finish(self) -> None:
        """Write what is waiting; `DiskFullError` if not all of it went to the disk."""
        for writer in self._writers.values():
            writer.finish()

    def use_pool(self, pool: "ProcessPoolExecutor | None") -> None:
        """Let other processes make the text of packets; they must live until `finish`."""
        self._pool = pool

    @property
    def rows(self) -> int:
        """Rows by now, in all files."""
        return sum(writer.rows for writer in self._writers.values())

    def _writer(self, apid: int) -> RowWriter:
        writer = self._writers.get(apid)
        if writer is None:
            writer = WRITERS[self._path.suffix.lower()](self._path.parent, self._path.name)
            if isinstance(writer, LinesWriter):
                writer.pool = self._pool
                writer.most_waiting = 2 * self._options.processes
            self._open.callback(writer.discard)
            self._writers[apid] = writer
        return writer

    def commit(self) -> tuple[Path, ...]:
        """Finish and name all files; return their paths in order of APID."""
        is_split = self._is_split or len(self._writers) > 1
        apids = sorted(apid for apid, writer in self._writers.items() if writer.rows)
        paths = {apid: self._name(apid, is_split) for apid in apids}
        for path in paths.values():
            self._refuse_inputs(path)
        for apid, path in paths.items():
            self._writers[apid].commit(path)
        return tuple(paths.values())

    def _name(self, apid: int, is_split: bool) -> Path:
        if not is_split:
            return self._path
        return self._path.with_name(f"{self._path.stem}.{apid}{self._path.suffix}")

    def _refuse_inputs(self, path: Path) -> None:
        for source in self._inputs:
            if path.exists() and source.exists() and path.samefile(source):
                raise UsageError(f"{path} is the input {source}; give the output another name")

    def __enter__(self) -> "Output":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()


def _check_target(path: Path) -> None:
    if path.suffix.lower() not in WRITERS:
        known = ", ".join(WRITERS)
        raise UsageError(f"-o {path}: the suffix says the format; it must be one of {known}")
    if not path.parent.is_dir():
        raise UsageError(f"-o {path}: there is no folder {path.parent}; create it first")
    if path.is_dir():
        raise UsageError(f"-o {path}: this is a folder; expected the name of a file")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"-o {path}: no permission to write into {path.parent}")
    if path.suffix.lower() == ".parquet":
        require_pyarrow()
