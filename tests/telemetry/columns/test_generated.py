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


# --- Functions, and what only construct parses ----------------------------------------------------


def called(expression):
    """Hide an expression in a function."""
    return lambda context: expression(context) if callable(expression) else expression


@st.composite
def functions(draw, names):
    """A function of the context: of one field, of several, or of what is around them."""
    name = draw(st.sampled_from(names))
    match draw(st.integers(0, 9)):
        case 0:
            return lambda context: context.get(name, 3)
        case 1:
            return lambda context: [context[name], str(context[name])]
        case 2:
            return lambda context: context._io.tell() + context._io.seek(0, io.SEEK_CUR)
        case 3:
            return lambda context: {"a": context[name], "_b": 1, "c": {"d": context[name] / 2}}
        case 4:
            return lambda context: None if context[name] % 2 else context[name]
        case 5:
            return lambda context: sorted(key for key in context if key[:1] != "_")
        case 6:
            return lambda context: context._index
        case 7:
            return lambda context: 10 // context._root[name]
        case 8:
            return lambda context: str(context)
    return called(draw(expressions(names)))


@st.composite
def opaque_fields(draw, names):
    """A field that is not compiled."""
    function = draw(functions(names))
    number = called(this[draw(st.sampled_from(names))] % 4)
    match draw(st.integers(0, 13)):
        case 0 | 1 | 2:
            return construct.Computed(function)
        case 3:
            return construct.Bytes(number)
        case 4:
            return construct.Array(number, draw(fixed_fields()))
        case 5:
            return construct.IfThenElse(function, draw(fixed_fields()), draw(fixed_fields()))
        case 6:
            options = draw(st.dictionaries(st.integers(0, 3), fixed_fields(), min_size=1))
            return construct.Switch(number, options, draw(st.one_of(st.none(), fixed_fields())))
        case 7:
            return construct.ExprAdapter(draw(integers()), lambda v, c: v * 3, lambda v, c: v // 3)
        case 8:
            return construct.PaddedString(draw(st.integers(1, 3)), "ascii")
        case 9:
            return draw(st.sampled_from([construct.VarInt, construct.Optional(construct.Int32ub)]))
        case 10:
            return construct.Optional(construct.Const(1, construct.Byte))
        case 11:
            return draw(st.sampled_from([construct.Tell, construct.Pointer(0, construct.Byte)]))
        case 12:
            return construct.Check(called(this[draw(st.sampled_from(names))] % 8 != 1))
    return construct.RepeatUntil(lambda item, items, context: item < 200, construct.Byte)


@st.composite
def opaque_groups(draw, names):
    """Opaque fields in a nested struct, in lists, in a length, among bits, or as they are."""
    inner = draw(opaque_fields(["k"]))
    nested = construct.Struct("k" / construct.Int8ub, "o" / inner, "l" / draw(fixed_fields()))
    match draw(st.integers(0, 7)):
        case 0:
            return nested
        case 1:
            return construct.Array(this[draw(st.sampled_from(names))] % 3, nested)
        case 2:
            return construct.Array(2, nested)
        case 3:
            return construct.FixedSized(4, construct.Struct("n" / nested, construct.GreedyBytes))
        case 4:
            function = draw(functions(["b"]))
            return construct.BitStruct(
                "b" / construct.Nibble, "c" / construct.Computed(function), construct.Padding(4)
            )
        case 5:
            return construct.Prefixed(construct.Byte, construct.Struct("k" / construct.GreedyBytes))
    return draw(opaque_fields(names))


@st.composite
def opaque_definitions(draw):
    """A Struct with fields that are not compiled among others, which may depend on each other."""
    first = draw(integers())
    fields, numbers = ["f0" / first], ["f0"]
    for index in range(1, draw(st.integers(2, 5))):
        kinds = (fixed_fields(), integers(), dependent_fields(numbers), opaque_groups(numbers))
        inner = draw(st.one_of(*kinds, opaque_groups(numbers)))
        fields.append(f"f{index}" / inner)
        is_number = isinstance(inner, construct.BytesInteger | construct.ExprAdapter)
        if is_number or (isinstance(inner, construct.Computed) and draw(st.booleans())):
            numbers.append(f"f{index}")
    return construct.Struct(*fields, *draw(tails()))


@st.composite
def opaque_cases(draw):
    layout = draw(opaque_definitions())
    return layout, draw(packets(layout))


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(opaque_cases())
def test_columns_with_functions_among_them_equal_constructs_parse(compare, case):
    layout, data_fields = case
    compare(layout, data_fields)
