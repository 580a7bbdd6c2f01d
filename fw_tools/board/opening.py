# SPDX-License-Identifier: Apache-2.0
"""From what a user names (twin, a board, a file) to an open client."""

from importlib.resources import as_file, files
from pathlib import Path

from fw_tools.board.client import ClientOptions, PayloadClient
from fw_tools.board.description import load_description
from fw_tools.errors import MissingToolError, UsageError

TWIN = "twin"
BOARD_FILE = "board.toml"


def open_board(
    board: str, port: str | None = None, options: ClientOptions | None = None
) -> PayloadClient:
    """Return a client of the board.

    `board` is a board.toml or its folder, a link.json (which needs `port`), or the name of a board
    that comes with the package. `port` takes the place of the board's own URL. Raises `UsageError`,
    `InputError`, `LinkError`, `MissingToolError`.
    """
    if board == TWIN:
        raise MissingToolError(
            "--board twin: this installation cannot start a twin by itself; "
            "give its link.json and where it listens: --board link.json --port URL"
        )
    path = Path(board)
    if path.suffix == ".json":
        if port is None:
            raise UsageError(f"--board {board}: a description of a link alone; give --port URL too")
        return PayloadClient.open(port, load_description(path), options=options)
    return _open_described(path, board, port, options)


def board_names() -> list[str]:
    """Return the boards that come with the package."""
    folder = files("hdl") / "boards"
    if not folder.is_dir():
        return []
    return sorted(each.name for each in folder.iterdir() if (each / BOARD_FILE).is_file())


def _open_described(
    path: Path, board: str, port: str | None, options: ClientOptions | None
) -> PayloadClient:
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
