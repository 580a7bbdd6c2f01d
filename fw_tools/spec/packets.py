# SPDX-License-Identifier: Apache-2.0
"""What must hold of packets and the sources of their fields."""

from collections.abc import Iterator, Mapping
from typing import Any

from fw_tools.spec import names
from fw_tools.spec.draft import Draft
from fw_tools.spec.findings import nearest
from fw_tools.spec.meanings import check_meaning
from fw_tools.spec.records import PACKET_OVERHEAD_OCTETS
from fw_tools.spec.sources import (
    BITMAP_SOURCES,
    INPUT_BITS,
    INPUT_PREFIX,
    MAX_BITMAP_RAILS,
    known_sources,
)
from fw_tools.spec.toml_source import KeyPath

PACKET_NAME = "housekeeping"
# The fields of a packet are held in flip-flops from trigger to last octet.
MAX_PACKET_OCTETS = 1024

# What a decoded packet already holds: the header's columns, and the fields before the user's.
RESERVED_FIELDS = (
    {"packet_version", "packet_type", "secondary_header_flag", "apid", "sequence_flags"}
    | {"sequence_count", "data_length", "pus", "service_type", "message_subtype"}
    | {"message_type_counter", "destination_id", "time_p_field", "time_coarse", "time_fine"}
    | {"structure_id", "packet_error_control"}
)

Field = tuple[KeyPath, str, dict[str, Any]]  # path, where, the field's table as in the file


def check_packets(draft: Draft) -> None:
    """Add mistakes in the number, APIDs, sources and lengths of packets."""
    _check_which(draft)
    _check_apids(draft)
    sources = known_sources(draft.rails, draft.memories)
    inputs: dict[str, int] = {}
    for name, packet in draft.raw("packet").items():
        fields = list(_fields(name, packet))
        _check_names(draft, fields)
        for field in fields:
            _check_source(draft, field, sources)
            _check_input(draft, field, inputs)
            check_meaning(draft, *field)
        _check_length(draft, name, fields, sources)


def _check_which(draft: Draft) -> None:
    for name in draft.packets:
        if name != PACKET_NAME:
            draft.findings.add(
                ("packet", name),
                f"packet {name}",
                f"this version makes one packet, [packet.{PACKET_NAME}]",
            )


def _check_apids(draft: Draft) -> None:
    first: dict[int, str] = {}
    for name, packet in draft.raw("packet").items():
        apid = packet.get("apid")
        if not isinstance(apid, int):
            continue
        if apid in first:
            message = f"{apid} is the APID of packet {first[apid]} already"
            draft.findings.add(("packet", name, "apid"), f"packet {name}: apid", message)
        first.setdefault(apid, name)


def _fields(name: str, packet: Mapping[str, Any]) -> Iterator[Field]:
    fields = packet.get("fields")
    for index, field in enumerate(fields if isinstance(fields, list) else ()):
        if isinstance(field, dict) and isinstance(field.get("source"), str):
            path = ("packet", name, "fields", index)
            yield path, f"packet {name}: field {field.get('name', f'[{index}]')}", field


def _check_names(draft: Draft, fields: list[Field]) -> None:
    seen = set()
    for path, where, field in fields:
        name = str(field.get("name"))
        if name in seen:
            draft.findings.add((*path, "name"), where, f"a field before it is named {name!r} too")
        seen.add(name)
        if name in RESERVED_FIELDS:
            message = f"{name!r} is a field of every packet; choose another name"
            draft.findings.add((*path, "name"), where, message)


def _check_source(draft: Draft, field: Field, sources: Mapping[str, int]) -> None:
    path, where, table = field
    source, bits = table["source"], table.get("bits")
    if source.startswith(INPUT_PREFIX):
        return
    if source not in sources:
        message = f"unknown source {source!r}; {_near_source(source, sources)}"
        draft.findings.add((*path, "source"), where, message)
    elif source in BITMAP_SOURCES and len(draft.rails) > MAX_BITMAP_RAILS:
        message = f"{source!r} has room for {MAX_BITMAP_RAILS} rails, not {len(draft.rails)}"
        draft.findings.add((*path, "source"), where, message)
    elif isinstance(bits, int) and bits != sources[source]:
        message = f"{source!r} has {sources[source]} bits, not {bits}; leave 'bits' out"
        draft.findings.add((*path, "bits"), where, message)


def _near_source(source: str, sources: Mapping[str, int]) -> str:
    if near := nearest(source, sources):
        return f"did you mean {near!r}?"
    return (
        "sources are time.seconds, rails.on (and others), rail.NAME.state, "
        "memory.NAME.corrected (and others), input.NAME"
    )


def _check_input(draft: Draft, field: Field, inputs: dict[str, int]) -> None:
    path, where, table = field
    source, bits = table["source"], table.get("bits")
    if not source.startswith(INPUT_PREFIX):
        return
    try:
        names.check_identifier(source.removeprefix(INPUT_PREFIX))
    except ValueError as error:
        draft.findings.add((*path, "source"), where, str(error))
    widths = ", ".join(map(str, INPUT_BITS))
    if bits is None:
        draft.findings.add(path, where, f"missing key 'bits'; an input is one of {widths} bits")
    elif isinstance(bits, int) and bits not in INPUT_BITS:
        message = f"an input is one of {widths} bits, not {bits}"
        draft.findings.add((*path, "bits"), where, message)
    elif isinstance(bits, int) and inputs.setdefault(source, bits) != bits:
        message = f"{source!r} was given {inputs[source]} bits before, now {bits}"
        draft.findings.add((*path, "bits"), where, message)


def _check_length(draft: Draft, name: str, fields: list[Field], sources: Mapping[str, int]) -> None:
    bits = (sources.get(table["source"], table.get("bits")) for _, _, table in fields)
    octets = PACKET_OVERHEAD_OCTETS + sum(b // 8 for b in bits if isinstance(b, int))
    if octets > MAX_PACKET_OCTETS:
        message = f"the packet has {octets} octets; at most {MAX_PACKET_OCTETS}"
        draft.findings.add(("packet", name, "fields"), f"packet {name}: fields", message)
