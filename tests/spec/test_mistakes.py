# SPDX-License-Identifier: Apache-2.0
"""Each message of a description has the smallest bad file that causes it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fw_tools.spec.checks import LIBRARY_CELLS

Mistakes = Callable[[str], list[str]]

SECOND_RAIL = """[rail.v3]
volts = "3V"
amps = "2A"
after = ["v5"]
ramp = "1ms..5ms"
timeout = "6ms"
pg = { input = "pg_v3", on = "95%", off = "90%", filter = "8us" }
off = { timeout = "10ms" }
[packet.housekeeping]"""
TWO_MEMORIES = """code = "hsiao"
scrub_interval = "10us"
[memory.v5]
data_bits = 8
words = 16
"""
FIELD = '{ name = "on", source = "rails.on" }'

OC_RESPONSE = 'amps = "2A"\non_fault = { oc = "ignore" }'

ONE_FORM = "expected one of polynomial, spline, table"


def field_with(text: str) -> str:
    return FIELD.replace(" }", f", {text} }}")


# (part of the sound file, what stands there instead, the only message)
CASES = [
    # Keys and tables.
    ('volts = "5V"', 'vots = "5V"', "10: rail v5: unknown key 'vots'; did you mean 'volts'?"),
    (
        'volts = "5V"',
        'volts = "5V"\ncolour = 3',
        (
            "11: rail v5: unknown key 'colour'; known here: volts, amps, after, ramp, timeout, "
            "settle, pg, off, hard_trip, on_fault, keep_alive, on_upset"
        ),
    ),
    ('volts = "5V"\n', "", "9: rail v5: missing key 'volts'; for example volts = \"1.05V\""),
    ("apid = 1\n", "", "16: packet housekeeping: missing key 'apid'; for example apid = 66"),
    (
        'off = { timeout = "10ms" }\n',
        "",
        "9: rail v5: missing key 'off'; for example off = { timeout = \"60ms\" }",
    ),
    (
        "[board]",
        "colour = 3\n[board]",
        (
            "1: unknown key 'colour'; known here: "
            "board, memory, rail, packet, link, sequencer, upset, bench"
        ),
    ),
    (
        "[packet.housekeeping]",
        "[packet.report]",
        "16: packet report: this version makes one packet, [packet.housekeeping]",
    ),
    # Types.
    (
        "data_bits = 8",
        'data_bits = "8"',
        '5: memory store: data_bits: expected a whole number, got "8"',
    ),
    (
        "data_bits = 8",
        "data_bits = 8.0",
        "5: memory store: data_bits: expected a whole number, got 8.0",
    ),
    (
        "data_bits = 8",
        "data_bits = true",
        "5: memory store: data_bits: expected a whole number, got true",
    ),
    ('name = "probe"', "name = 3", "2: board: name: expected a name in quotes, got 3"),
    (
        'ramp = "1ms..5ms"',
        'ramp = "1ms..5ms"\nkeep_alive = "yes"',
        '13: rail v5: keep_alive: expected true or false, got "yes"',
    ),
    (
        'ramp = "1ms..5ms"',
        'ramp = "1ms..5ms"\nafter = "v3"',
        '13: rail v5: after: expected a list in [], got "v3"',
    ),
    (
        'off = { timeout = "10ms" }',
        'off = "10ms"',
        '15: rail v5: off: expected a table, got "10ms"',
    ),
    (FIELD, "3", "21: packet housekeeping: fields[0]: expected a table, got 3"),
    (f"  {FIELD},\n", "", "20: packet housekeeping: fields: is empty"),
    (
        FIELD,
        FIELD.replace('"rails.on"', "3"),
        "21: packet housekeeping: field on: source: expected text in quotes, got 3",
    ),
    # Ranges.
    ("data_bits = 8", "data_bits = 3", "5: memory store: data_bits: 3 is out of range 4..256"),
    ("data_bits = 8", "data_bits = 257", "5: memory store: data_bits: 257 is out of range 4..256"),
    ("words = 16", "words = 1", "6: memory store: words: 1 is out of range 2..65536"),
    ("words = 16", "words = 65537", "6: memory store: words: 65537 is out of range 2..65536"),
    ("apid = 1", "apid = 2047", "17: packet housekeeping: apid: 2047 is out of range 0..2046"),
    (
        "structure_id = 1",
        "structure_id = 65536",
        "18: packet housekeeping: structure_id: 65536 is out of range 0..65535",
    ),
    ('"10us"', '"5s"', "8: memory store: scrub_interval: '5s' is out of range 1us..4s"),
    # Quantities.
    (
        'volts = "5V"',
        "volts = 0.80",
        "10: rail v5: volts: 0.80 has no unit; write '0.80V' or '0.80mV'",
    ),
    ('volts = "5V"', 'volts = "5"', "10: rail v5: volts: '5' has no unit; write '5V' or '5mV'"),
    (
        'volts = "5V"',
        'volts = "60A"',
        "10: rail v5: volts: '60A' is a current; expected a voltage such as '1.05V'",
    ),
    (
        'volts = "5V"',
        'volts = "0.5mV"',
        "10: rail v5: volts: '0.5mV' is finer than the resolution of 1mV",
    ),
    ('volts = "5V"', 'volts = "1001V"', "10: rail v5: volts: '1001V' is out of range 1mV..1000V"),
    ('volts = "5V"', 'volts = "-5V"', "10: rail v5: volts: '-5V' is out of range 1mV..1000V"),
    (
        'volts = "5V"',
        'volts = "five"',
        "10: rail v5: volts: 'five' is not a quantity; expected a voltage such as '1.05V'",
    ),
    (
        'volts = "5V"',
        'volts = "5W"',
        "10: rail v5: volts: '5W': unknown unit 'W'; expected a voltage such as '1.05V'",
    ),
    (
        'volts = "5V"',
        'volts = "5v"',
        "10: rail v5: volts: '5v': unknown unit 'v'; did you mean '5V'?",
    ),
    ('volts = "5V"', "volts = []", "10: rail v5: volts: expected a voltage such as '1.05V'"),
    (
        'clock = "50MHz"',
        'clock = "50.5MHz"',
        "3: board: clock: '50.5MHz' is no whole number of MHz; times are counted in microseconds",
    ),
    (
        '"1ms..5ms"',
        '"5ms"',
        "12: rail v5: ramp: '5ms' is no window; expected two times such as '0.2ms..40ms'",
    ),
    (
        '"1ms..5ms"',
        '"5ms..1ms"',
        "12: rail v5: ramp: '5ms..1ms' ends before it begins; expected earliest..latest",
    ),
    ('"1ms..5ms"', '"1ms..5"', "12: rail v5: ramp: '5' has no unit; write '5us' or '5ms' or '5s'"),
    ('on = "95%"', "on = 95", "14: rail v5: pg.on: 95 has no unit; write '95%'"),
    # Choices.
    (
        'code = "hsiao"',
        'code = "hamming"',
        "7: memory store: code: unknown value 'hamming'; known here: hsiao",
    ),
    (
        'amps = "2A"',
        'amps = "2A"\non_fault = { pg_lost = "kill:bord" }',
        "12: rail v5: on_fault.pg_lost: unknown value 'kill:bord'; did you mean 'kill:board'?",
    ),
    (
        'clock = "50MHz"',
        'clock = "50MHz"\non_upset = "safeoff"',
        "4: board: on_upset: unknown value 'safeoff'; did you mean 'safe_off'?",
    ),
    # Names.
    (
        'name = "probe"',
        'name = "Probe-A"',
        (
            "2: board: name: 'Probe-A' is no name: a-z, 0-9 and _ "
            "only, a letter first; for example 'probe_a'"
        ),
    ),
    (
        'name = "probe"',
        'name = "wire"',
        "2: board: name: 'wire' is a reserved word of SystemVerilog; for example 'wire_0'",
    ),
    (
        'name = "probe"',
        'name = "regfile"',
        "2: board: name: 'regfile' is a reserved word of SystemRDL; for example 'regfile_0'",
    ),
    (
        'name = "probe"',
        'name = "lambda"',
        "2: board: name: 'lambda' is a reserved word of Python; for example 'lambda_0'",
    ),
    (
        'name = "probe"',
        'name = "short"',
        "2: board: name: 'short' is a reserved word of C; for example 'short_0'",
    ),
    (
        'name = "probe"',
        f'name = "{"a" * 41}"',
        f"2: board: name: '{'a' * 41}' has 41 letters; at most 40",
    ),
    (
        "[rail.v5]",
        "[rail.'5v']",
        "9: rail 5v: '5v' is no name: a-z, 0-9 and _ only, a letter first; for example 'p_5v'",
    ),
    (
        "[memory.store]",
        "[memory.csr]",
        "4: memory csr: the generated design uses 'csr' itself; for example 'my_csr'",
    ),
    (
        'code = "hsiao"\n',
        TWO_MEMORIES + 'code = "hsiao"\n',
        "14: rail v5: memory v5 has the same name; generated names would collide",
    ),
    # Rails among themselves.
    (
        "[packet.housekeeping]",
        SECOND_RAIL.replace('"v5"', '"v55"'),
        "19: rail v3: after: unknown rail 'v55'; did you mean 'v5'?",
    ),
    (
        'amps = "2A"',
        'amps = "2A"\nafter = ["v5"]',
        "12: rail v5: after: dependency cycle: v5 -> v5",
    ),
    (
        'timeout = "6ms"',
        'timeout = "4ms"',
        "13: rail v5: timeout: 4ms is shorter than the longest ramp of 5ms",
    ),
    (
        'off = "90%"',
        'off = "96%"',
        "14: rail v5: pg.off: 96% is not below pg.on of 95%",
    ),
    (
        "[packet.housekeeping]",
        SECOND_RAIL.replace("pg_v3", "pg_v5"),
        "22: rail v3: pg.input: pin 'pg_v5' is already pg.input of rail v5",
    ),
    (
        'amps = "2A"',
        'amps = "2A"\non_fault = { oc = "ignore" }',
        "12: rail v5: on_fault.oc: answers an over-current trip, but the rail has no 'hard_trip'",
    ),
    # Packets.
    (
        FIELD,
        FIELD.replace("rails.on", "rails.om"),
        "21: packet housekeeping: field on: unknown source 'rails.om'; did you mean 'rails.on'?",
    ),
    (
        FIELD,
        FIELD.replace("rails.on", "x"),
        (
            "21: packet housekeeping: field on: unknown source 'x'; "
            "sources are time.seconds, rails.on (and others), rail.NAME.state, "
            "memory.NAME.corrected (and others), input.NAME"
        ),
    ),
    (
        FIELD,
        FIELD.replace(" }", ", bits = 16 }"),
        "21: packet housekeeping: field on: 'rails.on' has 8 bits, not 16; leave 'bits' out",
    ),
    (
        FIELD,
        FIELD.replace("rails.on", "input.a"),
        (
            "21: packet housekeeping: field on: missing key "
            "'bits'; an input is one of 8, 16, 24, 32 bits"
        ),
    ),
    (
        FIELD,
        FIELD.replace('rails.on"', 'input.a", bits = 12'),
        "21: packet housekeeping: field on: an input is one of 8, 16, 24, 32 bits, not 12",
    ),
    (
        FIELD,
        FIELD.replace('rails.on"', 'input.2", bits = 8'),
        (
            "21: packet housekeeping: field on: '2' "
            "is no name: a-z, 0-9 and _ only, a letter first; for example 'p_2'"
        ),
    ),
    (
        FIELD,
        (
            '{ name = "a", source = "input.t", bits = 8 },\n'
            '{ name = "b", source = "input.t", bits = 16 }'
        ),
        "22: packet housekeeping: field b: 'input.t' was given 8 bits before, now 16",
    ),
    (
        FIELD,
        f"{FIELD},\n{FIELD}",
        "22: packet housekeeping: field on: a field before it is named 'on' too",
    ),
    (
        FIELD,
        FIELD.replace('"on"', '"apid"'),
        (
            "21: packet housekeeping: field apid: 'apid' is a field "
            "of every packet; choose another name"
        ),
    ),
    (
        FIELD,
        FIELD.replace(" }", ', unit = "\\"" }'),
        "21: packet housekeeping: field on: unit: '\"' is no unit: at most 16 letters, no quotes",
    ),
    # Calibrations and limits.
    *(
        (FIELD, field_with(text), f"21: packet housekeeping: field on: {message}")
        for text, message in (
            ("calibration = {}", f"calibration: {ONE_FORM}; got none"),
            (
                "calibration = { polynomial = [1], table = [[0, 1]] }",
                f"calibration: {ONE_FORM}; got polynomial and table",
            ),
            (
                "calibration = { polynom = [1] }",
                "calibration: unknown key 'polynom'; did you mean 'polynomial'?",
            ),
            ("calibration = { polynomial = [] }", "calibration.polynomial: is empty"),
            (
                'calibration = { polynomial = ["0.1"] }',
                "calibration.polynomial[0]: expected a number, got '0.1'",
            ),
            (
                "calibration = { polynomial = [nan] }",
                "calibration.polynomial[0]: expected a finite number, got NaN",
            ),
            (
                "calibration = { polynomial = [1], extrapolate = true }",
                "calibration: 'extrapolate' belongs to a spline",
            ),
            (
                "calibration = { spline = [[0, 1], 2] }",
                "calibration.spline[1]: expected a pair [raw, engineering]",
            ),
            (
                "calibration = { spline = [[3, 1], [3, 2]] }",
                "calibration: the raw counts of a spline must rise, but 3 follows 3",
            ),
            (
                "calibration = { table = [[3, 1], [4, 2], [3, 2]] }",
                "calibration: the table has the raw count 3 more than once",
            ),
            ("limits = {}", "limits: no bound; give warning = [low, high] or alarm = [low, high]"),
            (
                "limits = { warning = [40, 10] }",
                "limits.warning: limits in the wrong order: low 40 is above high 10",
            ),
            (
                "limits = { warning = [0, 99], alarm = [-20, 95] }",
                (
                    "limits: limits in the wrong order: warning high 99 is above alarm high 95; "
                    "right is alarm low <= warning low <= warning high <= alarm high"
                ),
            ),
            (
                "limits = { warning = 5 }",
                "limits.warning: expected [low, high], with -inf or inf where there is no bound",
            ),
            (
                "limits = { warning = [-inf, inf] }",
                "limits.warning: [-inf, inf] bounds nothing; leave it out",
            ),
            (
                "limits = { warning = [inf, 5] }",
                "limits.warning: expected a finite number, got Infinity",
            ),
            (
                "limits = { alarm = [0, 1], persistence = 0 }",
                "limits.persistence: 0 is out of range 1..65535",
            ),
        )
    ),
    (
        FIELD,
        FIELD.replace("rails.on", "rails.first_fault_cause").replace(
            " }", ", limits = { alarm = [0, 1] } }"
        ),
        (
            "21: packet housekeeping: field on: 'rails.first_fault_cause' has names, not numbers; "
            "leave 'limits' out"
        ),
    ),
    (
        FIELD,
        ",\n".join(f'{{ name = "f{n}", source = "time.seconds" }}' for n in range(251)),
        "20: packet housekeeping: fields: the packet has 1028 octets; at most 1024",
    ),
    (
        'clock = "50MHz"',
        'clock = "50MHz"\nprofile = "tiny"',
        "4: board: profile: unknown value 'tiny'; known here: full, small",
    ),
    (
        'clock = "50MHz"',
        'clock = "50MHz"\nharden = "tmr3"',
        "4: board: harden: unknown value 'tmr3'; did you mean 'tmr'?",
    ),
    (
        'clock = "50MHz"',
        'clock = "50MHz"\nhardn = "tmr"',
        "4: board: unknown key 'hardn'; did you mean 'harden'?",
    ),
    (
        'clock = "50MHz"',
        'clock = "50MHz"\nupset_bound = { silnt = "1%" }',
        "4: board: upset_bound: unknown key 'silnt'; did you mean 'silent'?",
    ),
    (
        'clock = "50MHz"',
        'clock = "50MHz"\nupset_bound = { hang = 0.01 }',
        "4: board: upset_bound.hang: 0.01 has no unit; write '0.01%'",
    ),
    (
        "[rail.v5]",
        'harden = "low"\n[rail.v5]',
        "9: memory store: harden: unknown value 'low'; known here: none, fsm, tmr",
    ),
    (
        "[rail.v5]",
        '[sequencer]\nharden = "all"\n[rail.v5]',
        "10: sequencer: harden: unknown value 'all'; known here: none, fsm, tmr",
    ),
]

TEN_KINDS = """\
[board]
name = "node"
clock = "50MHz"
[memory.store]
data_bits = 300
words = 16
code = "hsiao"
scrub_interval = "10us"
[rail.v5]
vots = "5V"
amps = "2"
ramp = "5ms"
timeout = "6V"
pg = { input = "pg_v5", on = "95%", off = "90%", filter = "0.5us" }
off = 10
[packet.housekeeping]
structure_id = 1
period = "1s"
fields = [
  { name = "reg-1", source = "rails.on" },
  { name = "lost", source = "memory.stores.corrected" },
]
"""


def test_ten_mistakes_of_ten_kinds_are_named_in_one_run(mistakes: Mistakes) -> None:
    found = mistakes(TEN_KINDS)
    assert len(found) == 10
    assert found == [
        "payload.toml:5: memory store: data_bits: 300 is out of range 4..256",
        "payload.toml:10: rail v5: unknown key 'vots'; did you mean 'volts'?",
        "payload.toml:11: rail v5: amps: '2' has no unit; write '2A' or '2mA'",
        (
            "payload.toml:12: rail v5: ramp: '5ms' is no window; expected two times such as "
            "'0.2ms..40ms'"
        ),
        "payload.toml:13: rail v5: timeout: '6V' is a voltage; expected a time such as '0.2ms'",
        "payload.toml:14: rail v5: pg.filter: '0.5us' is finer than the resolution of 1us",
        "payload.toml:15: rail v5: off: expected a table, got 10",
        "payload.toml:16: packet housekeeping: missing key 'apid'; for example apid = 66",
        (
            "payload.toml:20: packet housekeeping: field reg-1: name: 'reg-1' is no name: "
            "a-z, 0-9 and _ only, a letter first; for example 'reg_1'"
        ),
        # The one across tables.
        (
            "payload.toml:21: packet housekeeping: field lost: unknown source "
            "'memory.stores.corrected'; did you mean 'memory.store.corrected'?"
        ),
    ]


def test_a_dependency_cycle_is_printed(sound: str, mistakes: Mistakes) -> None:
    cyclic = sound.replace("[packet.housekeeping]", SECOND_RAIL).replace(
        'volts = "5V"', 'volts = "5V"\nafter = ["v3"]'
    )
    assert mistakes(cyclic) == ["payload.toml:11: rail v5: after: dependency cycle: v5 -> v3 -> v5"]


def test_a_rail_with_a_mistake_still_shows_the_cycle_it_is_on(
    sound: str, mistakes: Mistakes
) -> None:
    cyclic = sound.replace("[packet.housekeeping]", SECOND_RAIL).replace(
        'volts = "5V"', 'volts = "5A"\nafter = ["v3"]'
    )
    assert [line.partition(": ")[2] for line in mistakes(cyclic)] == [
        "rail v5: volts: '5A' is a current; expected a voltage such as '1.05V'",
        "rail v5: after: dependency cycle: v5 -> v3 -> v5",
    ]


def test_values_that_only_stand_in_for_a_mistake_cause_none(sound: str, mistakes: Mistakes) -> None:
    keep_alive = SECOND_RAIL.replace("after", "keep_alive = true\nafter")
    text = sound.replace("[packet.housekeeping]", keep_alive).replace(
        'volts = "5V"', "volts = 5\nkeep_alive = true"
    )
    assert mistakes(text) == ["payload.toml:10: rail v5: volts: 5 has no unit; write '5V' or '5mV'"]


def test_more_than_32_rails_do_not_fit_in_a_bitmap(sound: str, mistakes: Mistakes) -> None:
    rail = sound[sound.index("[rail.v5]") : sound.index("[packet")]
    rails = "".join(rail.replace("v5", f"r{number}") for number in range(33))
    text = sound.replace(rail, rails)
    line = text[: text.index("rails.on")].count("\n") + 1
    assert mistakes(text) == [
        (
            f"payload.toml:{line}: packet housekeeping: field on: 'rails.on' has room for 32 "
            "rails, not 33"
        )
    ]


def test_two_packets_with_one_apid_are_named(sound: str, mistakes: Mistakes) -> None:
    packet = sound[sound.index("[packet.housekeeping]") :]
    assert mistakes(sound + packet.replace("housekeeping", "events")) == [
        "payload.toml:23: packet events: this version makes one packet, [packet.housekeeping]",
        "payload.toml:24: packet events: apid: 1 is the APID of packet housekeeping already",
    ]


def test_missing_tables_are_named(mistakes: Mistakes) -> None:
    assert mistakes("rail = 3\n[packet]\n") == [
        "payload.toml:1: missing table [board]",
        "payload.toml:1: 'rail' is no table; begin each with [rail.NAME]",
        "payload.toml:2: missing table [packet.housekeeping]",
    ]


def test_a_payload_may_have_no_rails_or_no_memories(sound: str, mistakes: Mistakes) -> None:
    rail = sound[sound.index("[rail.v5]") : sound.index("[packet")]
    memory = sound[sound.index("[memory") : sound.index("[rail")]
    assert mistakes(sound.replace(rail, "")) == []
    assert mistakes(sound.replace(memory, "")) == []


def test_a_mistake_is_one_line_whatever_the_file_holds(sound: str, mistakes: Mistakes) -> None:
    text = sound.replace('amps = "2A"', '"a\\n\\u001b[31m" = "x\\ny"')
    (first, second) = mistakes(text)
    assert first == "payload.toml:9: rail v5: missing key 'amps'; for example amps = \"60A\""
    assert second.startswith("payload.toml:11: rail v5: unknown key 'a\\n\\x1b[31m'; known here: ")
    assert mistakes(sound.replace("[rail.v5]", '[rail."v\\n5"]')) == [
        (
            "payload.toml:9: rail v\\n5: 'v\\n5' is no name: a-z, 0-9 and _ only, a letter first; "
            "for example 'v_5'"
        )
    ]


def test_a_key_outside_a_named_table_is_named(sound: str, mistakes: Mistakes) -> None:
    assert "payload.toml:1: 'words' stands in no table; begin one with [memory.NAME]" in mistakes(
        f"memory.words = 3\n{sound}"
    )


@pytest.mark.parametrize(("part", "instead", "message"), CASES, ids=[case[2] for case in CASES])
def test_the_smallest_bad_file_gives_its_message_alone(
    sound: str, mistakes: Mistakes, part: str, instead: str, message: str
) -> None:
    assert sound.count(part) >= 1
    assert mistakes(sound.replace(part, instead, 1)) == [f"payload.toml:{message}"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('slot = "64KiB"', 'there is no flash; add flash = "4MiB", for example'),
        ('flash = "1MiB"\nslot = "96KiB"', "96KiB is no multiple of 64KiB"),
        ('flash = "1MiB"\nslot = "192KiB"', "a flash of 1024KiB is no multiple of 192KiB"),
        ('flash = "1MiB"\nslot = "1MiB"', "a flash of 1024KiB holds 1 of them; expected 2 to 15"),
        ('flash = "1MiB"\nslot = "64KiB"', "a flash of 1024KiB holds 16 of them; expected 2 to 15"),
    ],
)
def test_slots_that_do_not_divide_the_flash_are_refused(
    sound: str, mistakes: Mistakes, keys: str, message: str
) -> None:
    (found,) = mistakes(f"{sound}\n[link]\n{keys}\n")
    assert f": link: slot: {message}" in found


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('rate = "1e-7"', "rate: '1e-7' has no unit; write '1e-7/bit/day' or '1e-7FIT/Mbit'"),
        ("rate = 1e-7", "rate: 1E-7 has no unit; write '1E-7/bit/day' or '1E-7FIT/Mbit'"),
        (
            'rate = "often"',
            "rate: 'often' is no rate of upsets; expected one such as '1e-7/bit/day'",
        ),
        (
            'rate = "1e-7/bit/year"',
            (
                "rate: '1e-7/bit/year': unknown unit '/bit/year'; known here: /bit/day, /bit/h, "
                "/bit/s, /Mbit/day, /Mbit/h, FIT/bit, FIT/Mbit"
            ),
        ),
        ('rate = "0/bit/day"', "rate: '0/bit/day' is out of range: above 0, at most 0.01/bit/day"),
        (
            'rate = "0.011/bit/day"',
            "rate: '0.011/bit/day' is out of range: above 0, at most 0.01/bit/day",
        ),
        ("", "missing key 'rate'; for example rate = \"1e-7/bit/day\""),
        (
            'rate = "1e-7/bit/day"\nmemory_rte = "1e-7/bit/day"',
            "unknown key 'memory_rte'; did you mean 'memory_rate'?",
        ),
        (
            'rate = "1e-7/bit/day"\nconfiguration_bits = 0',
            "configuration_bits: 0 is out of range 1..10000000000",
        ),
    ],
)
def test_rates_of_upsets_that_cannot_be_are_refused(
    sound: str, mistakes: Mistakes, keys: str, message: str
) -> None:
    (found,) = mistakes(f'{sound}\n[upset]\norbit = "LEO"\n{keys}\n')
    assert found.endswith(f": upset: {message}")


def test_the_sound_file_has_no_mistake(sound: str, mistakes: Mistakes) -> None:
    assert mistakes(sound) == []


def test_one_mistake_in_the_table_of_a_rail_hides_no_other(sound: str, mistakes: Mistakes) -> None:
    third = SECOND_RAIL.replace("v3", "v1").replace('"6ms"', '"4ms"').replace('"3V"', '"3A"')
    second = SECOND_RAIL.replace("[packet.housekeeping]", third).replace('"pg_v3"', '"pg_v5"')
    text = (
        sound.replace("[packet.housekeeping]", second)
        .replace('amps = "2A"', 'amp = "2A"', 1)
        .replace('off = "90%"', 'off = "96%"', 1)
    )
    assert [line.partition(": ")[2] for line in mistakes(text)] == [
        "rail v5: missing key 'amps'; for example amps = \"60A\"",
        "rail v5: unknown key 'amp'; did you mean 'ramp'?",
        "rail v5: pg.off: 96% is not below pg.on of 95%",
        "rail v3: pg.input: pin 'pg_v5' is already pg.input of rail v5",
        "rail v1: volts: '3A' is a current; expected a voltage such as '1.05V'",
        "rail v1: timeout: 4ms is shorter than the longest ramp of 5ms",
    ]


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        ('ramp = "1ms..5ms"', 'ramp = "5ms"'),
        ('timeout = "6ms"', 'timeout = "6V"'),
        ('on = "95%"', 'on = "95V"'),
        ('off = "90%"', "off = 0.9"),
        ('filter = "8us"', 'filter = "0.5us"'),
        ('off = { timeout = "10ms" }', "off = 10"),
        ('amps = "2A"', 'amps = "2V"\nhard_trip = { input = "oc", amps = "1mA", blank = "1us" }'),
        (
            'amps = "2A"',
            f'{OC_RESPONSE}\nhard_trips = {{ input = "oc", amps = "3A", blank = "1us" }}',
        ),
        (
            'amps = "2A"',
            f'{OC_RESPONSE}\nhard_trip = {{ input = "oc", amps = "3V", blank = "1us" }}',
        ),
    ],
)
def test_what_stands_in_for_a_broken_value_is_blamed_for_nothing(
    part: str, instead: str, sound: str, mistakes: Mistakes
) -> None:
    assert len(mistakes(sound.replace(part, instead, 1))) == 1


def test_a_misspelt_keep_alive_is_not_taken_for_a_switched_rail(
    sound: str, mistakes: Mistakes
) -> None:
    second = SECOND_RAIL.replace("after", "keep_alive = true\nafter")
    text = sound.replace("[packet.housekeeping]", second).replace(
        'volts = "5V"', 'volts = "5V"\nkeep_alve = true'
    )
    assert mistakes(text) == [
        "payload.toml:11: rail v5: unknown key 'keep_alve'; did you mean 'keep_alive'?"
    ]


def test_a_memory_whose_module_would_be_a_library_cell_is_refused(
    sound: str, mistakes: Mistakes
) -> None:
    text = sound.replace('"probe"', '"tmr"').replace("[memory.store]", "[memory.voter]")
    assert mistakes(text) == [
        (
            "payload.toml:4: memory voter: makes the module tmr_voter, which is a library cell; "
            "for example 'my_voter'"
        )
    ]


def test_the_library_cells_are_those_of_the_hdl_folder(repository: Path) -> None:
    assert {path.stem for path in (repository / "hdl/rtl").rglob("*.sv")} == LIBRARY_CELLS


NO_ROOM = (
    "harden: 'tmr' has no room in profile 'small': three flip-flops and a voter for each bit; "
    "at most 'fsm'"
)


def test_profile_small_takes_no_triplication(sound: str, mistakes: Mistakes) -> None:
    small = sound.replace('clock = "50MHz"', SMALL)
    assert mistakes(small.replace(SMALL, f'{SMALL}\nharden = "fsm"')) == []
    asked = small.replace(SMALL, f'{SMALL}\nharden = "tmr"')
    assert mistakes(asked) == [f"payload.toml:5: board: {NO_ROOM}"]
    asked = small.replace("[rail.v5]", 'harden = "tmr"\n[sequencer]\nharden = "tmr"\n[rail.v5]')
    assert mistakes(asked) == [
        f"payload.toml:10: memory store: {NO_ROOM}",
        f"payload.toml:12: sequencer: {NO_ROOM}",
    ]


def test_a_sequencer_without_rails_is_told(sound: str, mistakes: Mistakes) -> None:
    rail = sound[sound.index("[rail.v5]") : sound.index("[packet.housekeeping]")]
    found = mistakes(sound.replace(rail, "[sequencer]\n"))
    assert "payload.toml:9: sequencer: without a [rail.NAME] there is no sequencer" in found


SMALL = 'clock = "50MHz"\nprofile = "small"'


def test_more_registers_than_profile_small_has_room_for_are_counted(
    sound: str, mistakes: Mistakes
) -> None:
    small = sound.replace('clock = "50MHz"', SMALL)
    memory = small[small.index("[memory.store]") : small.index("[rail.v5]")]
    more = [memory.replace("store", f"store_{number}") for number in range(5)]
    assert mistakes(small + "".join(more[:4])) == []
    message = (
        "payload.toml:4: board: profile: 'small' has room for 32 read-only registers; 1 rails, "
        "6 memories and 1 packets have 33"
    )
    assert mistakes(small + "".join(more)) == [message]
