# SPDX-License-Identifier: Apache-2.0
"""A bench is left out only when none of its tests can match."""

from pathlib import Path

import pytest

from fw_tools.sim.selection import may_hold

PLAIN = "import cocotb\n@cocotb.test()\nasync def reads_back(dut): ...\n"


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        (PLAIN, "reads", True),
        (PLAIN, r"^test_a\.reads_back$", True),
        (PLAIN, "writes", False),
        (f"@cocotb.parametrize(x=[1])\n{PLAIN}", "x=1", True),
        (f"{PLAIN}\nfrom shared import *\n", "writes", True),
        (f"{PLAIN}\nfrom shared import writes\n", "writes", True),
        ("def f(:", "writes", True),
    ],
)
def test_only_a_certain_no_leaves_a_module_out(
    tmp_path: Path, text: str, pattern: str, expected: bool
) -> None:
    (tmp_path / "test_a.py").write_text(text)
    assert may_hold(pattern, ["test_a"], [tmp_path]) is expected


def test_a_module_that_is_not_found_is_tried(tmp_path: Path) -> None:
    assert may_hold("writes", ["nonesuch"], [tmp_path])
