# SPDX-License-Identifier: Apache-2.0
"""A generated design of 30,000 lines in three replicas: processor time of the whole command."""

import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rows import Case, Measurement

LINES = 30_000
_STAGES = 40  # A module.


def tmr_30k_lines() -> list[Measurement]:
    """Triplicate it, as SystemVerilog; proof and synthesis of such a design are not in the time."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "large.sv"
        text = "\n".join(_design()) + "\n"
        assert text.count("\n") >= LINES
        source.write_text(text)
        command = [str(Path(sys.executable).with_name("fw-tools")), "tmr", "--top", "large_design"]
        command += [str(source), "-o", f"{name}/made", "--no-proof", "--family", "none"]
        before = _processor_seconds()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = _processor_seconds() - before
    return [Measurement(case="upset/tmr_30k_lines", ours=seconds, unit="s", better="lower")]


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _design() -> Iterator[str]:
    modules = LINES // (6 * _STAGES + 6)
    for number in range(modules + 1):
        yield from _module(number)
    yield "module large_design (input logic clk_i, input logic rst_ni, input logic [15:0] a_i,"
    yield "  output logic [15:0] q_o);"
    yield f"  logic [15:0] q[{modules + 2}];"
    yield "  assign q[0] = a_i;"
    for number in range(modules + 1):
        yield f"  part_{number} u_{number} (.clk_i, .rst_ni, .a_i(q[{number}]), "
        yield f"    .q_o(q[{number + 1}]));"
    yield f"  assign q_o = q[{modules + 1}];"
    yield "endmodule"


def _module(number: int) -> Iterator[str]:
    yield f"module part_{number} (input logic clk_i, input logic rst_ni, input logic [15:0] a_i,"
    yield "  output logic [15:0] q_o);"
    yield f"  logic [15:0] r[{_STAGES + 1}];"
    yield "  assign r[0] = a_i;"
    for stage in range(_STAGES):
        yield "  always_ff @(posedge clk_i or negedge rst_ni) begin"
        yield f"    if (!rst_ni) r[{stage + 1}] <= 16'd{stage};"
        yield f"    else if (r[{stage}][{stage % 16}])"
        yield f"      r[{stage + 1}] <= (r[{stage}] ^ 16'd{number}) + r[{stage + 1}];"
        yield f"    else if (r[{stage + 1}] == 16'd{stage}) r[{stage + 1}] <= r[{stage}] << 1;"
        yield "  end"
    yield f"  assign q_o = r[{_STAGES}];"
    yield "endmodule"


CASES: dict[str, Case] = {"upset/tmr_30k_lines": tmr_30k_lines}
