# SPDX-License-Identifier: Apache-2.0
"""The ledger in words, and as JSON."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from telemetry.columns.definition import Definition
from telemetry.common.exit_codes import ExitCode
from telemetry.common.text import printable
from telemetry.ops.accounts import Account, ApidRecord, OtherRecord, Valueless
from telemetry.ops.frame_ledger import FrameAccount, FrameLedger
from telemetry.ops.group_ledger import GroupAccount, GroupLedger
from telemetry.ops.ledger import Ledger
from telemetry.ops.shares import share_lines, share_records
from telemetry.wire.clock import ClockStep
from telemetry.wire.framing import FrameKind

_OFTEN = 8  # A clock that falls in more than one packet of so many is none.
_SHOWN = 5  # Damages and gaps told one by one; --summary has more.
_NAMES = {
    Account.GOOD: "good, CRC holds",
    Account.UNCHECKED: "whole, no CRC to check",
    Account.NOT_AS_DEFINED: "not as defined",
    Account.DAMAGED: "damaged",
    Account.OTHER: "not asked for",
    Account.OVERLAP: "in an earlier dump, too",
    Account.IDLE: "idle packets",
    Account.FILL: "fill (zeros)",
    Account.SKIPPED: "skipped, no packet",
}


_GROUP_NAMES = {
    GroupAccount.WHOLE: "in whole groups",
    GroupAccount.ALONE: "no segments",
    GroupAccount.BROKEN: "in broken groups",
    GroupAccount.DAMAGED: "damaged segments",
    GroupAccount.DUPLICATE: "segments come again",
    GroupAccount.UNREADABLE: "whole, but not readable",
    GroupAccount.OF_OTHER_TIME: "of another time",
}

_FRAME_NAMES = {
    FrameAccount.PAYLOAD: "in whole frames",
    FrameAccount.OVERHEAD: "of these frames' framing",
    FrameAccount.CONTROL: "for the link itself",
    FrameAccount.DELIMITERS: "delimiters",
    FrameAccount.DAMAGED: "in damaged frames",
    FrameAccount.JUNK: "no frame",
}


def exit_code(ledger: Ledger, frames: Sequence[FrameLedger] = ()) -> ExitCode:
    """Return what the outcome means to a caller; `frames` are the ledgers of each dump."""
    if not ledger.rows:
        return ExitCode.INPUT
    is_clean = ledger.is_clean and all(floor.is_clean for floor in frames)
    return ExitCode.DONE if is_clean else ExitCode.DAMAGED


def summary_lines(name: str, ledger: Ledger, frames: Sequence[FrameLedger] = ()) -> Iterator[str]:
    """Yield the summary for people: where each octet went, then what is wrong."""
    total = _input_octets(ledger, frames)
    yield f"{name}: {total:,} bytes, {_count(ledger.rows, 'row')} decoded"
    if frames:
        yield from _frame_lines(frames, ledger)
    yield f"  {'':<24}{'packets':>12}{'bytes':>16}"
    for account, label in _NAMES.items():
        if octets := ledger.octets[account]:
            packets = ledger.packets[account]
            yield f"  {label:<24}{f'{packets:,}' if packets else '-':>12}{octets:>16,}"
    if ledger.groups is not None:
        yield from _group_lines(ledger.groups, ledger)
    for apid, record in sorted(ledger.apids.items()):
        yield f"  APID {apid}: {_apid_text(record)}"
        yield from _gap_lines(record, ledger)
        yield from _clock_lines(record, ledger)
    for apid, other in sorted(ledger.others.items())[:_SHOWN]:
        yield f"  APID {apid}, not asked for: {_other_text(other)}"
    if len(ledger.others) > _SHOWN:
        yield f"  ... and {len(ledger.others) - _SHOWN} more APIDs not asked for"
    yield from _damage_lines(ledger)
    yield from _valueless_lines(ledger)
    yield from share_lines(ledger.dumps)
    yield from (f"  Note: {text}" for text in ledger.notes)


def _group_lines(groups: GroupLedger, ledger: Ledger) -> Iterator[str]:
    """Tell the floor of groups; its octets are those of the packets that were asked for."""
    yield f"  {'':<24}{'segments':>12}{'bytes':>16}{'groups':>12}"
    for account, label in _GROUP_NAMES.items():
        if octets := groups.octets[account]:
            number = f"{groups.groups[account]:,}" if groups.groups[account] else "-"
            yield f"  {label:<24}{groups.segments[account]:>12,}{octets:>16,}{number:>12}"
    for text, reason in list(groups.reasons.items())[:_SHOWN]:
        often = f"{reason.count:,} times, first at" if reason.count > 1 else "at"
        where = ledger.where(reason.first_offset)
        yield f"    {_count(reason.octets, 'byte')}, {often} {where}: {text}"


def _groups_record(groups: GroupLedger) -> dict[str, Any]:
    return {
        "bytes": {account.value: groups.octets[account] for account in GroupAccount},
        "segments": {account.value: groups.segments[account] for account in GroupAccount},
        "groups": {account.value: groups.groups[account] for account in GroupAccount},
        "damages": [
            {
                "apid": damage.apid,
                "account": damage.account.value,
                "offset": damage.offsets[0],
                "last_offset": damage.offsets[1],
                "bytes": damage.octets,
                "segments": damage.segments,
                "reason": damage.reason,
            }
            for damage in groups.damages
        ],
    }


def _input_octets(ledger: Ledger, frames: Sequence[FrameLedger]) -> int:
    if frames:
        return sum(_frame_sums(frames)[1].values())
    return sum(ledger.octets.values())


def _frame_lines(frames: Sequence[FrameLedger], ledger: Ledger) -> Iterator[str]:
    """Tell the floor of frames; the octets in whole frames are what packets are found in."""
    records, octets = _frame_sums(frames)
    whole, damaged = records[FrameKind.FRAME], records[FrameKind.DAMAGED]
    yield f"  {'':<24}{'frames':>12}{'bytes':>16}"
    counts = {FrameAccount.PAYLOAD: f"{whole:,}", FrameAccount.DAMAGED: f"{damaged:,}"}
    for account, label in _FRAME_NAMES.items():
        if octets[account]:
            yield f"  {label:<24}{counts.get(account, '-'):>12}{octets[account]:>16,}"
    names = [f" of {printable(share.name)}" for share in ledger.dumps]
    names = names if len(names) == len(frames) > 1 else [""] * len(frames)
    shown = [
        (name, *item)
        for name, floor in zip(names, frames, strict=True)
        for item in floor.reasons.items()
    ]
    for name, text, reason in shown[:_SHOWN]:
        often = f"{reason.count:,} times, first at" if reason.count > 1 else "at"
        where = f"byte {reason.first_offset:,}{name}"
        yield f"    {_count(reason.octets, 'byte')}, {often} {where}: {text}"


def _frame_sums(
    frames: Sequence[FrameLedger],
) -> tuple[Counter[FrameKind], Counter[FrameAccount]]:
    records: Counter[FrameKind] = Counter()
    octets: Counter[FrameAccount] = Counter()
    for floor in frames:
        records.update(floor.records)
        octets.update(floor.octets)
    return records, octets


def _apid_text(record: ApidRecord) -> str:
    sequence = record.sequence
    parts = [_count(record.rows, "row")]
    if record.of_other_time:
        parts.append(f"{record.of_other_time:,} of another time")
    if record.damaged:
        parts.append(f"{record.damaged:,} damaged")
    if record.not_as_defined:
        parts.append(f"{record.not_as_defined:,} not as defined")
    if sequence.gap_count:
        parts.append(f"{sequence.missing:,} missing in {_count(sequence.gap_count, 'gap')}")
    if sequence.duplicates:
        parts.append(_count(sequence.duplicates, "duplicate"))
    if sequence.out_of_order:
        parts.append(f"{sequence.out_of_order:,} out of order")
    if sequence.restarts:
        parts.append(f"counter restarted {_count(sequence.restarts, 'time')}")
    parts += [f"clock {text}" for text in clock_texts(record)]
    if not sequence.gap_count:
        parts.append("no gap")
    return ", ".join(parts)


def _gap_lines(record: ApidRecord, ledger: Ledger) -> Iterator[str]:
    for gap in record.sequence.gaps[:_SHOWN]:
        yield (
            f"    {_count(gap.missing, 'packet')} missing after sequence count "
            f"{gap.after_count:,}, at {ledger.where(gap.offset)}"
        )
    if record.sequence.gap_count > _SHOWN:
        yield f"    ... and {_count(record.sequence.gap_count - _SHOWN, 'gap')} more"


CLOCK_WORDS = {
    ClockStep.ROLLOVER: "rolled over",
    ClockStep.REBOOT: "began again (a reboot)",
    ClockStep.SET_BACK: "was set back",
}


def clock_texts(record: ApidRecord) -> list[str]:
    """Say what the clock of an APID did, and how often.

    Where it falls in more than one packet of eight its field holds no running clock: then a fall
    is not called a reboot, or anything else.
    """
    falls = record.clock.total()
    if falls > max(_SHOWN, record.packets // _OFTEN):
        text = f"fell back {_count(falls, 'time')} in {_count(record.packets, 'packet')}"
        return [f"{text}: its field is no running clock"]
    return [
        f"{word} {_count(record.clock[step], 'time')}"
        for step, word in CLOCK_WORDS.items()
        if record.clock[step]
    ]


def _clock_lines(record: ApidRecord, ledger: Ledger) -> Iterator[str]:
    events = record.clock_events
    if record.clock.total() > _SHOWN:
        first = ledger.where(events[0].offset)
        yield f"    {record.clock.total():,} steps of the clock, first before the packet at {first}"
        return
    for event in events:
        where = ledger.where(event.offset)
        yield f"    clock {CLOCK_WORDS[event.step]} before the packet at {where}"


def _damage_lines(ledger: Ledger) -> Iterator[str]:
    strange = Account.NOT_AS_DEFINED
    yield from _reason_lines("Damage", ledger, lambda account: account is not strange)
    yield from _reason_lines("Not as defined", ledger, lambda account: account is strange)


def _reason_lines(title: str, ledger: Ledger, is_told: Callable[[Account], bool]) -> Iterator[str]:
    found = [item for item in ledger.reasons.items() if is_told(item[1].account)]
    if found:
        yield f"  {title}:"
    for text, reason in found[:_SHOWN]:
        often = f"{reason.count:,} times, first at" if reason.count > 1 else "at"
        where = ledger.where(reason.first_offset)
        yield f"    {_count(reason.octets, 'byte')}, {often} {where}: {text}"
    if len(found) > _SHOWN:
        yield "    ... and more; --summary FILE.json lists all"


def _valueless_lines(ledger: Ledger) -> Iterator[str]:
    """Tell of fields that have no value in packets that gave rows."""
    if ledger.valueless:
        yield "  Fields without a value, in packets that are decoded all the same:"
    for path, lost in list(ledger.valueless.items())[:_SHOWN]:
        yield f"    {valueless_text(path, lost, ledger)}"
    if len(ledger.valueless) > _SHOWN:
        yield "    ... and more; --summary FILE.json lists all"


def valueless_text(path: str, lost: Valueless, ledger: Ledger) -> str:
    """Return where, how often and why a field has no value."""
    where = ledger.where(lost.first_offset)
    first = f"the first at {where}" if lost.packets > 1 else f"at {where}"
    return f"{path}: in {_count(lost.packets, 'packet')}, {first}: {lost.reason}"


def _other_text(other: OtherRecord) -> str:
    octets = f"{other.min_octets:,}"
    if other.max_octets != other.min_octets:
        octets += f" to {other.max_octets:,}"
    return f"{_count(other.packets, 'packet')} of {octets} data octets"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def explain_no_packet(name: str, ledger: Ledger, definition: Definition) -> str:
    """Say why nothing came out, as far as the input tells, and what would be right."""
    total = sum(ledger.octets.values())
    if total == 0:
        return f"{name}: the dump is empty; expected CCSDS space packets"
    if ledger.octets[Account.FILL] == total:
        return f"{name}: all {total:,} bytes are zeros (fill); there is no packet"
    lines = [f"{name}: no packet could be decoded from {_count(total, 'byte')}"]
    lines += _damage_lines(ledger)
    for apid, other in sorted(ledger.others.items())[:_SHOWN]:
        lines.append(f"  seen: APID {apid}, {_other_text(other)}")
    for apid, record in sorted(ledger.apids.items())[:_SHOWN]:
        if record.of_other_time:
            packets = _count(record.of_other_time, "packet")
            lines.append(f"  APID {apid}: {packets}, all outside of --since and --until")
    lines.append(f"  the definition reads {_expected(definition)}")
    return "\n".join(lines)


def _expected(definition: Definition) -> str:
    if definition.any_apid is not None:
        return f"packets of {definition.any_apid.rule} data octets, any APID"
    packets = sorted(definition.by_apid.items())
    texts = [f"APID {apid} with {packet.rule} data octets" for apid, packet in packets[:_SHOWN]]
    more = f" and {len(packets) - _SHOWN} more" if len(packets) > _SHOWN else ""
    return ", ".join(texts) + more


def summary_record(
    name: str,
    ledger: Ledger,
    outputs: tuple[str, ...],
    frames: Sequence[FrameLedger] = (),
) -> dict[str, Any]:
    """Return the summary for programs, ready for JSON.

    `bytes` adds up to `input.bytes`; where packets came in frames, `frames.bytes` does, and `bytes`
    adds up to what the frames carry. Offsets are bytes from the start of the input, of the frame
    where there are frames; lists of gaps and damages end after 1,000 entries, their counts do not.
    """
    return {
        "format": 1,
        "input": {"name": name, "bytes": _input_octets(ledger, frames)},
        "exit_code": int(exit_code(ledger, frames)),
        **({"frames": _frames_record(frames)} if frames else {}),
        **({"groups": _groups_record(ledger.groups)} if ledger.groups else {}),
        "rows": ledger.rows,
        "bytes": {account.value: ledger.octets[account] for account in _told(ledger)},
        "packets": {
            account.value: ledger.packets[account]
            for account in _told(ledger)
            if account not in (Account.FILL, Account.SKIPPED)
        },
        "missing": ledger.missing,
        "apids": {str(apid): _apid_record(item) for apid, item in sorted(ledger.apids.items())},
        "not_asked_for": {
            str(apid): {"packets": other.packets} for apid, other in sorted(ledger.others.items())
        },
        "notes": ledger.notes,
        "without_value_count": ledger.valueless_count,
        "without_value": [
            {
                "field": path,
                "packets": lost.packets,
                "first_offset": lost.first_offset,
                "reason": lost.reason,
            }
            for path, lost in ledger.valueless.items()
        ],
        "damage_count": ledger.damage_count,
        "damages": [
            {
                "offset": damage.place,
                "bytes": damage.length,
                "account": damage.account.value,
                "reason": damage.reason,
            }
            for damage in ledger.damages
        ],
        **({"dumps": share_records(ledger.dumps)} if len(ledger.dumps) > 1 else {}),
        "outputs": list(outputs),
    }


def _frames_record(frames: Sequence[FrameLedger]) -> dict[str, Any]:
    records, octets = _frame_sums(frames)
    return {
        "records": {kind.value: records[kind] for kind in FrameKind},
        "bytes": {account.value: octets[account] for account in FrameAccount},
        "damages": [
            {"offset": frame.offset, "bytes": frame.length, "reason": frame.reason}
            for floor in frames
            for frame in floor.damages
        ],
    }


def _told(ledger: Ledger) -> list[Account]:
    is_merged = bool(ledger.octets[Account.OVERLAP])
    return [account for account in Account if is_merged or account is not Account.OVERLAP]


def _apid_record(record: ApidRecord) -> dict[str, Any]:
    sequence = record.sequence
    return {
        "rows": record.rows,
        "good": record.good,
        "unchecked": record.unchecked,
        "damaged": record.damaged,
        "not_as_defined": record.not_as_defined,
        "of_other_time": record.of_other_time,
        "missing": sequence.missing,
        "gap_count": sequence.gap_count,
        "duplicates": sequence.duplicates,
        "out_of_order": sequence.out_of_order,
        "restarts": sequence.restarts,
        "clock": {
            "rollovers": record.clock[ClockStep.ROLLOVER],
            "reboots": record.clock[ClockStep.REBOOT],
            "set_back": record.clock[ClockStep.SET_BACK],
            "events": [
                {"offset": event.offset, "step": event.step.name.lower()}
                for event in record.clock_events
            ],
        },
        "gaps": [
            {"offset": gap.offset, "after_count": gap.after_count, "missing": gap.missing}
            for gap in sequence.gaps
        ],
    }
