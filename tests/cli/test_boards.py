# SPDX-License-Identifier: Apache-2.0
"""`fw-tools boards`, `boards new`, `boards check`, `ports`: what a user sees, and exit codes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from played_supply import PlayedSupply
from reference_payload import write_link
from serial.tools.list_ports_common import ListPortInfo
from served_payload import PtyServed
from twin_bench import stand_in

from fw_tools.board import listing, usb_ports
from fw_tools.board.new_board import render_board
from fw_tools.board.twin import PortKind, Twin, TwinOptions, running_twin
from fw_tools.cli.main import fw_tools
from fw_tools.spec.board import load_board
from fw_tools.spec.board_schema import TABLES
from telemetry.common.command import run
from telemetry.common.console import output
from telemetry.common.exit_codes import ExitCode

# pyserial's RFC 2217 client starts its thread the old way.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name)")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    output.cache_clear()  # It keeps the standard output of the test before.
    yield tmp_path
    output.cache_clear()


def command(*arguments: str) -> int:
    return run(fw_tools, "fw-tools", arguments)


def board(name: str, text: str) -> Path:
    path = Path("boards") / name / "board.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f'[board]\nname = "{name}"\n{text}')
    return path


def rows(told: str) -> dict[str, str]:
    """Return the rows of a table by their first cell, blanks made one."""
    lines = (re.sub(r"\s+", " ", line).strip() for line in told.splitlines())
    return {line.partition(" ")[0]: line for line in lines if line}


def test_the_boards_there_are_are_shown_those_of_the_folder_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    board("mine", 'about = "a bench"\nurl = "COM4"\n[reset]\nstrategy = "dtr"\n')
    board("ulx3s", 'url = "COM5"\n')
    assert command("boards") == ExitCode.DONE
    shown = rows(capsys.readouterr().out)
    assert shown["mine"] == "mine boards a bench reset uart COM4"
    assert "boards" in shown["ulx3s"]
    assert shown["icebreaker"].startswith("icebreaker shipped iCE40UP5K, serial line")
    assert "program reset strap uart" in shown["stm32"]


def test_a_board_with_mistakes_is_a_row_and_keeps_no_other_from_being_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    board("broken", "bauds = 5\nabout = 6\n")
    assert command("boards") == ExitCode.DONE
    told = capsys.readouterr().out
    assert "2 mistakes" in told
    assert "ulx3s" in told


def test_a_new_board_is_described_with_every_key_and_nothing_is_overwritten(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command("boards", "new", "bench_3") == ExitCode.DONE
    path = Path("boards/bench_3/board.toml")
    text = path.read_text()
    assert load_board(path).name == "bench_3"
    keys = {key for model in TABLES.values() if model for key in model.model_fields} - {"hint"}
    missing = [key for key in keys if not re.search(rf"^(# )?{key} = ", text, re.MULTILINE)]
    assert not missing
    assert all(re.search(rf"^(# )?\[{table}[\].]", text, re.MULTILINE) for table in TABLES)
    path.write_text("mine")
    assert command("boards", "new", "bench_3") == ExitCode.INPUT
    assert path.read_text() == "mine"
    assert "is there already; nothing was written" in capsys.readouterr().err


def test_every_example_in_a_new_board_is_one_that_can_be_used(here: Path) -> None:
    text = re.sub(r"^# ", "", render_board("b"), flags=re.MULTILINE)
    rest = text.partition("## Files")[2]
    folder = here / "boards" / "b"
    (folder / "generated").mkdir(parents=True)
    for name in ("ulx3s.sv", "ulx3s.lpf", "generated/link.json"):
        (folder / name).write_text("{}")
    (here / "boards" / "common.toml").write_text("")
    path = folder / "board.toml"
    path.write_text(f"## Files{rest}")
    found = load_board(path)
    assert found.power and found.program and found.fpga and found.reset  # noqa: PT018
    assert list(found.straps) == ["golden"]
    assert found.program.strap == "golden"
    assert found.program.hints[0].exit_code == 7


def test_a_name_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("boards", "new", "My Board") == ExitCode.INPUT
    assert "for example 'my_board'" in capsys.readouterr().err
    assert not Path("boards").exists()


CHECKED = """baud = 750000
[pins]
reset = "!dtr"
boot_select = "!rts"
[reset]
steps = [{ reset = true, for = "30ms" }, { reset = false }]
[strap.golden]
steps = [{ boot_select = true, for = "10ms" }]
"""


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Twin]:
    """Return a stand-in that says '!' after a reset, '?' with boot select."""
    options = TwinOptions(port=PortKind.RFC2217)
    with running_twin(stand_in("echo_twin", ()), options) as running:
        yield running


def test_a_board_is_proven_by_what_it_says_after_reset_and_strapping(
    twin: Twin, capsys: pytest.CaptureFixture[str]
) -> None:
    board("mine", CHECKED)
    assert command("boards", "check", "--port", twin.url) == ExitCode.DONE
    shown = rows(capsys.readouterr().out)
    assert shown["reset"] == "reset proven then the board said b'!'"
    assert shown["strap"] == "strap golden proven then the board said b'?'"


def test_a_reset_that_reaches_nothing_fails_with_7(
    twin: Twin, capsys: pytest.CaptureFixture[str]
) -> None:
    board("mine", CHECKED.replace('[{ reset = true, for = "30ms" }, {', "[{ rts = true }, {"))
    assert command("boards", "check", "mine", "--port", twin.url) == ExitCode.LINK
    shown = rows(capsys.readouterr().out)
    assert shown["reset"] == "reset failed no octet came in 2 s after it"


def test_a_strapping_that_changes_nothing_fails(
    twin: Twin, capsys: pytest.CaptureFixture[str]
) -> None:
    board("mine", CHECKED.replace("{ boot_select = true", "{ boot_select = false"))
    assert command("boards", "check", "mine", "--port", twin.url) == ExitCode.LINK
    shown = rows(capsys.readouterr().out)
    assert shown["strap"] == "strap golden failed then the board said b'!', as without it"


def test_a_payload_is_asked_and_a_silent_one_fails_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_link(tmp_path)
    with PtyServed(tmp_path) as served:
        board("mine", f'link = "../../link.json"\nurl = "{served.url}"\n')
        assert command("boards", "check") == ExitCode.DONE
        shown = rows(capsys.readouterr().out)
        assert re.match(r"uart proven reference answers in \d+\.\d\d ms", shown["uart"])
        served.is_silent = True
        assert command("boards", "check") == ExitCode.LINK
        assert "uart failed" in rows(capsys.readouterr().out)["uart"]


def test_a_payload_that_goes_on_without_its_supply_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The supply is another one than the payload's, which is a mistake that happens."""
    write_link(tmp_path)
    with PtyServed(tmp_path) as served, PlayedSupply() as supply:
        board(
            "mine",
            f'link = "../../link.json"\nurl = "{served.url}"\n[power]\nurl = "{supply.url}"\n'
            'volts = "5.25V"\namps = "2A"\nsettle = "1ms"\n',
        )
        assert command("boards", "check") == ExitCode.LINK
    shown = rows(capsys.readouterr().out)
    assert shown["power"] == "power failed the payload answers while its supply is off"


