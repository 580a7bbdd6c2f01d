# SPDX-License-Identifier: Apache-2.0
"""A short sample of upsets of each generated block, as rows of a report."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fw_tools.errors import MissingToolError
from fw_tools.flow.upset import FIRST_CLOCK, Choice, Prepared, prepare_block
from fw_tools.report.records import BenchSummary, Status, TestRecord
from fw_tools.rtl.block_worlds import blocks_of
from fw_tools.sim.scheduler import BenchResult, Observer, bench_folder
from fw_tools.spec.hardening import SEQUENCER, Harden, Hardening
from fw_tools.spec.records import Payload
from fw_tools.upset.campaign import Table
from fw_tools.upset.engine import Engine, Outcome
from fw_tools.upset.plan import Stratified
from fw_tools.upset.summary import Share, Summary, summarise

PREFIX = "upsets_"  # Of the name of a row.
MARGIN = 0.03  # 1,067 flips of each instance: shares of some 0.7 % are told from none.
_PPM = 1_000_000
_WORST = 3  # Registers named.
_CLAIMS = {
    Outcome.UNSAFE: "No upset leads to what must never be.",
    Outcome.SILENT: "Wrong data without an alarm stays within its bound.",
    Outcome.HANG: "What is handed over goes on, but for the share in the bound.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What is sampled, and where it goes."""

    payload: Payload
    generated: Sequence[Path]  # The sources as they stand.
    output: Path
    seed: int
    pattern: str = ""  # Of the names of rows.

    def names(self) -> list[str]:
        """Return the names of the rows that are asked for."""
        names = [PREFIX + block for block in blocks_of(self.payload)]
        return [name for name in names if re.search(self.pattern, name)]


def sample_upsets(sampling: Sampling, observer: Observer) -> Iterator[BenchResult]:
    """Yield the row of each block; without the tools it takes, a row that says so."""
    for name in sampling.names():
        observer.started(name, "run")
        result = _sample(sampling, name)
        observer.finished(name, result.records)
        yield result


def _sample(sampling: Sampling, name: str) -> BenchResult:
    hardening = sampling.payload.hardening(name.removeprefix(PREFIX))
    started = time.monotonic()
    try:
        summary, top = _campaign(sampling, hardening.block, bench_folder(sampling.output, name))
    except MissingToolError as error:
        record = _record(name, "sample", Status.SKIPPED, str(error))
        return BenchResult(
            summary=_row(name, "", "Flips of stored bits; not run."), records=(record,)
        )
    seconds = time.monotonic() - started
    records = tuple(_records(name, summary, hardening, seconds))
    return BenchResult(summary=_row(name, top, _words(summary, hardening)), records=records)


def _campaign(sampling: Sampling, block: str, folder: Path) -> tuple[Summary, str]:
    choice = Choice(block=block, margin=MARGIN, seed=sampling.seed, is_exhaustive=False)
    prepared = prepare_block(sampling.payload, folder, choice, sampling.generated)
    plan = Stratified(
        prepared.faults,
        FIRST_CLOCK,
        prepared.end_clock,
        margin=choice.margin,
        confidence=choice.confidence,
        seed=choice.seed,
    )
    flip_flops = len(prepared.machine.flip_flops)
    summary = summarise(plan, _table(prepared, plan), choice.confidence, None, flip_flops)
    return summary, prepared.machine.top


def _table(prepared: Prepared, plan: Stratified) -> Table:
    parts = []
    with Engine(prepared.library, prepared.inputs, prepared.initial) as engine:
        for number in range(plan.tasks):
            jobs = plan.task(number)
            done = engine.run(jobs, prepared.limits)
            parts.append((jobs.cycle, jobs.called, done.outcome, done.effect, jobs.kind))
    return Table(*(np.concatenate(column) for column in zip(*parts, strict=True)))


# --- The verdict


def _records(
    name: str, summary: Summary, hardening: Hardening, seconds: float
) -> Iterator[TestRecord]:
    claims = [
        each for each in _CLAIMS if each is not Outcome.UNSAFE or hardening.block == SEQUENCER
    ]
    for outcome in claims:
        share = next(each for each in summary.shares if each.outcome is outcome)
        complaint = _complaint(share, summary, hardening)
        yield TestRecord(
            bench=name,
            test=outcome.name.lower(),
            status=Status.FAILED if complaint else Status.PASSED,
            seconds=seconds / len(claims),
            message=complaint,
            description=_CLAIMS[outcome],
        )


def _complaint(share: Share, summary: Summary, hardening: Hardening) -> str:
    """Return what is wrong with a share; "" where nothing is."""
    bound = _bound(share.outcome, hardening)
    if (share.high if bound else share.found) <= bound:
        return ""
    worst = [row for row in summary.rows if row.counts[share.outcome]]
    worst.sort(key=lambda row: row.counts[share.outcome] / row.flips, reverse=True)
    word = share.outcome.name.lower()
    allowed = f"at most {bound:.2%} ([{hardening.block}] upset_bound)" if bound else "none may be"
    verdict = (
        f"{share.found:,} of {summary.flips:,} flips are {word}, {share.low:.2%} to "
        f"{share.high:.2%} of all; {allowed} where harden is {hardening.harden}"
    )
    places = [
        f"{row.name}: {row.counts[share.outcome]:,} of {row.flips:,}" for row in worst[:_WORST]
    ]
    closer = f"look closer: fw-tools upset SPEC --block {hardening.block} --fail-on {word}"
    return "\n".join([verdict, *places, closer])


def _bound(outcome: Outcome, hardening: Hardening) -> float:
    if outcome is Outcome.UNSAFE or hardening.harden is Harden.TMR:
        return 0.0
    bound = hardening.bound
    return (bound.silent_ppm if outcome is Outcome.SILENT else bound.hang_ppm) / _PPM


def _words(summary: Summary, hardening: Hardening) -> str:
    shares = [each for each in summary.shares if each.found]
    told = ", ".join(f"{each.outcome.name.lower()} {each.share:.2%}" for each in shares)
    return f"{summary.flips:,} flips of stored bits, harden {hardening.harden}: {told}."


def _row(name: str, top: str, purpose: str) -> BenchSummary:
    return BenchSummary(name=name, top=top, purpose=purpose, build_seconds=None, is_cached=False)


def _record(name: str, test: str, status: Status, message: str) -> TestRecord:
    return TestRecord(bench=name, test=test, status=status, seconds=0.0, message=message)
