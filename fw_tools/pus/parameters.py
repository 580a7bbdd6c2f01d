# SPDX-License-Identifier: Apache-2.0
"""Service 20, parameters (ECSS-E-ST-70-41C 6.20): the payload's registers by their word address."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fw_tools.pus.data_fields import REPORTS, TELECOMMANDS
from fw_tools.pus.failures import ExecutionFailure
from fw_tools.pus.identifiers import MOST_PARAMETERS
from fw_tools.pus.service import Answer, NotExecutedError

REPORT, SET = 1, 3


class Registers(Protocol):
    """The register map as the service sees it."""

    def access(self, parameter_id: int) -> str:
        """Return "r", "w" or "rw"; "" when there is no such register."""
        ...

    def read(self, parameter_id: int) -> int:
        """Return the 32 bits of a register."""
        ...

    def refuses(self, parameter_id: int, value: int) -> bool:
        """Tell whether a value may not be written."""
        ...

    def write(self, parameter_id: int, value: int) -> None:
        """Write 32 bits."""
        ...


@dataclass(slots=True)
class PlainRegister:
    """One register: its value, which bits of it a write reaches, and what a write does besides."""

    access: str
    value: int = 0
    writable: int = 0xFFFFFFFF
    on_write: Callable[[int], None] | None = None
    is_refused: Callable[[int], bool] | None = None
    writes: int = 0  # How often it was written.


class PlainRegisters:
    """A register map kept in a dictionary."""

    def __init__(self, registers: dict[int, PlainRegister]) -> None:
        self.registers = registers

    def access(self, parameter_id: int) -> str:
        """Return "r", "w" or "rw"; "" when there is no such register."""
        register = self.registers.get(parameter_id)
        return register.access if register else ""

    def read(self, parameter_id: int) -> int:
        """Return the 32 bits of a register."""
        return self.registers[parameter_id].value

    def refuses(self, parameter_id: int, value: int) -> bool:
        """Tell whether a value may not be written."""
        is_refused = self.registers[parameter_id].is_refused
        return is_refused is not None and is_refused(value)

    def write(self, parameter_id: int, value: int) -> None:
        """Write the bits that can be written."""
        register = self.registers[parameter_id]
        register.writes += 1
        register.value = register.value & ~register.writable | value & register.writable
        if register.on_write is not None:
            register.on_write(value)


class ParameterService:
    """Service 20 on a register map."""

    def __init__(self, registers: Registers) -> None:
        self._registers = registers

    def execute(self, subtype: int, data: bytes) -> tuple[Answer, ...]:
        """Carry out TC[20,1] or TC[20,3]; all of it is checked before any of it is done."""
        count = data[0]
        if not 1 <= count <= MOST_PARAMETERS:
            raise NotExecutedError(ExecutionFailure.WRONG_PARAMETER_COUNT, count)
        parameters = TELECOMMANDS[20, subtype].parse(data).parameters
        if subtype == REPORT:
            return (self._report(list(parameters)),)
        for each in parameters:
            self._check_write(each.id, each.value)
        for each in parameters:
            self._registers.write(each.id, each.value)
        return ()

    def _report(self, parameter_ids: list[int]) -> Answer:
        for each in parameter_ids:
            if "r" not in self._registers.access(each):
                raise NotExecutedError(ExecutionFailure.UNKNOWN_PARAMETER, each)
        values = [{"id": each, "value": self._registers.read(each)} for each in parameter_ids]
        return Answer((20, 2), REPORTS[20, 2].build({"parameters": values}))

    def _check_write(self, parameter_id: int, value: int) -> None:
        access = self._registers.access(parameter_id)
        if not access:
            raise NotExecutedError(ExecutionFailure.UNKNOWN_PARAMETER, parameter_id)
        if "w" not in access:
            raise NotExecutedError(ExecutionFailure.READ_ONLY, parameter_id)
        if self._registers.refuses(parameter_id, value):
            raise NotExecutedError(ExecutionFailure.VALUE_REFUSED, value)
