# SPDX-License-Identifier: Apache-2.0
"""From what a user names (twin, a board, a file) to an open board, or the client of its payload."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fw_tools.board.board import Board, Say, WiredBoard, silent
from fw_tools.board.client import ClientOptions, PayloadClient
from fw_tools.board.description import load_description
from fw_tools.board.finding import find_board
from fw_tools.board.link import Link
from fw_tools.board.port_lines import has_lines
from fw_tools.board.usb_ports import find_port
from fw_tools.errors import UsageError
from fw_tools.spec.board import BoardSpec
from fw_tools.spec.board_lines import STRATEGIES

TWIN = "twin"
TWIN_SPEC = "payload.toml"  # Of `--board twin` alone, in the current folder.
WAYS = ("tcp", "pty", "rfc2217")
DEFAULT_WAY = "tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a user names: `--board`, `--port`, `--serial`, and how a twin is served."""

    board: str
    port: str | None = None
    serial: str | None = None
    way: str = DEFAULT_WAY


@contextmanager
def connected_board(named: Named, say: Say = silent) -> Iterator[Board]:
    """Yield the board; behind the `with` block its line and a twin that was started are ended.

    `board` is a board.toml or its folder, a link.json (which needs `port`), the name of a board
    of `./boards` or one that comes with the package, "twin" or "twin:SPEC". A twin is built and
    started, unless `port` names one that runs. `port` takes the place of the board's own URL, and
    may be a name of its [ports]. `say` gets lines for the user of a twin that is started.

    Raises `UsageError`, `InputError`, `LinkError`, `MissingToolError`.
    """
    if _is_twin(named.board) and named.port is None:
        with _twin(named, say) as board:
            yield board
        return
    with wired_board(named) as board:
        yield board


@contextmanager
def open_board(
    board: str,
    port: str | None = None,
    options: ClientOptions | None = None,
    say: Say = silent,
    *,
    serial: str | None = None,
) -> Iterator[PayloadClient]:
    """Yield a client of the payload of a board, named as for `connected_board`."""
    with (
        connected_board(Named(board=board, port=port, serial=serial), say) as found,
        client_of(found, options) as client,
    ):
        yield client


def client_of(board: Board, options: ClientOptions | None = None) -> PayloadClient:
    """Return the client of the payload at the end of a board's line."""
    description = board.description  # Before the port is opened: it may be that there is none.
    return PayloadClient(Link(board.uart()), description, options)


def wired_board(named: Named) -> WiredBoard:
    """Return the board at the end of a port; a twin is one that runs already."""
    if _is_twin(named.board):
        return _running_twin(named)
    if Path(named.board).suffix == ".json":
        if named.port is None:
            raise UsageError(
                f"--board {named.board}: a description of a link alone; give --port URL too"
            )
        spec = BoardSpec(name=named.board, link=Path(named.board))
    else:
        spec = find_board(named.board)
    description = load_description(spec.link) if spec.link else None
    url, serial = port_of(spec, named.port, named.serial)
    return WiredBoard(spec, description, url, serial)


def port_of(spec: BoardSpec, port: str | None, serial: str | None) -> tuple[str | None, str | None]:
    """Return the URL of a board's line and the serial number of its USB port, as far as known.

    Raises what `find_port` does.
    """
    if port is not None:
        return spec.ports.get(port, port), serial
    if spec.url is not None and serial is None:
        return spec.url, None
    if spec.usb:
        found = find_port(spec, serial)
        return found.device, found.serial_number
    if serial is not None:
        raise UsageError(f"--serial {serial}: board {spec.name} names no usb in its board.toml")
    return None, None


def _is_twin(board: str) -> bool:
    return board.partition(":")[0] == TWIN


def _twin_spec(board: str) -> Path:
    return Path(board.partition(":")[2] or TWIN_SPEC)


def _running_twin(named: Named) -> WiredBoard:
    from fw_tools.toolchain import require_simulation

    require_simulation()
    from fw_tools.board.twin_design import twin_design

    assert named.port is not None
    design = twin_design(_twin_spec(named.board))
    assert design.link is not None
    reset = STRATEGIES["dtr"] if has_lines(named.port) else None
    spec = BoardSpec(name=named.board, link=design.link, reset=reset)
    return WiredBoard(spec, load_description(design.link), named.port)


@contextmanager
def _twin(named: Named, say: Say) -> Iterator[Board]:
    from fw_tools.toolchain import require_simulation

    require_simulation()
    from fw_tools.board.twin import PortKind, TwinOptions, running_twin
    from fw_tools.board.twin_board import TwinBoard
    from fw_tools.board.twin_design import twin_design

    design = twin_design(_twin_spec(named.board))
    with tempfile.TemporaryDirectory(prefix="fw-bench-") as folder:
        # Not at the stable place, so that runs side by side do not meet.
        options = TwinOptions(port=PortKind(named.way), link=Path(folder) / design.name)
        with running_twin(design, options, say) as twin, TwinBoard(twin, named.way) as board:
            yield board
