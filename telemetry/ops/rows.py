# SPDX-License-Identifier: Apache-2.0
"""Rows to CSV and JSON lines, one after the other."""

import csv
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from telemetry.columns.flatten import Row, Value, plain
from telemetry.common.files import PendingFile


class RowWriter(Protocol):
    """A file in the making."""

    rows: int

    def write(self, row: Row) -> None:
        """Add a row."""

    def commit(self, path: Path) -> None:
        """Finish the file and give it its name."""

    def discard(self) -> None:
        """Leave no trace, unless there was a commit."""


class CsvWriter:
    """Comma-separated values as in RFC 4180, one header line.

    Floats are written so that reading gives the same bits. Rows stream out; only if a later packet
    brings a new column is the file rewritten once at the end, with the cells of earlier rows empty.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.rows = 0
        self._folder, self._name = folder, name
        self._columns: list[str] = []
        self._grown: list[tuple[int, list[str]]] = []  # First row, and columns from there on.
        self._file = PendingFile(folder, name, newline="")
        self._csv = csv.writer(self._file.stream)

    def write(self, row: Row) -> None:
        """Add a row; cells are empty for columns that it lacks."""
        columns = self._columns
        if len(row) != len(columns) or list(row) != columns:
            if not row.keys() <= set(columns):
                self._grow(row)
            row = {name: row.get(name) for name in self._columns}
        self._csv.writerow([_csv_cell(value) for value in row.values()])
        self.rows += 1

    def _grow(self, row: Row) -> None:
        self._columns = merge_columns(self._columns, row)
        if self.rows == 0:
            self._csv.writerow(self._columns)
        self._grown.append((self.rows, self._columns))

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

    def discard(self) -> None:
        """Leave no trace, unless there was a commit."""
        self._file.discard()


class JsonLinesWriter:
    """One JSON object a line (UTF-8, keys as columns); what JSON cannot say of floats is text."""

    def __init__(self, folder: Path, name: str) -> None:
        self.rows = 0
        self._file = PendingFile(folder, name, newline="\n")

    def write(self, row: Row) -> None:
        """Add a line."""
        json.dump({name: _json_value(value) for name, value in row.items()}, self._file.stream)
        self._file.stream.write("\n")
        self.rows += 1

    def commit(self, path: Path) -> None:
        """Name the file."""
        self._file.commit(path)

    def discard(self) -> None:
        """Leave no trace, unless there was a commit."""
        self._file.discard()


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
