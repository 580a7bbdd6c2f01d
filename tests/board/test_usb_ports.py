# SPDX-License-Identifier: Apache-2.0
"""Which port a board is on, by what USB tells; ports are as pyserial's list_ports gives them."""

import pytest
from serial.tools.list_ports_common import ListPortInfo

from fw_tools.board import usb_ports
from fw_tools.board.listing import port_rows
from fw_tools.board.opening import port_of
from fw_tools.board.usb_ports import find_port
from fw_tools.errors import MissingToolError, UsageError
from fw_tools.spec.board import BoardSpec

BOARD = BoardSpec(name="b", usb=((0x0403, 0x6015), (0x1A86, 0x7523)))


def port(
    device: str, usb: tuple[int, int] | None, serial: str | None = None, location: str = "1-1"
) -> ListPortInfo:
    info = ListPortInfo(device)
    if usb is not None:
        info.vid, info.pid = usb
        info.serial_number, info.location, info.product = serial, location, "FT231X"
        info.apply_usb_info()
    return info


FIRST = port("/dev/ttyUSB0", (0x0403, 0x6015), "D1", "1-1")
SECOND = port("/dev/ttyUSB1", (0x0403, 0x6015), "D2", "1-2")
OTHER = port("/dev/ttyUSB2", (0x0403, 0x6010), "X", "1-3")
BUILT_IN = port("/dev/ttyS0", None)


def test_the_one_port_with_an_id_of_the_board_is_it() -> None:
    assert find_port(BOARD, None, [BUILT_IN, OTHER, FIRST]) is FIRST


def test_two_boards_of_one_kind_ask_for_the_serial_number() -> None:
    with pytest.raises(UsageError) as raised:
        find_port(BOARD, None, [FIRST, SECOND, OTHER])
    told = str(raised.value)
    assert "2 ports look like it; say which by --serial NUMBER" in told
    assert "/dev/ttyUSB0: 0403:6015, serial number D1" in told
    assert "/dev/ttyUSB1: 0403:6015, serial number D2" in told
    assert "ttyUSB2" not in told


def test_the_serial_number_given_or_of_the_file_decides() -> None:
    named = BoardSpec(name="b", usb=BOARD.usb, serial="D2")
    assert find_port(BOARD, "D2", [FIRST, SECOND]) is SECOND
    assert find_port(named, None, [FIRST, SECOND]) is SECOND
    assert find_port(named, "D1", [FIRST, SECOND]) is FIRST


def test_a_serial_number_that_none_has_is_told_with_those_there_are() -> None:
    with pytest.raises(MissingToolError, match=r"serial number D9; there are:\n.*D1"):
        find_port(BOARD, "D9", [FIRST, OTHER])


def test_a_board_that_is_not_attached_is_told_with_its_ids() -> None:
    with pytest.raises(MissingToolError, match=r"not attached.*0403:6015 or 1a86:7523"):
        find_port(BOARD, None, [BUILT_IN, OTHER])


def test_boards_without_serial_numbers_are_told_apart_by_their_port() -> None:
    bare = [
        port("/dev/ttyUSB0", (0x1A86, 0x7523)),
        port("/dev/ttyUSB1", (0x1A86, 0x7523), None, "1-2"),
    ]
    with pytest.raises(UsageError, match="no serial number tells them apart: say which by --port"):
        find_port(BOARD, None, bare)


def test_of_a_chip_with_two_lines_the_interface_of_the_file_is_taken() -> None:
    lines = [
        port(f"/dev/ttyUSB{number}", (0x0403, 0x6015), "D1", f"1-1.2:1.{number}")
        for number in range(2)
    ]
    with pytest.raises(UsageError, match="one device has all of them: say which by interface"):
        find_port(BOARD, None, lines)
    assert find_port(BoardSpec(name="b", usb=BOARD.usb, interface=1), None, lines) is lines[1]


def test_the_port_given_goes_before_the_file_and_a_serial_number_before_its_url(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(usb_ports, "attached_ports", lambda: [FIRST, SECOND])
    board = BoardSpec(name="b", url="COM1", usb=BOARD.usb, ports={"console": "COM7"})
    assert port_of(board, "COM5", None) == ("COM5", None)
    assert port_of(board, "console", None) == ("COM7", None)
    assert port_of(board, None, None) == ("COM1", None)
    assert port_of(board, None, "D2") == ("/dev/ttyUSB1", "D2")
    with pytest.raises(UsageError, match="names no usb in its"):
        port_of(BoardSpec(name="b", url="COM1"), None, "D2")


def test_a_row_of_a_port_tells_which_known_boards_it_looks_like() -> None:
    rows = {row.device: row for row in port_rows([BUILT_IN, FIRST, OTHER])}
    assert rows["/dev/ttyS0"].looks_like == ""
    assert (rows["/dev/ttyUSB0"].usb, rows["/dev/ttyUSB0"].serial) == ("0403:6015", "D1")
    assert rows["/dev/ttyUSB0"].looks_like == "ulx3s"
    # Both have an FT2232, or what plays one, of which the line is interface 1.
    assert rows["/dev/ttyUSB2"].looks_like == "icebreaker, tangnano9k"
