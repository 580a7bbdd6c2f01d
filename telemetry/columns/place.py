# SPDX-License-Identifier: Apache-2.0
"""Where a construct stands in a definition, and what its column is called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from telemetry.columns.flatten import RESERVED_COLUMNS
from telemetry.columns.kinds import Kind, UnsupportedError
from telemetry.columns.scope import Binding, Scope
from telemetry.columns.store import ColumnSpec

if TYPE_CHECKING:
    from telemetry.columns.layout import Layout


class Naming(Enum):
    """What the columns of a part of a packet may be called."""

    OURS = "ours"  # As the definition says, even where we keep the name for ourselves.
    USER = "user"  # As the definition says, behind `data.` where the name is ours.
    NONE = "none"  # There are none.


@dataclass(frozen=True, slots=True)
class Place:
    """Where a construct stands in a definition."""

    path: str
    scope: Scope
    is_shown: bool = True  # Whether its value becomes a column.
    unit: int = 8  # Bits in what its stream counts: 1 inside of Bitwise.
    names: tuple[tuple[int, str], ...] | None = None  # Of an Enum around it.
    meaning: Any = None
    list_name: str = ""
    is_reserved: bool = False  # Whether the column may have a name that is ours.

    def member(self, name: str | None) -> "Place":
        """Return the place of a named field of this Struct; without a name it is not shown."""
        if not name:
            return replace(self, is_shown=False)
        path = f"{self.path}.{name}" if self.path else name
        return replace(self, path=path, is_shown=self.is_shown and name[:1] != "_")

    def item(self, index: int | str) -> "Place":
        """Return the place of an item of this list."""
        return replace(self, path=f"{self.path}[{index}]")

    def column(self, kind: Kind) -> ColumnSpec:
        """Return the column of a value that stands here."""
        name = self.path or "value"
        if name in RESERVED_COLUMNS and not self.is_reserved:
            name = f"data.{name}"
        return ColumnSpec(name, kind, self.list_name, meaning=self.meaning)


Method: TypeAlias = Callable[["Layout", Any, Place], Binding]
Methods: TypeAlias = Mapping[type, Method]


def require_octets(place: Place) -> None:
    """Raise `UnsupportedError` where the stream is one of bits."""
    if place.unit != 8:
        raise UnsupportedError("whole octets in Bitwise, without Bytewise around them")


def constant_length(length: Any) -> int:
    """Return a length that is the same for every packet; `UnsupportedError` for any other."""
    if callable(length):
        raise UnsupportedError("a width that depends on the packet")
    if not isinstance(length, int) or length < 0:
        raise UnsupportedError(f"a length of {length!r}")
    return int(length)
