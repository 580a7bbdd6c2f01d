# SPDX-License-Identifier: Apache-2.0
"""From the name or path that a user gives to the description of a board."""

from importlib.resources import files
from pathlib import Path

from fw_tools.errors import UsageError
from fw_tools.spec.board import BoardSpec, load_board
from fw_tools.spec.findings import suggestion

BOARD_FILE = "board.toml"
OWN_BOARDS = Path("boards")  # In the current folder; looked at first.


def find_board(board: str) -> BoardSpec:
    """Return the board of a board.toml, of its folder, or of a name.

    A name is a folder of `boards` here, or a board that comes with the package. Raises `UsageError`
    with the names that there are, and `InputError` with every mistake in the file.
    """
    path = Path(board)
    if path.suffix == ".toml":
        return load_board(path)
    folders = [path] if len(path.parts) > 1 else [OWN_BOARDS / path, _shipped() / path, path]
    for folder in folders:
        if (folder / BOARD_FILE).is_file():
            return load_board(folder / BOARD_FILE)
    hint = suggestion(board, ["twin", *board_files()])
    raise UsageError(f"--board {board}: no such board, and no folder with a {BOARD_FILE}; {hint}")


def board_files() -> dict[str, Path]:
    """Return the files of the boards that a name finds, those of the current folder first."""
    found: dict[str, Path] = {}
    for root in (OWN_BOARDS, _shipped()):
        for path in sorted(root.glob(f"*/{BOARD_FILE}")):
            found.setdefault(path.parent.name, path)
    return found


def _shipped() -> Path:
    return Path(str(files("hdl") / "boards"))
