# SPDX-License-Identifier: Apache-2.0
"""Definitions: what loads, and what each mistake is told."""

import sys

import construct
import pytest

from telemetry.columns.definition import define
from telemetry.columns.field_path import FieldError
from telemetry.columns.loading import load_definition
from telemetry.errors import InputError, UsageError

HEAD = "from construct import *\n"


def load(tmp_path, text, name="PACKET"):
    path = tmp_path / "mission.py"
    path.write_text(HEAD + text)
    return load_definition(f"{path}:{name}")


def refusal(tmp_path, text, name="PACKET"):
    """Return the message for a bad definition, with the file called mission.py."""
    with pytest.raises(InputError) as caught:
        load(tmp_path, text, name)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_a_struct_of_fixed_size_allows_one_length(tmp_path):
    rule = load(tmp_path, 'PACKET = Struct("a" / Int32ub, "b" / Bytes(3))').any_apid.rule
    assert (rule.min_octets, rule.max_octets, rule.has_crc) == (7, 7, False)


def test_a_struct_with_a_tail_needs_at_least_its_fixed_fields(tmp_path):
    text = 'PACKET = Struct("a" / Int32ub, "b" / GreedyBytes)'
    rule = load(tmp_path, text).any_apid.rule
    assert (rule.min_octets, rule.max_octets) == (4, 65536)


def test_only_a_last_field_packet_error_control_is_a_crc():
    crc = "packet_error_control" / construct.Int16ub
    other = "x" / construct.Int16ub
    assert define(construct.Struct(other, crc)).any_apid.rule.has_crc
    assert not define(construct.Struct(other)).any_apid.rule.has_crc
    assert not define(construct.Int16ub).any_apid.rule.has_crc


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("'n' / Int8ub, 'body' / Bytes(this.nn)",
         "PACKET.body: it asks for this.nn, but there is no field nn; did you mean n?"),
        ("'n' / Int8ub, 'x' / If(this.kind == 2, Int8ub)",
         "PACKET.x: it asks for this.kind, but there is no field kind; before it is n"),
        ("'body' / Bytes(this.n), 'n' / Int8ub",
         "PACKET.body: it asks for this.n, but n comes behind it"),
        ("'n' / Int8ub, 'in' / Struct('a' / Array(this._.m, Int8ub))",
         "PACKET.in.a: it asks for this._.m, but there is no field m; before it is n"),
        ("'h' / Struct('len' / Int8ub), 'body' / Bytes(this.h.size)",
         "PACKET.body: it asks for this.h.size, but there is no field size; before it is len"),
        ("'f' / BitStruct('a' / BitsInteger(14)), 'x' / Int8ub",
         ("PACKET.f: its fields take 14 bits, which are no whole octets; Padding(2) would fill the"
          " last")),
        ("'t' / Int8ub, 't' / Int16ub",
         "PACKET.t: there are two fields of this name; the first would be lost"),
        ("'packet_error_control' / Int16ub, 'x' / Int16ub",
         ("PACKET.packet_error_control must be the last field, but 'x' follows; a field that is"
          " not the CRC-16 of the packet needs another name")),
    ],
)  # fmt: skip
def test_a_mistake_in_a_layout_is_told_with_its_field_before_a_packet_is_read(
    tmp_path, text, message
):
    assert refusal(tmp_path, f"PACKET = Struct({text})") == f"mission.py: {message}"


def test_mistakes_of_all_apids_are_told_at_once(tmp_path):
    text = "PACKET = {1: Struct('a' / Bytes(this.b)), 2: Struct('c' / Int8ub, 'c' / Int8ub)}"
    lines = refusal(tmp_path, text).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["PACKET[1].a", "PACKET[2].c"]


@pytest.mark.parametrize(
    "text",
    [
        "'n' / Rebuild(Int8ub, len_(this.items)), 'items' / Array(this.n, Int8ub)",
        "'n' / Int8ub, 'a' / Struct('b' / Struct('c' / Bytes(this._root.n)))",
        "'k' / Int8ub, 'x' / Switch(this.k, {1: 'one' / Int8ub}, default=Int16ub), 'y' / Int8ub",
        "'n' / Int8ub, 'a' / Array(2, Struct('i' / Computed(this._index), 'd' / Bytes(this._.n)))",
        "'f' / BitStruct('l' / BitsInteger(3), Padding(5)), 'b' / Bytes(this.f.l)",
        "'f' / FlagsEnum(Int8ub, a=1), 'b' / If(this.f.a, Int8ub)",
        "'l' / Struct('r' / Struct('n' / Int8ub))[2], 'b' / Bytes(this.l[1].r.n)",
        "'h' / Select(Struct('n' / Int8ub)), 'b' / Bytes(lambda c: c.nn)",
        "Padding(1), Padding(2), 'a' / Int8ub",
    ],
)
def test_a_layout_that_construct_parses_is_not_refused(tmp_path, text):
    load(tmp_path, f"PACKET = Struct({text})")


