# SPDX-License-Identifier: Apache-2.0
"""Bits back to what a reader calls them: names, slices, constants and short expressions."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from fw_tools.tmr.design import Bit, Bits

_LONGEST_INLINE = 60
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_$]+")
_ATOM = re.compile(
    r"[A-Za-z_][\w$]*(\[[\d:]+\])?|\d+'[bhd][0-9a-f]+|\{[^{}]*\}|[!~][A-Za-z_][\w$]*"
)


def identifier(name: str) -> str:
    """Return a name from the top down as one plain word: `u_rail.gen[0].q` as u_rail__gen_0__q."""
    parts = (_NOT_IN_A_NAME.sub("_", part).strip("_") for part in name.split("."))
    joined = "__".join(part for part in parts if part)
    return joined if joined[:1].isalpha() or joined[:1] == "_" else f"w_{joined}"


class Names:
    """Words that are taken in one module."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, wanted: str) -> str:
        """Return `wanted`, with a number behind it where it is taken."""
        name, number = wanted, 2
        while name in self._taken:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name)
        return name


class Words:
    """What the bits of one module are called there."""

    def __init__(self) -> None:
        self._places: dict[Bit, tuple[str, int, int]] = {}  # Name, index, width.
        self._inline: dict[Bits, str] = {}
        self._inline_first: dict[Bit, Bits] = {}
        self.used: Counter[Bit] = Counter()

    def declare(self, name: str, bits: Bits) -> None:
        """Give a word its name; a bit that has one keeps it."""
        for index, bit in enumerate(bits):
            if isinstance(bit, int):
                self._places.setdefault(bit, (name, index, len(bits)))

    def is_called(self, bit: Bit, name: str) -> bool:
        """Tell whether a bit is written as one of `name`."""
        return bit in self._places and self._places[bit][0] == name

    def inline(self, bits: Bits, text: str) -> None:
        """Let a word be written as an expression where it is used."""
        self._inline[bits] = text
        self._inline_first[bits[0]] = bits

    def text(self, bits: Bits) -> str:
        """Return an expression as wide as `bits`, unsigned, whose context does not widen it."""
        parts = list(self._parts(bits))
        return parts[0] if len(parts) == 1 else "{" + ", ".join(reversed(parts)) + "}"

    def operand(self, bits: Bits) -> str:
        """Return `text`, in parentheses where it is more than a name or a number."""
        text = self.text(bits)
        return text if _ATOM.fullmatch(text) else f"({text})"

    def _parts(self, bits: Bits) -> Iterator[str]:
        start = 0
        while start < len(bits):
            end, text = self._run(bits, start)
            yield text
            start = end

    def _run(self, bits: Bits, start: int) -> tuple[int, str]:
        bit = bits[start]
        if isinstance(bit, str):
            end = _while(bits, start, lambda other: isinstance(other, str))
            return end, constant(bits[start:end])
        word = self._inline_first.get(bit)
        if word:
            return start + len(word), self._inline[word]
        end = _while(bits, start, lambda other: other == bit)
        if end - start > 1:
            return end, f"{{{end - start}{{{self._single(bit)}}}}}"
        name, index, width = self._places[bit]
        end = start + 1
        while end < len(bits) and self._places.get(bits[end]) == (name, index + end - start, width):
            end += 1
        return end, _slice(name, index, end - start, width)

    def _single(self, bit: Bit) -> str:
        name, index, width = self._places[bit]
        return _slice(name, index, 1, width)


def is_short(text: str) -> bool:
    """Tell whether an expression is read better where it is used."""
    return len(text) <= _LONGEST_INLINE and "\n" not in text


def constant(bits: Sequence[Bit]) -> str:
    """Return a number; an unknown bit is 0."""
    value = sum(1 << index for index, bit in enumerate(bits) if bit == "1")
    width = len(bits)
    if width == 1:
        return f"1'b{value}"
    return f"{width}'d{value}" if value < 10 else f"{width}'h{value:x}"


def declaration(name: str, width: int) -> str:
    """Return `logic [3:0] name`."""
    return f"logic [{width - 1}:0] {name}" if width > 1 else f"logic {name}"


def _slice(name: str, low: int, count: int, width: int) -> str:
    if count == width:
        return name
    return f"{name}[{low}]" if count == 1 else f"{name}[{low + count - 1}:{low}]"


def _while(bits: Bits, start: int, holds: Callable[[Bit], bool]) -> int:
    end = start
    while end < len(bits) and holds(bits[end]):
        end += 1
    return end
