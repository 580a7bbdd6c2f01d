# SPDX-License-Identifier: Apache-2.0
"""Tags of what is hardened against upsets, and the list that says what each answers.

A tag is a line `// SEU_MIT: INSTANCE.ASSET.TYPE` of a source. One without a row of the list is an
orphan, and so is a row whose cell has no such line.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from fw_tools.spec.hardening import Harden

LIST = "mitigations.toml"  # Below hdl/rtl.
_TAG = re.compile(r"// *SEU_MIT:[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_FORM = re.compile(r"[A-Z0-9_]+\.[A-Z0-9_]+\.[A-Z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitigation:
    """One row of the list."""

    tag: str
    cell: str  # A library cell, or the template of a generated module.
    harden: Harden  # Of the block, from which it is there.
    answers: str


@cache
def mitigations() -> tuple[Mitigation, ...]:
    """Return the whole list."""
    rows = tomllib.loads(files("hdl").joinpath("rtl", LIST).read_text(encoding="utf-8"))
    return tuple(
        Mitigation(**{**row, "harden": Harden(row["harden"])}) for row in rows["mitigation"]
    )


def tags_in(text: str) -> list[str]:
    """Return what stands after `SEU_MIT:` in a source, line by line."""
    return _TAG.findall(text)


def orphans(sources: Mapping[str, str], listed: Iterable[Mitigation]) -> list[str]:
    """Return a line for each orphan, on either side.

    `sources` are texts by the name of their cell; rows of a cell that is not among them are left
    aside. A source under a name that no row has is a generated module: its tags need a row each.
    """
    return [*_unlisted(sources, tuple(listed)), *_untagged(sources, tuple(listed))]


def _unlisted(sources: Mapping[str, str], listed: tuple[Mitigation, ...]) -> Iterator[str]:
    cells = {row.cell for row in listed}
    for name, text in sources.items():
        known = {row.tag for row in listed if row.cell == name or name not in cells}
        for tag in tags_in(text):
            if not _FORM.fullmatch(tag):
                yield f"{name}: {tag!r} is no tag; right is INSTANCE.ASSET.TYPE, one a line"
            elif tag not in known:
                yield f"{name}: {tag} has no row of this cell in {LIST}"


def _untagged(sources: Mapping[str, str], listed: tuple[Mitigation, ...]) -> Iterator[str]:
    for row in listed:
        if row.cell in sources and row.tag not in tags_in(sources[row.cell]):
            yield f"{LIST}: {row.tag}: {row.cell} has no such tag"


def tree() -> dict[str, str]:
    """Return the text of every library cell and of every template of a module, by its name."""
    cells = Path(str(files("hdl").joinpath("rtl"))).rglob("*.sv")
    templates = Path(__file__).parent.joinpath("templates").glob("*.sv.j2")
    return {path.name.partition(".")[0]: path.read_text("utf-8") for path in (*cells, *templates)}


def mitigations_of(sources: Mapping[str, str]) -> list[Mitigation]:
    """Return the rows whose tag stands in one of `sources`, in the order of the list."""
    found = {tag for text in sources.values() for tag in tags_in(text)}
    return [row for row in mitigations() if row.tag in found]


if __name__ == "__main__":  # A part of `make lint`.
    sys.exit("\n".join(orphans(tree(), mitigations())) or 0)
