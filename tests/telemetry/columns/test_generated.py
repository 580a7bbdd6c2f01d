# SPDX-License-Identifier: Apache-2.0
"""Columns against construct itself, over definitions and packets that hypothesis makes up."""

import contextlib
import io
import operator

import construct
from construct import this
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


BINARY = (
    operator.add,
    operator.sub,
    operator.mul,
    operator.floordiv,
    operator.mod,
    operator.truediv,
    operator.and_,
    operator.or_,
    operator.xor,
    operator.lshift,
    operator.rshift,
    operator.lt,
    operator.eq,
    operator.ne,
    operator.ge,
)
NUMBERS = (-300, -2, -1, 0, 1, 2, 3, 7, 255, 1 << 31, 1 << 63)


@st.composite
def expressions(draw, names, depth=2):
    """Arithmetic with the integers of these names."""
    if depth == 0 or draw(st.booleans()):
        path = this[draw(st.sampled_from(names))]
        return path if draw(st.booleans()) else draw(st.sampled_from(NUMBERS))
    left = draw(expressions(names, depth - 1))
    match draw(st.integers(0, 5)):
        case 0:
            return -left
        case 1 if not isinstance(left, int | float):
            return ~left
    right = draw(expressions(names, depth - 1))
    try:
        return draw(st.sampled_from(BINARY))(left, right)
    except (
        ArithmeticError,
        ValueError,
        TypeError,
        MemoryError,
    ):  # Of two numbers, computed at once.
        return left


@st.composite
def dependent_fields(draw, names):
    """A field that depends on the integers of these names."""
    name = st.sampled_from(names)
    match draw(st.integers(0, 6)):
        case 0:
            return construct.Computed(draw(expressions(names)))
        case 1:
            other = draw(st.one_of(st.just(construct.Pass), fixed_fields()))
            return construct.IfThenElse(draw(expressions(names)), draw(fixed_fields()), other)
        case 2:
            options = draw(st.dictionaries(st.integers(0, 3), fixed_fields(), min_size=1))
            default = draw(st.one_of(st.none(), fixed_fields()))
            return construct.Switch(this[draw(name)] % 4, options, default)
        case 3:
            return construct.Bytes(this[draw(name)] % 5)
        case 4:
            element = draw(st.one_of(fixed_fields(), nested_structs()))
            return construct.Array(this[draw(name)] % 4, element)
        case 5:
            inner = construct.Struct("x" / construct.Int8ub, "rest" / construct.GreedyBytes)
            return construct.FixedSized(this[draw(name)] % 5, inner)
    return construct.If(this[draw(name)] % 2, construct.Array(this[draw(name)] % 3, construct.Byte))


@st.composite
def definitions(draw):
    """A Struct of anything that the compiler knows, later fields depending on earlier ones."""
    first = draw(integers())
    fields, numbers = ["f0" / first], ["f0"]
    for index in range(1, draw(st.integers(1, 5))):
        kinds = (fixed_fields(), integers(), nested_structs(), dependent_fields(numbers))
        inner = draw(st.one_of(*kinds))
        if draw(st.integers(0, 5)) == 0:
            inner = construct.Array(draw(st.integers(0, 3)), inner)
        fields.append(f"f{index}" / inner)
        if isinstance(inner, construct.BytesInteger):
            numbers.append(f"f{index}")
    return construct.Struct(*fields, *draw(tails()))


@st.composite
def tails(draw):
    """What a packet may end in."""
    element = draw(st.one_of(fixed_fields(), nested_structs()))
    endings = [(), ("tail" / construct.GreedyBytes,), (construct.Terminated,)]
    if element.sizeof():
        endings.append(("tail" / construct.GreedyRange(element),))
    return draw(st.sampled_from(endings))


@st.composite
def nested_structs(draw):
    """A Struct of fields at fixed places and what is computed of them."""
    fields = [f"n{i}" / draw(fixed_fields()) for i in range(draw(st.integers(1, 3)))]
    computed = "c" / construct.Computed(draw(expressions(["k"])))
    return construct.Struct("k" / construct.Int8ub, *fields, computed)


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
def test_columns_of_any_definition_equal_constructs_parse(compare, case):
    layout, data_fields, gap = case
    compare(layout, data_fields, gap=gap)
