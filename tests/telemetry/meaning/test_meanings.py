# SPDX-License-Identifier: Apache-2.0
"""What stands beside the raw values of whole packets. Expected values are worked by hand."""

import copy

import numpy as np
import pytest
from construct import (
    Array,
    BitsInteger,
    BitStruct,
    Bitwise,
    Bytes,
    Const,
    Container,
    Enum,
    FlagsEnum,
    Float32b,
    GreedyBytes,
    GreedyRange,
    If,
    Int8ub,
    Int16sb,
    Int16ub,
    Nibble,
    Padding,
    Pass,
    Sequence,
    Struct,
    Switch,
    abs_,
    len_,
    this,
)  # fmt: skip

import telemetry
from telemetry import Limits, LimitState, derived, field
from telemetry.columns.definition import define
from telemetry.columns.limits import LimitMemory
from telemetry.columns.meanings import apply_meanings, compile_meanings
from telemetry.errors import InputError

OK, HIGH, LOW = LimitState.OK, LimitState.WARNING_HIGH, LimitState.WARNING_LOW
UNKNOWN = LimitState.UNKNOWN
VOLTS = {"unit": "V", "calibration": (0, 0.5), "limits": {"warning": (1, 2)}}


# --- A field is what it wraps ---------------------------------------------------------------------

PLAIN = Struct(
    "a" / Int16ub,
    "e" / Enum(Int8ub, OFF=0, ON=1),
    "bits" / BitStruct("n" / Nibble, Padding(1), "m" / BitsInteger(3)),
    "row" / Int8ub[2],
    "inner" / Struct("x" / Float32b),
)
MEANT = Struct(
    "a" / field(Int16ub, **VOLTS),
    "e" / field(Enum(Int8ub, OFF=0, ON=1), description="switch"),
    "bits" / field(BitStruct("n" / field(Nibble, unit="A"), Padding(1), "m" / BitsInteger(3))),
    "row" / field(Int8ub[2], **VOLTS),
    "inner" / Struct("x" / field(Float32b, unit="K", valid_if=this._.e == "ON")),
)
OCTETS = bytes(range(1, 11))


@pytest.mark.parametrize("layout", [MEANT, MEANT.compile()])
def test_parse_build_and_size_stay_raw(layout):
    parsed = layout.parse(OCTETS)
    assert parsed == PLAIN.parse(OCTETS)
    assert layout.build(parsed) == OCTETS == PLAIN.build(parsed)
    assert layout.sizeof() == PLAIN.sizeof() == 10


def test_a_cut_packet_fails_as_without_a_meaning():
    for end in range(10):
        with pytest.raises(Exception, match="stream read less") as plain:
            PLAIN.parse(OCTETS[:end])
        with pytest.raises(type(plain.value), match="stream read less"):
            MEANT.parse(OCTETS[:end])


def test_a_field_gives_what_the_construct_inside_gives():
    assert MEANT.e.ON == "ON"
    assert int(MEANT.e.ON) == 1
    assert MEANT.a.meaning.unit == "V"
    assert MEANT.e.docs == "switch"


def test_a_field_can_be_copied():
    copied = copy.deepcopy(field(Int8ub, unit="V"))
    assert copied.parse(b"\x05") == 5
    assert copied.meaning.unit == "V"


def test_a_field_keeps_the_name_that_a_construct_has():
    layout = Struct(field("a" / Int8ub, unit="V"))
    assert layout.parse(b"\x07") == {"a": 7}
    assert compile_meanings(layout).of("a").unit == "V"


def test_the_crc_is_found_behind_a_field_and_before_derived_parameters():
    layout = Struct("a" / Int8ub, "packet_error_control" / field(Int16ub), "b" / derived(this.a))
    packet = define(layout).any_apid
    assert packet.rule.has_crc
    assert (packet.rule.min_octets, packet.rule.max_octets) == (3, 3)


