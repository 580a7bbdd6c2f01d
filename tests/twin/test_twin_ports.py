# SPDX-License-Identifier: Apache-2.0
"""A twin seen through its ports, by pyserial and plain sockets, with an echo for a payload."""

import os
import random
import select
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest
import serial
from twin_bench import BAUD, PATIENCE_S, OpenClient, StartTwin, exchange, wait_until

from fw_tools.board.twin import PortKind, Twin
from fw_tools.errors import InputError

# pyserial's RFC 2217 client starts its thread the old way.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name)")

ALL = pytest.mark.parametrize("kind", list(PortKind))
WITH_RATE = pytest.mark.parametrize("kind", [PortKind.PTY, PortKind.RFC2217])


def peer(twin: Twin) -> tuple[str, int]:
    host, _, number = twin.url.rpartition("://")[2].rpartition(":")
    return host, int(number)


@ALL
def test_every_octet_passes_both_ways(
    start_twin: StartTwin, open_client: OpenClient, kind: PortKind
) -> None:
    twin = start_twin(port=kind)
    data = random.Random(1).randbytes(100_000)
    assert exchange(open_client(twin), data) == data


@WITH_RATE
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_client_at_another_rate_sends_and_sees_garbage(
    start_twin: StartTwin, open_client: OpenClient, kind: PortKind, factor: float
) -> None:
    twin = start_twin(port=kind)
    client = open_client(twin, baudrate=int(BAUD * factor), timeout=0.5)
    data = bytes(range(1, 129))
    client.write(data)
    got = client.read(len(data))
    assert got != data
    client.baudrate = twin.baud
    time.sleep(0.3)  # The rate of a pty is looked at ten times a second.
    client.reset_input_buffer()
    client.timeout = PATIENCE_S
    assert exchange(client, data) == data


@WITH_RATE
def test_a_rate_two_percent_off_is_understood(
    start_twin: StartTwin, open_client: OpenClient, kind: PortKind
) -> None:
    # Of a frame of 10 bits, the last is sampled 9.5 bits after the start: 5 % is the limit.
    client = open_client(start_twin(port=kind), baudrate=int(BAUD * 1.02))
    data = bytes(range(256))
    # With a pause between octets: an echo cannot send faster than it does.
    assert bytes(exchange(client, bytes([octet]))[0] for octet in data) == data


def test_dropping_dtr_resets_and_raising_it_starts_the_payload(
    start_twin: StartTwin, open_client: OpenClient
) -> None:
    client = open_client(start_twin(port=PortKind.RFC2217))
    assert exchange(client, b"a") == b"a"
    client.dtr = False
    client.timeout = 0.3
    client.write(b"b")
    assert client.read(1) == b""
    client.dtr = True
    client.timeout = PATIENCE_S
    assert client.read(1) == b"!"
    assert exchange(client, b"c") == b"c"


def test_dropping_rts_selects_boot(start_twin: StartTwin, open_client: OpenClient) -> None:
    client = open_client(start_twin(port=PortKind.RFC2217))
    seen = []
    for level in (False, True):
        client.rts = level
        client.dtr = False
        time.sleep(0.05)
        client.dtr = True
        seen.append(client.read(1))
    assert seen == [b"?", b"!"]


def test_a_break_arrives_behind_the_octets_before_it(
    start_twin: StartTwin, open_client: OpenClient
) -> None:
    client = open_client(start_twin(port=PortKind.RFC2217))
    client.write(b"ab")
    client.send_break(0.01)
    client.write(b"cd")
    assert client.read(5) == b"ab~cd"


@pytest.mark.parametrize("kind", [PortKind.TCP, PortKind.RFC2217])
def test_a_second_client_is_refused_with_a_line(
    start_twin: StartTwin, open_client: OpenClient, kind: PortKind
) -> None:
    said: list[str] = []
    twin = start_twin(port=kind, say=said.append)
    first = open_client(twin)
    assert exchange(first, b"a") == b"a"
    with socket.create_connection(peer(twin), timeout=PATIENCE_S) as second:
        answer = b""
        while part := second.recv(100):
            answer += part
    assert answer == b"twin: another client is connected; one at a time\r\n"
    assert said
    assert "another client is connected" in said[0]
    assert exchange(first, b"b") == b"b"


