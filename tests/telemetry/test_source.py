# SPDX-License-Identifier: Apache-2.0
"""Sources: real files, pipes, sockets and pseudo-terminals."""

import errno
import io
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
import tty
from contextlib import suppress

import pytest
import serial
from serial import rfc2217

from telemetry.common.exit_codes import ExitCode
from telemetry.common.interrupt import interrupts_end_input
from telemetry.errors import InputError, LinkError, UsageError
from telemetry.ops.source import CHUNK_OCTETS, Ending, Source, is_live_name, open_source

OCTETS = bytes(range(256)) * 40


def drain(dump, **options):
    with open_source(dump, **options) as source:
        octets = b"".join(source.chunks())
    return octets, source


@pytest.fixture
def server():
    """A real server on the loopback: it sends what `serve` is given, then closes."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def serve(*pieces: bytes, gap_s: float = 0) -> str:
        def run() -> None:
            link, _ = listener.accept()
            with link:
                for piece in pieces:
                    link.sendall(piece)
                    time.sleep(gap_s)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return f"socket://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    for thread in threads:
        thread.join(10)
    listener.close()


@pytest.fixture
def terminal():
    """A pseudo-terminal in raw mode: the far end's descriptor, and the device to read from."""
    far, near = pty.openpty()
    tty.setraw(near)
    name = os.ttyname(near)
    yield far, name
    for descriptor in (far, near):
        with suppress(OSError):  # A test may have closed it.
            os.close(descriptor)


# --- Files, octets, streams -----------------------------------------------------------------------


def test_a_file_comes_in_bounded_chunks_and_its_size_is_known(tmp_path):
    path = tmp_path / "dump"
    path.write_bytes(bytes(2 * CHUNK_OCTETS + 1))
    with open_source(path) as source:
        assert [len(chunk) for chunk in source.chunks()] == [CHUNK_OCTETS, CHUNK_OCTETS, 1]
    assert (source.octets, source.is_live, source.ending) == (2 * CHUNK_OCTETS + 1, False, "end")
    assert source.exit_code is ExitCode.DONE


def test_octets_and_streams_are_sources_too():
    assert drain(OCTETS)[0] == OCTETS
    assert drain(io.BytesIO(OCTETS))[0] == OCTETS
    assert drain(io.BufferedReader(io.BytesIO(OCTETS)))[0] == OCTETS


def test_a_named_pipe_is_read_until_its_writer_closes_it(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(OCTETS,))
    writer.start()
    octets, source = drain(path)
    writer.join(10)
    assert octets == OCTETS
    assert source.octets is None


def test_null_is_an_empty_file_and_no_serial_port():
    octets, source = drain("/dev/null")
    assert (octets, source.is_live) == (b"", False)


@pytest.mark.parametrize(
    ("dump", "error", "words"),
    [
        ("/nowhere/dump", InputError, "no such file; expected a dump file"),
        ("/", InputError, "this is a folder; expected a dump file"),
        ("/dev/ttyUSB987", LinkError, "no such device; is it plugged in?"),
        ("socket://localhost", UsageError, "expected socket://HOST:PORT"),
        ("socket://localhost:0", UsageError, "expected socket://HOST:PORT"),
        ("socket://localhost:65536", UsageError, "expected socket://HOST:PORT"),
        ("http://localhost:80", UsageError, "expected one of socket://, rfc2217://"),
        ("loop://?rate=1", UsageError, "no URL that pyserial knows"),
        ("rfc2217://localhost?timeout=3", UsageError, "expected rfc2217://HOST:PORT"),
        ("spy:///dev/ttyUSB987", LinkError, "no such device; is it plugged in?"),
    ],
)
def test_what_cannot_be_opened_is_told_with_what_would_be_right(dump, error, words):
    with pytest.raises(error) as caught:
        drain(dump)
    assert words in str(caught.value)
    assert dump in str(caught.value)


def test_a_closed_port_is_a_link_error():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(LinkError, match="refused; is the other side running") as caught:
        drain(f"socket://127.0.0.1:{port}")
    assert caught.value.exit_code == 7


def test_a_file_that_breaks_keeps_what_came_before():
    class Broken(io.RawIOBase):
        has_more = True

        def read(self, size=-1):
            if self.has_more:
                self.has_more = False
                return b"abc"
            raise OSError(errno.EIO, "Input/output error")

    octets, source = drain(Broken())
    assert octets == b"abc"
    assert (source.ending, source.exit_code) == (Ending.BROKEN, ExitCode.INPUT)
    assert source.problem == "dump: Input/output error"


@pytest.mark.parametrize(
    ("dump", "is_live"),
    [("-", False), ("dump.bin", False), ("socket://a:1", True), ("/dev/null", False)],
)
def test_a_link_is_known_by_its_name(dump, is_live):
    assert is_live_name(dump) is is_live


