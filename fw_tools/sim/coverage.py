# SPDX-License-Identifier: Apache-2.0
"""Line coverage out of Verilator's coverage.dat.

The file is text, one point a line: `C '<fields>' <count>`; each field is \\x01 key \\x02 value.
Keys after Verilator's `verilated_cov_key.h`: f file, l line, S the lines that the point covers
(as in "12-14,17"), page `v_line/...` for blocks and `v_branch/...` for the arms of a branch.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from fw_tools.report.records import CoverageRow

_POINT = re.compile(r"^C '(?P<fields>.*)' (?P<count>\d+)$")
_LINE_PAGES = ("v_line", "v_branch")
_FIELD = re.compile("\x01([^\x02]*)\x02([^\x01]*)")


def line_coverage(paths: Iterable[Path]) -> tuple[CoverageRow, ...]:
    """Return the line coverage of each source over all runs in `paths`, by file name.

    A line counts as covered when any point on it, in any instance or run, was reached.
    """
    counts: dict[tuple[str, int], int] = {}
    for path in paths:
        for file, line, count in _lines(path.read_text(errors="replace")):
            counts[file, line] = counts.get((file, line), 0) + count
    files = sorted({file for file, _ in counts})
    return tuple(_row(file, counts) for file in files)


def _row(file: str, counts: dict[tuple[str, int], int]) -> CoverageRow:
    lines = {line: count for (name, line), count in counts.items() if name == file}
    missed = tuple(sorted(line for line, count in lines.items() if not count))
    covered = len(lines) - len(missed)
    return CoverageRow(file=file, covered=covered, total=len(lines), missed=missed)


def _lines(text: str) -> Iterator[tuple[str, int, int]]:
    for entry in text.splitlines():
        point = _POINT.match(entry)
        if point is None:
            continue
        fields = dict(_FIELD.findall(point["fields"]))
        if fields.get("page", "").startswith(_LINE_PAGES):
            for line in _expand(fields.get("S") or fields.get("l", "")):
                yield fields.get("f", ""), line, int(point["count"])


def _expand(ranges: str) -> Iterator[int]:
    """Yield the numbers of "12-14,17"."""
    for part in filter(None, ranges.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
