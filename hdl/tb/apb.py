# SPDX-License-Identifier: Apache-2.0
"""An APB4 master, and registers by name on top of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cocotb.triggers import FallingEdge, ReadOnly

LONGEST_WAIT_CLOCKS = 100
ALL_OCTETS = 0b1111


class BusError(AssertionError):
    """The slave answered PSLVERR."""


class ApbMaster:
    """Drives after the falling edge of the clock, samples before the rise."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        for name in ("psel", "penable", "pwrite", "pprot", "paddr", "pwdata", "pstrb"):
            getattr(dut, f"apb_{name}_i").value = 0

    @property
    def address_bits(self) -> int:
        """Width of the address bus."""
        return len(self.dut.apb_paddr_i)

    async def write(self, address: int, data: int, *, strobes: int = ALL_OCTETS) -> None:
        """Write the octets of `data` that `strobes` selects. `BusError` when refused."""
        await self._transfer(address, data=data, strobes=strobes)

    async def read(self, address: int) -> int:
        """Return the word at `address`. `BusError` when refused."""
        return await self._transfer(address)

    async def _transfer(self, address: int, *, data: int | None = None, strobes: int = 0) -> int:
        dut = self.dut
        dut.apb_psel_i.value = 1
        dut.apb_pwrite_i.value = int(data is not None)
        dut.apb_paddr_i.value = address
        dut.apb_pwdata_i.value = data or 0
        dut.apb_pstrb_i.value = strobes
        await FallingEdge(dut.clk_i)
        dut.apb_penable_i.value = 1
        word, is_refused = await self._answer(address)
        dut.apb_psel_i.value = 0
        dut.apb_penable_i.value = 0
        if is_refused:
            raise BusError(f"{'read' if data is None else 'write'} of {address:#x} refused")
        return word

    async def _answer(self, address: int) -> tuple[int, bool]:
        for _ in range(LONGEST_WAIT_CLOCKS):
            await ReadOnly()
            is_ready = bool(self.dut.apb_pready_o.value)
            answer = int(self.dut.apb_prdata_o.value), bool(self.dut.apb_pslverr_o.value)
            await FallingEdge(self.dut.clk_i)
            if is_ready:
                return answer
        raise AssertionError(f"no answer from {address:#x} in {LONGEST_WAIT_CLOCKS} clocks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a register, as the register map says."""

    name: str
    low: int
    high: int
    access: str  # Of software: "r", "w" or "rw".
    reset: int | None  # None: shows a signal.

    @property
    def bits(self) -> int:
        """Width of the field."""
        return self.high - self.low + 1

    def of(self, word: int) -> int:
        """Return the field's value in `word`."""
        return word >> self.low & (1 << self.bits) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One register, as the register map says."""

    path: str
    offset: int
    fields: tuple[Field, ...]

    @classmethod
    def from_config(cls, row: Mapping[str, Any]) -> "Register":
        """Return the register that the bench configuration describes."""
        return cls(**{**row, "fields": tuple(Field(**field) for field in row["fields"])})

    def field(self, name: str) -> Field:
        """Return the field of that name."""
        return next(field for field in self.fields if field.name == name)

    def can(self, access: str) -> bool:
        """Return whether software can read ("r") or write ("w") any of it."""
        return any(access in field.access for field in self.fields)


class RegisterBlock:
    """Registers and fields by name, as in `memory_weights.errors` and `corrected`."""

    def __init__(self, bus: ApbMaster, rows: list[Mapping[str, Any]]) -> None:
        self.bus = bus
        self.registers = {row["path"]: Register.from_config(row) for row in rows}

    async def read(self, path: str) -> dict[str, int]:
        """Return the fields of a register by name."""
        register = self.registers[path]
        word = await self.bus.read(register.offset)
        return {field.name: field.of(word) for field in register.fields}

    async def write(self, path: str, **values: int) -> None:
        """Write the fields given; all others of the register become 0."""
        register = self.registers[path]
        word = sum(value << register.field(name).low for name, value in values.items())
        await self.bus.write(register.offset, word)
