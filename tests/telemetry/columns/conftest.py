# SPDX-License-Identifier: Apache-2.0
"""The oracle of the column tests: construct parses each packet, and the columns are held to it."""

import io
import math
import struct
from itertools import pairwise

import construct
import numpy as np
import pytest

from telemetry.columns.column import Column
from telemetry.columns.fallback import leaves_of
from telemetry.columns.field_path import FieldError, parse_data_field
from telemetry.columns.flatten import VERDICT_COLUMN, plain
from telemetry.columns.plan import compile_packet
from telemetry.columns.unreadable import Unreadable
from telemetry.wire.batch import PacketBatch
from telemetry.wire.space_packet import PrimaryHeader

HEADER = bytes([0x08, 0x42, 0xC0, 0x07, 0x00, 0x00])


def batch_of(data_fields, gap=b""):
    """Return a batch of packets with these data fields, and `gap` between them."""
    packets = [HEADER + data for data in data_fields]
    lengths = np.array([len(packet) for packet in packets], np.int64)
    steps = lengths + len(gap)
    octets = np.frombuffer(b"".join(packet + gap for packet in packets), np.uint8)
    verdicts = np.arange(len(packets), dtype=np.uint8) % 3
    return PacketBatch(octets, np.cumsum(steps) - steps, lengths, 0, verdicts)


def parsed_by_construct(layout, data_fields):
    """Return the leaf values of each packet that construct accepts, by its index.

    What construct refuses for values that are none is read by `parse_data_field` without these.
    """
    accepted = {}
    for index, data in enumerate(data_fields):
        stream = io.BytesIO(data)
        try:
            parsed = layout.parse_stream(stream)
            is_whole = stream.tell() == len(data)
        except Exception:
            is_whole = False
        if is_whole:
            accepted[index] = leaves_of(parsed)
            continue
        try:
            found = parse_data_field(layout, "P", data)
        except FieldError:
            continue
        assert found.unreadable, f"packet {index} is accepted, but not by construct"
        accepted[index] = leaves_of(found.value)
    return accepted


def leaves_of_column(column: Column):
    """Return per packet {leaf name: value} of one column, octets as octets."""
    values = column.raw.tolist()
    if column.is_octets:
        ends = column.offsets.tolist()
        values = [bytes(column.raw[a:b]) for a, b in pairwise(ends)]
    present = [True] * len(values) if column.present is None else column.present.tolist()
    known = [(value if shown else None) for value, shown in zip(values, present, strict=True)]
    if not column.is_list:
        return [{column.name: value} for value in known]
    ends = column.offsets.tolist()
    return [
        {column.name.replace("[]", f"[{i}]"): v for i, v in enumerate(known[a:b])}
        for a, b in pairwise(ends)
    ]


def same(column: Column, ours, theirs):
    """Tell whether a value of a column is what construct gave."""
    is_enum = isinstance(theirs, construct.EnumIntegerString | construct.EnumInteger)
    if is_enum and column.categories is None:  # Among values of other types: as in rows.
        return ours == plain(theirs)
    if isinstance(theirs, construct.EnumIntegerString):
        return ours == theirs.intvalue and column.categories[ours] == str(theirs)
    if isinstance(theirs, construct.EnumInteger):
        return ours == int(theirs) and ours not in column.categories
    if isinstance(theirs, float):
        if math.isnan(theirs):
            return math.isnan(ours) and (_bits(ours) == _bits(theirs) or not _is_quiet(ours))
        return isinstance(ours, float) and _bits(ours) == _bits(theirs)
    return isinstance(theirs, type(ours)) and ours == theirs


def _bits(value):
    return struct.pack(">d", value)


def _is_quiet(value):
    return bool(_bits(value)[1] & 8)


def assert_columns_equal_construct(layout, data_fields, *, gap=b"", plan=None):
    plan = plan or compile_packet(layout, "P")
    batch = batch_of(data_fields, gap)
    found = plan.extract(batch)
    accepted = parsed_by_construct(layout, data_fields)
    assert found.indices.tolist() == list(accepted), "other packets fail than construct's"
    assert sorted(failure.index for failure in found.failures) == sorted(
        set(range(len(data_fields))) - set(accepted)
    )
    for failure in found.failures:
        assert isinstance(failure.error, FieldError)
    ours = [{} for _ in accepted]
    for name, column in found.columns.items():
        assert column.name == name
        if name in (*PrimaryHeader._fields, VERDICT_COLUMN):
            continue
        assert len(column) == len(accepted), name
        for row, leaves in enumerate(leaves_of_column(column)):
            ours[row] |= {
                leaf: (column, value) for leaf, value in leaves.items() if value is not None
            }
    for (index, theirs), mine in zip(accepted.items(), ours, strict=True):
        known = {
            name: value
            for name, value in theirs.items()
            if value is not None and not isinstance(value, Unreadable)
        }
        assert set(mine) == set(known), f"packet {index}"
        for name, value in known.items():
            column, got = mine[name]
            assert same(column, got, value), f"packet {index}: {name}: {got!r} for {value!r}"
    return plan


@pytest.fixture(scope="session")
def make_batch():
    """Give the function that makes a batch of packets from data fields."""
    return batch_of


@pytest.fixture(scope="session")
def compare():
    """Give the function that holds columns to construct's parse, and returns the plan."""
    return assert_columns_equal_construct
