# SPDX-License-Identifier: Apache-2.0
"""A board: its line, reset, supply, strappings, and what loads it; for what it cannot, an error."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from fw_tools.board.capability import Capability, MissingCapabilityError
from fw_tools.board.description import LinkDescription
from fw_tools.board.openfpgaloader import Load, load
from fw_tools.board.port_lines import has_lines, run_steps
from fw_tools.board.program import Words, fill_in, run_program
from fw_tools.board.supply import Supply
from fw_tools.board.transport import Transport, open_transport
from fw_tools.errors import UsageError
from fw_tools.fpga.parts import find_part
from fw_tools.spec.board import BoardSpec
from fw_tools.spec.board_lines import Line, Step
from fw_tools.spec.board_program import ProgramSpec
from fw_tools.spec.findings import suggestion

DEFAULT_BAUD = 115_200
Say = Callable[[str], None]


def silent(_: str) -> None:
    """Say nothing."""


class Board(ABC):
    """What every board can be asked; here each is refused, and a kind of board does what it can."""

    def __init__(self, spec: BoardSpec, description: LinkDescription | None) -> None:
        self.spec = spec
        self.name = spec.name
        self._description = description
        self._uart: Transport | None = None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        return frozenset()

    @property
    @abstractmethod
    def way(self) -> str:
        """How it is reached, for the record of a run."""

    @property
    def description(self) -> LinkDescription:
        """The link of its payload. Raises `UsageError` for a board that is for any payload."""
        if self._description is None:
            raise UsageError(
                f"board {self.name}: it is for any payload; give link.json of yours in its place, "
                "as in --board generated/link.json --port URL"
            )
        return self._description

    @property
    def has_payload(self) -> bool:
        """Tell whether its payload is described, so that it can be talked to."""
        return self._description is not None

    @property
    def strap_names(self) -> tuple[str, ...]:
        """The strappings that it has."""
        return tuple(self.spec.straps)

    def resets_by_itself(self, strap: str) -> bool:
        """Tell whether a strapping moves the lines of the reset, and so has a reset of its own."""
        return bool(_lines(self.spec.straps.get(strap, ())) & _lines(self.spec.reset or ()))

    @property
    def baud(self) -> int:
        """Bits per second of its line."""
        if self.spec.baud is not None:
            return self.spec.baud
        return self._description.baud if self._description else DEFAULT_BAUD

    def uart(self, port: str = "") -> Transport:  # noqa: ARG002
        """Return its line, opened on the first call; or another port by its name in [ports]."""
        raise self._missing(Capability.UART)

    def reset(self) -> None:
        """Reset it."""
        raise self._missing(Capability.RESET)

    def power(self, is_on: bool) -> None:  # noqa: ARG002
        """Switch its supply."""
        raise self._missing(Capability.POWER)

    @contextmanager
    def strap(self, name: str) -> Iterator[None]:  # noqa: ARG002
        """Put its pins into the states of a strapping, and back behind the block."""
        raise self._missing(Capability.STRAP)
        yield

    def load_bitstream(self, bitstream: Path, say: Say = silent) -> None:  # noqa: ARG002
        """Load its FPGA; `say` gets each line of what does it."""
        raise self._missing(Capability.BITSTREAM)

    def program(self, image: Path, say: Say = silent) -> None:  # noqa: ARG002
        """Write an image by the vendor's program; `say` gets each line of its output."""
        raise self._missing(Capability.PROGRAM)

    def close(self) -> None:
        """Give its line back."""
        if self._uart is not None:
            self._uart.close()
            self._uart = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _missing(self, capability: Capability, cure: str = "") -> MissingCapabilityError:
        return MissingCapabilityError(self.name, capability, cure)


