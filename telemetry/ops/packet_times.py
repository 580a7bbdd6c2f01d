# SPDX-License-Identifier: Apache-2.0
"""The time of each packet, out of its columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import construct
import numpy as np
from numpy.typing import NDArray

from telemetry.columns.column import Column
from telemetry.errors import UsageError
from telemetry.wire.time_codes import cds_times, cuc_times
from telemetry.wire.time_formats import CdsFormat, CucFormat, TimeFormat
from telemetry.wire.time_scales import (
    CCSDS_DAY_EPOCH,
    CCSDS_EPOCH,
    LEAP_SECONDS,
    NOT_A_TIME,
    NS_PER_S,
    Epoch,
    LeapSeconds,
    Moments,
    Scale,
    Times,
)

_P_FIELD = "time_p_field"
_CLOCK_OCTETS = 7
_DAY_MS = 86_400_000
_LAST_NS = (1 << 63) - 1
_OF_BITS = (construct.Transformed, construct.Restreamed)  # What Bitwise makes.
_PARTS = {2: "time_us", 4: "time_ps"}  # Octets below the ms -> the name `time_fields` gives them.


@dataclass(frozen=True, slots=True)
class TimeColumns:
    """Which columns of raw counts hold the time of a packet, and what they count.

    `names` are seconds and fractions (CUC), or days, ms and parts of the ms (CDS). Where there is a
    column with a P-field, packets in which it says something else have no time.
    """

    time_format: TimeFormat
    names: tuple[str, ...]
    p_field: str | None = None

    def times(
        self,
        columns: Mapping[str, Column],
        *,
        epoch: Epoch | None = None,
        scale: Scale = Scale.UTC,
        table: LeapSeconds = LEAP_SECONDS,
        turns: NDArray[np.int64] | None = None,
    ) -> Times:
        """Return the times of the packets; NaT where a column has nothing, or no time.

        `epoch` is that of the mission; without one the CCSDS epoch counts. `turns` says how often
        the clock had rolled over. `UsageError` if a P-field says that the epoch is the mission's,
        and it is not given.
        """
        counted = self._counted([columns[name] for name in self.names], epoch)
        if turns is not None and turns.any():
            counted = replace(counted, at=_turned(counted.at, turns, self._turn_ns))
        times = counted.to(scale, table)
        is_known = self.are_present(columns)
        if self.p_field is not None:
            is_known &= self._agrees(columns[self.p_field].raw, epoch)
        return Times(np.where(is_known, times.at, NOT_A_TIME), scale, times.is_leap_second)

    def are_present(self, columns: Mapping[str, Column]) -> NDArray[np.bool_]:
        """Whether each packet has all fields of the time."""
        is_known = np.ones(len(columns[self.names[0]].raw), np.bool_)
        for name in self.names:
            present = columns[name].present
            if present is not None:
                is_known &= present
        return is_known

    def scale(self, epoch: Epoch | None) -> Scale:
        """Return the scale that the clock counts on."""
        if epoch is not None:
            return epoch.scale
        return CCSDS_EPOCH.scale if isinstance(self.time_format, CucFormat) else Scale.UTC

    def clock(self, columns: Mapping[str, Column]) -> NDArray[np.int64]:
        """Return the time fields as one counter, 0..`clock_modulus` - 1, where they are present."""
        if isinstance(self.time_format, CucFormat):
            kept = 8 * self._fine_kept
            clock = _integers(columns[self.names[0]].raw)
            if kept:
                clock <<= kept
                clock |= _integers(columns[self.names[1]].raw) >> (
                    8 * self.time_format.fine_octets - kept
                )
            return clock
        counts = [_integers(columns[name].raw) for name in self.names]
        days, ms = counts[0], np.minimum(counts[1], _DAY_MS - 1)  # A leap second is no step back.
        us = counts[2] if len(counts) == 3 else np.zeros(len(days), np.int64)
        if isinstance(self.time_format, CdsFormat) and self.time_format.submillisecond_octets == 4:
            us = us // 1_000_000
        return (days * _DAY_MS + ms) * 1000 + np.minimum(us, 999)

    @property
    def clock_modulus(self) -> int:
        """How many counts the clock has before it begins again."""
        if isinstance(self.time_format, CucFormat):
            return 1 << 8 * (self.time_format.coarse_octets + self._fine_kept)
        return self._turn_ns // 1000

    @property
    def _fine_kept(self) -> int:
        """Octets of the fraction that fit into a count of 56 bits; 0 of one wider than 64."""
        assert isinstance(self.time_format, CucFormat)
        fine = self.time_format.fine_octets
        return 0 if fine > 7 else min(fine, max(_CLOCK_OCTETS - self.time_format.coarse_octets, 0))

    @property
    def _turn_ns(self) -> int:
        """How long it takes until the clock begins again."""
        if isinstance(self.time_format, CucFormat):
            return NS_PER_S << 8 * self.time_format.coarse_octets
        assert isinstance(self.time_format, CdsFormat)
        return _DAY_MS * 1_000_000 << 8 * self.time_format.day_octets

    def _counted(self, columns: list[Column], epoch: Epoch | None) -> Times:
        zeros = np.zeros(len(columns[0].raw), np.uint8)
        counts = [column.raw for column in columns] + [zeros]
        if isinstance(self.time_format, CucFormat):
            fine_octets = self.time_format.fine_octets
            return cuc_times(*counts[:2], fine_octets=fine_octets, epoch=epoch or CCSDS_EPOCH)
        if isinstance(self.time_format, CdsFormat):
            return cds_times(
                *counts[:3],
                submillisecond_octets=self.time_format.submillisecond_octets,
                epoch=epoch or CCSDS_DAY_EPOCH,
            )
        raise AssertionError("calendar codes are no counts")

    def _agrees(self, said: NDArray[Any], epoch: Epoch | None) -> NDArray[np.bool_]:
        by_ccsds = int.from_bytes(_with_epoch(self.time_format, is_agency=False).p_field, "big")
        by_agency = int.from_bytes(_with_epoch(self.time_format, is_agency=True).p_field, "big")
        is_agency = said == by_agency
        if is_agency.any() and epoch is None:
            raise UsageError(
                f"{self.p_field} says that the epoch is the mission's own: name it with --epoch, "
                "as in --epoch '2000-01-01 TAI'"
            )
        agrees: NDArray[np.bool_] = is_agency | (said == by_ccsds)
        return agrees


def _turned(at: Moments, turns: NDArray[np.int64], turn_ns: int) -> Moments:
    """Return times later by as many turns of the clock; NaT beyond the year 2262."""
    most = min(_LAST_NS // turn_ns, int(turns.max()))
    later = np.minimum(turns, most) * np.int64(turn_ns if most else 0)
    fits = (turns <= most) & (at.astype(np.int64) <= _LAST_NS - later)
    return np.where(fits, at + np.where(fits, later, 0).astype("m8[ns]"), NOT_A_TIME)


def _integers(raw: NDArray[Any]) -> NDArray[np.int64]:
    return raw.astype(np.int64)


def find_time_columns(layout: Any) -> TimeColumns | None:
    """Find the time fields that `telemetry.wire.pus.time_fields` names, at any depth of Structs.

    `layout` is the construct of a packet; the first time in it counts. None if it has none.
    """
    sizes = dict(_fields(layout, ""))
    for name, octets in sizes.items():
        prefix, mark, last = name.rpartition("time_")
        if not mark:
            continue
        p_field = prefix + _P_FIELD if prefix + _P_FIELD in sizes else None
        if last == "coarse":
            return _cuc((name, prefix + "time_fine"), sizes, p_field)
        if last == "days":
            parts = [prefix + _PARTS[size] for size in (2, 4) if prefix + _PARTS[size] in sizes]
            fields = (name, prefix + "time_ms", *parts)
            return TimeColumns(
                CdsFormat(
                    day_octets=octets,
                    submillisecond_octets=sizes[parts[0]] if parts else 0,
                ),
                fields,
                p_field,
            )
    return None


def parse_time_columns(text: str, layout: Any) -> TimeColumns:
    """Read `cuc:SECONDS[,FRACTION]` or `cds:DAYS,MS[,PARTS]`, fields of `layout` by their names.

    `UsageError` for another form, or fields that are not there or do not have the octets for it.
    """
    kind, _, rest = text.partition(":")
    names = tuple(name.strip() for name in rest.split(","))
    sizes = dict(_fields(layout, ""))
    counts: dict[str, tuple[int, ...]] = {"cuc": (1, 2), "cds": (2, 3)}
    if kind not in counts or len(names) not in counts[kind]:
        raise UsageError(f"--time {text}: expected cuc:SECONDS,FRACTION or cds:DAYS,MS,PARTS")
    if unknown := [name for name in names if name not in sizes]:
        known = ", ".join(sizes)
        raise UsageError(f"--time {text}: no field {unknown[0]}; the packet has {known}")
    return _named("cuc" if kind == "cuc" else "cds", text, names, sizes)


def _named(
    kind: Literal["cuc", "cds"], text: str, names: tuple[str, ...], sizes: Mapping[str, int]
) -> TimeColumns:
    try:
        if kind == "cuc":
            return _cuc(names, sizes, None)
        parts = sizes[names[2]] if len(names) == 3 else 0
        return TimeColumns(
            CdsFormat(day_octets=sizes[names[0]], submillisecond_octets=parts), names
        )
    except ValueError as error:
        raise UsageError(f"--time {text}: {error}") from error


def _cuc(names: tuple[str, ...], sizes: Mapping[str, int], p_field: str | None) -> TimeColumns:
    present = tuple(name for name in names if name in sizes)
    fine = sizes[present[1]] if len(present) == 2 else 0
    return TimeColumns(
        CucFormat(coarse_octets=sizes[present[0]], fine_octets=fine), present, p_field
    )


def _with_epoch(time_format: TimeFormat, *, is_agency: bool) -> TimeFormat:
    return replace(time_format, is_agency_epoch=is_agency)


def _fields(layout: Any, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield the name of each field of fixed size within Structs, and its octets."""
    while isinstance(layout, construct.Subconstruct) and not isinstance(layout, _OF_BITS):
        layout = layout.subcon
    if not isinstance(layout, construct.Struct):
        return
    for field in layout.subcons:
        if not isinstance(field, construct.Renamed) or not field.name:
            continue
        name = prefix + field.name
        yield from _fields(field.subcon, f"{name}.")
        try:
            yield name, field.sizeof()
        except Exception:  # noqa: S112 (a size expression may fail in any way outside of a packet)
            continue
