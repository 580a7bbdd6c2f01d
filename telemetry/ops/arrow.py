# SPDX-License-Identifier: Apache-2.0
"""Columns as an Arrow table. Needs the extra `archive` (pyarrow)."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from telemetry.columns.column import Array, Column
from telemetry.errors import MissingExtraError
from telemetry.ops.cells import ENGINEERING, STATE, STATE_NAMES, VALID


def require_pyarrow() -> None:
    """Raise `MissingExtraError`, with the command that helps, when pyarrow is absent."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "Parquet output needs pyarrow, which is not installed. This brings it:\n"
            "  python -m pip install 'fw-tools[archive]'\n"
            "Without it, write CSV or JSON lines: -o NAME.csv, -o NAME.jsonl"
        ) from error


def arrow_table(columns: Mapping[str, Column]) -> Any:
    """Return a `pyarrow.Table` with the types of the columns.

    Enums are text (an unknown value its number), octets binary, lists lists; what is absent is
    null. The unit of a column is in the metadata of its field.
    """
    require_pyarrow()
    import pyarrow as pa

    found: dict[str, tuple[Any, str]] = {}
    for name, column in columns.items():
        found[name] = (_named(column), column.unit)
        if column.engineering is not None:
            found[name + ENGINEERING] = (_array(column, column.engineering), column.unit)
        if column.state is not None:
            states = np.array(list(STATE_NAMES.values()), object)[column.state]
            found[name + STATE] = (_array(column, states, pa.string()), "")
        if column.valid is not None:
            found[name + VALID] = (_array(column, column.valid), "")
    fields = [
        pa.field(name, array.type, metadata={"unit": unit} if unit else None)
        for name, (array, unit) in found.items()
    ]
    return pa.table([array for array, _ in found.values()], schema=pa.schema(fields))


def _named(column: Column) -> Any:
    """Return the raw values, by name where they have names."""
    import pyarrow as pa

    if column.is_octets and column.offsets is not None:
        ends = column.offsets.tolist()
        data = column.raw.tobytes()
        values = [data[a:b] for a, b in pairwise(ends)]
        return pa.array(values, pa.binary(), mask=_absent(column))
    if column.categories is None:
        return _array(column, column.raw)
    codes, places = np.unique(column.raw, return_inverse=True)
    names = [column.categories.get(code, str(code)) for code in codes.tolist()]
    texts = np.array(names, object)[places.ravel()] if names else codes.astype(object)
    return _array(column, texts, pa.string())


def _array(column: Column, values: Array, kind: Any = None) -> Any:
    import pyarrow as pa

    if values.dtype.kind == "V":
        size = values.dtype.itemsize
        found = pa.array(values.tolist(), pa.binary(size), mask=_absent(column))
    elif values.dtype.kind == "O":
        found = _objects(values, _absent(column), kind)
    else:
        kind = pa.timestamp("ns", "UTC") if values.dtype.kind == "M" else None
        found = pa.array(values, kind, mask=_absent(column))
    if column.offsets is None or column.is_octets:
        return found
    return pa.LargeListArray.from_arrays(pa.array(column.offsets), found)


def _objects(values: Array, is_absent: Array | None, kind: Any) -> Any:
    """Return text, or numbers of any type; text where no type holds all."""
    import pyarrow as pa

    try:
        return pa.array(values, kind, mask=is_absent)
    except (pa.ArrowException, OverflowError, TypeError):
        return pa.array([str(value) for value in values], mask=is_absent)


def _absent(column: Column) -> Array | None:
    return None if column.present is None else ~column.present
