# SPDX-License-Identifier: Apache-2.0
"""Ports and lines that are not as they should be: each ends in time, and says what to do."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import serial
from served_payload import PtyServed, TcpServed, garbled

from fw_tools.board import ClientOptions, PayloadClient, open_transport
from fw_tools.board.exchange import NoAnswerError, WrongAnswerError
from fw_tools.errors import ExitCode, LinkError, UsageError
from fw_tools.pus.data_fields import REPORTS
from fw_tools.pus.frames import FrameReceiver, encode_frame
from fw_tools.pus.identifiers import LONGEST_TM
from fw_tools.pus.packets import crc16, parse_tm

NOBODY = 65534
QUICK = ClientOptions(timeout_s=0.1)


def quick(url: str, description) -> PayloadClient:
    return PayloadClient.open(url, description, options=QUICK)


def test_a_port_that_is_not_there_is_named_with_those_that_are(tmp_path) -> None:
    with pytest.raises(LinkError) as raised:
        open_transport(str(tmp_path / "ttyNONE"), 115200)
    assert "ttyNONE: no such port; " in str(raised.value)
    assert "there are: " in str(raised.value) or "has none" in str(raised.value)
    assert raised.value.exit_code == ExitCode.LINK == 7


def test_a_file_is_no_port(tmp_path) -> None:
    (tmp_path / "dump.bin").write_bytes(b"abc")
    with pytest.raises(LinkError, match="no serial port"):
        open_transport(str(tmp_path / "dump.bin"), 115200)


@pytest.mark.parametrize("url", ["nonsense://x", "socket://nowhere", "socket://host:99999"])
def test_a_url_of_no_known_form_is_a_mistake_in_the_arguments(url) -> None:
    with pytest.raises(UsageError) as raised:
        open_transport(url, 115200)
    assert url in str(raised.value)


def test_a_socket_nobody_listens_on_is_told() -> None:
    with pytest.raises(LinkError, match="is the other side running"):
        open_transport("socket://127.0.0.1:1", 115200)


def test_a_port_of_another_process_is_told_with_that_process(pty_board, description) -> None:
    holder = (
        "import serial, sys, time; p = serial.Serial(sys.argv[1], exclusive=True);"
        "print('open', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", holder, pty_board.url], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(LinkError) as raised:
            quick(pty_board.url, description)
        assert "another process has it open" in str(raised.value)
        assert f"process {other.pid}, python" in str(raised.value)
    finally:
        other.kill()
        other.communicate()
    with quick(pty_board.url, description) as client:
        assert client.ping()


def test_our_own_port_is_locked_against_others(pty_board, description) -> None:
    with quick(pty_board.url, description), pytest.raises(serial.SerialException):
        serial.Serial(pty_board.url, exclusive=True)


def test_a_port_without_permission_names_the_group_that_has_it() -> None:
    """The kernel refuses; the administrator, whom it would not refuse, is nobody meanwhile."""
    master, slave = os.openpty()
    device = os.ttyname(slave)
    Path(device).chmod(0)
    group = Path(device).group()
    user = os.geteuid()
    try:
        os.seteuid(user or NOBODY)
        with pytest.raises(LinkError) as raised:
            open_transport(device, 115200)
    finally:
        os.seteuid(user)
        os.close(slave)
        os.close(master)
    assert f"{device}: no permission" in str(raised.value)
    assert f"belongs to the group {group}: sudo usermod -aG {group} " in str(raised.value)


def test_a_silent_line_is_told_as_one(board, description) -> None:
    board.is_silent = True
    with quick(board.url, description) as client:
        with pytest.raises(NoAnswerError) as raised:
            client.ping()
        assert "not one octet came. Is the board powered" in str(raised.value)
        assert board.url in str(raised.value)
        baud = client.link.transport.baud  # None on TCP, which has none.
        assert (f"is this its port, and {baud} its baud rate?" in str(raised.value)) == bool(baud)


def test_text_that_can_be_read_is_shown(board, description) -> None:
    """A login prompt is no wrong baud rate."""
    with quick(board.url, description) as client:
        board.babble = b"\r\nboard login: "
        with pytest.raises(NoAnswerError) as raised:
            client.ping()
    text = "never a whole frame, but text: 'board login:'. Something else talks on this port"
    assert text in str(raised.value) or "but text: 'boa" in str(raised.value)  # Cut off anywhere.
    assert "baud" not in str(raised.value).partition("octets came")[2]


@pytest.mark.parametrize("babble", [b"\xaa" * 4096, b"\0" * 4096, b"login: \r\n" * 400])
def test_a_device_that_babbles_ends_in_time(board, description, babble) -> None:
    with quick(board.url, description) as client:
        board.babble = babble
        started = time.monotonic()
        with pytest.raises(LinkError) as raised:
            client.ping()
        assert time.monotonic() - started < 3
        assert "never a whole frame" in str(raised.value)


def test_a_wrong_baud_rate_is_told_as_one(pty_board, description) -> None:
    pty_board.to_host = garbled
    pty_board.payload.machine.event(1, 0)
    with PayloadClient.open(pty_board.url, description, baud=115200, options=QUICK) as client:
        pty_board.payload.uptime_units = 0
        with pytest.raises(NoAnswerError) as raised:
            client.ping()
    assert "So looks a wrong baud rate (the port is set to 115200)" in str(raised.value)


def test_the_baud_rate_is_that_of_the_description(pty_board, description) -> None:
    with quick(pty_board.url, description) as client:
        assert client.link.transport.baud == 750_000 == 12_000_000 / 16


def test_a_board_that_comes_back_is_talked_to_again(board, description) -> None:
    with quick(board.url, description) as client:
        client.perform("power_up")
        board.unplug()
        again = threading.Timer(0.5, board.plug)
        again.start()
        client.perform("power_up")
        again.join()
        assert client.ping()
    assert board.payload.called[1] == 2


def test_a_board_that_stays_away_is_told_in_time(board, description, monkeypatch) -> None:
    monkeypatch.setattr("fw_tools.board.transport.REOPEN_TIMEOUT_S", 0.5)
    with quick(board.url, description) as client:
        client.ping()
        board.unplug()
        started = time.monotonic()
        with pytest.raises(LinkError) as raised:
            client.ping()
        assert time.monotonic() - started < 3
    assert "went away in mid exchange and did not come back" in str(raised.value)
    assert "/dev/serial/by-id" in str(raised.value)


def test_a_board_unplugged_between_command_and_answer_does_it_once(
    pty_board: PtyServed, description
) -> None:
    def unplug_instead(octets: bytes) -> bytes:
        if not octets:
            return b""
        pty_board.to_host = lambda same: same
        threading.Thread(target=lambda: (pty_board.unplug(), pty_board.plug())).start()
        return b""

    with PayloadClient.open(
        pty_board.url, description, options=ClientOptions(timeout_s=0.5)
    ) as client:
        pty_board.to_host = unplug_instead
        client.perform("power_up")
    assert pty_board.payload.called[1] == 1


def test_a_board_that_takes_no_octets_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("fw_tools.board.transport.WRITE_TIMEOUT_S", 0.3)
    master, slave = os.openpty()
    try:
        transport = open_transport(os.ttyname(slave), 115200)
        with pytest.raises(LinkError, match=r"takes no octets for 0\.3 s"):
            transport.write(bytes(1_000_000))
        transport.close()
    finally:
        os.close(master)
        os.close(slave)


def test_the_client_needs_no_terminal_at_import() -> None:
    absent = "import sys; sys.modules |= dict.fromkeys(('pty', 'tty', 'termios', 'fcntl', 'grp'))"
    done = subprocess.run(
        [sys.executable, "-c", f"{absent}; import fw_tools.board"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


class SlowLine:
    """A payload that takes its time over each report, and what it was sent."""

    def __init__(self, board: TcpServed, pause_s: float) -> None:
        self._board, self._pause_s = board, pause_s
        self.sent = b""
        board.to_device, board.to_host = self._to_device, self._to_host

    @property
    def frames(self) -> list[bytes]:
        return [frame for frame in self.sent.split(b"\0") if frame]

    def _to_device(self, octets: bytes) -> bytes:
        self.sent += octets
        return octets

    def _to_host(self, octets: bytes) -> bytes:
        for frame in octets.split(b"\0"):
            if frame:
                time.sleep(self._pause_s)
                self._board._write(b"\0" + frame + b"\0")
        return b""


def test_a_command_that_waits_for_those_before_it_is_not_sent_again(tmp_path, description) -> None:
    """A window of four takes longer than one try may, and each of them does not."""
    with TcpServed(tmp_path) as board:
        line = SlowLine(board, 0.04)  # Three reports a command.
        with PayloadClient.open(
            board.url, description, options=ClientOptions(timeout_s=0.3)
        ) as client:
            client.read_memory("buffer", 0, 8 * 1024)
        assert len(line.frames) == 8
        assert len(set(line.frames)) == 8


def test_a_command_that_was_lost_is_sent_again_when_a_later_one_is_done(
    tmp_path, description
) -> None:
    with TcpServed(tmp_path) as board:
        line = SlowLine(board, 0)

        def without_the_first(octets: bytes) -> bytes:
            is_first = not line.sent
            line.sent += octets
            return octets.lstrip(b"\0").partition(b"\0")[2] if is_first else octets

        board.to_device = without_the_first
        started = time.monotonic()
        with PayloadClient.open(
            board.url, description, options=ClientOptions(timeout_s=5.0)
        ) as client:
            client.read_memory("buffer", 0, 8 * 1024)
        assert time.monotonic() - started < 4
        assert (len(line.frames), len(set(line.frames))) == (9, 8)


class WrongSums:
    """A line whose other end tells a wrong checksum of each area, in packets that are whole."""

    def __init__(self, times: int) -> None:
        self._left = times
        self._receiver = FrameReceiver(LONGEST_TM)

    def __call__(self, octets: bytes) -> bytes:
        return b"".join(encode_frame(self._spoilt(each)) for each in self._receiver.feed(octets))

    def _spoilt(self, packet: bytes) -> bytes:
        report = parse_tm(packet)
        if report.kind != (6, 6) or not self._left:
            return packet
        self._left -= 1
        data = REPORTS[6, 6].parse(report.data)
        data.areas[0].checksum ^= 0x0101
        spoilt = packet[: -2 - len(report.data)] + REPORTS[6, 6].build(data)
        return spoilt + crc16(spoilt).to_bytes(2, "big")


def test_a_wrong_checksum_of_an_area_is_asked_for_again_and_then_told(board, description) -> None:
    options = ClientOptions(timeout_s=1.0)
    with PayloadClient.open(board.url, description, options=options) as client:
        right = client.read_memory("buffer", 0, 64)
        board.to_host = WrongSums(2)
        assert client.read_memory("buffer", 0, 64) == right
        board.to_host = WrongSums(100)
        told, summed = crc16(right) ^ 0x0101, crc16(right)
        said = f"the checksum of 64 octets from 0x0 is told as {told:#06x} and is {summed:#06x}: "
        with pytest.raises(WrongAnswerError, match=f"{said}.*, in each of 3 tries") as raised:
            client.read_memory("buffer", 0, 64)
        assert raised.value.exit_code == ExitCode.LINK
