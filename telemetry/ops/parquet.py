# SPDX-License-Identifier: Apache-2.0
"""Rows to Parquet, in row groups with typed columns. Needs the extra `archive` (pyarrow)."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from telemetry.columns.column import Array, Column
from telemetry.columns.flatten import Row, Value, plain
from telemetry.common.files import PendingFile
from telemetry.errors import MissingExtraError
from telemetry.ops.cells import late_names, slice_column
from telemetry.ops.parquet_salvage import SpillingFile, salvage
from telemetry.ops.rows import DiskFullError, merge_columns

ROW_GROUP_ROWS = 20_000


def require_pyarrow() -> None:
    """Raise `MissingExtraError`, with the command that helps, when pyarrow is absent."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "Parquet output needs pyarrow, which is not installed. This brings it:\n"
            "  python -m pip install 'fw-tools[archive]'\n"
            "Without it, write CSV or JSON lines: -o NAME.csv, -o NAME.jsonl"
        ) from error


class ParquetWriter:
    """Parquet with one row group per 20,000 rows.

    The first row group decides the columns' types. When a later one brings another column or a
    wider type, it begins a further file, and the files are joined at the end, group by group.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.rows = 0
        self._folder, self._name = folder, name
        self._columns: list[str] = []
        self._rows: list[Row] = []  # The group at hand, by rows,
        self._parts_of_group: list[list[Column]] = []  # or by columns.
        self._waiting = 0  # Packets in these.
        self._files = ExitStack()
        self._parts: list[_Part] = []
        self._is_finished = False

    def write(self, row: Row) -> None:
        """Add a row to the group at hand."""
        self._rows.append(row)
        self.rows += 1
        if len(self._rows) + self._waiting >= ROW_GROUP_ROWS:
            self._flush()

    def write_columns(self, columns: Sequence[Column]) -> None:
        """Add packets as flat columns, all of the same length; the same as row by row."""
        count, at = len(columns[0]) if columns else 0, 0
        while at < count:
            end = min(count, at + ROW_GROUP_ROWS - self._waiting)
            self._parts_of_group.append([slice_column(column, at, end) for column in columns])
            self._waiting += end - at
            self.rows += end - at
            at = end
            if self._waiting >= ROW_GROUP_ROWS:
                self._flush()

    def _flush(self) -> None:
        for row in self._rows:
            if not row.keys() <= set(self._columns):
                self._columns = merge_columns(self._columns, row)
        for part in self._parts_of_group:
            for _, names in late_names(self._columns, part):
                self._columns = merge_columns(self._columns, names)
        if self._rows:
            self._write(_table_of_rows(self._columns, self._rows))
        if self._parts_of_group:
            self._write(_table(self._columns, self._parts_of_group))
        self._rows, self._parts_of_group, self._waiting = [], [], 0

    def _write(self, table: Any) -> None:
        if not self._parts or self._parts[-1].schema != table.schema:
            self._parts.append(self._open(table.schema))
        part = self._parts[-1]
        part.writer.write_table(table)
        if part.sink.error is not None:
            self._salvage(part.sink.error)

    def _open(self, schema: Any) -> "_Part":
        import pyarrow.parquet as pq

        pending = PendingFile(self._folder, self._name, "wb+", buffering=0)
        file = self._files.enter_context(pending)
        sink = SpillingFile(file.stream)
        return _Part(schema, file, sink, self._files.enter_context(pq.ParquetWriter(sink, schema)))

    def finish(self) -> None:
        """Write what is waiting; `DiskFullError` if not all of it could be written."""
        if self._is_finished:
            return
        self._flush()
        self._is_finished = True
        for part in self._parts:
            part.writer.close()
            if part.sink.error is not None:
                self._salvage(part.sink.error)

    def _salvage(self, error: OSError) -> None:
        """Keep the row groups that are on the disk, and raise `DiskFullError`."""
        self._is_finished = True
        part = self._parts[-1]
        part.writer.close()
        self.rows = salvage(part.sink, part.schema) if len(self._parts) == 1 else 0
        if not self.rows:
            raise error
        raise DiskFullError(error, self.rows)

    def commit(self, path: Path) -> None:
        """Finish the file and give it its name."""
        self.finish()
        if len(self._parts) > 1:
            self._join()
        self._parts[-1].file.commit(path)
        self._files.close()

    def _join(self) -> None:
        import pyarrow.parquet as pq

        schema = _common_schema(self._columns, [part.schema for part in self._parts])
        joined = self._open(schema)
        for part in self._parts:
            part.file.stream.close()
            source = pq.ParquetFile(part.file.path)
            for group in range(source.num_row_groups):
                joined.writer.write_table(_cast(source.read_row_group(group), schema))
        joined.writer.close()
        if joined.sink.error is not None:
            raise joined.sink.error
        self._parts.append(joined)

    def discard(self) -> None:
        """Leave no trace, unless there was a commit."""
        self._files.close()


class _Part(NamedTuple):
    """A file of row groups with the same columns."""

    schema: Any
    file: PendingFile
    sink: SpillingFile
    writer: Any


def _table_of_rows(columns: list[str], rows: list[Row]) -> Any:
    import pyarrow as pa

    return pa.table({name: _array([row.get(name) for row in rows]) for name in columns})


def _table(names: list[str], parts: list[list[Column]]) -> Any:
    """Return one row group; its types depend on the values alone, never on how these came."""
    import pyarrow as pa

    found = [{column.name: column for column in part} for part in parts]
    counts = [len(part[0]) for part in parts]
    columns = {name: [part.get(name) for part in found] for name in names}
    return pa.table({name: _column(columns[name], counts) for name in names})


def _column(parts: list[Column | None], counts: list[int]) -> Any:
    import pyarrow as pa

    types = {part.raw.dtype if part and _is_number(part) else None for part in parts}
    if len(types) > 1 or None in types:
        pairs = zip(parts, counts, strict=True)
        return _array([v for part, n in pairs for v in (part.values() if part else [None] * n)])
    known = [part for part in parts if part is not None]
    values = np.concatenate([_widest(part.raw) for part in known])
    if values.dtype == np.uint64 and int(values.max(initial=0)) < 1 << 63:
        values = values.astype(np.int64)
    kind = pa.timestamp("ns", "UTC") if values.dtype.kind == "M" else None
    if all(part.present is None for part in known):
        return pa.array(values, kind)
    is_absent = np.concatenate(
        [np.zeros(len(p), bool) if p.present is None else ~p.present for p in known]
    )
    return pa.nulls(len(values)) if is_absent.all() else pa.array(values, kind, mask=is_absent)


def _is_number(column: Column) -> bool:
    return column.categories is None and column.offsets is None and column.raw.dtype.kind in "biufM"


def _widest(values: Array) -> Array:
    kind = values.dtype.kind
    if kind in "bM" or values.dtype == np.uint64:
        return values
    with np.errstate(invalid="ignore"):  # Signalling NaN.
        return values.astype(np.float64 if kind == "f" else np.int64)


def _array(values: list[Value]) -> Any:
    """Return a column: int64, uint64, double, bool or text; text where the values are mixed."""
    import pyarrow as pa

    plain_values = [plain(value) for value in values]
    for wanted in (None, pa.uint64()):
        try:
            return pa.array(plain_values, type=wanted)
        except (pa.ArrowException, OverflowError, TypeError):
            continue
    return pa.array([None if value is None else _text(value) for value in plain_values])


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _common_schema(columns: list[str], schemas: list[Any]) -> Any:
    import pyarrow as pa

    fields = []
    for name in columns:
        types = {schema.field(name).type for schema in schemas if name in schema.names}
        types.discard(pa.null())
        fields.append((name, types.pop() if len(types) == 1 else pa.string()))
    return pa.schema(fields)


def _cast(table: Any, schema: Any) -> Any:
    import pyarrow as pa

    empty = pa.nulls(table.num_rows)
    columns = [table[name] if name in table.column_names else empty for name in schema.names]
    return pa.table([column.cast(schema.field(i).type) for i, column in enumerate(columns)], schema)