def test_the_crc_is_found_in_a_bit_struct():
    layout = BitStruct("a" / Nibble, "b" / Nibble, "packet_error_control" / BitsInteger(16))
    assert define(layout).any_apid.rule.has_crc
    assert not define(Bitwise(Struct("a" / BitsInteger(16)))).any_apid.rule.has_crc


# --- Values beside raw values ---------------------------------------------------------------------


def test_raw_engineering_state_and_unit_stand_side_by_side(meant):
    layout = Struct("v" / field(Int8ub, **VOLTS), "plain" / Int8ub)
    columns = meant(layout, [{"v": v, "plain": 1} for v in (1, 2, 4, 5, 255)])
    v = columns["v"]
    assert v.raw.dtype == np.uint8
    assert v.raw.tolist() == [1, 2, 4, 5, 255]
    assert v.engineering.tolist() == [0.5, 1, 2, 2.5, 127.5]
    assert v.state.tolist() == [LOW, OK, OK, HIGH, HIGH]
    assert v.unit == "V"
    assert columns["plain"].engineering is columns["plain"].state is None


def test_columns_given_in_are_not_changed(raw_columns):
    layout = Struct("v" / field(Int8ub, **VOLTS))
    columns = raw_columns(layout, [b"\x01"])
    apply_meanings(columns, layout)
    assert columns["v"].engineering is columns["v"].state is None


def test_limits_without_a_calibration_judge_the_raw_value(meant):
    layout = Struct("t" / field(Int16sb, limits=Limits(warning=(-5, 5))))
    columns = meant(layout, [{"t": t} for t in (-6, -5, 5, 6)])
    assert columns["t"].state.tolist() == [LOW, OK, OK, HIGH]
    assert columns["t"].engineering is None


def test_names_make_an_enumeration_of_a_count(meant):
    layout = Struct("mode" / field(Int8ub, calibration={0: "SAFE", 1: "ON"}))
    column = meant(layout, [{"mode": 1}, {"mode": 0}, {"mode": 9}])["mode"]
    assert column.values() == ["ON", "SAFE", 9]
    assert column.engineering is None


def test_a_field_named_as_a_column_of_the_header_has_its_meaning(meant):
    layout = Struct("apid" / field(Int8ub, unit="V", calibration=(0, 2)))
    columns = meant(layout, [{"apid": 3}])
    assert columns["data.apid"].engineering.tolist() == [6]


def test_each_element_of_an_array_has_the_meaning(meant):
    layout = Struct("v" / field(Int8ub, **VOLTS)[2], "w" / field(Array(2, Int8ub[1]), unit="A"))
    columns = meant(layout, [{"v": [1, 4], "w": [[1], [2]]}])
    assert columns["v[0]"].engineering.tolist() == [0.5]
    assert columns["v[1]"].state.tolist() == [OK]
    assert columns["w[1][0]"].unit == "A"


def test_elements_of_a_ragged_array_have_the_meaning(meant):
    layout = Struct("v" / GreedyRange(field(Int8ub, **VOLTS)))
    column = meant(layout, [{"v": [1, 2]}, {"v": []}, {"v": [9]}])["v[]"]
    assert column.offsets.tolist() == [0, 2, 2, 3]
    assert column.engineering.tolist() == [0.5, 1, 4.5]
    assert column.state.tolist() == [LOW, OK, HIGH]


def test_members_of_a_sequence_have_their_own_meanings(meant):
    layout = Struct("s" / Sequence(field(Int8ub, unit="V"), field(Int8ub, unit="A")))
    columns = meant(layout, [{"s": [1, 2]}])
    assert [columns[f"s[{n}]"].unit for n in range(2)] == ["V", "A"]


def test_a_value_that_is_absent_has_no_engineering_value_and_is_not_judged(meant):
    layout = Struct("has" / Int8ub, "v" / If(this.has == 1, field(Int8ub, **VOLTS)))
    column = meant(layout, [{"has": 1, "v": 9}, {"has": 0, "v": None}])["v"]
    np.testing.assert_array_equal(column.engineering, [4.5, np.nan])
    assert column.state.tolist() == [HIGH, UNKNOWN]


