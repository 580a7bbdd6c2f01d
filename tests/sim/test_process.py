# SPDX-License-Identifier: Apache-2.0
"""No process outlives the run that started it."""

import os
import threading
import time
from pathlib import Path

import pytest

from fw_tools.sim.process import Ended, InterruptedRunError, Processes

# Starts a child that ignores SIGTERM, notes both numbers, and waits.
FAMILY = "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >> pids; sleep 60' & echo $$ >> pids; wait"


def run(processes: Processes, script: str, folder: Path, timeout_s: float | None = None) -> Ended:
    return processes.run(
        ["sh", "-c", script],
        folder=folder,
        environment=os.environ,
        log=folder / "log",
        timeout_s=timeout_s,
    )


def living(folder: Path) -> list[int]:
    """Return which of the noted processes live on; a zombie does not, nor one that is ending."""
    pids = [int(line) for line in (folder / "pids").read_text().split()]
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        pids = [pid for pid in pids if _state(pid) not in ("", "Z", "X")]
        if not pids:
            break
        time.sleep(0.02)
    return pids


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_for_family(folder: Path) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if (folder / "pids").is_file() and len((folder / "pids").read_text().split()) == 2:
            return
        time.sleep(0.02)
    pytest.fail("the family did not start")


def test_output_and_exit_code_are_kept(tmp_path: Path) -> None:
    ended = run(Processes(), "echo one; echo two >&2; exit 3", tmp_path)
    assert (ended.exit_code, ended.is_timed_out) == (3, False)
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_a_time_out_ends_the_whole_family(tmp_path: Path) -> None:
    ended = run(Processes(), FAMILY, tmp_path, timeout_s=0.5)
    assert ended.is_timed_out
    assert ended.exit_code < 0
    assert living(tmp_path) == []


def test_what_a_process_leaves_behind_is_ended_with_it(tmp_path: Path) -> None:
    run(Processes(), "sleep 60 & echo $! >> pids", tmp_path)
    assert living(tmp_path) == []


def test_end_all_ends_families_and_lets_none_start(tmp_path: Path) -> None:
    processes = Processes()
    raised: list[type[BaseException]] = []

    def work() -> None:
        try:
            run(processes, FAMILY, tmp_path)
        except InterruptedRunError as error:
            raised.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    wait_for_family(tmp_path)
    processes.end_all()
    thread.join(5)
    assert raised == [InterruptedRunError]
    assert living(tmp_path) == []
    with pytest.raises(InterruptedRunError):
        run(processes, "true", tmp_path)
