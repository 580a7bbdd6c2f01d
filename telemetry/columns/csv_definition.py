# SPDX-License-Identifier: Apache-2.0
"""Definitions in the CSV form of ccsdspy (`FixedLength.from_file`): one row for each field.

    name,data_type,bit_length
    SHCOARSE,uint,32
    OPMODE,uint,4
    SPACER,fill,4
    VOLTAGES,uint(5),16

`data_type` is uint, int, float, str or fill. Behind it, in parentheses, stands the shape of an
array: `uint(5)`, `int(12, 24)`, `uint(expand)` to the end of the packet, or the name of a field
before it that holds the number of elements. Rows are in order; with a column `bit_offset` each has
its place, counted from the start of the packet (the first bit behind the primary header is 48) or,
if any is below 48, from behind the primary header. Columns `unit` and `description` are read too,
others are not.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telemetry.columns.csv_layout import CsvField, build_layout
from telemetry.errors import InputError
from telemetry.wire.space_packet import PRIMARY_HEADER_OCTETS

TYPES = ("uint", "int", "float", "str", "fill")
FLOAT_BITS = (16, 32, 64)
MAX_INTEGER_BITS = 64

_REQUIRED = ("name", "data_type", "bit_length")
_TYPE = re.compile(r"\s*(\w+)\s*(?:\(\s*([^()]*?)\s*\))?\s*")
_HEADER_BITS = 8 * PRIMARY_HEADER_OCTETS


@dataclass(slots=True)
class _Row:
    """One row of the file, with its line for messages."""

    line: int
    cells: dict[str, str]

    def text(self, column: str) -> str:
        return (self.cells.get(column) or "").strip()

    def complain(self, text: str) -> ValueError:
        name = self.text("name")
        return ValueError(f"{self.line}: {f'field {name}: ' if name else ''}{text}")


def load_csv_layout(path: Path) -> Any:
    """Return the construct that the file describes.

    `InputError` holds one line for each row that is wrong: `FILE.csv:3: field OPMODE: ...`.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected a CSV file of fields") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: this is no text; expected a CSV file of fields") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    return parse_csv_layout(text, str(path))


def parse_csv_layout(text: str, name: str) -> Any:
    """Return the construct that the text of a CSV file describes; `name` is for messages."""
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        rows = [_Row(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise InputError(f"{name}:{reader.line_num}: {error}") from error
    missing = [column for column in _REQUIRED if column not in (reader.fieldnames or ())]
    if missing:
        raise InputError(
            f"{name}:1: no column {missing[0]!r}; the first line names the columns, at least "
            f"{', '.join(_REQUIRED)}"
        )
    if not rows:
        raise InputError(f"{name}: no field below the first line")
    fields, mistakes = _read_fields(rows)
    if not mistakes:
        mistakes = list(_order_mistakes(rows, fields))
    if mistakes:
        raise InputError("\n".join(f"{name}:{text}" for text in mistakes))
    try:
        return build_layout(_from_first_bit(fields))
    except ValueError as error:
        raise InputError(f"{name}: {error}") from error


def _read_fields(rows: Sequence[_Row]) -> tuple[list[CsvField], list[str]]:
    fields, mistakes, names = [], [], set()
    for row in rows:
        try:
            field = _read_field(row)
            if field.name in names and field.type != "fill":
                raise row.complain("a row before it has this name too")
        except ValueError as error:
            mistakes.append(str(error))
            continue
        names.add(field.name)
        fields.append(field)
    return fields, mistakes


def _read_field(row: _Row) -> CsvField:
    if not row.text("name"):
        raise row.complain("no name")
    if None in row.cells:
        raise row.complain("more cells than columns; put a shape such as int(2, 3) into quotes")
    match = _TYPE.fullmatch(row.text("data_type"))
    if match is None or match[1] not in TYPES:
        raise row.complain(
            f"unknown data_type {row.text('data_type')!r}; expected {', '.join(TYPES)}, "
            "with the shape of an array in parentheses"
        )
    bits = _whole(row, "bit_length", at_least=1)
    _check_width(row, match[1], bits)
    offset = _whole(row, "bit_offset", at_least=0) if "bit_offset" in row.cells else None
    shape, count = _read_shape(row, match[2])
    if count is not None and (match[1] not in ("uint", "int", "float") or bits % 8):
        raise row.complain("an array of variable length has elements of whole octets, and numbers")
    return CsvField(
        row.text("name"), match[1], bits, shape, count, offset,
        unit=row.text("unit"), description=row.text("description"),
    )  # fmt: skip


def _check_width(row: _Row, kind: str, bits: int) -> None:
    if kind in ("uint", "int") and bits > MAX_INTEGER_BITS:
        raise row.complain(f"an integer has at most {MAX_INTEGER_BITS} bits, not {bits}")
    if kind == "float" and bits not in FLOAT_BITS:
        raise row.complain(f"a float has {', '.join(map(str, FLOAT_BITS))} bits, not {bits}")
    if kind == "str" and bits % 8:
        raise row.complain(f"a str has whole octets, not {bits} bits")


def _read_shape(row: _Row, text: str | None) -> tuple[tuple[int, ...], str | None]:
    """Return the fixed shape, and "expand" or the name of the field that counts elements."""
    if text is None:
        return (), None
    parts = [part.strip() for part in text.split(",")]
    if all(part.isdecimal() for part in parts):
        shape = tuple(map(int, parts))
        if 0 in shape:
            raise row.complain(f"an array of shape ({text}) has no element")
        return shape, None
    if len(parts) > 1 or not parts[0]:
        raise row.complain(f"shape ({text}); expected numbers, expand, or the name of a field")
    return (), parts[0]


def _whole(row: _Row, column: str, *, at_least: int) -> int:
    text = row.text(column)
    if not text.isdecimal() or int(text) < at_least:
        raise row.complain(f"{column} is {text!r}; expected a whole number from {at_least}")
    return int(text)


def _order_mistakes(rows: Sequence[_Row], fields: Sequence[CsvField]) -> Iterator[str]:
    counters: set[str] = set()
    expanding = [field.name for field in fields if field.count == "expand"]
    for row, field in zip(rows, fields, strict=True):
        is_counted = field.count not in (None, "expand")
        if is_counted and field.count not in counters:
            text = f"no single uint {field.count!r} before it that could hold its length"
            yield str(row.complain(text))
        if field.count == "expand" and field.name != expanding[0]:
            yield str(row.complain(f"only one array expands, and {expanding[0]} does already"))
        if field.count is not None and field.offset is not None:
            yield str(row.complain("with arrays of variable length there are no bit offsets"))
        if field.type == "uint" and not field.shape and field.count is None:
            counters.add(field.name)


def _from_first_bit(fields: Sequence[CsvField]) -> list[CsvField]:
    """Return the fields with offsets that count from behind the primary header."""
    offsets = [field.offset for field in fields if field.offset is not None]
    if not offsets or min(offsets) < _HEADER_BITS:
        return list(fields)
    return [field.moved(-_HEADER_BITS) for field in fields]
