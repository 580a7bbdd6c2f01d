# SPDX-License-Identifier: Apache-2.0
"""`telemetry.py`: the construct definitions of a payload's packets, which the ground is given."""

from pathlib import PurePosixPath

from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.names import FAULT_CAUSES, NO_FAULTED_RAIL, RAIL_STATES, NamedValue
from fw_tools.rtl.render import header, render
from fw_tools.spec.records import FieldSpec, PacketSpec, Payload

CONSTRUCTS = {8: "Int8ub", 16: "Int16ub", 24: "Int24ub", 32: "Int32ub"}
TIME_UNITS = {"time.seconds": "s"}


def render_telemetry_module(payload: Payload, digest: str) -> tuple[GeneratedFile, ...]:
    """Return `telemetry.py` of `payload`; it imports construct and nothing else."""
    enumerations = used_enumerations(payload)
    text = render(
        "telemetry.py.j2",
        head=header("#", digest, f"Telemetry of {payload.name}."),
        payload=payload,
        packets=[(packet, constant_name(packet), _lines(packet)) for packet in payload.packets],
        enumerations=enumerations,
        constructs=_imported_constructs(payload, bool(enumerations)),
    )
    return (GeneratedFile(PurePosixPath("telemetry.py"), text),)


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


def _lines(packet: PacketSpec) -> list[tuple[str, str, str]]:
    """Return name, construct and remark (unit, source) of each field."""
    return [
        (field.name, _enumeration(field.source) or CONSTRUCTS[field.bits], _remark(field))
        for field in packet.fields
    ]


def _remark(field: FieldSpec) -> str:
    unit = field.unit or TIME_UNITS.get(field.source, "")
    return f"{unit}; {field.source}" if unit else field.source


def _imported_constructs(payload: Payload, has_enumerations: bool) -> list[str]:
    bits = {field.bits for packet in payload.packets for field in packet.fields} | {8, 16, 32}
    integers = [CONSTRUCTS[width] for width in sorted(bits)]
    return ["BitStruct", *(["Enum"] if has_enumerations else []), *integers, "Nibble", "Struct"]