def test_packets_that_are_not_trusted_keep_their_values_and_are_not_judged(meant):
    layout = Struct("v" / field(Int8ub, **VOLTS), "w" / GreedyRange(field(Int8ub, **VOLTS)))
    columns = meant(
        layout, [{"v": 9, "w": [9, 9]}, {"v": 9, "w": [9]}], trusted=np.array([False, True])
    )
    assert columns["v"].engineering.tolist() == [4.5, 4.5]
    assert columns["v"].state.tolist() == [UNKNOWN, HIGH]
    assert columns["w[]"].state.tolist() == [UNKNOWN, UNKNOWN, HIGH]


# --- Persistence across batches -------------------------------------------------------------------


def test_violations_are_counted_across_the_border_of_batches(raw_columns):
    layout = Struct("v" / field(Int8ub, limits=Limits(warning=(0, 5), persistence=3)))
    meanings = compile_meanings(layout)
    assert meanings.needs_order
    values = bytes([9, 9, 1, 9, 9, 9, 9, 1])
    whole = meanings.apply(raw_columns(layout, [bytes([v]) for v in values]))["v"].state.tolist()
    assert whole == [OK, OK, OK, OK, OK, HIGH, HIGH, OK]
    for cut in range(1, 8):
        memory, found = LimitMemory(), []
        for part in (values[:cut], values[cut:]):
            columns = raw_columns(layout, [bytes([v]) for v in part])
            found += meanings.apply(columns, memory)["v"].state.tolist()
        assert found == whole, f"cut at {cut}"


def test_each_place_of_a_ragged_array_counts_for_itself(meant):
    layout = Struct("v" / GreedyRange(field(Int8ub, limits=Limits(warning=(0, 5), persistence=2))))
    column = meant(layout, [{"v": [9, 1]}, {"v": [1, 9]}, {"v": []}, {"v": [9, 9]}])["v[]"]
    assert column.state.tolist() == [OK, OK, OK, OK, OK, HIGH]


# --- Validity and contexts ------------------------------------------------------------------------

MODE = Enum(Int8ub, OFF=0, ON=1)


def test_an_invalid_value_is_flagged_kept_and_not_judged(meant):
    layout = Struct("mode" / MODE, "v" / field(Int8ub, **VOLTS, valid_if=this.mode == "ON"))
    values = [{"mode": mode, "v": 9} for mode in (0, 1, 7)]
    column = meant(layout, values)["v"]
    assert column.valid.tolist() == [False, True, False]
    assert column.engineering.tolist() == [4.5, 4.5, 4.5]
    assert column.state.tolist() == [UNKNOWN, HIGH, UNKNOWN]


def test_limits_depend_on_the_operating_state(meant):
    limits = Limits(
        warning=(0, 100),
        contexts=((this.mode == "ON", Limits(warning=(0, 10))), (this.mode == 7, Limits((50, 60)))),
    )
    layout = Struct("mode" / MODE, "v" / field(Int8ub, limits=limits))
    values = [(0, 50), (1, 50), (7, 50), (7, 5), (0, 101)]
    columns = meant(layout, [{"mode": mode, "v": v} for mode, v in values])
    assert columns["v"].state.tolist() == [OK, HIGH, OK, LOW, HIGH]


def test_a_condition_on_an_engineering_value_uses_that(meant):
    layout = Struct(
        "t" / field(Int8ub, calibration=(-10, 1)), "v" / field(Int8ub, valid_if=this.t > 0)
    )
    columns = meant(layout, [{"t": t, "v": 1} for t in (10, 11)])
    assert columns["v"].valid.tolist() == [False, True]


