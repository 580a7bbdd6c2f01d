# SPDX-License-Identifier: Apache-2.0
"""TAI, UTC and the leap seconds between them; epochs from which on-board clocks count.

A time is a numpy `datetime64[ns]` and a scale, which is always named. UTC is counted as POSIX does,
in days of 86,400 s: a leap second, 23:59:60, gets the same number as the second behind it, and is
told apart by `Times.is_leap_second`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.errors import InputError, UsageError

Moments: TypeAlias = NDArray[np.datetime64]  # [ns]
Flags: TypeAlias = NDArray[np.bool_]

NOT_A_TIME: Final = np.datetime64("NaT", "ns")
NS_PER_S: Final = 1_000_000_000
_NTP_TO_UNIX_S = 2_208_988_800  # From 1900-01-01 to 1970-01-01: 25,567 days.


class Scale(StrEnum):
    """How seconds are counted."""

    TAI = "TAI"  # SI seconds, none left out.
    UTC = "UTC"  # Days of 86,400 s; leap seconds are inserted and not counted.


@dataclass(frozen=True, slots=True)
class LeapSeconds:
    """TAI - UTC since 1972-01-01, when it became a whole number of seconds."""

    starts: Moments  # UTC midnights from which on each difference holds.
    tai_minus_utc_s: NDArray[np.int64]
    source: str
    valid_until: np.datetime64  # [D] Nobody knows about leap seconds behind this day.

    def differences(self, utc: Moments) -> NDArray[np.int64]:
        """Return TAI - UTC at each `utc` in s, 0 before 1972; NaT gives any value."""
        return self._look_up(utc, self.starts)

    def _look_up(self, moments: Moments, starts: Moments) -> NDArray[np.int64]:
        index = np.searchsorted(starts, moments, side="right") - 1
        return np.where(index >= 0, self.tai_minus_utc_s[index], 0)

    def to_tai(self, utc: Moments) -> Moments:
        """Return the TAI of each `utc`; NaT before 1972."""
        known: Moments = np.where(utc >= self.starts[0], utc, NOT_A_TIME)
        return known + seconds(self.differences(utc))

    def to_utc(self, tai: Moments) -> tuple[Moments, Flags]:
        """Return the UTC of each `tai`, NaT before 1972, and whether it is in a leap second."""
        new = self.starts + seconds(self.tai_minus_utc_s)  # Where the leap second is over.
        known: Moments = np.where(tai >= new[0], tai, NOT_A_TIME)
        index = np.searchsorted(new, tai, side="left")
        following = new[np.minimum(index, len(new) - 1)]
        is_leap = (index > 0) & (tai < following) & (tai >= following - seconds(np.int64(1)))
        return known - seconds(self._look_up(tai, new)), is_leap

    def is_beyond(self, utc: Moments) -> Flags:
        """Whether each `utc` lies where the table cannot be trusted any more."""
        beyond: Flags = utc > self.valid_until.astype("M8[ns]")
        return beyond


def seconds(count: "NDArray[np.int64] | np.int64") -> "NDArray[np.timedelta64]":
    """Return `count` seconds as timedelta64[ns]."""
    return np.asarray(count * np.int64(NS_PER_S)).astype("m8[ns]")


# The first day of each difference, 10 s to 37 s.
_STARTS = """
1972-01-01 1972-07-01 1973-01-01 1974-01-01 1975-01-01 1976-01-01 1977-01-01 1978-01-01 1979-01-01
1980-01-01 1981-07-01 1982-07-01 1983-07-01 1985-07-01 1988-01-01 1990-01-01 1991-01-01 1992-07-01
1993-07-01 1994-07-01 1996-01-01 1997-07-01 1999-01-01 2006-01-01 2009-01-01 2012-07-01 2015-07-01
2017-01-01
"""

LEAP_SECONDS: Final = LeapSeconds(
    starts=np.array(_STARTS.split(), "M8[ns]"),
    tai_minus_utc_s=np.arange(10, 38, dtype=np.int64),
    source="IERS Bulletin C 70, July 2025",
    valid_until=np.datetime64("2026-06-28", "D"),
)


def parse_leap_seconds(text: str, source: str) -> LeapSeconds:
    """Read a `leap-seconds.list` as IERS publishes it; `InputError` when `text` is none.

    Lines are seconds since 1900-01-01 and TAI - UTC; `#@` gives the day up to which it is valid.
    """
    try:
        rows = [line.split()[:2] for line in text.splitlines() if line[:1].isdigit()]
        (expiry,) = (line[2:].split()[0] for line in text.splitlines() if line.startswith("#@"))
        starts = np.array([int(start) - _NTP_TO_UNIX_S for start, _ in rows], np.int64)
        differences = np.array([int(difference) for _, difference in rows], np.int64)
        until = np.datetime64(int(expiry) - _NTP_TO_UNIX_S, "s").astype("M8[D]")
    except ValueError:
        starts = differences = np.array([], np.int64)
    if not len(starts) or (np.diff(starts) <= 0).any():
        raise InputError(
            f"{source}: no list of leap seconds; expected the file leap-seconds.list of IERS, "
            "with its line #@"
        )
    return LeapSeconds(starts.astype("M8[s]").astype("M8[ns]"), differences, source, until)


@cache
def read_leap_seconds(path: str) -> LeapSeconds:
    """Read a file `leap-seconds.list` as IERS publishes it; `InputError` when it is none."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"--leap-seconds {path}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        text = ""
    return parse_leap_seconds(text, path)


