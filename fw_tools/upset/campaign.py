# SPDX-License-Identifier: Apache-2.0
"""A plan carried out: tasks by several processes, each result kept at once.

Whoever is killed at any moment goes on where the last whole task ended, and ends with the same
results as if nothing had happened; so does another number of processes.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fw_tools.errors import InputError, MissingToolError
from fw_tools.upset.engine import NEVER, NOT_RUN, Array, Engine, Injections, Limits
from fw_tools.upset.plan import Plan
from fw_tools.upset.remote import remote_columns
from telemetry.common.files import make_folder, write_atomically, write_text

if TYPE_CHECKING:
    import pyarrow as pa

_RECORD = "campaign.json"
_TASKS = "tasks"
RESULTS = "results.parquet"

_COLUMNS = ("cycle", "place", "outcome", "effect", "kind", "weight")

Progress = Callable[[int], None]  # Of how many injections more is known.


@dataclass(frozen=True, slots=True)
class Setting:
    """What every process needs for a task."""

    library: Path
    inputs: Array  # uint8, (clocks, input bits)
    initial: Array  # uint8, of every stored bit
    limits: Limits
    plan: Plan


@dataclass(frozen=True, slots=True)
class Table:
    """What came of every injection, in the order of the plan."""

    cycle: Array
    place: Array
    outcome: Array  # `Outcome`
    effect: Array
    kind: Array  # `Kind`
    weight: Array | None = None  # How many injections each stands for; None: one.


def run_campaign(
    setting: Setting, folder: Path, processes: int, progress: Progress, scheduler: str = ""
) -> Table:
    """Do what `folder`, which was claimed, does not hold yet, and return everything.

    By so many processes, or by the workers of dask's `scheduler`, with the same results.
    """
    done = [number for number in range(setting.plan.tasks) if _path(folder, number).exists()]
    for number in done:
        progress(len(setting.plan.task(number)))
    left = sorted(set(range(setting.plan.tasks)) - set(done))
    doing = (
        _do_remotely(setting, folder, left, scheduler)
        if scheduler and left
        else _do(setting, folder, left, processes)
    )
    for injections in doing:
        progress(injections)
    return _collect(setting.plan, folder)


def claimed_plan(folder: Path, digest: str) -> dict[str, Any] | None:
    """Return the plan that `folder` holds results of; None: it holds nothing yet.

    `digest` is that of the design, its stimulus and what is looked at.

    Raises:
        InputError: `folder` holds results of something else.
        MissingToolError: pyarrow is not installed.
    """
    _require_pyarrow()
    record = folder / _RECORD
    if not record.exists():
        return None
    known = json.loads(record.read_text())
    if known.get("digest") != digest:
        raise InputError(
            f"{folder}: holds results of another design, stimulus or plan; "
            "name another folder with -o, or remove this one"
        )
    plan: dict[str, Any] = known["plan"]
    return plan


def claim(folder: Path, digest: str, plan: dict[str, Any]) -> None:
    """Say in `folder` what its results are of."""
    make_folder(folder / _TASKS)
    write_text(folder / _RECORD, json.dumps({"digest": digest, "plan": plan}, indent=1) + "\n")


def _require_pyarrow() -> None:
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise MissingToolError(
            "results are kept as Parquet: pip install 'fw-tools[archive]'"
        ) from None


def _path(folder: Path, number: int) -> Path:
    return folder / _TASKS / f"{number:06d}.parquet"


def _do(setting: Setting, folder: Path, left: list[int], processes: int) -> Iterator[int]:
    """Yield how many injections each task had, when it is kept."""
    if processes == 1 or len(left) <= 1:
        _begin(setting, folder)
        for number in left:
            yield _task(number)
        _finish()
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, _begin_child, (setting, folder)) as pool:
        waiting: set[Future[int]] = {pool.submit(_task, number) for number in left}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for each in done:
                    yield each.result()
        except BaseException:
            running = list(pool._processes.values())  # There is no other way; none is left after.
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                with suppress(OSError):
                    process.terminate()
                    process.join()
            _sweep(folder)
            raise


def _sweep(folder: Path) -> None:
    """Remove what processes that were ended had not finished."""
    for draft in (folder / _TASKS).glob(".*"):
        draft.unlink(missing_ok=True)


def _do_remotely(setting: Setting, folder: Path, left: list[int], scheduler: str) -> Iterator[int]:
    for number, columns in remote_columns(setting, left, scheduler):
        _keep(columns, _path(folder, number))
        yield len(columns["cycle"])


_state: dict[str, Any] = {}  # Of this process.


def _begin_child(setting: Setting, folder: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent ends us.
    _begin(setting, folder)


def _begin(setting: Setting, folder: Path) -> None:
    _state.update(
        setting=setting,
        folder=folder,
        engine=Engine(setting.library, setting.inputs, setting.initial),
    )


def _finish() -> None:
    _state.pop("engine").close()
    _state.clear()


def _task(number: int) -> int:
    columns = columns_of(_state["setting"], _state["engine"], number)
    _keep(columns, _path(_state["folder"], number))
    return len(columns["cycle"])


def columns_of(setting: Setting, engine: Engine, number: int) -> dict[str, Array]:
    """Do a task and return the columns of its table."""
    injections = setting.plan.task(number)
    outcome, effect = _outcomes(engine, injections, setting.limits)
    return {
        "cycle": injections.cycle,
        "kind": injections.kind,
        "place": injections.called,
        "outcome": outcome,
        "effect": effect,
        "weight": injections.weight,
    }


def _outcomes(engine: Engine, injections: Injections, limits: Limits) -> tuple[Array, Array]:
    """Run what has to be run; the rest is known by rule."""
    if injections.ruled is None:
        results = engine.run(injections, limits)
        return results.outcome, results.effect
    left = np.flatnonzero(injections.ruled == NOT_RUN)
    results = engine.run(injections.some(left), limits)
    outcome, effect = injections.ruled.copy(), np.full(len(injections), NEVER, np.uint32)
    outcome[left], effect[left] = results.outcome, results.effect
    return outcome, effect


def _keep(columns: dict[str, Array], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with write_atomically(path, "wb") as stream:
        pq.write_table(pa.table(columns), stream, compression="zstd")


def _collect(plan: Plan, folder: Path) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = [pq.read_table(_path(folder, number)) for number in range(plan.tasks)]
    whole = pa.concat_tables(parts)
    if len(whole) != plan.jobs:
        raise InputError(f"{folder}: holds {len(whole)} of {plan.jobs} results; remove it")
    with write_atomically(folder / RESULTS, "wb") as stream:
        pq.write_table(whole, stream, compression="zstd")
    return _table(whole)


def read_table(path: Path) -> Table:
    """Return the results that a campaign has left."""
    import pyarrow.parquet as pq

    return _table(pq.read_table(path))


def _table(whole: "pa.Table") -> Table:
    return Table(*(np.asarray(whole[name]) for name in _COLUMNS))


def workers() -> int:
    """Return how many processes are worth while."""
    return len(os.sched_getaffinity(0))
