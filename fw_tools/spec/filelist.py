# SPDX-License-Identifier: Apache-2.0
"""Files as simulators take them after `-f`: sources, include folders, macros, parameters."""

import os
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fw_tools.errors import InputError

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileList:
    """What a file list names, in its order; paths are absolute."""

    sources: tuple[Path, ...] = ()
    include_dirs: tuple[Path, ...] = ()
    defines: Pairs = ()
    parameters: Pairs = ()
    verilator_args: tuple[str, ...] = ()
    waivers: tuple[Path, ...] = ()  # Verilator control files (.vlt)

    def __add__(self, other: "FileList") -> "FileList":
        """Return both lists, one after the other."""
        return FileList(
            sources=self.sources + other.sources,
            include_dirs=self.include_dirs + other.include_dirs,
            defines=self.defines + other.defines,
            parameters=self.parameters + other.parameters,
            verilator_args=self.verilator_args + other.verilator_args,
            waivers=self.waivers + other.waivers,
        )


def read_filelist(path: Path) -> FileList:
    """Read a file list. Paths in it are relative to its own folder, as with Verilator's -F.

    It understands source files, `+incdir+`, `-I`, `+define+`, `-D`, `-G`, `-y`, `-v`, `+libext+`,
    `-W...`, nested `-f`/`-F`, `//`, `#` and `/* */` comments. Environment variables are refused.
    Raises `InputError` with every mistake, one per line, as `files.f:3: ...`.
    """
    reader = _Reader()
    result = reader.read(path)
    if reader.mistakes:
        raise InputError("\n".join(reader.mistakes))
    return result


class _Reader:
    """Collects the mistakes of a file list and of those nested in it."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []
        self._open: list[Path] = []  # Lists that are being read, the outermost first.

    def read(self, path: Path) -> FileList:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            self.mistakes.append(f"{path}: cannot be read: {reason}")
            return FileList()
        result = FileList()
        self._open.append(path.resolve())
        for number, line in _lines(text):
            try:
                result += self._line(path.absolute().parent, line)
            except ValueError as error:
                self.mistakes.append(f"{path}:{number}: {error}")
        self._open.pop()
        return result

    def _line(self, folder: Path, line: str) -> FileList:
        words = iter(_words(line))
        result = FileList()
        for word in words:
            if "$" in word:
                raise ValueError(f"{word!r}: environment variables are not expanded; give the path")
            result += self._word(folder, word, words)
        return result

    def _word(self, folder: Path, word: str, rest: Iterator[str]) -> FileList:
        if word in ("-f", "-F"):
            nested = _existing(folder, _following(word, rest))
            if nested.resolve() in self._open:
                raise ValueError(f"{nested.name!r} names itself, directly or through another list")
            return self.read(nested)
        if word in ("-y", "-v"):
            return FileList(verilator_args=(word, str(_existing(folder, _following(word, rest)))))
        if word in ("-I", "-D", "-G"):
            word += _following(word, rest)
        for start, parse in _OPTIONS:
            if word.startswith(start):
                return parse(folder, word.removeprefix(start), word)
        if word.startswith(("-", "+")):
            raise ValueError(f"option {word!r} is not understood; put it in verilator_args")
        path = _existing(folder, word)
        return FileList(waivers=(path,)) if path.suffix == ".vlt" else FileList(sources=(path,))


def _include_dirs(folder: Path, text: str, _word: str) -> FileList:
    return FileList(include_dirs=tuple(_existing(folder, part) for part in text.split("+") if part))


def _defines(_folder: Path, text: str, _word: str) -> FileList:
    return FileList(defines=tuple(_pair(part) for part in text.split("+") if part))


def _define(_folder: Path, text: str, _word: str) -> FileList:
    return FileList(defines=(_pair(text),))


def _parameter(_folder: Path, text: str, _word: str) -> FileList:
    return FileList(parameters=(_pair(text),))


def _argument(_folder: Path, _text: str, word: str) -> FileList:
    return FileList(verilator_args=(word,))


_OPTIONS: tuple[tuple[str, Callable[[Path, str, str], FileList]], ...] = (
    ("+incdir+", _include_dirs),
    ("+define+", _defines),
    ("+libext+", _argument),
    ("-I", _include_dirs),
    ("-D", _define),
    ("-G", _parameter),
    ("-W", _argument),
)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _following(option: str, rest: Iterator[str]) -> str:
    try:
        return next(rest)
    except StopIteration:
        raise ValueError(f"option {option!r} stands alone; a name follows it") from None


def _existing(folder: Path, name: str) -> Path:
    path = Path(os.path.normpath(folder / name))
    if not path.exists():
        raise ValueError(f"{name!r}: no such file or folder below {folder}")
    return path


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line, without comments."""
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)
    for number, line in enumerate(text.split("\n"), start=1):
        if bare := re.sub(r"(^|\s)(//|#).*", "", line).strip():
            yield number, bare


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    lexer.quotes = '"'  # An apostrophe belongs to literals such as 8'hff.
    return list(lexer)
