# SPDX-License-Identifier: Apache-2.0
"""The commands that talk to a payload, as processes, against the reference payload on a pty."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from reference_payload import BUFFER, RAIL_TRIPPED, write_link
from served_payload import PtyServed, TcpServed

FW_TOOLS = Path(sys.executable).with_name("fw-tools")


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyServed]:
    write_link(tmp_path)
    with PtyServed(tmp_path) as served:
        yield served


def run(
    board: PtyServed | TcpServed, folder: Path, *arguments: str, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    options = ("--board", str(folder / "link.json"), "--port", board.url)
    return subprocess.run(
        [FW_TOOLS, *arguments, *options],
        capture_output=True,
        text=True,
        check=False,
        input=given,
        timeout=30,
    )


def test_ping_says_that_the_payload_is_alive(board, tmp_path) -> None:
    done = run(board, tmp_path, "ping")
    assert re.fullmatch(r"reference: alive, [0-9.]+ ms, its time [0-9.]+ s\n", done.stdout), (
        done.stderr
    )
    assert done.returncode == 0


def test_registers_are_shown_and_set(board, tmp_path) -> None:
    done = run(board, tmp_path, "set", "control.power_up=on", "limit=0x10")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert board.payload.registers.read(4) == 0x66
    done = run(board, tmp_path, "get", "control", "control.power_up", "limit.value")
    assert done.stdout.splitlines() == [
        "control           0x00000066  power_up=on (0x6), scrub_enable=on (0x6)",
        "control.power_up  on (0x6)",
        "limit.value       16 (0x10)",
    ]
    everything = run(board, tmp_path, "get").stdout
    assert [line.split()[0] for line in everything.splitlines()] == ["magic", "control", "limit"]


def test_a_memory_is_dumped_to_the_screen_and_to_a_file(board, tmp_path) -> None:
    content = bytes(range(256)) * 32
    board.payload.memories[BUFFER].content[:] = content
    done = run(board, tmp_path, "dump", "buffer", "-a", "0x20", "-n", "20")
    assert done.stdout.splitlines() == [
        "00000020  20 21 22 23 24 25 26 27 28 29 2a 2b 2c 2d 2e 2f",
        "00000030  30 31 32 33",
    ]
    path = tmp_path / "buffer.bin"
    done = run(board, tmp_path, "dump", "buffer", "-o", str(path))
    assert (done.returncode, path.read_bytes()) == (0, content)


def test_kept_events_are_shown(board, tmp_path) -> None:
    board.payload.machine.event(RAIL_TRIPPED, 0xBEEF)
    done = run(board, tmp_path, "events")
    assert re.fullmatch(r" +[0-9.]+  high    rail_tripped  0xbeef\n", done.stdout), done.stderr


def test_monitor_decodes_housekeeping_by_a_definition_that_the_user_names(board, tmp_path) -> None:
    definition = tmp_path / "telemetry.py"
    definition.write_text(
        "from construct import Bytes, Int16ub, Int32ub, Struct\n"
        "HK = Struct('header' / Bytes(14), 'structure_id' / Int16ub, 'control' / Int32ub,\n"
        "    'packet_error_control' / Int16ub)\n"
        "PACKETS = {66: HK}\n"
    )
    run(board, tmp_path, "shell", given="housekeeping 0.05\nhousekeeping on\n")
    plain = run(board, tmp_path, "monitor", "--seconds", "0.5").stdout.splitlines()
    assert len(plain) > 3
    assert plain[-1].endswith("TM[3,25]   structure 1: 00000069")
    decoded = run(
        board, tmp_path, "monitor", "--seconds", "0.5", "--definition", f"{definition}:PACKETS"
    )
    assert decoded.stdout.splitlines()[-1].endswith("TM[3,25]   control=105")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("get", "controll"), 2, "did you mean 'control'?"),
        (("set", "control.power_up"), 2, "expected NAME=VALUE"),
        (("set", "magic=1"), 2, "magic: can only be read; to be set there are: control, command"),
        (("dump", "buffer", "-a", "0x1fff", "-n", "2"), 7, "reaches past the end"),
        (("set", "control=0x1ff"), 2, "control: 0x1ff has bits of no field; it has 0xff"),
        (("set", "control=0x68"), 2, "control.power_up: 8 is none of its values: off (0x9)"),
        (("dump", "buffer", "-a", "ten"), 2, "'ten' is no whole number"),
        (("dump", "buffer", "-a", "-4"), 2, "address -0x4; expected 0 to 0xffffffff"),
        (("dump", "buffer", "-a", "0x100000000", "-n", "4"), 2, "address 0x100000000; expected"),
        (("monitor", "--seconds", "0.1", "--definition", "none.py:X"), 3, "none.py"),
    ],
)
def test_a_mistake_ends_with_its_exit_code_and_without_a_traceback(
    board, tmp_path, arguments, code, message
) -> None:
    done = run(board, tmp_path, *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no JSON"),
        ("[]", "no object"),
        ('{"format": 2}', "format 2; this client reads format 1"),
        ('{"format": 1}', "key 'payload' is missing"),
        ('{"format": 1, "payload": 5}', "'payload' is no text"),
    ],
)
def test_a_description_that_cannot_be_used_is_told(board, tmp_path, content, message) -> None:
    (tmp_path / "link.json").write_text(content)
    done = run(board, tmp_path, "ping")
    assert done.returncode == 3
    assert message in done.stderr
    assert "link.json" in done.stderr


@pytest.mark.parametrize(
    ("board_named", "code", "message"),
    [
        ("nothing", 2, "no such board, and no folder with a board.toml; known here: twin, "),
        ("ulx3", 2, "did you mean 'ulx3s'?"),
        ("mcuboot", 2, "it is for any payload; give link.json of yours"),
        ("link.json", 2, "give --port URL too"),
        ("none.toml", 3, "cannot be read"),
    ],
)
def test_a_board_that_is_none_is_told(tmp_path, board_named, code, message) -> None:
    write_link(tmp_path)
    done = subprocess.run(
        [FW_TOOLS, "ping", "--board", board_named],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert message in done.stderr


def test_a_twin_of_no_description_is_told(tmp_path) -> None:
    done = subprocess.run(
        [FW_TOOLS, "ping", "--board", "twin"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "payload.toml: cannot be read" in done.stderr


def test_a_board_file_says_all_that_is_needed(board, tmp_path) -> None:
    (tmp_path / "board.toml").write_text(
        f'[board]\nname = "bench"\nurl = "{board.url}"\nlink = "link.json"\n'
    )
    for named in (tmp_path, tmp_path / "board.toml"):
        done = subprocess.run(
            [FW_TOOLS, "ping", "--board", named], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_the_shell_takes_lines_from_a_pipe_up_to_the_first_that_fails(board, tmp_path) -> None:
    content = tmp_path / "content.bin"
    content.write_bytes(bytes(range(64)))
    done = run(
        board,
        tmp_path,
        "shell",
        given="# A comment.\n\nset control.power_up=on\nget control.power_up\n"
        f"load buffer 0x10 {content}\n"
        "dump buffer 0x10 4\nperform power_up\ntime 1000\nevents\nhelp\npin\nperform power_down\n",
    )
    assert done.returncode == 2
    assert done.stderr == "no command 'pin'; did you mean 'ping'?\n"
    for told in ("control.power_up  on (0x6)", "00000010  00 01 02 03", "1000.0"):
        assert told in done.stdout
    assert board.payload.memories[BUFFER].content[0x10:0x50] == content.read_bytes()
    assert (board.payload.called[1], board.payload.called[2]) == (1, 0)


def test_the_shell_on_a_terminal_completes_remembers_and_shows_reports(board, tmp_path) -> None:
    process, terminal = pty.fork()
    if process == 0:
        os.environ |= {"XDG_STATE_HOME": str(tmp_path / "state"), "TERM": "xterm"}
        link = str(tmp_path / "link.json")
        os.execv(FW_TOOLS, [str(FW_TOOLS), "shell", "--board", link, "--port", board.url])
    screen = Screen(terminal)
    screen.wait_for("reference>")
    screen.type("get control.pow\t")
    screen.wait_for("er_up")  # What is new on the line.
    screen.type("\r")
    screen.wait_for("control.power_up  off (0x9)")
    board.event(RAIL_TRIPPED, 0xBEEF)
    screen.wait_for("high: rail_tripped  0xbeef")
    screen.type("get limitt\r")
    screen.wait_for("did you mean 'limit'?")
    screen.type("ping\r")
    screen.wait_for("reference: alive")
    screen.type("help\r")
    screen.wait_for("End; as do exit and Ctrl-D.")
    screen.type("quit\r")
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    os.close(terminal)
    history = (tmp_path / "state" / "fw-tools" / "shell_history").read_text()
    assert "+get control.power_up\n" in history
    assert "+ping\n" in history


class Screen:
    """A terminal that somebody types at and looks at."""

    def __init__(self, terminal: int) -> None:
        self.terminal, self.seen = terminal, ""

    def type(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + 15
        while text not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen):
            assert time.monotonic() < deadline, self.seen
            if select.select([self.terminal], [], [], 0.1)[0]:
                self.seen += os.read(self.terminal, 65536).decode()
                if "\x1b[6n" in self.seen:  # prompt_toolkit asks where the cursor is.
                    self.seen = self.seen.replace("\x1b[6n", "")
                    os.write(self.terminal, b"\x1b[1;1R")
