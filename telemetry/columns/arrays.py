# SPDX-License-Identifier: Apache-2.0
"""Lists of values as numpy columns."""

from typing import Any

import numpy as np

from telemetry.columns.flatten import Value, plain


def build_array(values: list[Value]) -> "np.ndarray[Any, Any]":
    """Return int64, uint64, float64, bool or text; objects where these would change a value.

    Objects are what a column holds whose values are of mixed types, missing in some rows, or
    integers of more than 64 bits. An Enum is its name, as text.
    """
    found = [plain(value) for value in values]
    types = {type(value) for value in found}
    if types == {int}:
        return _integers(found)
    is_uniform = len(types) == 1 and types <= {bool, float, str}
    return np.array(found, dtype=None if is_uniform else object)


def _integers(values: list[Value]) -> "np.ndarray[Any, Any]":
    for dtype in (np.int64, np.uint64):
        try:
            return np.array(values, dtype=dtype)
        except OverflowError:
            continue
    return np.array(values, dtype=object)
