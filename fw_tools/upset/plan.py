# SPDX-License-Identifier: Apache-2.0
"""Which faults happen in which clocks: all, or so many of each instance.

A plan is cut into tasks, each made from its number alone, so that they may be done in any order, by
anybody, and again.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from fw_tools.upset.engine import Injections
from fw_tools.upset.faults import Faults, Injector
from fw_tools.upset.places import modules_of
from fw_tools.upset.statistics import sample_size

JOBS_PER_TASK = 200_000


@dataclass(frozen=True, slots=True)
class Stratum:
    """An instance, how many faults it can have, and how many of them are injected."""

    module: str
    faults: int
    drawn: int


class Plan(ABC):
    """Faults of one sort, each in every clock or in some."""

    def __init__(self, faults: Faults, first_clock: int, end_clock: int) -> None:
        self.places, self.sort = faults.places, faults.sort
        self.first_clock, self.end_clock = first_clock, end_clock
        self._injector = Injector(faults)

    @property
    def clocks(self) -> int:
        """In how many clocks a fault can happen."""
        return self.end_clock - self.first_clock

    @property
    def faults(self) -> int:
        """How many faults there are."""
        return self.clocks * len(self.places)

    @property
    def is_exhaustive(self) -> bool:
        """Whether the outcome of every fault is known in the end."""
        return self.jobs == self.faults

    @property
    def tasks(self) -> int:
        """Into how many tasks it is cut."""
        return -(-self.jobs // JOBS_PER_TASK)

    @property
    @abstractmethod
    def jobs(self) -> int:
        """How many faults are injected."""

    @abstractmethod
    def strata(self) -> list[Stratum]:
        """What is injected into each instance."""

    @abstractmethod
    def task(self, number: int) -> Injections:
        """Return the injections of a task, by clock."""


class Exhaustive(Plan):
    """Every fault in every clock."""

    @property
    def jobs(self) -> int:
        """How many faults are injected."""
        return self.faults

    def strata(self) -> list[Stratum]:
        """What is injected into each instance: all."""
        sizes = {name: len(found) * self.clocks for name, found in modules_of(self.places).items()}
        return [Stratum(name, size, size) for name, size in sizes.items()]

    def task(self, number: int) -> Injections:
        """Return the injections of a task, by clock."""
        end = min((number + 1) * JOBS_PER_TASK, self.jobs)
        job = np.arange(number * JOBS_PER_TASK, end, dtype=np.int64)
        clock, index = np.divmod(job, len(self.places))
        return self._injector.injections(clock + self.first_clock, index)


class Stratified(Plan):
    """So many faults and clocks of each instance, drawn without putting back."""

    def __init__(
        self,
        of: Faults,
        first_clock: int,
        end_clock: int,
        *,
        margin: float,
        confidence: float,
        seed: int,
    ) -> None:
        super().__init__(of, first_clock, end_clock)
        self._strata = []
        drawn = []
        index_of = {place: index for index, place in enumerate(self.places)}
        rng = np.random.default_rng(seed)
        for module, found in sorted(modules_of(self.places).items()):
            faults = len(found) * self.clocks
            size = sample_size(faults, margin, confidence)
            self._strata.append(Stratum(module, faults, size))
            clock, which = np.divmod(rng.choice(faults, size, replace=False), len(found))
            indices = np.array([index_of[place] for place in found])
            drawn.append(clock * len(self.places) + indices[which])
        self._drawn = np.sort(np.concatenate(drawn))

    @property
    def jobs(self) -> int:
        """How many faults are injected."""
        return len(self._drawn)

    def strata(self) -> list[Stratum]:
        """What is injected into each instance: by Leveugle's formula."""
        return self._strata

    def task(self, number: int) -> Injections:
        """Return the injections of a task, by clock."""
        part = self._drawn[number * JOBS_PER_TASK : (number + 1) * JOBS_PER_TASK]
        clock, index = np.divmod(part, len(self.places))
        return self._injector.injections(clock + self.first_clock, index)
