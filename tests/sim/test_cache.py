# SPDX-License-Identifier: Apache-2.0
"""The cache folder: where it is, and what is removed when it grows."""

import os
import threading
import time
from pathlib import Path

import pytest

from fw_tools.sim.cache import cache_folder, limit_bytes, locked, mark_used, trim


def put(folder: Path, name: str, size: int, used_at: float) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (used_at, used_at))
    return path


def test_the_folder_follows_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FW_TOOLS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_folder() == Path("/x/fw-tools")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "fw-tools"
    monkeypatch.setenv("FW_TOOLS_CACHE", "/y")
    assert cache_folder() == Path("/y")


@pytest.mark.parametrize(
    ("text", "size"), [("5", 5_000_000), ("", 2_048_000_000), ("x", 2_048_000_000)]
)
def test_the_limit_is_given_in_megabytes(
    monkeypatch: pytest.MonkeyPatch, text: str, size: int
) -> None:
    monkeypatch.setenv("FW_TOOLS_CACHE_MB", text)
    assert limit_bytes() == size


def test_the_entries_unused_for_longest_go_first(tmp_path: Path) -> None:
    now = time.time()
    old = put(tmp_path, "objects/old.o", 400, now - 300)
    middle = put(tmp_path, "builds/middle.program/sim", 400, now - 200).parent
    os.utime(middle, (now - 200, now - 200))
    new = put(tmp_path, "objects/new.o", 400, now - 100)
    assert trim(tmp_path, 1200) == 0
    mark_used(old)
    assert trim(tmp_path, 900) == 1
    assert (old.exists(), middle.exists(), new.exists()) == (True, False, True)
    assert trim(tmp_path, 0) == 2
    assert not old.exists()
    assert not new.exists()


def test_only_abandoned_locks_are_removed(tmp_path: Path) -> None:
    now = time.time()
    held = put(tmp_path, "objects/held.o.lock", 0, now)
    abandoned = put(tmp_path, "objects/abandoned.o.lock", 0, now - 7200)
    trim(tmp_path, 0)
    assert (held.exists(), abandoned.exists()) == (True, False)


def test_a_lock_keeps_the_second_waiting_which_is_told_for_how_long(tmp_path: Path) -> None:
    order: list[str] = []
    waits: list[float] = []
    lock = tmp_path / "a.lock"
    lock.touch()
    os.utime(lock, (0, 0))  # Of an earlier holder.

    def second() -> None:
        time.sleep(0.2)
        with locked(lock, waits.append):
            order.append("second")

    with locked(lock):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.5)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
    (waited,) = waits
    assert 0.1 < waited < 60
    with locked(lock, waits.append):
        assert waits == [waited]
