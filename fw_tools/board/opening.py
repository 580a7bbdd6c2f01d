# SPDX-License-Identifier: Apache-2.0
"""From what a user names (twin, a board, a file) to an open client."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from fw_tools.board.client import ClientOptions, PayloadClient
from fw_tools.board.description import load_description
from fw_tools.errors import UsageError

TWIN = "twin"
BOARD_FILE = "board.toml"
TWIN_SPEC = "payload.toml"  # Of `--board twin` alone, in the current folder.


@contextmanager
def open_board(
    board: str, port: str | None = None, options: ClientOptions | None = None
) -> Iterator[PayloadClient]:
    """Yield a client of the board; behind the `with` block the port is given back.

    `board` is a board.toml or its folder, a link.json (which needs `port`), the name of a board
    that comes with the package, "twin" or "twin:SPEC". A twin is built and started, and ended
    behind the block; with `port` the one that listens there is talked to. `port` takes the place
    of the board's own URL. Raises `UsageError`, `InputError`, `LinkError`, `MissingToolError`.
    """
    kind, _, spec = board.partition(":")
    if kind == TWIN:
        with _twin(Path(spec or TWIN_SPEC), port, options) as client:
            yield client
    else:
        with _described(board, port, options) as client:
            yield client


def board_names() -> list[str]:
    """Return the boards that come with the package."""
    folder = files("hdl") / "boards"
    if not folder.is_dir():
        return []
    return sorted(each.name for each in folder.iterdir() if (each / BOARD_FILE).is_file())


@contextmanager
def _twin(spec: Path, port: str | None, options: ClientOptions | None) -> Iterator[PayloadClient]:
    from fw_tools.toolchain import require_simulation

    require_simulation()
    from fw_tools.board.twin import TwinOptions, running_twin
    from fw_tools.board.twin_design import twin_design

    design = twin_design(spec)
    assert design.link is not None
    description = load_description(design.link)
    if port is not None:
        with PayloadClient.open(port, description, options=options) as client:
            yield client
        return
    with (
        running_twin(design, TwinOptions()) as twin,
        PayloadClient.open(twin.url, description, options=options) as client,
    ):
        yield client


def _described(board: str, port: str | None, options: ClientOptions | None) -> PayloadClient:
    path = Path(board)
    if path.suffix == ".json":
        if port is None:
            raise UsageError(f"--board {board}: a description of a link alone; give --port URL too")
        return PayloadClient.open(port, load_description(path), options=options)
    from fw_tools.spec.board import load_board

    if path.is_dir():
        path /= BOARD_FILE
    if path.suffix == ".toml":
        spec = load_board(path)
    elif board in board_names():
        with as_file(files("hdl") / "boards" / board) as folder:
            spec = load_board(folder / BOARD_FILE)
    else:
        known = ", ".join((TWIN, *board_names()))
        raise UsageError(f"--board {board}: no such board; expected {known}, or a board.toml")
    description = load_description(spec.link)
    return PayloadClient.open(port or spec.url, description, baud=spec.baud, options=options)
