# SPDX-License-Identifier: Apache-2.0
"""Paths and patterns of a [[bench]] table to files that exist."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fw_tools.spec.findings import Findings
from fw_tools.spec.toml_source import KeyPath


@dataclass(frozen=True, slots=True)
class Place:
    """A [[bench]] table: where it stands, and the folder its paths are relative to."""

    path: KeyPath
    where: str
    folder: Path
    findings: Findings

    def add(self, key: str, message: str, index: int | None = None) -> None:
        """Record a mistake in the value of `key`, or in one item of it."""
        path = (*self.path, *key.split("."), *(() if index is None else (index,)))
        self.findings.add(path, f"{self.where}: {key}", message)


def existing(
    place: Place, key: str, patterns: Sequence[str], *, folders: bool = False
) -> tuple[Path, ...]:
    """Return the files (or folders) that `patterns` name, absolute; none found is a mistake."""
    paths: dict[Path, None] = {}
    for index, pattern in enumerate(patterns):
        found = [path for path in _matches(place.folder, pattern) if path.is_dir() == folders]
        if not found:
            what = "folder" if folders else "file"
            reason = f"matches no {what}" if _is_glob(pattern) else f"no such {what}"
            place.add(key, f"{pattern!r}: {reason} below {place.folder}", index)
        paths |= dict.fromkeys(found)
    return tuple(paths)


def _is_glob(pattern: str) -> bool:
    return any(character in pattern for character in "*?[")


def _matches(folder: Path, pattern: str) -> list[Path]:
    plain = Path(os.path.normpath(folder / pattern))
    try:
        if plain.exists():
            return [plain]
        if not _is_glob(pattern):
            return []
        root = Path(plain.anchor)
        return sorted(root.glob(str(plain.relative_to(root))))
    except (OSError, ValueError):  # A name that no file can have.
        return []
