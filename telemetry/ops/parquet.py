# SPDX-License-Identifier: Apache-2.0
"""Rows to Parquet, in row groups with typed columns. Needs the extra `archive` (pyarrow)."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from telemetry.columns.column import Column
from telemetry.common.files import PendingFile
from telemetry.ops.arrow import arrow_table
from telemetry.ops.cells import concatenate_columns, slice_column
from telemetry.ops.parquet_salvage import SpillingFile, salvage
from telemetry.ops.rows import DiskFullError, merge_columns

ROW_GROUP_ROWS = 20_000


class ParquetWriter:
    """Parquet with one row group per 20,000 rows, typed as `Decoded.arrow()` is, lists as lists.

    The definition tells the columns and their types, but for what construct parses. When a later
    row group brings another column or type, it begins a further file, and the files are joined at
    the end, group by group.
    """

    has_lists: ClassVar[bool] = True

    def __init__(self, folder: Path, name: str) -> None:
        self.rows = 0
        self._folder, self._name = folder, name
        self._columns: list[str] = []
        self._parts_of_group: list[list[Column]] = []
        self._waiting = 0  # Packets in these.
        self._files = ExitStack()
        self._parts: list[_Part] = []
        self._is_finished = False

    def write_columns(self, columns: Sequence[Column]) -> None:
        """Add packets as columns, all of the same length."""
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
        for part in self._parts_of_group:
            self._columns = merge_columns(self._columns, [column.name for column in part])
        if self._parts_of_group:
            self._write(_table(self._columns, self._parts_of_group))
        self._parts_of_group, self._waiting = [], 0

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


def _table(names: list[str], parts: list[list[Column]]) -> Any:
    """Return one row group; a column that none of the parts has is null."""
    import pyarrow as pa

    found = [{column.name: column for column in part} for part in parts]
    counts = [len(part[0]) for part in parts]
    by_name = {name: [part.get(name) for part in found] for name in names}
    columns = {n: concatenate_columns(p, counts) for n, p in by_name.items() if any(p)}
    table = arrow_table(columns)
    for index, name in enumerate(names):
        if name not in columns:
            table = table.add_column(index, pa.field(name, pa.null()), pa.nulls(sum(counts)))
    return table


def _common_schema(columns: list[str], schemas: list[Any]) -> Any:
    import pyarrow as pa

    fields = []
    for name in columns:
        known = [schema.field(name) for schema in schemas if name in schema.names]
        types = list(dict.fromkeys(field.type for field in known if field.type != pa.null()))
        fields.append(pa.field(name, _common_type(types), metadata=known[0].metadata))
    return pa.schema(fields)


def _common_type(types: list[Any]) -> Any:
    """Return the type that keeps all values: a wider integer, or text."""
    import pyarrow as pa

    if len(types) < 2:
        return types[0] if types else pa.null()
    inner = [kind.value_type if pa.types.is_large_list(kind) else kind for kind in types]
    if len({pa.types.is_large_list(kind) for kind in types}) == 1 and inner != types:
        return pa.large_list(_common_type([kind for kind in inner if kind != pa.null()]))
    if all(pa.types.is_signed_integer(kind) for kind in types):
        return max(types, key=lambda kind: kind.bit_width)
    if all(pa.types.is_unsigned_integer(kind) for kind in types):
        return max(types, key=lambda kind: kind.bit_width)
    return pa.string()


def _cast(table: Any, schema: Any) -> Any:
    import pyarrow as pa

    empty = pa.nulls(table.num_rows)
    columns = [table[name] if name in table.column_names else empty for name in schema.names]
    return pa.table([_as_type(c, schema.field(i).type) for i, c in enumerate(columns)], schema)


def _as_type(column: Any, kind: Any) -> Any:
    import pyarrow as pa

    try:
        return column.cast(kind)
    except pa.ArrowException:  # Octets that are not text, or a list.
        texts = [None if value is None else str(value) for value in column.to_pylist()]
        return pa.array(texts, pa.string())
