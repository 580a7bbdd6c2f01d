# SPDX-License-Identifier: Apache-2.0
"""SystemVerilog to words: Yosys elaborates, flattens and leaves every register as it is written."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fw_tools.netlist.analysis import RESETS
from fw_tools.netlist.reading import place_of
from fw_tools.netlist.synthesis import design_file
from fw_tools.netlist.yosys import SynthesisError, run_yosys
from fw_tools.tmr.design import Bit, Bits, Design, Memory, Operator, Port, Register, WritePort

_PASSES = (
    "proc -norom",
    "setattr -mod -unset keep_hierarchy *",
    "flatten",
    "chformal -remove",
    "delete t:$print",
    "opt_expr",
    "dffunmap",
    "techmap -map resets.v",
    "setattr -set keep 1 t:$adff t:$dff",  # Also one that nobody reads.
    "opt_clean",
    "bmuxmap",
    "demuxmap",
    "techmap -map shifts.v",
    "wreduce t:* t:$dff %d t:$adff %d t:$mem* %d",
    "opt_mem_priority",
    "memory_collect",
    "opt_clean",
)
# A shift by a signed amount goes both ways.
_SHIFT_MAP = """
(* techmap_celltype = "$shift" *)
module shifts (A, B, Y);
  parameter A_SIGNED = 0, B_SIGNED = 0, A_WIDTH = 1, B_WIDTH = 1, Y_WIDTH = 1;
  localparam WIDTH = A_WIDTH > Y_WIDTH ? A_WIDTH : Y_WIDTH;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire [WIDTH-1:0] value;
  generate
    if (A_SIGNED) assign value = $signed(A);
    else assign value = A;
    if (B_SIGNED) assign Y = B[B_WIDTH-1] ? value << -B : value >> B;
    else assign Y = value >> B;
  endgenerate
endmodule
"""
_ALIASES = {"$buf": "A", "$pos": "A"}
_REGISTERS = ("$dff", "$adff")
_IGNORED = ("$scopeinfo",)
_TRUTHS = frozenset(
    {
        *("$lt", "$le", "$eq", "$ne", "$eqx", "$nex", "$ge", "$gt"),
        *("$logic_not", "$logic_and", "$logic_or"),
        *("$reduce_and", "$reduce_or", "$reduce_xor", "$reduce_xnor", "$reduce_bool"),
    }
)
_SHIFTS = frozenset({"$shl", "$shr", "$sshl", "$sshr", "$shiftx"})
OPERATORS = frozenset(
    {
        *(*_TRUTHS, *_SHIFTS, "$mux", "$pmux", "$bwmux"),
        *("$not", "$neg", "$and", "$or", "$xor", "$xnor", "$add", "$sub", "$mul", "$div", "$mod"),
    }
)
_PINS = ("A", "B", "S")


def elaborate(
    sources: Sequence[Path], top: str, parameters: Mapping[str, int | str] | None = None
) -> Design:
    """Return the words of `top` below `sources` (in compile order).

    Raises:
        MissingToolError: Yosys is not installed.
        SynthesisError: the design does not elaborate, or holds what cannot be triplicated.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "design.f").write_text(design_file(sources, top, parameters))
        (folder / "resets.v").write_text(RESETS)
        (folder / "shifts.v").write_text(_SHIFT_MAP)
        read = ("read_slang --keep-hierarchy -f design.f", f"hierarchy -check -top {top}")
        run_yosys((*read, *_PASSES, "write_json words.json"), folder)
        document = json.loads((folder / "words.json").read_text())
    return _Reader(document["modules"][top], top).design()