def test_an_unnamed_check_behind_the_crc_does_not_hide_it():
    layout = construct.Struct("packet_error_control" / construct.Int16ub, construct.Terminated)
    assert define(layout).any_apid.rule.has_crc


def test_a_crc_field_of_another_width_is_refused(tmp_path):
    message = refusal(tmp_path, 'PACKET = Struct("packet_error_control" / Int32ub)')
    assert message == (
        "mission.py: PACKET.packet_error_control must be 2 octets wide, as the CRC-16 is"
    )


@pytest.mark.parametrize("octets", [0, (1 << 24) + 1])
def test_a_size_that_no_packet_has_is_refused(tmp_path, octets):
    message = refusal(tmp_path, f"PACKET = Bytes({octets})")
    assert message == (
        f"mission.py: PACKET takes {octets:,} octets; the data field of a packet has 1 to 65,536"
    )


@pytest.mark.parametrize("octets", [65537, 1 << 24])
def test_a_size_that_only_a_group_has_is_refused_where_there_is_none(tmp_path, octets):
    definition = load(tmp_path, f"PACKET = Bytes({octets})")
    with pytest.raises(InputError, match="put together by --reassemble"):
        definition.rules()
    assert definition.rules(is_segmented=True).any_apid.max_octets == 65536


@pytest.mark.parametrize("octets", [1, 65536])
def test_the_smallest_and_largest_data_field_are_taken(tmp_path, octets):
    assert load(tmp_path, f"PACKET = Bytes({octets})").any_apid.rule.max_octets == octets


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("PACKET = Struct('a' / Int16ubb)", ("mission.py:2: NameError: name 'Int16ubb' is not"
         " defined; did you mean 'Int16ub'?")),
        ("\nPACKET = Struct(", "mission.py:3: SyntaxError: '(' was never closed"),
        ("\n\nraise RuntimeError('no')", "mission.py:4: RuntimeError: no"),
        ("import sys; sys.exit(5)", "mission.py:2: SystemExit: 5"),
        ("import no_such_thing", ("mission.py:2: ModuleNotFoundError: No module named"
         " 'no_such_thing'")),
        ("PACKETS = {1: Int8ub}", "mission.py: no name 'PACKET'; did you mean 'PACKETS'?"),
        ("HK = Int8ub\nEV = Struct()", "mission.py: no name 'PACKET'; it defines EV, HK"),
        ("", "mission.py: no name 'PACKET'; it defines none"),
        ("PACKET = 7", ("mission.py: PACKET is of type int; expected a construct, or a dict"
         " APID -> construct")),
        ("PACKET = Struct", ("mission.py: PACKET is the class Struct; expected a construct, or a"
         " dict APID -> construct")),
        ("PACKET = {}", "mission.py: PACKET is an empty dict; expected APID -> construct"),
        ("PACKET = {66: [Int8ub]}", "mission.py: PACKET[66] is of type list; expected a construct"),
    ],
)  # fmt: skip
def test_each_mistake_in_a_file_is_told_in_one_line(tmp_path, text, message):
    assert refusal(tmp_path, text) == message


@pytest.mark.parametrize("key", ["'66'", "True", "-1", "2047", "6.6"])
def test_a_key_that_is_no_apid_is_refused(tmp_path, key):
    message = refusal(tmp_path, f"PACKET = {{{key}: Int8ub}}")
    assert message == (f"mission.py: PACKET: the key {key} is no APID; expected an integer 0..2046")


def test_all_wrong_elements_of_a_dict_are_named_at_once(tmp_path):
    assert len(refusal(tmp_path, "PACKET = {1: 1, 'x': Int8ub, 3: 3}").splitlines()) == 3


