# SPDX-License-Identifier: Apache-2.0
"""What the services of the reference machine have in common: answers, and failures of execution."""

from dataclasses import dataclass
from typing import Protocol

from fw_tools.pus.failures import ExecutionFailure, Failure


@dataclass(frozen=True, slots=True)
class Answer:
    """One report that a command brings about, besides verification."""

    kind: tuple[int, int]  # Service, subtype.
    data: bytes
    destination_id: int | None = None  # None: the source of the command.


class NotExecutedError(Exception):
    """A command was accepted and failed; nothing of it was done."""

    def __init__(self, code: ExecutionFailure, value: int) -> None:
        super().__init__(code, value)
        self.failure = Failure(code, value & 0xFFFFFFFF)


class Service(Protocol):
    """One service: carries out what `fw_tools.pus.checks` has let pass."""

    def execute(self, subtype: int, data: bytes) -> tuple[Answer, ...]:
        """Carry out a command and return its answers. Raises `NotExecutedError`."""
        ...


class TestService:
    """Service 17: are you alive?"""

    def execute(self, subtype: int, data: bytes) -> tuple[Answer, ...]:  # noqa: ARG002
        """Answer TC[17,1]."""
        return (Answer((17, 2), b""),)
