# SPDX-License-Identifier: Apache-2.0
"""What came of a campaign: by outcome, by instance, by register."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fw_tools.spec.records import UpsetRates
from fw_tools.upset.campaign import Table
from fw_tools.upset.counts import counts_by_place
from fw_tools.upset.engine import NEVER, Array, Outcome
from fw_tools.upset.failures import FAILURES, FailuresPerDay, failures_per_day
from fw_tools.upset.faults import Sort
from fw_tools.upset.places import Place
from fw_tools.upset.plan import Plan, Stratum
from fw_tools.upset.statistics import clopper_pearson


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How often an outcome was seen, and between what its share of all faults lies."""

    outcome: Outcome
    found: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Case:
    """One injection that ended as it should not."""

    outcome: Outcome
    clock: int
    place: Place

    @property
    def name(self) -> str:
        """As `--replay` takes it: "1234:u_rail.u_state.code_q[3]"."""
        return f"{self.clock}:{self.place.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of the flips of one register or memory, or of the gates of one instance."""

    name: str
    places: int
    flips: int
    counts: tuple[int, ...]  # By `Outcome`.
    case: Case | None  # Its first unsafe one, else its first silent one.

    def count(self, outcomes: Iterable[Outcome]) -> int:
        """Return how many flips ended in one of `outcomes`."""
        return sum(self.counts[outcome] for outcome in outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The whole campaign."""

    flips: int
    faults: int
    is_exhaustive: bool
    sort: Sort
    confidence: float
    shares: tuple[Share, ...]
    rows: tuple[Row, ...]  # Of registers, worst first.
    modules: tuple[Row, ...]  # Of instances, worst first.
    unprotected: tuple[Row, ...]  # Of single bits or gates that were unsafe, silent or hung.
    latencies: tuple[tuple[int, int, int], ...]  # Clocks to an alarm: from, to, how many.
    daily: FailuresPerDay | None  # Where rates of upsets are known.
    latency_quantiles: tuple[int, ...]  # Clocks to an alarm: least, median, 99 %, most; or none.


def summarise(
    plan: Plan, table: Table, confidence: float, rates: UpsetRates | None, flip_flops: int
) -> Summary:
    """Return what came of a campaign on a machine that has `flip_flops`.

    An exhaustive one has no interval. Of a stratified one each instance has that of Clopper and
    Pearson at (1 - confidence) / instances, and the whole their sum by weight, which is wide.
    """
    counts = counts_by_place(plan.places, table)
    strata = plan.strata()
    is_told = np.isin(table.outcome, (Outcome.DETECTED, Outcome.OUTAGE)) & (table.effect != NEVER)
    alarms = table.effect[is_told]
    each = np.ones(len(alarms), np.int64) if table.weight is None else table.weight[is_told]
    return Summary(
        flips=plan.faults if plan.is_exhaustive else plan.jobs,
        faults=plan.faults,
        is_exhaustive=plan.is_exhaustive,
        sort=plan.sort,
        confidence=confidence,
        shares=tuple(
            _share(outcome, strata, _by_module(plan.places, counts[:, outcome]), confidence)
            for outcome in Outcome
        ),
        rows=tuple(
            _rows(plan.places, counts, lambda place: place.register, _cases(plan.places, table))
        ),
        modules=tuple(_rows(plan.places, counts, lambda place: place.module or "the top", {})),
        unprotected=tuple(_unprotected(plan.places, counts)),
        latencies=tuple(_latencies(alarms, each)),
        daily=(
            failures_per_day(plan, table, rates, flip_flops, confidence)
            if rates and plan.sort is Sort.FLIPS
            else None
        ),
        latency_quantiles=_quantiles(alarms, each),
    )


def _by_module(places: Sequence[Place], found: Array) -> dict[str, int]:
    modules: dict[str, int] = {}
    for place, count in zip(places, found.tolist(), strict=True):
        modules[place.module] = modules.get(place.module, 0) + count
    return modules


def _share(
    outcome: Outcome, strata: Sequence[Stratum], found: dict[str, int], confidence: float
) -> Share:
    faults = sum(stratum.faults for stratum in strata)
    share = low = high = 0.0
    each = 1 - (1 - confidence) / len(strata)
    for stratum in strata:
        weight, count = stratum.faults / faults, found[stratum.module]
        is_whole = stratum.drawn == stratum.faults
        seen = count / stratum.drawn
        ends = (seen, seen) if is_whole else clopper_pearson(count, stratum.drawn, each)
        share, low, high = share + weight * seen, low + weight * ends[0], high + weight * ends[1]
    return Share(outcome=outcome, found=sum(found.values()), share=share, low=low, high=high)


def _rows(
    places: Sequence[Place],
    counts: Array,
    name_of: Callable[[Place], str],
    cases: Mapping[str, Case],
) -> list[Row]:
    """Return what came of the places of each name, worst first."""
    members: dict[str, list[int]] = {}
    for index, place in enumerate(places):
        members.setdefault(name_of(place), []).append(index)
    rows = []
    for name, indices in members.items():
        total = counts[indices].sum(axis=0)
        rows.append(
            Row(
                name=name,
                places=len(indices),
                flips=int(total.sum()),
                counts=tuple(int(count) for count in total),
                case=cases.get(name),
            )
        )
    return sorted(rows, key=lambda row: [-row.counts[each] / max(row.flips, 1) for each in Outcome])


def _cases(places: Sequence[Place], table: Table) -> dict[str, Case]:
    """Return the case of each register that has one."""
    named = {place.number: place for place in places}
    cases: dict[str, Case] = {}
    for outcome in (Outcome.UNSAFE, Outcome.SILENT):
        found = np.flatnonzero(table.outcome == outcome)
        _, first = np.unique(table.place[found], return_index=True)
        for index in sorted(found[first].tolist()):
            place = named[int(table.place[index])]
            cases.setdefault(place.register, Case(outcome, int(table.cycle[index]), place))
    return cases


def _unprotected(places: Sequence[Place], counts: Array) -> list[Row]:
    rows = _rows(places, counts, lambda place: place.name, {})
    return [row for row in rows if row.count(FAILURES)]


def _latencies(values: Array, weights: Array) -> list[tuple[int, int, int]]:
    """Return first and last clock of each bin, which double in width, and how many are in it."""
    if not len(values):
        return []
    bins = np.ceil(np.log2(values.astype(np.float64) + 1)).astype(np.int64)
    counts = np.bincount(bins, weights).astype(np.int64).tolist()
    return [((1 << each) // 2, max((1 << each) - 1, 0), count) for each, count in enumerate(counts)]


def _quantiles(values: Array, weights: Array) -> tuple[int, ...]:
    if not len(values):
        return ()
    order = np.argsort(values)
    until = np.cumsum(weights[order])
    places = [int(share * (until[-1] - 1)) for share in (0, 0.5, 0.99, 1)]
    return tuple(int(each) for each in values[order][np.searchsorted(until, places, "right")])
