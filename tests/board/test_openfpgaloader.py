# SPDX-License-Identifier: Apache-2.0
"""Bitstreams through openFPGALoader, which we did not write, to an FPGA's JTAG port in Python."""

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from jtag_tap import LFE5U_25F, LFE5U_85F, READ, Ecp5Tap, SpiFlash, TapServer
from serprog import Flash

from fw_tools.board.board import WiredBoard
from fw_tools.board.finding import find_board
from fw_tools.board.openfpgaloader import Attached, parse_scan, refuse_several, usb_id_of
from fw_tools.cli.main import fw_tools
from fw_tools.errors import ExitCode, UsageError
from fw_tools.flow.build import build_own
from telemetry.common.command import run

PREAMBLE = b"\xff\xff\xff\xbd\xb3"


class Blinky(NamedTuple):
    """Bitstreams of the example for a ULX3S."""

    file: Path
    short: Path  # Its beginning and its last command: enough for a flash, which looks at none.

    @property
    def behind_comment(self) -> bytes:
        """What openFPGALoader sends of it."""
        return from_preamble(self.file.read_bytes())


def from_preamble(bits: bytes) -> bytes:
    return bits[bits.index(PREAMBLE) :]


@pytest.fixture(scope="module")
def blinky(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Blinky:
    folder = repository / "examples/blinky"
    built = build_own(
        [folder / "blinky.sv"],
        "blinky",
        folder / "ulx3s.lpf",
        find_board("ulx3s"),
        lambda _: None,
    )
    bits = built.bitstream.bits
    found = Blinky(*(tmp_path_factory.mktemp("blinky") / name for name in ("a.bit", "short.bit")))
    found.file.write_bytes(bits)
    found.short.write_bytes(bits[:1500] + bits[-8:])
    return found


class Board:
    """A ULX3S whose cable is a socket."""

    def __init__(self, folder: Path, port: int, **keys: str | None) -> None:
        shipped = Path(str(find_board("ulx3s").fpga.pins)).parent  # type: ignore[union-attr]
        self.folder = folder / "board"
        shutil.copytree(shipped, self.folder)
        cable = f'["--cable", "remote-bitbang", "--ip", "127.0.0.1", "--port", "{port}"]'
        text = (self.folder / "board.toml").read_text()
        for key, value in {"loader": cable, **keys}.items():
            line = "" if value is None else f"{key} = {value}"
            text = re.sub(rf"^{key} = .*$", line, text, flags=re.MULTILINE)
        (self.folder / "board.toml").write_text(text)

    def arguments(self, file: Path, *more: str) -> tuple[str, ...]:
        return ("flash", str(file), "--board", str(self.folder / "board.toml"), *more)


Flashed = Callable[..., tuple[int, str]]


@pytest.fixture
def flash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Flashed:
    """Return what flashes a file to a board behind a TAP, and gives exit code and output."""

    def flashed(file: Path, tap: Ecp5Tap, *more: str, **keys: str | None) -> tuple[int, str]:
        shutil.rmtree(tmp_path / "board", ignore_errors=True)
        with TapServer(tap) as server:
            arguments = Board(tmp_path, server.port, **keys).arguments(file, *more)
            code = run(fw_tools, "fw-tools", arguments)
        told = capsys.readouterr()
        return code, told.out + told.err

    return flashed


def test_what_openfpgaloader_shifts_in_is_the_file(flash: Flashed, blinky: Blinky) -> None:
    tap = Ecp5Tap()
    code, told = flash(blinky.file, tap, "--until-power-off")
    assert code == ExitCode.DONE, told
    assert tap.loaded == blinky.behind_comment
    assert tap.erased == 1
    assert f"load {blinky.file.stat().st_size:,} octets of a.bit" in told
    assert "verified   by the FPGA" in told


def test_a_board_loads_its_fpga_for_whoever_asks(blinky: Blinky, tmp_path: Path) -> None:
    with TapServer(Ecp5Tap()) as server:
        folder = Board(tmp_path, server.port).folder
        with WiredBoard(find_board(str(folder)), None, None) as board:
            board.load_bitstream(blinky.file)
        assert server.tap.loaded == blinky.behind_comment


def test_the_flash_then_holds_the_file(flash: Flashed, blinky: Blinky, tmp_path: Path) -> None:
    chip = Flash(tmp_path, 0.001)
    code, told = flash(blinky.short, Ecp5Tap(flash=chip))
    assert code == ExitCode.DONE, told
    due = from_preamble(blinky.short.read_bytes())
    content = chip.content()
    assert content[: len(due)] == due
    assert not content[len(due) :].strip(b"\xff")
    chip.close()
    assert "erase 1 block of 64 KiB from 0x0, write 1,508 octets of short.bit, read them" in told
    assert f"verified   {len(due):,} octets read back" in told


class StuckFlash:
    """A flash of which one bit always reads as 0."""

    def __init__(self, flash: SpiFlash, place: int, bit: int) -> None:
        self._flash, self._place, self._bit = flash, place, bit

    def exchange(self, sent: bytes, wanted: int) -> bytes:
        found = bytearray(self._flash.exchange(sent, wanted))
        place = self._place - int.from_bytes(sent[1:4], "big")
        if sent[:1] == bytes([READ]) and 0 <= place < len(found):
            found[place] &= ~(1 << self._bit)
        return bytes(found)


def test_a_bit_that_sticks_in_the_flash_is_found_with_its_address(
    flash: Flashed, blinky: Blinky, tmp_path: Path
) -> None:
    place = 9
    assert from_preamble(blinky.short.read_bytes())[place] & 0x20 == 0x20  # Of 3B, LSC_RESET_CRC.
    chip = Flash(tmp_path, 0.001)
    code, told = flash(blinky.short, Ecp5Tap(flash=StuckFlash(chip, place, 5)))
    chip.close()
    assert code == ExitCode.VERIFICATION, told
    assert f"the flash holds something else at {place:#x}" in told


def test_what_the_flash_holds_is_compared_and_nothing_is_written(
    flash: Flashed, blinky: Blinky, tmp_path: Path
) -> None:
    due = from_preamble(blinky.short.read_bytes())
    chip = Flash(tmp_path, 0.001)
    assert flash(blinky.short, Ecp5Tap(flash=chip))[0] == ExitCode.DONE
    before = chip.content()
    code, told = flash(blinky.short, Ecp5Tap(flash=chip), "--verify-only")
    assert code == ExitCode.DONE, told
    assert f"verified   {len(due):,} octets read back" in told
    code, told = flash(blinky.short, Ecp5Tap(flash=StuckFlash(chip, 9, 5)), "--verify-only")
    assert code == ExitCode.VERIFICATION, told
    words = " ".join(told.split())
    assert f"holds {due[9] ^ 0x20:#04x} at 0x9, which was to be {due[9]:#04x}. Flash it" in words
    assert chip.content() == before
    chip.close()


def test_what_cannot_be_read_back_is_told_before_anything_is_sent(
    flash: Flashed, blinky: Blinky, tmp_path: Path
) -> None:
    tap = Ecp5Tap()
    code, told = flash(blinky.file, tap, "--verify-only", "--until-power-off")
    assert (code, "own memory is not read back" in told) == (ExitCode.USAGE, True)
    code, told = flash(blinky.file, tap, "--verify-only", flash=None)
    assert code == ExitCode.USAGE, told
    assert "has no verify: its board.toml would say in [fpga] how large the flash is" in told
    assert tap.erased == 0


def test_an_fpga_that_is_another_one_is_told(flash: Flashed, blinky: Blinky) -> None:
    tap = Ecp5Tap(LFE5U_25F)
    code, told = flash(blinky.file, tap, "--until-power-off")
    assert code == ExitCode.INPUT
    assert "for another FPGA than the one that is attached" in told
    assert f"bitstream has {LFE5U_85F:#010x} hardware requires {LFE5U_25F:#010x}" in told
    assert not tap.loaded


def test_an_fpga_that_does_not_answer_is_told(flash: Flashed, blinky: Blinky) -> None:
    code, told = flash(blinky.file, Ecp5Tap(0), "--until-power-off")
    assert code == ExitCode.LINK
    assert "is the board powered, and are its JTAG pins free" in told


def test_a_cable_that_is_not_there_is_told(
    blinky: Blinky, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert run(fw_tools, "", Board(tmp_path, port).arguments(blinky.file)) == ExitCode.LINK
    assert "nothing listens where the remote cable should be" in capsys.readouterr().err
    arguments = ("flash", str(blinky.file), "--board", "ulx3s", "--serial", "of no board")
    assert run(fw_tools, "", arguments) == ExitCode.MISSING
    assert "no such board or cable is attached" in capsys.readouterr().err


def test_a_dry_run_prints_the_command_and_runs_it_not(flash: Flashed, blinky: Blinky) -> None:
    tap = Ecp5Tap()
    code, told = flash(blinky.file, tap, "--dry-run")
    assert code == ExitCode.DONE
    assert re.search(r"command .*openFPGALoader --cable remote-bitbang .*--write-flash", told)
    assert f"--verify --file-type bit {blinky.file}" in told
    assert tap.erased == 0


class Bad(NamedTuple):
    made: Callable[[bytes], bytes]
    message: str
    flash_size: str = '"16MiB"'


BAD = {
    "empty": Bad(lambda _: b"", "an empty file; no bitstream of iCE40, ECP5 or Gowin"),
    "text": Bad(lambda _: b"assign led = 1;\n", "a text file; no bitstream of iCE40, ECP5 or"),
    "noise": Bad(lambda _: bytes(range(256)), "data of no kind that is known here; no bitstream"),
    "cut off": Bad(lambda bits: bits[:-9], "end before the bitstream's last command"),
    "another FPGA": Bad(
        lambda bits: bits.replace(LFE5U_85F.to_bytes(4, "big"), LFE5U_25F.to_bytes(4, "big")),
        "a bitstream for LFE5U-25F; the FPGA of ulx3s is LFE5U-85F",
    ),
    "too big": Bad(lambda bits: bits, "octets; the flash of ulx3s holds 131,072", '"128KiB"'),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_not_right_is_refused_before_anything_is_sent(
    name: str, flash: Flashed, blinky: Blinky, tmp_path: Path
) -> None:
    bad = BAD[name]
    file = tmp_path / "bad.bit"
    file.write_bytes(bad.made(blinky.file.read_bytes()))
    tap = Ecp5Tap()
    code, told = flash(file, tap, flash=bad.flash_size)
    assert (code, bad.message in told) == (ExitCode.INPUT, True), told
    assert tap.erased == 0


def test_a_bitstream_for_a_payloads_link_or_options_of_the_other_way_are_refused(
    flash: Flashed, blinky: Blinky
) -> None:
    assert flash(blinky.file, Ecp5Tap(), "--slot", "1")[0] == ExitCode.USAGE


def test_ctrl_c_ends_openfpgaloader_too(blinky: Blinky, tmp_path: Path) -> None:
    """A cable that stops answering would hold it for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        board = Board(tmp_path, listener.getsockname()[1])
        arguments = [sys.executable, "-m", "fw_tools", *board.arguments(blinky.file)]
        with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as flashing:
            listener.settimeout(30)
            cable, _ = listener.accept()
            cable.settimeout(10)
            time.sleep(0.5)
            flashing.send_signal(signal.SIGINT)
            assert flashing.wait(10) == ExitCode.INTERRUPTED
            while cable.recv(4096):
                pass  # It ends: the program at the other end is gone.
            cable.close()
            assert flashing.stderr
            assert flashing.stderr.read().strip() == "fw-tools: interrupted"


# As openFPGALoader 0.13.1 printed it (its issue 550), and an older one (issue 382).
SCANNED = """\
empty
Bus device vid:pid       probe_type manufacturer  serial   product
002 008    0x0403:0x6010 FTDI2232   tinyVision.ai FT94RQ8V UPduino v3.1c
"""
SCANNED_BEFORE = """\
found 10 USB device
Bus device vid:pid       probe type      manufacturer serial               product
000 001    0x0000:0x0000 xvc-client      Generic      none                 xHCI root hub
001 005    0x0403:0x6010 FTDI2232        SIPEED       FactoryAIOT Pro      JTAG Debugger
"""


def test_what_is_attached_is_read_from_openfpgaloaders_table() -> None:
    assert parse_scan(SCANNED) == [Attached("0x0403:0x6010", "FT94RQ8V")]
    assert parse_scan(SCANNED_BEFORE)[1] == Attached("0x0403:0x6010", "FactoryAIOT Pro")
    assert parse_scan("No USB devices found\n") == []


def test_of_two_boards_of_one_kind_the_serial_number_is_asked_for() -> None:
    row = "002 008    0x0403:0x6010 FTDI2232   tinyVision.ai FT94RQ8V UPduino v3.1c\n"
    two = parse_scan(SCANNED + row.replace("FT94RQ8V", "FT00ABCD"))
    assert usb_id_of("ice40_generic") == "0x0403:0x6010"  # An FT2232H.
    assert usb_id_of("ulx3s") == "0x0403:0x6015"  # An FT231X.
    with pytest.raises(UsageError, match=r"2 boards like .* give --serial, FT94RQ8V or FT00ABCD"):
        refuse_several("ice40_generic", usb_id_of("ice40_generic"), two)
    refuse_several("ulx3s", usb_id_of("ulx3s"), two)
    refuse_several("ice40_generic", usb_id_of("ice40_generic"), two[:1])
