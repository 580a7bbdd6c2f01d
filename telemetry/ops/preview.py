# SPDX-License-Identifier: Apache-2.0
"""The first packets of each APID as a table on the terminal."""

from typing import TYPE_CHECKING

import numpy as np

from telemetry.columns.flatten import Row, Value
from telemetry.ops.cells import TIME_COLUMNS, build_rows
from telemetry.ops.options import DEFAULTS, Options
from telemetry.ops.table import Table, take_rows

if TYPE_CHECKING:
    from rich.table import Table as RichTable

PREVIEW_ROWS = 5
PREVIEW_APIDS = 10
_MAX_CELL = 24
_PADDING = 3  # Around a column.


class Preview:
    """A sink that keeps the first rows of each APID."""

    def __init__(self, options: Options = DEFAULTS) -> None:
        self._options = options
        self.by_apid: dict[int, list[Row]] = {}

    @property
    def rows(self) -> int:
        """Rows that are kept."""
        return sum(map(len, self.by_apid.values()))

    def write(self, apid: int, row: Row) -> None:
        """Take a row of a packet with this APID."""
        rows = self.by_apid.setdefault(apid, [])
        if len(rows) < PREVIEW_ROWS:
            rows.append(row)

    def take(self, table: Table) -> None:
        """Take the next packets of an APID."""
        wanted = PREVIEW_ROWS - len(self.by_apid.get(table.apid, ()))
        if wanted > 0:
            first = take_rows(table, np.arange(min(wanted, len(table))))
            for row in build_rows(first.flat(self._options)):
                self.write(table.apid, row)

    def tables(self, width: int) -> "list[RichTable]":
        """Return a table per APID, of packets that fit `width`: a line per field."""
        apids = sorted(self.by_apid)[:PREVIEW_APIDS]
        return [_table(apid, self.by_apid[apid], width) for apid in apids]


def _table(apid: int, rows: list[Row], width: int) -> "RichTable":
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [[_printable(name) for name in names]]
    columns += [
        [_cell(row.get(name), whole=name in TIME_COLUMNS) for name in names] for row in rows
    ]
    columns = columns[: _fitting(columns, width)]
    title = f"APID {apid}, first packet{'s' if len(columns) > 2 else ''}"
    table = RichTable(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("field", no_wrap=True)
    for index in range(1, len(columns)):
        table.add_column(f"packet {index}", justify="right", no_wrap=True)
    for cells in zip(*columns, strict=True):
        table.add_row(*map(Text, cells))
    return table


def _fitting(columns: list[list[str]], width: int) -> int:
    """Return how many columns fit: the names and at least one packet."""
    used = 0
    for index, column in enumerate(columns):
        used += max(len("packet 1"), *map(len, column)) + _PADDING
        if used > width:
            return max(index, 2)
    return len(columns)


def _cell(value: Value, *, whole: bool = False) -> str:
    """Return a value as a table shows it: floats to nine digits, enough for float32."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.9g}"
    if isinstance(value, bool):
        return str(value).lower()
    text = _printable(str(value))
    return text if whole or len(text) <= _MAX_CELL else text[: _MAX_CELL - 3] + "..."


def _printable(text: str) -> str:
    """Show control characters as escapes: text from a packet must not steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
