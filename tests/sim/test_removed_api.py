# SPDX-License-Identifier: Apache-2.0
"""Names that cocotb 2 lost: each is truly absent, and each is named with its place."""

import importlib
from pathlib import Path

import pytest

from fw_tools.sim.removed_api import (
    REMOVED_NAMES,
    REMOVED_OF_HANDLE,
    REMOVED_OF_VALUE,
    removed_uses,
)

TEST = "import cocotb\n@cocotb.test()\nasync def t(dut):\n"


def exists(dotted: str) -> bool:
    """Tell whether the installed cocotb has a dotted name."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def uses(folder: Path, text: str, module: str = "test_old") -> list[str]:
    (folder / f"{module}.py").write_text(text)
    return [str(use).removeprefix(f"{folder}/") for use in removed_uses([module], [folder])]


@pytest.mark.parametrize("name", REMOVED_NAMES)
def test_what_is_called_removed_is_absent_from_the_installed_cocotb(name: str) -> None:
    assert not exists(name)


def test_what_is_called_removed_of_values_and_handles_is_absent() -> None:
    from cocotb.handle import LogicArrayObject
    from cocotb.types import Logic

    assert not [name for name in REMOVED_OF_VALUE if hasattr(Logic, name)]
    assert not [name for name in REMOVED_OF_HANDLE if hasattr(LogicArrayObject, name)]


@pytest.mark.parametrize(
    ("text", "line", "removed", "replacement"),
    [
        ("import cocotb\n\ncocotb.fork(x())\n", 3, "cocotb.fork", "cocotb.start_soon"),
        ("import cocotb as c\nc.fork(x())\n", 2, "cocotb.fork", "cocotb.start_soon"),
        ("from cocotb import fork\n", 1, "cocotb.fork", "cocotb.start_soon"),
        (
            "from cocotb.binary import BinaryValue\n",
            1,
            "cocotb.binary.BinaryValue",
            "cocotb.types.LogicArray",
        ),
        (
            "from cocotb.result import TestFailure\n",
            1,
            "cocotb.result.TestFailure",
            "assert CONDITION, MESSAGE",
        ),
        ("def f(dut):\n    dut.a <= 1\n", 2, "SIGNAL <= VALUE", "SIGNAL.value = VALUE"),
        (f"{TEST}    dut.a = 1\n", 4, "dut.a = VALUE", "dut.a.value = VALUE"),
        (f"{TEST}    dut.a.b[0].c = 1\n", 4, "dut.a.b[0].c = VALUE", "dut.a.b[0].c.value = VALUE"),
        ("x = dut.a.value.binstr\n", 1, ".value.binstr", "str(SIGNAL.value)"),
        (
            "import cocotb\n@cocotb.test()\ndef old(dut):\n    yield None\n",
            3,
            "tests that are generators (old)",
            "async def with await",
        ),
    ],
)
def test_a_use_is_named_with_file_line_and_new_spelling(
    tmp_path: Path, text: str, line: int, removed: str, replacement: str
) -> None:
    message = f"test_old.py:{line}: cocotb 2 removed {removed}; write {replacement}"
    assert uses(tmp_path, text) == [message]


@pytest.mark.parametrize(
    "text",
    [
        "import cocotb\ncocotb.start_soon(x())\nif a <= b: pass\n",
        "from cocotb.types import LogicArray\nassert x.value.to_unsigned() <= 3\n",
        f"{TEST}    dut.a.value = 1\n    dut._x = 1\n    dut.a.value.x = 1\n    me.a = dut.a\n",
        "def set_up(box):\n    box.a = 1\n",
        "fork()\nclass Fork:\n    binary = 1\n",
        "import mycocotb.binary\n",
    ],
)
def test_what_is_still_there_is_not_named(tmp_path: Path, text: str) -> None:
    assert uses(tmp_path, text) == []


def test_modules_that_a_bench_imports_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers" / "__init__.py").write_text("")
    (tmp_path / "drivers" / "old.py").write_text("import cocotb.decorators\n")
    found = uses(tmp_path, "from drivers import old\nimport os\n")
    assert [line.partition(" ")[0] for line in found] == ["drivers/old.py:1:"]


def test_a_file_that_is_no_python_says_nothing(tmp_path: Path) -> None:
    assert uses(tmp_path, "def f(:\n") == []
