# SPDX-License-Identifier: Apache-2.0
"""Time codes of CCSDS 301.0-B-4, many at once.

Input is a uint8 array with a row for each time code: `rows(octets, places, width)` takes these out
of a dump. A P-field in front says what kind of code follows; without one, a format does.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.errors import UsageError
from telemetry.wire.calendar_codes import decode_ccs
from telemetry.wire.time_formats import (
    CcsFormat,
    CdsFormat,
    CucFormat,
    TimeFormat,
    parse_p_field,
)
from telemetry.wire.time_scales import (
    CCSDS_DAY_EPOCH,
    CCSDS_EPOCH,
    LEAP_SECONDS,
    NOT_A_TIME,
    NS_PER_S,
    Epoch,
    Flags,
    LeapSeconds,
    Scale,
    Times,
    since,
)

Octets: TypeAlias = NDArray[np.uint8]  # [n, width]
Counts: TypeAlias = NDArray[np.integer]  # Not negative.

NS_PER_MS: Final = 1_000_000
MS_PER_DAY: Final = 86_400_000
_NS_PER_DAY = MS_PER_DAY * NS_PER_MS
_LEAP_MS = 1000  # 301.0-B-4, 3.3.4: a day with a leap second has 86,401,000 ms.


def rows(octets: NDArray[np.uint8], places: NDArray[np.int64], width: int) -> Octets:
    """Return `width` octets from each place on, a row each; every place must have as many."""
    return np.lib.stride_tricks.sliding_window_view(octets, width)[places]


def decode_times(
    octets: Octets,
    time_format: TimeFormat | None = None,
    *,
    epoch: Epoch | None = None,
    scale: Scale = Scale.UTC,
    table: LeapSeconds = LEAP_SECONDS,
) -> Times:
    """Return the times of the rows, on `scale`; without a format each row begins with a P-field.

    A code that is no time (a wrong P-field, more ms than a day has, no decimal digits, a year past
    2262) is NaT; so is what lies before 1972 when TAI and UTC are converted. `epoch` is that of
    codes with an agency-defined epoch; `UsageError` when there is one and it is not given, or when
    rows are too short for the format.
    """
    if time_format is not None:
        return _decode(octets, time_format, epoch).to(scale, table)
    at = np.full(len(octets), NOT_A_TIME)
    is_leap = np.zeros(len(octets), np.bool_)
    heads, kinds = np.unique(octets[:, :2], axis=0, return_inverse=True)
    for index, head in enumerate(heads):
        parsed = parse_p_field(head.tobytes())
        chosen = np.flatnonzero(kinds.ravel() == index)
        if parsed is None or parsed[0].octets + parsed[1] > octets.shape[1]:
            continue
        found = _decode(octets[chosen, parsed[1] :], parsed[0], epoch).to(scale, table)
        at[chosen] = found.at
        if found.is_leap_second is not None:
            is_leap[chosen] = found.is_leap_second
    return Times(at, scale, is_leap if is_leap.any() else None)


def _decode(octets: Octets, time_format: TimeFormat, epoch: Epoch | None) -> Times:
    if octets.ndim != 2 or octets.shape[1] < time_format.octets:
        raise UsageError(f"time codes of {time_format.octets} octets in rows of {octets.shape}")
    if isinstance(time_format, CcsFormat):
        return decode_ccs(octets, time_format)
    if time_format.is_agency_epoch and epoch is None:
        raise UsageError("the time code counts from an epoch of the mission: name it")
    if isinstance(time_format, CucFormat):
        elapsed_ns, is_valid = cuc_elapsed(octets, time_format)
        return since(epoch or CCSDS_EPOCH, elapsed_ns, is_valid)
    return _decode_cds(octets, time_format, epoch or CCSDS_DAY_EPOCH)


# --- Unsegmented ----------------------------------------------------------------------------------


def cuc_elapsed(octets: Octets, time_format: CucFormat) -> tuple[NDArray[np.int64], Flags]:
    """Return ns since the epoch, and where they fit into 63 bits; 0 where they do not."""
    coarse, fine = time_format.coarse_octets, time_format.fine_octets
    return cuc_counts_elapsed(
        _big_endian(octets[:, :coarse]),
        _big_endian(octets[:, coarse : coarse + min(fine, 8)]),
        fine,
    )


def cuc_times(
    coarse: Counts, fine: Counts, *, fine_octets: int, epoch: Epoch = CCSDS_EPOCH
) -> Times:
    """Return the times of counts of seconds and of 256**-fine_octets s, on the epoch's scale."""
    return since(epoch, *cuc_counts_elapsed(coarse, fine, fine_octets))


