# SPDX-License-Identifier: Apache-2.0
"""Place and route of small designs whose size is known by hand, and of the small example."""

import json
import re
from pathlib import Path

import pytest

from fw_tools.errors import MissingToolError
from fw_tools.flow.generate import generate
from fw_tools.fpga import families
from fw_tools.fpga.families import PlacementError
from fw_tools.fpga.harness import harness_flip_flops, harness_module, render_harness
from fw_tools.fpga.parts import ECP5_25F, ICE40UP5K, Part
from fw_tools.fpga.place import Fit, place_and_route
from fw_tools.netlist.synthesis import synthesise_json
from fw_tools.netlist.yosys import run_yosys
from fw_tools.rtl.payload import source_files
from fw_tools.spec.load import load_payload

PARTS = [ECP5_25F, ICE40UP5K]
# A counter, and a memory of 16-bit words; a block RAM has 18 kbit, in an iCE40 4 kbit.
DESIGN = """
module sample #(
    parameter int unsigned AddressBits = 8
) (
    input  logic       clk_i,
    input  logic       rst_ni,
    input  logic       write_i,
    output logic [3:0] octet_o
);
  logic [15:0] mem[1 << AddressBits];
  logic [15:0] count_q, word;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_q <= '0;
    else count_q <= count_q + 1'b1;
  end
  always_ff @(posedge clk_i) begin
    if (write_i) mem[count_q[AddressBits-1:0]] <= count_q;
    word <= mem[~count_q[AddressBits-1:0]];
  end
  assign octet_o = word[3:0] ^ word[7:4] ^ word[11:8] ^ word[15:12];
endmodule
"""
WIDE = "module sample (input clk_i, output logic [99:0] q_o);\n"
WIDE += "  always_ff @(posedge clk_i) q_o <= {q_o, ~q_o[99]};\nendmodule\n"


def placed(
    folder: Path, part: Part, clock_mhz: float = 12, text: str = DESIGN, **sizes: int
) -> Fit:
    source = folder / "design.sv"
    source.write_text(text)
    return place_and_route([source], "sample", part, clock_mhz, sizes)


@pytest.mark.parametrize(("part", "address_bits"), [(ECP5_25F, 10), (ICE40UP5K, 8)])
def test_flip_flops_and_block_rams_are_those_of_the_design(
    part: Part, address_bits: int, tmp_path: Path
) -> None:
    fit = placed(tmp_path, part, AddressBits=address_bits)
    assert (fit.flip_flops, fit.block_rams) == (16, 1)
    assert 16 <= fit.logic_cells <= 60
    assert fit.is_in_time
    assert {step.source.partition(":")[0] for step in fit.slowest_path} == {"design.sv"}
    assert placed(tmp_path, part, AddressBits=address_bits + 1).block_rams == 2


def test_a_missed_clock_is_told_and_no_error(tmp_path: Path) -> None:
    fit = placed(tmp_path, ICE40UP5K, clock_mhz=900)
    assert 12 < fit.fmax_mhz < 900
    assert not fit.is_in_time


def test_what_does_not_fit_is_told_in_nextpnrs_words(tmp_path: Path) -> None:
    with pytest.raises(PlacementError, match=r"^nextpnr: Unable to .* cell .*q_o"):
        placed(tmp_path, ICE40UP5K, text=WIDE)


def test_a_missing_nextpnr_is_told_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = families.find_spec
    monkeypatch.setattr(
        families, "find_spec", lambda name: None if "nextpnr" in name else find(name)
    )
    with pytest.raises(MissingToolError, match=r"nextpnr is missing: pip install"):
        placed(tmp_path, ICE40UP5K)


@pytest.fixture(scope="module")
def mini(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the gateware of the small example."""
    folder = tmp_path_factory.mktemp("mini")
    generate(repository / "examples/breaker_mini/payload.toml", folder)
    return folder


@pytest.mark.parametrize("part", PARTS, ids=["ecp5", "ice40"])
def test_the_program_is_in_the_block_rams_from_configuration_on(part: Part, mini: Path) -> None:
    text = (mini / "rtl/breaker_mini_program.sv").read_text()
    words = [int(word, 16) for word in re.findall(r"= 23'h([0-9a-f]+);", text)]
    assert len(words) > 1000
    netlist = json.loads(
        synthesise_json(source_files(mini), "breaker_mini_program", part.family.name)
    )
    rams = [
        cell["parameters"]
        for cell in netlist["modules"]["breaker_mini_program"]["cells"].values()
        if cell["type"] in ("DP16KD", "SB_RAM40_4K")
    ]
    contents = [value for ram in rams for name, value in ram.items() if name.startswith("INIT")]
    ones = sum(value.count("1") for value in contents if set(value) <= set("01x"))
    assert ones == sum(word.bit_count() for word in words)


def test_the_small_example_leaves_a_tenth_of_an_ice40up5k_and_runs_at_12_mhz(
    repository: Path, mini: Path
) -> None:
    payload = load_payload(repository / "examples/breaker_mini/payload.toml")
    harness = mini / "harness.sv"
    harness.write_text(render_harness(payload))
    fit = place_and_route(
        [*source_files(mini), harness], harness_module(payload), ICE40UP5K, payload.clock_hz / 1e6
    )
    assert fit.logic_cells <= 0.9 * fit.logic_cells_available
    assert fit.fmax_mhz >= 12


def test_a_payload_between_flip_flops_has_pins_for_the_board_alone(
    repository: Path, tmp_path: Path
) -> None:
    spec = repository / "examples/compute_node/payload.toml"
    payload = load_payload(spec)
    generate(spec, tmp_path / "generated")
    (tmp_path / "harness.sv").write_text(render_harness(payload))
    sources = [*source_files(tmp_path / "generated"), tmp_path / "harness.sv"]
    lines = [*(f'"{path}"' for path in sources), "--top compute_node_fit"]
    (tmp_path / "design.f").write_text("\n".join(lines))
    passes = ("read_slang -f design.f", "proc", "opt_clean", "write_json design.json")
    run_yosys([*passes], tmp_path)
    module = json.loads((tmp_path / "design.json").read_bytes())["modules"]["compute_node_fit"]
    pins = {name.partition("_")[0] for name in module["ports"]}
    assert pins == {"clk", "rst", "uart", "boot", "flash", "enable", "pin", "chain"}
    chain = [name for name in module["netnames"] if name.startswith("own_")]
    inputs = [module["netnames"][name]["bits"] for name in chain if name.endswith("_i")]
    assert harness_flip_flops(payload) == sum(map(len, inputs)) + 1
