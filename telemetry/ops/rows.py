# SPDX-License-Identifier: Apache-2.0
"""Rows to CSV and JSON lines, one after the other."""

import csv
import io
import json
import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

import numpy as np

from telemetry.columns.column import Column
from telemetry.columns.flatten import Value, plain
from telemetry.common.errors import DISK_FULL
from telemetry.common.files import PendingFile
from telemetry.ops.cells import build_rows

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

Piece: TypeAlias = tuple[str, int]  # Text, and how many rows it is.

_ROWS_AT_ONCE = 256  # After so many, the file ends in a whole row.


class RowWriter(Protocol):
    """A file in the making."""

    rows: int
    has_lists: ClassVar[bool]  # Whether lists are columns too, and not each of their elements.

    def write_columns(self, columns: Sequence[Column]) -> None:
        """Add packets as columns, all of the same length."""

    def finish(self) -> None:
        """Write what is waiting; `DiskFullError` if not all of it could be written."""

    def commit(self, path: Path) -> None:
        """Finish the file and give it its name."""

    def discard(self) -> None:
        """Leave no trace, unless there was a commit."""


class DiskFullError(Exception):
    """No more fits; what was written before is whole, and `commit` keeps it."""

    def __init__(self, error: OSError, rows: int) -> None:
        super().__init__(f"{error.strerror or error}; the first {rows:,} rows are kept")


class LinesWriter:
    """A text file in the making that always ends in a whole row.

    With a pool, other processes make the text of packets; it is written in order all the same.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.rows = 0  # In the file.
        self.pool: ProcessPoolExecutor | None = None
        self.most_waiting = 0  # Pieces of text that are being made.
        self._folder, self._name = folder, name
        self._file = PendingFile(folder, name, "wb", buffering=0)
        self._size = 0
        self._taken = 0  # Rows, with those whose text is being made.
        self._waiting: deque[Future[list[Piece]]] = deque()

    def _put(self, rows: int, make: Callable[..., "list[Piece]"], *arguments: Any) -> None:
        """Append the pieces of text that `make` gives of so many rows."""
        self._taken += rows
        if self.pool is None:
            self._append(make(*arguments))
            return
        self._waiting.append(self.pool.submit(make, *arguments))
        self._drain(self.most_waiting)

    def _drain(self, most: int) -> None:
        while len(self._waiting) > most:
            self._append(self._waiting.popleft().result())

    def _append(self, pieces: "list[Piece]") -> None:
        for text, rows in pieces:
            data = memoryview(text.encode())
            try:
                while data:
                    data = data[self._file.stream.write(data) :]
            except OSError as error:
                self._cut(error)
            self._size = self._file.stream.tell()
            self.rows += rows

    def _cut(self, error: OSError) -> None:
        """Let the file end in the last whole row, and raise."""
        self._waiting.clear()
        self._file.stream.truncate(self._size)
        self._file.stream.seek(self._size)
        if not self.rows or error.errno not in DISK_FULL:
            raise error
        raise DiskFullError(error, self.rows) from error

    def finish(self) -> None:
        """Write what is waiting; `DiskFullError` if not all of it could be written."""
        self._drain(0)

    def discard(self) -> None:
        """Leave no trace, unless there was a commit."""
        self._file.discard()


class CellsWriter(LinesWriter):
    """Comma-separated values whose columns are known to who writes them."""

    def write_header(self, names: Sequence[str]) -> None:
        """Begin with a line that is no row."""
        self._put(0, lambda: [(_csv_text([names]), 0)])

    def write_cells(self, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows."""
        self._put(len(rows), lambda: [(_csv_text(rows), len(rows))])

    def commit(self, path: Path) -> None:
        """Name the file."""
        self.finish()
        self._file.commit(path)


