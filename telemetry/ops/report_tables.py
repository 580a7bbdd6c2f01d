# SPDX-License-Identifier: Apache-2.0
"""The tables of a report, as HTML in which every text is escaped."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from telemetry.common.text import count, escape
from telemetry.ops.accounts import Account, ApidRecord
from telemetry.ops.frame_ledger import FrameAccount
from telemetry.ops.report_facts import Report
from telemetry.ops.report_plots import sparkline
from telemetry.ops.statistics import ApidStatistics, ColumnStatistics
from telemetry.ops.statistics_text import limits_text, number_text, quality_text, rate_text

_SHOWN = 8  # APIDs that were not asked for.
_ACCOUNTS = {
    Account.GOOD: ("Good packets", "the CRC at the end holds"),
    Account.UNCHECKED: ("Whole packets", "they carry no CRC: nobody can tell damage"),
    Account.NOT_AS_DEFINED: ("Packets not as defined", "whole, but the definition cannot read it"),
    Account.DAMAGED: ("Damaged packets", "the CRC does not hold, or it is not whole"),
    Account.OTHER: ("Packets not asked for", "of another APID or time"),
    Account.OVERLAP: ("Packets held twice", "an earlier dump has them, too"),
    Account.IDLE: ("Idle packets", "they carry nothing"),
    Account.FILL: ("Fill", "zeros between packets"),
    Account.SKIPPED: ("No packet", "skipped in search of the next packet"),
}
_FRAME_ACCOUNTS = {
    FrameAccount.PAYLOAD: ("In whole frames", "what packets are found in"),
    FrameAccount.OVERHEAD: ("Framing", "delimiters, escapes and lengths of whole frames"),
    FrameAccount.DAMAGED: ("In damaged frames", "a packet in them must prove itself"),
    FrameAccount.CONTROL: ("For the link itself", "time stamps, commands to a modem"),
    FrameAccount.DELIMITERS: ("Delimiters", "with no frame before them"),
    FrameAccount.JUNK: ("No frame", "a packet in it must prove itself"),
}


def render_table(
    identifier: str,
    heads: Iterable[tuple[str, bool]],
    rows: Iterable[str],
    foot: str = "",
    above: str = "",
) -> str:
    """Return a table; `heads` are texts and whether numbers stand below, the others HTML."""
    cells = "".join(
        f'<th class="number">{escape(head)}</th>' if is_number else f"<th>{escape(head)}</th>"
        for head, is_number in heads
    )
    end = f"<tfoot>{foot}</tfoot>" if foot else ""
    return (
        f'<div class="card scroll">{above}<table id="{identifier}"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody>{end}</table></div>\n"
    )


def render_row(*cells: tuple[str, str]) -> str:
    """Return a row of cells: a class, and HTML."""
    inner = "".join(f'<td class="{kind}">{text}</td>' for kind, text in cells)
    return f"<tr>{inner}</tr>"


def ledger_tables(report: Report) -> str:
    """Return the ledger of each floor, with its sum."""
    parts = ["<h2>Where every byte went</h2>\n"]
    if report.frames:
        octets: Counter[FrameAccount] = Counter()
        for floor in report.frames:
            octets.update(floor.octets)
        accounts = [
            _Account(account.value, *_FRAME_ACCOUNTS[account], None, octets[account])
            for account in FrameAccount
        ]
        parts.append(_accounts("frames", accounts, "All of the input"))
        parts.append('<p class="quiet small between">What whole and damaged frames carry:</p>')
    ledger = report.ledger
    accounts = [
        _Account(
            account.value, *_ACCOUNTS[account], ledger.packets[account], ledger.octets[account]
        )
        for account in Account
    ]
    whole = "All that the frames carry" if report.frames else "All of the input"
    return "".join((*parts, _accounts("ledger", accounts, whole)))


@dataclass(frozen=True, slots=True)
class _Account:
    """A line of a ledger."""

    kind: str
    name: str
    words: str
    packets: int | None  # None: no packets are counted here.
    octets: int


def _key(kind: str) -> str:
    return f'<span class="key is-{kind}"></span>'


def _accounts(identifier: str, accounts: list[_Account], whole: str) -> str:
    """Return the accounts that hold something, as a bar and as a table with its sum."""
    used = [account for account in accounts if account.octets]
    total = sum(account.octets for account in used)
    bar = "".join(
        f'<i class="is-{account.kind}" style="flex: {account.octets}"></i>' for account in used
    )
    rows = [
        render_row(
            ("name", f"{_key(account.kind)}{account.name}<small>{account.words}</small>"),
            ("number", f"{account.packets:,}" if account.packets else "&ndash;"),
            ("number", f"{account.octets:,}"),
            ("number", f"{100 * account.octets / total:.3f} %"),
        )
        for account in used
    ]
    packets = sum(account.packets or 0 for account in used)
    sums = render_row(
        ("name", whole),
        ("number", f"{packets:,}" if packets else "&ndash;"),
        ("number", f"{total:,}"),
        ("number", "100 %"),
    )
    heads = (("Account", False), ("Packets", True), ("Bytes", True), ("Share", True))
    return render_table(identifier, heads, rows, sums, f'<div class="stack">{bar}</div>')


def apid_table(report: Report) -> str:
    """Return how many packets of each APID came, and how."""
    heads = (
        ("APID", True), ("Decoded", True), ("CRC good", True), ("No CRC", True),
        ("Not as defined", True), ("Damaged", True), ("Missing", True), ("Gaps", True),
        ("Twice", True), ("Out of order", True), ("Rate", False),
    )  # fmt: skip
    rows = [
        _apid_row(apid, record, report.statistics.apids.get(apid))
        for apid, record in sorted(report.ledger.apids.items())
    ]
    others = "".join(
        f"<p class='quiet small'>APID {apid}, not asked for: {count(other.packets, 'packet')}</p>"
        for apid, other in sorted(report.ledger.others.items())[:_SHOWN]
    )
    return f"<h2>Packets by APID</h2>\n{render_table('apids', heads, rows)}{others}"


def _apid_row(apid: int, record: ApidRecord, seen: ApidStatistics | None) -> str:
    sequence = record.sequence
    numbers = (
        record.rows, record.good, record.unchecked, record.not_as_defined, record.damaged,
        sequence.missing, sequence.gap_count, sequence.duplicates, sequence.out_of_order,
    )  # fmt: skip
    cells = [("number", f"{number:,}") for number in numbers]
    rate = rate_text(seen) if seen else ""
    return render_row(("number", str(apid)), *cells, ("", escape(rate.partition(" from ")[0])))


def column_table(report: Report) -> str:
    """Return the statistics of every column, with a small curve."""
    heads = (
        ("Column", False), ("", False), ("Min", True), ("Mean", True), ("Max", True),
        ("Last", True), ("Unit", False), ("Limits", False), ("Quality", False),
    )  # fmt: skip
    rows = []
    for number, apid in sorted(report.statistics.apids.items()):
        rows.append(f'<tr class="group"><td colspan="9">APID {number}</td></tr>')
        rows += [_column_row(column, report.end) for column in apid.columns.values()]
    return f"<h2>All columns</h2>\n{render_table('columns', heads, rows)}"


def _column_row(column: ColumnStatistics, octets: int) -> str:
    judged = limits_text(column)
    kind = "bad" if column.alarms else "warn" if column.violations else "good"
    badge = f'<span class="badge {kind}">{escape(judged)}</span>' if judged else ""
    numbers = (column.low, column.mean, column.high)
    if column.categories is not None:
        numbers = (None, None, None)
    is_text = isinstance(column.last, str)
    return render_row(
        ("name", escape(column.name)),
        ("", sparkline(column)),
        *(("number", escape(number_text(value))) for value in numbers),
        ("name" if is_text else "number", escape(number_text(column.last))),
        ("", escape(column.unit)),
        ("", badge),
        ("quiet small", escape(quality_text(column, octets))),
    )
