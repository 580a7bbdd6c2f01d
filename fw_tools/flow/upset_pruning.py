# SPDX-License-Identifier: Apache-2.0
"""Classes of flips put to the test: members of them are injected themselves."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fw_tools.errors import VerificationError
from fw_tools.upset.campaign import Table
from fw_tools.upset.engine import NEVER, Array, Engine, Outcome
from fw_tools.upset.faults import Injector

if TYPE_CHECKING:
    from fw_tools.flow.upset import Prepared

_SALT = 3  # Of the seed.


def spot_check(prepared: "Prepared", table: Table, sample: int, seed: int) -> int:
    """Inject random members of random classes, each up to where its class was watched.

    Returns how many. Raises `VerificationError` for one that does not end as its class.
    """
    assert table.weight is not None  # Of a plan by classes.
    rng = np.random.default_rng([seed, _SALT])
    classes = np.flatnonzero(table.weight > 1)
    rows = np.sort(rng.choice(classes, min(sample, len(classes)), replace=False))
    earlier = rng.integers(1, table.weight[rows])
    index = {place.number: index for index, place in enumerate(prepared.places)}
    injector = Injector(prepared.faults)
    with Engine(prepared.library, prepared.inputs, prepared.initial) as engine:
        for row, clocks in zip(rows.tolist(), earlier.tolist(), strict=True):
            place = index[int(table.place[row])]
            cycle = int(table.cycle[row]) - clocks
            limits = replace(prepared.limits, horizon=prepared.limits.horizon + clocks)
            found = engine.run(injector.injections(np.array([cycle]), np.array([place])), limits)
            due = (int(table.outcome[row]), _later(int(table.effect[row]), clocks))
            if (int(found.outcome[0]), int(found.effect[0])) != due:
                raise VerificationError(
                    f"{cycle}:{prepared.places[place].name} ends as "
                    f"{_name(found.outcome)}, and its class as {_name(table.outcome[row:])}; "
                    "that is a fault of this program, so run again with --no-pruning"
                )
    return len(rows)


def _name(outcome: Array) -> str:
    return Outcome(outcome[0]).name.lower()


def _later(effect: int, clocks: int) -> int:
    return NEVER if effect == NEVER else effect + clocks
