# SPDX-License-Identifier: Apache-2.0
"""Fields of a table, with widths and places in bits, as a construct."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import construct
from construct import this

from telemetry.columns.field import field as with_meaning

OCTET_BITS = 8
_INTEGERS = {8: "Int8", 16: "Int16", 24: "Int24", 32: "Int32", 64: "Int64"}
_FLOATS = {16: construct.Float16b, 32: construct.Float32b, 64: construct.Float64b}


@dataclass(frozen=True, slots=True)
class CsvField:
    """One field: `bits` are those of an element, `offset` counts from the first field's bit."""

    name: str
    type: str  # uint, int, float, str, fill
    bits: int
    shape: tuple[int, ...] = ()
    count: str | None = None  # "expand", or the field that holds the number of elements.
    offset: int | None = None
    unit: str = ""
    description: str = ""

    @property
    def total_bits(self) -> int:
        """Bits of all elements; without those of an array of variable length."""
        total = self.bits if self.count is None else 0
        for size in self.shape:
            total *= size
        return total

    def moved(self, bits: int) -> "CsvField":
        """Return the same field at another place."""
        return self if self.offset is None else replace(self, offset=self.offset + bits)


def build_layout(fields: Sequence[CsvField]) -> Any:
    """Return a construct for fields in order, or at their offsets where they have some.

    Without a bit field it is a Struct of whole octets, else a BitStruct. In packets of variable
    length, runs of bit fields are hidden BitStructs whose values are computed from there. Raises
    `ValueError` where that cannot be.
    """
    placed = any(field.offset is not None for field in fields)
    ordered = _in_place(fields) if placed else list(fields)
    is_variable = any(field.count is not None for field in ordered)
    if is_variable:
        return construct.Struct(*_variable(ordered))
    if placed and _has_overlap(fields):
        return construct.BitStruct(*_pieces(fields))
    bits = sum(field.total_bits for field in ordered)
    if bits % OCTET_BITS:
        raise ValueError(f"the fields take {bits} bits, which are no whole octets; add fill")
    if _is_whole(ordered):
        return construct.Struct(*(_octet_member(field) for field in ordered))
    return construct.BitStruct(*(_bit_member(field) for field in ordered))


def _is_whole(fields: Sequence[CsvField]) -> bool:
    return all(field.bits % OCTET_BITS == 0 for field in fields)


def _named(field: CsvField, layout: Any) -> Any:
    if field.type == "fill":
        return layout
    if field.unit or field.description:
        layout = with_meaning(layout, unit=field.unit, description=field.description)
    return field.name / layout


