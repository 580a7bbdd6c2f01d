# SPDX-License-Identifier: Apache-2.0
"""TOML text as plain values, with the line of every key.

The one place that knows the span-keeping parser.
"""

import bisect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from fw_tools.errors import InputError

KeyPath = tuple[str | int, ...]

_DEEPEST = 64  # Levels of nesting; a description has four.
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

# What the parser says (its beginning) -> what a user can do about it.
_HELP = (
    ("Cannot overwrite a value", "this key was given before in the same table; keep one of them"),
    ("Duplicate inline table key", "this key was given before in the same table; keep one of them"),
    ("Cannot declare", "this table was opened before; put all its keys under one header"),
    ("Cannot redefine namespace", "this table has a header of its own; put the key below it"),
    ("Cannot mutate immutable namespace", "this table was closed by its '}'; put the key inside"),
    ("Invalid value", 'not a value; text and quantities stand in quotes, as in volts = "1.05V"'),
    (
        "Expected newline or end of document",
        'unexpected text after the value; quantities stand in quotes, as in volts = "1.05V"',
    ),
    ("Expected '=' after a key", "expected KEY = VALUE"),
    ("Illegal character '\\n'", "the string has no closing quote"),
    ("Unterminated string", "the string has no closing quote"),
    ("Expected \"'", "the string has no closing quote"),
    ("Found invalid character '\\n'", "the string has no closing quote"),
    ("Unescaped '\\' in a string", "a '\\' in a string is written '\\\\', or use '...' quotes"),
    ("Unclosed array", "expected ',' or ']' in this list"),
    ("Unclosed inline table", "expected ',' or '}'; a table in {} stands on one line"),
    ("Expected ']' at the end of a table", "expected ']' after the table's name"),
    ("Expected ']]' at the end of an array", "expected ']]' after the table's name"),
    ("Invalid statement", "expected KEY = VALUE, a [table] or a # comment"),
    ("Invalid initial character for a key", "a key holds letters, digits, '_' and '-' only"),
)


@dataclass(frozen=True, slots=True)
class TomlSource:
    """A parsed file: plain values (fractions as `Decimal`) and the line of each path into them."""

    shown: str  # The path as the user gave it.
    values: dict[str, Any]
    lines: Mapping[KeyPath, int]  # ("rail", "v1p0", "volts") -> 14
    files: Mapping[KeyPath, str] = field(default_factory=dict)  # Of what another file says.

    def line(self, path: KeyPath) -> int:
        """Return the line of `path`, or of its nearest ancestor that has one; else 1."""
        return self.lines.get(self._nearest(path), 1)

    def file(self, path: KeyPath) -> str:
        """Return the file, as it is shown, that `line` counts in."""
        return self.files.get(self._nearest(path), self.shown)

    def _nearest(self, path: KeyPath) -> KeyPath:
        while path and path not in self.lines:
            path = path[:-1]
        return path


def read_toml(path: Path) -> TomlSource:
    """Read and parse a TOML file.

    Raises `InputError` when it cannot be read or is no TOML; a syntax error is reported alone.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}:{line}: not UTF-8 text; save the file as UTF-8") from None
    return parse_toml(text, str(path))


def parse_toml(text: str, shown: str) -> TomlSource:
    """Parse TOML text; `shown` names it in errors. Raises `InputError` on a syntax error."""
    import spanned_toml

    try:
        root = spanned_toml.loads(text, parse_float=Decimal)
        text = text.replace("\r\n", "\n")  # As the parser does before it counts.
        starts = _line_starts(text)
        lines = {
            path: bisect.bisect_right(starts, position)
            for path, position in _positions(root.inner(), ())
        }
        lines |= _array_tables(_without_strings(text, root))
        return TomlSource(shown, root.unspan(), lines)
    except spanned_toml.TOMLDecodeError as error:
        raise InputError(_syntax_error(str(error), text, shown)) from None
    except RecursionError:
        raise InputError(f"{shown}:1: nested deeper than {_DEEPEST} levels") from None
    except ValueError as error:  # A number beyond what Python reads.
        raise InputError(f"{shown}:1: {error}") from None


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


def _positions(node: Any, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    if len(path) > _DEEPEST:
        raise RecursionError
    if isinstance(node, dict):
        for key, value in node.items():
            below = (*path, key.inner())
            yield below, key.span().start
            yield from _positions(value.inner(), below)
    elif isinstance(node, list):
        for index, item in enumerate(node):
            below = (*path, index)
            if item.span().stop:  # An item of [[array.of.tables]] has no span of its own.
                yield below, item.span().start
            yield from _positions(item.inner(), below)


def _without_strings(text: str, node: Any) -> str:
    """Return `text` with its strings of several lines blanked; a [[header]] in one is none."""
    inner = node.inner()
    for value in inner.values() if isinstance(inner, dict) else inner:
        if isinstance(value.inner(), dict | list):
            text = _without_strings(text, value)
        elif isinstance(value.inner(), str) and "\n" in value.inner():
            span = value.span()
            blank = re.sub("[^\n]", " ", text[span])
            text = text[: span.start] + blank + text[span.stop :]
    return text


def _array_tables(text: str) -> dict[KeyPath, int]:
    """Return the line of each top-level [[name]] header, as ("name", index)."""
    found: dict[KeyPath, int] = {}
    count: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if match := re.match(r"\s*\[\[\s*([A-Za-z0-9_-]+)\s*\]\]", line):
            name = match[1]
            found[name, count.get(name, 0)] = number
            count[name] = count.get(name, 0) + 1
    return found


def _syntax_error(message: str, text: str, shown: str) -> str:
    at = _AT.search(message)
    said = message[: at.start()] if at else message
    line = int(at[1]) if at and at[1] else _line_at_end(said, text)
    said = next((help_ for start, help_ in _HELP if said.startswith(start)), said)
    return f"{shown}:{line}: {said}"


def _line_at_end(said: str, text: str) -> int:
    """Return the line of the quote that is still open at the end of the text, or the last line."""
    opening = -1
    if said.startswith("Expected \"'"):
        opening = text.rfind("'")  # None follows, or it would have closed the string.
    elif said.startswith("Unterminated"):
        opening = text.rfind('"""')
    return text.count("\n", 0, opening if opening >= 0 else len(text.rstrip("\n"))) + 1
