# SPDX-License-Identifier: Apache-2.0
"""What a report is made of, and the sums that its head tells."""

from dataclasses import dataclass

from telemetry.ops.accounts import Account
from telemetry.ops.frame_ledger import FrameLedger
from telemetry.ops.ledger import Ledger
from telemetry.ops.shares import names_text
from telemetry.ops.statistics import ApidStatistics, ColumnStatistics, Statistics
from telemetry.ops.statistics_text import moment_text


@dataclass(frozen=True, slots=True)
class Report:
    """What a report is made of."""

    names: tuple[str, ...]  # Of the dumps.
    statistics: Statistics
    ledger: Ledger
    frames: tuple[FrameLedger, ...]  # Of each dump, where there is a framing.
    problems: tuple[str, ...]  # Dumps that could not be read, or not whole.
    command: str

    @property
    def title(self) -> str:
        """The dumps in few words."""
        return names_text(self.names)

    @property
    def noise(self) -> list[tuple[int, int]]:
        """Where bytes are that are no packet, and how many; of frames, those that are damaged."""
        skipped = (item for item in self.ledger.damages if item.account is Account.SKIPPED)
        found = [(damage.place, damage.length) for damage in skipped]
        return found + [
            (item.offset, item.length) for floor in self.frames for item in floor.damages
        ]

    def time_of(self, place: int, apid: int | None = None) -> str:
        """Return the UTC time that packets around a place of the dump have; "" if none tells."""
        for number, seen in sorted(self.statistics.apids.items()):
            if seen.has_time and apid in (None, number) and (found := seen.find([place])):
                return moment_text(found[0])
        return ""

    @property
    def octets(self) -> int:
        """Octets of all dumps, or of what their frames carry."""
        return sum(self.ledger.octets.values())

    @property
    def end(self) -> int:
        """Where the input ends, on the scale of the offsets of packets."""
        return self.statistics.end(self.ledger)

    @property
    def input_octets(self) -> int:
        """Octets of all dumps."""
        if not self.frames:
            return self.octets
        return sum(octets for floor in self.frames for octets in floor.octets.values())

    @property
    def columns(self) -> list[tuple[ApidStatistics, ColumnStatistics]]:
        """All columns, in order of APID and definition."""
        apids = (apid for _, apid in sorted(self.statistics.apids.items()))
        return [(apid, column) for apid in apids for column in apid.columns.values()]

    @property
    def alarms(self) -> int:
        """Values outside of their alarm limits."""
        return sum(column.alarms for _, column in self.columns)

    @property
    def warnings(self) -> int:
        """Values outside of their warning limits, but inside of their alarm limits."""
        return sum(column.violations - column.alarms for _, column in self.columns)

    @property
    def is_damaged(self) -> bool:
        """Whether anything is damaged, skipped, missing or could not be read."""
        is_clean = self.ledger.is_clean and all(floor.is_clean for floor in self.frames)
        return not is_clean or bool(self.problems)
