# SPDX-License-Identifier: Apache-2.0
"""Tables at the widths of terminals: nothing that is cut looks as if it were whole."""

import pytest
from rich.console import Console

from telemetry.common.tables import Head, fitted_table, left_out_text

HEADS = (
    Head(name="column", least=12, is_first=True),
    Head(name="unit", is_optional=True),
    Head(name="values", is_number=True, rank=2),
    Head(name="max", is_number=True),
    Head(name="last", is_number=True, rank=1),
    Head(name="limits", least=10),
)
ROWS = [
    ("upset.banks[3].corrected", "", "1,000,000", "4,294,967,295", "-7,129,670.25", "ok"),
    ("volts", "", "1,000,000", "28.125", "27.5", "90 alarm high, 210 warning high"),
]


def drawn(width):
    table, left_out = fitted_table(HEADS, ROWS, width)
    console = Console(width=1000, soft_wrap=True)
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()], left_out


@pytest.mark.parametrize("width", [50, 60, 72, 80, 100, 160])
def test_numbers_stay_whole_and_what_finds_no_room_is_named(width):
    lines, left_out = drawn(width)
    assert max(map(len, lines)) <= width
    shown = "\n".join(lines)
    heads = [head for head in HEADS if head.name not in ("unit", *left_out)]
    assert lines[0].split() == [head.name for head in heads]
    for head in heads:
        if head.is_number:
            at = HEADS.index(head)
            assert all(row[at] in shown for row in ROWS)
    # Text is broken into lines, and each of its letters is there.
    names = "".join(line.split("  ")[0] for line in lines[2:])
    assert names == "upset.banks[3].correctedvolts"


def test_the_least_wanted_goes_first_and_is_told():
    assert drawn(160)[1] == ()
    assert drawn(60)[1] == ("values",)
    assert drawn(50)[1] == ("values", "last")
    assert "not shown for want of room: values, last" in left_out_text(("values", "last"))
    assert left_out_text(()) == ""


def test_a_column_with_nothing_in_it_is_left_out_in_silence():
    lines, left_out = drawn(160)
    assert "unit" not in lines[0]
    assert not left_out
