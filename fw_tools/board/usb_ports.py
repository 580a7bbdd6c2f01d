# SPDX-License-Identifier: Apache-2.0
"""Which serial port of this machine a board is on, by the IDs of USB."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fw_tools.errors import MissingToolError, UsageError
from fw_tools.spec.board import BoardSpec

if TYPE_CHECKING:
    from serial.tools.list_ports_common import ListPortInfo
else:
    ListPortInfo = Any


def attached_ports() -> list[ListPortInfo]:
    """Return the serial ports of this machine, in the order of their names."""
    from serial.tools.list_ports import comports

    return sorted(comports())


def usb_id(port: ListPortInfo) -> str:
    """Return "0403:6010" of a USB port, or "" of another."""
    return "" if port.vid is None else f"{port.vid:04x}:{port.pid:04x}"


def looks_like(port: ListPortInfo, board: BoardSpec) -> bool:
    """Tell whether a port may be the line of a board, as far as USB tells."""
    if (port.vid, port.pid) not in board.usb:
        return False
    return board.interface is None or _interface(port) in (None, board.interface)


def find_port(
    board: BoardSpec, serial: str | None, ports: Sequence[ListPortInfo] | None = None
) -> ListPortInfo:
    """Return the port of a board, by its USB IDs and the serial number, where one is given.

    Raises `MissingToolError` where there is none, and `UsageError` where there are several: it
    asks for what tells them apart.
    """
    wanted = serial or board.serial
    alike = [
        port for port in (attached_ports() if ports is None else ports) if looks_like(port, board)
    ]
    found = [port for port in alike if wanted in (None, port.serial_number)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(_several(board, found))
    ids = " or ".join(f"{vid:04x}:{pid:04x}" for vid, pid in board.usb)
    if alike:
        there = "\n".join(_told(port) for port in alike)
        raise MissingToolError(
            f"board {board.name}: none attached has the serial number {wanted}; there are:\n{there}"
        )
    raise MissingToolError(
        f"board {board.name}: not attached: no serial port has the USB ID {ids}; "
        "`fw-tools ports` shows those there are, --port URL names one"
    )


def _interface(port: ListPortInfo) -> int | None:
    """Return the number of the interface in a location such as "1-1.2:1.1"."""
    _, colon, inside = (port.location or "").partition(":")
    number = inside.rpartition(".")[2]
    return int(number) if colon and number.isdecimal() else None


def _several(board: BoardSpec, ports: Sequence[ListPortInfo]) -> str:
    numbers = {port.serial_number for port in ports}
    told = "\n".join(_told(port) for port in ports)
    if len(numbers) == len(ports) and None not in numbers:
        cure = "say which by --serial NUMBER, or by serial in [board] of its board.toml"
    elif len({(port.location or "").partition(":")[0] for port in ports}) == 1:
        cure = "one device has all of them: say which by interface in [board] of its board.toml"
    else:
        cure = "no serial number tells them apart: say which by --port"
    return f"board {board.name}: {len(ports)} ports look like it; {cure}\n{told}"


def _told(port: ListPortInfo) -> str:
    number = f"serial number {port.serial_number}" if port.serial_number else "no serial number"
    return f"  {port.device}: {usb_id(port)}, {number}, {port.description}"
