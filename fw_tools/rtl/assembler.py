# SPDX-License-Identifier: Apache-2.0
"""Assembler of the link's engine: text to words of 17 bits.

Instructions and ports are those of `hdl/rtl/link/engine_pkg.sv`. A line holds a label (`name:`), an
instruction with at most one operand, or a directive, and a comment behind `;`.

    .var NAME [WORDS]     words of the RAM, zero at the start
    .const NAME VALUE     a number
    ldw VALUE             an instruction of two words: loads 16 bits

An operand is a number, a name, or a sum `name+number`. Names are labels, variables, constants and
ports.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

OPERAND_BITS = 12
INSTRUCTION_BITS = 5 + OPERAND_BITS  # Of a word of the program; of data it uses 16.
MAX_WORDS = 1 << OPERAND_BITS
MAX_RAM_WORDS = 1 << 10
WITHOUT_OPERAND = frozenset({"ret", "jma", "tax", "txa", "shl", "shr", "swp"})
_ENUM = re.compile(r"^\s+(\w+)\s*=\s*5'd(\d+)", re.MULTILINE)
_PORT = re.compile(r"localparam logic \[10:0\] Port(\w+) = 11'h([0-9a-f]+);")
_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


class AssemblyError(Exception):
    """A program that cannot be assembled; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the program, and the line that it stands for."""

    value: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """An assembled program."""

    words: tuple[Word, ...]
    symbols: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    place: str
    text: str  # Without comment.
    label: str = ""
    mnemonic: str = ""
    operand: str = ""


@dataclass(slots=True, kw_only=True)
class _Layout:
    """What the first pass finds: where everything is."""

    symbols: dict[str, str | int]
    lines: list[_Line] = field(default_factory=list)
    ram_words: int = 0
    words: int = 0

    def define(self, name: str, value: str | int, place: str) -> None:
        if name in self.symbols:
            raise AssemblyError(f"{place}: {name} is defined twice")
        self.symbols[name] = value


@cache
def _package() -> str:
    return resources.files("hdl").joinpath("rtl/link/engine_pkg.sv").read_text(encoding="utf-8")


@cache
def instructions() -> dict[str, int]:
    """Return the code of every instruction by its mnemonic."""
    return {name.lower(): int(code) for name, code in _ENUM.findall(_package())}


@cache
def ports() -> dict[str, int]:
    """Return the address of every port, as in {"rx_octet": 0x403}."""
    found = _PORT.findall(_package())
    return {_WORD_START.sub("_", name).lower(): int(address, 16) for name, address in found}


def assemble(sources: Mapping[str, str], constants: Mapping[str, int]) -> Program:
    """Assemble sources (file name -> text), one behind the other.

    `constants` are names that the sources may use, besides those that they define. Raises
    `AssemblyError`.
    """
    layout = _Layout(symbols={**ports(), **constants})
    for name, text in sources.items():
        for line in _lines(name, text):
            _place(line, layout)
    layout.define("variables_end", layout.ram_words, "end")
    if layout.words > MAX_WORDS or layout.ram_words > MAX_RAM_WORDS:
        raise AssemblyError(
            f"{layout.words} words of program and {layout.ram_words} of RAM; "
            f"there are {MAX_WORDS} and {MAX_RAM_WORDS}"
        )
    words = tuple(word for line in layout.lines for word in _words(line, layout.symbols))
    symbols = {name: _value(name, layout.symbols, "end") for name in layout.symbols}
    return Program(words=words, symbols=symbols)


def _lines(name: str, text: str) -> Iterator[_Line]:
    for number, raw in enumerate(text.splitlines(), start=1):
        code = raw.partition(";")[0].strip()
        label, colon, rest = code.rpartition(":")
        parts = rest.split()
        if not code:
            continue
        yield _Line(
            place=f"{name}:{number}",
            text=code,
            label=label.strip() if colon else "",
            mnemonic=parts[0] if parts else "",
            operand=" ".join(parts[1:]),
        )


def _place(line: _Line, layout: _Layout) -> None:
    if line.label:
        layout.define(line.label, layout.words, line.place)
    if line.mnemonic == ".var":
        name, _, size = line.operand.partition(" ")
        layout.define(name, layout.ram_words, line.place)
        layout.ram_words += _value(size, layout.symbols, line.place) if size else 1
    elif line.mnemonic == ".const":
        name, _, value = line.operand.partition(" ")
        layout.define(name, value, line.place)
    elif line.mnemonic:
        layout.lines.append(line)
        layout.words += 2 if line.mnemonic == "ldw" else 1


def _words(line: _Line, symbols: Mapping[str, str | int]) -> Iterator[Word]:
    if line.mnemonic == ".word":
        yield Word(_value(line.operand, symbols, line.place) & 0xFFFF, line.text)
        return
    if line.mnemonic == "ldw":
        value = _value(line.operand, symbols, line.place)
        yield Word(_encode("ldi", value & 0xFF, line), line.text)
        yield Word(_encode("lui", value >> 8, line), "")
        return
    if (line.mnemonic in WITHOUT_OPERAND) == bool(line.operand):
        wanted = "no operand" if line.operand else "an operand"
        raise AssemblyError(f"{line.place}: {line.mnemonic} takes {wanted}")
    operand = _value(line.operand, symbols, line.place) if line.operand else 0
    yield Word(_encode(line.mnemonic, operand, line), line.text)


def _encode(mnemonic: str, operand: int, line: _Line) -> int:
    if mnemonic not in instructions():
        raise AssemblyError(f"{line.place}: there is no instruction {mnemonic}")
    if not 0 <= operand < MAX_WORDS:
        raise AssemblyError(f"{line.place}: {operand} does not fit into {OPERAND_BITS} bits")
    return instructions()[mnemonic] << OPERAND_BITS | operand


def _value(text: str, symbols: Mapping[str, str | int], place: str) -> int:
    total = 0
    for part in text.split("+"):
        name = part.strip()
        if name[:1].isdigit():
            total += int(name, 0)
        elif name not in symbols:
            raise AssemblyError(f"{place}: {name!r} is not defined")
        else:
            found = symbols[name]
            total += found if isinstance(found, int) else _value(found, symbols, place)
    return total
