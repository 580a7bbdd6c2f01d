# SPDX-License-Identifier: Apache-2.0
"""A design as words: operators, registers and memories between ports, before any optimisation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Bit = int | str  # A net, or "0", "1", "x".
Bits = tuple[Bit, ...]  # Least significant first.


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of the top."""

    name: str
    is_input: bool
    bits: Bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A word-level operation of the source, as Yosys calls it."""

    kind: str  # "$add", "$mux", ...
    place: str  # "fifo.sv:36"
    is_signed: bool  # All of its operands are.
    inputs: Mapping[str, Bits]
    output: Bits
    parameters: Mapping[str, int]  # As Yosys has them.


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A word of flip-flops."""

    name: str  # From the top down: "u_rail.code_q".
    place: str
    q: Bits
    d: Bits
    clock: Bit
    is_rising: bool
    reset: Bit | None  # Asynchronous.
    is_reset_high: bool
    reset_value: Bits
    initial: Bits | None
    is_synchroniser: bool  # Marked as one: async_reg.


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePort:
    """Written at a clock; a later port of the same memory wins."""

    clock: Bit
    is_rising: bool
    address: Bits
    data: Bits
    enable: Bits  # Of each bit.


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """An array of words, read at once."""

    name: str
    place: str
    width: int
    depth: int
    initial: str  # Word 0 bit 0 first, or empty.
    reads: tuple[tuple[Bits, Bits], ...]  # Address, data.
    writes: tuple[WritePort, ...]

    def sinks(self) -> Iterator[tuple[str, Bits]]:
        """Yield what it takes, each under a name."""
        for index, (address, _) in enumerate(self.reads):
            yield f"{self.name}.read{index}_address", address
        for index, port in enumerate(self.writes):
            yield f"{self.name}.write{index}_address", port.address
            yield f"{self.name}.write{index}_data", port.data
            yield f"{self.name}.write{index}_enable", tuple(dict.fromkeys(port.enable))


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What the sources say of a top."""

    top: str
    ports: tuple[Port, ...]
    operators: tuple[Operator, ...]
    registers: tuple[Register, ...]
    memories: tuple[Memory, ...]
    signals: Mapping[str, Bits]  # Every named wire, from the top down.
    modules: Mapping[str, str]  # Instance, from the top down -> module.
