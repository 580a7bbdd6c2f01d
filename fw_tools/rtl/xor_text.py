# SPDX-License-Identifier: Apache-2.0
"""A circuit of XOR gates as SystemVerilog: what is used more than once has a name."""

import textwrap
from collections import Counter
from dataclasses import dataclass

from fw_tools.ecc.circuit import XorCircuit

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class XorText:
    """Assignments of a circuit, each a text without its semicolon, in lines of at most 100."""

    names: tuple[str, ...]  # Of what is shared.
    terms: tuple[str, ...]  # The assignment of each.
    outputs: tuple[str, ...]


def xor_text(circuit: XorCircuit, source: str, output: str) -> XorText:
    """Return the circuit with inputs SOURCE[i] and outputs OUTPUT[j]."""
    uses = Counter(node for gate in circuit.gates for node in gate) + Counter(circuit.outputs)
    inline: list[str] = [f"{source}[{i}]" for i in range(circuit.inputs)]
    names: list[str] = []
    terms: list[str] = []
    for number, (first, second) in enumerate(circuit.gates):
        text = f"{inline[first]} ^ {inline[second]}"
        if uses[circuit.inputs + number] > 1:
            names.append(f"shared_{len(names)}")
            terms.append(_assignment(names[-1], text))
            inline.append(names[-1])
        else:
            inline.append(f"({text})")
    outputs = [
        _assignment(f"{output}[{j}]", _bare(inline[node])) for j, node in enumerate(circuit.outputs)
    ]
    return XorText(tuple(names), tuple(terms), tuple(outputs))


def _bare(text: str) -> str:
    return text[1:-1] if text.startswith("(") else text


def _assignment(target: str, text: str) -> str:
    lines = textwrap.wrap(
        f"assign {target} = {text}", _WIDTH, initial_indent="  ", subsequent_indent="      "
    )
    return "\n".join(lines)
