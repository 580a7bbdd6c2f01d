# SPDX-License-Identifier: Apache-2.0
"""A compiled register map as plain rows: for pages, and for benches that walk it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from systemrdl.node import FieldNode, RootNode


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One field of a register."""

    name: str
    high: int
    low: int
    access: str  # Of software: "r", "w" or "rw".
    reset: int | None  # None: shows a signal.
    description: str
    values: tuple[tuple[str, int], ...] = ()  # Names of an enumeration.


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRow:
    """One register with its fields, most significant first."""

    path: str
    offset: int  # Octets.
    fields: tuple[FieldRow, ...]


def register_rows(root: "RootNode") -> tuple[RegisterRow, ...]:
    """Return every register of a compiled map, in order of address."""
    from systemrdl.node import RegNode

    rows = [
        RegisterRow(
            path=node.get_path().partition(".")[2],
            offset=node.absolute_address,
            fields=tuple(_field_row(field) for field in node.fields())[::-1],
        )
        for node in root.top.descendants()
        if isinstance(node, RegNode)
    ]
    return tuple(sorted(rows, key=lambda row: row.offset))


def _field_row(field: "FieldNode") -> FieldRow:
    reset = field.get_property("reset")
    encode = field.get_property("encode")
    return FieldRow(
        name=field.inst_name,
        high=field.high,
        low=field.low,
        access=field.get_property("sw").name,
        reset=reset if isinstance(reset, int) else None,
        description=(field.get_property("desc") or "").replace("`", ""),  # Markdown.
        values=tuple((member.name, member.value) for member in encode or ()),
    )