def cuc_counts_elapsed(
    coarse: Counts, fine: Counts, fine_octets: int
) -> tuple[NDArray[np.int64], Flags]:
    """Return the same from counts: of seconds, and of 256**-fine_octets s (of 256**-8 s at most).

    Fractions are rounded to the nearest ns: 256**-2 s are 15,258.79 ns.
    """
    bits = np.uint64(8 * min(fine_octets, 4))
    high = fine.astype(np.uint64)
    low = np.zeros_like(high)
    if fine_octets > 4:
        below = np.uint64(8 * (min(fine_octets, 8) - 4))
        high, rest = high >> below, high & ((np.uint64(1) << below) - np.uint64(1))
        low = rest * np.uint64(NS_PER_S) >> below
    half = np.uint64(1) << bits - np.uint64(1) if bits else np.uint64(0)
    fraction_ns = (high * np.uint64(NS_PER_S) + low + half) >> bits
    whole = coarse.astype(np.uint64)
    is_valid = whole < np.iinfo(np.int64).max // NS_PER_S
    whole_ns = np.where(is_valid, whole, 0).astype(np.int64) * NS_PER_S
    return whole_ns + np.where(is_valid, fraction_ns, 0).astype(np.int64), is_valid


def encode_cuc(elapsed_ns: int, time_format: CucFormat) -> bytes:
    """Return the code (without P-field) of `elapsed_ns` after the epoch, cut to its resolution.

    `OverflowError` when there are too few octets for it, or it is negative.
    """
    count = (elapsed_ns << 8 * time_format.fine_octets) // NS_PER_S
    return count.to_bytes(time_format.octets, "big")


def _big_endian(octets: Octets) -> NDArray[np.uint64]:
    value = np.zeros(len(octets), np.uint64)
    for column in octets.T:
        value = value << np.uint64(8) | column
    return value


# --- Segmented ------------------------------------------------------------------------------------


def _decode_cds(octets: Octets, time_format: CdsFormat, epoch: Epoch) -> Times:
    days_end = time_format.day_octets
    return cds_times(
        _big_endian(octets[:, :days_end]),
        _big_endian(octets[:, days_end : days_end + 4]),
        _big_endian(octets[:, days_end + 4 : time_format.octets]),
        submillisecond_octets=time_format.submillisecond_octets,
        epoch=epoch,
    )


def cds_times(
    days: Counts,
    ms: Counts,
    parts: Counts,
    *,
    submillisecond_octets: int,
    epoch: Epoch = CCSDS_DAY_EPOCH,
) -> Times:
    """Return the times of counts of days, ms of the day, and parts of the ms (0, 2 or 4 octets)."""
    whole_days, whole_ms = days.astype(np.int64), ms.astype(np.int64)
    below_ms = parts.astype(np.int64)
    parts_per_ms, to_ns = _SUBMILLISECONDS[submillisecond_octets]
    is_valid = (whole_ms < MS_PER_DAY + _LEAP_MS) & (below_ms < parts_per_ms)
    is_valid &= whole_days < np.iinfo(np.int64).max // _NS_PER_DAY - 1
    elapsed = np.where(is_valid, whole_days, 0) * _NS_PER_DAY + whole_ms * NS_PER_MS
    times = since(epoch, elapsed + to_ns(below_ms), is_valid)
    is_leap = is_valid & (whole_ms >= MS_PER_DAY)
    return Times(times.at, times.scale, is_leap if is_leap.any() else None)


_Convert: TypeAlias = Callable[[NDArray[np.int64]], NDArray[np.int64]]
_SUBMILLISECONDS: dict[int, tuple[int, _Convert]] = {
    0: (1, lambda none: none),
    2: (1000, lambda us: us * 1000),
    4: (1_000_000_000, lambda ps: (ps + 500) // 1000),
}
