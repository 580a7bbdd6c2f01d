# SPDX-License-Identifier: Apache-2.0
"""Rows to Parquet, in row groups with typed columns. Needs the extra `archive` (pyarrow)."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from telemetry.columns.flatten import Row, Value, plain
from telemetry.common.files import PendingFile
from telemetry.errors import MissingExtraError
from telemetry.ops.rows import merge_columns

ROW_GROUP_ROWS = 20_000


def require_pyarrow() -> None:
    """Raise `MissingExtraError`, with the command that helps, when pyarrow is absent."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "Parquet output needs pyarrow, which is not installed. This brings it:\n"
            "  python -m pip install 'pyarrow>=15'\n"
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
        self._group: list[Row] = []
        self._files = ExitStack()
        self._parts: list[tuple[Any, PendingFile, Any]] = []  # schema, file, writer

    def write(self, row: Row) -> None:
        """Add a row to the group at hand."""
        self._group.append(row)
        self.rows += 1
        if len(self._group) >= ROW_GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self._group:
            return
        for row in self._group:
            if not row.keys() <= set(self._columns):
                self._columns = merge_columns(self._columns, row)
        self._write(_table(self._columns, self._group))
        self._group = []

    def _write(self, table: Any) -> None:
        if not self._parts or self._parts[-1][0] != table.schema:
            self._parts.append(self._open(table.schema))
        self._parts[-1][2].write_table(table)

    def _open(self, schema: Any) -> tuple[Any, PendingFile, Any]:
        import pyarrow.parquet as pq

        file = self._files.enter_context(PendingFile(self._folder, self._name, "wb"))
        return schema, file, self._files.enter_context(pq.ParquetWriter(file.stream, schema))

    def commit(self, path: Path) -> None:
        """Finish the file and give it its name."""
        self._flush()
        for _, _, writer in self._parts:
            writer.close()
        if len(self._parts) > 1:
            self._join()
        self._parts[-1][1].commit(path)
        self._files.close()

    def _join(self) -> None:
        import pyarrow.parquet as pq

        schema = _common_schema(self._columns, [part[0] for part in self._parts])
        *_, writer = joined = self._open(schema)
        for _, file, _ in self._parts:
            file.stream.close()
            source = pq.ParquetFile(file.path)
            for group in range(source.num_row_groups):
                writer.write_table(_cast(source.read_row_group(group), schema))
        writer.close()
        self._parts.append(joined)

    def discard(self) -> None:
        """Leave no trace, unless there was a commit."""
        self._files.close()


def _table(columns: list[str], rows: list[Row]) -> Any:
    import pyarrow as pa

    return pa.table({name: _array([row.get(name) for row in rows]) for name in columns})


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
