# SPDX-License-Identifier: Apache-2.0
"""Rows back to packets: what `decode` writes as JSON lines, `build` reads."""

import copy
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import construct

from telemetry.columns.calibration import Names
from telemetry.columns.definition import CRC_FIELD, Definition, PacketDefinition
from telemetry.columns.field import Field
from telemetry.columns.flatten import RESERVED_COLUMNS
from telemetry.common.text import printable
from telemetry.errors import InputError
from telemetry.ops.cells import BESIDE_COLUMNS, BESIDE_SUFFIX
from telemetry.wire.crc import CRC_OCTETS, crc16
from telemetry.wire.space_packet import (
    DATA_LENGTH_BIAS,
    MAX_DATA_OCTETS,
    SEQUENCE_COUNT_MODULO,
    SEQUENCE_FLAGS_UNSEGMENTED,
    PrimaryHeader,
    build_primary_header,
)

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_DEFAULTS = {
    "packet_version": 0, "packet_type": 0, "secondary_header_flag": 0,
    "sequence_flags": SEQUENCE_FLAGS_UNSEGMENTED,
}  # fmt: skip
_COMPOUNDS = (construct.Struct, construct.Sequence, construct.FocusedSeq, construct.Select)
_LISTS = (construct.Array, construct.GreedyRange, construct.RepeatUntil)


@dataclass(slots=True)
class Builder:
    """Build packets from rows. The CRC is computed, whatever the row says.

    A row without a sequence count continues the count of its APID; other header fields that a row
    lacks are those of an unsegmented telemetry packet without a secondary header. Without
    `has_primary_header` there are data fields only; the CRC, which would be of the header too, is
    then the row's, or 0. `apid` is that of rows that name none.
    """

    definition: Definition
    has_primary_header: bool = True
    apid: int | None = None
    _counts: dict[int, int] = field(default_factory=dict)

    def build(self, row: Mapping[str, Any]) -> bytes:
        """Return the packet of a row; `InputError` names the field that cannot be built."""
        apid = self._apid(row)
        packet = self.definition.of(apid)
        if packet is None:
            known = ", ".join(map(str, sorted(self.definition.by_apid)))
            raise InputError(f"apid: {apid} is not in the definition, which has {known}")
        data = _build_data_field(packet, row)
        if not 1 <= len(data) <= MAX_DATA_OCTETS:
            raise InputError(f"{packet.label}: {len(data):,} bytes; a packet carries 1 to 65,536")
        if not self.has_primary_header:
            return data
        header = self._header(row, apid, len(data))
        octets = header + data
        if packet.rule.has_crc:
            body = octets[:-CRC_OCTETS]
            octets = body + crc16(body).to_bytes(CRC_OCTETS, "big")
        return octets

    def _apid(self, row: Mapping[str, Any]) -> int:
        apid = row.get("apid", self.apid)
        if apid is None and len(self.definition.by_apid) == 1:
            return next(iter(self.definition.by_apid))
        if apid is None and not self.has_primary_header and self.definition.any_apid is not None:
            return 0  # Whatever it is: it is not written.
        if isinstance(apid, bool) or not isinstance(apid, int):
            raise InputError(f"apid: expected a number, not {apid!r}")
        return apid

    def _header(self, row: Mapping[str, Any], apid: int, data_octets: int) -> bytes:
        values = {name: row.get(name, default) for name, default in _DEFAULTS.items()}
        count = row.get("sequence_count", self._counts.get(apid, 0))
        values |= {"apid": apid, "sequence_count": count}
        values["data_length"] = data_octets - DATA_LENGTH_BIAS
        try:
            header = build_primary_header(PrimaryHeader(**values))
        except (TypeError, ValueError) as error:
            raise InputError(str(error)) from error
        self._counts[apid] = (int(count) + 1) % SEQUENCE_COUNT_MODULO
        return header


