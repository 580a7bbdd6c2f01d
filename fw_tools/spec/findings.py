# SPDX-License-Identifier: Apache-2.0
"""Mistakes of one file, collected so that one run shows them all."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from fw_tools.errors import InputError
from fw_tools.spec.toml_source import KeyPath, TomlSource

_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"
)  # What would break the line, or a terminal.


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake: its line, the table it is in ("rail v1p0", or ""), and what would be right."""

    line: int
    where: str
    message: str
    file: str  # As the user gave its path.

    def text(self) -> str:
        """Return the line that a user sees."""
        where = f"{self.where}: " if self.where else ""
        return f"{self.file}:{self.line}: {_CONTROL.sub(_escaped, where + self.message)}"


def _escaped(control: re.Match[str]) -> str:
    return repr(control[0])[1:-1]


class Findings:
    """The mistakes found so far in one source."""

    def __init__(self, source: TomlSource) -> None:
        self.source = source
        self._found: dict[Finding, None] = {}  # A set that keeps its order.

    def __len__(self) -> int:
        return len(self._found)

    def add(self, path: KeyPath, where: str, message: str) -> None:
        """Record a mistake at the key `path`, or at its nearest ancestor in the file."""
        found = Finding(self.source.line(path), where, message, self.source.file(path))
        self._found[found] = None

    def raise_if_any(self) -> None:
        """Raise `InputError` with all mistakes, one per line, in order of their lines."""
        if self._found:
            shown = self.source.shown
            ordered = sorted(self._found, key=lambda it: (it.file != shown, it.file, it.line))
            raise InputError("\n".join(finding.text() for finding in ordered))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` most likely means, or None when none is near."""
    folded = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return "did you mean 'x'?", or the list of what is known when nothing is near."""
    names = list(known)
    if near := nearest(word, names):
        return f"did you mean {near!r}?"
    return f"known here: {', '.join(names)}" if names else "nothing is known here"
