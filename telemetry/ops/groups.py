# SPDX-License-Identifier: Apache-2.0
"""From packets to groups: segments are put together before the definition is applied."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from telemetry.columns.column import Array
from telemetry.columns.definition import Definition
from telemetry.ops.group_ledger import GroupAccount, GroupDamage, GroupLedger
from telemetry.ops.ledger import Ledger
from telemetry.ops.merge import take_packets
from telemetry.wire.batch import Indices, PacketBatch, VerdictCode
from telemetry.wire.crc import CRC_OCTETS
from telemetry.wire.segments import Group, GroupAssembler, GroupRules
from telemetry.wire.space_packet import (
    PRIMARY_HEADER_OCTETS,
    SEQUENCE_FLAGS_UNSEGMENTED,
    build_primary_header,
    parse_primary_header,
)
from telemetry.wire.spans import CRC_DOES_NOT_HOLD
from telemetry.wire.time_scales import Flags


@dataclass(frozen=True, slots=True)
class Packets:
    """Packets that were asked for, in order of arrival, and what is known of each."""

    batch: PacketBatch
    apids: Array
    counts: Array  # Sequence counts.
    offsets: Indices  # In the input.
    places: Array  # The same, or those of their frames.
    missing: Array  # Packets of the same APID that are missing right before each.
    received_ns: Array  # `NO_TIME` where nothing tells.

    def __len__(self) -> int:
        return len(self.offsets)

    def take(self, chosen: Indices) -> "Packets":
        """Return these packets only, in this order."""
        return Packets(
            take_packets(self.batch, chosen),
            self.apids[chosen],
            self.counts[chosen],
            self.offsets[chosen],
            self.places[chosen],
            self.missing[chosen],
            self.received_ns[chosen],
        )


@dataclass(frozen=True, slots=True)
class Units:
    """What a definition is applied to: packets, and groups put together.

    A unit that was a group has the header of its first segment, the data of all, and the trailer of
    the last; what is known besides is that of the first segment.
    """

    packets: Packets
    packet_octets: Array  # Of the packets of each unit.
    segments: Array  # How many packets each unit is made of.
    ends: Indices  # Where the last packet of each is.


_Start: TypeAlias = tuple[int, int, int]  # Place, packets missing before it, time of reception.


class GroupFloor:
    """Feed it with packets by `push`; `close` it behind the last dump."""

    def __init__(self, definition: Definition, *, repeated_header: int = 0) -> None:
        self.ledger = GroupLedger()
        self._definition = definition
        self._repeated = repeated_header
        self._assemblers: dict[bool, GroupAssembler] = {}  # With and without a CRC.
        self._octets = 0  # That came.

    def push(self, packets: Packets) -> Units:
        """Take packets and return the units that end with them, in this order."""
        self._octets += int(packets.batch.lengths.sum())
        flags = packets.batch.octets[packets.batch.starts + 2] >> 6
        concerned = set(np.unique(packets.apids[flags != SEQUENCE_FLAGS_UNSEGMENTED]).tolist())
        for assembler in self._assemblers.values():
            concerned |= set(assembler.open_apids)
        if not concerned:
            return _alone(packets)
        is_concerned = np.isin(packets.apids, list(concerned))
        alone = np.flatnonzero(~is_concerned)
        found: list[tuple[int, Group]] = []  # Behind which packet, and the group.
        for index in np.flatnonzero(is_concerned).tolist():
            is_damaged = packets.batch.verdicts[index] == VerdictCode.DAMAGED
            if is_damaged and flags[index] == SEQUENCE_FLAGS_UNSEGMENTED:
                alone = np.append(alone, index)  # It has a row that says so.
            elif is_damaged:
                self._leave_out(packets, index)
            else:
                found += ((index, group) for group in self._add(packets, index))
        return self._units(packets, np.sort(alone), found)

    def misfits(self, units: Units) -> dict[int, str]:
        """Return which units do not have the length that their definition always has."""
        found = {}
        lengths = units.packets.batch.lengths - PRIMARY_HEADER_OCTETS
        for apid in np.unique(units.packets.apids).tolist():
            packet = self._definition.of(apid)
            if packet is None or packet.size is None:
                continue
            is_wrong = (units.packets.apids == apid) & (lengths != packet.size)
            for index in np.flatnonzero(is_wrong).tolist():
                found[index] = (
                    f"put together it has {lengths[index]:,} data bytes; "
                    f"{packet.label} takes {packet.size:,}"
                )
        return found

    def book(
        self, units: Units, problems: Mapping[int, str], is_of_other_time: Flags, ledger: Ledger
    ) -> None:
        """Book what became of units, and the rows that they gave."""
        is_read = np.ones(len(units.segments), np.bool_)
        is_read[list(problems)] = False
        is_alone = units.segments == 1
        for account, chosen in (
            (GroupAccount.UNREADABLE, ~is_read),
            (GroupAccount.OF_OTHER_TIME, is_read & is_of_other_time),
            (GroupAccount.ALONE, is_read & ~is_of_other_time & is_alone),
            (GroupAccount.WHOLE, is_read & ~is_of_other_time & ~is_alone),
        ):
            if chosen.any():
                self.ledger.add(
                    account,
                    octets=int(units.packet_octets[chosen].sum()),
                    segments=int(units.segments[chosen].sum()),
                    groups=int(chosen.sum()),
                )
        for index, text in sorted(problems.items()):
            self.ledger.add_damage(self._damage(units, index, text), text)
        for apid in np.unique(units.packets.apids).tolist():
            is_of_apid = units.packets.apids == apid
            rows = int((is_of_apid & is_read & ~is_of_other_time).sum())
            ledger.add_rows(apid, rows, int((is_of_apid & is_read & is_of_other_time).sum()))

    def _damage(self, units: Units, index: int, text: str) -> GroupDamage:
        return GroupDamage(
            int(units.packets.apids[index]),
            GroupAccount.UNREADABLE,
            (int(units.packets.offsets[index]), int(units.ends[index])),
            int(units.packet_octets[index]),
            int(units.segments[index]),
            text,
        )

    def check(self) -> None:
        """Assert that every octet of the packets is booked, or in a group that may go on."""
        waiting = sum(floor.open_packet_octets for floor in self._assemblers.values())
        self.ledger.close(self._octets, waiting)

    def close(self) -> None:
        """Declare the end of the last dump: groups that were not ended are broken."""
        for assembler in self._assemblers.values():
            for group in assembler.close():
                self.ledger.add_broken(group)
        self.check()

    def _add(self, packets: Packets, index: int) -> Iterable[Group]:
        octets = packets.batch.packet(index)
        header = parse_primary_header(octets)
        start: _Start = (
            int(packets.places[index]),
            int(packets.missing[index]),
            int(packets.received_ns[index]),
        )
        assembler = self._assembler(header.apid)
        before = assembler.duplicates
        data = octets[PRIMARY_HEADER_OCTETS:]
        groups = list(assembler.add(header, data, int(packets.offsets[index]), start))
        if assembler.duplicates > before:
            self.ledger.add(GroupAccount.DUPLICATE, octets=len(octets), segments=1, groups=0)
        return groups

    def _assembler(self, apid: int) -> GroupAssembler:
        packet = self._definition.of(apid)
        has_crc = packet is not None and packet.rule.has_crc
        if has_crc not in self._assemblers:
            rules = GroupRules(
                secondary_header_octets=self._repeated,
                is_header_repeated=self._repeated > 0,
                trailer_octets=CRC_OCTETS * has_crc,
            )
            self._assemblers[has_crc] = GroupAssembler(rules)
        return self._assemblers[has_crc]

    def _leave_out(self, packets: Packets, index: int) -> None:
        octets, offset = int(packets.batch.lengths[index]), int(packets.offsets[index])
        self.ledger.add(GroupAccount.DAMAGED, octets=octets, segments=1, groups=0)
        text = f"a segment: {CRC_DOES_NOT_HOLD}"
        apid = int(packets.apids[index])
        damage = GroupDamage(apid, GroupAccount.DAMAGED, (offset, offset), octets, 1, text)
        self.ledger.add_damage(damage, text)

    def _units(self, packets: Packets, alone: Indices, found: list[tuple[int, Group]]) -> Units:
        """Return packets that stand alone and groups that are whole, in order of their ends."""
        for _, group in found:
            if not group.is_whole:
                self.ledger.add_broken(group)
        whole = [(index, group) for index, group in found if group.is_whole]
        single = _alone(packets.take(alone))
        if not whole:
            return single
        order = np.argsort(np.append(alone, [index for index, _ in whole]), kind="stable")
        joined = _join(single, _put_together([group for _, group in whole]))
        arrays = (joined.packet_octets, joined.segments, joined.ends)
        return Units(joined.packets.take(order), *(array[order] for array in arrays))


def _alone(packets: Packets) -> Units:
    ones = np.ones(len(packets), np.int64)
    return Units(packets, packets.batch.lengths, ones, packets.offsets)


def _put_together(groups: list[Group]) -> Units:
    """Return groups in the form of packets; the length field in a header is that of a segment."""
    data = [build_primary_header(group.header) + group.data + group.trailer for group in groups]
    lengths = np.array([len(octets) for octets in data], np.int64)
    codes = [VerdictCode.GOOD if group.trailer else VerdictCode.NONE for group in groups]
    octets = np.frombuffer(b"".join(data), np.uint8)
    verdicts = np.array(codes, np.uint8)
    packets = Packets(
        PacketBatch(octets, np.cumsum(lengths) - lengths, lengths, 0, verdicts),
        np.array([group.apid for group in groups]),
        np.array([group.counts[0] for group in groups]),
        np.array([group.offsets[0] for group in groups], np.int64),
        *(np.array(part, np.int64) for part in zip(*(group.tag for group in groups), strict=True)),
    )
    return Units(
        packets,
        np.array([group.packet_octets for group in groups], np.int64),
        np.array([group.segments for group in groups], np.int64),
        np.array([group.offsets[1] for group in groups], np.int64),
    )


def _join(first: Units, second: Units) -> Units:
    one, other = first.packets, second.packets
    batches = one.batch, other.batch
    base = len(one.batch.octets)
    batch = PacketBatch(
        np.concatenate([batch.octets for batch in batches]),
        np.concatenate((one.batch.starts, other.batch.starts + base)),
        np.concatenate([batch.lengths for batch in batches]),
        0,
        np.concatenate([batch.verdicts for batch in batches]),
    )
    names = ("apids", "counts", "offsets", "places", "missing", "received_ns")
    pairs = (np.concatenate((getattr(one, name), getattr(other, name))) for name in names)
    arrays = ("packet_octets", "segments", "ends")
    units = (np.concatenate((getattr(first, n), getattr(second, n))) for n in arrays)
    return Units(Packets(batch, *pairs), *units)
