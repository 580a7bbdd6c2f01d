# SPDX-License-Identifier: Apache-2.0
"""Flips in memories by classes: between two accesses of a word it does not matter when it flips.

Golden reads and writes each word in known clocks. Up to the next of them a flip touches nothing, so
that all flips of a bit since the access before are one class: one injection, in the clock of the
access, stands for them. It is watched from that clock on.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fw_tools.upset.engine import NOT_RUN, Array, Injections, Outcome
from fw_tools.upset.faults import Faults
from fw_tools.upset.machine import Machine
from fw_tools.upset.places import modules_of
from fw_tools.upset.plan import JOBS_PER_TASK, Exhaustive, Plan, Stratum

_WHOLE_WRITE = 2  # And nothing else in that clock.


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """Classes of flips in words; an array each."""

    word: Array  # Through all memories.
    clock: Array  # Of the injection that stands for them, the last of them.
    length: Array  # Clocks in which a flip belongs to it.
    ruled: Array  # `Outcome` where it is known without a run, else `NOT_RUN`.


def classes_of(accesses: Array, words: Array, first_clock: int, end_clock: int) -> Classes:
    """Return the classes of flips of `words` from `first_clock` to before `end_clock`.

    `accesses` are those of `Engine.accesses`. A word that is written whole before it is read makes
    a flip masked; one that is not accessed up to the end of the stimulus leaves it latent.
    """
    found: list[tuple[int, int, int, int]] = []
    of_word = _by_word(accesses)
    for word in words.tolist():
        clocks, kinds = of_word.get(word, (np.zeros(0, int), np.zeros(0, int)))
        kept = clocks >= first_clock
        clocks, kinds = clocks[kept], kinds[kept]
        inside = clocks < end_clock
        ends = [*clocks[inside].tolist(), end_clock - 1]
        ruled = np.where(kinds[inside] == _WHOLE_WRITE, Outcome.MASKED, NOT_RUN).tolist()
        ruled.append(Outcome.LATENT if inside.all() else NOT_RUN)
        for (before, end), rule in zip(pairwise([first_clock - 1, *ends]), ruled, strict=True):
            if end > before:
                found.append((word, end, end - before, rule))
    columns = np.array(found, np.int64).reshape(-1, 4)
    return Classes(
        word=columns[:, 0], clock=columns[:, 1], length=columns[:, 2], ruled=columns[:, 3]
    )


def _by_word(accesses: Array) -> dict[int, tuple[Array, Array]]:
    """Return by word the clocks in which it is accessed, and everything that is done in each."""
    order = np.lexsort((accesses[:, 0], accesses[:, 1]))
    clock, word, access = accesses[order].astype(np.int64).T
    if not len(order):
        return {}
    is_new = np.concatenate(([True], (np.diff(word) != 0) | (np.diff(clock) != 0)))
    starts = np.flatnonzero(is_new)
    kinds = np.bitwise_or.reduceat(access, starts)
    clock, word = clock[starts], word[starts]
    cuts = np.flatnonzero(np.diff(word)) + 1
    parts = zip(np.split(clock, cuts), np.split(kinds, cuts), strict=True)
    return dict(zip(word[np.concatenate(([0], cuts))].tolist(), parts, strict=True))


class Classed(Plan):
    """Every flip-flop in every clock, and of memories every class of flips."""

    def __init__(
        self, faults: Faults, machine: Machine, accesses: Array, first_clock: int, end_clock: int
    ) -> None:
        super().__init__(faults, first_clock, end_clock)
        first_bit = len(machine.flip_flops)
        flip_flops = tuple(place for place in faults.places if place.number < first_bit)
        self._flat = (
            Exhaustive(Faults(places=flip_flops), first_clock, end_clock) if flip_flops else None
        )
        index = np.array([i for i, p in enumerate(faults.places) if p.number >= first_bit])
        word = _words(machine)[np.array([faults.places[i].number for i in index]) - first_bit]
        order = np.argsort(word, kind="stable")
        self._bits, self._word = index[order], word[order]
        classes = classes_of(accesses, np.unique(word), first_clock, end_clock)
        self._expand(classes)

    def _expand(self, classes: Classes) -> None:
        """Lay out an injection for each class and each bit of its word, by clock."""
        start = np.searchsorted(self._word, classes.word)
        width = np.searchsorted(self._word, classes.word, side="right") - start
        job_class = np.repeat(np.arange(len(classes.word)), width)
        within = np.arange(len(job_class)) - np.repeat(np.cumsum(width) - width, width)
        order = np.argsort(classes.clock[job_class], kind="stable")
        job_class = job_class[order]
        self._clock = classes.clock[job_class].astype(np.uint32)
        self._index = self._bits[start[job_class] + within[order]]
        self._weight = classes.length[job_class].astype(np.uint32)
        self._ruled = classes.ruled[job_class].astype(np.uint8)

    @property
    def is_exhaustive(self) -> bool:
        """Every fault has its class."""
        return True

    @property
    def jobs(self) -> int:
        """How many injections stand for all faults."""
        return (self._flat.jobs if self._flat else 0) + len(self._clock)

    @property
    def tasks(self) -> int:
        """Into how many tasks it is cut."""
        return self._flat_tasks - (-len(self._clock) // JOBS_PER_TASK)

    @property
    def _flat_tasks(self) -> int:
        return self._flat.tasks if self._flat else 0

    def strata(self) -> list[Stratum]:
        """What is known of each instance: all."""
        sizes = {name: len(found) * self.clocks for name, found in modules_of(self.places).items()}
        return [Stratum(name, size, size) for name, size in sizes.items()]

    def task(self, number: int) -> Injections:
        """Return the injections of a task, by clock."""
        if self._flat is not None and number < self._flat_tasks:
            return self._flat.task(number)
        start = (number - self._flat_tasks) * JOBS_PER_TASK
        part = slice(start, start + JOBS_PER_TASK)
        return self._injector.injections(
            self._clock[part],
            self._index[part],
            weights=self._weight[part],
            ruled=self._ruled[part],
        )


def _words(machine: Machine) -> Array:
    """Return the word, through all memories, of each bit of memories."""
    widths = [memory.width for memory in machine.memories for _ in range(memory.depth)]
    return np.repeat(np.arange(len(widths)), widths)