def _build_data_field(packet: PacketDefinition, row: Mapping[str, Any]) -> bytes:
    values = _nested(packet, row)
    _refuse_unknown(packet, row)
    try:
        return bytes(_lenient(packet.layout).build(values))
    except Exception as error:  # A definition may hold functions, which fail in any way.
        raise InputError(_told(packet.label, error, row)) from error


def _refuse_unknown(packet: PacketDefinition, row: Mapping[str, Any]) -> None:
    """Raise `InputError` for a name of a row that begins with no field of a Struct."""
    if not _is_struct(packet.layout):
        return
    known = _first_names(packet.layout)
    for column in (name for name, _ in _own(packet, row)):
        first = re.split(r"[.\[]", column, maxsplit=1)[0]
        if first not in known:
            near = difflib.get_close_matches(first, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise InputError(printable(f"{packet.label}: there is no field {column!r}; {hint}"))


def _is_struct(layout: Any) -> bool:
    return type(_inside(layout)) is construct.Struct


@lru_cache(maxsize=64)
def _first_names(layout: Any) -> tuple[str, ...]:
    return tuple(member.name for member in _inside(layout).subcons if member.name)


def _told(label: str, error: Exception, row: Mapping[str, Any]) -> str:
    """Name the field: construct puts its path into the first line of its messages."""
    path = str(getattr(error, "path", None) or "")
    steps = [step.strip() for step in path.split("->")[1:]]
    text = str(error).partition("\n")[2] if path else str(error)
    where = ".".join([label, *steps])
    name = ".".join(steps)
    if name and row.get(name) is None and str(error).rstrip().endswith("None"):
        return printable(f"{where}: the row has no value for it")
    return printable(f"{where}: {text.strip() or type(error).__name__}")


# --- Rows to nested values ------------------------------------------------------------------------


class _Values(dict[str, Any]):
    """The values of a Struct. What a row lacks is None: an If that is not taken, a Const."""

    def __missing__(self, key: str) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        """Give a value to a function of the definition, as a parsed Struct does."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]


def _nested(packet: PacketDefinition, row: Mapping[str, Any]) -> Any:
    root: dict[Any, Any] = {}
    for name, value in _own(packet, row):
        steps = [int(index) if index else text for text, index in _STEP.findall(name)]
        if not steps:
            raise InputError(f"{name!r} is no name of a field")
        place = root
        for step in steps[:-1]:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise InputError(f"{name}: there is a value at a name before it")
        place[steps[-1]] = value
    value = _shaped(root)
    return value if _is_group(packet.layout) else value.get("value")


def _is_group(layout: Any) -> bool:
    """Whether a layout gives more than one value, so that each has a name or an index."""
    layout = _inside(layout)
    return isinstance(layout, (construct.Struct, construct.Sequence, construct.Union, *_LISTS))


def _inside(layout: Any) -> Any:
    """Return the first list, or construct that is made of no other one, inside of a layout."""
    while isinstance(layout, construct.Subconstruct) and not isinstance(layout, _LISTS):
        layout = layout.subcon
    return layout


def _own(packet: PacketDefinition, row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields of the definition, under the names that it gives them."""
    for column, value in row.items():
        stem = BESIDE_SUFFIX.sub("", column)
        is_beside = stem != column and stem in row
        if value is None or column in RESERVED_COLUMNS or column in BESIDE_COLUMNS or is_beside:
            continue
        name = column.removeprefix("data.")
        name = name if name in RESERVED_COLUMNS else column
        meaning = packet.meanings.of(column)
        names = meaning.calibration if meaning else None
        if isinstance(names, Names) and isinstance(value, str):
            counts = {text: count for count, text in names.categories.items()}
            value = counts.get(value, value)
        yield name, value
    if packet.rule.has_crc and CRC_FIELD not in row:
        yield CRC_FIELD, 0


def _shaped(value: Any) -> Any:
    """Turn dicts with numbers as keys into lists."""
    if not isinstance(value, dict):
        return value
    if value and all(isinstance(key, int) for key in value):
        return [_shaped(value.get(index)) for index in range(max(value) + 1)]
    return _Values({str(key): _shaped(item) for key, item in value.items()})


# --- A layout that takes what JSON can say --------------------------------------------------------


class _FromText(construct.Subconstruct):  # type: ignore[misc]  # construct carries no types.
    """Octets are given in hexadecimal; a float may be the text "nan" or "inf"."""

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if isinstance(obj, str):
            is_float = isinstance(self.subcon, construct.FormatField)
            try:
                obj = float(obj) if is_float else bytes.fromhex(obj)
            except ValueError:
                expected = "a number" if is_float else "bytes in hexadecimal"
                text = f"expected {expected}, not {obj!r}"
                raise construct.ConstructError(text, path=path) from None
        return self.subcon._build(obj, stream, context, path)


class _MaybeEmpty(construct.Subconstruct):  # type: ignore[misc]
    """A list without elements leaves no column in a row."""

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        return self.subcon._build([] if obj is None else obj, stream, context, path)


class _Members(construct.Subconstruct):  # type: ignore[misc]
    """A Struct whose lists are there, though empty, and whose octets are no longer text.

    Expressions may ask for the length of both.
    """

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        values = _Values(obj) if isinstance(obj, Mapping) else _Values()
        for member in self.subcon.subcons:
            if member.name and member.name not in values and isinstance(_inside(member), _LISTS):
                values[member.name] = []
            if member.name in values and _is_octets(member):
                values[member.name] = _octets(values[member.name])
        return self.subcon._build(values, stream, context, path)


def _is_octets(member: Any) -> bool:
    """Whether the value of a member is octets, with nothing that makes something else of them."""
    while isinstance(member, construct.Renamed | construct.Default | Field | _FromText):
        member = member.subcon
    return isinstance(member, construct.Bytes) or member is construct.GreedyBytes


def _octets(value: Any) -> Any:
    """Return octets for hexadecimal text; what is none stays, and is told when it is built."""
    try:
        return bytes.fromhex(value) if isinstance(value, str) else value
    except ValueError:
        return value


@lru_cache(maxsize=64)
def _lenient(layout: Any) -> Any:
    """Return a copy of a layout that builds from what rows hold."""
    if isinstance(layout, construct.StringEncoded | construct.Enum | construct.FlagsEnum):
        return layout  # These take text or names themselves.
    is_octets = isinstance(layout, construct.Bytes) or layout is construct.GreedyBytes
    is_octets |= isinstance(layout, construct.Const) and isinstance(layout.value, bytes)
    if is_octets or (isinstance(layout, construct.FormatField) and layout.fmtstr[-1] in "efd"):
        return _FromText(layout)
    copied = copy.copy(layout)
    if isinstance(layout, _LISTS):
        copied.subcon = _lenient(layout.subcon)
        return _MaybeEmpty(copied)
    if isinstance(layout, _COMPOUNDS):
        copied.subcons = [_lenient(member) for member in layout.subcons]
        return _Members(copied) if isinstance(layout, construct.Struct) else copied
    if isinstance(layout, construct.IfThenElse):
        copied.thensubcon = _lenient(layout.thensubcon)
        copied.elsesubcon = _lenient(layout.elsesubcon)
    elif isinstance(layout, construct.Switch):
        copied.cases = {key: _lenient(case) for key, case in layout.cases.items()}
        copied.default = _lenient(layout.default)
    elif isinstance(layout, construct.Subconstruct):
        copied.subcon = _lenient(layout.subcon)
    else:
        return layout
    return copied


def build_packets(
    rows: Iterable[Mapping[str, Any]], definition: Definition, *, has_primary_header: bool = True
) -> Iterator[bytes]:
    """Yield the packet of each row; `InputError` names the field that cannot be built."""
    builder = Builder(definition, has_primary_header)
    return map(builder.build, rows)
