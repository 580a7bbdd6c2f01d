# SPDX-License-Identifier: Apache-2.0
"""Time codes of CCSDS 301.0-B-4 that are dates in decimal digits, many at once."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.wire.time_formats import CcsFormat
from telemetry.wire.time_scales import NOT_A_TIME, NS_PER_S, Flags, Scale, Times

Octets: TypeAlias = NDArray[np.uint8]  # [n, width]
Counts: TypeAlias = NDArray[np.int64]
# Year, month and day of the month; without a month the day of the year.
Date: TypeAlias = tuple[Counts, Counts | None, Counts]
_YEARS = (1678, 2261)  # Whole years within the ns of datetime64.


def decode_ccs(octets: Octets, time_format: CcsFormat) -> Times:
    """Return UTC from decimal digits (3.4); NaT for a date or time of day that does not exist."""
    digits = np.stack((octets >> 4, octets & 0xF), axis=2).reshape(len(octets), -1)
    digits = digits[:, : 2 * time_format.octets].astype(np.int64)
    is_valid: Flags = np.logical_and.reduce(digits <= 9, axis=1)
    month = None if time_format.is_day_of_year else _decimal(digits[:, 4:6])
    day = _decimal(digits[:, 4 if month is None else 6 : 8])
    date = (_decimal(digits[:, 0:4]), month, day)
    clock = [_decimal(digits[:, at : at + 2]) for at in (8, 10, 12)]
    return _calendar(date, clock, _fraction_ns(digits[:, 14:]), is_valid)


def decode_ascii(octets: Octets) -> Times:
    """Return UTC from ASCII codes A and B (3.5): `1988-01-18T17:20:43.123456Z`, `1988-018T...`.

    Each row is one text; a `Z`, blanks and zeros may end it. All rows have the form of the first.
    """
    if octets.shape[1] < 8 or not len(octets):
        return Times(np.full(len(octets), NOT_A_TIME), Scale.UTC)
    is_day_of_year = octets[0, 7] != ord("-")
    pattern = "dddd-dddTdd:dd:dd" if is_day_of_year else "dddd-dd-ddTdd:dd:dd"
    width = len(pattern)
    is_valid = np.full(len(octets), octets.shape[1] >= width)
    padded = np.pad(octets, ((0, 0), (0, max(width - octets.shape[1], 0))))
    for place, wanted in enumerate(pattern):
        column = padded[:, place]
        is_digit = (column >= ord("0")) & (column <= ord("9"))
        is_valid &= is_digit if wanted == "d" else column == ord(wanted)
    digits = padded.astype(np.int64) - ord("0")
    fraction, is_fraction = _ascii_fraction(padded[:, width:])
    at = 8 if is_day_of_year else 10
    month = None if is_day_of_year else _decimal(digits[:, 5:7])
    day = _decimal(digits[:, at - 3 : at] if is_day_of_year else digits[:, 8:10])
    date = (_decimal(digits[:, 0:4]), month, day)
    clock = [_decimal(digits[:, at + skip : at + skip + 2]) for skip in (1, 4, 7)]
    return _calendar(date, clock, fraction, is_valid & is_fraction)


def _ascii_fraction(tail: Octets) -> tuple[Counts, Flags]:
    """Return the ns of `.123Z`, and whether each row is of that form."""
    if not tail.shape[1]:
        return np.zeros(len(tail), np.int64), np.ones(len(tail), np.bool_)
    has_point = tail[:, 0] == ord(".")
    is_digit = (tail >= ord("0")) & (tail <= ord("9"))
    is_digit[:, 0] = has_point
    in_number = np.logical_and.accumulate(is_digit, axis=1)
    digits = np.where(in_number, tail.astype(np.int64) - ord("0"), 0)
    rest = np.where(in_number, ord(" "), tail)
    is_end = np.isin(rest, np.frombuffer(b"Z \0", np.uint8)).all(axis=1)
    has_digits = ~has_point | (in_number.sum(axis=1) > 1)
    return _fraction_ns(digits[:, 1:]), is_end & has_digits


def _decimal(digits: Counts) -> Counts:
    value = np.zeros(len(digits), np.int64)
    for column in digits.T:
        value = value * 10 + column
    return value


def _fraction_ns(digits: Counts) -> Counts:
    """Return decimals of a second in ns; what is below 1 ns is cut off."""
    nine = np.zeros((len(digits), 9), np.int64)
    width = min(digits.shape[1], 9)
    nine[:, :width] = digits[:, :width]
    return _decimal(nine)


def _calendar(
    date: Date,
    clock: list[Counts],
    fraction_ns: Counts,
    is_valid: Flags,
) -> Times:
    """Put a date and a time of day together."""
    year, month, day = date
    hour, minute, second = clock
    is_valid = is_valid & (year >= _YEARS[0]) & (year <= _YEARS[1]) & (hour < 24) & (minute < 60)
    is_leap = is_valid & (second == 60) & (minute == 59) & (hour == 23)
    is_valid &= (second < 60) | is_leap
    if month is not None:
        is_valid &= (month >= 1) & (month <= 12)
    months = (np.where(is_valid, year, 1970) - 1970) * 12
    months += 0 if month is None else np.where(is_valid, month, 1) - 1
    start = months.astype("M8[M]").astype("M8[D]")
    unit = 12 if month is None else 1
    length = ((months + unit).astype("M8[M]").astype("M8[D]") - start).astype(np.int64)
    is_valid &= (day >= 1) & (day <= length)
    in_day = ((hour * 60 + minute) * 60 + second) * NS_PER_S + fraction_ns
    at = (start + np.where(is_valid, day - 1, 0)).astype("M8[ns]") + in_day.astype("m8[ns]")
    is_leap &= is_valid
    return Times(np.where(is_valid, at, NOT_A_TIME), Scale.UTC, is_leap if is_leap.any() else None)
