# SPDX-License-Identifier: Apache-2.0
"""`fw-telemetry inspect`, and the extents of fields it stands on."""

import construct as c
import pytest

from telemetry.columns.extents import dissect, uncovered


@pytest.fixture
def inspect(call, mission):
    def run(dump, *options, definition="mission.py:PACKETS"):
        return call("inspect", dump, "--definition", definition, *options)

    return run


def row(done, name):
    """Return the cells of the row of a field."""
    (line,) = (line for line in done.stdout.splitlines() if f" {name} " in line)
    return line.split()


def test_a_packet_is_shown_with_places_values_units_and_limits(inspect, tmp_path, housekeeping_of):
    (tmp_path / "d.bin").write_bytes(housekeeping_of(0, 2800) + housekeeping_of(1, 3300))
    done = inspect("d.bin", "--packet", 2, definition="mission.py:HOUSEKEEPING")
    assert done.returncode == 0, done.stderr
    assert "packet 2 at byte 12: APID 66, sequence count 1, 12 bytes" in done.stdout
    assert row(done, "flags.mode") == ["6.0", "+4", "flags.mode", "1", "1", "work"]
    assert row(done, "flags.heater") == ["6.4", "+4", "flags.heater", "5", "5"]
    # 3300 * 0.01 = 33 V is above the alarm limit of 32 V.
    assert row(done, "volts") == [
        "8", "..", "9", "volts", "0ce4", "3300", "33", "V", "alarm", "high", "bus", "<main>",
    ]  # fmt: skip
    assert row(done, "(no field)")[:1] == ["7"]
    assert row(done, "sequence_count")[:2] == ["2.2", "+14"]


def test_a_damaged_packet_is_shown_and_told(inspect, damaged_dump):
    done = inspect(damaged_dump, "--offset", 112)
    assert done.returncode == 6
    assert "packet 6 at byte 100" in done.stdout
    assert "CRC: damaged; gap before it: none" in done.stdout


def test_the_gap_before_a_packet_is_told(inspect, damaged_dump):
    assert "gap before it: 2 packets missing" in inspect(damaged_dump, "--offset", 153).stdout


def test_fields_are_shown_up_to_the_one_that_failed(inspect, tmp_path, dump_of):
    (tmp_path / "bug.py").write_text(
        "from construct import *\n"
        "P = Struct('n' / Int32ub, 'c' / Const(b'x'), 'd' / Bytes(7), 'e' / Int16ub)\n"
    )
    (tmp_path / "d.bin").write_bytes(b"".join(dump_of(3)))
    done = inspect("d.bin", definition="bug.py:P")
    assert done.returncode == 6
    assert row(done, "n")[:3] == ["6", "..", "9"]
    assert "P.c: parsing expected b'x'" in done.stdout


def test_text_of_a_packet_does_not_steer_the_terminal(inspect, tmp_path, make_packet):
    (tmp_path / "d.bin").write_bytes(make_packet(7, 0, b"\x1b[2Jgone".ljust(40, b"\0")))
    done = inspect("d.bin", definition="mission.py:TEXT")
    assert "\\x1b[2Jgone" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--packet", "11"], "--packet 11: the dump has 10 packets"),
        (["--packet", "0"], "--packet"),
        (["--packet", "1", "--offset", "0"], "give one"),
        (["--offset", "125"], "no packet of the definition is there"),
        (["--apid", "67"], "the definition has only APID 66"),
    ],
)
def test_a_packet_that_is_not_there_is_refused(inspect, damaged_dump, options, message):
    done = inspect(damaged_dump, *options)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_definition_that_is_not_there_is_refused(inspect, good_dump):
    assert inspect(good_dump, definition="none.py:X").returncode == 3


