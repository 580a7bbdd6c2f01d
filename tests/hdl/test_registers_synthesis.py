# SPDX-License-Identifier: Apache-2.0
"""What is left of the control flags after synthesis: their code words, and what puts them right."""

from pathlib import Path

import pytest

from fw_tools.netlist import Evaluator, Netlist, synthesise
from fw_tools.netlist.yosys import run_yosys
from fw_tools.rtl.payload import FILE_LIST, render_payload
from fw_tools.spec.load import load_payload

ON, OFF = 0x6, 0x9
CONTROL = 0x10
FLIP_FLOPS = 12 + 2 + 16  # Three code words of 4 bits, two plain strobes, the counter of upsets.


@pytest.fixture(scope="module")
def sources(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("generated")
    for file in render_payload(load_payload(repository / "examples/compute_node/payload.toml")):
        (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.path).write_text(file.text)
    lines = (folder / FILE_LIST).read_text().splitlines()
    return [folder / line for line in lines if not line.startswith("//")]


@pytest.fixture(scope="module", params=["ecp5", "ice40"])
def netlist(request: pytest.FixtureRequest, sources: list[Path]) -> Netlist:
    return synthesise(sources, "compute_node_csr", request.param)


def after_reset(netlist: Netlist) -> Evaluator:
    evaluator = Evaluator(netlist)
    evaluator.reset()
    for name in netlist.signals:
        if name.endswith("_i") and "." not in name:
            evaluator.set_signal(name, 0)
    return evaluator


def write_control(evaluator: Evaluator, power_up: int, scrub_enable: int) -> None:
    access = {"psel": 1, "penable": 1, "pwrite": 1, "paddr": CONTROL, "pstrb": 0b1111}
    for name, value in {**access, "pwdata": scrub_enable << 4 | power_up}.items():
        evaluator.set_signal(f"apb_{name}_i", value)
    evaluator.clock()
    evaluator.set_signal("apb_psel_i", 0)


def stored_control(evaluator: Evaluator) -> tuple[int, int]:
    evaluator.set_signal("apb_psel_i", 1)
    evaluator.set_signal("apb_pwrite_i", 0)
    word = evaluator.read_signal("apb_prdata_o")
    evaluator.set_signal("apb_psel_i", 0)
    return word & 0xF, word >> 4 & 0xF


def test_every_bit_of_the_code_words_has_its_flip_flop(netlist: Netlist) -> None:
    assert len(netlist.flip_flops) == FLIP_FLOPS


@pytest.mark.parametrize("code", [ON, OFF], ids=["on", "off"])
@pytest.mark.parametrize("bit", range(4))
def test_a_flipped_bit_changes_no_flag_and_is_put_right_in_one_clock(
    code: int, bit: int, netlist: Netlist
) -> None:
    evaluator = after_reset(netlist)
    write_control(evaluator, code ^ 1 << bit, code ^ 1 << bit)
    for expected in (code ^ 1 << bit, code):
        assert stored_control(evaluator) == (expected, expected)
        assert evaluator.read_signal("power_up_o") == (code == ON)
        assert evaluator.read_signal("scrub_enable_o") == (code == ON)
        evaluator.clock()


def test_yosys_reads_the_whole_payload(sources: list[Path], tmp_path: Path) -> None:
    lines = [f'"{path}"' for path in sources]
    (tmp_path / "design.f").write_text("\n".join([*lines, "--top compute_node_top"]) + "\n")
    run_yosys(["read_slang -f design.f", "hierarchy -check", "write_json design.json"], tmp_path)
    assert '"compute_node_top"' in (tmp_path / "design.json").read_text()
