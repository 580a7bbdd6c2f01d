# SPDX-License-Identifier: Apache-2.0
"""board.toml: what it says, and every mistake in it."""

from pathlib import Path

import pytest

from fw_tools.errors import InputError
from fw_tools.spec.board import BoardSpec, FpgaSpec, load_board
from fw_tools.spec.board_lines import STRATEGIES
from fw_tools.spec.profiles import Profile


def written(folder: Path, text: str) -> Path:
    (folder / "link.json").write_text("{}")
    path = folder / "board.toml"
    path.write_text(text)
    return path


def test_a_board_is_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[board]\nname = "bench_3"\nurl = "/dev/ttyUSB0"\nlink = "link.json"\nbaud = 115200\n'
        'capabilities = ["rails"]\n[reset]\nstrategy = "dtr"\n',
    )
    assert load_board(path) == BoardSpec(
        name="bench_3",
        url="/dev/ttyUSB0",
        link=tmp_path / "link.json",
        baud=115200,
        capabilities=("rails",),
        reset=STRATEGIES["dtr"],
    )


def test_baud_rate_and_capabilities_may_be_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, '[board]\nname = "b"\nurl = "COM3"\nlink = "link.json"\n')
    board = load_board(path)
    assert (board.baud, board.capabilities) == (None, ())


GOOD = '[board]\nname = "b"\nurl = "COM3"\nlink = "link.json"\n'


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "missing table [board]"),
        (GOOD + "[bord]\n", 5, "unknown table 'bord'; did you mean 'board'?"),
        (GOOD + "bauds = 5\n", 5, "unknown key 'bauds'; did you mean 'baud'?"),
        (GOOD + 'baud = "fast"\n', 5, "expected a whole number"),
        (GOOD + 'capabilities = ["rail"]\n', 5, "unknown capability 'rail'; did you mean 'rails'?"),
        (GOOD + 'capabilities = ["reset"]\n', 5, "a table [reset] with strategy"),
        (GOOD.replace("link.json", "none.json"), 4, "no such file"),
    ],
)
def test_each_mistake_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as raised:
        load_board(path)
    assert f"board.toml:{line}: " in str(raised.value)
    assert message in str(raised.value)


FPGA = """[fpga]
part = "iCE40UP5K-SG48"
clock = "12MHz"
profiles = ["small"]
rails = 4
sources = ["board.sv"]
top = "board"
pins = "board.pcf"
"""


def test_a_board_with_an_fpga_needs_neither_url_nor_link(tmp_path: Path) -> None:
    for name in ("board.sv", "board.pcf"):
        (tmp_path / name).write_text("")
    board = load_board(written(tmp_path, '[board]\nname = "b"\n' + FPGA))
    assert (board.url, board.link) == (None, None)
    assert board.fpga == FpgaSpec(
        part="iCE40UP5K-SG48",
        clock_hz=12_000_000,
        profiles=(Profile.SMALL,),
        rails=4,
        sources=(tmp_path / "board.sv",),
        top="board",
        pins=tmp_path / "board.pcf",
        flash_bytes=None,
        update_address=4096 * 1024,
    )


def test_every_mistake_of_an_fpga_is_told(tmp_path: Path) -> None:
    text = FPGA.replace("12MHz", "12.5MHz").replace('"small"', '"tiny"').replace("top", "tops")
    with pytest.raises(InputError) as raised:
        load_board(written(tmp_path, '[board]\nname = "b"\n' + text))
    for line, message in ((5, "whole number of MHz"), (6, "tiny"), (9, "did you mean 'top'?")):
        assert any(
            f"board.toml:{line}: " in told and message in told
            for told in str(raised.value).splitlines()
        )
