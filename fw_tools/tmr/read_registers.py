# SPDX-License-Identifier: Apache-2.0
"""Registers that hold what was read of a memory: in a block RAM they are a part of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fw_tools.tmr.design import Bit, Design, Operator, Register


@dataclass(frozen=True, slots=True)
class ReadRegister:
    """A register that takes over what one port of a memory reads, and nothing else."""

    register: Register
    memory: str
    data: tuple[Bit, ...]  # What is read.
    enable: Bit | None  # It keeps its value while this is low; None: it never does.


def read_registers(design: Design, readers: Mapping[Bit, int]) -> Iterator[ReadRegister]:
    """Yield those of a design; `readers` counts what reads each bit.

    One that is reset, or beside which the data go elsewhere, no block RAM has.
    """
    ports = [(memory.name, {*data}) for memory in design.memories for _, data in memory.reads]
    muxes = {each.output: each for each in design.operators if each.kind == "$mux"}
    for each in design.registers:
        data, enable = _taken(each, muxes)
        memory = next((name for name, bits in ports if bits.issuperset(data)), None)
        if memory and each.reset is None and all(readers.get(bit, 0) == 1 for bit in data):
            yield ReadRegister(each, memory, data, enable)


def _taken(
    register: Register, muxes: Mapping[tuple[Bit, ...], Operator]
) -> tuple[tuple[Bit, ...], Bit | None]:
    chosen = muxes.get(register.d)
    if chosen is not None and chosen.inputs["A"] == register.q:
        return chosen.inputs["B"], chosen.inputs["S"][0]
    return register.d, None
