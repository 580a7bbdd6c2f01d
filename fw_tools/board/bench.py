# SPDX-License-Identifier: Apache-2.0
"""A board on a bench as tests have it: its client, and what can be done to it besides talking."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fw_tools.board.board import Board, Say, silent
from fw_tools.board.capability import Capability
from fw_tools.board.client import ClientOptions, PayloadClient
from fw_tools.board.opening import DEFAULT_WAY, Named, client_of, connected_board
from fw_tools.board.probe import Probe

if TYPE_CHECKING:
    from fw_tools.board.twin import Twin

# A twin on a busy machine, and a board behind a network, may pause for a while.
PATIENT = ClientOptions(timeout_s=3.0)
_NEEDED_BY_TESTS = (Capability.RESET, Capability.POWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A board, and what this bench can do to it.

    `capabilities` are "reset", "power", "rails", "rail_faults", "break" and "baud" where the bench
    has them, and "TC[service,subtype]" for each command that the payload offers.
    """

    board: Board
    client: PayloadClient
    probe: Probe
    capabilities: frozenset[str]
    twin: "Twin | None" = None

    @property
    def name(self) -> str:
        """The board's name."""
        return self.board.name

    @property
    def way(self) -> str:
        """How it is reached."""
        return self.board.way

    def missing(self, wanted: tuple[str, ...]) -> list[str]:
        """Return which of the wanted capabilities there are not."""
        return [name for name in wanted if name not in self.capabilities]

    def reset(self) -> None:
        """Reset the board, and return once the payload answers again."""
        self.board.reset()
        self.client.ping()

    def set_power(self, is_on: bool) -> None:
        """Cut or restore the supply; once it is back, return when the payload answers again."""
        self.board.power(is_on)
        if is_on:
            self.client.ping()


@contextmanager
def open_bench(
    board: str,
    port: str | None = None,
    *,
    serial: str | None = None,
    way: str = DEFAULT_WAY,
    options: ClientOptions = PATIENT,
    say: Say = silent,
) -> Iterator[Bench]:
    """Yield a board as `open_board` names it; a twin is served over `way` and ended behind.

    `say` gets lines for the user of a twin that is started. Raises what `open_board` does.
    """
    named = Named(board=board, port=port, serial=serial, way=way)
    with connected_board(named, say) as found, client_of(found, options) as client:
        twin = getattr(found, "twin", None)
        yield Bench(
            board=found,
            client=client,
            probe=Probe(client),
            capabilities=_capabilities(found, client, twin is not None),
            twin=twin,
        )


def _capabilities(board: Board, client: PayloadClient, is_twin: bool) -> frozenset[str]:
    transport = client.link.transport
    found = {str(each) for each in _NEEDED_BY_TESTS if each in board.capabilities}
    found |= set(board.spec.capabilities)
    if is_twin:
        found.add("rail_faults")
    if transport.has_lines:
        found.add("break")
    if transport.baud is not None:
        found.add("baud")
    return frozenset(found | {f"TC[{kind[0]},{kind[1]}]" for kind in client.description.commands})
