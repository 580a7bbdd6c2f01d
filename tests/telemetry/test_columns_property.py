# SPDX-License-Identifier: Apache-2.0
"""Columns against construct itself, over definitions and packets that hypothesis makes up."""

import contextlib
import io
import math
import struct

import construct
import numpy as np
import pytest
from construct import this
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.columns.column import Column
from telemetry.columns.fallback import build_columns, leaves_of
from telemetry.columns.field_path import FieldError, parse_data_field
from telemetry.columns.flatten import VERDICT_COLUMN
from telemetry.columns.plan import compile_packet
from telemetry.wire.batch import PacketBatch
from telemetry.wire.space_packet import PrimaryHeader, parse_primary_header

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
    """Return the leaf values of each packet that construct accepts, by its index."""
    accepted = {}
    for index, data in enumerate(data_fields):
        try:
            accepted[index] = leaves_of(parse_data_field(layout, "P", data))
        except FieldError:
            continue
    return accepted


def leaves_of_column(column: Column):
    """Return per packet {leaf name: value} of one column, octets as octets."""
    values = column.raw.tolist()
    if column.is_octets:
        ends = column.offsets.tolist()
        values = [bytes(column.raw[a:b]) for a, b in zip(ends, ends[1:], strict=False)]
    present = [True] * len(values) if column.present is None else column.present.tolist()
    known = [(value if shown else None) for value, shown in zip(values, present, strict=True)]
    if not column.is_list:
        return [{column.name: value} for value in known]
    ends = column.offsets.tolist()
    return [
        {column.name.replace("[]", f"[{i}]"): v for i, v in enumerate(known[a:b])}
        for a, b in zip(ends, ends[1:], strict=False)
    ]


def same(column: Column, ours, theirs):
    """Tell whether a value of a column is what construct gave."""
    if isinstance(theirs, construct.EnumIntegerString):
        return ours == theirs.intvalue and column.categories[ours] == str(theirs)
    if isinstance(theirs, construct.EnumInteger):
        return ours == int(theirs) and ours not in column.categories
    if isinstance(theirs, float):
        if math.isnan(theirs):
            return math.isnan(ours) and (_bits(ours) == _bits(theirs) or not _is_quiet(ours))
        return isinstance(ours, float) and _bits(ours) == _bits(theirs)
    return type(ours) is type(theirs) and ours == theirs


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
        known = {name: value for name, value in theirs.items() if value is not None}
        assert set(mine) == set(known), f"packet {index}"
        for name, value in known.items():
            column, got = mine[name]
            assert same(column, got, value), f"packet {index}: {name}: {got!r} for {value!r}"
    return plan


# --- Definitions ------------------------------------------------------------------------------------

FLOATS = [
    getattr(construct, f"Float{bits}{order}") for bits in (16, 32, 64) for order in ("b", "l", "n")
]
INTEGERS = [
    getattr(construct, f"Int{bits}{sign}{order}")
    for bits in (8, 16, 24, 32, 64)
    for sign in "us"
    for order in "bln"
]
NAMES = st.dictionaries(
    st.sampled_from(["off", "on", "safe", "fault"]), st.integers(0, 5), min_size=1
)


@st.composite
def integers(draw):
    """A field that holds an integer."""
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return draw(st.sampled_from(INTEGERS))
    octets = draw(st.integers(1, 9))
    return construct.BytesInteger(octets, signed=draw(st.booleans()), swapped=draw(st.booleans()))


@st.composite
def fixed_fields(draw, names=()):
    """A field that takes the same octets in every packet."""
    kind = draw(st.integers(0, 11))
    if kind <= 2:
        return draw(integers())
    if kind == 3:
        return draw(st.sampled_from(FLOATS))
    if kind == 4:
        return construct.Enum(draw(st.sampled_from(INTEGERS)), **draw(NAMES))
    if kind == 5:
        flags = draw(st.dictionaries(st.sampled_from("abc"), st.integers(0, 300), min_size=1))
        return construct.FlagsEnum(draw(st.sampled_from(INTEGERS)), **flags)
    if kind == 6:
        return construct.Flag
    if kind == 7:
        return construct.Bytes(draw(st.integers(1, 9)))
    if kind == 8:
        return construct.Padding(draw(st.integers(0, 3)))
    if kind == 9:
        return draw(bit_structs())
    if kind == 10:
        return construct.ByteSwapped(draw(bit_structs()))
    return construct.Const(draw(st.integers(0, 1)), construct.Int8ub)


@st.composite
def bit_structs(draw):
    """Fields of any widths, filled up to whole octets; a nested struct, octets among bits."""
    fields, total = [], 0
    for index in range(draw(st.integers(1, 7))):
        kind = draw(st.integers(0, 7))
        name = f"b{index}"
        if kind == 0:
            fields.append(name / construct.Flag)
            total += 1
        elif kind == 1:
            skipped = draw(st.integers(0, 9))
            fields.append(construct.Padding(skipped))
            total += skipped
        elif kind == 2:
            inner = draw(st.sampled_from([*FLOATS, *INTEGERS]))
            fields.append(name / construct.Bytewise(inner))
            total += 8 * inner.sizeof()
        elif kind == 3:
            width = draw(st.integers(1, 20))
            nested = construct.Struct("x" / construct.BitsInteger(width), "y" / construct.Flag)
            fields.append(name / nested)
            total += width + 1
        elif kind == 4:
            octets = draw(st.integers(1, 9))
            fields.append(
                name / construct.BitsInteger(8 * octets, signed=draw(st.booleans()), swapped=True)
            )
            total += 8 * octets
        else:
            width = draw(st.integers(1, 70))
            fields.append(name / construct.BitsInteger(width, signed=draw(st.booleans())))
            total += width
    fields.append(construct.Padding(-total % 8))
    return construct.BitStruct(*fields)


