# SPDX-License-Identifier: Apache-2.0
"""Finding a definition by name: `FILE.py:NAME`, `MODULE:NAME` or `FILE.csv`."""

import difflib
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

import construct

from telemetry.columns.definition import Definition, define
from telemetry.errors import InputError, UsageError


def load_definition(source: str) -> Definition:
    """Load the construct, or the dict APID -> construct, that `source` names.

    This runs the file or module; a CSV file of fields is read, see `csv_definition`. `UsageError`
    for a text of another form; `InputError`, with file and line where there is one, when it cannot
    be loaded or holds no such name.
    """
    if source.lower().endswith(".csv"):
        return _load_csv(Path(source))
    place, colon, name = source.rpartition(":")
    if not (place and colon and name):
        raise UsageError(
            f"definition {source}: expected FILE.py:NAME, MODULE:NAME or FILE.csv, "
            "as in noaa20.py:PACKET"
        )
    is_file = place.endswith(".py") or "/" in place
    module = _run_file(Path(place)) if is_file else _import(place)
    try:
        found = getattr(module, name)
    except AttributeError:
        raise InputError(_missing_name(place, name, vars(module))) from None
    try:
        return define(found, name)
    except InputError as error:
        lines = str(error).splitlines()
        raise InputError("\n".join(f"{place}: {line}" for line in lines)) from error


def _load_csv(path: Path) -> Definition:
    from telemetry.columns.csv_definition import load_csv_layout

    try:
        return define(load_csv_layout(path), path.stem)
    except InputError as error:
        lines = str(error).splitlines()
        named = (line if line.startswith(str(path)) else f"{path}: {line}" for line in lines)
        raise InputError("\n".join(named)) from error


def _run_file(path: Path) -> ModuleType:
    """Run a .py file as a module of its own; nothing is put on the import path or written."""
    if path.is_dir():
        raise InputError(f"{path}: a folder; expected a Python file with a definition")
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; expected a Python file with a definition"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    module = ModuleType(f"_definition_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # As dataclasses and pickle expect.
    with _explained(str(path), path):
        exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102 (told in --help)
    return module


def _import(name: str) -> ModuleType:
    """Import a module from the import path, on which the current folder has no place."""
    search_path = sys.path[:]
    sys.path[:] = [entry for entry in search_path if entry]  # "" is the current folder.
    try:
        with _explained(name):
            return import_module(name)
    finally:
        sys.path[:] = search_path


@contextmanager
def _explained(place: str, path: Path | None = None) -> Iterator[None]:
    """Turn whatever the user's program raises into one line with its place."""
    try:
        yield
    except ModuleNotFoundError as error:
        if path is None and error.name and place.split(".")[0] == error.name:
            raise InputError(
                f"{place}: no such module. The current folder is not searched; "
                f"for a file write {place.replace('.', '/')}.py:NAME"
            ) from error
        raise InputError(_told(place, path, error)) from error
    except (Exception, SystemExit) as error:
        raise InputError(_told(place, path, error)) from error


def _told(place: str, path: Path | None, error: BaseException) -> str:
    line = error.lineno if isinstance(error, SyntaxError) else _line_in(path, error)
    what = error.msg if isinstance(error, SyntaxError) else str(error)
    hint = _similar_name(error.name) if isinstance(error, NameError) and error.name else ""
    return f"{place}{f':{line}' if line else ''}: {type(error).__name__}: {what}{hint}"


def _line_in(path: Path | None, error: BaseException) -> int | None:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if path and frame.filename == str(path)]
    return lines[-1] if lines else None


def _similar_name(name: str) -> str:
    near = difflib.get_close_matches(name, dir(construct), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _missing_name(place: str, name: str, names: Mapping[str, object]) -> str:
    candidates = [key for key, value in names.items() if _looks_like_definition(key, value)]
    near = difflib.get_close_matches(name, candidates, n=1)
    if near:
        return f"{place}: no name '{name}'; did you mean '{near[0]}'?"
    known = f"it defines {', '.join(sorted(candidates))}" if candidates else "it defines none"
    return f"{place}: no name '{name}'; {known}"


def _looks_like_definition(name: str, value: object) -> bool:
    if name.startswith("_") or hasattr(construct, name):
        return False
    return isinstance(value, construct.Construct | dict)
