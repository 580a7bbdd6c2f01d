# SPDX-License-Identifier: Apache-2.0
import ast
import random
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from construct import EnumInteger

from fw_tools.flow.benches.housekeeping import packet_config
from fw_tools.rtl.telemetry_module import render_telemetry_module
from fw_tools.spec.load import load_payload
from fw_tools.spec.names import check_identifier
from fw_tools.spec.records import CalibrationSpec, FieldSpec, LimitsSpec, Payload
from hdl.tb.reports import Report, decode_report, load_definitions
from telemetry import Limits, LimitState, Polynomial, Spline, Table
from telemetry.columns.column import Column
from telemetry.columns.meanings import compile_meanings

DIGEST = "89abcdef" * 8
APID = 66


@pytest.fixture(scope="module")
def payload(repository: Path) -> Payload:
    return load_payload(repository / "examples/compute_node/payload.toml")


def write_module(payload: Payload, folder: Path) -> Path:
    (file,) = render_telemetry_module(payload, DIGEST)
    path = folder / file.path
    path.write_text(file.text)
    return path


def random_values(payload: Payload, seed: int) -> dict[str, int]:
    generator = random.Random(seed)
    return {field.name: generator.getrandbits(field.bits) for field in payload.packets[0].fields}


def packed(payload: Payload, seed: int) -> bytes:
    report = Report.from_config(packet_config(payload.packets[0]))
    return report.pack(random_values(payload, seed), count=seed, coarse=seed, fine=seed)


def imported(path: Path) -> dict[str | None, list[str]]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    assert not [node for node in nodes if isinstance(node, ast.Import)]
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return {node.module: [name.name for name in node.names] for node in froms}


def with_fields(payload: Payload, *fields: FieldSpec) -> Payload:
    return replace(payload, packets=(replace(payload.packets[0], fields=fields),))


def test_it_imports_construct_and_what_says_meanings(payload: Payload, tmp_path: Path) -> None:
    names = imported(write_module(payload, tmp_path))
    assert list(names) == ["construct", "telemetry"]
    assert names["telemetry"] == ["Limits", "Polynomial", "field"]


def test_without_a_unit_or_more_it_imports_construct_alone(
    payload: Payload, tmp_path: Path
) -> None:
    plain = FieldSpec(name="a", source="input.a", bits=8, unit="")
    assert list(imported(write_module(with_fields(payload, plain), tmp_path))) == ["construct"]


def test_every_field_reads_back_and_builds_the_same_octets(
    payload: Payload, tmp_path: Path
) -> None:
    definitions = load_definitions(write_module(payload, tmp_path))
    for seed in range(20):
        packet = packed(payload, seed)
        apid, fields = decode_report(definitions, packet)
        assert apid == APID
        expected = random_values(payload, seed)
        assert {name: int(fields[name]) for name in expected} == expected
        assert definitions[APID].build(fields) == packet[6:]


def test_states_causes_and_rails_have_names(payload: Payload, tmp_path: Path) -> None:
    definitions = load_definitions(write_module(payload, tmp_path))
    report = Report.from_config(packet_config(payload.packets[0]))
    values = random_values(payload, 0)
    values |= {"core_state": 3, "first_fault_cause": 2, "first_fault_rail": 5}
    _, fields = decode_report(definitions, report.pack(values, count=0, coarse=0, fine=0))
    assert str(fields.core_state) == "on"
    assert str(fields.first_fault_cause) == "ramp_timeout"
    assert str(fields.first_fault_rail) == payload.rails[5].name
    values |= {"core_state": 77, "first_fault_rail": 255}
    _, fields = decode_report(definitions, report.pack(values, count=0, coarse=0, fine=0))
    assert fields.core_state == 77
    assert isinstance(fields.core_state, EnumInteger)
    assert str(fields.first_fault_rail) == "none"


