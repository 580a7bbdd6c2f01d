# SPDX-License-Identifier: Apache-2.0
"""Packets while they come: as JSON lines for programs, or a line each for people."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from telemetry.columns.column import Column
from telemetry.columns.definition import CRC_FIELD
from telemetry.columns.flatten import RESERVED_COLUMNS, VERDICT_COLUMN, Value
from telemetry.columns.limits import LimitState
from telemetry.common.text import printable
from telemetry.ops.cells import BESIDE_COLUMNS, ENGINEERING, GAP_COLUMN, STATE, VALID
from telemetry.ops.options import Options
from telemetry.ops.rows import json_pieces
from telemetry.ops.statistics_text import number_text
from telemetry.ops.table import Table

_MAX_TEXT = 16  # Of octets and text in a line for people.
_QUIET = ("", LimitState.OK.name.lower(), LimitState.UNKNOWN.name.lower())


@dataclass(slots=True)
class JsonLinesSink:
    """Writes a JSON object a line to a stream, at once."""

    stream: IO[str]
    options: Options
    rows: int = 0

    def take(self, table: Table) -> None:
        """Write the next packets of an APID."""
        columns = table.flat(self.options)
        if columns:
            for text, rows in json_pieces(columns):
                self.stream.write(text)
                self.rows += rows
            self.stream.flush()


@dataclass(slots=True)
class WatchSink:
    """Writes a line for each packet, cut to `width`: engineering values, units, violations."""

    stream: IO[str]
    options: Options
    width: int
    rows: int = 0

    def take(self, table: Table) -> None:
        """Write the next packets of an APID."""
        values = {column.name: column.values() for column in table.flat(self.options)}
        if not values:
            return
        gaps = table.columns[GAP_COLUMN].raw.tolist()
        verdicts = table.columns[VERDICT_COLUMN].values()
        counts = table.columns["sequence_count"].raw if "sequence_count" in table.columns else None
        for row in range(len(table)):
            self.rows += 1
            if gaps[row]:
                self.stream.write(f"  ... {gaps[row]:,} missing\n")
            count = "" if counts is None else f" #{counts[row]}"
            head = f"APID {table.apid}{count} CRC {verdicts[row]}"
            text = "  ".join((head, *self._cells(table, values, row)))
            cut = text if len(text) <= self.width else text[: self.width - 3] + "..."
            self.stream.write(f"{cut}\n")
        self.stream.flush()

    def _cells(self, table: Table, values: dict[str, list[Value]], row: int) -> Iterator[str]:
        hidden = RESERVED_COLUMNS | BESIDE_COLUMNS | {CRC_FIELD}
        for name in values:
            if name in hidden or name.endswith((ENGINEERING, STATE, VALID)):
                continue
            value = values.get(name + ENGINEERING, values[name])[row]
            if value is None:
                continue
            state = str(values.get(name + STATE, [""] * len(table))[row])
            is_valid = values.get(name + VALID, [True] * len(table))[row]
            mark = "" if state in _QUIET else f" ({state.replace('_', ' ').upper()})"
            mark = mark if is_valid else " (not valid)"
            unit = _unit(table.columns.get(name))
            yield f"{printable(name)} {number_text(value, _MAX_TEXT)}{unit}{mark}"


def _unit(column: Column | None) -> str:
    return f" {printable(column.unit)}" if column is not None and column.unit else ""
