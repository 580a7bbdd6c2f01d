# SPDX-License-Identifier: Apache-2.0
"""The example against records written by hand, the schema, and what mutations of it do."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fw_tools.ecc.records import MemorySpec
from fw_tools.errors import InputError
from fw_tools.power.records import (
    FaultResponse,
    FaultResponses,
    HardTrip,
    OnUpset,
    PowerGood,
    RailSpec,
)
from fw_tools.rtl.payload import payload_digest
from fw_tools.spec.hardening import Harden, Hardening, UpsetBound
from fw_tools.spec.load import load_payload, load_upset_rates
from fw_tools.spec.profiles import Profile
from fw_tools.spec.records import CalibrationSpec, FieldSpec, LimitsSpec, Payload
from fw_tools.spec.schema import PayloadFile, json_schema
from fw_tools.spec.toml_source import parse_toml

EXAMPLE = Path(__file__).parents[2] / "examples" / "compute_node" / "payload.toml"


@pytest.fixture(scope="module")
def payload() -> Payload:
    return load_payload(EXAMPLE)


def test_the_example_holds_what_its_file_says(payload: Payload) -> None:
    assert (payload.name, payload.clock_hz) == ("compute_node", 40_000_000)
    assert [rail.name for rail in payload.rails] == [
        *("v28_bus", "v5_aux", "v12_ibc", "v1p5_pmc"),
        *("v0p80_soc", "v0p80_core", "v1p1_ddr", "v54_accel"),
    ]
    assert payload.memories == (
        MemorySpec(
            name="weight_buffer", data_bits=64, words=1024, code="hsiao", scrub_interval_us=10
        ),
        MemorySpec(
            name="command_store", data_bits=32, words=256, code="hsiao", scrub_interval_us=40
        ),
    )
    assert payload.benches == ()


def test_a_board_is_full_unless_its_profile_says_small(payload: Payload, repository: Path) -> None:
    small = load_payload(repository / "examples/breaker_mini/payload.toml")
    assert (payload.profile, small.profile) == (Profile.FULL, Profile.SMALL)


def test_a_block_is_hardened_as_it_says_else_as_the_board_says(sound: str, tmp_path: Path) -> None:
    text = sound.replace("[rail.v5]", 'harden = "none"\nupset_bound = { hang = "0.5%" }\n[rail.v5]')
    (tmp_path / "payload.toml").write_text(text)
    payload = load_payload(tmp_path / "payload.toml")
    assert payload.hardenings == (
        Hardening(block="sequencer", harden=Harden.FSM, bound=UpsetBound()),
        Hardening(
            block="store",
            harden=Harden.NONE,
            bound=UpsetBound(silent_ppm=10_000, hang_ppm=5_000),
        ),
    )
    board = 'clock = "50MHz"\nharden = "tmr"\nupset_bound = { silent = "0.25%" }'
    (tmp_path / "payload.toml").write_text(sound.replace('clock = "50MHz"', board))
    for each in load_payload(tmp_path / "payload.toml").hardenings:
        assert (each.harden, each.bound.silent_ppm) == (Harden.TMR, 2_500)


def test_bounds_of_upsets_are_no_part_of_the_gateware(sound: str, tmp_path: Path) -> None:
    path, digests = tmp_path / "payload.toml", []
    for line in ("", 'upset_bound = { silent = "2%" }', 'harden = "none"'):
        path.write_text(sound.replace('clock = "50MHz"', f'clock = "50MHz"\n{line}'))
        digests.append(payload_digest(load_payload(path)))
    assert digests[0] == digests[1] != digests[2]


def test_a_rail_of_the_example_is_read_exactly(payload: Payload) -> None:
    assert payload.rails[5] == RailSpec(
        name="v0p80_core",
        nominal_mv=800,
        rated_ma=60_000,
        after=("v0p80_soc",),
        keep_alive=False,
        ramp_min_us=200,
        ramp_max_us=40_000,
        timeout_us=45_000,
        settle_us=500,
        off_timeout_us=60_000,
        power_good=PowerGood(input="pg_core", on_percent=95, off_percent=90, filter_us=8),
        hard_trip=HardTrip(input="oc_core", limit_ma=110_000, blank_us=3),
        on_fault=FaultResponses(
            ramp_early=FaultResponse.KILL_TREE,
            ramp_timeout=FaultResponse.KILL_TREE,
            pg_lost=FaultResponse.KILL_BOARD,
            oc=FaultResponse.KILL_BOARD,
            stuck_on=FaultResponse.KILL_TREE,
        ),
        on_upset=OnUpset.SAFE_OFF,
    )


def test_the_packet_of_the_example_is_read_exactly(payload: Payload) -> None:
    (packet,) = payload.packets
    assert (packet.name, packet.apid, packet.structure_id) == ("housekeeping", 66, 1)
    assert (packet.destination_id, packet.period_us) == (1, 1_000_000)
    assert len(packet.fields) == 16
    # Eight rails: a bitmap of one octet. Widths of the others: fw_tools/spec/sources.py.
    assert [field.bits for field in packet.fields] == [32, *[8] * 5, 16, 16, 8, *[16] * 7]
    assert packet.fields[-1] == FieldSpec(
        name="core_temperature",
        source="input.core_temperature",
        bits=16,
        unit="degC",
        calibration=CalibrationSpec(polynomial=(Decimal("-273.15"), Decimal("0.01"))),
        limits=LimitsSpec(
            warning=(Decimal(-10), Decimal(85)), alarm=(Decimal(-20), Decimal(95)), persistence=3
        ),
    )
    # 6 + 14 + 2 octets before the fields, 4 + 5 + 4 + 1 + 14 of fields, 2 of CRC.
    assert packet.octets == 52


def test_defaults_are_as_documented(sound: str, tmp_path: Path) -> None:
    (tmp_path / "payload.toml").write_text(sound)
    payload = load_payload(tmp_path / "payload.toml")
    (rail,) = payload.rails
    assert (rail.after, rail.settle_us, rail.keep_alive) == ((), 0, False)
    assert (rail.hard_trip, rail.on_upset) == (None, OnUpset.CORRECT)
    assert rail.on_fault == FaultResponses(
        **dict.fromkeys(FaultResponses.__dataclass_fields__, FaultResponse.KILL_TREE)
    )
    assert payload.packets[0].destination_id == 0


def test_the_upset_response_of_the_board_holds_where_a_rail_has_none(
    sound: str, tmp_path: Path
) -> None:
    text = sound.replace('clock = "50MHz"', 'clock = "50MHz"\non_upset = "safe_off"')
    (tmp_path / "payload.toml").write_text(text)
    assert load_payload(tmp_path / "payload.toml").rails[0].on_upset is OnUpset.SAFE_OFF


@pytest.mark.parametrize(
    ("rate", "per_bit_day"),
    [
        ("1e-7/bit/day", 1e-7),
        ("0.5E-8 /bit/h", 1.2e-7),
        ("1e-12/bit/s", 8.64e-8),
        ("2/Mbit/day", 2e-6),
        ("0.25/Mbit/h", 6e-6),
        ("24FIT/bit", 5.76e-7),
        ("200FIT/Mbit", 4.8e-12),
    ],
)
def test_a_rate_of_upsets_is_read_in_its_unit(
    sound: str, tmp_path: Path, rate: str, per_bit_day: float
) -> None:
    """A FIT is one in 1e9 hours."""
    keys = f'orbit = "LEO"\nrate = "1e-3/bit/day"\nmemory_rate = "{rate}"\n'
    (tmp_path / "payload.toml").write_text(f"{sound}\n[upset]\n{keys}")
    rates = load_upset_rates(tmp_path / "payload.toml")
    assert rates is not None
    assert rates.memory == pytest.approx(per_bit_day)
    assert (rates.orbit, rates.flip_flop, rates.configuration) == ("LEO", 1e-3, 1e-3)
    assert rates.configuration_bits is None


def test_rates_of_upsets_are_in_no_gateware(sound: str, tmp_path: Path) -> None:
    path = tmp_path / "payload.toml"
    path.write_text(sound)
    assert load_upset_rates(path) is None
    without = load_payload(path)
    path.write_text(f'{sound}\n[upset]\norbit = "LEO"\nrate = "1e-7/bit/day"\n')
    assert load_payload(path) == without


def test_the_schema_describes_every_key() -> None:
    schema = json_schema()
    tables = [schema, *schema["$defs"].values()]
    described = [key for table in tables for key in table.get("properties", {}).values()]
    assert (
        len(described) == 8 + 6 + 6 + 12 + 4 + 1 + 3 + 5 + 5 + 6 + 4 + 4 + 14 + 3 + 6 + 2 + 2
    )  # Of each table.
    assert all(key.get("description") for key in described)
    assert all(table["additionalProperties"] is False for table in tables if "properties" in table)
    assert json.loads(json.dumps(schema)) == schema


def test_the_schema_accepts_every_quantity_of_the_example_and_no_bare_number() -> None:
    rail = json_schema()["$defs"]["RailTable"]["properties"]
    tables = parse_toml(EXAMPLE.read_text(), "payload.toml").values["rail"].values()
    for key in ("volts", "amps", "ramp", "timeout", "settle"):
        pattern = rail[key]["pattern"]
        assert all(re.search(pattern, table[key]) for table in tables)
        assert not re.search(pattern, "5")


def test_the_models_of_the_schema_accept_the_whole_example() -> None:
    values = parse_toml(EXAMPLE.read_text(), "payload.toml").values
    assert PayloadFile.model_validate(values).board.clock == 40_000_000
    with pytest.raises(ValidationError):
        PayloadFile.model_validate(values | {"rails": {}})


VALUES = ["3", "-1", "1e999", '"5V"', '"5"', '""', "[]", "{}", "true", "inf", '["a"]', "1979-05-27"]


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """Draw the example after a few edits of lines, words and characters."""
    lines = EXAMPLE.read_text().splitlines()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        edit = draw(st.sampled_from(["drop", "double", "swap", "value", "cut", "insert"]))
        other = draw(st.integers(0, len(lines) - 1))
        if edit == "drop":
            lines[at] = ""
        elif edit == "double":
            lines.insert(at, lines[other])
        elif edit == "swap":
            lines[at], lines[other] = lines[other], lines[at]
        elif edit == "value":
            lines[at] = f"{lines[at].partition('=')[0]}= {draw(st.sampled_from(VALUES))}"
        else:
            place = draw(st.integers(0, len(lines[at])))
            text = "" if edit == "cut" else draw(st.text(max_size=3))
            lines[at] = lines[at][:place] + text + lines[at][place + (edit == "cut") :]
    return "\n".join(lines)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=mutations())
def test_a_mutated_example_gives_a_payload_or_named_mistakes(text: str, tmp_path: Path) -> None:
    path = tmp_path / "payload.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        assert isinstance(load_payload(path), Payload)
    except InputError as error:
        for line in str(error).splitlines():
            assert re.match(rf"{re.escape(str(path))}:[1-9][0-9]*: \S", line), line