def test_a_board_has_to_be_named_where_there_are_several(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command("boards", "check") == ExitCode.USAGE
    assert "there is none in ./boards" in capsys.readouterr().err
    board("a", "")
    board("b", "")
    assert command("boards", "check") == ExitCode.USAGE
    assert "which of a, b?" in capsys.readouterr().err
    assert command("boards", "check", "a") == ExitCode.USAGE
    assert "board a: has no uart: url, or usb, in [board]" in capsys.readouterr().err


def test_of_two_boards_of_one_kind_the_serial_number_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two are attached as pyserial tells it: no USB can be had here."""
    attached = []
    for number in range(2):
        port = ListPortInfo(f"/dev/ttyNONE{number}")
        port.vid, port.pid, port.serial_number = 0x0403, 0x6015, f"D{number}"
        port.location = f"1-{number}"
        attached.append(port)
    monkeypatch.setattr(usb_ports, "attached_ports", lambda: attached)
    monkeypatch.setattr(listing, "attached_ports", lambda: attached)
    assert command("boards", "check", "ulx3s") == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "say which by --serial NUMBER" in told
    assert "serial number D0" in told
    assert command("boards", "check", "ulx3s", "--serial", "D1") == ExitCode.LINK
    assert "/dev/ttyNONE1: no such port" in capsys.readouterr().out
    assert command("boards", "check", "ulx3s", "--serial", "D7") == ExitCode.MISSING
    assert command("ports") == ExitCode.DONE
    assert rows(capsys.readouterr().out)["/dev/ttyNONE1"] == "/dev/ttyNONE1 0403:6015 D1 ulx3s"
    assert command("boards") == ExitCode.DONE
    assert rows(capsys.readouterr().out)["ulx3s"].endswith("several")


def test_a_port_that_is_not_there_fails_with_7(capsys: pytest.CaptureFixture[str]) -> None:
    board("mine", 'url = "/dev/ttyNONE"\n')
    assert command("boards", "check") == ExitCode.LINK
    assert "no such port" in capsys.readouterr().out


def test_the_ports_of_this_machine_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever they are: the rows are tested where ports can be given."""
    from fw_tools.board.usb_ports import attached_ports

    assert command("ports") == ExitCode.DONE
    told = capsys.readouterr()
    for port in attached_ports():
        assert port.device in told.out
    if not attached_ports():
        assert "no serial port on this machine" in told.err


def test_a_payload_on_its_twin_proves_line_reset_boot_select_and_power(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = repository / "examples" / "breaker_mini" / "payload.toml"
    assert command("boards", "check", f"twin:{spec}") == ExitCode.DONE
    shown = rows(capsys.readouterr().out)
    assert re.match(r"uart proven breaker_mini answers in \d+\.\d\d ms", shown["uart"])
    assert shown["reset"] == "reset proven the payload told that it began anew, and answers"
    golden = "strap golden proven the payload began anew with its boot select pin high"
    assert shown["strap"] == golden
    assert shown["power"] == "power proven the payload told that it began anew, and answers"
