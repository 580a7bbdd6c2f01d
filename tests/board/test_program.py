# SPDX-License-Identifier: Apache-2.0
"""[program]: vendors' programmers as processes; the real ones, and plain ones that go wrong."""

import os
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fw_tools.board.board import WiredBoard
from fw_tools.board.capability import Capability, MissingCapabilityError
from fw_tools.board.finding import find_board
from fw_tools.board.program import ProgramError, fill_in, run_program
from fw_tools.cli.main import fw_tools
from fw_tools.errors import ExitCode, InputError, LinkError, MissingToolError, UsageError
from fw_tools.spec.board import BoardSpec
from fw_tools.spec.board_program import ProgramHint, ProgramSpec
from telemetry.common.command import run as command_line


@pytest.fixture
def silent_port() -> Iterator[str]:
    """Return a serial port at which nobody answers."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "firmware.bin"
    path.write_bytes(bytes(range(256)) * 16)
    return path


def python(script: str, **options: object) -> ProgramSpec:
    """Return a programmer that is a script of Python; its words are the image's."""
    values = {"command": (sys.executable, "-c", script, "{image}"), "timeout_s": 20.0} | options
    return ProgramSpec(**values)  # type: ignore[arg-type]


def run(spec: ProgramSpec, image: Path, **words: str | None) -> list[str]:
    told: list[str] = []
    run_program(spec, "b", {"image": str(image), "port": None, "serial": None} | words, told.append)
    return told


def test_the_command_is_shown_and_each_line_of_its_output_as_it_comes(image: Path) -> None:
    script = "import sys; print(sys.argv[1]); print('1 %\\r2 %\\r\\x1b[32mdone\\x1b[0m')"
    command, *told = run(python(script), image)
    assert command.endswith(str(image))
    assert told == [str(image), "1 %", "2 %", "done"]


def test_no_shell_takes_a_word_apart(image: Path) -> None:
    spec = ProgramSpec(
        command=(sys.executable, "-c", "import sys; print(sys.argv[1:])", "{image}", "$(id);*"),
        timeout_s=20,
    )
    assert run(spec, image)[-1] == repr([str(image), "$(id);*"])


def test_words_that_name_what_is_not_known_are_left_out_or_asked_for() -> None:
    spec = ProgramSpec(
        command=("p", ("--serial", "{serial}"), "{image}", ("-{{x}}", "{port}")), timeout_s=1
    )
    words = {"image": "i", "port": "COM3", "serial": None}
    assert fill_in(spec, "b", words) == ["p", "i", "-{x}", "COM3"]
    assert fill_in(spec, "b", words | {"serial": "7"}) == [
        "p",
        "--serial",
        "7",
        "i",
        "-{x}",
        "COM3",
    ]
    needy = ProgramSpec(command=("p", "--ser={serial}", "{image}"), timeout_s=1)
    with pytest.raises(UsageError, match=r"p needs --ser=\{serial\}; give --serial NUMBER"):
        fill_in(needy, "b", words)


def test_a_failure_is_one_of_the_link_unless_its_output_says_more(image: Path) -> None:
    script = "import sys; print('first'); print('flash differs at 0x40'); sys.exit(9)"
    with pytest.raises(ProgramError) as raised:
        run(python(script), image)
    assert raised.value.exit_code is ExitCode.LINK
    assert "exit code 9" in str(raised.value)
    assert "flash differs at 0x40" in str(raised.value)
    hint = ProgramHint("flash differs", "the flash may be worn", 4)
    with pytest.raises(ProgramError, match="the flash may be worn") as raised:
        run(python(script, hints=(hint,)), image)
    assert raised.value.exit_code is ExitCode.VERIFICATION


def test_a_programmer_that_a_signal_ends_is_told(image: Path) -> None:
    with pytest.raises(ProgramError, match="ended by signal 9"):
        run(python("import os; os.kill(os.getpid(), 9)"), image)


def test_one_that_takes_too_long_is_ended_with_what_it_started(image: Path, tmp_path: Path) -> None:
    child = f"import time, pathlib; time.sleep(4); pathlib.Path({str(tmp_path / 'late')!r}).touch()"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    started = time.monotonic()
    with pytest.raises(LinkError, match=r"not done after 0\.5 s, and ended"):
        run(python(script, timeout_s=0.5), image)
    assert time.monotonic() - started < 3
    time.sleep(max(0.0, 5 - (time.monotonic() - started)))
    assert not (tmp_path / "late").exists()


