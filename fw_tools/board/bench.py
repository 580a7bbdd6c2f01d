# SPDX-License-Identifier: Apache-2.0
"""A board on a bench as tests have it: its client, and what can be done to it besides talking."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fw_tools.board.client import ClientOptions, PayloadClient
from fw_tools.board.opening import TWIN, TWIN_SPEC, describe_board
from fw_tools.board.probe import Probe
from fw_tools.errors import UsageError

if TYPE_CHECKING:
    from fw_tools.board.twin import Twin

# A twin on a busy machine, and a board behind a network, may pause for a while.
PATIENT = ClientOptions(timeout_s=3.0)
WAYS = ("tcp", "pty", "rfc2217")
DEFAULT_WAY = "tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A board, and what this bench can do to it.

    `capabilities` are "reset", "power", "rail_faults", "break" and "baud" where the bench has
    them, and "TC[service,subtype]" for each command that the payload offers.
    """

    name: str
    way: str  # "tcp", "pty", "rfc2217" of a twin that was started; else the URL.
    client: PayloadClient
    probe: Probe
    capabilities: frozenset[str]
    pulse_reset: Callable[[], None] | None
    twin: "Twin | None" = None

    def missing(self, wanted: tuple[str, ...]) -> list[str]:
        """Return which of the wanted capabilities there are not."""
        return [name for name in wanted if name not in self.capabilities]

    def reset(self) -> None:
        """Pulse the reset line, and return once the payload answers again."""
        if self.pulse_reset is None:
            raise UsageError(f"{self.name}: this bench cannot reset its board")
        self.pulse_reset()
        self.client.ping()

    def set_power(self, is_on: bool) -> None:
        """Cut or restore the supply; once it is back, return when the payload answers again."""
        if self.twin is None:
            raise UsageError(f"{self.name}: this bench cannot switch the power of its board")
        self.twin.set_power(is_on)
        if is_on:
            self.client.ping()


@contextmanager
def open_bench(
    board: str,
    port: str | None = None,
    *,
    way: str = DEFAULT_WAY,
    options: ClientOptions = PATIENT,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Bench]:
    """Yield a board as `open_board` names it; a twin is served over `way` and ended behind.

    `say` gets lines for the user of a twin that is started. Raises what `open_board` does.
    """
    kind, _, spec = board.partition(":")
    if kind == TWIN and port is None:
        with _own_twin(Path(spec or TWIN_SPEC), way, options, say) as bench:
            yield bench
        return
    found = describe_board(board, port)
    with PayloadClient.open(
        found.url, found.description, baud=found.baud, options=options
    ) as client:
        stated = set(found.capabilities)
        if kind == TWIN and client.link.transport.has_lines:
            stated.add("reset")
        yield _bench(found.name, found.url, client, stated)


def _bench(name: str, way: str, client: PayloadClient, stated: set[str]) -> Bench:
    """Return the bench of a board of which nothing is known but its line."""
    transport = client.link.transport
    return Bench(
        name=name,
        way=way,
        client=client,
        probe=Probe(client),
        capabilities=_capabilities(client, stated),
        pulse_reset=transport.pulse_reset if "reset" in stated else None,
    )


@contextmanager
def _own_twin(
    spec: Path, way: str, options: ClientOptions, say: Callable[[str], None]
) -> Iterator[Bench]:
    from fw_tools.toolchain import require_simulation

    require_simulation()
    from fw_tools.board.description import load_description
    from fw_tools.board.twin import PortKind, TwinOptions, running_twin
    from fw_tools.board.twin_design import twin_design

    design = twin_design(spec)
    assert design.link is not None
    with tempfile.TemporaryDirectory(prefix="fw-bench-") as folder:
        # Not at the stable place, so that runs side by side do not meet.
        wanted = TwinOptions(port=PortKind(way), link=Path(folder) / design.name)
        with (
            running_twin(design, wanted, say) as twin,
            PayloadClient.open(twin.url, load_description(design.link), options=options) as client,
        ):
            transport = client.link.transport
            yield Bench(
                name=f"twin of {design.name}",
                way=way,
                client=client,
                probe=Probe(client),
                capabilities=_capabilities(client, {"reset", "power", "rail_faults", "rails"}),
                # By the pin that a board has, where the line has one.
                pulse_reset=transport.pulse_reset if transport.has_lines else twin.reset,
                twin=twin,
            )


def _capabilities(client: PayloadClient, stated: set[str]) -> frozenset[str]:
    transport = client.link.transport
    of_the_line = {"break"} if transport.has_lines else set()
    if transport.baud is not None:
        of_the_line.add("baud")
    commands = {f"TC[{service},{subtype}]" for service, subtype in client.description.commands}
    return frozenset(stated | of_the_line | commands)