def test_units_and_sources_are_given_with_the_fields(payload: Payload, tmp_path: Path) -> None:
    definition = load_definitions(write_module(payload, tmp_path))[APID]
    remarks = {subcon.name: subcon.docs for subcon in definition.subcons}
    assert remarks["core_temperature"] == "input.core_temperature"
    assert remarks["rails_on"] == "rails.on"
    assert definition.uptime_s.meaning.unit == "s"
    assert definition.subcons[-1].name == "packet_error_control"


def test_a_temperature_is_calibrated_and_judged_on_the_ground(
    payload: Payload, tmp_path: Path
) -> None:
    definition = load_definitions(write_module(payload, tmp_path))[APID]
    meanings = compile_meanings(definition)
    # By hand: 0.01 K a count, 0 degC is 273.15 K. Warning above 85, alarm above 95 degC.
    raw = np.array([27315, 35814, 35816, 36816, 36817], dtype=np.uint16)
    columns = {"core_temperature": Column(name="core_temperature", raw=raw)}
    found = meanings.apply(columns)["core_temperature"]
    assert found.unit == "degC"
    assert found.engineering is not None
    assert found.engineering.round(9).tolist() == [0, 84.99, 85.01, 95.01, 95.02]
    assert found.state is not None
    assert found.state.tolist() == [0, 0, 0, 0, LimitState.ALARM_HIGH]  # The third in a row.


D = Decimal
EVERY_FORM = {
    CalibrationSpec(polynomial=(D("1E-2"),)): Polynomial((0.01,)),
    CalibrationSpec(spline=((D(0), D("-1.5")), (D(9), D(3)))): Spline(((0, -1.5), (9, 3))),
    CalibrationSpec(spline=((D(0), D(0)), (D(1), D(2))), extrapolate=True): Spline(
        ((0, 0), (1, 2)), extrapolate=True
    ),
    CalibrationSpec(table=((D(7), D("0.5")),)): Table(((7, 0.5),)),
}


@pytest.mark.parametrize(("spec", "meant"), EVERY_FORM.items())
def test_every_form_of_a_calibration_is_written(
    payload: Payload, tmp_path: Path, spec: CalibrationSpec, meant: object
) -> None:
    field = FieldSpec(name="a", source="input.a", bits=8, unit="", calibration=spec)
    path = write_module(with_fields(payload, field), tmp_path)
    assert load_definitions(path)[APID].a.meaning.calibration == meant
    assert imported(path)["telemetry"] == [type(meant).__name__, "field"]


def test_limits_are_written_with_their_open_ends(payload: Payload, tmp_path: Path) -> None:
    limits = LimitsSpec(warning=(None, D("1.5")), alarm=None, persistence=1)
    field = FieldSpec(name="a", source="input.a", bits=8, unit="V", limits=limits)
    path = write_module(with_fields(payload, field), tmp_path)
    assert load_definitions(path)[APID].a.meaning.limits == Limits(warning=(None, 1.5))
    assert 'field(Int8ub, unit="V", limits=Limits(warning=(None, 1.5)))' in path.read_text()


# Both are arguments of construct.Enum that a rail of that name would be given twice.
@pytest.mark.parametrize("name", ["self", "subcon"])
def test_a_name_that_the_definitions_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is a reserved word of construct"):
        check_identifier(name)


def test_a_payload_without_packets_has_no_definitions(payload: Payload, tmp_path: Path) -> None:
    assert load_definitions(write_module(replace(payload, packets=()), tmp_path)) == {}


def test_every_width_of_a_field_is_read(payload: Payload, tmp_path: Path) -> None:
    fields = tuple(
        FieldSpec(name=f"f{bits}", source=f"input.f{bits}", bits=bits, unit="")
        for bits in (8, 16, 24, 32)
    )
    wide = with_fields(payload, *fields)
    definitions = load_definitions(write_module(wide, tmp_path))
    _, read = decode_report(definitions, packed(wide, 3))
    assert {field.name: read[field.name] for field in fields} == random_values(wide, 3)