# --- Sockets and serial ports ---------------------------------------------------------------------


def test_a_socket_is_read_to_its_last_octet(server):
    octets, source = drain(server(OCTETS, b"tail", gap_s=0.05))
    assert octets == OCTETS + b"tail"
    assert (source.is_live, source.ending, source.octets) == (True, Ending.END, None)


def test_chunks_of_a_link_come_before_it_ends(server):
    with open_source(server(b"first", b"second", gap_s=0.4)) as source:
        chunks = source.chunks()
        assert next(chunks) == b"first"
        assert b"".join(chunks) == b"second"


def test_a_serial_port_is_read_until_it_goes_away(terminal):
    far, device = terminal
    assert is_live_name(device)
    with open_source(device, baudrate=9600) as source:
        os.write(far, OCTETS[:2000])
        octets = b""
        for chunk in source.chunks():
            octets += chunk
            if len(octets) == 2000:
                os.close(far)
    assert octets == OCTETS[:2000]
    assert (source.ending, source.exit_code) == (Ending.BROKEN, ExitCode.LINK)
    assert source.problem.startswith(f"{device}: ")


class _Write:
    """What pyserial's server of RFC 2217 writes its answers to."""

    def __init__(self, link: socket.socket) -> None:
        self.write = link.sendall


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # By pyserial.
def test_a_serial_port_behind_rfc2217_is_read():
    listener = socket.create_server(("127.0.0.1", 0))
    is_read = threading.Event()

    def serve() -> None:
        link, _ = listener.accept()
        with link, serial.serial_for_url("loop://") as port:
            manager = rfc2217.PortManager(port, _Write(link))
            link.settimeout(0.3)
            with suppress(TimeoutError):  # The client says how it wants the port.
                while octets := link.recv(1024):
                    list(manager.filter(octets))
            link.sendall(b"".join(manager.escape(OCTETS)))
            is_read.wait(10)

    thread = threading.Thread(target=serve)
    thread.start()
    found = b""
    with open_source(f"rfc2217://127.0.0.1:{listener.getsockname()[1]}") as source:
        for chunk in source.chunks():
            found += chunk
            source.is_stopped = len(found) >= len(OCTETS)
    is_read.set()
    thread.join(10)
    listener.close()
    assert found == OCTETS


def test_a_serial_port_in_use_is_told(terminal):
    _, device = terminal
    with open_source(device), pytest.raises(LinkError, match="another program has it open"):
        drain(device)


def test_a_link_can_be_stopped_while_nothing_comes(terminal):
    _, device = terminal
    with open_source(device) as source:
        threading.Timer(0.1, lambda: setattr(source, "is_stopped", True)).start()
        assert list(source.chunks()) == []
    assert source.ending is Ending.INTERRUPTED


# --- Ctrl-C and standard input, in a process of its own -------------------------------------------

PROGRAM = """
import sys
from telemetry.common.interrupt import interrupts_end_input
from telemetry.ops.source import open_source
with interrupts_end_input(), open_source(sys.argv[1]) as source:
    for chunk in source.chunks():
        print(len(chunk), flush=True)
print(source.name, source.ending.value, flush=True)
sys.exit(source.exit_code)
"""


def start(dump: str, **options) -> subprocess.Popen:
    command = [sys.executable, "-c", PROGRAM, dump]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)


def test_standard_input_is_read_as_it_comes():
    process = start("-", stdin=subprocess.PIPE)
    process.stdin.buffer.write(b"12345")
    process.stdin.flush()
    assert process.stdout.readline() == "5\n"
    out, _ = process.communicate(timeout=20)
    assert out == "standard input end\n"
    assert process.returncode == 0


def test_the_first_ctrl_c_ends_the_chunks_in_good_order():
    process = start("-", stdin=subprocess.PIPE)
    process.stdin.buffer.write(b"12345")
    process.stdin.flush()
    assert process.stdout.readline() == "5\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "standard input interrupted\n"
    process.stdin.close()
    assert process.wait(20) == ExitCode.INTERRUPTED
    process.stdout.close()


def test_a_terminal_as_standard_input_is_refused(terminal):
    _, device = terminal
    descriptor = os.open(device, os.O_RDWR | os.O_NOCTTY)
    process = start("-", stdin=descriptor, stderr=subprocess.PIPE)
    _, message = process.communicate(timeout=20)
    os.close(descriptor)
    assert "standard input is a terminal; pipe a dump into this command" in message


def test_a_second_ctrl_c_raises_and_the_handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    with interrupts_end_input(), open_source(b"") as source:
        signal.raise_signal(signal.SIGINT)
        assert source.is_stopped
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_ctrl_c_stays_as_it_is():
    found: list[Source] = []
    thread = threading.Thread(target=lambda: found.append(drain(OCTETS)[1]))
    thread.start()
    thread.join(10)
    assert found[0].ending is Ending.END
