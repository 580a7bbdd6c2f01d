# SPDX-License-Identifier: Apache-2.0
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fw_tools.rtl.names import FAULT_CAUSES, RAIL_STATES, NamedValue
from fw_tools.rtl.register_rows import register_rows
from fw_tools.rtl.registers import (
    compile_rdl,
    elaborate_registers,
    render_rdl,
    render_registers,
)
from fw_tools.spec.load import load_payload
from fw_tools.spec.records import Payload
from fw_tools.spec.size import read_only_registers

DIGEST = "89abcdef" * 8
# Software relies on these; worked out by hand from the description of the compute node.
OFFSETS = {
    "magic": 0x00,
    "format": 0x04,
    "model_digest": 0x08,
    "control": 0x10,
    "command": 0x14,
    "status": 0x18,
    "control_upsets": 0x1C,
    "time_seconds": 0x20,
    "time_fraction": 0x24,
    "first_fault": 0x30,
    "state_upsets": 0x34,
    "rails_enabled": 0x40,
    "rails_on": 0x44,
    "rails_faulted": 0x48,
    "rails_late": 0x4C,
    "rail_states_0": 0x50,
    "rail_states_1": 0x54,
    "memory_weight_buffer.errors": 0x60,
    "memory_weight_buffer.scrub": 0x64,
    "memory_weight_buffer.last_error": 0x68,
    "memory_command_store.errors": 0x70,
    "memory_command_store.scrub": 0x74,
    "memory_command_store.last_error": 0x78,
    "packet_housekeeping": 0x80,
}


@pytest.fixture(scope="module")
def payload(repository: Path) -> Payload:
    return load_payload(repository / "examples/compute_node/payload.toml")


def with_rails(payload: Payload, count: int) -> Payload:
    rails = tuple(replace(payload.rails[0], name=f"r{number}") for number in range(count))
    return replace(payload, rails=rails, packets=())


def test_registers_stand_where_software_expects_them(payload: Payload, tmp_path: Path) -> None:
    rows = register_rows(compile_rdl(render_rdl(payload, DIGEST), tmp_path))
    assert {row.path: row.offset for row in rows} == OFFSETS


def test_everything_has_a_description(payload: Payload, tmp_path: Path) -> None:
    rows = register_rows(compile_rdl(render_rdl(payload, DIGEST), tmp_path))
    fields = [(row.path, field) for row in rows for field in row.fields]
    assert [f"{path}.{field.name}" for path, field in fields if not field.description] == []


def test_identity_holds_the_head_of_the_digest(payload: Payload, tmp_path: Path) -> None:
    rows = register_rows(compile_rdl(render_rdl(payload, DIGEST), tmp_path))
    values = {row.path: row.fields[0].reset for row in rows}
    assert values["magic"] == int.from_bytes(b"FWTP", "big")
    assert values["model_digest"] == 0x89ABCDEF


def test_flags_are_code_words_at_distance_4(payload: Payload, tmp_path: Path) -> None:
    rows = register_rows(compile_rdl(render_rdl(payload, DIGEST), tmp_path))
    (control,) = [row for row in rows if row.path == "control"]
    resets = {field.name: field.reset for field in control.fields}
    assert resets == {"power_up": 0b1001, "scrub_enable": 0b0110}
    assert (0b1001 ^ 0b0110).bit_count() == 4


def test_no_single_flip_of_an_idle_command_clears_faults(payload: Payload, tmp_path: Path) -> None:
    rows = register_rows(compile_rdl(render_rdl(payload, DIGEST), tmp_path))
    (command,) = [row for row in rows if row.path == "command"]
    (field,) = [field for field in command.fields if field.name == "clear_faults"]
    assert (field.high, field.low, field.reset) == (3, 0, 0)
    assert field.description.startswith("0x6 ")
    assert 0x6.bit_count() == 2


@pytest.mark.parametrize(("rails", "words"), [(1, 1), (32, 1), (33, 2), (64, 2)])
def test_bitmaps_take_a_word_for_32_rails(rails: int, words: int, payload: Payload) -> None:
    registers = elaborate_registers(with_rails(payload, rails))
    for bitmap in registers.bitmaps:
        assert len(bitmap.words) == words
        assert sum(len(word.rails) for word in bitmap.words) == rails
    assert len(registers.state_words) == -(-rails // 4)


@pytest.mark.parametrize("rails", [0, 1, 33])
def test_no_two_registers_overlap(rails: int, payload: Payload, tmp_path: Path) -> None:
    many = with_rails(payload, rails)
    rows = register_rows(compile_rdl(render_rdl(many, DIGEST), tmp_path))
    offsets = [row.offset for row in rows]
    assert len(set(offsets)) == len(offsets)
    assert max(offsets) < elaborate_registers(many).size


@pytest.mark.parametrize(("rails", "memories"), [(0, 2), (1, 0), (4, 1), (33, 2)])
def test_the_registers_that_are_counted_are_those_that_are_made(
    rails: int, memories: int, payload: Payload, tmp_path: Path
) -> None:
    made = replace(with_rails(payload, rails), memories=payload.memories[:memories])
    rows = register_rows(compile_rdl(render_rdl(made, DIGEST), tmp_path))
    writable = [row for row in rows if any("w" in field.access for field in row.fields)]
    assert [row.path for row in writable] == ["control", "command"]
    assert len(rows) - len(writable) == read_only_registers(rails, memories, packets=0)


def test_the_c_header_compiles_as_c_and_as_cpp(payload: Payload, tmp_path: Path) -> None:
    (header,) = [f for f in render_registers(payload, DIGEST) if f.path.suffix == ".h"]
    (tmp_path / header.path.name).write_text(header.text)
    block = "COMPUTE_NODE_REGS"
    prefix = f"{block}__CONTROL__POWER_UP"
    program = (
        f'#include "{header.path.name}"\n#include <stddef.h>\n'
        'static_assert(offsetof(compute_node_regs_t, command) == 0x14, "command");\n'
        f'static_assert({prefix}_bm == 0xf && {prefix}_reset == 0x9, "power_up");\n'
        f'static_assert({prefix}__ON == 0x6 && {prefix}__OFF == 0x9, "code words");\n'
        f'static_assert({block}__COMMAND__CLEAR_FAULTS__CLEAR == 0x6, "clear_faults");\n'
    )
    for compiler, name in (("gcc", "use.c"), ("g++", "use.cpp")):
        (tmp_path / name).write_text(program)
        subprocess.run([compiler, "-fsyntax-only", "-Wall", "-Werror", tmp_path / name], check=True)


@pytest.mark.parametrize(("kind", "values"), [("State", RAIL_STATES), ("Cause", FAULT_CAUSES)])
def test_states_and_causes_have_the_numbers_of_the_gateware(
    kind: str, values: tuple[NamedValue, ...], repository: Path
) -> None:
    package = (repository / "hdl/rtl/power/rail_pkg.sv").read_text()
    numbers = dict(re.findall(rf"{kind}(\w+)\s+= 3'd(\d)", package))
    camel = {value.name.title().replace("_", ""): str(value.value) for value in values}
    assert camel == numbers
