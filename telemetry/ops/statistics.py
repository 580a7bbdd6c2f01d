# SPDX-License-Identifier: Apache-2.0
"""What the values of each column were, and how far they can be trusted.

Minimum, maximum, mean and last value are those of values that count: present, valid, a number, and
of a packet whose CRC does not say that it is damaged. What was left out is counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from telemetry.columns.column import Array, Column
from telemetry.columns.definition import Definition
from telemetry.columns.flatten import RESERVED_COLUMNS, VERDICT_COLUMN, Value
from telemetry.columns.limits import Limits, LimitState
from telemetry.ops.accounts import CLOCK_EVENTS
from telemetry.ops.cells import (
    BESIDE_COLUMNS,
    CLOCK_COLUMN,
    GAP_COLUMN,
    PACKET_TIME,
    RECEIVED_TIME,
)
from telemetry.ops.ledger import Ledger
from telemetry.ops.options import BY_TIME, DEFAULTS, Options
from telemetry.ops.series import MinMaxSeries
from telemetry.ops.table import Table
from telemetry.ops.timeline import find_source
from telemetry.wire.batch import VerdictCode
from telemetry.wire.clock import ClockStep

MAX_GAPS = 200  # The widest are kept for drawing; all are counted.
STALE_SPANS = 3  # A value is stale when it is older than this many of its usual intervals.
VIOLATIONS = (
    LimitState.ALARM_HIGH, LimitState.ALARM_LOW, LimitState.WARNING_HIGH, LimitState.WARNING_LOW,
)  # fmt: skip


@dataclass(slots=True)
class ColumnStatistics:
    """The values of one column."""

    name: str
    unit: str = ""
    categories: Mapping[int, str] | None = None
    is_number: bool = False
    values: int = 0  # That count.
    absent: int = 0
    invalid: int = 0
    not_numbers: int = 0  # NaN, also where a calibration gives no value.
    untrusted: int = 0  # Of packets whose CRC does not hold.
    low: float | int | None = None
    high: float | int | None = None
    total: float = 0.0
    last: Value = None
    last_offset: int | None = None  # Of its packet, in the input or in what frames carry.
    last_place: int | None = None  # Of its packet, or the frame of it, in the dump.
    last_state: LimitState = LimitState.UNKNOWN
    states: Counter[LimitState] = field(default_factory=Counter)
    first_violation: int | None = None  # Place of the packet, or of its frame, in the dump.
    first_violation_at: float | None = None  # On the axis of the APID.
    series: MinMaxSeries | None = None
    _first_offset: int | None = None
    _packets: int = 0  # With a value that counts.
    _ends_in_hole: bool = False  # Values behind the last that counts were left out.
    _last_x: float | None = None  # Of the last value that counts.

    @property
    def mean(self) -> float | None:
        """The mean of the values that count; None of names."""
        is_measured = self.values and self.is_number and self.categories is None
        return self.total / self.values if is_measured else None

    @property
    def violations(self) -> int:
        """Values outside of their limits."""
        return sum(self.states[state] for state in VIOLATIONS)

    @property
    def alarms(self) -> int:
        """Values outside of their alarm limits."""
        return self.states[LimitState.ALARM_HIGH] + self.states[LimitState.ALARM_LOW]

    @property
    def is_constant(self) -> bool:
        """Whether all values that count are the same number."""
        return self.low == self.high

    def is_stale(self, end: int) -> bool:
        """Whether values came regularly, and then no more, before the input ended at `end`."""
        if self.last_offset is None or self._first_offset is None or self._packets < 2:
            return False
        usual = (self.last_offset - self._first_offset) / (self._packets - 1)
        return end - self.last_offset > STALE_SPANS * usual

    def add(self, column: Column, x: Array, table: Table, trusted: Array) -> None:
        """Add a column of `table`; `x` and `trusted` have one value for each of its packets."""
        self.unit = self.unit or column.unit
        if column.categories is not None:
            self.categories = {**(self.categories or {}), **column.categories}
        if column.is_octets or column.raw.dtype.kind not in "biuf":
            self._add_text(column, table, trusted)
            return
        self.is_number = True
        packet = _packet_of(column)
        values = column.raw if column.engineering is None else column.engineering
        counts = self._count(column, values, trusted[packet])
        chosen = np.flatnonzero(counts)
        holes = self._holes(column, counts, chosen, x[packet[chosen]])
        if column.state is not None:
            self._add_states(column.state, table.seen_at[packet], x[packet])
        if not len(chosen):
            return
        good = values[chosen]
        low, high = good.min().item(), good.max().item()
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)
        self.total += float(good.sum(dtype=np.float64))
        self._see_last(column, int(chosen[-1]), good[-1].item(), table, packet[chosen])
        if self.series is not None:
            marks = None if column.state is None else column.state[chosen]
            self.series.add(x[packet[chosen]], good.astype(np.float64), marks, holes)

    def _count(self, column: Column, values: Array, trusted: Array) -> Array:
        """Return which values count, and note why the others do not."""
        counts = np.ones(len(values), np.bool_)
        is_number = np.isfinite(values) if values.dtype.kind == "f" else counts
        for name, mask in (
            ("absent", column.present),
            ("untrusted", trusted),
            ("invalid", column.valid),
            ("not_numbers", is_number),
        ):
            if mask is not None:
                setattr(self, name, getattr(self, name) + int((counts & ~mask).sum()))
                counts = counts & mask
        self.values += int(counts.sum())
        return counts

    def _holes(self, column: Column, counts: Array, chosen: Array, x: Array) -> Array:
        """Return how wide a hole is before each value that counts: 0 unless others were left out.

        An If or Switch that leaves a value out makes no hole: the value comes less often.
        """
        is_left_out = ~counts if column.present is None else ~counts & column.present
        if not len(chosen):
            self._ends_in_hole |= bool(is_left_out.any())
            return np.zeros(0)
        is_hole = np.diff(np.cumsum(is_left_out)[chosen], prepend=0) > 0
        is_hole[0] |= self._ends_in_hole
        self._ends_in_hole = bool(is_left_out[chosen[-1] :].any())
        before = x[0] if self._last_x is None else self._last_x
        self._last_x = float(x[-1])
        widths = np.maximum(np.abs(np.diff(x, prepend=before)), np.finfo(np.float64).tiny)
        return np.where(is_hole, widths, 0.0)

    def _add_states(self, states: Array, places: Array, x: Array) -> None:
        numbers = np.bincount(states, minlength=len(LimitState)).tolist()
        for state, number in zip(LimitState, numbers, strict=False):
            self.states[state] += number
        is_outside = np.isin(states, VIOLATIONS)
        if self.first_violation is None and is_outside.any():
            first = is_outside.argmax()
            self.first_violation, self.first_violation_at = int(places[first]), float(x[first])

    def _see_last(
        self, column: Column, index: int, value: Value, table: Table, packets: Array
    ) -> None:
        """Keep the value at `index`; `packets` are those of all values that count."""
        if column.categories is not None and isinstance(value, int):
            value = column.categories.get(value, value)
        self.last = value
        if column.state is not None:
            self.last_state = LimitState(int(column.state[index]))
        self._packets += 1 + int(np.count_nonzero(packets[1:] != packets[:-1]))
        self.last_offset = int(table.offsets[packets[-1]])
        self.last_place = int(table.seen_at[packets[-1]])
        if self._first_offset is None:
            self._first_offset = int(table.offsets[packets[0]])

    def _add_text(self, column: Column, table: Table, trusted: Array) -> None:
        """Add octets, text and whatever else is no number: they are counted, and the last kept."""
        present = np.ones(len(column), np.bool_)
        if column.present is not None and len(column.present) == len(present):
            present = column.present
        self.absent += int((~present).sum())
        self.untrusted += int((present & ~trusted).sum())
        chosen = np.flatnonzero(present & trusted)
        self.values += len(chosen)
        if len(chosen):
            index = int(chosen[-1])
            self._see_last(column, index, _text_at(column, index), table, chosen)


def _packet_of(column: Column) -> Array:
    """Return the packet that each value is of."""
    if column.offsets is None:
        return np.arange(len(column.raw))
    return np.repeat(np.arange(len(column)), np.diff(column.offsets))


def _text_at(column: Column, index: int) -> Value:
    if column.offsets is not None:
        first, end = column.offsets[index : index + 2].tolist()
        values = column.raw[first:end]
        return values.tobytes().hex() if column.is_octets else ", ".join(map(str, values.tolist()))
    value = column.raw[index : index + 1].tolist()[0]
    return value.hex() if isinstance(value, bytes) else str(value)


@dataclass(frozen=True, slots=True)
class GapMark:
    """Packets that are missing between two places of the axis of an APID."""

    start: float
    end: float
    missing: int


@dataclass(frozen=True, slots=True)
class ClockMark:
    """Where on the axis of an APID its clock rolled over, began again or was set back."""

    at: float
    step: ClockStep


@dataclass(slots=True)
class ApidStatistics:
    """The columns of one APID, and the axis along which they are drawn.

    The axis is the time of the packets in ms since 1970-01-01 UTC where they have one, or the time
    at which their frames came; else their number, for which missing packets count, too.
    """

    apid: int
    has_time: bool = False
    is_received: bool = False  # The time is that of the frames.
    packets: int = 0
    missing: int = 0
    first_time: float | None = None
    last_time: float | None = None
    columns: dict[str, ColumnStatistics] = field(default_factory=dict)
    gaps: list[GapMark] = field(default_factory=list)
    gap_count: int = 0
    clock_marks: list[ClockMark] = field(default_factory=list)  # Few; the ledger counts them all.
    damaged: MinMaxSeries = field(default_factory=lambda: MinMaxSeries(100))  # Where CRCs fail.
    places: MinMaxSeries = field(default_factory=MinMaxSeries)  # Of packets, or their frames.
    _last_x: float | None = None

    @property
    def packets_per_s(self) -> float | None:
        """The mean rate, where packets have times and more than one came."""
        if self.first_time is None or self.last_time is None or self.last_time <= self.first_time:
            return None
        return (self.packets - 1) / (self.last_time - self.first_time) * 1000

    def find(self, places: Sequence[int]) -> list[float]:
        """Return where on the axis places of the dump are; a place between packets is between."""
        x, known = self.places.drawn()[:2]
        order = np.argsort(known, kind="stable")
        if not len(order):
            return []
        found: list[float] = np.interp(places, known[order], x[order]).tolist()
        return found

    def note_clock(self, table: Table, x: Array) -> None:
        """Keep where on the axis the clock rolled over, began again or was set back."""
        column = table.columns.get(CLOCK_COLUMN)
        if column is None or not column.raw.any():
            return
        for index in np.flatnonzero(np.isin(column.raw, CLOCK_EVENTS)).tolist():
            if len(self.clock_marks) < MAX_GAPS:
                step = ClockStep(int(column.raw[index]))
                self.clock_marks.append(ClockMark(float(x[index]), step))

    def axis(self, missing: Array, times: Array | None, is_received: bool = False) -> Array:
        """Return the place of each packet of the next block on the axis; note the gaps.

        `is_received` says that the times are not the packets' own but those of their frames.
        """
        numbers = self.packets + self.missing + np.cumsum(missing + 1) - 1.0
        x = numbers
        if times is not None:
            self.has_time, self.is_received = True, is_received
            x = _filled(times, self._last_x)
            known = times[~np.isnan(times)]
            if len(known):
                first, last = float(known.min()), float(known.max())
                self.first_time = first if self.first_time is None else min(self.first_time, first)
                self.last_time = last if self.last_time is None else max(self.last_time, last)
        for index in np.flatnonzero(missing).tolist():
            before = x[index - 1] if index else self._last_x
            self._add_gap(x[index] if before is None else float(before), x[index], missing[index])
        self.packets += len(x)
        self.missing += int(missing.sum())
        self._last_x = float(x[-1])
        return x

    def _add_gap(self, start: float, end: float, missing: int) -> None:
        self.gap_count += 1
        self.gaps.append(GapMark(float(start), float(end), int(missing)))
        if len(self.gaps) >= 2 * MAX_GAPS:
            self.trim()

    def trim(self) -> None:
        """Keep the widest gaps."""
        widest = sorted(self.gaps, key=lambda gap: gap.missing, reverse=True)[:MAX_GAPS]
        self.gaps = sorted(widest, key=lambda gap: gap.start)


def _filled(times: Array, before: float | None) -> Array:
    """Return times without NaN: a packet without a time has that of the packet before it."""
    is_known = ~np.isnan(times)
    if is_known.all():
        return times
    places = np.maximum.accumulate(np.where(is_known, np.arange(len(times)), -1))
    first = before if before is not None else 0.0
    filled: Array = np.where(places >= 0, times[places], first)
    return filled


def _times(table: Table) -> tuple[Array | None, bool]:
    """Return times in ms since 1970, NaN where there is none, and whether frames tell them."""
    for name in (PACKET_TIME, RECEIVED_TIME):
        column = table.columns.get(name)
        if column is not None and column.raw.dtype.kind == "M":
            times: Array = column.raw.astype("M8[us]").astype(np.int64) / 1000.0
            times[np.isnat(column.raw)] = np.nan
            return times, name == RECEIVED_TIME
    return None, False


@dataclass(slots=True)
class Statistics:
    """A sink of tables that keeps statistics, and with `is_drawn` the points of plots."""

    definition: Definition
    options: Options = DEFAULTS
    is_drawn: bool = False
    apids: dict[int, ApidStatistics] = field(default_factory=dict)
    is_timed: ClassVar[bool] = True
    _last_offset: int = 0  # Of all packets.

    def take(self, table: Table) -> None:
        """Add a table of packets."""
        known = self.apids.setdefault(table.apid, ApidStatistics(table.apid))
        gaps = table.columns[GAP_COLUMN].raw
        trusted = table.columns[VERDICT_COLUMN].raw != int(VerdictCode.DAMAGED)
        x = known.axis(gaps, *_times(table))
        known.note_clock(table, x)
        known.places.add(x, table.seen_at)
        self._last_offset = max(self._last_offset, int(table.offsets.max()))
        if not trusted.all():
            at = x[~trusted]
            known.damaged.add(at, np.zeros(len(at)))
        for name, column in table.columns.items():
            if name in BESIDE_COLUMNS or name == VERDICT_COLUMN or not self._is_wanted(name):
                continue
            if name not in known.columns:
                series = MinMaxSeries() if self.is_drawn else None
                known.columns[name] = ColumnStatistics(name, series=series)
            known.columns[name].add(column, x, table, trusted)

    def end(self, ledger: Ledger) -> int:
        """Return where the input ends, on the scale of the offsets of tables.

        Where a stretch of time was asked for, it ends with that; dumps that were merged by time end
        with their last packet.
        """
        is_part = not self.options.selection.is_everything or self.options.merge == BY_TIME
        return self._last_offset if is_part else sum(ledger.octets.values())

    def time_names(self, apid: int) -> tuple[str, ...]:
        """Return the columns that hold the time of the packets of an APID."""
        source = find_source(self.definition, self.options, apid)
        if source is None:
            return ()
        return source.names if source.p_field is None else (*source.names, source.p_field)

    def limits(self, apid: int, column: str) -> Limits | None:
        """Return the limits of a column, if it has any."""
        packet = self.definition.of(apid)
        meaning = packet.meanings.of(column) if packet else None
        return meaning.limits if meaning else None

    def _is_wanted(self, name: str) -> bool:
        if self.options.columns:
            return self.options.wants_of(name)
        return name not in RESERVED_COLUMNS