def test_a_condition_on_what_is_absent_or_invalid_does_not_hold(meant):
    layout = Struct(
        "has" / Int8ub,
        "mode" / If(this.has > 0, Int8ub),
        "v" / field(Int8ub, valid_if=this.mode != 5),
        "w" / field(Int8ub, valid_if=this.v > 0),
    )
    columns = meant(
        layout, [{"has": 1, "mode": 1, "v": 1, "w": 1}, {"has": 0, "mode": None, "v": 1, "w": 1}]
    )
    assert columns["v"].valid.tolist() == [True, False]
    assert columns["w"].valid.tolist() == [True, False]


def test_conditions_find_their_neighbours_in_structs_and_arrays(meant):
    rail = Struct("on" / Int8ub, "v" / field(Int8ub, valid_if=(this.on == 1) & (this._.arm == 1)))
    layout = Struct("arm" / Int8ub, "rails" / rail[2], "more" / GreedyRange(rail))
    on, off = {"on": 1, "v": 3}, {"on": 0, "v": 3}
    columns = meant(
        layout,
        [
            {"arm": 1, "rails": [on, off], "more": [off, on]},
            {"arm": 0, "rails": [on, off], "more": [on]},
        ],
    )
    assert columns["rails[0].v"].valid.tolist() == [True, False]
    assert columns["rails[1].v"].valid.tolist() == [False, False]
    assert columns["more[].v"].valid.tolist() == [False, True, False]


# --- Derived parameters ---------------------------------------------------------------------------


def test_a_derived_parameter_is_computed_from_engineering_values(meant):
    layout = Struct(
        "v" / field(Int8ub, **VOLTS),
        "a" / Int8ub,
        "power" / derived(this.v * this.a, unit="W", limits={"warning": (0, 100)}),
        "half" / derived(lambda packet: packet.power / 2),
    )
    assert layout.parse(b"\x01\x02").power is None
    assert layout.sizeof() == 2
    columns = meant(layout, [{"v": 4, "a": 3}, {"v": 255, "a": 255}])
    assert columns["power"].raw.tolist() == [6, 32512.5]
    assert columns["power"].state.tolist() == [OK, HIGH]
    assert columns["power"].unit == "W"
    assert columns["half"].raw.tolist() == [3, 16256.25]


def test_a_function_sees_small_integers_that_do_not_wrap(meant):
    layout = Struct("a" / Int8ub, "x" / derived(lambda packet: packet["a"] * 300 - 1))
    assert meant(layout, [{"a": 255}, {"a": 0}])["x"].raw.tolist() == [76499, -1]


def test_a_derived_parameter_of_an_invalid_value_is_invalid(meant):
    layout = Struct(
        "on" / Int8ub, "v" / field(Int8ub, valid_if=this.on == 1), "w" / derived(this.v + 1)
    )
    columns = meant(layout, [{"on": 1, "v": 3}, {"on": 0, "v": 3}])
    assert columns["w"].raw.tolist() == [4, 4]
    assert columns["w"].valid.tolist() == [True, False]


