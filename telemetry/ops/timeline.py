# SPDX-License-Identifier: Apache-2.0
"""When packets were made, and when they came: the clock of each APID, and the stamps of frames."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from telemetry.columns.column import Array, Column
from telemetry.columns.definition import Definition
from telemetry.errors import UsageError
from telemetry.ops.cells import CLOCK_COLUMN, PACKET_TIME, RECEIVED_TIME
from telemetry.ops.ledger import Ledger
from telemetry.ops.options import BY_TIME, Options
from telemetry.ops.packet_times import TimeColumns, find_time_columns, parse_time_columns
from telemetry.wire.clock import ClockStep, ClockTracker
from telemetry.wire.framing import NO_TIME
from telemetry.wire.time_scales import NOT_A_TIME, Flags, Moments, Scale, Times

STEP_NAMES = {int(step): step.name.lower() for step in ClockStep}
_NO_TIME_HINT = "name its time fields with --time"


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of packets of one APID besides their columns, in order of arrival."""

    counts: Array  # Sequence counts.
    offsets: Array  # Where they are in the dump, or their frames.
    is_trusted: Flags  # False where the CRC does not hold.
    received_ns: Array | None  # When they came, ns since 1970 UTC; None if nothing tells.
    identify: Callable[[Array], Array]  # Digests of the octets of some of them.


@dataclass(slots=True)
class Timeline:
    """Give packets their times; feed it with the blocks of each APID in order of arrival.

    `is_timed` says that times are wanted beyond what the options ask for; then a time that cannot
    be told, for want of an epoch, is none, and the ledger says so.
    """

    definition: Definition
    options: Options
    ledger: Ledger
    is_timed: bool = False
    _sources: dict[int, TimeColumns | None] = field(default_factory=dict)
    _trackers: dict[int, ClockTracker] = field(default_factory=dict)
    _has_stamps: bool = False  # A frame told when it was received.

    def begin(self) -> None:
        """Declare that another dump begins."""
        for tracker in self._trackers.values():
            tracker.begin()

    def columns(
        self, apid: int, columns: Mapping[str, Column], arrival: Arrival
    ) -> tuple[dict[str, Column], Flags | None]:
        """Return the columns of time that belong beside `columns`, and which packets are selected.

        None: everything is. `UsageError` if a stretch of time is asked for and nothing tells the
        time of packets of this APID.
        """
        found: dict[str, Column] = {}
        source = self.source(apid)
        turns = None
        if source is not None:
            steps, turns = self._steps(apid, source, columns, arrival)
            found[CLOCK_COLUMN] = Column(name=CLOCK_COLUMN, raw=steps, categories=STEP_NAMES)
        selection = self.options.selection
        if selection.is_everything and not (self.is_timed or self.options.wants_times):
            return found, None
        own = None if source is None else self._own(apid, source, columns, turns)
        received = self._received(arrival.received_ns)
        for name, times in ((PACKET_TIME, own), (RECEIVED_TIME, received)):
            if times is not None:
                found[name] = _column(name, times.at)
        if selection.is_everything:
            if self.options.wants_times and own is None and received is None:
                self.ledger.note(f"APID {apid}: nothing tells its times; {_NO_TIME_HINT}")
            return found, None
        return found, selection.mask(self._known(apid, own, received, len(arrival.counts)))

    def source(self, apid: int) -> TimeColumns | None:
        """Return which columns hold the time of the packets of an APID."""
        if apid not in self._sources:
            self._sources[apid] = find_source(self.definition, self.options, apid)
        return self._sources[apid]

    def _steps(
        self, apid: int, source: TimeColumns, columns: Mapping[str, Column], arrival: Arrival
    ) -> tuple[Array, Array]:
        """Return what the clock did before each packet, and how often it had rolled over."""
        is_known = source.are_present(columns) & arrival.is_trusted
        tracker = self._trackers.setdefault(apid, ClockTracker(source.clock_modulus))
        clock, counts = source.clock(columns), arrival.counts
        if is_known.all():
            steps, turns = tracker.add(
                clock, counts, lambda part: arrival.identify(np.arange(len(counts))[part])
            )
        else:
            chosen = np.flatnonzero(is_known)
            before = tracker.turns
            steps, turns = np.zeros(len(counts), np.uint8), np.zeros(len(counts), np.int64)
            steps[chosen], of_chosen = tracker.add(
                clock[chosen], counts[chosen], lambda part: arrival.identify(chosen[part])
            )
            # What is not trusted is taken to be of the same turn as the packet before it.
            place = np.searchsorted(chosen, np.arange(len(counts)), side="right")
            turns = np.concatenate(([before], of_chosen))[place]
        if steps.any():
            self.ledger.note_clock(apid, steps, arrival.offsets)
        return steps, turns

    def _own(
        self, apid: int, source: TimeColumns, columns: Mapping[str, Column], turns: Array | None
    ) -> Times | None:
        epoch, table = self.options.time_epoch, self.options.leap_table
        try:
            times = source.times(columns, epoch=epoch, table=table, turns=turns)
        except UsageError:
            if self._is_strict:
                raise
            self.ledger.note(
                f"APID {apid}: the P-field says that the epoch is the mission's own; --epoch "
                "would give the times of its packets"
            )
            return None
        # On a scale of TAI the table makes UTC of it; an asked moment of TAI needs it as well.
        leans = source.scale(epoch) is Scale.TAI or self.options.selection.is_of(Scale.TAI)
        if leans and table.is_beyond(times.at).any():
            self.ledger.note(
                f"times lie beyond {table.valid_until}, up to which leap seconds are known "
                f"({table.source}): their UTC may be wrong by whole seconds; --leap-seconds FILE "
                "takes a newer table"
            )
        return times

    @property
    def _is_strict(self) -> bool:
        options = self.options
        is_named = options.time is not None or options.epoch is not None
        is_named |= options.merge == BY_TIME
        return is_named or options.wants_times or not options.selection.is_everything

    def _received(self, received_ns: Array | None) -> Times | None:
        if received_ns is None:
            return None
        self._has_stamps = True
        at = np.where(received_ns == NO_TIME, NOT_A_TIME, received_ns.astype("M8[ns]"))
        return Times(at, Scale.UTC)

    def _known(self, apid: int, own: Times | None, received: Times | None, count: int) -> Times:
        known = own or received
        if known is None and self._has_stamps:
            return Times(np.full(count, "NaT", "M8[ns]"), Scale.UTC)
        if known is None:
            raise UsageError(f"--since, --until: APID {apid} has no time: {_NO_TIME_HINT}")
        return known


def find_source(definition: Definition, options: Options, apid: int) -> TimeColumns | None:
    """Return the time fields of an APID: those that were named, or those that are called so."""
    packet = definition.of(apid)
    layout = packet.layout if packet else None
    if options.time is not None:
        return parse_time_columns(options.time, layout)
    return find_time_columns(layout)


def _column(name: str, at: Moments) -> Column:
    is_absent = np.isnat(at)
    return Column(name=name, raw=at, present=~is_absent if is_absent.any() else None)
