# SPDX-License-Identifier: Apache-2.0
"""board.toml: included files, names of pins, sequences, programs; every mistake with its place."""

from pathlib import Path

import pytest

from fw_tools.errors import InputError
from fw_tools.spec.board import load_board
from fw_tools.spec.board_lines import Line, Step

NAMED = '[board]\nname = "b"\n'


def board(folder: Path, text: str, **others: str) -> Path:
    for name, content in others.items():
        (folder / f"{name}.toml").write_text(content)
    path = folder / "board.toml"
    path.write_text(text)
    return path


def mistakes(folder: Path, text: str, **others: str) -> list[str]:
    with pytest.raises(InputError) as raised:
        load_board(board(folder, text, **others))
    return [line.replace(f"{folder}/", "") for line in str(raised.value).splitlines()]


def test_what_a_later_file_says_wins_key_by_key(tmp_path: Path) -> None:
    found = load_board(
        board(
            tmp_path,
            'include = ["one.toml", "two.toml"]\n[board]\nname = "b"\n',
            one='[board]\nname = "one"\nbaud = 300\nabout = "first"\nserial = "S"\n',
            two='[board]\nbaud = 600\nabout = "second"\n[ports]\nconsole = "COM4"\n',
        )
    )
    assert (found.name, found.baud, found.about, found.serial) == ("b", 600, "second", "S")
    assert found.ports == {"console": "COM4"}


def test_a_list_is_replaced_and_its_lines_are_those_of_the_later_file(tmp_path: Path) -> None:
    told = mistakes(
        tmp_path,
        'include = "one.toml"\n' + NAMED + "[reset]\nsteps = [{ nrts = true }]\n",
        one="[reset]\n\n\n\nsteps = [{ dtr = true }, { dts = false }]\n",
    )
    assert told == ["board.toml:5: reset: steps[0]: no pin 'nrts'; did you mean 'rts'?"]


def test_what_a_replaced_list_lacks_is_told_of_the_later_file(tmp_path: Path) -> None:
    """The key that is missed stands in the earlier file, which does not count any more."""
    (told,) = mistakes(
        tmp_path,
        'include = "one.toml"\n' + NAMED + '[program]\nhint = [{ text = "a" }]\n',
        one='[program]\ncommand = ["p", "{image}"]\nhint = [\n  { text = "b", say = "c" }]\n',
    )
    assert told.startswith("board.toml:5: program: hint[0]: missing key 'say'")


def test_paths_are_relative_to_the_file_they_stand_in(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "link.json").write_text("{}")
    (tmp_path / "shared" / "base.toml").write_text(
        'include = "up.toml"\n[board]\nlink = "link.json"\n'
    )
    (tmp_path / "shared" / "up.toml").write_text("[board]\nbaud = 1200\n")
    found = load_board(board(tmp_path, 'include = "shared/base.toml"\n' + NAMED))
    assert found.link == tmp_path / "shared" / "link.json"
    assert found.baud == 1200


def test_mistakes_of_all_files_are_told_at_once_each_with_its_file_and_line(tmp_path: Path) -> None:
    told = mistakes(
        tmp_path,
        'include = "one.toml"\n[board]\nname = "b"\nbauds = 9\n',
        one='[board]\nabout = 5\n\n[bord]\nlink = "l"\n',
    )
    assert told == [
        "board.toml:4: board: unknown key 'bauds'; did you mean 'baud'?",
        "one.toml:2: board: about: expected text in quotes, got 5",
        "one.toml:4: unknown table 'bord'; did you mean 'board'?",
    ]


def test_a_circle_of_includes_is_refused(tmp_path: Path) -> None:
    told = mistakes(
        tmp_path, 'include = "one.toml"\n' + NAMED, one='include = "board.toml"\n[board]\n'
    )
    (circle,) = told
    assert circle.startswith("one.toml:1: include: the files include one another in a circle: ")
    assert circle.endswith("board.toml -> one.toml -> board.toml")


def test_a_file_may_be_included_twice_by_different_ways(tmp_path: Path) -> None:
    both = 'include = "c.toml"\n'
    path = board(tmp_path, 'include = ["a.toml", "d.toml"]\n' + NAMED, a=both, d=both,
                 c="[board]\nbaud = 50\n")  # fmt: skip
    assert load_board(path).baud == 50


def test_includes_go_eight_files_deep_and_no_deeper(tmp_path: Path) -> None:
    for number in range(1, 9):
        text = f'include = "f{number + 1}.toml"\n' if number < 8 else ""
        (tmp_path / f"f{number}.toml").write_text(text)
    (tmp_path / "f7.toml").write_text("[board]\nbaud = 50\n")
    path = board(tmp_path, 'include = "f1.toml"\n' + NAMED)
    assert load_board(path).baud == 50
    (tmp_path / "f7.toml").write_text('include = "f8.toml"\n')
    with pytest.raises(InputError, match=r"f7\.toml:1: include: more than 8 files in a row"):
        load_board(path)


