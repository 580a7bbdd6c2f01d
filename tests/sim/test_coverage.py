# SPDX-License-Identifier: Apache-2.0
"""Line coverage, counted by hand in a few points."""

from pathlib import Path

from fw_tools.sim.coverage import line_coverage


def point(file: str, line: int, lines: str, count: int, page: str = "v_line/top") -> str:
    fields = {
        "f": file,
        "l": str(line),
        "n": "3",
        "t": "line",
        "page": page,
        "S": lines,
        "h": "top",
    }
    text = "".join(f"\x01{key}\x02{value}" for key, value in fields.items())
    return f"C '{text}' {count}\n"


def test_lines_of_blocks_and_arms_are_counted_once(tmp_path: Path) -> None:
    data = tmp_path / "coverage.dat"
    data.write_text(
        "# SystemC::Coverage-3\n"
        + point("a.sv", 3, "3-5,8", 7)
        + point("a.sv", 6, "6", 0, page="v_branch/top")
        + point("a.sv", 7, "7", 2, page="v_branch/top")
        + point("a.sv", 9, "9", 4, page="v_toggle/top")
        + point("b.sv", 1, "1", 0)
    )
    a, b = line_coverage([data])
    # a.sv: lines 3, 4, 5, 8 and 7 ran, 6 did not; toggle points are no lines.
    assert (a.file, a.covered, a.total, a.missed) == ("a.sv", 5, 6, (6,))
    assert (b.file, b.covered, b.total, b.missed) == ("b.sv", 0, 1, (1,))
    assert round(a.percent, 1) == 83.3


def test_a_line_reached_in_any_run_is_covered(tmp_path: Path) -> None:
    for number, count in enumerate((0, 3)):
        (tmp_path / f"{number}.dat").write_text(point("a.sv", 1, "1", count))
    (row,) = line_coverage([tmp_path / "0.dat", tmp_path / "1.dat"])
    assert (row.covered, row.missed) == (1, ())
