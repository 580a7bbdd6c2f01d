# SPDX-License-Identifier: Apache-2.0
"""Decoded packets of one APID as columns: what `decode` and `batches` give out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from telemetry.columns.column import Array, Column
from telemetry.columns.flatten import Row
from telemetry.ops.cells import (
    ENGINEERING,
    GAP_COLUMN,
    QUALITY_COLUMNS,
    STATE,
    TIME_COLUMNS,
    VALID,
    build_rows,
    concatenate_columns,
    element_column,
    flat_columns,
    take_column,
    whole_columns,
)
from telemetry.ops.options import Options
from telemetry.wire.batch import Indices

__all__ = ["GAP_COLUMN", "Table", "concatenate_tables", "take_rows"]


@dataclass(frozen=True, slots=True)
class Table:
    """Packets of one APID in order of arrival.

    `columns` holds a `Column` for each field of the primary header, each field of the definition,
    `crc_verdict`, and `gap_before`: how many packets are missing right before each. Where packets
    have time fields, `clock_step` says what the clock did (`ClockStep`); with `Options.times` there
    are `packet_time` and, where frames tell, `received_time` (UTC, `datetime64[ns]`). Engineering
    values, validity and limit states stand in the columns beside the raw values. `offsets` says
    where each packet is in the input, or in what its frames carry; `places`, where there are
    frames, where the frame of each begins in its dump.
    """

    apid: int
    columns: Mapping[str, Column]
    offsets: Indices
    places: Indices | None = None

    @property
    def seen_at(self) -> Indices:
        """Where each packet, or its frame, is in the dump."""
        return self.offsets if self.places is None else self.places

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, name: str) -> Array:
        """Return the engineering values of a column, or its raw values where it has no others.

        Where a value is absent a float is NaN, and any other array is masked.
        """
        column = self.columns[name]
        values = column.raw if column.engineering is None else column.engineering
        return _with_absent(values, column.present)

    def arrays(self) -> dict[str, Array]:
        """Return everything as numpy arrays by name.

        Under its plain name stand the raw values of a column (an Enum as its integer); beside it
        `name.engineering`, `name.state` (`LimitState`), `name.valid`, and for lists and octets of
        varying length `name.offsets`, into the values of all packets one behind the other.
        """
        found: dict[str, Array] = {}
        for name, column in self.columns.items():
            found[name] = (
                column.raw if column.is_octets else _with_absent(column.raw, column.present)
            )
            beside = (ENGINEERING, column.engineering), (STATE, column.state), (VALID, column.valid)
            for suffix, values in (*beside, (".offsets", column.offsets)):
                if values is not None:
                    found[name + suffix] = values
        return found

    def select(self, options: Options) -> "Table":
        """Return a table of the columns that were asked for."""
        chosen = {name: col for name, col in self.columns.items() if options.wants_of(name)}
        return Table(self.apid, chosen, self.offsets, self.places)

    def flat(self, options: Options) -> list[Column]:
        """Return the columns that were asked for, with one value per packet in each."""
        return [c for c in flat_columns(self._shown(options)) if options.wants_flat(c.name)]

    def whole(self, options: Options) -> list[Column]:
        """Return the columns that were asked for, lists as lists; see `whole_columns`."""
        found: list[Column] = []
        for column in whole_columns(self._shown(options)):
            if not column.is_list:
                found += [column] if options.wants(column.name) else []
                continue
            found += [column] if options.wants_list(column.name) else []
            found += [element_column(column, index) for index in options.indices_of(column.name)]
        return found

    def _shown(self, options: Options) -> dict[str, Column]:
        """Return all columns but those that have to be asked for and are not."""
        chosen = dict(self.columns)
        hidden: tuple[str, ...] = () if options.quality else QUALITY_COLUMNS
        if not options.wants_times:
            hidden += TIME_COLUMNS
        for name in hidden:
            if name not in options.columns:
                chosen.pop(name, None)
        return chosen

    def rows(self) -> list[Row]:
        """Return a dict for each packet: plain values, nested names joined, lists numbered."""
        return build_rows(self.flat(Options()))

    def arrow(self) -> Any:
        """Return a `pyarrow.Table`; `MissingExtraError` without pyarrow."""
        from telemetry.ops.arrow import arrow_table

        return arrow_table(self.columns)


def take_rows(table: Table, rows: Array) -> Table:
    """Return a table of these packets only."""
    columns = {name: take_column(column, rows) for name, column in table.columns.items()}
    places = None if table.places is None else table.places[rows]
    return Table(table.apid, columns, table.offsets[rows], places)


def concatenate_tables(tables: Sequence[Table]) -> Table:
    """Return one table of several of the same APID."""
    if len(tables) == 1:
        return tables[0]
    counts = [len(table) for table in tables]
    names = dict.fromkeys(name for table in tables for name in table.columns)
    columns = {
        name: concatenate_columns([table.columns.get(name) for table in tables], counts)
        for name in names
    }
    offsets = np.concatenate([table.offsets for table in tables])
    places = [table.places for table in tables if table.places is not None]
    return Table(tables[0].apid, columns, offsets, np.concatenate(places) if places else None)


def _with_absent(values: Array, present: Array | None) -> Array:
    if present is None or values.dtype.kind == "O":
        return values
    if values.dtype.kind == "f":
        return np.where(present, values, values.dtype.type(np.nan))
    return np.ma.MaskedArray(values, ~present)
