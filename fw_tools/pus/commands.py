# SPDX-License-Identifier: Apache-2.0
"""The telecommands of a payload: one row per service and subtype.

A row says what the length of a command may be: with N areas, structures, events or parameters the
application data has `head_octets + N * item_octets` octets, N being the octet at `count_at`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRow:
    """What is accepted of one kind of telecommand, before it is carried out."""

    service: int
    subtype: int
    name: str
    is_reading: bool = False  # Repeats are carried out again.
    head_octets: int = 0  # Application data, apart from the items.
    item_octets: int = 0
    count_at: int | None = None  # Where N stands in the application data.
    has_data: bool = False  # The last 16 bits of the one item tell its octets of data; a
    # checksum follows them. With another N every length is taken, and the command fails for N.

    @property
    def kind(self) -> tuple[int, int]:
        """Service and subtype."""
        return self.service, self.subtype

    def takes(self, data: bytes) -> bool:
        """Tell whether application data of a command of this kind has an allowed length."""
        if self.count_at is None or len(data) < self.head_octets:
            return len(data) == self.head_octets
        count = data[self.count_at]
        octets = self.head_octets + count * self.item_octets
        if not self.has_data or count == 0:
            return len(data) == octets
        if count != 1:
            return True
        return len(data) >= octets and len(data) == octets + self._data_octets(data, octets)

    def _data_octets(self, data: bytes, end: int) -> int:
        return int.from_bytes(data[end - 2 : end], "big") + CHECKSUM_OCTETS


CHECKSUM_OCTETS = 2

_ROWS = (
    CommandRow(
        service=3, subtype=5, name="enable housekeeping", head_octets=1, item_octets=2, count_at=0
    ),
    CommandRow(
        service=3, subtype=6, name="disable housekeeping", head_octets=1, item_octets=2, count_at=0
    ),
    CommandRow(
        service=3,
        subtype=27,
        name="report housekeeping",
        is_reading=True,
        head_octets=1,
        item_octets=2,
        count_at=0,
    ),
    CommandRow(
        service=3,
        subtype=31,
        name="set housekeeping interval",
        head_octets=1,
        item_octets=6,
        count_at=0,
    ),
    CommandRow(
        service=5, subtype=5, name="enable events", head_octets=1, item_octets=2, count_at=0
    ),
    CommandRow(
        service=5, subtype=6, name="disable events", head_octets=1, item_octets=2, count_at=0
    ),
    CommandRow(
        service=6,
        subtype=2,
        name="load memory",
        head_octets=2,
        item_octets=6,
        count_at=1,
        has_data=True,
    ),
    CommandRow(
        service=6,
        subtype=5,
        name="dump memory",
        is_reading=True,
        head_octets=2,
        item_octets=6,
        count_at=1,
    ),
    CommandRow(
        service=6,
        subtype=9,
        name="check memory",
        is_reading=True,
        head_octets=2,
        item_octets=6,
        count_at=1,
    ),
    CommandRow(
        service=6,
        subtype=128,
        name="erase memory",
        head_octets=2,
        item_octets=8,
        count_at=1,
    ),
    CommandRow(
        service=6,
        subtype=129,
        name="check image",
        is_reading=True,
        head_octets=2,
        item_octets=8,
        count_at=1,
    ),
    CommandRow(service=8, subtype=1, name="perform function", head_octets=2),
    CommandRow(service=9, subtype=1, name="set time report rate", head_octets=1),
    CommandRow(service=9, subtype=128, name="set time", head_octets=7),
    CommandRow(service=17, subtype=1, name="ping", is_reading=True),
    CommandRow(
        service=20,
        subtype=1,
        name="report parameters",
        is_reading=True,
        head_octets=1,
        item_octets=2,
        count_at=0,
    ),
    CommandRow(
        service=20, subtype=3, name="set parameters", head_octets=1, item_octets=6, count_at=0
    ),
)

COMMANDS: dict[tuple[int, int], CommandRow] = {row.kind: row for row in _ROWS}
SERVICES = frozenset(row.service for row in _ROWS)
