# SPDX-License-Identifier: Apache-2.0
"""SystemVerilog to gates for analysis: nothing is merged, shared or encoded anew.

A synthesiser folds replicas and re-encodes state machines. A campaign flips what a designer wrote,
so the passes here only lower: every flip-flop and memory bit of the elaborated design is in the
netlist, or the caller is told which are not.
"""

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fw_tools.netlist.reading import read_netlist
from fw_tools.netlist.records import Net, Netlist
from fw_tools.netlist.refusals import refuse_unfit
from fw_tools.netlist.synthesis import design_file
from fw_tools.netlist.yosys import SynthesisError, read_json, run_yosys

GATES = ("$_NOT_", "$_AND_", "$_OR_", "$_XOR_", "$_MUX_")
FLIP_FLOPS = ("$_DFF_P_", "$_DFF_PN0_", "$_DFF_PN1_")
_MOST_NAMED = 8
_PASSES = (
    "setattr -mod -unset keep_hierarchy *",
    "opt_expr",
    "techmap -map resets.v",
    "setattr -set keep 1 t:$adff t:$dff",  # Also one that nobody reads.
    "opt_clean",
    "opt_mem_priority",
    "memory_collect",  # `memory` would take read registers into the ports, and tables for memories.
    "opt_clean",
    "techmap",
    "opt_expr -mux_undef",
    "dfflegalize -cell $_DFF_P_ 01 -cell $_DFF_PN0_ 01 -cell $_DFF_PN1_ 01",
    "techmap",
    "flatten",  # Last, so that the names of gates tell where they are.
    "opt_expr",
    "opt_clean",
)
# A reset arrives as an asynchronous load of a constant. `opt_dff` would see that, and remove
# registers that never change, too.
RESETS = """
(* techmap_celltype = "$aldff" *)
module resets (CLK, ALOAD, AD, D, Q);
  parameter WIDTH = 1, CLK_POLARITY = 1, ALOAD_POLARITY = 1;
  parameter _TECHMAP_CONSTMSK_AD_ = 0, _TECHMAP_CONSTVAL_AD_ = 0;
  input CLK, ALOAD;
  input [WIDTH-1:0] AD, D;
  output [WIDTH-1:0] Q;
  wire _TECHMAP_FAIL_ = !(&_TECHMAP_CONSTMSK_AD_);
  \\$adff #(
    .WIDTH(WIDTH), .CLK_POLARITY(CLK_POLARITY), .ARST_POLARITY(ALOAD_POLARITY),
    .ARST_VALUE(_TECHMAP_CONSTVAL_AD_)
  ) _TECHMAP_REPLACE_ (.CLK(CLK), .ARST(ALOAD), .D(D), .Q(Q));
endmodule
"""


@dataclass(frozen=True, slots=True)
class Gates:
    """A design as gates."""

    netlist: Netlist
    registers: Mapping[str, int]  # By name from the top down, as declared -> bits, all stored.
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def analyse(
    sources: Sequence[Path], top: str, parameters: Mapping[str, int | str] | None = None
) -> Gates:
    """Return the gates of `top` below `sources` (in compile order), flat, of family "gates".

    Cells are `GATES`, `FLIP_FLOPS` and `$mem_v2`.

    Raises:
        MissingToolError: Yosys is not installed.
        SynthesisError: the design does not elaborate, has latches, tri-states or falling edges
            (with file and line), or a flip-flop vanished on the way.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "design.f").write_text(design_file(sources, top, parameters))
        read = ("read_slang --keep-hierarchy -f design.f", f"hierarchy -check -top {top}")
        written = ("write_rtlil elaborated.il", "write_json elaborated.json")
        run_yosys((*read, "proc -norom", *written), folder)
        elaborated = read_json(folder / "elaborated.json")
        refuse_unfit(elaborated["modules"])
        lowered = (*lowering(folder), "write_json gates.json")
        run_yosys(("read_rtlil elaborated.il", *lowered), folder)
        netlist = read_netlist(read_json(folder / "gates.json"), top, "gates")
    _refuse_undriven(elaborated["modules"])
    refuse_foreign_cells(netlist)
    registers = _registers(read_netlist(elaborated, top, "none"))
    _refuse_losses(registers, netlist)
    ports = elaborated["modules"][top]["ports"].items()
    return Gates(
        netlist,
        registers,
        tuple(name for name, port in ports if port["direction"] == "input"),
        tuple(name for name, port in ports if port["direction"] == "output"),
    )


def lowering(folder: Path) -> Sequence[str]:
    """Return the passes from processes that are resolved to flat gates; `folder` is Yosys'."""
    (folder / "resets.v").write_text(RESETS)
    return _PASSES


