# SPDX-License-Identifier: Apache-2.0
"""Service 3, housekeeping (ECSS-E-ST-70-41C 6.3): reports by themselves, and when asked."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fw_tools.pus.data_fields import REPORTS, TELECOMMANDS
from fw_tools.pus.failures import ExecutionFailure
from fw_tools.pus.identifiers import SHORTEST_INTERVAL_MS, UNITS_PER_SECOND
from fw_tools.pus.service import Answer, NotExecutedError

ENABLE, DISABLE, REPORT, SET_INTERVAL = 5, 6, 27, 31


@dataclass(slots=True, kw_only=True)
class Structure:
    """One housekeeping report structure and how it is generated at the moment."""

    structure_id: int
    destination_id: int
    fields: Callable[[], bytes]  # What follows the structure ID.
    interval_ms: int
    is_enabled: bool = True
    due_units: int = 0  # Time since start, 2^-16 s.


class HousekeepingService:
    """Service 3. `uptime` gives the time since start in units of 2^-16 s; nothing sets it."""

    def __init__(self, structures: Iterable[Structure], uptime: Callable[[], int]) -> None:
        self._structures = {each.structure_id: each for each in structures}
        self._uptime = uptime
        for each in self._structures.values():
            self._start_interval(each)

    def execute(self, subtype: int, data: bytes) -> tuple[Answer, ...]:
        """Carry out TC[3,5], TC[3,6], TC[3,27] or TC[3,31] for its one structure."""
        if data[0] != 1:
            raise NotExecutedError(ExecutionFailure.NOT_ONE_STRUCTURE, data[0])
        fields = TELECOMMANDS[3, subtype].parse(data)
        item = fields.intervals[0] if subtype == SET_INTERVAL else None
        structure_id = item.structure_id if item else fields.structures[0]
        structure = self._structures.get(structure_id)
        if structure is None:
            raise NotExecutedError(ExecutionFailure.UNKNOWN_STRUCTURE, structure_id)
        if subtype == REPORT:
            return (_report(structure),)
        if item:
            if item.interval_ms < SHORTEST_INTERVAL_MS:
                raise NotExecutedError(ExecutionFailure.WRONG_INTERVAL, item.interval_ms)
            structure.interval_ms = item.interval_ms
        else:
            structure.is_enabled = subtype == ENABLE
        self._start_interval(structure)
        return ()

    def due(self) -> Iterator[Answer]:
        """Yield the reports whose time has come; of several intervals gone by, one."""
        for each in self._structures.values():
            if each.is_enabled and self._uptime() >= each.due_units:
                self._start_interval(each)
                yield _report(each)

    def _start_interval(self, structure: Structure) -> None:
        structure.due_units = self._uptime() + structure.interval_ms * UNITS_PER_SECOND // 1000


def _report(structure: Structure) -> Answer:
    data = REPORTS[3, 25].build(
        {"structure_id": structure.structure_id, "fields": structure.fields()}
    )
    return Answer((3, 25), data, structure.destination_id)
