# SPDX-License-Identifier: Apache-2.0
"""Rows to CSV and JSON lines, one after the other."""

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from telemetry.columns.column import Column
from telemetry.columns.flatten import Row, Value, plain
from telemetry.common.errors import DISK_FULL
from telemetry.common.files import PendingFile
from telemetry.ops.cells import build_rows, late_names

_ROWS_AT_ONCE = 256  # After so many, the file ends in a whole row.


class RowWriter(Protocol):
    """A file in the making."""

    rows: int

    def write(self, row: Row) -> None:
        """Add a row."""

    def write_columns(self, columns: Sequence[Column]) -> None:
        """Add packets as flat columns, all of the same length; the same as row by row."""

    def commit(self, path: Path) -> None:
        """Finish the file and give it its name."""

    def discard(self) -> None:
        """Leave no trace, unless there was a commit."""


class DiskFullError(Exception):
    """No more fits; what was written before is whole, and `commit` keeps it."""

    def __init__(self, error: OSError, rows: int) -> None:
        super().__init__(f"{error.strerror or error}; the first {rows:,} rows are kept")


class _Lines:
    """A text file in the making that always ends in a whole row."""

    def __init__(self, folder: Path, name: str) -> None:
        self.rows = 0
        self._folder, self._name = folder, name
        self._file = PendingFile(folder, name, "wb", buffering=0)
        self._size = 0

    def _append(self, text: str, rows: int) -> None:
        data = memoryview(text.encode())
        try:
            while data:
                data = data[self._file.stream.write(data) :]
        except OSError as error:
            self._file.stream.truncate(self._size)
            self._file.stream.seek(self._size)
            if not self.rows or error.errno not in DISK_FULL:
                raise
            raise DiskFullError(error, self.rows) from error
        self._size = self._file.stream.tell()
        self.rows += rows

    def discard(self) -> None:
        """Leave no trace, unless there was a commit."""
        self._file.discard()


class CsvWriter(_Lines):
    """Comma-separated values as in RFC 4180, one header line.

    Floats are written so that reading gives the same bits. Rows stream out; only if a later packet
    brings a new column is the file rewritten once at the end, with the cells of earlier rows empty.
    """

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, name)
        self._columns: list[str] = []
        self._grown: list[tuple[int, list[str]]] = []  # First row, and columns from there on.

    def write(self, row: Row) -> None:
        """Add a row; cells are empty for columns that it lacks."""
        head = "" if row.keys() <= set(self._columns) else self._grow(row)
        cells = [_csv_cell(row.get(name)) for name in self._columns]
        self._append(head + _csv_text([cells]), 1)

    def write_columns(self, columns: Sequence[Column]) -> None:
        """Add packets as flat columns, all of the same length; the same as row by row."""
        count = len(columns[0]) if columns else 0
        growth = late_names(self._columns, columns)
        cells = {column.name: _csv_cells(column) for column in columns}
        bounds = [*(row for row, _ in growth), count]
        self._write_cells(cells, range(bounds[0]))
        for (start, names), end in zip(growth, bounds[1:], strict=True):
            self._write_cells(cells, range(start, end), self._grow(names))

    def _write_cells(self, cells: dict[str, list[Value]], rows: range, head: str = "") -> None:
        for start in range(rows.start, rows.stop, _ROWS_AT_ONCE):
            end = min(start + _ROWS_AT_ONCE, rows.stop)
            empty: list[Value] = [None] * (end - start)
            parts = (cells[n][start:end] if n in cells else empty for n in self._columns)
            self._append(head + _csv_text(zip(*parts, strict=True)), end - start)
            head = ""

    def _grow(self, names: Iterable[str]) -> str:
        """Take new columns; return the header if it is not written yet."""
        self._columns = merge_columns(self._columns, names)
        self._grown.append((self.rows, self._columns))
        return "" if self.rows else _csv_text([self._columns])

    def commit(self, path: Path) -> None:
        """Write the columns that came late into the header, then name the file."""
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


class JsonLinesWriter(_Lines):
    """One JSON object a line (UTF-8, keys as columns); what JSON cannot say of floats is text."""

    def write(self, row: Row) -> None:
        """Add a line."""
        cells = {name: _json_value(value) for name, value in row.items()}
        self._append(f"{json.dumps(cells)}\n", 1)

    def write_columns(self, columns: Sequence[Column]) -> None:
        """Add packets as flat columns, all of the same length; the same as row by row."""
        rows = build_rows(columns)
        for name in [column.name for column in columns if _may_not_be_json(column)]:
            for row in rows:
                if name in row:
                    row[name] = _json_value(row[name])
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = rows[start : start + _ROWS_AT_ONCE]
            self._append("".join(f"{json.dumps(row)}\n" for row in part), len(part))

    def commit(self, path: Path) -> None:
        """Name the file."""
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


def _csv_text(rows: Iterable[Iterable[Value]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _csv_cells(column: Column) -> list[Value]:
    values = column.values()
    return [_csv_cell(value) for value in values] if column.raw.dtype.kind in "bO" else values


def _may_not_be_json(column: Column) -> bool:
    kind = column.raw.dtype.kind
    return kind == "O" or (kind == "f" and not bool(np.isfinite(column.raw).all()))