def _refuse_undriven(modules: Mapping[str, Any]) -> None:
    """Refuse a register that only its reset assigns, in whose place the reader puts unknowns."""
    for name, module in modules.items():
        unknown = [
            cell["connections"]["Y"]
            for cell in module["cells"].values()
            if cell["type"] == "$buf" and "x" in cell["connections"]["A"]
        ]
        for bits in unknown:
            if _is_read(module, bits):
                signal = next(n for n, w in module["netnames"].items() if w["bits"] == bits)
                raise SynthesisError(
                    f"{name}.{signal} is assigned nowhere but in its reset, or not at all; "
                    f"give it a next value, as in {signal} <= {signal}"
                )


def _is_read(module: Mapping[str, Any], bits: Sequence[int]) -> bool:
    ways = [port["bits"] for port in module["ports"].values()]
    for cell in module["cells"].values():
        ways += [nets for pin, nets in cell["connections"].items() if pin != "Y"]
    return any(not set(bits).isdisjoint(nets) for nets in ways)


def refuse_foreign_cells(netlist: Netlist) -> None:
    """Raise `SynthesisError` where a netlist holds more than `analyse` gives."""
    known = (*GATES, *FLIP_FLOPS, "$mem_v2")
    foreign = [cell for cell in netlist.cells if cell.kind not in known]
    if foreign:
        kinds = Counter(cell.kind for cell in foreign)
        told = ", ".join(f"{count} {_called(kind)}" for kind, count in kinds.items())
        raise SynthesisError(
            f"{netlist.top}: {told}, the first at {foreign[0].name}; "
            "a campaign takes flip-flops on rising edges, gates and memories"
        )


def _called(kind: str) -> str:
    if "LATCH" in kind or "$sr" in kind.lower():
        return f"latch(es) ({kind})"
    if "tri" in kind.lower() or "TBUF" in kind:
        return f"tri-state buffer(s) ({kind})"
    return kind.rpartition("\\")[2]  # Of a module with parameters the name alone.


def _registers(elaborated: Netlist) -> dict[str, int]:
    """Return each register by its name in the module that declares it, and its bits."""
    named: dict[Net, list[tuple[str, int]]] = {}
    for name, nets in elaborated.signals.items():
        for bit, net in enumerate(nets):
            named.setdefault(net, []).append((name, bit))
    registers: dict[str, int] = {}
    for cell in elaborated.flip_flops:
        path = cell.name.partition("$")[0]
        for net in cell.pins["Q"]:
            name, bit = min(named[net], key=lambda known: _distance(known[0], path))
            registers[name] = max(registers.get(name, 0), bit + 1)
    return registers


def _distance(name: str, path: str) -> tuple[bool, int, str]:
    return not name.startswith(path), name.count("."), name


def _refuse_losses(registers: Mapping[str, int], netlist: Netlist) -> None:
    stored = {cell.pins["Q"][0] for cell in netlist.flip_flops}
    lost = []
    for name, bits in registers.items():
        nets = netlist.signals.get(name, ())
        lost += [f"{name}[{bit}]" for bit in range(bits) if not {*nets[bit : bit + 1]} & stored]
    if lost:
        more = f" and {len(lost) - _MOST_NAMED} more" if len(lost) > _MOST_NAMED else ""
        raise SynthesisError(
            f"{netlist.top}: no flip-flop is left of {', '.join(lost[:_MOST_NAMED])}{more}"
        )
