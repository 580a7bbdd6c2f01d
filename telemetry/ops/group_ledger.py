# SPDX-License-Identifier: Apache-2.0
"""The ledger of the floor of groups: every octet of the packets asked for stands in it once.

Its input is what the floor of packets found; each record points at the packets that it is made of.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from telemetry.ops.accounts import Reason
from telemetry.wire.segments import Group


class GroupAccount(StrEnum):
    """Where the octets of packets are booked."""

    WHOLE = "whole"  # Segments of groups that are whole, and were decoded.
    ALONE = "alone"  # Packets that are no segments.
    BROKEN = "broken"  # Segments of groups that are not whole: nothing of them is decoded.
    DAMAGED = "damaged"  # Segments whose CRC does not hold; they are in no group.
    DUPLICATE = "duplicate"  # Segments that came again.
    UNREADABLE = "unreadable"  # Whole, but the definition cannot read it.
    OF_OTHER_TIME = "of_other_time"  # Whole, but of a time that was not asked for.


@dataclass(frozen=True, slots=True)
class GroupDamage:
    """A group, or a segment, that gave no row."""

    apid: int
    account: GroupAccount
    offsets: tuple[int, int]  # The parents: where its first and its last packet are in the input.
    octets: int  # Of its packets.
    segments: int
    reason: str


@dataclass(slots=True)
class GroupLedger:
    """Octets and groups by account. The list of damages is capped, the counts are not."""

    octets: Counter[GroupAccount] = field(default_factory=Counter)
    segments: Counter[GroupAccount] = field(default_factory=Counter)
    groups: Counter[GroupAccount] = field(default_factory=Counter)
    reasons: dict[str, Reason] = field(default_factory=dict)
    damages: list[GroupDamage] = field(default_factory=list)
    max_damages: int = 1000

    def add(self, account: GroupAccount, *, octets: int, segments: int, groups: int = 1) -> None:
        """Book groups, or packets that are no segments."""
        self.octets[account] += octets
        self.segments[account] += segments
        self.groups[account] += groups

    def add_broken(self, group: Group) -> None:
        """Book a group that is not whole."""
        self.add(GroupAccount.BROKEN, octets=group.packet_octets, segments=group.segments)
        told = ["segments are missing"] if group.missing else []
        missing = set(map(str, group.missing))
        told += [reason for reason in group.reasons if reason not in missing]
        damage = GroupDamage(
            group.apid,
            GroupAccount.BROKEN,
            group.offsets,
            group.packet_octets,
            group.segments,
            "; ".join(group.reasons),
        )
        self.add_damage(damage, " and ".join(dict.fromkeys(told)))

    def add_damage(self, damage: GroupDamage, kind: str) -> None:
        """Keep a damage, which is booked already; `kind` is its reason without numbers."""
        if len(self.damages) < self.max_damages:
            self.damages.append(damage)
        if kind in self.reasons or len(self.reasons) < self.max_damages:
            known = self.reasons.setdefault(kind, Reason(damage.offsets[0]))
            known.count += 1
            known.octets += damage.octets

    def close(self, packet_octets: int, open_octets: int) -> None:
        """Assert that the accounts hold every octet of the packets that were asked for.

        `open_octets` are those of groups that may still go on.
        """
        booked = sum(self.octets.values()) + open_octets
        if booked != packet_octets:
            raise AssertionError(f"the group ledger holds {booked} octets of {packet_octets}")

    @property
    def is_clean(self) -> bool:
        """Whether every segment was part of a group that is whole."""
        lost = (GroupAccount.BROKEN, GroupAccount.DAMAGED, GroupAccount.UNREADABLE)
        return not any(self.octets[account] for account in lost)