class _Reader:
    def __init__(self, module: Mapping[str, Any], top: str) -> None:
        self._module = module
        self._top = top
        self._alias: dict[Bit, Bit] = {}
        for cell in module["cells"].values():
            self._note_alias(cell)
        named = ((n, w) for n, w in module["netnames"].items() if not w.get("hide_name"))
        self._signals = {name: self._bits(wire["bits"]) for name, wire in named}
        self._marks = {
            bit: wire["attributes"]
            for wire in module["netnames"].values()
            for bit in self._bits(wire["bits"])
            if wire["attributes"].keys() & {"async_reg", "ASYNC_REG"}
        }
        self._initial = dict(self._initials())
        self._called: dict[Bits, list[str]] = {}
        for name, bits in self._signals.items():
            self._called.setdefault(bits, []).append(name)

    def design(self) -> Design:
        """Return everything that the module holds."""
        self._refuse()
        cells = self._module["cells"].items()
        return Design(
            top=self._top,
            ports=tuple(
                Port(
                    name=name,
                    is_input=port["direction"] == "input",
                    bits=self._bits(port["bits"]),
                )
                for name, port in self._module["ports"].items()
            ),
            operators=tuple(
                self._operator(cell)
                for _, cell in cells
                if cell["type"] in OPERATORS and cell["connections"]["Y"][0] not in self._alias
            ),
            registers=tuple(self._register(n, c) for n, c in cells if c["type"] in _REGISTERS),
            memories=tuple(self._memory(c) for _, c in cells if c["type"] == "$mem_v2"),
            signals=self._signals,
            modules=dict(self._modules()),
        )

    def _note_alias(self, cell: Mapping[str, Any]) -> None:
        pins = cell["connections"]
        if cell["type"] in _ALIASES:
            filler = pins["A"][-1] if _flag(cell, "A_SIGNED") else "0"
            taken = [*pins["A"], *[filler] * len(pins["Y"])]
            self._alias |= dict(zip(pins["Y"], taken, strict=False))
        elif cell["type"] == "$mux" and {*pins["A"]} == {"0"} and {*pins["B"]} <= {"0", "1"}:
            chosen = (pins["S"][0] if bit == "1" else "0" for bit in pins["B"])
            self._alias |= dict(zip(pins["Y"], chosen, strict=True))
        elif cell["type"] in _TRUTHS:
            self._alias |= dict.fromkeys(pins["Y"][1:], "0")

    def _bits(self, bits: Sequence[Bit]) -> Bits:
        return tuple(self._bit(bit) for bit in bits)

    def _bit(self, bit: Bit) -> Bit:
        while bit in self._alias:
            bit = self._alias[bit]
        return bit

    def _initials(self) -> Iterator[tuple[Bit, str]]:
        for wire in self._module["netnames"].values():
            if "init" in wire["attributes"]:
                yield from zip(
                    self._bits(wire["bits"]), reversed(wire["attributes"]["init"]), strict=False
                )

    def _modules(self) -> Iterator[tuple[str, str]]:
        for name, cell in self._module["cells"].items():
            if cell["type"] == "$scopeinfo" and "module" in cell["attributes"]:
                yield name, str(cell["attributes"]["module"]).partition("$")[0]

    def _refuse(self) -> None:
        known = (*_REGISTERS, *_ALIASES, *_IGNORED, *OPERATORS, "$mem_v2")
        for name, cell in self._module["cells"].items():
            where = place_of(cell["attributes"])
            if cell["type"] not in known:
                raise SynthesisError(f"{where}: {self._top}: {_refusal(cell['type'], name)}")
            if cell["type"] == "$buf" and "x" in cell["connections"]["A"]:
                bits = self._bits(cell["connections"]["Y"])
                signal = next((n for n, w in self._signals.items() if w == bits), name)
                raise SynthesisError(
                    f"{where}: {self._top}: {signal} is assigned nowhere but in its reset, or not "
                    f"at all; give it a next value, as in {signal} <= {signal}"
                )

    def _operator(self, cell: Mapping[str, Any]) -> Operator:
        pins = cell["connections"]
        output = self._bits(pins["Y"][:1] if cell["type"] in _TRUTHS else pins["Y"])
        operands = ["A"] if cell["type"] in _SHIFTS else ["A", "B"]
        operands = [name for name in operands if f"{name}_SIGNED" in cell["parameters"]]
        return Operator(
            kind=cell["type"],
            place=place_of(cell["attributes"]),
            is_signed=bool(operands) and all(_flag(cell, f"{n}_SIGNED") for n in operands),
            inputs={pin: self._bits(pins[pin]) for pin in _PINS if pin in pins},
            output=output,
            parameters={name: int(value, 2) for name, value in cell["parameters"].items()},
        )

    def _register(self, name: str, cell: Mapping[str, Any]) -> Register:
        pins = {pin: self._bits(bits) for pin, bits in cell["connections"].items()}
        q = pins["Q"]
        has_reset = cell["type"] == "$adff"
        initial = tuple(self._initial.get(bit, "x") for bit in q)
        return Register(
            name=self._own_name(q, name.partition("$")[0]) or _part_of(q, self._signals) or name,
            place=place_of(cell["attributes"]),
            q=q,
            d=pins["D"],
            clock=pins["CLK"][0],
            is_rising=_flag(cell, "CLK_POLARITY"),
            reset=pins["ARST"][0] if has_reset else None,
            is_reset_high=has_reset and _flag(cell, "ARST_POLARITY"),
            reset_value=tuple(reversed(cell["parameters"]["ARST_VALUE"])) if has_reset else (),
            initial=initial if set(initial) != {"x"} else None,
            is_synchroniser=any(bit in self._marks for bit in q),
        )

    def _own_name(self, word: Bits, path: str) -> str:
        """Return the name in the module that declares a word; a port's if there is no other."""
        ports = self._module["ports"]
        return min(
            self._called.get(word, [""]),
            key=lambda name: (name in ports, not name.startswith(path), name.count("."), name),
        )

    def _memory(self, cell: Mapping[str, Any]) -> Memory:
        parameters = cell["parameters"]
        width, depth = _number(cell, "WIDTH"), _number(cell, "SIZE")
        name = parameters["MEMID"].removeprefix("\\").replace("\\", "")
        if _number(cell, "OFFSET") or _number(cell, "RD_CLK_ENABLE"):
            raise SynthesisError(
                f"{place_of(cell['attributes'])}: memory {name} begins at another word than 0, or "
                "is read at a clock; it cannot be left beside three replicas"
            )
        initial = parameters["INIT"][::-1] if len(parameters["INIT"]) == width * depth else ""
        return Memory(
            name=name,
            place=place_of(cell["attributes"]),
            width=width,
            depth=depth,
            initial=initial if initial.strip("x") else "",
            reads=tuple(self._reads(cell, width)),
            writes=tuple(self._writes(cell, width)),
        )

    def _reads(self, cell: Mapping[str, Any], width: int) -> Iterator[tuple[Bits, Bits]]:
        for port in range(_number(cell, "RD_PORTS")):
            yield (
                self._part(cell, "RD_ADDR", port, _number(cell, "ABITS")),
                self._part(cell, "RD_DATA", port, width),
            )

    def _writes(self, cell: Mapping[str, Any], width: int) -> Iterator[WritePort]:
        polarity = cell["parameters"]["WR_CLK_POLARITY"][::-1]
        for port in range(_number(cell, "WR_PORTS")):
            yield WritePort(
                clock=self._part(cell, "WR_CLK", port, 1)[0],
                is_rising=polarity[port] == "1",
                address=self._part(cell, "WR_ADDR", port, _number(cell, "ABITS")),
                data=self._part(cell, "WR_DATA", port, width),
                enable=self._part(cell, "WR_EN", port, width),
            )

    def _part(self, cell: Mapping[str, Any], pin: str, port: int, width: int) -> Bits:
        return self._bits(cell["connections"][pin][port * width : (port + 1) * width])


def _number(cell: Mapping[str, Any], name: str) -> int:
    return int(cell["parameters"][name].replace("x", "0") or "0", 2)


def _flag(cell: Mapping[str, Any], name: str) -> bool:
    return bool(_number(cell, name)) if name in cell["parameters"] else False


def _refusal(kind: str, name: str) -> str:
    if "latch" in kind or "sr" in kind:
        return f"a latch, {name}; give the signal a value in every branch, or clock it"
    if kind == "$aldff":
        return f"{name} is loaded with a variable while its reset is active; reset it to a constant"
    if "tribuf" in kind:
        return f"a tri-state buffer, {name}; triplicate what is inside of the pads"
    return (
        f"{name} is a {kind}, which cannot be written out; there is no way round but another form"
    )


def _part_of(word: Bits, signals: Mapping[str, Bits]) -> str:
    for name in sorted(signals, key=lambda name: (name.count("."), len(name), name)):
        bits = signals[name]
        if word[0] in bits:
            low = bits.index(word[0])
            if bits[low : low + len(word)] == word:
                high = low + len(word) - 1
                return f"{name}[{high}:{low}]" if high != low else f"{name}[{low}]"
    return ""
