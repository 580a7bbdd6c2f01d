# SPDX-License-Identifier: Apache-2.0
"""The table of the first packets."""

import io

import pytest
from rich.console import Console

from telemetry.ops.preview import PREVIEW_ROWS, Preview


def shown(preview, width):
    text = io.StringIO()
    console = Console(file=text, width=width)
    for table in preview.tables(width):
        console.print(table)
    return text.getvalue()


@pytest.fixture
def preview():
    preview = Preview()
    for number in range(100):
        preview.write(66, {"sequence_count": number, "temperature": number / 3, "blob": "ab" * 40})
    return preview


@pytest.mark.parametrize(("width", "packets"), [(50, 1), (80, 2), (100, 3), (300, PREVIEW_ROWS)])
def test_as_many_packets_as_fit_are_shown_whole(preview, width, packets):
    text = shown(preview, width)
    assert max(map(len, text.splitlines())) <= width
    assert f"packet {packets} " in text
    assert f"packet {packets + 1} " not in text
    assert "sequence_count" in text
    assert "abababababababababababa" not in text  # Long values are cut,
    assert "ababababababababababa..." in text  # and it shows.


def test_the_first_packet_is_shown_however_narrow_the_terminal(preview):
    assert "packet 1" in shown(preview, 30)


def test_a_field_that_only_some_packets_have_is_empty_in_the_others():
    preview = Preview()
    preview.write(66, {"a": 1})
    preview.write(66, {"a": 2, "tail": 77})
    (line,) = (line for line in shown(preview, 80).splitlines() if "tail" in line)
    assert line.split() == ["tail", "77"]


def test_text_of_a_packet_is_shown_as_it_is_and_not_as_markup():
    preview = Preview()
    preview.write(66, {"a": "[red]x[/red]", "b": "\x1b]0;title\x07", "c": "two\nlines"})
    text = shown(preview, 80)
    assert "[red]x[/red]" in text
    assert "\\x1b]0;title\\x07" in text
    assert "two\\nlines" in text