@pytest.mark.parametrize("source", ["", "mission", "mission.py", ":PACKET", "mission.py:"])
def test_a_source_of_another_form_is_a_usage_error(source):
    with pytest.raises(UsageError, match=r"expected FILE.py:NAME, MODULE:NAME or FILE.csv"):
        load_definition(source)


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(InputError, match=r"none.py: no such file; expected a Python file"):
        load_definition(f"{tmp_path}/none.py:PACKET")
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(InputError, match=r"folder.py: a folder; expected a Python file"):
        load_definition(f"{tmp_path}/folder.py:PACKET")


def test_a_module_of_the_import_path_is_found(tmp_path, monkeypatch):
    (tmp_path / "ground_definitions.py").write_text(HEAD + "PACKET = Int8ub")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_definition("ground_definitions:PACKET").any_apid.label == "PACKET"


def test_the_current_folder_is_not_searched_for_a_module(tmp_path, monkeypatch):
    (tmp_path / "lurking.py").write_text("raise SystemExit('this must not run')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    with pytest.raises(InputError, match=r"no such module. The current folder is not searched"):
        load_definition("lurking:PACKET")
    assert sys.path[0] == ""


def test_loading_a_file_writes_nothing_beside_it(tmp_path):
    load(tmp_path, "PACKET = Int8ub")
    assert [path.name for path in tmp_path.iterdir()] == ["mission.py"]


# --- Failures while parsing -----------------------------------------------------------------------


def failure(tmp_path, text, data, name="housekeeping"):
    with pytest.raises(FieldError) as caught:
        load(tmp_path, text, name).any_apid.parse(data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("rail", "reason"),
    [
        ("Const(b'\\0')", "parsing expected b'\\x00' but parsed b'\\x07'"),
        ("Computed(lambda c: 1 // (3 - c._._index))", ("ZeroDivisionError: integer division or"
         " modulo by zero")),
        ("Computed(lambda c: undefined if c._._index == 3 else 0)", ("NameError: name 'undefined'"
         " is not defined")),
        ("If(lambda c: c._._index == 3, Bytes(99))", ("stream read less than specified amount,"
         " expected 99, found 4")),
        ("If(lambda c: c._._index == 3, Error)", "Error field was activated during parsing"),
    ],
)  # fmt: skip
def test_a_failing_field_is_named_with_its_index(tmp_path, rail, reason):
    text = f"""
housekeeping = Struct(
    "uptime" / Int8ub,
    "fields" / Array(4, Struct("rail" / {rail})),
    "rest" / GreedyBytes,
)
"""
    data = b"\x01\0\0\0\x07" if "Const" in rail else b"\x01\0\0\0\0"
    assert failure(tmp_path, text, data) == f"housekeeping.fields[3].rail: {reason}"


def test_a_remark_on_a_field_does_not_change_its_path(tmp_path):
    text = 'PACKET = Struct("volts" / Int16ub * "mV" * "of the core rail")'
    assert failure(tmp_path, text, b"\x01", "PACKET") == (
        "PACKET.volts: stream read less than specified amount, expected 2, found 1"
    )


def test_octets_that_the_definition_leaves_unread_are_a_failure(tmp_path):
    text = 'PACKET = Struct("count" / Int8ub, "data" / Bytes(this.count))'
    message = failure(tmp_path, text, b"\x02abcd", "PACKET")
    assert message == "PACKET: 2 of 5 octets stay unread"


def test_a_definition_of_a_dict_is_named_with_its_apid(tmp_path):
    definition = load(tmp_path, 'PACKETS = {66: Struct("a" / Const(b"x"))}', "PACKETS")
    with pytest.raises(FieldError, match=r"^PACKETS\[66\]\.a: "):
        definition.by_apid[66].parse(b"y")


def test_one_definition_for_all_is_bound_to_the_wanted_apid():
    bound = define(construct.Int8ub).bind(5)
    assert list(bound.by_apid) == [5]
    assert bound.any_apid is None


@pytest.mark.parametrize(
    ("apid", "message"),
    [
        (-1, "APID -1: an APID of telemetry is 0..2046"),
        (2047, "APID 2047: an APID of telemetry is 0..2046"),
        (5, "APID 5: the definition has only APID 66, 67"),
    ],
)
def test_an_apid_that_cannot_be_wanted_is_refused(apid, message):
    with pytest.raises(UsageError) as caught:
        define({67: construct.Int8ub, 66: construct.Int8ub}).bind(apid)
    assert str(caught.value) == message