def leave_at_once(client: socket.socket) -> None:
    """Close a connection without a word more: the other side is told of a reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("kind", [PortKind.TCP, PortKind.RFC2217])
def test_a_client_that_leaves_as_octets_come_for_it_leaves_the_port_open(
    start_twin: StartTwin, open_client: OpenClient, kind: PortKind
) -> None:
    """The server learns of it twice at once: when it writes, and when it would read."""
    is_held, is_free = threading.Event(), threading.Event()

    def hold(_line: str) -> None:
        is_held.set()
        is_free.wait(PATIENCE_S)

    twin = start_twin(port=kind, say=hold)
    first = socket.create_connection(peer(twin), timeout=PATIENCE_S)
    first.sendall(b"x" * 20_000)
    wait_until(lambda: first.recv(1), "an octet")
    leave_at_once(socket.create_connection(peer(twin), timeout=PATIENCE_S))  # Holds the server.
    assert is_held.wait(PATIENCE_S)
    time.sleep(0.1)  # The payload sends on meanwhile.
    leave_at_once(first)
    is_free.set()
    client = open_client(twin)
    client.write(b"a")
    assert client.read_until(b"a").strip(b"x") == b"a"  # Behind what the first had still sent.


def test_a_second_client_of_a_pty_is_refused_by_the_system(
    start_twin: StartTwin, open_client: OpenClient
) -> None:
    twin = start_twin(port=PortKind.PTY)
    terminal = Path(twin.url).resolve()
    nobody = 65534 if os.geteuid() == 0 else None  # Root opens what is open exclusively.
    if nobody:
        os.chown(terminal, nobody, nobody)

    def opened() -> subprocess.CompletedProcess[str]:
        command = ["sh", "-c", f"exec 3<>{terminal}"]
        return subprocess.run(command, user=nobody, capture_output=True, text=True, check=False)

    assert opened().returncode == 0
    first = open_client(twin)
    assert exchange(first, b"a") == b"a"
    assert "busy" in opened().stderr
    first.close()
    wait_until(lambda: opened().returncode == 0, "the end of the first client")


@ALL
def test_a_client_finds_a_clean_line_after_another(
    start_twin: StartTwin, open_client: OpenClient, kind: PortKind
) -> None:
    twin = start_twin(port=kind)
    first = open_client(twin)
    first.write(b"left behind")
    wait_until(lambda: twin.statistics()["from_payload"]["octets"] >= 11, "the echo")
    if kind is PortKind.RFC2217:
        first.dtr = False  # Whoever leaves does not leave the payload in reset.
    first.close()
    wait_until(lambda: _is_left(twin), "the end of the first client")
    second = open_client(twin)
    assert exchange(second, b"new") == b"new"


def _is_left(twin: Twin) -> bool:
    try:
        with serial.serial_for_url(twin.url, baudrate=twin.baud, timeout=0.2) as probe:
            probe.write(b"?")
            return bool(probe.read(1) == b"?")
    except serial.SerialException:
        return False


def test_a_client_that_leaves_with_dtr_off_does_not_leave_the_payload_in_reset(
    start_twin: StartTwin, open_client: OpenClient
) -> None:
    twin = start_twin(port=PortKind.RFC2217)
    first = open_client(twin)
    first.dtr = False
    first.close()
    wait_until(lambda: _answers_plainly(twin), "an echo to who knows nothing of RFC 2217")


def _answers_plainly(twin: Twin) -> bool:
    with socket.create_connection(peer(twin), timeout=0.5) as client:
        client.sendall(b"zz")
        got = b""
        try:
            while b"zz" not in got and (part := client.recv(100)):
                got += part
        except TimeoutError:
            pass
    return b"zz" in got


def test_a_pty_forgets_what_a_client_did_not_read(start_twin: StartTwin) -> None:
    twin = start_twin(port=PortKind.PTY)
    flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK
    first = os.open(twin.url, flags)
    os.write(first, b"left behind")
    wait_until(lambda: select.select([first], [], [], 0)[0], "the echo")
    os.close(first)
    time.sleep(0.5)
    second = os.open(twin.url, flags)
    with pytest.raises(BlockingIOError):
        os.read(second, 100)
    os.close(second)


def test_octets_that_nobody_reads_are_lost_and_the_board_goes_on(
    start_twin: StartTwin, open_client: OpenClient
) -> None:
    twin = start_twin(port=PortKind.TCP)
    client = open_client(twin)
    client.write(b"x" * 1000)
    wait_until(lambda: twin.statistics()["to_payload"]["octets"] == 1000, "the octets")
    twin.reset()
    assert twin.statistics()["resets"] == 2  # The first is that of the start.


def test_a_pty_link_is_taken_once_and_goes_with_the_twin(
    start_twin: StartTwin, tmp_path: Path
) -> None:
    link = tmp_path / "board"
    first = start_twin(port=PortKind.PTY, link=link)
    assert first.url == str(link)
    with pytest.raises(InputError, match="another process serves a pty there"):
        start_twin(port=PortKind.PTY, link=link)
    assert link.is_symlink()


def test_a_link_that_a_dead_twin_left_is_taken_over(start_twin: StartTwin, tmp_path: Path) -> None:
    link = tmp_path / "board"
    link.symlink_to("/dev/pts/none")
    assert Path(start_twin(port=PortKind.PTY, link=link).url).exists()


def test_a_taken_tcp_port_is_named(start_twin: StartTwin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf":{number}: somebody listens there already"):
            start_twin(port=PortKind.TCP, number=number)


def test_listening_beyond_this_machine_is_told(start_twin: StartTwin) -> None:
    assert start_twin(port=PortKind.TCP).notes == ()
    (note,) = start_twin(port=PortKind.TCP, bind="0.0.0.0").notes
    assert "unauthenticated" in note


def test_a_client_that_comes_while_the_last_one_leaves_is_taken(start_twin: StartTwin) -> None:
    """Closing and connecting at once, as two commands in a row do; the first still sends."""
    address = peer(start_twin(port=PortKind.TCP))
    for number in range(30):
        with socket.create_connection(address) as first:
            first.sendall(bytes([number]) * 100)
        with socket.create_connection(address, PATIENCE_S) as second:
            second.sendall(b"\xa5")
            while b"\xa5" not in (got := second.recv(4096)):
                assert got, "the connection was closed"
                assert b"another client" not in got