def test_structs_in_arrays_derive_each_for_itself(meant):
    rail = Struct(
        "v" / field(Int8ub, calibration=(0, 0.5)), "a" / Int8ub, "w" / derived(this.v * this.a)
    )
    layout = Struct("rails" / rail[2], "more" / GreedyRange(rail))
    give = [{"v": 2, "a": 3}, {"v": 4, "a": 5}]
    columns = meant(layout, [{"rails": give, "more": give}, {"rails": give, "more": give[:1]}])
    assert columns["rails[0].w"].raw.tolist() == [3, 3]
    assert columns["rails[1].w"].raw.tolist() == [10, 10]
    assert columns["more[].w"].raw.tolist() == [3, 10, 3]
    assert columns["more[].w"].offsets.tolist() == [0, 2, 3]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (this.a + this.b, [258, 4]),
        (this.a - this.b, [252, -2]),
        (this.a * this.b, [765, 3]),
        (this.a / this.b, [85, 1 / 3]),
        (this.a // this.b, [85, 0]),
        (this.a % this.b, [0, 1]),
        (this.a**2, [65025, 1]),
        (2 - this.a, [-253, 1]),
        (-this.a, [-255, -1]),
        (+this.a, [255, 1]),
        (abs_(this.b - this.a), [252, 2]),
        (this.a & 0x0F, [15, 1]),
        (this.a | 0x100, [511, 257]),
        (this.a ^ this.b, [252, 2]),
        (this.a << 8, [65280, 256]),
        (this.a >> 1, [127, 0]),
        ((this.a > 5) | (this.b == 0), [True, False]),
        ((this.a >= 1) & (this.b <= 3), [True, True]),
        (~(this.a != 1), [False, True]),
        (this.a < this.b, [False, True]),
    ],
)
def test_each_operator_is_computed_on_columns(meant, expression, expected):
    layout = Struct("a" / Int8ub, "b" / Int8ub, "x" / derived(expression))
    values = [{"a": 255, "b": 3}, {"a": 1, "b": 3}]
    found = meant(layout, values)["x"].raw
    assert found.tolist() == expected
    own = [expression(Container(value)) for value in values]  # construct's evaluation
    assert own == expected


def test_a_division_by_zero_is_no_number_and_not_the_end(meant):
    layout = Struct("a" / Int8ub, "x" / derived(1 / this.a, limits={"warning": (0, 5)}))
    column = meant(layout, [{"a": 0}, {"a": 1}])["x"]
    assert column.raw.tolist() == [float("inf"), 1]
    assert column.state.tolist() == [HIGH, OK]


# --- Mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "mistake"),
    [
        (
            Struct("v" / field(Int8ub, limits={"warning": (70, 40)})),
            "P.v: limits in the wrong order: warning low 70 is above",
        ),
        (
            Struct("a" / Struct("v" / field(Int8ub, calibration=[(1, 0), (0, 0)]))[2]),
            "P.a[].v: the raw counts of a spline must rise",
        ),
        (Struct("v" / field(Int8ub, unit=5)), "P.v: unit is 5; expected text"),
        (
            Struct("mode" / Int8ub, "v" / field(Int8ub, valid_if=this.mood == 1)),
            "P.v: there is no field 'mood'; did you mean 'mode'?",
        ),
        (
            Struct("a" / Int8ub, "s" / Struct("v" / field(Int8ub, valid_if=this.a == 1))),
            "P.s.v: there is no field 's.a'",
        ),
        (
            Struct("v" / field(Int8ub, valid_if=this._.a == 1)),
            "P.v: this._ leads out of the packet",
        ),
        (
            Struct(
                "v" / field(Int8ub, limits=Limits((0, 1), contexts=((this.x, Limits((0, 1))),)))
            ),
            "P.v: there is no field 'x'",
        ),
        (
            Struct("b" / derived(this.c), "c" / derived(1 + this.d), "d" / Int8ub),
            "P.b: it needs 'c', which is derived; declare that before",
        ),
        (
            Struct("s" / field(Struct("v" / Int8ub), unit="V")),
            "P.s: a unit, a calibration, limits and validity belong",
        ),
        (
            Struct("k" / Int8ub, "v" / Switch(this.k, {1: field(Int8ub, unit="V"), 2: Int8ub})),
            "P.v: its branches have different meanings",
        ),
        (derived(lambda packet: 1), "P.value: a derived parameter needs a name in a Struct"),
    ],
)
def test_each_mistake_names_its_field_when_the_definition_is_loaded(layout, mistake):
    with pytest.raises(InputError) as caught:
        compile_meanings(layout, "P")
    assert str(caught.value).startswith(mistake)
    assert "\n" not in str(caught.value)


def test_all_mistakes_are_told_at_once_by_the_definition():
    layout = Struct(
        "a" / field(Int8ub, limits={"warning": (2, 1)}), "b" / field(Int8ub, calibration=())
    )
    with pytest.raises(InputError) as caught:
        define({66: layout}, "PACKETS")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["PACKETS[66].a", "PACKETS[66].b"]


