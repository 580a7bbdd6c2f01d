# SPDX-License-Identifier: Apache-2.0
"""What synthesis makes of a design: a flat netlist that can be looked up, counted and evaluated."""

from fw_tools.netlist.evaluate import Evaluator
from fw_tools.netlist.records import Cell, Net, Netlist
from fw_tools.netlist.synthesis import synthesise
from fw_tools.netlist.yosys import SynthesisError

__all__ = ["Cell", "Evaluator", "Net", "Netlist", "SynthesisError", "synthesise"]
