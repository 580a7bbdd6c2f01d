# SPDX-License-Identifier: Apache-2.0
import ast
import random
from dataclasses import replace
from pathlib import Path

import pytest
from construct import EnumInteger

from fw_tools.flow.benches.housekeeping import packet_config
from fw_tools.rtl.telemetry_module import render_telemetry_module
from fw_tools.spec.load import load_payload
from fw_tools.spec.names import check_identifier
from fw_tools.spec.records import FieldSpec, Payload
from hdl.tb.reports import Report, decode_report, load_definitions

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


def test_it_imports_construct_and_nothing_else(payload: Payload, tmp_path: Path) -> None:
    tree = ast.parse(write_module(payload, tmp_path).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [node.module for node in imports if isinstance(node, ast.ImportFrom)] == ["construct"]
    assert len(imports) == 1


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
    assert remarks["core_temperature"] == "cK; input.core_temperature"
    assert remarks["uptime_s"] == "s; time.seconds"
    assert remarks["rails_on"] == "rails.on"
    assert definition.subcons[-1].name == "packet_error_control"


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
    wide = replace(payload, packets=(replace(payload.packets[0], fields=fields),))
    definitions = load_definitions(write_module(wide, tmp_path))
    _, read = decode_report(definitions, packed(wide, 3))
    assert {field.name: read[field.name] for field in fields} == random_values(wide, 3)
