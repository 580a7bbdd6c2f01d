# SPDX-License-Identifier: Apache-2.0
"""board.toml: what it says, and every mistake in it."""

from pathlib import Path

import pytest

from fw_tools.errors import InputError
from fw_tools.spec.board import BoardSpec, load_board


def written(folder: Path, text: str) -> Path:
    (folder / "link.json").write_text("{}")
    path = folder / "board.toml"
    path.write_text(text)
    return path


def test_a_board_is_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[board]\nname = "bench_3"\nurl = "/dev/ttyUSB0"\nlink = "link.json"\nbaud = 115200\n'
        'capabilities = ["reset", "rails"]\n',
    )
    assert load_board(path) == BoardSpec(
        name="bench_3",
        url="/dev/ttyUSB0",
        link=tmp_path / "link.json",
        baud=115200,
        capabilities=("reset", "rails"),
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
        (GOOD.replace("url", "# url"), 1, "missing key 'url'; for example"),
        (GOOD + 'baud = "fast"\n', 5, "expected a whole number"),
        (GOOD + 'capabilities = ["rest"]\n', 5, "unknown capability 'rest'; did you mean 'reset'?"),
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
