# SPDX-License-Identifier: Apache-2.0
"""The boards that a name finds, and the ports of this machine, as rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fw_tools.board.board import WiredBoard
from fw_tools.board.finding import OWN_BOARDS, board_files
from fw_tools.board.opening import port_of
from fw_tools.board.ports import holder
from fw_tools.board.usb_ports import attached_ports, looks_like, usb_id
from fw_tools.errors import FwToolsError, InputError
from fw_tools.spec.board import BoardSpec, load_board

if TYPE_CHECKING:
    from serial.tools.list_ports_common import ListPortInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """One board that a name finds."""

    name: str
    origin: str  # "boards" or "shipped".
    about: str
    fpga: str
    can: str
    port: str  # Where it is, or why it is not known.


@dataclass(frozen=True, slots=True, kw_only=True)
class PortRow:
    """One serial port of this machine."""

    device: str
    usb: str
    serial: str
    about: str
    held_by: str
    looks_like: str


def board_rows() -> Iterator[BoardRow]:
    """Yield a row for each board, those of `./boards` first; a broken file is a row, too."""
    for name, path in board_files().items():
        origin = str(OWN_BOARDS) if path.is_relative_to(OWN_BOARDS) else "shipped"
        try:
            spec = load_board(path)
        except InputError as error:
            count = len(str(error).splitlines())
            broken = f"{count} mistakes: {str(error).splitlines()[0]}"
            yield BoardRow(name=name, origin=origin, about=broken, fpga="", can="", port="")
        else:
            yield _row(name, origin, spec)


def _row(name: str, origin: str, spec: BoardSpec) -> BoardRow:
    try:
        url, _ = port_of(spec, None, None)
        port = _there(url)
    except FwToolsError as error:
        url, port = None, _short(error)
    can = WiredBoard(spec, None, url or _SOME_PORT).capabilities
    return BoardRow(
        name=name,
        origin=origin,
        about=spec.about,
        fpga=spec.fpga.part if spec.fpga else "",
        can=" ".join(sorted(can)),
        port=port,
    )


_SOME_PORT = "/dev/ttyUSB0"  # Any with lines: what the board could do at the end of one.


def _there(url: str | None) -> str:
    if url is None:
        return "no url"
    is_absent = url.startswith("/dev/") and not Path(url).exists()
    return f"{url} (absent)" if is_absent else url


def _short(error: FwToolsError) -> str:
    """Return the answer to "where", out of a message that tells all."""
    return "several" if "look like it" in str(error) else "not attached"


def port_rows(ports: Sequence["ListPortInfo"] | None = None) -> Iterator[PortRow]:
    """Yield a row for each serial port."""
    boards = list(_specs())
    for port in attached_ports() if ports is None else ports:
        yield PortRow(
            device=port.device,
            usb=usb_id(port),
            serial=port.serial_number or "",
            about="" if port.description == "n/a" else port.description or "",
            held_by=holder(port.device),
            looks_like=", ".join(board.name for board in boards if looks_like(port, board)),
        )


def _specs() -> Iterator[BoardSpec]:
    for path in board_files().values():
        try:
            yield load_board(path)
        except InputError:
            continue  # `fw-tools boards` tells of it.
