# SPDX-License-Identifier: Apache-2.0
"""Failures in a day: of each kind of bit how many there are, how often one flips, what comes of it.

The clocks of the stimulus stand for the whole day. Of a sample, every instance is known to within
the interval of Clopper and Pearson at (1 - confidence) / instances, and the sum to within their
sum, which is wide. A kind of bit that has no sample in an instance may fail always or never.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fw_tools.spec.records import UpsetRates
from fw_tools.upset.campaign import Table
from fw_tools.upset.counts import counts_by_place
from fw_tools.upset.engine import Array, Outcome
from fw_tools.upset.places import Place
from fw_tools.upset.plan import Plan
from fw_tools.upset.statistics import clopper_pearson

FAILURES = (Outcome.UNSAFE, Outcome.SILENT, Outcome.HANG)
_ROWS: dict[str, tuple[Outcome, ...]] = {
    "failures": FAILURES,
    "unsafe": (Outcome.UNSAFE,),
    "silent": (Outcome.SILENT,),
    "hang": (Outcome.HANG,),
    "detected": (Outcome.DETECTED,),
    "outage": (Outcome.OUTAGE,),
}


@dataclass(frozen=True, slots=True)
class Daily:
    """How often in a day something happens, and between what it lies."""

    name: str
    per_day: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FailuresPerDay:
    """What a campaign tells of a day in orbit."""

    rates: UpsetRates
    flip_flops: int  # That were flipped.
    memory_bits: int
    confidence: float
    is_exhaustive: bool
    rows: tuple[Daily, ...]

    @property
    def upsets(self) -> float:
        """How many upsets there are in a day."""
        return self.flip_flops * self.rates.flip_flop + self.memory_bits * self.rates.memory

    @property
    def configuration_upsets(self) -> float | None:
        """How many upsets the configuration memory has in a day, which no campaign follows."""
        bits = self.rates.configuration_bits
        return None if bits is None else bits * self.rates.configuration


@dataclass(frozen=True, slots=True)
class _Group:
    """Bits of one kind in one instance."""

    bits: int
    rate: float
    counts: Array  # By outcome.

    def daily(self, outcomes: Sequence[Outcome], confidence: float | None) -> tuple[float, ...]:
        """Return how often in a day, and both ends; None: all of its flips were done."""
        drawn, found = int(self.counts.sum()), int(self.counts[list(outcomes)].sum())
        if drawn == 0:
            shares = (0.5, 0.0, 1.0)
        elif confidence is None:
            shares = (found / drawn,) * 3
        else:
            shares = (found / drawn, *clopper_pearson(found, drawn, confidence))
        return tuple(self.bits * self.rate * share for share in shares)


def failures_per_day(
    plan: Plan, table: Table, rates: UpsetRates, flip_flops: int, confidence: float
) -> FailuresPerDay:
    """Return what flips of stored bits come to in a day.

    `flip_flops` is how many the machine has: places count on from there through its memories.
    """
    groups = _groups(plan.places, counts_by_place(plan.places, table), rates, flip_flops)
    each = None if plan.is_exhaustive else 1 - (1 - confidence) / len(groups)
    rows = []
    for name, outcomes in _ROWS.items():
        parts = np.array([group.daily(outcomes, each) for group in groups])
        rows.append(Daily(name, *map(float, parts.sum(axis=0))))
    in_flip_flops = sum(place.number < flip_flops for place in plan.places)
    return FailuresPerDay(
        rates=rates,
        flip_flops=in_flip_flops,
        memory_bits=len(plan.places) - in_flip_flops,
        confidence=confidence,
        is_exhaustive=plan.is_exhaustive,
        rows=tuple(rows),
    )


def _groups(
    places: Sequence[Place], counts: Array, rates: UpsetRates, flip_flops: int
) -> list[_Group]:
    members: dict[tuple[str, bool], list[int]] = {}
    for index, place in enumerate(places):
        members.setdefault((place.module, place.number >= flip_flops), []).append(index)
    return [
        _Group(
            len(indices),
            rates.memory if is_memory else rates.flip_flop,
            counts[indices].sum(axis=0),
        )
        for (_, is_memory), indices in members.items()
    ]
