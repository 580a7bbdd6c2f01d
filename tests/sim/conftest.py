# SPDX-License-Identifier: Apache-2.0
"""A one-register design and benches on it, written as a Makefile user of cocotb writes them."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from fw_tools.spec.records import BenchSpec

REGISTER = """\
module reg_slice #(
    parameter int unsigned Width = 8
) (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic [Width-1:0] d_i,
    output logic [Width-1:0] q_o
);
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) q_o <= '0;
    else         q_o <= d_i;
  end
endmodule
"""
BENCH = '''\
"""A register hands on what it is given."""
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge


@cocotb.test()
async def every_word_passes(dut):
    """What goes in comes out one clock later."""
    Clock(dut.clk_i, 10, "ns").start()
    dut.rst_ni.value = 0
    await FallingEdge(dut.clk_i)
    dut.rst_ni.value = 1
    for _ in range(20):
        word = random.getrandbits(len(dut.d_i))
        dut.d_i.value = word
        await FallingEdge(dut.clk_i)
        assert dut.q_o.value == word
'''


@pytest.fixture(scope="session")
def design(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with reg_slice.sv and test_reg.py, shared so that it is built once."""
    folder = tmp_path_factory.mktemp("design")
    (folder / "reg_slice.sv").write_text(REGISTER)
    (folder / "test_reg.py").write_text(BENCH)
    return folder


@pytest.fixture
def make_bench(design: Path) -> Callable[..., BenchSpec]:
    """Return a function that gives a bench of reg_slice, its test module made of `text`."""

    def make(text: str = "", module: str = "test_reg", **changes: object) -> BenchSpec:
        if text:
            (design / f"{module}.py").write_text(dedent(text))
        values = {
            "name": "register",
            "top": "reg_slice",
            "test_modules": (module,),
            "sources": (design / "reg_slice.sv",),
            "python_paths": (design,),
        }
        return BenchSpec(**(values | changes))

    return make
