# SPDX-License-Identifier: Apache-2.0
"""A stretch of time: `--since` and `--until`."""

import re
from dataclasses import dataclass

import numpy as np

from telemetry.errors import UsageError
from telemetry.wire.time_scales import Flags, Scale, Times

# ISO 8601 as people write it: a date, maybe a time of day, maybe Z, or the name of a scale.
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?))? ?(Z|UTC|TAI)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time on a named scale."""

    at: np.datetime64  # [ns]
    scale: Scale


def parse_moment(text: str, option: str = "--since") -> Moment:
    """Read `2026-11-22`, `2026-11-22T10:30`, `2026-11-22 10:30:00.5 TAI`; UTC unless TAI is said.

    `UsageError`, which names `option`, for anything else.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match:
        date, clock, scale = match.groups()
        try:
            at = np.datetime64(f"{date}T{clock or '00:00'}", "ns")
        except ValueError:
            match = None
        else:
            return Moment(at, Scale.TAI if (scale or "").upper() == "TAI" else Scale.UTC)
    raise UsageError(
        f"{option} {text}: expected a date or a time, as 2026-11-22 or 2026-11-22T10:30:00Z, "
        "in UTC unless TAI stands behind it"
    )


@dataclass(frozen=True, slots=True)
class Selection:
    """From `since` on, up to but not at `until`; None leaves that side open."""

    since: Moment | None = None
    until: Moment | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and not self._is_ordered(self.since, self.until):
            raise UsageError(
                f"--since {self.since.at} is not before --until {self.until.at}: nothing lies there"
            )

    @staticmethod
    def _is_ordered(since: Moment, until: Moment) -> bool:
        return bool(_on(since, until.scale) < until.at)

    @property
    def is_everything(self) -> bool:
        """Whether both sides are open."""
        return self.since is None and self.until is None

    def is_of(self, scale: Scale) -> bool:
        """Whether one side is given on this scale."""
        return any(side is not None and side.scale is scale for side in (self.since, self.until))

    def mask(self, times: Times) -> Flags:
        """Whether each time is selected; what has no time is selected only if everything is."""
        if self.is_everything:
            return np.ones(len(times.at), np.bool_)
        chosen: Flags = ~np.isnat(times.at)
        if self.since is not None:
            chosen &= times.at >= _on(self.since, times.scale)
        if self.until is not None:
            chosen &= times.at < _on(self.until, times.scale)
        return chosen


def _on(moment: Moment, scale: Scale) -> np.datetime64:
    at: np.datetime64 = Times(np.array([moment.at]), moment.scale).to(scale).at[0]
    return at