@dataclass(frozen=True, slots=True)
class Epoch:
    """Where a clock counts from, and which seconds it counts."""

    name: str
    at: np.datetime64  # [ns] on `scale`
    scale: Scale


def _epoch(name: str, at: str, scale: Scale) -> Epoch:
    return Epoch(name, np.datetime64(at, "ns"), scale)


CCSDS_EPOCH: Final = _epoch("CCSDS", "1958-01-01", Scale.TAI)  # CCSDS 301.0-B-4, 3.2.2
CCSDS_DAY_EPOCH: Final = _epoch("CCSDS", "1958-01-01", Scale.UTC)  # 3.3: days of UTC
UNIX_EPOCH: Final = _epoch("UNIX", "1970-01-01", Scale.UTC)
GPS_EPOCH: Final = _epoch("GPS", "1980-01-06T00:00:19", Scale.TAI)  # 1980-01-06 UTC; SI seconds
J2000_EPOCH: Final = _epoch("J2000", "2000-01-01T11:59:27.816", Scale.TAI)  # 12:00:00 TT
EPOCHS: Final = {epoch.name: epoch for epoch in (CCSDS_EPOCH, UNIX_EPOCH, GPS_EPOCH, J2000_EPOCH)}


def find_epoch(text: str) -> Epoch:
    """Return an epoch by its name, or from a date and a scale: `2000-01-01T12:00:00 TAI`.

    UTC means that the clock leaves out leap seconds, as POSIX clocks do. A clock that counts every
    second from a moment in UTC needs that moment in TAI. `UsageError` for anything else.
    """
    if text.upper() in EPOCHS:
        return EPOCHS[text.upper()]
    date, _, scale = text.strip().rpartition(" ")
    mistake = UsageError(
        f"epoch {text}: expected one of {', '.join(EPOCHS)}, or a date and TAI or UTC: "
        "'2000-01-01 TAI'"
    )
    try:
        epoch = _epoch(text, date, Scale(scale.upper()))
    except ValueError:
        raise mistake from None
    if np.isnat(epoch.at):
        raise mistake
    return epoch


@dataclass(frozen=True, slots=True)
class Times:
    """Times on one scale; NaT where there is none."""

    at: Moments
    scale: Scale
    is_leap_second: Flags | None = None  # UTC only; None: in none of them.

    @property
    def ns(self) -> NDArray[np.int64]:
        """Return exact nanoseconds since 1970-01-01T00:00:00 of the scale; NaT is the minimum."""
        return self.at.astype(np.int64)

    def to(self, scale: Scale, table: LeapSeconds = LEAP_SECONDS) -> "Times":
        """Return the same times on `scale`; where TAI and UTC are converted, NaT before 1972."""
        if scale is self.scale:
            return self
        if scale is Scale.UTC:
            utc, is_leap = table.to_utc(self.at)
            return Times(utc, scale, is_leap)
        tai = table.to_tai(self.at)
        if self.is_leap_second is not None:
            tai = tai - seconds(self.is_leap_second.astype(np.int64))
        return replace(self, at=tai, scale=scale, is_leap_second=None)


def since(epoch: Epoch, elapsed_ns: NDArray[np.int64], is_valid: Flags) -> Times:
    """Return the times `elapsed_ns` after `epoch`, on its scale; NaT where they are not valid."""
    start = int(epoch.at.astype(np.int64))
    top = np.iinfo(np.int64).max
    fits = is_valid & (elapsed_ns <= top - max(start, 0)) & (elapsed_ns >= min(-start, 0) - top)
    at = np.where(fits, elapsed_ns, 0).astype("m8[ns]") + epoch.at
    return Times(np.where(fits, at, NOT_A_TIME), epoch.scale)