class WiredBoard(Board):
    """A board as its board.toml tells, at the end of a port."""

    def __init__(
        self,
        spec: BoardSpec,
        description: LinkDescription | None,
        url: str | None,
        serial: str | None = None,
    ) -> None:
        super().__init__(spec, description)
        self.url = url
        self.serial = serial or spec.serial
        self._supply: Supply | None = None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        lines = self.url is not None and has_lines(self.url)
        has = {
            Capability.UART: self.url is not None,
            Capability.RESET: self.spec.reset is not None and lines,
            Capability.STRAP: bool(self.spec.straps) and lines,
            Capability.POWER: self.spec.power is not None,
            Capability.PROGRAM: self.spec.program is not None,
            Capability.BITSTREAM: self.spec.fpga is not None
            and bool(self.spec.fpga.loader or self.spec.program),
            Capability.VERIFY: self._can_verify,
        }
        return frozenset(capability for capability, is_there in has.items() if is_there)

    @property
    def _can_verify(self) -> bool:
        if self.spec.program:
            return self.spec.program.verify is not None
        fpga = self.spec.fpga
        return fpga is not None and bool(fpga.loader and fpga.flash_bytes)

    @property
    def way(self) -> str:
        """The URL."""
        return self.url or ""

    def uart(self, port: str = "") -> Transport:
        """Return its line, or another port, which the caller closes."""
        if port:
            if port not in self.spec.ports:
                known = suggestion(port, self.spec.ports)
                raise UsageError(f"board {self.name}: no port {port!r} in [ports]; {known}")
            return open_transport(self.spec.ports[port], self.baud)
        if self.url is None:
            raise self._missing(Capability.UART)
        if self._uart is None:
            self._uart = open_transport(self.url, self.baud, self.spec.idle)
        return self._uart

    def reset(self) -> None:
        """Go through the steps of [reset]."""
        if self.spec.reset is None:
            raise self._missing(Capability.RESET)
        self._run(self.spec.reset, Capability.RESET)

    @contextmanager
    def strap(self, name: str) -> Iterator[None]:
        """Go through the steps of [strap.NAME]; behind the block the lines are as when opened."""
        steps = self._strap_steps(name)
        self._run(steps, Capability.STRAP)
        try:
            yield
        finally:
            before = {
                line: self.spec.idle.get(line, line is not Line.BREAK) for line in _lines(steps)
            }
            self._run((Step(tuple(before.items())),), Capability.STRAP)

    def power(self, is_on: bool) -> None:
        """Switch the bench supply, within the limits of [power]."""
        if self.spec.power is None:
            raise self._missing(Capability.POWER)
        if self._supply is None:
            self._supply = Supply(self.spec.power)
        self._supply.switch(is_on)

    def load_bitstream(self, bitstream: Path, say: Say = silent) -> None:
        """Load the FPGA: by [program], else by openFPGALoader, until power-off, as [fpga] says."""
        if Capability.BITSTREAM not in self.capabilities:
            raise self._missing(Capability.BITSTREAM)
        if self.spec.program:
            self.program(bitstream, say)
            return
        fpga = self.spec.fpga
        assert fpga
        what = Load(
            file=bitstream,
            kind=find_part(fpga.part).family.suffix.removeprefix("."),
            is_for_flash=False,
            is_read_back=False,
            cable=fpga.loader,
            serial=self.serial,
        )
        Board.close(self)  # The chip of the port may be the cable, too.
        load(what, lambda step, share: say(f"{step} {share:.0%}"))

    def program_command(self, image: Path, *, is_verified_only: bool = False) -> list[str]:
        """Return the command line that `program` runs."""
        return fill_in(self._programmer(is_verified_only), self.name, self._words(image))

    def program(self, image: Path, say: Say = silent, *, is_verified_only: bool = False) -> None:
        """Run [program], which gets the port to itself; or what it has to compare alone."""
        program = self._programmer(is_verified_only)
        if program.strap:
            self._run(self._strap_steps(program.strap), Capability.STRAP)
        Board.close(self)
        run_program(program, self.name, self._words(image), say)

    def close(self) -> None:
        """Give line and supply back; the supply stays as it is."""
        super().close()
        if self._supply is not None:
            self._supply.close()
            self._supply = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Switch off what was switched on, where the block ended by an error or Ctrl-C."""
        try:
            if kind is not None and self._supply is not None:
                self._supply.switch_off_again()
        finally:
            self.close()

    def _programmer(self, is_verified_only: bool) -> ProgramSpec:
        """Return [program], with the command that is meant."""
        program = self.spec.program
        if program is None:
            raise self._missing(Capability.PROGRAM)
        if not is_verified_only:
            return program
        if program.verify is None:
            cure = (
                f"{program.command[0]} is told of no way to compare; verify in [program] would be"
            )
            raise self._missing(Capability.VERIFY, cure)
        return replace(program, command=program.verify)

    def _words(self, image: Path) -> Words:
        return {"image": str(image), "port": self.url, "serial": self.serial}

    def _strap_steps(self, name: str) -> tuple[Step, ...]:
        if not self.spec.straps:
            raise self._missing(Capability.STRAP)
        if name not in self.spec.straps:
            hint = suggestion(name, self.spec.straps)
            raise UsageError(f"board {self.name}: no strapping {name!r}; {hint}")
        return self.spec.straps[name]

    def _run(self, steps: tuple[Step, ...], capability: Capability) -> None:
        transport = self.uart()
        if not transport.has_lines:
            cure = f"{transport.name} has no DTR and RTS; a serial port, or rfc2217://, has"
            raise self._missing(capability, cure)
        run_steps(transport, steps)


def _lines(steps: tuple[Step, ...]) -> set[Line]:
    return {line for step in steps for line, _ in step.states}
