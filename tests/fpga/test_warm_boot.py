# SPDX-License-Identifier: Apache-2.0
"""A payload that has its FPGA load another bitstream: from its loader to the family's own means."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fw_tools.board.finding import find_board
from fw_tools.flow.bitstream import Design
from fw_tools.flow.board_design import payload_on_board, write_design
from fw_tools.netlist.synthesis import synthesise_json
from fw_tools.report.records import Status
from fw_tools.sim.build import BuildOptions, build
from fw_tools.sim.run import RunOptions, run
from fw_tools.spec.load import load_payload
from fw_tools.spec.records import BenchSpec

BOARDS = {"icebreaker": "ice40", "ulx3s": "ecp5"}
OUTPUTS = {"O", "Z", "Q", "LO", "F", "COUT", "q_o"}  # Of cells that a signal is traced through.
Netlist = dict[str, Any]


@pytest.fixture(scope="module", params=BOARDS)
def board(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def design(board: str, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Design:
    """Return the breaker board with a flash, and its slots in that of the FPGA."""
    folder = tmp_path_factory.mktemp(board)
    text = (repository / "examples/breaker_mini/payload.toml").read_text()
    spec = folder / "payload.toml"
    spec.write_text(text.replace("[link]\n", '[link]\nflash = "512KiB"\nslot = "128KiB"\n'))
    found = find_board(board)
    assert found.fpga is not None
    return write_design(payload_on_board(load_payload(spec), found), found.fpga, folder / "g")[0]


def test_a_bitstream_in_a_slot_reaches_what_has_the_fpga_load_it(
    board: str, design: Design, tmp_path: Path
) -> None:
    bench = BenchSpec(
        name=board,
        top=design.top,
        test_modules=("warm_boot_board_bench",),
        python_paths=(Path(__file__).parent,),
        sources=design.sources,
        verilator_args=("-Wno-fatal",),
        environment=(("BOARD", board),),
    )
    records = run(build(bench, BuildOptions(work=tmp_path)), bench, RunOptions(work=tmp_path))
    assert [record.message for record in records if record.status is not Status.PASSED] == []
    assert len(records) == 2


def test_it_is_in_the_netlist_and_hangs_on_a_register_of_its_own(
    board: str, design: Design
) -> None:
    netlist = json.loads(synthesise_json(design.sources, design.top, BOARDS[board]))
    module = netlist["modules"][design.top]
    if board == "icebreaker":
        (primitive,) = (cell for cell in module["cells"].values() if cell["type"] == "SB_WARMBOOT")
        pins = [primitive["connections"][name][0] for name in ("BOOT", "S0", "S1")]
    else:
        pins = module["ports"]["user_programn"]["bits"]
    found = [sorted(sources(module, pin)) for pin in pins]
    assert all(is_register(module, name) for names in found for name in names), found
    assert len({name for names in found for name in names}) == len(pins), found


def is_register(module: Netlist, name: str) -> bool:
    return (
        re.match(r"SB_DFF|TRELLIS_FF|.*kept_reg", module["cells"].get(name, {}).get("type", ""))
        is not None
    )


def sources(module: Netlist, net: Any) -> Iterator[str]:
    """Yield the registers on which a net hangs through logic alone; a constant for what it is."""
    drivers = [
        (name, cell)
        for name, cell in module["cells"].items()
        for port, bits in cell["connections"].items()
        if port in OUTPUTS and net in bits
    ]
    if not drivers:
        yield f"no cell drives {net!r}"
    for name, cell in drivers:
        is_logic = cell["type"] in {"SB_LUT4", "LUT4", "SB_CARRY", "TRELLIS_IO", "PFUMX", "L6MUX21"}
        if not is_logic:
            yield name
            continue
        for port, bits in cell["connections"].items():
            if port not in OUTPUTS:
                for bit in bits:
                    if isinstance(bit, int):
                        yield from sources(module, bit)
