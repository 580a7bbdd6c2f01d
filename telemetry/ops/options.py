# SPDX-License-Identifier: Apache-2.0
"""What a user may ask of a decode."""

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase

from telemetry.errors import UsageError
from telemetry.ops.cells import BESIDE_SUFFIX, TIME_COLUMNS
from telemetry.ops.selection import Selection, parse_moment
from telemetry.ops.source import DEFAULT_BAUDRATE, DEFAULT_LINE, SerialLine
from telemetry.wire.time_scales import (
    LEAP_SECONDS,
    Epoch,
    LeapSeconds,
    find_epoch,
    read_leap_seconds,
)

MAX_PROCESSES = 256
BY_ARRIVAL, BY_TIME = "arrival", "time"  # One dump after the other; packet by packet.
_SHOWN = 12  # Columns that a message names.


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to read dumps, and what to give out of them; `UsageError` for what cannot be."""

    framing: str = "none"  # See `telemetry.wire.framing`.
    skip: int = 0  # Octets before each packet that are left out.
    has_primary_header: bool = True
    apid: int | None = None  # Only this one.
    reassemble: bool = False  # Whether segments are put together; the definition is of the whole.
    repeated_header: int = 0  # Octets before the data of each segment but the first.
    since: str | None = None  # Packets from this time on: 2026-11-22T10:30:00Z.
    until: str | None = None  # Packets before this time.
    time: str | None = (
        None  # Time fields, if not named as in `telemetry.wire.pus`: `cds:DAY,MS,US`.
    )
    epoch: str | None = None  # Of the time fields: a name (GPS), or a date and TAI or UTC.
    leap_seconds: str | None = None  # A file `leap-seconds.list` newer than the table built in.
    times: bool = False  # Whether there are columns with the time of each packet.
    merge: str = BY_ARRIVAL  # How several dumps become one; or BY_TIME.
    columns: tuple[str, ...] = ()  # Names, or patterns as `rails*`; empty: all.
    quality: bool = False  # Whether files and rows say what is missing before each packet.
    processes: int = 1
    baudrate: int = DEFAULT_BAUDRATE  # Of serial ports.
    line: str = DEFAULT_LINE  # Of serial ports: data bits, parity, stop bits.

    def __post_init__(self) -> None:
        if not 1 <= self.processes <= MAX_PROCESSES:
            raise UsageError(f"--processes {self.processes}: expected 1..{MAX_PROCESSES}")
        if self.repeated_header < 0 or (self.repeated_header and not self.reassemble):
            raise UsageError(
                f"--repeated-header {self.repeated_header}: expected how many bytes to leave out "
                "of the segments that --reassemble puts together"
            )
        if self.reassemble and not self.has_primary_header:
            raise UsageError(
                "--reassemble: sequence flags stand in the primary header, which "
                "--no-primary-header leaves out"
            )
        if self.merge not in (BY_ARRIVAL, BY_TIME):
            raise UsageError(f"--merge {self.merge}: expected {BY_ARRIVAL} or {BY_TIME}")
        if self.merge == BY_TIME and self.reassemble:
            raise UsageError(
                f"--merge {BY_TIME}: segments have no times of their own; with --reassemble give "
                "dumps in order of time"
            )
        if not all(self.columns):
            raise UsageError("--columns: a name is empty; expected as in --columns volts,rails*")
        for _ in (self.selection, self.time_epoch, self.leap_table, self.serial_line):
            pass  # Reading them tells what is wrong.

    @property
    def serial_line(self) -> SerialLine:
        """How serial ports are set."""
        return SerialLine(self.baudrate, self.line)

    @property
    def selection(self) -> Selection:
        """The stretch of time that is asked for."""
        return Selection(
            None if self.since is None else parse_moment(self.since, "--since"),
            None if self.until is None else parse_moment(self.until, "--until"),
        )

    @property
    def time_epoch(self) -> Epoch | None:
        """What the time fields count from; None: the epoch of CCSDS."""
        return None if self.epoch is None else find_epoch(self.epoch)

    @property
    def leap_table(self) -> LeapSeconds:
        """The leap seconds that are known."""
        return LEAP_SECONDS if self.leap_seconds is None else read_leap_seconds(self.leap_seconds)

    @property
    def wants_times(self) -> bool:
        """Whether columns with the time of each packet are asked for."""
        return (
            self.times
            or self.time is not None
            or any(name in self.columns for name in TIME_COLUMNS)
        )

    def wants(self, column: str) -> bool:
        """Whether a column is asked for, by its name or by a pattern with `*` and `?`."""
        return not self.columns or any(_matches(column, wanted) for wanted in self.columns)

    def wants_list(self, column: str) -> bool:
        """Whether a list, whose name has `[]`, is asked for as a whole."""
        return self.wants(column) or self.wants(column.replace("[]", ""))

    def wants_flat(self, column: str) -> bool:
        """Whether a column with one value per packet, or the list that it is of, is asked for."""
        return self.wants(column) or self.wants_list(_without_index(column))

    def indices_of(self, column: str) -> list[int]:
        """Return which elements of a list are asked for by their indices, as in `samples[3]`."""
        wanted = [name for name in self.columns if _without_index(name) == column != name]
        return [int(index) for name in wanted for index in re.findall(r"\[(\d+)\]", name)[:1]]

    def wants_of(self, column: str) -> bool:
        """Whether a column, an element of it, or what stands beside it is asked for."""
        return not self.columns or any(
            _matches(name, form)
            for wanted in self.columns
            for own in (wanted, BESIDE_SUFFIX.sub("", wanted))
            for form in (own, _without_index(own))
            for name in (column, column.replace("[]", ""))
        )

    def check_columns(self, known: Collection[str]) -> None:
        """Raise `UsageError` for a column that is asked for and not known.

        `known` are names with `[]` in place of an index.
        """
        for wanted in self.columns:
            name = _without_index(wanted)
            names = [own for column in known for own in (column, column.replace("[]", ""))]
            if not any(_matches(own, form) for own in names for form in (wanted, name)):
                raise UsageError(f"--columns {wanted}: no such column; {_hint(wanted, known)}")

    def complaint(self) -> str:
        """Return what to tell when packets have none of the columns."""
        return f"--columns {','.join(self.columns)}: no packet has such a column"


def _hint(wanted: str, known: Collection[str]) -> str:
    stem = _without_index(BESIDE_SUFFIX.sub("", wanted))
    if stem in known and stem != wanted:
        beside = [name for name in known if BESIDE_SUFFIX.sub("", name) == stem != name]
        return f"beside {stem} there is {', '.join(beside) or 'nothing'}"
    near = difflib.get_close_matches(_without_index(wanted), known, n=1)
    if near:
        return f"did you mean {near[0]}?"
    names = list(known)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"there are {', '.join(names[:_SHOWN])}{more}"


def _without_index(name: str) -> str:
    return re.sub(r"\[\d+\]", "[]", name)


def _matches(column: str, wanted: str) -> bool:
    return column == wanted or fnmatchcase(column, wanted.replace("[", "[[]"))


DEFAULTS = Options()
