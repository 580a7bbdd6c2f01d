# SPDX-License-Identifier: Apache-2.0
"""From what a user names (twin, a board, a file) to an open client."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fw_tools.board.client import ClientOptions, PayloadClient
from fw_tools.board.description import LinkDescription, load_description
from fw_tools.errors import UsageError

TWIN = "twin"
TWIN_SPEC = "payload.toml"  # Of `--board twin` alone, in the current folder.


@contextmanager
def open_board(
    board: str,
    port: str | None = None,
    options: ClientOptions | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[PayloadClient]:
    """Yield a client of the board; behind the `with` block the port is given back.

    `board` is a board.toml or its folder, a link.json (which needs `port`), the name of a board
    that comes with the package, "twin" or "twin:SPEC". A twin is built and started, and ended
    behind the block; with `port` the one that listens there is talked to. `port` takes the place
    of the board's own URL. `say` gets lines for the user of a twin that is started.

    Raises `UsageError`, `InputError`, `LinkError`, `MissingToolError`.
    """
    kind, _, spec = board.partition(":")
    if kind == TWIN and port is None:
        with _twin(Path(spec or TWIN_SPEC), options, say) as client:
            yield client
        return
    found = describe_board(board, port)
    with PayloadClient.open(
        found.url, found.description, baud=found.baud, options=options
    ) as client:
        yield client


@contextmanager
def _twin(
    spec: Path, options: ClientOptions | None, say: Callable[[str], None]
) -> Iterator[PayloadClient]:
    from fw_tools.toolchain import require_simulation

    require_simulation()
    from fw_tools.board.twin import TwinOptions, running_twin
    from fw_tools.board.twin_design import twin_design

    design = twin_design(spec)
    assert design.link is not None
    description = load_description(design.link)
    with (
        running_twin(design, TwinOptions(), say) as twin,
        PayloadClient.open(twin.url, description, options=options) as client,
    ):
        yield client


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedBoard:
    """What a user names with --board and --port, but for a twin that is still to be started."""

    name: str
    url: str
    description: LinkDescription
    baud: int | None = None  # None: the payload's own.
    capabilities: tuple[str, ...] = ()


def describe_board(board: str, port: str | None) -> NamedBoard:
    """Return the board of `--board` and `--port`; see `open_board`. A twin needs its port here."""
    kind, _, spec = board.partition(":")
    if kind == TWIN:
        assert port is not None
        return NamedBoard(name=board, url=port, description=_twin_description(spec))
    path = Path(board)
    if path.suffix == ".json":
        if port is None:
            raise UsageError(f"--board {board}: a description of a link alone; give --port URL too")
        return NamedBoard(name=board, url=port, description=load_description(path))
    from fw_tools.board.finding import find_board

    found = find_board(board)
    url, link = port or found.url, found.link
    if url is None:
        raise UsageError(f"--board {board}: board.toml names no url; give --port URL")
    if link is None:
        raise UsageError(
            f"--board {board}: it is for any payload; give link.json of yours in its place, as in "
            f"--board generated/link.json --port {url}"
        )
    return NamedBoard(
        name=found.name,
        url=url,
        description=load_description(link),
        baud=found.baud,
        capabilities=found.capabilities,
    )


def _twin_description(spec: str) -> LinkDescription:
    from fw_tools.toolchain import require_simulation

    require_simulation()
    from fw_tools.board.twin_design import twin_design

    design = twin_design(Path(spec or TWIN_SPEC))
    assert design.link is not None
    return load_description(design.link)