@st.composite
def expressions(draw, names, depth=2):
    """Arithmetic with the integers of these names."""
    if depth == 0 or draw(st.booleans()):
        if draw(st.booleans()):
            return this[draw(st.sampled_from(names))]
        return draw(st.sampled_from([-300, -2, -1, 0, 1, 2, 3, 7, 255, 2**31, 2**63]))
    left = draw(expressions(names, depth - 1))
    right = draw(expressions(names, depth - 1))
    operation = draw(
        st.sampled_from(
            [
                "+",
                "-",
                "*",
                "//",
                "%",
                "/",
                "&",
                "|",
                "^",
                "<<",
                ">>",
                "<",
                "==",
                "!=",
                ">=",
                "neg",
                "not",
            ]
        )
    )
    import operator as op

    table = {"+": op.add, "-": op.sub, "*": op.mul, "//": op.floordiv, "%": op.mod, "/": op.truediv}
    table |= {"&": op.and_, "|": op.or_, "^": op.xor, "<<": op.lshift, ">>": op.rshift}
    table |= {"<": op.lt, "==": op.eq, "!=": op.ne, ">=": op.ge}
    if operation == "neg":
        return -left
    if operation == "not" and not isinstance(left, int):
        return ~left
    try:
        return table.get(operation, op.add)(left, right)
    except (ArithmeticError, ValueError, OverflowError, MemoryError):
        return left


@st.composite
def definitions(draw):
    """A Struct of anything that the compiler knows, later fields depending on earlier ones."""
    fields, numbers, small = [], [], []
    for index in range(draw(st.integers(1, 5))):
        name = f"f{index}"
        kind = draw(st.integers(0, 10))
        if kind <= 3 or not numbers:
            inner = draw(fixed_fields())
            fields.append(name / inner)
            if isinstance(inner, construct.FormatField | construct.BytesInteger):
                if not isinstance(inner, construct.FormatField) or inner.fmtstr[1] not in "efd":
                    numbers.append(name)
            continue
        if kind == 4:
            fields.append(name / construct.Array(draw(st.integers(0, 3)), draw(fixed_fields())))
        elif kind == 5:
            fields.append(name / construct.Computed(draw(expressions(numbers))))
        elif kind == 6:
            condition = draw(expressions(numbers))
            fields.append(
                name
                / construct.IfThenElse(
                    condition,
                    draw(fixed_fields()),
                    draw(st.one_of(st.just(construct.Pass), fixed_fields())),
                )
            )
        elif kind == 7:
            cases = draw(st.dictionaries(st.integers(0, 3), fixed_fields(), min_size=1, max_size=3))
            default = draw(st.one_of(st.none(), fixed_fields()))
            fields.append(name / construct.Switch(this[numbers[-1]] % 4, cases, default))
        elif kind == 8:
            fields.append(name / construct.Bytes(this[draw(st.sampled_from(numbers))] % 5))
        elif kind == 9:
            element = draw(st.one_of(fixed_fields(), nested_structs()))
            fields.append(name / construct.Array(this[draw(st.sampled_from(numbers))] % 4, element))
        else:
            fields.append(name / draw(nested_structs()))
    tail = draw(st.integers(0, 3))
    if tail == 1:
        fields.append("tail" / construct.GreedyBytes)
    elif tail == 2:
        element = draw(st.one_of(fixed_fields(), nested_structs()))
        if element.sizeof():
            fields.append("tail" / construct.GreedyRange(element))
    elif tail == 3:
        fields.append(construct.Terminated)
    return construct.Struct(*fields)


@st.composite
def nested_structs(draw):
    """A Struct of fields at fixed places and what is computed of them."""
    fields = [f"n{i}" / draw(fixed_fields()) for i in range(draw(st.integers(1, 3)))]
    fields.insert(0, "k" / construct.Int8ub)
    fields.append("c" / construct.Computed(draw(expressions(["k"]))))
    return construct.Struct(*fields)


@st.composite
def packets(draw, layout):
    """Data fields that fit, and some that end early or go on; small values are common."""
    found = []
    for _ in range(draw(st.integers(0, 6))):
        random = draw(st.randoms(use_true_random=False))
        small = random.choice((0, 0.5, 0.9))
        data = bytes(
            random.randrange(3) if random.random() < small else random.randrange(256)
            for _ in range(100)
        )
        data = draw(st.one_of(st.just(data), st.just(data), st.binary(max_size=60)))
        if draw(st.integers(0, 5)):
            stream = io.BytesIO(data)
            with contextlib.suppress(Exception):
                layout.parse_stream(stream)
                data = data[: stream.tell()]
        found.append(data)
    return found


@st.composite
def cases(draw):
    layout = draw(definitions())
    return layout, draw(packets(layout)), draw(st.sampled_from([b"", b"\xa5\x5a\x01"]))


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_columns_of_any_definition_equal_constructs_parse(case):
    layout, data_fields, gap = case
    assert_columns_equal_construct(layout, data_fields, gap=gap)