class CsvWriter(LinesWriter):
    """Comma-separated values as in RFC 4180, one header line; a list is a JSON array in one cell.

    Floats are written so that reading gives the same bits. The definition tells the columns, but
    for what construct parses; only if a later packet brings a new column is the file rewritten once
    at the end, with the cells of earlier rows empty.
    """

    has_lists: ClassVar[bool] = True

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, name)
        self._columns: list[str] = []
        self._grown: list[tuple[int, list[str]]] = []  # First row, and columns from there on.

    def write_columns(self, columns: Sequence[Column]) -> None:
        """Add packets as columns, all of the same length."""
        if columns and len(columns[0]):
            names = [column.name for column in columns]
            head = "" if set(names) <= set(self._columns) else self._grow(names)
            self._put(len(columns[0]), _csv_pieces, list(columns), self._columns, head)

    def _grow(self, names: Iterable[str]) -> str:
        """Take new columns; return the header if it is not written yet."""
        self._columns = merge_columns(self._columns, names)
        self._grown.append((self._taken, self._columns))
        return "" if self._taken else _csv_text([self._columns])

    def commit(self, path: Path) -> None:
        """Write the columns that came late into the header, then name the file."""
        self.finish()
        if len(self._grown) > 1:
            self._rewrite()
        self._file.commit(path)

    def _rewrite(self) -> None:
        self._file.stream.close()
        with PendingFile(self._folder, self._name, newline="") as wider:
            writer = csv.DictWriter(wider.stream, self._columns)
            writer.writeheader()
            with self._file.path.open(newline="", encoding="utf-8") as narrow:
                reader = csv.reader(narrow)
                next(reader)  # The first header.
                starts = dict(self._grown)
                columns: list[str] = []
                for index, cells in enumerate(reader):
                    columns = starts.get(index, columns)
                    writer.writerow(dict(zip(columns, cells, strict=True)))
            wider.commit(self._file.path)


class JsonLinesWriter(LinesWriter):
    """One JSON object a line (UTF-8, keys as columns); what JSON cannot say of floats is text."""

    has_lists: ClassVar[bool] = False

    def write_columns(self, columns: Sequence[Column]) -> None:
        """Add packets as flat columns, all of the same length."""
        if columns:
            self._put(len(columns[0]), json_pieces, list(columns))

    def commit(self, path: Path) -> None:
        """Name the file."""
        self.finish()
        self._file.commit(path)


def merge_columns(known: list[str], names: Iterable[str]) -> list[str]:
    """Return `known` with each new name put behind the name that precedes it in `names`."""
    merged = list(known)
    present = set(known)
    place = 0
    for name in names:
        if name in present:
            place = merged.index(name) + 1
        else:
            merged.insert(place, name)
            present.add(name)
            place += 1
    return merged


def _csv_cell(value: Value) -> Value:
    if value is True or value is False:
        return "true" if value else "false"
    return value


def _json_value(value: Value) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # "nan", "inf", "-inf"
    return plain(value)


def _csv_pieces(columns: list[Column], names: list[str], head: str) -> "list[Piece]":
    """Return packets as text, `head` before them; cells are empty for names without a column."""
    cells = {column.name: _csv_cells(column) for column in columns}
    count = len(columns[0])
    pieces = []
    for start in range(0, count, _ROWS_AT_ONCE):
        end = min(start + _ROWS_AT_ONCE, count)
        empty: list[Value] = [None] * (end - start)
        parts = (cells[name][start:end] if name in cells else empty for name in names)
        pieces.append((head + _csv_text(zip(*parts, strict=True)), end - start))
        head = ""
    return pieces


def json_pieces(columns: list[Column]) -> "list[Piece]":
    """Return packets as JSON lines."""
    rows = build_rows(columns)
    for name in [column.name for column in columns if _may_not_be_json(column)]:
        for row in rows:
            if name in row:
                row[name] = _json_value(row[name])
    parts = [rows[start : start + _ROWS_AT_ONCE] for start in range(0, len(rows), _ROWS_AT_ONCE)]
    return [("".join(f"{json.dumps(row)}\n" for row in part), len(part)) for part in parts]


def _csv_text(rows: Iterable[Iterable[Value]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _csv_cells(column: Column) -> list[Value]:
    values = column.values()
    if column.is_list:
        return _json_lists(column, values)
    return [_csv_cell(value) for value in values] if column.raw.dtype.kind in "bO" else values


def _json_lists(column: Column, values: list[Value]) -> list[Value]:
    """Return the list of each packet as a JSON array; its elements are as in JSON lines."""
    assert column.offsets is not None
    if _may_not_be_json(column):
        values = [_json_value(value) for value in values]
    ends = column.offsets.tolist()
    return [json.dumps(values[start:end]) for start, end in pairwise(ends)]


def _may_not_be_json(column: Column) -> bool:
    kind = column.raw.dtype.kind
    return kind == "O" or (kind == "f" and not bool(np.isfinite(column.raw).all()))
