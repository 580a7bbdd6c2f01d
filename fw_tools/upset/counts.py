# SPDX-License-Identifier: Apache-2.0
"""How often each place ended in each outcome."""

from collections.abc import Sequence

import numpy as np

from fw_tools.upset.campaign import Table
from fw_tools.upset.engine import Array, Outcome
from fw_tools.upset.places import Place


def counts_by_place(places: Sequence[Place], table: Table) -> Array:
    """Return a row for each place, a column for each outcome."""
    numbers = np.array([place.number for place in places])
    order = np.argsort(numbers)
    index = order[np.searchsorted(numbers, table.place, sorter=order)]
    size = len(places) * len(Outcome)
    flat = np.bincount(index * len(Outcome) + table.outcome, table.weight, size)
    return flat.astype(np.int64).reshape(len(places), len(Outcome))  # Exact up to 2^53.