def test_branches_may_share_one_meaning_and_be_left_out():
    volts = field(Int8ub, unit="V")
    layout = Struct(
        "k" / Int8ub, "v" / Switch(this.k, {1: volts, 2: volts}), "w" / If(this.k, volts)
    )
    assert compile_meanings(layout).of("v").unit == "V"
    around = Struct("k" / Int8ub, "v" / field(Switch(this.k, {1: Int8ub}, Int16ub), unit="A"))
    assert compile_meanings(around).of("v").unit == "A"


@pytest.mark.parametrize(
    ("layout", "mistake"),
    [
        (
            Struct("v" / field(Int8ub, calibration=lambda raw: 1 / "x")),
            "definition.v: calibration: TypeError: unsupported operand",
        ),
        (
            Struct("v" / field(Int8ub, calibration=lambda raw: raw[:1])),
            "definition.v: calibration: ValueError: it returned 1 values",
        ),
        (Struct("v" / field(Bytes(1), calibration=(0, 1))), "definition.v: calibration: "),
        (
            Struct("v" / field(GreedyBytes, limits={"warning": (0, 1)})),
            "definition.v: limits: octets and text have no number to judge",
        ),
        (
            Struct("v" / field(GreedyBytes, calibration=(0, 1))),
            "definition.v: calibration: octets and text have no number to calibrate",
        ),
        (
            Struct("v" / Int8ub, "w" / derived(lambda packet: packet.x)),
            "definition.w: derived: there is no value 'x'",
        ),
        (
            Struct("v" / Int8ub, "w" / derived(lambda packet: 5)),
            "definition.w: derived: it gives one value for 2",
        ),
        (
            Struct("v" / Int8ub, "w" / derived(lambda packet: 1 // 0)),
            "definition.w: derived: ZeroDivisionError",
        ),
        (
            Struct("v" / field(Enum(Int8ub, STANDBY=1), valid_if=this.v == "STANBY")),
            "definition.v: valid_if: v has no name 'STANBY'; did you mean 'STANDBY'?",
        ),
        (
            Struct("v" / field(Int8ub, calibration=(0, 0.5)), "w" / derived(this.v & 1)),
            "definition.w: derived: '&' combines conditions or whole numbers",
        ),
        (
            Struct("v" / GreedyRange(Int8ub), "w" / derived(len_(this.v))),
            "definition.w: derived: len_(this['v']) cannot be computed on columns",
        ),
        (
            Struct("v" / GreedyRange(Int8ub), "w" / derived(this["v[]"] + 1)),
            "definition.w: derived: v[] is a list in each packet, not one value",
        ),
    ],
)
def test_what_fails_on_values_names_its_field(raw_columns, layout, mistake):
    with pytest.raises(InputError) as caught:
        apply_meanings(raw_columns(layout, [b"\x01", b"\x02"]), layout)
    assert str(caught.value).startswith(mistake)


def test_flags_may_be_asked_for(meant):
    layout = Struct(
        "f" / FlagsEnum(Int8ub, hot=1, cold=2), "v" / field(Int8ub, valid_if=this.f.hot)
    )
    columns = meant(layout, [{"f": {"hot": True}, "v": 1}, {"f": {"cold": True}, "v": 1}])
    assert columns["v"].valid.tolist() == [True, False]


def test_a_definition_without_meanings_changes_nothing(raw_columns):
    layout = Struct("a" / Int8ub, Const(b"\x05"), "p" / Pass)
    meanings = compile_meanings(layout)
    assert not meanings
    columns = raw_columns(layout, [b"\x01\x05"])
    assert list(meanings.apply(columns)) == list(columns)


def test_every_public_name_is_there_and_loads_on_use():
    for name in telemetry.__all__:
        assert getattr(telemetry, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'fild'"):
        telemetry.fild  # noqa: B018
