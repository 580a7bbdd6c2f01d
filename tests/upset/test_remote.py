# SPDX-License-Identifier: Apache-2.0
"""Campaigns handed to dask's workers end as those done here."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from distributed import LocalCluster

from fw_tools.errors import MissingToolError
from fw_tools.flow.upset import Choice, make_plan, prepare_own, run
from fw_tools.upset import plan as plans
from fw_tools.upset.campaign import RESULTS
from fw_tools.upset.summary import Summary

OUTCOMES = Path(__file__).parent / "designs" / "outcomes.sv"


def campaign(folder: Path, scheduler: str = "", processes: int = 1) -> Summary:
    folder.mkdir()
    choice = Choice(
        clocks=2000, horizon=100, hang_after=50, is_exhaustive=True, lanes=64, scheduler=scheduler
    )
    prepared = prepare_own([OUTCOMES], "outcomes", choice)
    plan, _ = make_plan(prepared, folder, choice)
    assert plan.tasks > 5
    return run(prepared, plan, folder, choice, processes, lambda _: None)


def test_dasks_workers_find_what_one_process_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "JOBS_PER_TASK", 10_000)
    here = campaign(tmp_path / "here")
    with LocalCluster(
        n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None,
        host="127.0.0.1", protocol="tcp",
    ) as cluster:  # fmt: skip
        there = campaign(tmp_path / "there", cluster.scheduler_address)
    assert there == here
    tables = [pq.read_table(tmp_path / name / RESULTS) for name in ("here", "there")]
    assert tables[0].equals(tables[1])


def test_a_scheduler_that_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "JOBS_PER_TASK", 10_000)
    monkeypatch.setattr("fw_tools.upset.remote._PATIENCE_S", 1)
    with pytest.raises(MissingToolError, match=r"tcp://127.0.0.1:9: no dask scheduler answers"):
        campaign(tmp_path / "there", "tcp://127.0.0.1:9")
