# SPDX-License-Identifier: Apache-2.0
"""A twin as a process: how it starts, rests, ends, and what it leaves."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from twin_bench import CLOCK_HZ, PATIENCE_S, OpenClient, StartTwin, exchange, stand_in, wait_until

from fw_tools.board import twin_messages as messages
from fw_tools.board.twin import PortKind, TwinOptions, running_twin
from fw_tools.errors import UsageError

# As a program of its own, so that signals reach all of it as they do from a terminal.
PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from twin_bench import CLOCK_HZ, DIVISOR
from fw_tools.board import twin_messages as messages
from fw_tools.board.twin import PortKind, TwinOptions, running_twin
from fw_tools.board.twin_program import TwinDesign

designs = Path({designs!r})
design = TwinDesign(
    name="echo_twin",
    top="echo_twin",
    sources=(designs / "test_uart.sv", designs / "echo_twin.sv"),
    clock_hz=CLOCK_HZ,
    baud_divisor=DIVISOR,
)
with running_twin(design, TwinOptions(port=PortKind.PTY, link=Path({link!r}))) as twin:
    print(twin._process._process.pid, flush=True)
    twin.wait()
"""


def start_program(repository: Path, link: Path) -> tuple[subprocess.Popen[str], int]:
    text = PROGRAM.format(
        tests=str(repository / "tests" / "support"),
        designs=str(repository / "tests" / "twin" / "designs"),
        link=str(link),
    )
    program = subprocess.Popen(
        [sys.executable, "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert program.stdout
    return program, int(program.stdout.readline())


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_whoever_started_it(
    repository: Path, tmp_path: Path, number: signal.Signals
) -> None:
    link = tmp_path / "port"
    program, twin = start_program(repository, link)
    assert is_alive(twin)
    if number is signal.SIGINT:
        os.killpg(program.pid, number)  # As Ctrl-C: all of the group.
    else:
        program.send_signal(number)
    program.wait(PATIENCE_S)
    assert program.stdout
    program.stdout.close()
    wait_until(lambda: not is_alive(twin), "the end of the twin")
    if number is signal.SIGINT:
        assert not link.is_symlink()


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_without_a_client_it_hardly_uses_the_processor_and_an_octet_wakes_it(
    start_twin: StartTwin, open_client: OpenClient
) -> None:
    twin = start_twin(port=PortKind.TCP)
    pid = twin._process._process.pid
    time.sleep(1.5)  # At first it runs, so that its speed can be told.
    before, cycles = processor_s(pid), twin.statistics()["cycles"]
    time.sleep(1.0)
    assert processor_s(pid) - before < 0.3
    assert twin.statistics()["cycles"] > cycles  # It rests, and does not stand still.
    client = open_client(twin)
    assert exchange(client, b"awake") == b"awake"


def test_a_started_twin_is_fast_and_tells_how_fast(start_twin: StartTwin) -> None:
    twin = start_twin(port=PortKind.TCP)
    assert twin.cycles_per_second() > 1e6  # A slow machine under load; benchmarks know more.


def test_waves_begin_at_the_event(
    start_twin: StartTwin, open_client: OpenClient, tmp_path: Path
) -> None:
    waves = tmp_path / "twin.vcd"
    twin = start_twin(port=PortKind.TCP, trace_on="octet", trace_file=waves)
    client = open_client(twin)
    wait_until(lambda: twin.statistics()["cycles"] > CLOCK_HZ // 50, "a while")
    assert not waves.exists() or not waves.stat().st_size
    assert exchange(client, b"U") == b"U"
    wait_until(lambda: twin.statistics()["cycles"] > CLOCK_HZ // 10, "the end of the window")
    text = waves.read_text()
    assert "$scope module echo_twin $end" in text
    assert "uart_rx_i" in text
    times = [int(line[1:]) for line in text.splitlines() if line.startswith("#")]
    assert times[0] > 0
    assert (times[-1] - times[0]) / 2 == pytest.approx(CLOCK_HZ / 100, rel=0.01)


def test_an_unknown_event_is_named(start_twin: StartTwin, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown event; did you mean 'reset'\?"):
        start_twin(trace_on="resett", trace_file=tmp_path / "waves.vcd")


def test_who_waits_for_a_build_is_told_once_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FW_TOOLS_CACHE", str(tmp_path))
    said: list[str] = []
    for _ in range(2):
        with running_twin(stand_in("echo_twin"), TwinOptions(port=PortKind.TCP), said.append):
            pass
    (line,) = said
    assert line.startswith("building the twin of echo_twin: half a minute")


def test_a_reset_whose_two_ends_come_at_once_is_one(
    start_twin: StartTwin, open_client: OpenClient
) -> None:
    """On a busy machine the twin finds both in its queue; a real pulse would have lasted."""
    twin = start_twin(port=PortKind.TCP)
    client = open_client(twin)
    assert exchange(client, b"a") == b"a"
    pulse = messages.reset(True).encode() + messages.reset(False).encode()
    twin._process.socket.sendall(pulse)
    assert client.read(1) == b"!"  # What the design says when it starts.
