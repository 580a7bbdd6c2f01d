# SPDX-License-Identifier: Apache-2.0
"""Lines of keys, and syntax errors in words that help."""

from pathlib import Path

import pytest

from fw_tools.errors import InputError
from fw_tools.spec.toml_source import parse_toml, read_toml

EVERY_FORM = """\
top = 1

[table.one]
plain = "x"
dotted.key = 2
inline = { a = 1, b = { c = 2 } }
list = [
  1,
  { d = 3 },
]
text = '''
[[array]]
'''

[[array]]
a = 1
[[array]]

[[array]]
b = 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 1),
        (("table", "one"), 3),
        (("table", "one", "plain"), 4),
        (("table", "one", "dotted"), 5),
        (("table", "one", "dotted", "key"), 5),
        (("table", "one", "inline", "b", "c"), 6),
        (("table", "one", "list", 0), 8),
        (("table", "one", "list", 1, "d"), 9),
        (("table", "one", "absent"), 3),
        (("array", 0, "a"), 16),
        (("array", 1), 17),
        (("array", 2, "absent"), 19),
        (("array", 2, "b"), 20),
        (("absent",), 1),
    ],
)
def test_every_key_has_the_line_it_stands_on(path: tuple[str | int, ...], line: int) -> None:
    assert parse_toml(EVERY_FORM, "x.toml").line(path) == line


def test_lines_are_the_same_with_carriage_returns() -> None:
    source = parse_toml(EVERY_FORM.replace("\n", "\r\n"), "x.toml")
    assert source.lines == parse_toml(EVERY_FORM, "x.toml").lines


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\na = 2\n", "2: this key was given before in the same table; keep one of them"),
        ("a = {b=1, b=2}", "1: this key was given before in the same table; keep one of them"),
        ("[a]\n[b]\n[a]\n", "3: this table was opened before; put all its keys under one header"),
        ("a = { b = 1 }\na.c = 2\n", "2: this table was closed by its '}'; put the key inside"),
        ("a = 5V", ('1: unexpected text after the value; quantities stand in quotes, as in '
         'volts = "1.05V"')),
        ("a = hsiao", '1: not a value; text and quantities stand in quotes, as in volts = "1.05V"'),
        ("a", "1: expected KEY = VALUE"),
        ("\n?\n", "2: expected KEY = VALUE, a [table] or a # comment"),
        ("\na = \"x\nb = 1", "2: the string has no closing quote"),
        ("a = 'x\nb = 1", "1: the string has no closing quote"),
        ("a = 'x", "1: the string has no closing quote"),
        ('a = """x\nb = 1', "1: the string has no closing quote"),
        ('a = "x', "1: the string has no closing quote"),
        ('a = "C:\\data"', "1: a '\\' in a string is written '\\\\', or use '...' quotes"),
        ("a = [1\nb = 2", "2: expected ',' or ']' in this list"),
        ("a = { b = 1\n}", "1: expected ',' or '}'; a table in {} stands on one line"),
        ("[a", "1: expected ']' after the table's name"),
        ("[[a]", "1: expected ']]' after the table's name"),
        (f"a = {'[' * 70}{']' * 70}", "1: nested deeper than 64 levels"),
        (f"a = {'[' * 5000}{']' * 5000}", "1: nested deeper than 64 levels"),
    ],
)  # fmt: skip
def test_a_syntax_error_is_reported_alone_with_its_cure(text: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_toml(text, "dir/x.toml")
    assert str(raised.value) == f"dir/x.toml:{message}"


def test_a_number_beyond_what_can_be_read_is_no_traceback() -> None:
    with pytest.raises(InputError, match=r"^x\.toml:1: "):
        parse_toml(f"a = {'9' * 5000}", "x.toml")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"\na = '\xe9'\n")
    for name, reason in [
        ("absent.toml", ": cannot be read: No such file or directory"),
        (".", ": cannot be read: Is a directory"),
        ("latin.toml", ":2: not UTF-8 text; save the file as UTF-8"),
    ]:
        with pytest.raises(InputError) as raised:
            read_toml(tmp_path / name)
        assert str(raised.value) == f"{tmp_path / name}{reason}"


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert read_toml(tmp_path / "x.toml").values == {"a": 1}
