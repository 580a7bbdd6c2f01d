# SPDX-License-Identifier: Apache-2.0
"""One packet field by field."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from telemetry.columns.column import Column
from telemetry.columns.definition import Definition
from telemetry.columns.extents import (
    OCTET_BITS,
    Dissection,
    Extent,
    FieldExtent,
    data_field_bits,
    dissect,
    uncovered,
)
from telemetry.columns.field import Meaning
from telemetry.columns.field_path import FieldError
from telemetry.columns.flatten import Value
from telemetry.common.kernels import Kernels
from telemetry.common.text import count
from telemetry.errors import InputError, UsageError
from telemetry.ops.cells import ENGINEERING, STATE, VALID
from telemetry.ops.floors import Floors, Found
from telemetry.ops.options import DEFAULTS, Options
from telemetry.ops.pipeline import Pipeline
from telemetry.ops.reading import PlanReader
from telemetry.ops.table import GAP_COLUMN, Table, take_rows
from telemetry.wire.batch import VerdictCode
from telemetry.wire.space_packet import PRIMARY_HEADER_OCTETS, PrimaryHeader, parse_primary_header
from telemetry.wire.spans import Verdict

_HEADER_BITS = (3, 1, 1, 11, 2, 14, 16)  # CCSDS 133.0-B-2, 4.1.3
_HEADER_WORDS = (
    "0: a space packet", "0: telemetry, 1: telecommand", "a secondary header follows",
    "application process identifier", "3: not segmented, 1: first, 0: next, 2: last",
    "counts the packets of the APID", "bytes behind the primary header, minus one",
)  # fmt: skip


class NoPacketError(InputError):
    """A dump without any packet of the definition."""


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field of a packet, ready to be shown."""

    name: str  # "" where octets belong to no field that has a name.
    extent: Extent | None  # In bits of the whole packet.
    hexadecimal: str
    raw: Value = None
    engineering: Value = None
    unit: str = ""
    state: str = ""  # Of the limits: "ok", "alarm_high", ...
    is_valid: bool = True
    description: str = ""
    unreadable: str = ""  # Why there is no value.