def test_a_great_many_includes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text("")
    names = ", ".join(['"one.toml"'] * 64)
    told = mistakes(tmp_path, f"include = [{names}]\n" + NAMED)
    assert told == ["board.toml:1: include: more than 64 files in all; merge some of them"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("include = 5\n", 'board.toml:1: include: expected "FILE" or a list of them'),
        ('include = "x.toml"\n', "board.toml:1: include: no such file x.toml"),
        ('include = "\\u0000"\n', "board.toml:1: include: no such file \0"),
        ('include = [\n"x.toml"]\n', "board.toml:2: include: no such file x.toml"),
    ],
)
def test_an_include_that_is_none_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert mistakes(tmp_path, text + NAMED) == [told]


def test_a_pin_is_another_name_of_a_line_or_of_a_pin(tmp_path: Path) -> None:
    text = (
        NAMED + '[pins]\nnrst = "dtr"\nreset = "!nrst"\nrun = "!reset"\n'
        '[reset]\nsteps = [{ reset = true, for = "1.5ms" }, { run = true, rts = false }]\n'
    )
    assert load_board(board(tmp_path, text)).reset == (
        Step(((Line.DTR, False),), 0.0015),
        Step(((Line.DTR, True), (Line.RTS, False))),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[pins]\na = "dtrs"\n', "4: pins: a: no pin 'dtrs'; did you mean 'dtr'?"),
        ('[pins]\na = "b"\nb = "!a"\n', "4: pins: a: leads in a circle: a -> b"),
        ("[pins]\na = 1\n", '4: pins: a: expected text, as a = "!dtr"'),
        ('[pins]\ndtr = "rts"\n', "4: pins: 'dtr' is a word of its own; choose another"),
        ('[pins]\nfor = "rts"\n', "4: pins: 'for' is a word of its own; choose another"),
        ("[reset]\n", "3: reset: expected one of 'strategy' and 'steps'"),
        ('[reset]\nstrategy = "dtr"\nsteps = [{ dtr = true }]\n',
         "3: reset: expected one of 'strategy' and 'steps'"),
        ('[reset]\nstrategy = "clasic"\n',
         "4: reset: unknown strategy 'clasic'; did you mean 'classic'?"),
        ("[strap.x]\nsteps = []\n", "4: strap x: steps: is empty"),
        ("[strap.x]\nsteps = [{ dtr = 1 }]\n",
         "4: strap x: steps[0]: dtr: expected true (high) or false, got 1"),
        ('[pins]\nr = "!dtr"\n[strap.x]\nsteps = [{ dtr = true, r = true }]\n',
         "6: strap x: steps[0]: r: the line dtr is set twice in this step"),
        ("[strap.x]\nsteps = [{ for = 5 }]\n", "4: strap x: steps[0]: for: 5 has no unit; write "),
        ('[strap.x]\nsteps = [{ for = "61s" }]\n', "'61s' is out of range 0us..60s"),
        ("[strap]\nx = 5\n", "4: strap x: expected a table, got 5"),
        ("[idle]\ndtrs = true\n", "4: idle: no pin 'dtrs'; did you mean 'dtr'?"),
        ('[idle]\nfor = "1ms"\n', "4: idle: 'for' is for steps; these states stay"),
        ("[ports]\nconsole = 4\n", '4: ports: console: expected a URL, as console = "COM4"'),
        ('[power]\nurl = "COM4"\nvolts = "5A"\namps = "1A"\n',
         "5: power: volts: '5A' is a current"),
        ('[power]\nvolts = "5V"\namps = "1A"\n', "3: power: missing key 'url'"),
        ('[program]\ncommand = ["p", "{file}"]\n',
         "4: program: command: unknown placeholder {file}; known here: image, port, serial"),
        ('[program]\ncommand = ["p", "{imgae}"]\n', "did you mean 'image'?"),
        ('[program]\ncommand = ["p"]\n', "4: program: command: no word holds {image}"),
        ('[program]\ncommand = ["p {image"]\n', "a brace of its own is written twice"),
        ('[program]\ncommand = "p {image}"\n', "expected a list of words"),
        ('[program]\ncommand = [5]\n', "5 is no word; put it in quotes"),
        ('[program]\ncommand = [["{image}"]]\n', "the first word names the program"),
        ('[program]\ncommand = ["p", "{image}"]\nstrap = "x"\n',
         "5: program: strap: no table [strap.x]"),
        ('[program]\ncommand = ["{image}"]\nhint = [{ text = "a", say = "b", exit = 1 }]\n',
         "exit: 1 is out of range 2..7"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    (found,) = mistakes(tmp_path, NAMED + text)
    assert told in found


def test_usb_ids_are_read_in_hexadecimal(tmp_path: Path) -> None:
    found = load_board(board(tmp_path, NAMED + 'usb = ["0403:6010", "1A86:7523"]\n'))
    assert found.usb == ((0x0403, 0x6010), (0x1A86, 0x7523))
    (told,) = mistakes(tmp_path, NAMED + 'usb = "403:6010"\n')
    assert "board.toml:3: board: usb: '403:6010' is no USB ID; expected VID:PID" in told
