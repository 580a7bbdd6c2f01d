# SPDX-License-Identifier: Apache-2.0
"""One field of many packets, as a numpy array."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.columns.flatten import Value

Array: TypeAlias = NDArray[Any]
NAMELESS_INDEX = "[]"  # Stands in the name of a ragged column where a row has `[3]`.


@dataclass(slots=True, kw_only=True)
class Column:
    """One value per packet, or with `offsets` any number of values per packet (ragged).

    `raw` holds what construct parses: integers in the narrowest type that holds the field, bool,
    float16/32/64, octets of fixed length as `V<n>`, and Python objects where nothing else keeps the
    value (integers wider than 64 bits, text, mixed types). An Enum is its integer, named by
    `categories`; an integer that has no name there is unknown to the definition.

    A ragged column holds the values of packet i in `raw[offsets[i] : offsets[i + 1]]`; its name
    has `[]` where the index belongs (`samples[]`, `events[].code`). Octets of variable length are
    a ragged column of uint8 with `is_octets`, under their plain name: one value per packet, and
    what stands beside `raw` elsewhere stands beside the packets there.
    """

    name: str
    raw: Array
    offsets: NDArray[np.int64] | None = None  # One more than there are packets; begins with 0.
    categories: Mapping[int, str] | None = None
    present: NDArray[np.bool_] | None = None  # Beside `raw`: False where an If or Switch left out.
    is_lost: NDArray[np.bool_] | None = None  # Beside `raw`: True where octets make no value.
    is_octets: bool = False
    unit: str = ""
    engineering: Array | None = None  # Beside `raw`.
    valid: NDArray[np.bool_] | None = None  # Beside `raw`: False where `valid_if` does not hold.
    state: NDArray[np.uint8] | None = None  # Beside `raw`: the limit state.

    def __len__(self) -> int:
        """Return the number of packets."""
        return len(self.raw) if self.offsets is None else len(self.offsets) - 1

    @property
    def is_list(self) -> bool:
        """Whether a packet has a list of values here, and not one."""
        return self.offsets is not None and not self.is_octets

    def values(self) -> list[Value]:
        """Return all raw values as rows have them: None where absent, names, hexadecimal octets.

        For a list column these are the values of all packets, one after the other.
        """
        if self.is_octets and self.offsets is not None:
            text, ends = self.raw.tobytes().hex(), (2 * self.offsets).tolist()
            found: list[Value] = [text[a:b] for a, b in pairwise(ends)]
        elif self.raw.dtype.kind == "M":
            found = [f"{text}Z" for text in np.datetime_as_string(self.raw, "ns").tolist()]
        elif self.raw.dtype.kind in "VO":
            found = [v.hex() if isinstance(v, bytes) else v for v in self.raw.tolist()]
        else:
            found = self.raw.tolist()
        if self.categories is not None:
            found = [self.categories.get(value, value) for value in found]  # type: ignore[arg-type]
        if self.present is None:
            return found
        return [v if p else None for v, p in zip(found, self.present.tolist(), strict=True)]

    def rows(self) -> list[Value] | list[list[Value]]:
        """Return one entry per packet: its value, or the list of its values."""
        values = self.values()
        if not self.is_list or self.offsets is None:
            return values
        ends = self.offsets.tolist()
        return [values[a:b] for a, b in pairwise(ends)]