def _octet_member(field: CsvField) -> Any:
    if field.type == "fill":
        return construct.Padding(field.total_bits // OCTET_BITS)
    return _named(field, _shaped(field, _octets(field)))


def _octets(field: CsvField) -> Any:
    octets = field.bits // OCTET_BITS
    if field.type == "float":
        return _FLOATS[field.bits]
    if field.type == "str":
        return construct.Bytes(octets)
    is_signed = field.type == "int"
    if field.bits in _INTEGERS:
        return getattr(construct, f"{_INTEGERS[field.bits]}{'s' if is_signed else 'u'}b")
    return construct.BytesInteger(octets, signed=is_signed)


def _bit_member(field: CsvField) -> Any:
    if field.type == "fill":
        return construct.Padding(field.total_bits)
    if field.type in ("float", "str"):
        return _named(field, _shaped(field, construct.Bytewise(_octets(field))))
    element = construct.BitsInteger(field.bits, signed=field.type == "int")
    return _named(field, _shaped(field, element))


def _shaped(field: CsvField, element: Any) -> Any:
    for size in reversed(field.shape):
        element = construct.Array(size, element)
    return element


# --- Fields at their offsets ----------------------------------------------------------------------


def _in_place(fields: Sequence[CsvField]) -> list[CsvField]:
    """Return the fields by offset, with fill where there is a hole, up to a whole octet."""
    ordered: list[CsvField] = []
    end = 0
    for field in sorted(_located(fields), key=lambda field: field.offset or 0):
        start = field.offset or 0
        if start > end:
            ordered.append(CsvField("", "fill", start - end, offset=end))
        ordered.append(field)
        end = max(end, start + field.total_bits)
    if rest := -end % OCTET_BITS:
        ordered.append(CsvField("", "fill", rest, offset=end))
    return ordered


def _located(fields: Sequence[CsvField]) -> Iterator[CsvField]:
    end = 0
    for field in fields:
        start = end if field.offset is None else field.offset
        yield replace(field, offset=start)
        end = max(end, start + field.total_bits)


def _has_overlap(fields: Sequence[CsvField]) -> bool:
    edges = sorted(_edges(field) for field in _located(fields))
    return any(after < end for (_, end), (after, _) in pairwise(edges))


def _pieces(fields: Sequence[CsvField]) -> Iterator[Any]:
    """Yield members of a BitStruct that is cut wherever a field begins or ends.

    A field of several pieces is computed from them.
    """
    filled = _in_place(fields)
    cuts = sorted({edge for field in filled for edge in _edges(field)})
    ends: dict[int, list[CsvField]] = {}
    for field in filled:
        ends.setdefault(_edges(field)[1], []).append(field)
    single = {_edges(field): field for field in reversed(filled) if field.type != "fill"}
    for start, end in pairwise(cuts):
        owner = single.get((start, end))
        if owner is not None:
            yield _bit_member(owner)
        else:
            yield f"_bits{start}" / construct.BitsInteger(end - start)
        for field in ends.get(end, []):
            if field is not owner and field.type != "fill":
                yield _computed(field, cuts, single)


def _edges(field: CsvField) -> tuple[int, int]:
    start = field.offset or 0
    return start, start + field.total_bits


def _computed(field: CsvField, cuts: Sequence[int], single: dict[tuple[int, int], CsvField]) -> Any:
    start, end = _edges(field)
    if field.type != "uint" or field.shape:
        raise ValueError(f"field {field.name}: only single uint fields may share bits with others")
    value: Any = None
    for first, last in pairwise(cut for cut in cuts if start <= cut <= end):
        owner = single.get((first, last))
        if owner is not None and owner.type != "uint":
            raise ValueError(f"field {field.name}: it shares bits with {owner.name}, no uint")
        piece = this[owner.name if owner else f"_bits{first}"]
        value = piece if value is None else (value << (last - first)) | piece
    return _named(field, construct.Computed(value))


# --- Packets of variable length -------------------------------------------------------------------


def _variable(fields: Sequence[CsvField]) -> Iterator[Any]:
    run: list[CsvField] = []
    for number, field in enumerate(fields):
        is_open = bool(run) and sum(member.total_bits for member in run) % OCTET_BITS != 0
        if field.count is None and (is_open or field.total_bits % OCTET_BITS):
            run.append(field)
            continue
        yield from _hidden_bits(run)
        run = []
        if field.count == "expand":
            yield from _expanding(field, fields[number + 1 :])
        elif field.count is not None:
            yield _named(field, construct.Array(this[field.count], _octets(field)))
        else:
            yield _octet_member(field)
    yield from _hidden_bits(run)


def _hidden_bits(run: Sequence[CsvField]) -> Iterator[Any]:
    if not run:
        return
    bits = sum(field.total_bits for field in run)
    if bits % OCTET_BITS:
        raise ValueError(
            f"field {run[-1].name}: the bit fields up to here take {bits} bits, which are no "
            "whole octets; add a row of fill"
        )
    if shaped := [field.name for field in run if field.shape]:
        raise ValueError(
            f"field {shaped[0]}: an array that is no whole octets cannot stand in a packet of "
            "variable length"
        )
    hidden = f"_bits_{run[0].name}"
    yield hidden / construct.BitStruct(*(_bit_member(replace(f, unit="")) for f in run))
    for field in run:
        if field.type != "fill":
            yield _named(field, construct.Computed(this[hidden][field.name]))


def _expanding(field: CsvField, footer: Sequence[CsvField]) -> Iterator[Any]:
    """Yield an array up to the fields behind it, whose octets are known."""
    if any(member.count is not None for member in footer):
        raise ValueError(f"field {field.name}: what follows an expanding array has a fixed length")
    bits = sum(member.total_bits for member in footer)
    if not bits:
        yield _named(field, construct.GreedyRange(_octets(field)))
        return
    if bits % OCTET_BITS:
        raise ValueError(f"field {field.name}: {bits} bits follow it, which are no whole octets")
    octets = field.bits // OCTET_BITS
    count = (construct.len_(this._rest) - bits // OCTET_BITS) // octets
    yield "_rest" / construct.Peek(construct.GreedyBytes)
    yield _named(field, construct.Array(count, _octets(field)))