@dataclass(frozen=True, slots=True)
class PacketView:
    """A packet of a dump, field by field."""

    number: int  # From 1, of all packets of the stream.
    offset: int  # In the input, or in what its frames carry.
    header: PrimaryHeader
    octets: bytes
    verdict: Verdict
    missing_before: int | None  # None: it gives no row.
    fields: tuple[FieldView, ...]
    error: FieldError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which packet: by number, or by an octet of it."""

    number: int | None = None
    offset: int | None = None


def inspect_packet(
    chunks: Iterable[bytes], definition: Definition, wanted: Wanted, options: Options = DEFAULTS
) -> PacketView:
    """Read a dump up to the packet that is wanted; `UsageError` if there is no such packet.

    `NoPacketError` if there is none at all.

    What comes before it is decoded, too: limits with persistence, and gaps, depend on it.
    """
    floors = Floors(definition, options, Kernels.NUMPY)
    reader = PlanReader(definition, has_header=options.has_primary_header)
    pipeline = Pipeline(definition, options, reader)
    pipeline.begin(Kernels.NUMPY)
    seeker = _Seeker(wanted, options)
    for chunk in chunks:
        at = seeker.look(floors.push(chunk))
        tables = pipeline.push(chunk)
        if at is not None:
            return _view(definition, seeker, at, tables)
        for _ in tables:
            pass
    at = seeker.look(floors.close())
    if at is not None:
        return _view(definition, seeker, at, pipeline.end())
    if not seeker.number:
        raise NoPacketError(f"no packet of the definition in {count(floors.octets, 'byte')}")
    raise UsageError(seeker.complaint(floors.packet_octets))


@dataclass(slots=True)
class _Seeker:
    wanted: Wanted
    options: Options
    found: Found | None = None
    number: int = 0  # Packets by now.
    matching: int = 0  # Of these, of the APID that is wanted.

    def look(self, batches: Iterable[Found]) -> int | None:
        """Return the index of the packet in `found`, which is kept, if it is here."""
        for found in batches:
            index = self._index(found)
            if index is not None:
                self.found = found
                self.number += index + 1
                return index
            self.number += len(found.packets)
        return None

    def _index(self, found: Found) -> int | None:
        packets = found.packets
        if self.wanted.offset is not None:
            place = self.wanted.offset - packets.offset
            index = int(np.searchsorted(packets.starts, place, side="right")) - 1
            if index < 0 or place >= packets.starts[index] + packets.lengths[index]:
                return None
            return index
        apid = self.options.apid
        chosen = np.arange(len(packets)) if apid is None else np.flatnonzero(found.apids == apid)
        place = (self.wanted.number or 1) - 1 - self.matching
        self.matching += len(chosen)
        return int(chosen[place]) if 0 <= place < len(chosen) else None

    def complaint(self, octets: int) -> str:
        if self.wanted.offset is not None:
            return (
                f"--offset {self.wanted.offset}: no packet of the definition is there "
                f"({octets:,} bytes); `fw-telemetry explain` says what is"
            )
        of_apid = "" if self.options.apid is None else f" of APID {self.options.apid}"
        return (
            f"--packet {self.wanted.number}: the dump has {count(self.matching, 'packet')}{of_apid}"
        )


def _view(
    definition: Definition, seeker: _Seeker, index: int, tables: Iterable[Table]
) -> PacketView:
    found = seeker.found
    assert found is not None
    packets = found.packets
    octets, offset = packets.packet(index), int(packets.starts[index]) + packets.offset
    verdict = VerdictCode(int(packets.verdicts[index])).verdict
    has_header = seeker.options.has_primary_header
    header_octets = PRIMARY_HEADER_OCTETS if has_header else 0
    header = (
        parse_primary_header(octets)
        if has_header
        else PrimaryHeader(0, 0, 0, int(found.apids[index]), 3, 0, len(octets) - 1)
    )
    packet = definition.of(header.apid)
    assert packet is not None
    row = _row_at(tables, offset)
    dissection = dissect(packet.layout, packet.label, octets[header_octets:])
    fields = [*(_header_views(header) if has_header else ())]
    fields += _field_views(dissection, octets, header_octets, _beside(row), packet.meanings.of)
    return PacketView(
        seeker.number,
        offset,
        header,
        octets,
        verdict,
        None if row is None else int(row.columns[GAP_COLUMN].raw[0]),
        tuple(fields),
        dissection.error,
    )


def _row_at(tables: Iterable[Table], offset: int) -> Table | None:
    """Return a table of the one packet at `offset`, if it is in one."""
    for table in tables:
        rows = np.flatnonzero(table.offsets == offset)
        if len(rows):
            return take_rows(table, rows)
    return None


def _beside(row: Table | None) -> dict[str, tuple[Column, Value]]:
    """Return each flat column of a packet, and its only value, by name."""
    flat = [] if row is None else row.flat(DEFAULTS)
    return {column.name: (column, column.values()[0]) for column in flat}


def _header_views(header: PrimaryHeader) -> Iterator[FieldView]:
    at = 0
    named = zip(header._fields, header, _HEADER_BITS, _HEADER_WORDS, strict=True)
    for name, value, bits, words in named:
        extent = Extent(at, at + bits)
        yield FieldView(name, extent, f"{value:0{-(-bits // 4)}x}", value, description=words)
        at += bits


def _field_views(
    dissection: Dissection,
    octets: bytes,
    header_octets: int,
    beside: dict[str, tuple[Column, Value]],
    meaning_of: Callable[[str], Meaning | None],
) -> list[FieldView]:
    data = octets[header_octets:]
    base = header_octets * OCTET_BITS
    views = [_view_of(field, data, base, beside, meaning_of) for field in dissection.fields]
    known = {view.name for view in views}
    views += [
        FieldView(name, None, "", None, value, column.unit, *_judged(name, beside))
        for name, (column, value) in beside.items()
        if (meaning := meaning_of(name)) and meaning.derived is not None and name not in known
    ]
    if dissection.error is None:
        views += [
            FieldView("", _moved(extent, base), _hex(data, extent))
            for extent in uncovered(dissection.fields, len(data))
        ]
    far = len(octets) * OCTET_BITS
    return sorted(views, key=lambda view: view.extent.first if view.extent else far)


def _view_of(
    field: FieldExtent,
    data: bytes,
    base: int,
    beside: dict[str, tuple[Column, Value]],
    meaning_of: Callable[[str], Meaning | None],
) -> FieldView:
    column, shown = beside.get(field.name, (None, None))
    meaning = meaning_of(field.name)
    raw = field.value.hex() if isinstance(field.value, bytes) else field.value
    engineering = beside.get(field.name + ENGINEERING, (None, None))[1]
    if meaning is not None and meaning.derived is not None and column is not None:
        raw, engineering = None, shown
    elif column is not None and column.categories is not None:
        raw, engineering = column.raw.tolist()[0], shown if isinstance(shown, str) else None
    is_empty = field.extent is None or field.extent.first == field.extent.end
    return FieldView(
        field.name,
        None if field.extent is None or is_empty else _moved(field.extent, base),
        "" if field.extent is None or is_empty else _hex(data, field.extent),
        raw,
        engineering,
        meaning.unit if meaning else "",
        *_judged(field.name, beside),
        description=(meaning.description if meaning else "") or field.description,
        unreadable=field.unreadable,
    )


def _judged(name: str, beside: dict[str, tuple[Column, Value]]) -> tuple[str, bool]:
    state = beside.get(name + STATE, (None, ""))[1]
    is_valid = beside.get(name + VALID, (None, True))[1]
    return str(state or ""), bool(is_valid)


def _moved(extent: Extent, base: int) -> Extent:
    return Extent(extent.first + base, extent.end + base)


def _hex(data: bytes, extent: Extent) -> str:
    """Return the octets of an extent, or its bits as a number where it is no whole octets."""
    bits = extent.end - extent.first
    if extent.first % OCTET_BITS == 0 and bits % OCTET_BITS == 0:
        return data[extent.first // OCTET_BITS : extent.end // OCTET_BITS].hex()
    return f"{data_field_bits(data, extent):0{-(-bits // 4)}x}"
