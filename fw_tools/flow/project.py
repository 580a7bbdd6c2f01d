# SPDX-License-Identifier: Apache-2.0
"""A new payload project, or what a user's own tree lacks of one."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from fw_tools.errors import InputError
from fw_tools.spec.names import sanitised
from telemetry.common.files import WriteError, make_folder, write_text, writing

# Template below project_files/ -> file of the project.
_EXAMPLE = {  # Named in payload.toml, so they come with it or not at all.
    "rtl/pulse_counter.sv.j2": "rtl/pulse_counter.sv",
    "bench/test_pulse_counter.py.j2": "bench/test_pulse_counter.py",
}
_SURROUNDINGS = {
    "Makefile.j2": "Makefile",
    "README.md.j2": "README.md",
    "requirements.txt.j2": "requirements.txt",
    "gitignore.j2": ".gitignore",
    "ci/github.yml.j2": ".github/workflows/verify.yml",
    "ci/gitlab.yml.j2": ".gitlab-ci.yml",
}
_DESCRIPTION = {"payload.toml.j2": "payload.toml"}


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """One file of a project, and whether it was written or had been there before."""

    path: str  # Relative to the project.
    is_added: bool


def create_project(folder: Path) -> tuple[ProjectFile, ...]:
    """Write a new project to `folder`, which must be absent or empty.

    It is written beside `folder` and moved there when complete: an interrupted run leaves nothing.
    Raises `InputError` when the folder holds anything, `WriteError` when it cannot be made.
    """
    with writing(folder):
        _demand_room(folder)
    texts = _render(folder, _EXAMPLE | _SURROUNDINGS | _DESCRIPTION)
    target = folder.absolute()
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        make_folder(temporary)
        for path, text in texts.items():
            write_text(temporary / path, text)
        with writing(folder):
            _move(temporary, target)
    except WriteError as error:
        raise WriteError(folder, error.reason) from error  # Not by the name for a while.
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return tuple(ProjectFile(path, True) for path in texts)


def _move(temporary: Path, target: Path) -> None:
    if not target.exists():
        temporary.rename(target)
        return
    # The folder itself stays: somebody's shell may stand in it.
    for path in sorted(temporary.iterdir(), reverse=True):
        path.rename(target / path.name)


def complete_project(folder: Path) -> tuple[ProjectFile, ...]:
    """Add to the tree at `folder` the files of a project that it lacks; overwrite none.

    A tree with a payload.toml gets no example RTL and bench. payload.toml is written last. Raises
    `InputError` when there is no such folder, `WriteError` when it cannot be written.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; without --existing a new one is made")
    has_description = os.path.lexists(folder / "payload.toml")
    example = {} if has_description else _EXAMPLE
    texts = _render(folder, example | _SURROUNDINGS | _DESCRIPTION)
    return tuple(ProjectFile(path, _add(folder / path, text)) for path, text in texts.items())


def _add(path: Path, text: str) -> bool:
    """Write `path` unless something has that name; a link that leads nowhere counts."""
    if os.path.lexists(path):
        return False
    write_text(path, text)
    return True


def _demand_room(folder: Path) -> None:
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise InputError(f"{folder}: is a file, not a folder; choose another name")
    if any(folder.iterdir()):
        raise InputError(
            f"{folder}: not empty; `fw-tools init --existing {folder}` adds what is missing there "
            "and overwrites nothing"
        )


def _render(folder: Path, templates: Mapping[str, str]) -> dict[str, str]:
    """Return the text of every file by its path; the payload is named after the folder."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Nothing here is HTML: escaping would corrupt it.
    environment = Environment(  # noqa: S701
        loader=PackageLoader("fw_tools.flow", "project_files"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    names = {"name": sanitised(folder.resolve().name), "version": version("fw-tools")}
    return {
        path: environment.get_template(template).render(names)
        for template, path in templates.items()
    }
