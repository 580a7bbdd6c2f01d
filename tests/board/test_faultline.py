# SPDX-License-Identifier: Apache-2.0
"""A line with faults between real ports: our client and a twin, two ends of XMODEM, a command line.

XMODEM's ends are PyPI's `xmodem`, which knows nothing of us: what it recovers from really happened.
"""

import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
import serial
from xmodem import XMODEM

from fw_tools.board import ClientOptions, PayloadClient, load_description
from fw_tools.board.faultline import Faultline, running_faultline
from fw_tools.board.line_engine import DisturbedLine
from fw_tools.board.twin import Twin, TwinOptions, running_twin
from fw_tools.board.twin_design import twin_design
from fw_tools.board.twin_faults import LineCut, LineSchedule, load_line_faults
from fw_tools.board.twin_messages import Direction, LineFaults
from fw_tools.errors import InputError, LinkError, UsageError

BAUD = 115200
TO, FROM = Direction
PERFECT = LineSchedule()
SOME = LineFaults(flip=0.02, drop=0.02, duplicate=0.02, insert=0.02)


@contextmanager
def opened(*urls: str, timeout: float = 5.0) -> Iterator[list[serial.Serial]]:
    ports = [serial.serial_for_url(url, baudrate=BAUD, timeout=timeout) for url in urls]
    try:
        yield ports
    finally:
        for port in ports:
            port.close()


def between(tmp_path: Path, schedule: LineSchedule):
    """Return a line between two ptys, which both have still to be opened."""
    ways = (f"pty:{tmp_path / 'a'}", f"pty:{tmp_path / 'b'}")
    return running_faultline(*ways, schedule, baud=BAUD)


def received(port: serial.Serial, count: int) -> bytes:
    got = bytearray()
    while len(got) < count and (part := port.read(min(4096, count - len(got)))):
        got += part
    return bytes(got)


# --- The line ---


