# SPDX-License-Identifier: Apache-2.0
"""A TOML file with those that it includes, as one source that knows where each key stands."""

from pathlib import Path
from typing import Any

from fw_tools.errors import InputError
from fw_tools.spec.toml_source import KeyPath, TomlSource, read_toml

INCLUDE = "include"
DEEPEST = 8  # Files that include one another in a row.
MOST = 64  # Files in all.


def read_with_includes(path: Path) -> TomlSource:
    """Return the file over what it includes; of a key given twice, the later one counts.

    `include = "FILE"`, or a list of them, relative to the file that says it, comes before what the
    file itself says. Tables are merged, lists replaced. Raises `InputError` for a file that cannot
    be read or is no TOML, and for includes that go in a circle or too deep.
    """
    return _Reader().read(path, ())


class _Reader:
    def __init__(self) -> None:
        self._count = 0

    def read(self, path: Path, chain: tuple[Path, ...]) -> TomlSource:
        source = read_toml(path)
        self._count += 1
        result = TomlSource(source.shown, {}, {})
        for index, name in enumerate(_included(source)):
            place = f"{source.shown}:{source.line((INCLUDE, index))}: include"
            below = self._followed(path.parent / name, (*chain, path), place)
            result = merged(result, below)
        return merged(result, source)

    def _followed(self, path: Path, chain: tuple[Path, ...], place: str) -> TomlSource:
        if not path.is_file():
            raise InputError(f"{place}: no such file {path}")
        if any(path.resolve() == before.resolve() for before in chain):
            circle = " -> ".join(str(each) for each in (*chain, path))
            raise InputError(f"{place}: the files include one another in a circle: {circle}")
        if len(chain) >= DEEPEST:
            raise InputError(f"{place}: more than {DEEPEST} files in a row; merge some of them")
        if self._count >= MOST:
            raise InputError(f"{place}: more than {MOST} files in all; merge some of them")
        return self.read(path, chain)


def _included(source: TomlSource) -> list[str]:
    """Return the paths of `include`, which is taken out of the values."""
    given = source.values.get(INCLUDE, [])
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        line = source.line((INCLUDE,))
        raise InputError(f'{source.shown}:{line}: include: expected "FILE" or a list of them')
    return names


def merged(base: TomlSource, over: TomlSource) -> TomlSource:
    """Return `over` laid over `base`; what stands in `base` alone keeps its file and line."""
    values = _merged(base.values, over.values)
    values.pop(INCLUDE, None)
    lines: dict[KeyPath, int] = {}
    files: dict[KeyPath, str] = {}
    for source in (base, over):
        for path, line in source.lines.items():
            if source is base and _is_replaced(path, over.values):
                continue
            lines[path] = line
            files[path] = source.file(path)
    return TomlSource(over.shown, values, lines, files)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        before = result.get(key)
        is_table = isinstance(before, dict) and isinstance(value, dict)
        result[key] = _merged(before, value) if is_table else value  # type: ignore[arg-type]
    return result


def _is_replaced(path: KeyPath, over: Any) -> bool:
    """Tell whether what stands at `path` gives way to a value of `over`."""
    for step in path:
        if not isinstance(over, dict):
            return True
        if step not in over:
            return False
        over = over[step]
    return not isinstance(over, dict)
