# SPDX-License-Identifier: Apache-2.0
"""What came of an injection, worked out from two traces: golden's and the faulty run's.

This knows the definitions and nothing of the engine, so that the two can be compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fw_tools.upset.engine import NEVER, Array, Limits, Outcome


@dataclass(frozen=True, slots=True)
class Trace:
    """The outputs of a run by role: bool, a row for each clock."""

    roles: Mapping[str, Array]

    def shows(self, role: str) -> Array:
        """Return in which clocks any output of a role is high."""
        return np.asarray(self.roles[role].any(axis=1))

    @property
    def accepts(self) -> Array:
        """Return in which clocks data is handed over: in every one where no output tells."""
        accepted = self.roles["ACCEPTED"]
        return self.shows("ACCEPTED") if accepted.shape[1] else np.ones(len(accepted), bool)

    def part(self, first: int, clocks: int) -> "Trace":
        """Return `clocks` clocks from `first` on."""
        return Trace({role: rows[first : first + clocks] for role, rows in self.roles.items()})


class Golden:
    """Golden's whole run, and what it hands over."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        accepts = trace.accepts
        self.transfers = trace.roles["DATA"][accepts]
        self.before = np.concatenate(([0], np.cumsum(accepts)))  # Transfers before each clock.


def outcome_of(
    golden: Golden, faulty: Trace, began: int, limits: Limits, *, is_same_state: bool
) -> tuple[Outcome, int]:
    """Return the outcome of an injection at clock `began`, and the clocks until what decided it.

    `faulty` begins at that clock and is as long as the horizon; `is_same_state` tells whether the
    state at its end is golden's.
    """
    beside = golden.trace.part(began, limits.horizon)
    news = {role: _first(faulty.shows(role) & ~beside.shows(role)) for role in faulty.roles}
    alarm, safe = news["ALARM"], news["SAFE"]
    # Once it is safe it owes nothing, and what it hands over is not held against it.
    bound, due = faulty.part(0, safe), beside.part(0, safe)
    owed = np.cumsum(due.accepts.astype(np.int64)) - np.cumsum(bound.accepts)
    difference = _first_difference(golden, bound, began)
    is_told = alarm <= difference + limits.alarm_window
    decided = {  # In the order in which they count.
        Outcome.UNSAFE: news["UNSAFE"],
        Outcome.SILENT: NEVER if is_told else difference,
        Outcome.HANG: _hang(owed, bound.accepts, limits.hang_after),
        Outcome.DETECTED: alarm if difference != NEVER else NEVER,
        Outcome.OUTAGE: min(alarm, safe),
        Outcome.CORRECTED: news["CORRECTED"],
        Outcome.TIMING: _first(owed != 0),
        Outcome.LATENT: NEVER if is_same_state else 0,
        Outcome.MASKED: 0,
    }
    outcome = next(each for each, clock in decided.items() if clock != NEVER)
    has_clock = outcome not in (Outcome.LATENT, Outcome.MASKED)
    return outcome, decided[outcome] if has_clock else NEVER


def _first(clocks: Array) -> int:
    """Return the first clock in which something is, else `NEVER`."""
    return int(np.argmax(clocks)) if clocks.any() else NEVER


def _first_difference(golden: Golden, faulty: Trace, began: int) -> int:
    """Return the clock of the first transfer that is not golden's of the same number."""
    accepts = faulty.accepts
    ours = faulty.roles["DATA"][accepts]
    due = golden.transfers[golden.before[began] :][: len(ours)]
    wrong = (ours[: len(due)] != due).any(axis=1)
    return int(np.flatnonzero(accepts)[np.argmax(wrong)]) if wrong.any() else NEVER


def _hang(owed: Array, accepts: Array, hang_after: int) -> int:
    """Return the clock since which a transfer is owed and none has come for `hang_after` clocks."""
    clocks = np.arange(len(owed))
    is_late = owed > 0
    begins = is_late & ~np.concatenate(([False], is_late[:-1]))
    since = np.maximum.accumulate(np.where(begins | accepts, clocks, 0))
    hangs = is_late & (clocks - since >= hang_after)
    return int(since[np.argmax(hangs)]) if hangs.any() else NEVER
