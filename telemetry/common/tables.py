# SPDX-License-Identifier: Apache-2.0
"""Tables on terminals of any width: numbers are never cut, and what finds no room is named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

_BETWEEN = 2  # Blanks between two columns.


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A column of a table."""

    name: str
    is_number: bool = False  # Stands at the right, in one line.
    least: int = 0  # To how few characters text may be broken into lines; 0: not at all.
    is_first: bool = False  # Gets room before others: names are found sooner in one line.
    rank: int = 0  # Where there is no room the highest goes first; 0 stays.
    is_optional: bool = False  # Goes, too, where every cell is empty.


def fitted_table(
    heads: Sequence[Head], rows: Sequence[Sequence[str]], width: int, title: str = ""
) -> tuple["Table", tuple[str, ...]]:
    """Return a table of texts, and the names of the columns that `width` has no room for.

    Text is broken into lines before a column goes. A table whose numbers and names alone are wider
    is as wide as they are.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    texts = [_texts(index, head, rows) for index, head in enumerate(heads)]
    used = [
        index for index, head in enumerate(heads) if not head.is_optional or any(texts[index][1:])
    ]
    kept = _kept(heads, texts, used, width)
    widths = _widths(heads, texts, kept, width)
    table = Table(
        title=title or None, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0),
        show_edge=False, width=sum(widths.values()) + _BETWEEN * len(kept) - 1,
    )  # fmt: skip
    for index in kept:
        head = heads[index]
        table.add_column(
            head.name,
            justify="right" if head.is_number else "left",
            overflow="fold",
            no_wrap=not head.least,
            width=widths[index],
        )
    for row in rows:
        table.add_row(*(Text(row[index]) for index in kept))
    return table, tuple(heads[index].name for index in used if index not in kept)


def _texts(index: int, head: Head, rows: Sequence[Sequence[str]]) -> list[str]:
    return [head.name, *(row[index] for row in rows)]


def _natural(texts: Sequence[str]) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, texts))


def _least(head: Head, texts: Sequence[str]) -> int:
    whole = _natural(texts)
    return min(whole, max(head.least, len(head.name))) if head.least else whole


def _kept(
    heads: Sequence[Head], texts: Sequence[Sequence[str]], used: list[int], width: int
) -> list[int]:
    """Return the columns that fit when every text is as narrow as it may be."""
    kept = list(used)
    by_rank = sorted((index for index in used if heads[index].rank), key=lambda i: heads[i].rank)
    while by_rank and sum(_least(heads[i], texts[i]) + _BETWEEN for i in kept) - 1 > width:
        kept.remove(by_rank.pop())
    return kept


def _widths(
    heads: Sequence[Head], texts: Sequence[Sequence[str]], kept: list[int], width: int
) -> dict[int, int]:
    """Return the width of each column; what is left of the room goes where text is broken most."""
    widths = {index: _least(heads[index], texts[index]) for index in kept}
    wanted = {index: _natural(texts[index]) for index in kept}
    room = width - sum(widths.values()) - _BETWEEN * len(kept) + 1
    while room > 0 and (narrow := [i for i in kept if widths[i] < wanted[i]]):
        neediest = max(narrow, key=lambda i: (heads[i].is_first, wanted[i] / widths[i]))
        widths[neediest] += 1
        room -= 1
    return widths


def left_out_text(names: Sequence[str]) -> str:
    """Return what to tell of columns that found no room; "" of none."""
    if not names:
        return ""
    return f"not shown for want of room: {', '.join(names)} (a wider terminal shows them)"
