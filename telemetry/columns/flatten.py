# SPDX-License-Identifier: Apache-2.0
"""Parsed packets as flat rows: one name, one plain value."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from telemetry.columns.unreadable import Unreadable
from telemetry.wire.space_packet import PrimaryHeader
from telemetry.wire.spans import Verdict

Value: TypeAlias = bool | int | float | str | None
Row: TypeAlias = dict[str, Value]

VERDICT_COLUMN = "crc_verdict"
RESERVED_COLUMNS = frozenset((*PrimaryHeader._fields, VERDICT_COLUMN))
_PLAIN = frozenset((bool, int, float, str, type(None)))


def build_row(header: PrimaryHeader, parsed: Any, verdict: Verdict) -> Row:
    """Return header fields, user fields and the verdict of the CRC, in this order.

    Nested names are joined by dots and arrays numbered: `rails[3].state`. Octets are hexadecimal.
    An Enum is its name where it has one, else its number; construct's value is kept, so that
    `int(row["state"])` gives the raw count. Names with a leading underscore are construct's own
    and left out. A user's field named like a column of ours is called `data.<name>`.
    """
    row: Row = dict(zip(header._fields, header, strict=True))
    for name, value in flatten(parsed):
        if isinstance(value, bytes):
            value = value.hex()
        elif isinstance(value, Unreadable):
            value = None
        row[f"data.{name}" if name in RESERVED_COLUMNS else name] = value
    row[VERDICT_COLUMN] = verdict.value
    return row


def flatten(parsed: Any) -> Iterator[tuple[str, Value | bytes | Unreadable]]:
    """Yield each value of a parsed packet under its joined name; octets as they are."""
    is_list_or_struct = isinstance(parsed, Mapping | list)
    return walk(parsed, "" if is_list_or_struct else "value")


def walk(value: Any, name: str) -> Iterator[tuple[str, Value | bytes | Unreadable]]:
    """Yield what is at a name, and in what is there, as `flatten` does."""
    if type(value) in _PLAIN:
        yield name, value
    elif isinstance(value, Mapping):
        prefix = f"{name}." if name else ""
        for key, item in value.items():
            key = str(key)
            if type(item) in _PLAIN and key[:1] != "_":  # The bulk of all fields.
                yield prefix + key, item
            elif key[:1] != "_":
                yield from walk(item, prefix + key)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from walk(item, f"{name}[{index}]")
    elif isinstance(value, bytes | bytearray | memoryview):
        yield name, bytes(value)
    elif isinstance(value, int | float | str):
        yield name, value  # construct's Enum values, which are integers or text too.
    elif isinstance(value, Unreadable):
        yield name, value
    else:
        yield name, str(value)


def plain(value: Value) -> Value:
    """Return `value` without what construct's Enum types add to integers and text."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, str):
        return str(value)
    return int(value) if isinstance(value, int) else value
