# SPDX-License-Identifier: Apache-2.0
"""Groups: data that one packet could not hold, sent as several (CCSDS 133.0-B-2, 4.1.3.4.2).

The sequence flags say which packet is the first of a group, a continuation, the last, or alone. All
packets of a group have one APID and consecutive sequence counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from telemetry.wire.space_packet import (
    PRIMARY_HEADER_OCTETS,
    SEQUENCE_COUNT_MODULO,
    PrimaryHeader,
)

CONTINUATION, FIRST, LAST, UNSEGMENTED = range(4)  # 4.1.3.4.2.2
MAX_GROUP_OCTETS = 1 << 24
MAX_OPEN_OCTETS = 1 << 25
_HALF: Final = SEQUENCE_COUNT_MODULO // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRules:
    """What a segment carries besides its part of the data.

    The secondary header of the first segment stays in the data; those of the others are left out if
    `is_header_repeated`. Trailers (a CRC) are always left out.
    """

    secondary_header_octets: int = 0
    is_header_repeated: bool = False
    trailer_octets: int = 0
    max_octets: int = MAX_GROUP_OCTETS  # Of the data of one group, for each APID.
    max_open_octets: int = MAX_OPEN_OCTETS  # Of the data of all groups that are not ended.


@dataclass(frozen=True, slots=True)
class Missing:
    """Segments that did not come, by sequence count."""

    first_count: int
    segments: int

    def __str__(self) -> str:
        last = (self.first_count + self.segments - 1) % SEQUENCE_COUNT_MODULO
        if self.segments == 1:
            return f"segment {last} is missing"
        return f"{self.segments:,} segments, {self.first_count} to {last}, are missing"


@dataclass(frozen=True, slots=True)
class Group:
    """A group, whole or not. `data` of one that is not whole has holes: do not decode it."""

    header: PrimaryHeader  # Of the first segment that came.
    data: bytes
    counts: tuple[int, int]  # Sequence counts of the first and the last segment that came.
    offsets: tuple[int, int]  # Where these two are in the input.
    segments: int  # How many came.
    packet_octets: int  # Of these segments as packets, with their headers.
    missing: tuple[Missing, ...] = ()
    reasons: tuple[str, ...] = ()  # Why it is not whole.
    trailer: bytes = b""  # Of the last segment that came.
    tag: Any = None  # What `add` was given with the first segment that came.

    @property
    def apid(self) -> int:
        """The APID of all segments."""
        return self.header.apid

    @property
    def is_whole(self) -> bool:
        """Whether every segment is there, from the first to the last."""
        return not self.reasons


@dataclass(slots=True)
class _Open:
    header: PrimaryHeader
    offset: int
    parts: list[bytes] = field(default_factory=list)
    octets: int = 0
    packet_octets: int = 0
    trailer: bytes = b""
    tag: Any = None
    last_count: int = 0
    last_offset: int = 0
    missing: list[Missing] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


class GroupAssembler:
    """Put groups together, one at a time for each APID; `add` packets in order of arrival.

    Whatever is dropped is told: each segment is in exactly one group, or counts as `duplicates`.
    """

    def __init__(self, rules: GroupRules | None = None) -> None:
        self._rules = rules or GroupRules()
        self._open: dict[int, _Open] = {}
        self._octets = 0  # Of the data of open groups.
        self.duplicates = 0  # Segments that came again at once.
        self.duplicate_octets = 0  # Of these as packets.

    @property
    def open_apids(self) -> list[int]:
        """The APIDs whose group is not ended."""
        return list(self._open)

    @property
    def open_packet_octets(self) -> int:
        """The octets of the packets in groups that are not ended."""
        return sum(group.packet_octets for group in self._open.values())

    def add(
        self, header: PrimaryHeader, data_field: bytes, offset: int, tag: Any = None
    ) -> Iterator[Group]:
        """Take the data field of a packet; yield each group that ends with it or before it."""
        group = self._open.get(header.apid)
        if header.sequence_flags in (FIRST, UNSEGMENTED):
            if group is not None:
                yield self._end(group, "the last segment is missing")
            group = self._begin(header, offset, tag)
        elif group is None:
            group = self._begin(header, offset, tag, "the first segment is missing")
        elif header.sequence_count == group.last_count:
            self.duplicates += 1
            self.duplicate_octets += PRIMARY_HEADER_OCTETS + len(data_field)
            return
        elif not self._goes_on(group, header.sequence_count):
            yield self._end(group, "the sequence count fell back")
            group = self._begin(header, offset, tag, "the first segment is missing")
        self._append(group, header, data_field, offset)
        if header.sequence_flags in (LAST, UNSEGMENTED):
            yield self._end(group)
        elif group.octets > self._rules.max_octets:
            yield self._end(group, f"longer than {self._rules.max_octets:,} octets")
        elif self._octets > self._rules.max_open_octets:
            longest = max(self._open.values(), key=lambda open_: open_.octets)
            yield self._end(longest, "too many groups at a time for the memory")

    def close(self) -> Iterator[Group]:
        """Yield the groups that were not ended."""
        for group in list(self._open.values()):
            yield self._end(group, "the last segment is missing")

    def _begin(self, header: PrimaryHeader, offset: int, tag: Any, *reasons: str) -> _Open:
        group = _Open(header, offset, tag=tag, reasons=list(reasons))
        self._open[header.apid] = group
        return group

    def _goes_on(self, group: _Open, count: int) -> bool:
        ahead = (count - group.last_count) % SEQUENCE_COUNT_MODULO
        if ahead >= _HALF:
            return False
        if ahead > 1:
            first = (group.last_count + 1) % SEQUENCE_COUNT_MODULO
            group.missing.append(Missing(first, ahead - 1))
        return True

    def _append(self, group: _Open, header: PrimaryHeader, data: bytes, offset: int) -> None:
        rules = self._rules
        is_later = bool(group.parts) or bool(group.reasons)
        begin = rules.secondary_header_octets if is_later and rules.is_header_repeated else 0
        end = max(begin, len(data) - rules.trailer_octets)
        group.parts.append(data[begin:end])
        group.trailer = data[end:]
        group.octets += end - begin
        group.packet_octets += PRIMARY_HEADER_OCTETS + len(data)
        self._octets += end - begin
        group.last_count, group.last_offset = header.sequence_count, offset

    def _end(self, group: _Open, *reasons: str) -> Group:
        del self._open[group.header.apid]
        self._octets -= group.octets
        return Group(
            header=group.header,
            data=b"".join(group.parts),
            counts=(group.header.sequence_count, group.last_count),
            offsets=(group.offset, group.last_offset),
            segments=len(group.parts),
            packet_octets=group.packet_octets,
            missing=tuple(group.missing),
            reasons=(*group.reasons, *map(str, group.missing), *reasons),
            trailer=group.trailer,
            tag=group.tag,
        )
