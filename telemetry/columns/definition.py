# SPDX-License-Identifier: Apache-2.0
"""Definitions: which construct reads the packets of which APID."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import construct

from telemetry.columns.field import Field
from telemetry.columns.field_path import parse_data_field
from telemetry.columns.layout_checks import is_bitwise, layout_mistakes
from telemetry.columns.meanings import Meanings, compile_meanings
from telemetry.errors import InputError, UsageError
from telemetry.wire.crc import CRC_OCTETS
from telemetry.wire.rules import PacketRule, StreamRules
from telemetry.wire.segments import MAX_GROUP_OCTETS
from telemetry.wire.space_packet import IDLE_APID, MAX_DATA_OCTETS, MIN_DATA_OCTETS

CRC_FIELD = "packet_error_control"  # ECSS-E-ST-70-41C 7.4.3.1


@dataclass(frozen=True, slots=True)
class PacketDefinition:
    """The construct of what follows the primary header, and the form it gives the packet."""

    label: str  # Where it was found: "PACKET" or "PACKETS[66]".
    layout: Any  # construct.Construct, which carries no types.
    rule: PacketRule
    meanings: Meanings  # What `telemetry.field` says in the layout.
    size: int | None = None  # Octets behind the primary header, where that is always the same.

    def parse(self, data_field: bytes) -> Any:
        """Parse a packet data field; raise `FieldError` with the path of the field that failed.

        An `Unreadable` stands in the place of a value that cannot be made of its octets.
        """
        return parse_data_field(self.layout, self.label, data_field).value


@dataclass(frozen=True, slots=True)
class Definition:
    """Packet definitions by APID, or one for whatever APID comes."""

    by_apid: Mapping[int, PacketDefinition]
    any_apid: PacketDefinition | None = None

    def of(self, apid: int) -> PacketDefinition | None:
        """Return the definition for `apid`, if there is one."""
        return self.by_apid.get(apid, self.any_apid)

    def rules(self, *, is_segmented: bool = False) -> StreamRules:
        """Return what a deframer has to know; `is_segmented`: what comes are parts of packets.

        `InputError` for a definition that is larger than a packet, unless it comes in parts.
        """
        if is_segmented:
            return self._segment_rules()
        packets = [*self.by_apid.values(), *([self.any_apid] if self.any_apid else [])]
        for packet in packets:
            if packet.size is not None and packet.size > MAX_DATA_OCTETS:
                raise InputError(
                    f"{packet.label} takes {packet.size:,} octets; the data field of a packet has "
                    f"{MIN_DATA_OCTETS} to {MAX_DATA_OCTETS:,}. What comes in several packets is "
                    "put together by --reassemble"
                )
        by_apid = {apid: definition.rule for apid, definition in self.by_apid.items()}
        return StreamRules(by_apid, self.any_apid.rule if self.any_apid else None)

    def _segment_rules(self) -> StreamRules:
        """Return rules that say of a length only that there is room for a CRC."""

        def of(packet: PacketDefinition) -> PacketRule:
            octets = MIN_DATA_OCTETS + CRC_OCTETS * packet.rule.has_crc
            return PacketRule(min_octets=octets, has_crc=packet.rule.has_crc)

        by_apid = {apid: of(packet) for apid, packet in self.by_apid.items()}
        return StreamRules(by_apid, of(self.any_apid) if self.any_apid else None)

    def bind(self, apid: int) -> "Definition":
        """Return the definition for a user who wants `apid` only; `UsageError` if it has none."""
        if not 0 <= apid < IDLE_APID:
            raise UsageError(f"APID {apid}: an APID of telemetry is 0..{IDLE_APID - 1}")
        if self.any_apid is not None:
            return Definition({apid: self.any_apid})
        if apid not in self.by_apid:
            known = ", ".join(map(str, sorted(self.by_apid)))
            raise UsageError(f"APID {apid}: the definition has only APID {known}")
        return self


def define(found: object, label: str = "definition") -> Definition:
    """Check a construct, or a dict APID -> construct, and return it as a `Definition`.

    `InputError` names the element that is neither; all wrong elements are named at once.
    """
    if isinstance(found, Definition):
        return found
    if isinstance(found, construct.Construct):
        return Definition({}, _define_packet(found, label))
    if not isinstance(found, Mapping):
        raise InputError(
            f"{label} is {_a(found)}; expected a construct, or a dict APID -> construct"
        )
    if not found:
        raise InputError(f"{label} is an empty dict; expected APID -> construct")
    mistakes = [text for apid, item in found.items() if (text := _mistake(label, apid, item))]
    if mistakes:
        raise InputError("\n".join(mistakes))
    packets: dict[int, PacketDefinition] = {}
    for apid, item in found.items():
        try:
            packets[apid] = _define_packet(item, f"{label}[{apid}]")
        except InputError as error:
            mistakes.append(str(error))
    if mistakes:
        raise InputError("\n".join(mistakes))
    return Definition(packets)


def _mistake(label: str, apid: object, item: object) -> str:
    if isinstance(apid, bool) or not isinstance(apid, int) or not 0 <= apid < IDLE_APID:
        return f"{label}: the key {apid!r} is no APID; expected an integer 0..{IDLE_APID - 1}"
    if not isinstance(item, construct.Construct):
        return f"{label}[{apid}] is {_a(item)}; expected a construct"
    return ""


def _a(found: object) -> str:
    if isinstance(found, type):
        return f"the class {found.__name__}"
    return f"of type {type(found).__name__}"


def _define_packet(layout: Any, label: str) -> PacketDefinition:
    if mistakes := list(layout_mistakes(layout, label)):
        raise InputError("\n".join(dict.fromkeys(mistakes)))
    fields = _fields(layout)
    has_crc = _has_crc(layout, label)
    size = _sizeof(layout)
    if size is not None and not MIN_DATA_OCTETS <= size <= MAX_GROUP_OCTETS:
        raise InputError(
            f"{label} takes {size:,} octets; the data field of a packet has "
            f"{MIN_DATA_OCTETS} to {MAX_DATA_OCTETS:,}"
        )
    if size is not None:
        most = min(size, MAX_DATA_OCTETS)
        rule = PacketRule(min_octets=most, max_octets=most, has_crc=has_crc)
    else:
        at_least = max(MIN_DATA_OCTETS, sum(_sizeof(field) or 0 for field in fields))
        rule = PacketRule(min_octets=min(at_least, MAX_DATA_OCTETS), has_crc=has_crc)
    return PacketDefinition(label, layout, rule, compile_meanings(layout, label), size)


def _has_crc(layout: Any, label: str) -> bool:
    """Return whether the last field that takes octets is the CRC, in a Struct or BitStruct."""
    layout = _bare(layout)
    has_bits = is_bitwise(layout)
    fields = _fields(layout.subcon if has_bits else layout)
    last = next((field for field in reversed(fields) if _sizeof(field) != 0), None)
    if last is None or last.name != CRC_FIELD:
        if any(field.name == CRC_FIELD for field in fields):
            behind = f"{last.name!r}" if last is not None and last.name else "another field"
            raise InputError(
                f"{label}.{CRC_FIELD} must be the last field, but {behind} follows; a field that "
                "is not the CRC-16 of the packet needs another name"
            )
        return False
    if _sizeof(last) != CRC_OCTETS * (8 if has_bits else 1):
        raise InputError(f"{label}.{CRC_FIELD} must be {CRC_OCTETS} octets wide, as the CRC-16 is")
    return True


def _bare(layout: Any) -> Any:
    """Return the construct without its name and meaning."""
    while isinstance(layout, construct.Renamed | Field):
        layout = layout.subcon
    return layout


def _fields(layout: Any) -> list[Any]:
    """Return the fields of a Struct, named or not; none for any other construct."""
    layout = _bare(layout)
    return list(layout.subcons) if isinstance(layout, construct.Struct) else []


def _sizeof(layout: Any) -> int | None:
    """Return the octets that `layout` always takes, or None when that depends on the packet."""
    if layout is construct.Terminated:
        return 0
    fields = _fields(layout)
    sizes = [_sizeof(field) for field in fields]
    known = [size for size in sizes if size is not None]
    if fields and len(known) == len(sizes):
        return sum(known)
    try:
        return int(layout.sizeof())
    except Exception:  # A size expression may fail in any way outside of a packet.
        return None
