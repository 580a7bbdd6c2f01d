# SPDX-License-Identifier: Apache-2.0
"""Reports of a payload as records, and as lines for people."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from construct import ConstructError

from fw_tools.board.description import LinkDescription
from fw_tools.pus.data_fields import REPORTS
from fw_tools.pus.failures import Failure, failure_text
from fw_tools.pus.identifiers import EVENT_LOG_RECORD_OCTETS, UNITS_PER_SECOND, Severity
from fw_tools.pus.packets import PRIMARY_OCTETS, SEQUENCE_MODULUS, Telemetry, build_tm

if TYPE_CHECKING:
    from telemetry.columns.definition import Definition

CRC_FIELD = "packet_error_control"

_VERIFICATION = {1: "accepted", 3: "started", 7: "completed"}
_FAILED = (2, 8, 10)


@dataclass(frozen=True, slots=True)
class Event:
    """An event, reported or from the log."""

    time_s: float  # Of the payload.
    event_id: int
    name: str  # "event 9" where the description has none.
    severity: Severity | None
    data: int

    def text(self) -> str:
        """Return it as one line."""
        severity = self.severity.name.lower() if self.severity else "unknown"
        return f"{self.time_s:14.3f}  {severity:6}  {self.name}  {self.data:#x}"


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """A housekeeping report; what its fields mean, the generated telemetry definition tells."""

    time_s: float
    structure_id: int
    fields: bytes

    @classmethod
    def of(cls, report: Telemetry) -> "Housekeeping":
        """Read TM[3,25]."""
        parsed = REPORTS[3, 25].parse(report.data)
        return cls(_time_s(report), parsed.structure_id, parsed.fields)


def read_event(report: Telemetry, description: LinkDescription) -> Event:
    """Read TM[5,1] to TM[5,4]."""
    fields = REPORTS[report.kind].parse(report.data)
    severity = Severity(report.subtype)
    return Event(
        _time_s(report), fields.event_id, _name(fields.event_id, description), severity, fields.data
    )


def read_event_log(log: bytes, description: LinkDescription) -> list[Event]:
    """Return the events of a dumped log, the oldest first; records never written are left out.

    The payload writes it round and round. The newest stands before the place where time goes back.
    """
    severities = {each.id: each.severity for each in description.events}
    events = []
    for at in range(0, len(log), EVENT_LOG_RECORD_OCTETS):
        event_id = int.from_bytes(log[at : at + 2], "big")
        if event_id:
            units = int.from_bytes(log[at + 2 : at + 8], "big")
            data = int.from_bytes(log[at + 8 : at + 12], "big")
            name, severity = _name(event_id, description), severities.get(event_id)
            events.append(Event(units / UNITS_PER_SECOND, event_id, name, severity, data))
    backwards = [at for at in range(1, len(events)) if events[at].time_s < events[at - 1].time_s]
    oldest = backwards[0] if len(backwards) == 1 else 0
    return events[oldest:] + events[:oldest]


class ReportText:
    """Any report as one line.

    `definition` names the construct definitions of a FILE.py:NAME, which is run, for housekeeping;
    without it the fields are shown as octets.
    """

    def __init__(self, description: LinkDescription, definition: str | None = None) -> None:
        self._description = description
        self._definition = _load(definition) if definition else None
        self._parameters = {each.id: each.name for each in description.parameters}

    def line(self, report: Telemetry) -> str:
        """Return payload time, service, subtype and what is told."""
        kind = f"TM[{report.service},{report.subtype}]"
        return f"{_time_s(report):14.3f}  {kind:9}  {self._told(report)}"

    def _told(self, report: Telemetry) -> str:
        if report.kind not in REPORTS:
            return report.data.hex()
        try:
            fields = REPORTS[report.kind].parse(report.data)
        except ConstructError:
            return f"not laid out as it should be: {report.data.hex()}"
        if report.service == 1:
            return _verification(report, fields)
        if report.service == 5:
            event = read_event(report, self._description)
            return f"{Severity(report.subtype).name.lower()}: {event.name}  {event.data:#x}"
        if report.kind == (3, 25):
            return self._housekeeping(report, fields)
        if report.kind == (20, 2):
            return ", ".join(
                f"{self._parameters.get(each.id, each.id)}={each.value:#x}"
                for each in fields.parameters
            )
        return "alive" if report.kind == (17, 2) else _area(fields)

    def _housekeeping(self, report: Telemetry, fields: Any) -> str:
        packet = self._definition.of(report.apid) if self._definition else None
        if packet is None:
            return f"structure {fields.structure_id}: {fields.fields.hex()}"
        found = packet.parse(build_tm(report)[PRIMARY_OCTETS:])
        names = list(found)
        own = names[names.index("structure_id") + 1 :] if "structure_id" in names else names
        return ", ".join(f"{name}={found[name]}" for name in own if name != CRC_FIELD)


def _load(definition: str) -> "Definition":
    from telemetry.columns.loading import load_definition

    return load_definition(definition)


def _verification(report: Telemetry, fields: Any) -> str:
    count = int.from_bytes(fields.request_id[2:], "big") % SEQUENCE_MODULUS
    if report.subtype in _FAILED:
        failure = Failure(fields.code, fields.value)
        return f"command {count} failed: {failure_text(report.subtype, failure)}"
    return f"command {count} {_VERIFICATION[report.subtype]}"


def _area(fields: Any) -> str:
    areas = ", ".join(f"{area.length} octets at {area.address:#x}" for area in fields.areas)
    return f"memory {fields.memory_id}: {areas}"


def _time_s(report: Telemetry) -> float:
    return report.seconds + report.fraction / UNITS_PER_SECOND


def _name(event_id: int, description: LinkDescription) -> str:
    names = {each.id: each.name for each in description.events}
    return names.get(event_id, f"event {event_id}")
