# SPDX-License-Identifier: Apache-2.0
"""A module of SystemVerilog from its parts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fw_tools.tmr.design import Bit, Bits, Memory, Register
from fw_tools.tmr.words import Words, constant, declaration

INDENT = "  "


@dataclass(frozen=True, slots=True)
class PortLine:
    """One port as it is written."""

    direction: str  # "input" or "output"
    width: int
    name: str


@dataclass(slots=True)
class ModuleText:
    """A module under way: declarations before what uses them."""

    name: str
    ports: list[PortLine] = field(default_factory=list)
    declarations: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def render(self, attribute: str = "") -> str:
        """Return the module."""
        widths = [f"[{port.width - 1}:0]" if port.width > 1 else "" for port in self.ports]
        longest = max(map(len, widths), default=0)
        ports = [
            f"    {port.direction:<6} logic {width:>{longest}} {port.name}"
            if longest
            else f"    {port.direction:<6} logic {port.name}"
            for port, width in zip(self.ports, widths, strict=True)
        ]
        head = f"{attribute}\n" if attribute else ""
        body = [*self.declarations, "", *self.lines] if self.declarations else self.lines
        indented = "\n".join(f"{INDENT}{line}" if line else "" for line in body)
        listed = ",\n".join(ports)
        return f"{head}module {self.name} (\n{listed}\n);\n\n{indented}\n\nendmodule\n"

    def sink(self, declared: Iterable[tuple[str, Bits]], words: Words) -> None:
        """Name bits that nothing reads, so that a linter sees that they are known."""
        unread = [text for name, bits in declared for text in _unread(name, bits, words)]
        if unread:
            self.declarations.append("logic unused;  // Bits that the sources do not read either.")
            self.lines += ["", f"assign unused = ^{{{', '.join(unread)}}};"]


def _unread(name: str, bits: Bits, words: Words) -> Iterator[str]:
    """Yield the bits of a word that nothing uses, or by another name."""
    places = [
        index
        for index, bit in enumerate(bits)
        if bit not in words.used or not words.is_called(bit, name)
    ]
    if len(places) == len(bits):
        yield name
        return
    yield from (f"{name}[{place}]" for place in places)


def kept_flip_flops(register: Register, name: str, following: str, words: Words) -> list[str]:
    """Return the cell that stores a register as NAME_stored, and takes `following`."""
    width = len(register.q)
    parameters = {"Width": str(width)}
    if not register.is_rising:
        parameters["IsFalling"] = "1'b1"
    if register.reset is None:
        parameters["HasReset"] = "1'b0"
    else:
        if register.is_reset_high:
            parameters["ResetLevel"] = "1'b1"
        parameters["ResetValue"] = constant(register.reset_value)
    if register.initial:
        parameters |= {"HasInitial": "1'b1", "InitialValue": constant(register.initial)}
    pins = {
        "clk_i": words.text((register.clock,)),
        "reset_i": "1'b0" if register.reset is None else words.text((register.reset,)),
        "d_i": following,
        "q_o": f"{name}_stored",
    }
    return instance("kept_flip_flops", f"u_{name}", pins, parameters)


def flip_flops(
    register: Register, stored: str, following: str, words: Words, enable: str = ""
) -> list[str]:
    """Return the block that stores a register: `stored` takes `following` at the clock.

    Where there is an `enable`, a register without reset keeps its value while that is low.
    """
    clock = f"{'posedge' if register.is_rising else 'negedge'} {words.text((register.clock,))}"
    first, *rest = following.split("\n")
    taken = [
        f"{f'if ({enable}) ' if enable else ''}{stored} <= {first}",
        *(f"      {line}" for line in rest),
    ]
    taken[-1] += ";"
    if register.reset is None:
        lines = [f"always_ff @({clock}) begin  // {register.place}"]
        lines += [f"  {line}" for line in taken]
    else:
        reset = words.text((register.reset,))
        edge = "posedge" if register.is_reset_high else "negedge"
        test = reset if register.is_reset_high else f"!{reset}"
        lines = [
            f"always_ff @({clock} or {edge} {reset}) begin  // {register.place}",
            f"  if ({test}) {stored} <= {constant(register.reset_value)};",
            f"  else {taken[0]}",
            *(f"  {line}" for line in taken[1:]),
        ]
    lines.append("end")
    if register.initial:
        lines.append(f"initial {stored} = {constant(register.initial)};")
    return lines


def memory_block(memory: Memory, name: str, words: Words) -> list[str]:
    """Return the array and its writes."""
    lines = [f"{declaration(name, memory.width)}[{memory.depth}];  // {memory.place}"]
    if memory.initial:
        for word in range(memory.depth):
            bits = tuple(memory.initial[word * memory.width : (word + 1) * memory.width])
            lines.append(f"initial {name}[{word}] = {constant(bits)};")
    by_clock: dict[tuple[Bit, bool], list[str]] = {}
    for port in memory.writes:
        index = memory_index(memory, port.address, words)
        for enable, low, count in _enabled(port.enable):
            part = "" if count == memory.width else _part(low, count)
            data = words.text(port.data[low : low + count])
            line = f"if ({words.text((enable,))}) {name}[{index}]{part} <= {data};"
            by_clock.setdefault((port.clock, port.is_rising), []).append(line)
    for (clock, is_rising), writes in by_clock.items():
        edge = "posedge" if is_rising else "negedge"
        lines += [f"always_ff @({edge} {words.text((clock,))}) begin"]
        lines += [*(f"  {line}" for line in writes), "end"]
    return lines


def _part(low: int, count: int) -> str:
    return f"[{low + count - 1}:{low}]" if count > 1 else f"[{low}]"


def memory_index(memory: Memory, address: Bits, words: Words) -> str:
    """Return an index that is at least as wide as the array needs."""
    needed = max(1, (memory.depth - 1).bit_length())
    return words.text(address + ("0",) * (needed - len(address)))


def _enabled(enable: Bits) -> Iterator[tuple[Bit, int, int]]:
    """Yield runs of bits that are written together: enable, lowest bit, count."""
    low = 0
    while low < len(enable):
        high = low
        while high < len(enable) and enable[high] == enable[low]:
            high += 1
        if enable[low] not in ("0", "x"):
            yield enable[low], low, high - low
        low = high


def instance(
    module: str, name: str, pins: Mapping[str, str], parameters: Mapping[str, object] | None = None
) -> list[str]:
    """Return an instance, a pin a line."""
    longest = max(map(len, pins), default=0)
    chosen = [f".{key}({value})" for key, value in (parameters or {}).items()]
    head = f"{module} #({', '.join(chosen)}) {name} (" if chosen else f"{module} {name} ("
    lines = [f"    .{pin:<{longest}}({text})" for pin, text in pins.items()]
    return [head, *_comma_separated(lines), ");"]


def _comma_separated(lines: Sequence[str]) -> list[str]:
    return [*(f"{line}," for line in lines[:-1]), *lines[-1:]]