@pytest.mark.parametrize("pieces", [1, 7, 5000])
def test_each_way_carries_what_its_engine_makes_of_it(tmp_path: Path, pieces: int) -> None:
    schedule = LineSchedule(seed=11, faults={TO: SOME, FROM: LineFaults(flip=0.5)})
    sent = os.urandom(20) * 500
    expected = {
        way: b"".join(part.octets for part in DisturbedLine(way, 11, faults).feed(sent))
        for way, faults in schedule.faults.items()
    }
    size = max(len(sent) // pieces, 1)
    with (
        between(tmp_path, schedule) as line,
        opened(line.near.name, line.far.name) as (near, far),
    ):
        for source, sink, way in ((near, far, TO), (far, near, FROM)):
            parts = [sent[at : at + size] for at in range(0, len(sent), size)]
            writer = threading.Thread(target=lambda to=source, all_=parts: [*map(to.write, all_)])
            writer.start()
            assert received(sink, len(expected[way])) == expected[way]
            writer.join()
            assert line.counts[way].octets == len(sent)
            assert line.counts[way].passed == len(expected[way])
        assert (near.in_waiting, far.in_waiting) == (0, 0)


def test_a_stall_delays_and_loses_nothing(tmp_path: Path) -> None:
    schedule = LineSchedule(faults={TO: LineFaults(stall=1, stall_s=0.05)})
    with between(tmp_path, schedule) as line, opened(line.near.name, line.far.name) as (near, far):
        began = time.monotonic()
        near.write(b"0123456789")
        assert received(far, 10) == b"0123456789"
        assert 0.5 <= time.monotonic() - began < 3
        began = time.monotonic()
        far.write(b"x")
        assert near.read(1) == b"x"
        assert time.monotonic() - began < 0.3  # The other way does not wait.


def test_a_cut_is_by_the_clock_and_of_one_wire(tmp_path: Path) -> None:
    schedule = LineSchedule(cuts=(LineCut(direction=TO, from_s=0.0, to_s=1.0),))
    with (
        between(tmp_path, schedule) as line,
        opened(line.near.name, line.far.name, timeout=0.2) as (near, far),
    ):
        near.write(b"lost")
        far.write(b"heard")
        assert received(near, 5) == b"heard"
        assert far.read(4) == b""
        time.sleep(1.0)
        near.write(b"back")
        far.timeout = 5
        assert received(far, 4) == b"back"
        assert (line.counts[TO].cut, line.counts[FROM].cut) == (4, 0)


def test_who_does_not_read_holds_the_sender_up_and_the_memory_bounded(tmp_path: Path) -> None:
    schedule = LineSchedule(faults={TO: LineFaults(stall=1, stall_s=60)})
    with between(tmp_path, schedule) as line, opened(line.near.name) as (near,):
        near.write_timeout = 1.0
        with pytest.raises(serial.SerialTimeoutException):
            near.write(bytes(400_000))
        assert line.counts[TO].octets <= 65536


def test_a_side_that_goes_away_ends_the_line_and_says_which() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"socket://127.0.0.1:{listener.getsockname()[1]}"
        with running_faultline("tcp:0", url, PERFECT, baud=BAUD) as line:
            listener.accept()[0].close()
            with pytest.raises(LinkError, match=f"{url}: went away"):
                line.wait()


# --- Our client and a twin ---


@pytest.fixture(scope="module")
def breaker() -> Iterator[Twin]:
    examples = Path(__file__).resolve().parents[2] / "examples"
    design = twin_design(examples / "breaker_mini" / "payload.toml")
    with running_twin(design, TwinOptions()) as twin:
        yield twin


@contextmanager
def client_through(twin: Twin, schedule: LineSchedule) -> Iterator[tuple[Faultline, PayloadClient]]:
    assert twin.design.link is not None
    description = load_description(twin.design.link)
    options = ClientOptions(timeout_s=0.3, tries=20)
    with (
        running_faultline("tcp:0", twin.url, schedule, baud=BAUD) as line,
        PayloadClient.open(line.near.name, description, options=options) as client,
    ):
        yield line, client


@pytest.mark.parametrize("way", list(Direction))
@pytest.mark.parametrize("kind", ["flip", "drop", "duplicate", "insert", "stall", "cut"])
def test_every_exchange_with_a_twin_ends_done_or_as_a_link_error(
    breaker: Twin, way: Direction, kind: str
) -> None:
    stall = {"stall_s": 0.002} if kind == "stall" else {}
    faults = {} if kind == "cut" else {way: LineFaults(**{kind: 0.02}, **stall)}
    cuts = (LineCut(direction=way, from_s=0.2, to_s=0.6),) if kind == "cut" else ()
    schedule = LineSchedule(seed=3, faults=faults, cuts=cuts)
    done = failed = 0
    with client_through(breaker, schedule) as (line, client):
        started = time.monotonic()
        while done + failed < 20 or time.monotonic() - started < 0.7:
            try:
                assert client.get("magic") == 0x46575450
                done += 1
            except LinkError:
                failed += 1
        counted = line.counts[way]
    name = {"cut": "cut"}.get(kind, f"{kind}s")
    assert getattr(counted, name) > 0
    assert done >= 19 >= failed


# --- A peer that is not ours ---


def xmodem_end(port: serial.Serial, patience_s: float) -> XMODEM:
    def get(size: int, timeout: float = 1) -> bytes | None:
        port.timeout = min(timeout, patience_s)
        return port.read(size) or None

    return XMODEM(get, lambda octets, timeout=1: port.write(octets), mode="xmodem")


@pytest.mark.parametrize("kind", ["flip", "drop", "duplicate", "insert", "stall"])
def test_xmodem_recovers_a_file_from_a_line_with_faults(tmp_path: Path, kind: str) -> None:
    image = bytes(range(256)) * 32
    stall = {"stall_s": 0.01} if kind == "stall" else {}
    faults = LineFaults(**{kind: 0.001}, **stall)
    schedule = LineSchedule(seed=5, faults={TO: faults})
    got = io.BytesIO()
    with between(tmp_path, schedule) as line, opened(line.near.name, line.far.name) as (near, far):
        results: list[object] = []
        sender = threading.Thread(
            target=lambda: results.append(xmodem_end(near, 5.0).send(io.BytesIO(image), retry=50))
        )
        sender.start()
        size = xmodem_end(far, 0.1).recv(got, crc_mode=1, retry=50, timeout=1, delay=0)
        sender.join()
        assert results == [True]
        assert getattr(line.counts[TO], f"{kind}s") > 5
    assert size == len(image)
    assert got.getvalue() == image


# --- What a user sees ---


def faults_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "faults.toml"
    path.write_text(dedent(text))
    return path


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fw_tools", "faultline", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_schedule_of_a_line_is_read_as_that_of_a_twin(tmp_path: Path) -> None:
    path = faults_file(
        tmp_path,
        """\
        seed = 9
        [to_payload]
        flip = 0.25
        stall = 0.5
        stall_for = "3ms"
        [[event]]
        at = "1500ms"
        do = "cut"
        line = "from_payload"
        for = "2s"
        """,
    )
    schedule = load_line_faults(path)
    assert schedule == LineSchedule(
        seed=9,
        faults={TO: LineFaults(flip=0.25, stall=0.5, stall_s=0.003)},
        cuts=(LineCut(direction=FROM, from_s=1.5, to_s=3.5),),
    )
    assert [schedule.is_cut(FROM, at_s) for at_s in (1.49, 1.5, 3.49, 3.5)] == [0, 1, 1, 0]
    assert not schedule.is_cut(TO, 2.0)


def test_what_only_a_twin_can_do_is_told_with_its_line(tmp_path: Path) -> None:
    path = faults_file(
        tmp_path,
        """\
        [[event]]
        at = "1ms"
        do = "upset"
        path = "u_core.state_q"
        bit = 1
        [[event]]
        at = "1ms"
        do = "brown_out"
        for = "1ms"
        [[event]]
        at = "1ms"
        do = "cut"
        line = "to_payloud"
        for = "1ms"
        [[event]]
        at = "1ms"
        do = "power_loss"
        for = "1ms"
        """,
    )
    with pytest.raises(InputError) as raised:
        load_line_faults(path)
    hint = "needs a twin (fw-tools twin --faults); a line can be 'cut' alone"
    assert str(raised.value).splitlines() == [
        f"{path}:3: event 1: 'upset' {hint}",
        f"{path}:8: event 2: 'brown_out' {hint}",
        f"{path}:13: event 3: unknown line 'to_payloud'; did you mean 'to_payload'?",
        f"{path}:17: event 4: 'power_loss' {hint}",
    ]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_where_it_listens_and_what_it_did(tmp_path: Path, stop: int) -> None:
    path = faults_file(
        tmp_path, "seed = 3\n[to_payload]\ndrop = 1\n[from_payload]\nduplicate = 1\n"
    )
    link = tmp_path / "board"
    command = [sys.executable, "-m", "fw_tools", "faultline", f"pty:{link}", "tcp:0"]
    process = subprocess.Popen(
        [*command, "--faults", str(path), "--seed", "4", "--bind", "0.0.0.0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        assert process.stdout.readline() == f"A: listening on {link}\n"
        found = re.fullmatch(r"B: listening on (socket://\S+)\n", process.stdout.readline())
        assert found
        assert "0.0.0.0: the link is unauthenticated" in process.stdout.readline()
        assert process.stdout.readline() == "seed 4; Ctrl-C ends\n"
        with opened(str(link), found[1]) as (near, far):
            near.write(b"12345")
            far.write(b"abc")
            assert received(near, 6) == b"aabbcc"
            far.timeout = 0.3
            assert far.read(1) == b""
        process.send_signal(stop)
        out, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in errors
    rows = [line.split() for line in out.splitlines()]
    assert rows[1:] == [
        ["A", "to", "B", "5", "0", "0", "5", "0", "0", "0", "0"],
        ["B", "to", "A", "3", "6", "0", "0", "3", "0", "0", "0"],
    ]
    assert not link.is_symlink()


@pytest.mark.parametrize(
    ("near", "far", "options", "code", "said"),
    [
        ("tcp:99999", "tcp:0", (), 2, "tcp:99999: expected tcp:PORT with a port of 0..65535"),
        ("tcp:x", "tcp:0", (), 2, "tcp:x: expected tcp:PORT"),
        ("pty:", "tcp:0", (), 2, "pty:: expected pty:PATH"),
        ("nonsense://x", "tcp:0", (), 2, "nonsense://x: no URL that pyserial knows"),
        ("socket://127.0.0.1:1", "tcp:0", (), 7, "is the other side running?"),
        ("pty:{tmp}/a", "pty:{tmp}/a", (), 3, "another process serves a pty there"),
        ("pty:{tmp}/notes.txt", "tcp:0", (), 3, "exists and is no link of ours"),
        ("pty:{tmp}/notes.txt/a", "tcp:0", (), 3, "no pty can be linked there"),
        ("pty:{tmp}/a", "pty:{tmp}/b", ("--bind", "0.0.0.0"), 2, "--bind is for a side that"),
    ],
)
def test_a_side_that_cannot_be_used_is_told(
    tmp_path: Path, near: str, far: str, options: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    path = faults_file(tmp_path, "seed = 1\n")
    urls = (url.format(tmp=tmp_path) for url in (near, far))
    done = run(*urls, "--faults", str(path), *options)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_absent_file_of_faults_is_told(tmp_path: Path) -> None:
    done = run("tcp:0", "tcp:0", "--faults", str(tmp_path / "none.toml"))
    assert done.returncode == 3
    assert "none.toml" in done.stderr


def test_nothing_of_a_pty_is_imported_before_one_is_wanted() -> None:
    """A system without termios can still stand between two ports; pyserial has its own there."""
    for module in ("fw_tools.board.faultline", "fw_tools.cli.faultline"):
        code = f"import sys, {module}; sys.exit('fw_tools.board.twin_pty' in sys.modules)"
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_bind_without_a_side_that_listens_is_a_mistake() -> None:
    with (
        pytest.raises(UsageError, match="--bind"),
        running_faultline("pty:a", "pty:b", PERFECT, baud=BAUD, bind="0.0.0.0"),
    ):
        pass
