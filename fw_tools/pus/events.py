# SPDX-License-Identifier: Apache-2.0
"""Service 5, events (ECSS-E-ST-70-41C 6.5): reported at most once a second each, and kept."""

from collections import Counter
from collections.abc import Callable, Mapping

from fw_tools.pus.data_fields import REPORTS, TELECOMMANDS
from fw_tools.pus.failures import ExecutionFailure
from fw_tools.pus.identifiers import (
    EVENT_LOG_RECORD_OCTETS,
    EVENT_LOG_RECORDS,
    MOST_EVENTS,
    UNITS_PER_SECOND,
    Severity,
)
from fw_tools.pus.memories import PlainMemory
from fw_tools.pus.service import Answer, NotExecutedError

ENABLE, DISABLE = 5, 6
LOG_WORD_OCTETS = 4


class EventService:
    """Service 5. An event within a second of the last with its ID is counted as lost, not kept."""

    def __init__(
        self,
        severities: Mapping[int, Severity],
        uptime: Callable[[], int],
        now: Callable[[], int],
    ) -> None:
        self.log = PlainMemory(
            EVENT_LOG_RECORDS * EVENT_LOG_RECORD_OCTETS, LOG_WORD_OCTETS, is_writable=False
        )
        self.lost: Counter[int] = Counter()
        self._severities = severities
        self._uptime = uptime
        self._now = now
        self._disabled: set[int] = set()
        self._last: dict[int, int] = {}
        self._kept = 0

    def execute(self, subtype: int, data: bytes) -> tuple[Answer, ...]:
        """Carry out TC[5,5] or TC[5,6]; all IDs are checked before the first is switched."""
        count = data[0]
        if not 1 <= count <= MOST_EVENTS:
            raise NotExecutedError(ExecutionFailure.WRONG_EVENT_COUNT, count)
        events = TELECOMMANDS[5, subtype].parse(data).events
        for each in events:
            if each not in self._severities:
                raise NotExecutedError(ExecutionFailure.UNKNOWN_EVENT, each)
        if subtype == ENABLE:
            self._disabled -= set(events)
        else:
            self._disabled |= set(events)
        return ()

    def happened(self, event_id: int, data: int) -> Answer | None:
        """Keep an event and return its report; None when it is held back or disabled."""
        last = self._last.get(event_id)
        if last is not None and self._uptime() - last < UNITS_PER_SECOND:
            self.lost[event_id] += 1
            return None
        self._last[event_id] = self._uptime()
        self._keep(event_id, data)
        if event_id in self._disabled:
            return None
        kind = (5, int(self._severities[event_id]))
        fields = {"event_id": event_id, "data": data}
        return Answer(kind, REPORTS[kind].build(fields), destination_id=0)

    def restart(self) -> None:
        """Do what a warm reset does: the log stays, all events are enabled."""
        self._disabled.clear()
        self._last.clear()

    def _keep(self, event_id: int, data: int) -> None:
        record = event_id.to_bytes(2, "big") + self._now().to_bytes(6, "big")
        place = self._kept % EVENT_LOG_RECORDS * EVENT_LOG_RECORD_OCTETS
        self.log.write(place, record + data.to_bytes(4, "big"))
        self._kept += 1
