# SPDX-License-Identifier: Apache-2.0
"""The columns of a batch as the expressions of one field see them."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from telemetry.columns.column import Array, Column
from telemetry.columns.flatten import RESERVED_COLUMNS


class ExpressionError(Exception):
    """An expression that cannot be computed on columns; the message says why."""


class Named:
    """An Enum as a column: counts that may be compared with their names."""

    __hash__ = None  # type: ignore[assignment]  # As for arrays.

    def __init__(self, name: str, counts: Array, categories: Mapping[int, str]) -> None:
        self.counts = counts
        self._name = name
        self._codes = {text: count for count, text in categories.items()}

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Return the counts, so that numpy takes this for an array."""
        return np.array(self.counts, dtype=dtype, copy=copy)

    def __eq__(self, other: object) -> Array:  # type: ignore[override]
        found: Array = self.counts == self._count(other)
        return found

    def __ne__(self, other: object) -> Array:  # type: ignore[override]
        found: Array = self.counts != self._count(other)
        return found

    def _count(self, other: object) -> object:
        if not isinstance(other, str):
            return np.asarray(other)
        if other not in self._codes:
            raise ExpressionError(f"{self._name} has no name {other!r}{_near(other, self._codes)}")
        return self._codes[str(other)]


Operand: TypeAlias = Any  # Array, Named, or a constant of the expression.


class Scope(Mapping[str, Operand]):
    """Engineering values by name; raw ones where there is no calibration (as in XTCE).

    Integers are int64 or uint64, so that small ones do not wrap. `usable` is False where a value
    that was asked for is absent or invalid. Names are relative to the struct of the field, which
    `prefix` names as `rails[3].`; `offsets` are those of the ragged column that it belongs to.
    """

    def __init__(
        self, columns: Mapping[str, Column], prefix: str = "", offsets: Array | None = None
    ) -> None:
        self._columns = columns
        self._prefix = prefix
        self._offsets = offsets
        packets = next((len(column) for column in columns.values()), 0)
        self.size = packets if offsets is None else int(offsets[-1])
        self.usable = np.ones(self.size, dtype=bool)

    def __getitem__(self, name: str) -> Operand:
        return self.find((name,))

    def __getattr__(self, name: str) -> Operand:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.find((name,))

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def find(self, parts: Sequence[str | int]) -> Operand:
        """Return what `this.rails[3].volts` means: parts "rails", 3, "volts"."""
        prefix, rest = self._prefix, list(parts)
        while rest and rest[0] in ("_", "_root"):
            prefix = "" if rest.pop(0) == "_root" else outer_prefix(prefix)
        name = prefix + join_parts(rest)
        column = self._columns.get(f"data.{name}" if name in RESERVED_COLUMNS else name)
        if column is None:
            raise ExpressionError(f"there is no value {name!r}{_near(name, self._columns)}")
        return self._operand(column)

    def _operand(self, column: Column) -> Operand:
        if column.is_octets:
            raise ExpressionError(f"{column.name} holds octets, not a number")
        for mask in (column.present, column.valid):
            if mask is not None:
                self.usable &= self._aligned(column, mask)
        if column.categories is not None and column.engineering is None:
            counts = self._aligned(column, column.raw)
            return Named(column.name, counts, column.categories)
        values = column.raw if column.engineering is None else column.engineering
        if values.dtype.kind in "iu" and values.dtype != np.uint64:
            values = values.astype(np.int64)
        return self._aligned(column, values)

    def _aligned(self, column: Column, values: Array) -> Array:
        if column.offsets is None:
            return values if self._offsets is None else np.repeat(values, np.diff(self._offsets))
        if self._offsets is None:
            raise ExpressionError(f"{column.name} is a list in each packet, not one value")
        if not np.array_equal(column.offsets, self._offsets):
            raise ExpressionError(f"{column.name} is a list of another length")
        return values


def outer_prefix(prefix: str) -> str:
    """Return the prefix of the enclosing struct: `a.` for `a.rails[3].`."""
    if not prefix:
        raise ExpressionError("this._ leads out of the packet")
    head, dot, _ = prefix[:-1].rpartition(".")
    return head + dot


def join_parts(parts: Sequence[str | int]) -> str:
    """Return the column name of a path: `rails[3].volts`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")


def _near(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
