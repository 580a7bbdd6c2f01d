# SPDX-License-Identifier: Apache-2.0
"""`telemetry.py`: the construct definitions of a payload's packets, which the ground is given."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import PurePosixPath

from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.link_events import link_events
from fw_tools.rtl.names import FAULT_CAUSES, NO_FAULTED_RAIL, RAIL_STATES, NamedValue
from fw_tools.rtl.render import header, render
from fw_tools.spec.records import CalibrationSpec, FieldSpec, LimitsSpec, PacketSpec, Payload

CONSTRUCTS = {8: "Int8ub", 16: "Int16ub", 24: "Int24ub", 32: "Int32ub"}
TIME_UNITS = {"time.seconds": "s"}
MEANING_NAMES = ("Limits", "Polynomial", "Spline", "Table", "field")  # Of `telemetry`.
_LINE_LENGTH = 100
# Reports of a line (ECSS-E-ST-70-41C clause 8; 128 and above are the mission's).
LINK_MESSAGES = (
    ("accepted", 1, 1),
    ("refused", 1, 2),
    ("started", 1, 3),
    ("completed", 1, 7),
    ("failed", 1, 8),
    ("not_routed", 1, 10),
    ("housekeeping", 3, 25),
    ("event_info", 5, 1),
    ("event_low", 5, 2),
    ("event_medium", 5, 3),
    ("event_high", 5, 4),
    ("memory_dump", 6, 6),
    ("memory_check", 6, 10),
    ("image_check", 6, 130),
    ("alive", 17, 2),
    ("parameters", 20, 2),
)


def render_telemetry_module(payload: Payload, digest: str) -> tuple[GeneratedFile, ...]:
    """Return `telemetry.py` of `payload`.

    It imports construct, and from `telemetry` what says units, calibrations and limits, where a
    field has any.
    """
    enumerations = used_enumerations(payload)
    packets = [(packet, constant_name(packet), _lines(packet)) for packet in payload.packets]
    lines = "".join(line for _, _, packet_lines in packets for line in packet_lines)
    text = render(
        "telemetry.py.j2",
        head=header("#", digest, f"Telemetry of {payload.name}."),
        payload=payload,
        packets=packets,
        meanings=[name for name in MEANING_NAMES if f"{name}(" in lines],
        enumerations=enumerations,
        constructs=_imported_constructs(payload, bool(enumerations)),
        **_link(payload),
    )
    return (GeneratedFile(PurePosixPath("telemetry.py"), text),)


def _link(payload: Payload) -> dict[str, object]:
    """Return what the template needs for the reports of a line; nothing without a line."""
    if payload.link is None or not payload.packets:
        return {"link_packet": None}
    packet = payload.packets[0]
    return {
        "link_packet": packet,
        "link_constant": constant_name(packet),
        "messages": LINK_MESSAGES,
        "events": link_events(payload),
    }


def constant_name(packet: PacketSpec) -> str:
    """Return the name of the constant that holds the definition of `packet`."""
    return packet.name.upper()


def used_enumerations(payload: Payload) -> dict[str, tuple[NamedValue, ...]]:
    """Return the enumerations that fields of `payload` need, by their name in telemetry.py."""
    sources = {field.source for packet in payload.packets for field in packet.fields}
    tables = {_enumeration(source) for source in sources} - {""}
    every = {
        "RailState": RAIL_STATES,
        "FaultCause": FAULT_CAUSES,
        "FaultedRail": (
            *(NamedValue(n, rail.name, "") for n, rail in enumerate(payload.rails)),
            NamedValue(NO_FAULTED_RAIL, "none", ""),
        ),
    }
    return {name: values for name, values in every.items() if name in tables}


def _enumeration(source: str) -> str:
    if source.startswith("rail.") and source.endswith(".state"):
        return "RailState"
    return {
        "rails.first_fault_cause": "FaultCause",
        "rails.first_fault_rail": "FaultedRail",
    }.get(source, "")


def _lines(packet: PacketSpec) -> list[str]:
    """Return the declaration of each field: name, construct with its meaning, and source."""
    return [_line(field) for field in packet.fields]


def _line(field: FieldSpec) -> str:
    construct = _enumeration(field.source) or CONSTRUCTS[field.bits]
    meaning = _meaning(field)
    inner = f"field({', '.join((construct, *meaning))})" if meaning else construct
    line = f'"{field.name}" / {inner} * "{field.source}",'
    if len(line) + 4 <= _LINE_LENGTH:
        return line
    arguments = "".join(f"        {part},\n" for part in (construct, *meaning))
    return f'"{field.name}"\n    / field(\n{arguments}    )\n    * "{field.source}",'


def _meaning(field: FieldSpec) -> list[str]:
    """Return the arguments of `telemetry.field` behind the construct."""
    parts = []
    if unit := field.unit or TIME_UNITS.get(field.source, ""):
        parts.append(f'unit="{unit}"')
    if field.calibration is not None:
        parts.append(f"calibration={_calibration(field.calibration)}")
    if field.limits is not None:
        parts.append(f"limits={_limits(field.limits)}")
    return parts


def _calibration(calibration: CalibrationSpec) -> str:
    if calibration.polynomial:
        return f"Polynomial({_tuple(map(str, calibration.polynomial))})"
    if calibration.table:
        return f"Table({_points(calibration.table)})"
    extrapolate = ", extrapolate=True" if calibration.extrapolate else ""
    return f"Spline({_points(calibration.spline)}{extrapolate})"


def _limits(limits: LimitsSpec) -> str:
    ranges = (("warning", limits.warning), ("alarm", limits.alarm))
    parts = [f"{name}={_tuple(map(str, bounds))}" for name, bounds in ranges if bounds is not None]
    if limits.persistence > 1:
        parts.append(f"persistence={limits.persistence}")
    return f"Limits({', '.join(parts)})"


def _points(points: Iterable[tuple[Decimal, Decimal]]) -> str:
    return _tuple(f"({raw}, {value})" for raw, value in points)


def _tuple(parts: Iterable[str]) -> str:
    texts = list(parts)
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"


def _imported_constructs(payload: Payload, has_enumerations: bool) -> list[str]:
    bits = {field.bits for packet in payload.packets for field in packet.fields} | {8, 16, 32}
    integers = [CONSTRUCTS[width] for width in sorted(bits)]
    if payload.link is None or not payload.packets:
        return ["BitStruct", *(["Enum"] if has_enumerations else []), *integers, "Nibble", "Struct"]
    of_the_line = ("PrefixedArray", "Struct", "Switch", "this")
    return ["BitStruct", "Bytes", "Enum", *integers, "Nibble", *of_the_line]