# Places worked out by hand: bits from the start, the highest bit of an octet first.
LAYOUT = c.Struct(
    "a" / c.Int16ub,
    "bits" / c.BitStruct("x" / c.Nibble, c.Padding(2), "y" / c.BitsInteger(10)),
    "n" / c.Rebuild(c.Int8ub, c.len_(c.this.rails)),
    "rails" / c.Array(c.this.n, c.Struct("v" / c.Int16ub * "volts", "s" / c.Enum(c.Int8ub, on=1))),
    c.Padding(1),
    "sw" / c.Switch(c.this.n, {2: "hidden" / c.Struct("q" / c.Int8ub)}),
    "p" / c.Prefixed(c.Int8ub, c.GreedyRange("z" / c.Int16ub)),
    "seq" / c.Sequence("i" / c.Int8ub, c.Int8ub),
    "sum" / c.Computed(c.this.a + 1),
    "flags" / c.FlagsEnum(c.Int8ub, f1=1, f2=2),
    "focused" / c.FocusedSeq("k", "j" / c.Int8ub, "k" / c.Int8ub),
    "mixed"
    / c.Bitwise(c.Struct("m" / c.BitsInteger(3), "w" / c.Bytewise(c.Int16ub), c.Padding(5))),
    "rest" / c.GreedyBytes,
)
DATA = bytes((1, 2, 0xAB, 0xCD, 2, 0, 5, 1, 0, 6, 7, 99, 42, 4, 0, 1, 0, 2, 8, 9, 3, 1, 2))
DATA += b"\xff\x00\x1ftail"
PLACES = {
    "a": (0, 16), "bits.x": (16, 20), "bits.y": (22, 32), "n": (32, 40),
    "rails[0].v": (40, 56), "rails[0].s": (56, 64), "rails[1].v": (64, 80), "rails[1].s": (80, 88),
    "sw.q": (96, 104), "p[0]": (112, 128), "p[1]": (128, 144), "seq[0]": (144, 152),
    "seq[1]": (152, 160), "sum": (160, 160), "flags.f1": (160, 168), "flags.f2": (160, 168),
    "focused": (168, 184), "mixed.m": (184, 187), "mixed.w": (187, 203), "rest": (208, 240),
}  # fmt: skip


def test_every_field_of_every_kind_has_its_place():
    found = dissect(LAYOUT, "P", DATA)
    assert found.error is None
    assert {f.name: (f.extent.first, f.extent.end) for f in found.fields} == PLACES
    assert {f.name: f.description for f in found.fields if f.description} == {
        "rails[0].v": "volts", "rails[1].v": "volts",
    }  # fmt: skip
    # The padding of the BitStruct, one octet, the length of `p`, and the padding of `mixed`.
    gaps = [(e.first, e.end) for e in uncovered(found.fields, len(DATA))]
    assert gaps == [(20, 22), (88, 96), (104, 112), (203, 208)]


def test_a_cut_at_any_byte_gives_the_fields_before_it():
    for size in range(len(DATA) - 4):  # The rest takes whatever is left.
        found = dissect(LAYOUT, "P", DATA[:size])
        assert found.error is not None
        for field in found.fields:
            first, end = PLACES[field.name]
            assert (field.extent.first, field.extent.end) == (first, end)
            assert end <= 8 * size
        assert found.failed_at <= 8 * size


def test_the_dissection_has_the_values_of_construct():
    parsed = LAYOUT.parse(DATA)
    values = {f.name: f.value for f in dissect(LAYOUT, "P", DATA).fields}
    assert values["rails[1].v"] == parsed.rails[1].v == 6
    assert values["bits.y"] == parsed.bits.y
    assert values["rest"] == b"tail"


def test_the_layout_itself_is_left_as_it_was():
    before = LAYOUT.parse(DATA)
    dissect(LAYOUT, "P", DATA)
    assert LAYOUT.parse(DATA) == before
    assert not [m for m in LAYOUT.subcons if type(m).__module__.startswith("telemetry")]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + b"\xa5" * 500])
def test_a_file_without_a_packet_is_no_wrong_argument(inspect, tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    done = inspect("a.zip")
    assert done.returncode == 3
    assert f"a.zip: no packet of the definition in {len(content)} bytes" in done.stderr
