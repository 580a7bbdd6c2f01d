# SPDX-License-Identifier: Apache-2.0
"""Ledgers of several dumps become one."""

from dataclasses import replace

from telemetry.columns.flatten import VERDICT_COLUMN
from telemetry.ops.accounts import Account, OtherRecord, Reason
from telemetry.ops.cells import OCTETS_COLUMN
from telemetry.ops.ledger import Ledger
from telemetry.ops.table import Table
from telemetry.wire.batch import VerdictCode


def absorb(ledger: Ledger, part: Ledger, base: int, *, is_framed: bool) -> None:
    """Take over the ledger of a dump, but for its sequences and clocks.

    `base` is where the dump begins in the input; places of frames are those in their dump.
    """
    ledger.octets.update(part.octets)
    ledger.packets.update(part.packets)
    for apid, found in part.apids.items():
        record = ledger.record(apid)
        for name in ("rows", "good", "unchecked", "damaged", "not_as_defined", "of_other_time"):
            setattr(record, name, getattr(record, name) + getattr(found, name))
    for apid, other in part.others.items():
        known = ledger.others.setdefault(apid, OtherRecord())
        known.packets += other.packets
        known.min_octets = min(known.min_octets, other.min_octets)
        known.max_octets = max(known.max_octets, other.max_octets)
    shift = 0 if is_framed else base
    room = ledger.max_damages - len(ledger.damages)
    ledger.damages += [
        replace(damage, offset=damage.offset + base, place=damage.place + shift)
        for damage in part.damages[:room]
    ]
    ledger.damage_count += part.damage_count
    for text, reason in part.reasons.items():
        if text in ledger.reasons or len(ledger.reasons) < ledger.max_damages:
            fresh = Reason(reason.first_offset + shift, account=reason.account)
            total = ledger.reasons.setdefault(text, fresh)
            total.count += reason.count
            total.octets += reason.octets
    for path, lost in part.valueless.items():
        ledger.note_valueless(path, lost.reason, lost.first_offset + shift, lost.packets)
    for note in part.notes:
        ledger.note(note)


def move_overlaps(ledger: Ledger, table: Table) -> None:
    """Book packets, which gave rows until now, as what another dump holds, too."""
    record = ledger.record(table.apid)
    verdicts = table.columns[VERDICT_COLUMN].raw
    octets = table.columns[OCTETS_COLUMN].raw
    for account, chosen in (
        (Account.GOOD, verdicts == VerdictCode.GOOD),
        (Account.UNCHECKED, verdicts != VerdictCode.GOOD),
    ):
        moved, number = int(octets[chosen].sum()), int(chosen.sum())
        ledger.octets.update({account: -moved, Account.OVERLAP: moved})
        ledger.packets.update({account: -number, Account.OVERLAP: number})
        setattr(record, account.value, getattr(record, account.value) - number)
    record.rows -= len(table)
