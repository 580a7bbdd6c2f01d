# SPDX-License-Identifier: Apache-2.0
"""Generated files to disk: byte-stable, never over somebody else's files, with a check mode."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fw_tools.errors import InputError
from fw_tools.rtl.render import FORMAT_VERSION
from telemetry.common.files import write_text, writing

MANIFEST = "generated.json"  # Marks a folder as ours, and lists what in it is.


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """One file of the output: a path relative to the output folder, and its whole text."""

    path: PurePosixPath
    text: str


def emit(files: Sequence[GeneratedFile], folder: Path, model_digest: str) -> tuple[str, ...]:
    """Write `files` below `folder` and return the paths that changed.

    Files of an earlier run that are no longer produced are removed. A file that we did not write is
    never touched: `InputError` is raised before anything is written. `WriteError` is raised when
    something cannot be written.
    """
    wanted = _with_manifest(files, model_digest)
    with writing(folder):
        return _write_changed(wanted, folder)


def _write_changed(wanted: dict[str, str], folder: Path) -> tuple[str, ...]:
    ours = _listed(folder)
    _refuse_foreign(folder, wanted, ours)
    changed = [path for path, text in wanted.items() if _read(folder / path) != text]
    for path in changed:
        write_text(folder / path, wanted[path])
    for path in sorted(ours - wanted.keys()):
        (folder / path).unlink(missing_ok=True)
        changed.append(path)
    return tuple(changed)


def differences(files: Sequence[GeneratedFile], folder: Path, model_digest: str) -> tuple[str, ...]:
    """Return one line per file of `folder` that is missing, different or no longer generated."""
    wanted = _with_manifest(files, model_digest)
    found = []
    for path, text in wanted.items():
        present = _read(folder / path)
        if present is None:
            found.append(f"{path}: missing")
        elif present != text:
            found.append(f"{path}: differs at line {_first_difference(present, text)}")
    found += [f"{path}: no longer generated" for path in sorted(_listed(folder) - wanted.keys())]
    return tuple(found)


def _with_manifest(files: Sequence[GeneratedFile], model_digest: str) -> dict[str, str]:
    texts = {str(file.path): file.text for file in sorted(files, key=lambda file: file.path)}
    manifest = {
        "format": FORMAT_VERSION,
        "model": model_digest,
        "files": {path: hashlib.sha256(text.encode()).hexdigest() for path, text in texts.items()},
    }
    return texts | {MANIFEST: json.dumps(manifest, indent=2) + "\n"}


def _listed(folder: Path) -> set[str]:
    text = _read(folder / MANIFEST)
    if text is None:
        return set()
    try:
        paths = set(json.loads(text)["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder / MANIFEST}: not a list of generated files ({error}); "
            "restore it or choose another folder"
        ) from None
    escaping = [path for path in paths if PurePosixPath(path).is_absolute() or ".." in path]
    if escaping:
        raise InputError(f"{folder / MANIFEST}: names a file outside its folder: {escaping[0]}")
    return paths | {MANIFEST}


def _refuse_foreign(folder: Path, wanted: dict[str, str], ours: set[str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file, not a folder; choose another output folder")
    if folder.is_dir() and not ours and any(folder.iterdir()):
        raise InputError(
            f"{folder}: not empty and holds no {MANIFEST}, so it is not ours to write; "
            "choose a new or empty folder"
        )
    foreign = [path for path in wanted if path not in ours and (folder / path).exists()]
    if foreign:
        raise InputError(
            f"{folder / foreign[0]}: exists but is not listed in {MANIFEST}; move it away"
        )


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        return ""


def _first_difference(left: str, right: str) -> int:
    pairs = zip(left.splitlines(), right.splitlines(), strict=False)
    for number, (one, other) in enumerate(pairs, start=1):
        if one != other:
            return number
    return min(left.count("\n"), right.count("\n")) + 1