def test_ctrl_c_ends_the_programmer(image: Path, tmp_path: Path) -> None:
    """In a process of its own, which gets the signal as from a terminal."""
    script = "import os, time, sys; print(os.getpid()); sys.stdout.flush(); time.sleep(60)"
    ours = (
        "from fw_tools.board.program import run_program\n"
        "from fw_tools.spec.board_program import ProgramSpec\n"
        f"spec = ProgramSpec(command=({sys.executable!r}, '-c', {script!r}, '{{image}}'),"
        " timeout_s=50)\n"
        f"words = {{'image': {str(image)!r}}}\n"
        "run_program(spec, 'b', words, lambda line: print(line, flush=True))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", ours], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        number = int(process.stdout.readline())
        process.send_signal(2)
        assert process.wait(10) != 0
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (None, "firmware.bin", "cannot be read: No such file"),
        (b"", "firmware.bin", "is empty"),
        (b"text", "firmware.txt", r"takes files that end in \.bin, \.hex"),
    ],
)
def test_an_image_that_is_none_is_refused_before_anything_runs(
    tmp_path: Path, content: bytes | None, name: str, told: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    spec = python(f"open({str(tmp_path / 'ran')!r}, 'w')", images=(".bin", ".hex"))
    with pytest.raises(InputError, match=told):
        run(spec, path)
    assert not (tmp_path / "ran").exists()


def test_a_programmer_that_is_not_installed_is_told(image: Path) -> None:
    spec = ProgramSpec(command=("no-such-flasher", "{image}"), timeout_s=1)
    with pytest.raises(MissingToolError, match="no-such-flasher: no such program"):
        run(spec, image)


def test_esptool_on_a_silent_port_ends_with_our_hint(silent_port: str, image: Path) -> None:
    told: list[str] = []
    with (
        WiredBoard(find_board("esp32"), None, silent_port) as board,
        pytest.raises(ProgramError, match="hold BOOT, press RESET") as raised,
    ):
        board.program(image, told.append)
    assert raised.value.exit_code is ExitCode.LINK
    assert any("esptool v" in line for line in told)


@pytest.mark.stm32flash
def test_stm32flash_on_a_silent_port_ends_with_our_hint(silent_port: str, image: Path) -> None:
    """A pty has no parity; stm32flash says so."""
    with (
        WiredBoard(find_board("stm32"), None, silent_port) as board,
        pytest.raises(ProgramError, match="a pty knows no parity") as raised,
    ):
        board.program(image)
    assert raised.value.exit_code is ExitCode.LINK


@pytest.mark.stm32flash
def test_stm32flash_without_an_answer_ends_with_our_hint(silent_port: str, image: Path) -> None:
    spec = find_board("stm32")
    assert spec.program
    first, *others = spec.program.command
    program = replace(spec.program, command=(first, "-m", "8n1", *others))
    with (
        WiredBoard(replace(spec, program=program), None, silent_port) as board,
        pytest.raises(ProgramError, match="set BOOT0 high and reset the board"),
    ):
        board.program(image)


def test_a_board_without_a_programmer_says_what_would_give_one(image: Path) -> None:
    board = WiredBoard(BoardSpec(name="b"), None, None)
    with pytest.raises(MissingCapabilityError, match=r"has no program: a table \[program\]"):
        board.program(image)
    with pytest.raises(MissingCapabilityError, match="has no bitstream") as raised:
        board.load_bitstream(image)
    assert raised.value.capability is Capability.BITSTREAM


def test_a_bitstream_is_loaded_by_the_command_of_a_board_with_an_fpga(image: Path) -> None:
    script = "import sys; print('loaded', sys.argv[1])"
    spec = replace(find_board("ulx3s"), program=python(script))
    board = WiredBoard(spec, None, None)
    assert Capability.BITSTREAM in board.capabilities
    told: list[str] = []
    board.load_bitstream(image, told.append)
    assert told[-1] == f"loaded {image}"


def test_flash_runs_a_boards_programmer_under_the_look_of_every_way(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = "import sys; print('Writing at 0x0 (50 %)'); print('ok'); open(sys.argv[2], 'w')"
    command = [sys.executable, "-c", script, "{image}", str(tmp_path / "ran")]
    file = tmp_path / "board.toml"
    file.write_text(f'[board]\nname = "b"\n[program]\ncommand = {command}\n')
    flash = ("flash", str(image), "--board", str(file))
    assert command_line(fw_tools, "fw-tools", (*flash, "--dry-run")) == ExitCode.DONE
    told = capsys.readouterr().out
    assert f"writes 4,096 octets of {image.name}" in told
    assert f"{image} {tmp_path}/ran" in told
    assert not (tmp_path / "ran").exists()
    assert command_line(fw_tools, "fw-tools", flash) == ExitCode.DONE
    told = capsys.readouterr()
    assert (tmp_path / "ran").exists()
    assert "written    4,096 octets in " in told.out
    assert "  ok\n" in told.err
    assert command_line(fw_tools, "fw-tools", (*flash, "--slot", "1")) == ExitCode.USAGE


@pytest.mark.parametrize(("held", "code"), [(True, ExitCode.DONE), (False, ExitCode.VERIFICATION)])
def test_a_board_is_compared_by_the_programmer_where_it_can(
    image: Path, tmp_path: Path, held: bool, code: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    chip, file = tmp_path / "chip", tmp_path / "board.toml"
    chip.write_bytes(image.read_bytes() if held else b"other")
    verify = ["cmp", "{image}", str(chip)]
    file.write_text(
        f'[board]\nname = "b"\n[program]\ncommand = ["false", "{{image}}"]\nverify = {verify}\n'
        '[[program.hint]]\ntext = "differ"\nsay = "its flash holds something else"\nexit = 4\n'
    )
    flash = ("flash", str(image), "--board", str(file), "--verify-only")
    assert command_line(fw_tools, "fw-tools", flash) == code
    told = capsys.readouterr()
    assert f"plan       cmp compares with 4,096 octets of {image.name}" in told.out
    assert ("verified   4,096 octets in" in told.out) == held
    assert ("its flash holds something else" in told.err) != held


def test_a_programmer_that_cannot_compare_is_told(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flash = ("flash", str(image), "--board", "mcuboot", "--port", "socket://127.0.0.1:1")
    assert command_line(fw_tools, "fw-tools", (*flash, "--verify-only")) == ExitCode.USAGE
    assert "board mcuboot: has no verify: smpmgr is told of no way to" in capsys.readouterr().err


def test_esptool_compares_and_writes_nothing(silent_port: str, image: Path) -> None:
    """It is reached with the command of the board that ships, and knows its words."""
    told: list[str] = []
    with (
        WiredBoard(find_board("esp32"), None, silent_port) as board,
        pytest.raises(ProgramError, match="hold BOOT, press RESET"),
    ):
        board.program(image, told.append, is_verified_only=True)
    assert "verify-flash" in told[0]
