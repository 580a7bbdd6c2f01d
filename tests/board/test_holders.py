# SPDX-License-Identifier: Apache-2.0
"""Who has a file open, while processes come and go."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fw_tools.board.holders import openings

HOLDER = "import sys; held = open(sys.argv[1]); print(flush=True); sys.stdin.read()"


def test_each_opening_of_each_process_counts(tmp_path: Path) -> None:
    path = tmp_path / "port"
    path.touch()
    with (
        path.open(),
        path.open(),
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other,
    ):
        assert other.stdout
        other.stdout.readline()
        assert sorted(openings(path)) == sorted([os.getpid(), os.getpid(), other.pid])
        other.communicate()
    assert list(openings(path)) == []


def test_a_process_that_ends_meanwhile_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, listdir = tmp_path / "port", os.listdir
    path.touch()

    def with_one_that_is_gone(folder: Path) -> list[str]:
        return listdir(folder) + ["99999999"] * (Path(folder) == Path("/proc"))

    monkeypatch.setattr(os, "listdir", with_one_that_is_gone)
    with path.open():
        assert list(openings(path)) == [os.getpid()]
