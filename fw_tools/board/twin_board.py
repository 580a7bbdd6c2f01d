# SPDX-License-Identifier: Apache-2.0
"""A running twin as a board."""

from collections.abc import Iterator
from contextlib import contextmanager

from fw_tools.board.board import Board
from fw_tools.board.capability import Capability
from fw_tools.board.description import load_description
from fw_tools.board.port_lines import run_steps
from fw_tools.board.transport import Transport, open_transport
from fw_tools.board.twin import Twin
from fw_tools.errors import UsageError
from fw_tools.spec.board import BoardSpec
from fw_tools.spec.board_lines import STRATEGIES

GOLDEN = "golden"  # The strapping that a twin has: its boot select pin.


class TwinBoard(Board):
    """A twin that was started here; by the pins of its port, where that has them."""

    def __init__(self, twin: Twin, way: str) -> None:
        assert twin.design.link is not None
        spec = BoardSpec(name=f"twin of {twin.design.name}", capabilities=("rails",))
        super().__init__(spec, load_description(twin.design.link))
        self.twin = twin
        self._way = way

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        return frozenset({Capability.UART, Capability.RESET, Capability.POWER, Capability.STRAP})

    @property
    def strap_names(self) -> tuple[str, ...]:
        """The strappings that it has."""
        return (GOLDEN,)

    @property
    def way(self) -> str:
        """The kind of port it is served over."""
        return self._way

    def uart(self, port: str = "") -> Transport:
        """Return its line."""
        if port:
            raise UsageError(f"{self.name}: it has one line, and no port {port!r}")
        if self._uart is None:
            self._uart = open_transport(self.twin.url, self.baud)
        return self._uart

    def reset(self) -> None:
        """Pulse the reset pin."""
        if self.uart().has_lines:
            run_steps(self.uart(), STRATEGIES["dtr"])
        else:
            self.twin.reset()

    def power(self, is_on: bool) -> None:
        """Cut or restore the supply."""
        self.twin.set_power(is_on)

    @contextmanager
    def strap(self, name: str) -> Iterator[None]:
        """Set the boot select pin."""
        if name != GOLDEN:
            raise UsageError(f"{self.name}: no strapping {name!r}; known here: {GOLDEN}")
        self.twin.set_boot_select(True)
        try:
            yield
        finally:
            self.twin.set_boot_select(False)
