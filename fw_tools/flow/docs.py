# SPDX-License-Identifier: Apache-2.0
"""The pages about a payload, in a folder that is ours or becomes ours."""

import json
import shutil
import tempfile
from pathlib import Path

from fw_tools.errors import InputError
from fw_tools.rtl.pages import write_pages
from fw_tools.rtl.payload import payload_digest
from fw_tools.spec.load import load_payload
from telemetry.common.files import make_folder, write_text, writing

MARKER = "docs.json"  # Marks a folder as ours, and lists what in it is.
INDEX = "index.html"


def write_docs(spec: Path, folder: Path) -> Path:
    """Write index and register page of the payload described in `spec`; return the index.

    Raises:
        InputError: the description cannot be used, or the folder holds files that are not ours.
        WriteError: the folder cannot be written.
    """
    payload = load_payload(spec)
    with writing(folder):
        listed = _listed(folder)
        _refuse_foreign(folder, listed)
    make_folder(folder)
    with tempfile.TemporaryDirectory() as name:
        pages = Path(name)
        write_pages(payload, payload_digest(payload), pages)
        with writing(folder):
            _replace(folder, listed, pages)
    return folder / INDEX


def _replace(folder: Path, listed: list[str], pages: Path) -> None:
    wanted = sorted(str(path.relative_to(pages)) for path in pages.rglob("*") if path.is_file())
    foreign = [path for path in wanted if path not in listed and (folder / path).exists()]
    if foreign:
        raise InputError(f"{folder / foreign[0]}: exists but is not listed in {MARKER}; move it")
    for path in set(listed) - set(wanted):
        (folder / path).unlink(missing_ok=True)
    for path in wanted:
        make_folder((folder / path).parent)
        shutil.copyfile(pages / path, folder / path)
    write_text(folder / MARKER, json.dumps(wanted, indent=2) + "\n")


def _listed(folder: Path) -> list[str]:
    try:
        paths = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except ValueError as error:
        raise InputError(
            f"{folder / MARKER}: not a list of pages ({error}); choose another folder"
        ) from None
    if not isinstance(paths, list) or any(
        not isinstance(path, str) or path.startswith("/") or ".." in path for path in paths
    ):
        raise InputError(f"{folder / MARKER}: not a list of pages; choose another folder")
    return paths


def _refuse_foreign(folder: Path, listed: list[str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file, not a folder; choose another output folder")
    if folder.is_dir() and not listed and any(folder.iterdir()):
        raise InputError(
            f"{folder}: not empty and holds no {MARKER}, so it is not ours to write; "
            "choose a new or empty folder"
        )
