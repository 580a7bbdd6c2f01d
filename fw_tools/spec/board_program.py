# SPDX-License-Identifier: Apache-2.0
"""[program] of a board.toml: the program that writes an image to the board."""

from collections.abc import Iterator
from dataclasses import dataclass
from string import Formatter

from fw_tools.spec.board_schema import ProgramTable
from fw_tools.spec.findings import Findings, suggestion
from fw_tools.spec.toml_source import TomlSource
from fw_tools.spec.validate import validate_table

PLACEHOLDERS = ("image", "port", "serial")


@dataclass(frozen=True, slots=True)
class ProgramHint:
    """What a line of the output means."""

    text: str
    say: str
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramSpec:
    """A program that writes an image, and how it is run."""

    command: tuple[str | tuple[str, ...], ...]  # Inner words go together, or not at all.
    timeout_s: float
    verify: tuple[str | tuple[str, ...], ...] | None = None  # The command that compares alone.
    strap: str | None = None
    images: tuple[str, ...] = ()  # Endings of the files it takes; () for any.
    hints: tuple[ProgramHint, ...] = ()


def read_program(source: TomlSource, findings: Findings) -> ProgramSpec | None:
    """Return what [program] says; mistakes are added to `findings`."""
    if "program" not in source.values:
        return None
    values = source.values["program"]
    table = validate_table(ProgramTable, values, ("program",), "program", findings)
    if table is None:
        return None
    command = _words("command", table.command, findings)
    verify = _words("verify", table.verify, findings) if table.verify else None
    straps = source.values.get("strap", {})
    if table.strap and table.strap not in straps:
        message = f"no table [strap.{table.strap}]; {suggestion(table.strap, straps)}"
        findings.add(("program", "strap"), "program: strap", message)
    return ProgramSpec(
        command=command,
        verify=verify,
        timeout_s=table.timeout / 1e6,
        strap=table.strap,
        images=tuple(table.images),
        hints=tuple(ProgramHint(each.text, each.say, each.exit) for each in table.hint),
    )


def _words(
    key: str, words: list[str | list[str]], findings: Findings
) -> tuple[str | tuple[str, ...], ...]:
    command = tuple(tuple(word) if isinstance(word, list) else word for word in words)
    _check_command(key, command, findings)
    return command


def _check_command(
    key: str, command: tuple[str | tuple[str, ...], ...], findings: Findings
) -> None:
    where, what = ("program", key), f"program: {key}"
    named: set[str] = set()
    before = len(findings)
    for index, word in enumerate(command):
        for part in (word,) if isinstance(word, str) else word:
            try:
                fields = set(placeholders(part))
            except ValueError as error:
                message = f"{part!r}: {error}; a brace of its own is written twice"
                findings.add((*where, index), what, message)
                continue
            named |= fields
            for unknown in fields.difference(PLACEHOLDERS):
                message = f"unknown placeholder {{{unknown}}}; {suggestion(unknown, PLACEHOLDERS)}"
                findings.add((*where, index), what, message)
    if not isinstance(command[0], str) or not command[0]:
        findings.add((*where, 0), what, "the first word names the program")
    if "image" not in named and len(findings) == before:
        findings.add(where, what, "no word holds {image}: it is not told of it")


def placeholders(word: str) -> Iterator[str]:
    """Yield the names in braces. Raises `ValueError` for a brace that is not closed."""
    for _, name, form, conversion in Formatter().parse(word):
        if name is not None:
            yield name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
