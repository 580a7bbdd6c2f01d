# SPDX-License-Identifier: Apache-2.0
"""Dumps as one HTML page: what needs attention, plots, and where each byte went."""

import platform
from collections.abc import Iterable, Iterator

from telemetry.common.page import Page, asset, render_page
from telemetry.common.text import count, escape
from telemetry.errors import MissingExtraError, UsageError
from telemetry.ops.accounts import Account
from telemetry.ops.frame_ledger import FrameAccount
from telemetry.ops.report_facts import Report
from telemetry.ops.report_plots import Plot, choose_plots, plot_record
from telemetry.ops.report_tables import (
    apid_table,
    column_table,
    ledger_tables,
    render_row,
)
from telemetry.ops.shares import share_lines
from telemetry.ops.statistics_text import (
    first_violation_time,
    limits_text,
    moment_text,
    number_text,
    persistence_text,
    quality_text,
)
from telemetry.ops.summary import clock_texts, valueless_text
from telemetry.wire.clock import ClockStep

NO_PACKET = "no packet here"  # The reason that the ledger has for what was skipped.
_SHOWN = 8  # Offenders of each kind.


def plotting_library() -> str:
    """Return plotly's script; `MissingExtraError` with the command that brings it."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise MissingExtraError(
            "Plots in HTML need plotly, which is not installed. This brings it:\n"
            "  python -m pip install 'fw-tools[report]'\n"
            "Without it, `fw-telemetry stats` tells the same in tables"
        ) from error
    return str(get_plotlyjs())


def render_report(report: Report) -> str:
    """Return the page. All text from packets and definitions is escaped."""
    plots, more = choose_plots(report.statistics)
    sections = (
        _header(report),
        _tiles(report),
        _attention(report),
        _plots(report, plots, more),
        ledger_tables(report),
        apid_table(report),
        column_table(report),
        _foot(report),
    )
    return _page(report, plots, sections)


def render_plots(report: Report) -> str:
    """Return a page with plots and little else; `UsageError` if there is nothing to draw."""
    plots, more = choose_plots(report.statistics)
    if not plots:
        raise UsageError(_nothing_drawn(report))
    return _page(report, plots, (_header(report), _plots(report, plots, more), _foot(report)))


def _page(report: Report, plots: list[Plot], sections: Iterable[str]) -> str:
    library = plotting_library()
    page = Page(
        title=f"{report.title}: telemetry",
        body="".join(sections),
        style=asset("telemetry.ops", "report.css"),
        scripts=(library, asset("telemetry.ops", "report.js")),
        data=(("plots", [plot_record(plot, report) for plot in plots]),),
    )
    return render_page(page)


# --- The head -------------------------------------------------------------------------------------


def _header(report: Report) -> str:
    if report.alarms:
        verdict, words = "bad", "Alarms"
    elif report.is_damaged or report.warnings:
        verdict, words = "warn", "Needs a look"
    else:
        verdict, words = "good", "Nothing amiss"
    return (
        f'<header><div class="title"><h1>{escape(report.title)}</h1>'
        f'<span class="verdict {verdict}" id="verdict">{words}</span></div>'
        f'<p class="lead quiet">{escape(_lead(report))}</p></header>\n'
    )


def _lead(report: Report) -> str:
    ledger = report.ledger
    lost = ledger.octets[Account.DAMAGED] + ledger.octets[Account.SKIPPED]
    strange = ledger.packets[Account.NOT_AS_DEFINED]
    for floor in report.frames:
        lost += floor.octets[FrameAccount.DAMAGED] + floor.octets[FrameAccount.JUNK]
    apids = count(len(ledger.apids), "APID")
    first = f"{count(ledger.rows, 'packet')} of {apids} decoded from {report.input_octets:,} bytes."
    share = f"{100 * lost / max(report.input_octets, 1):.2g} %"
    second = f" {share} of the bytes are damaged or no packet." if lost else " No damage was found."
    if unchecked := ledger.packets[Account.UNCHECKED]:
        second += f" {count(unchecked, 'packet')} without a CRC could not be checked."
    if strange:
        second += f" {count(strange, 'packet')} could not be read by the definition."
    missing = f" {count(ledger.missing, 'packet')} missing by the sequence counts."
    third = missing if ledger.missing else " No packet is missing by the sequence counts."
    return first + second + third + _span_text(report)


def _span_text(report: Report) -> str:
    apids = report.statistics.apids.values()
    firsts = [apid.first_time for apid in apids if apid.first_time is not None]
    lasts = [apid.last_time for apid in apids if apid.last_time is not None]
    if not firsts:
        return ""
    return f" From {moment_text(min(firsts))} to {moment_text(max(lasts))}."


def _tiles(report: Report) -> str:
    ledger = report.ledger
    damaged = ledger.packets[Account.DAMAGED]
    with_limits = sum(1 for _, column in report.columns if column.states)
    tiles = [
        (f"{ledger.rows:,}", "packets decoded", ""),
        (f"{ledger.missing:,}", "packets missing", "warn" if ledger.missing else "good"),
        (f"{damaged:,}", "packets damaged", "warn" if damaged else "good"),
    ]
    if with_limits:
        tiles += [
            (f"{report.alarms:,}", "values in alarm", "bad" if report.alarms else "good"),
            (f"{report.warnings:,}", "values in warning", "warn" if report.warnings else "good"),
        ]
    tiles.append((f"{len(report.columns):,}", "columns", ""))
    cells = "".join(
        f'<div class="card tile"><b class="{kind}">{text}</b>'
        f'<span class="quiet">{label}</span></div>'
        for text, label, kind in tiles
    )
    return f'<section class="tiles">{cells}</section>\n'


# --- What needs attention -------------------------------------------------------------------------


def _attention(report: Report) -> str:
    notes = [*_worst_columns(report), *_worst_reasons(report), *_worst_gaps(report)]
    notes += _valueless_notes(report)
    notes += _clock_notes(report)
    notes += [_note("warn", "Good to know", text) for text in report.ledger.notes]
    hurt = list(share_lines(report.ledger.dumps))
    notes += (
        [_note("warn", hurt[0].strip(" :"), "; ".join(map(str.strip, hurt[1:])))] if hurt else []
    )
    notes += [_note("warn", "A dump could not be read whole", text) for text in report.problems]
    if not notes:
        judged = any(column.states for _, column in report.columns)
        limits = "every value is within its limits" if judged else "the definition has no limits"
        text = f"Every byte is accounted for, no packet is missing, and {limits}."
        if unchecked := report.ledger.packets[Account.UNCHECKED]:
            text += f" {count(unchecked, 'packet')} without a CRC: nobody can tell damage in them."
        notes = [_note("good", "Nothing that was found", text)]
    return (
        '<h2>What needs attention</h2>\n<section class="notes" id="attention">'
        f"{''.join(notes)}</section>\n"
    )


def _note(kind: str, title: str, text: str, badge: str = "") -> str:
    mark = f' <span class="badge {kind}">{escape(badge)}</span>' if badge else ""
    return (
        f'<article class="card note {kind}"><h3>{escape(title)}{mark}</h3>'
        f'<p class="quiet">{escape(text)}</p></article>'
    )


def _worst_columns(report: Report) -> Iterator[str]:
    outside = [(apid, column) for apid, column in report.columns if column.violations]
    outside.sort(key=lambda pair: (-pair[1].alarms, -pair[1].violations))
    what = "frame" if report.frames else "packet"
    for apid, column in outside[:_SHOWN]:
        kind = "bad" if column.alarms else "warn"
        unit = f" {column.unit}" if column.unit else ""
        when = first_violation_time(apid, column)
        held = persistence_text(report.statistics.limits(apid.apid, column.name))
        text = (
            f"{limits_text(column)} of {column.values:,} values{f', {held}' if held else ''}. "
            f"They lie between {number_text(column.low)} and {number_text(column.high)}{unit}; "
            f"the last is {number_text(column.last)}{unit}. First"
            f"{f' at {when},' if when else ''} in the {what} at "
            f"{report.ledger.where(column.first_violation or 0)}, APID {apid.apid}."
        )
        badge = "alarm" if column.alarms else "warning"
        yield _note(kind, column.name, text, badge)
    if len(outside) > _SHOWN:
        yield _note("warn", f"{len(outside) - _SHOWN:,} more columns", "See the table of columns.")
    stale = [column.name for _, column in report.columns if column.is_stale(report.end)]
    if stale:
        shown = ", ".join(stale[:_SHOWN]) + (" and more" if len(stale) > _SHOWN else "")
        text = f"Values came regularly and then no more: {shown}."
        yield _note("warn", f"{count(len(stale), 'column')} stale at the end", text)


def _worst_reasons(report: Report) -> Iterator[str]:
    found = list(report.ledger.reasons.items())
    for floor in report.frames:
        found += floor.reasons.items()
    reasons = sorted(found, key=lambda pair: -pair[1].octets)
    for text, reason in reasons[:_SHOWN]:
        often = f"{reason.count:,} times, first" if reason.count > 1 else "once,"
        when, place = report.time_of(reason.first_offset), report.ledger.where(reason.first_offset)
        about = f", about {when}" if when else ""
        where = f"{count(reason.octets, 'byte')}; {often} at {place}{about}."
        title = "Bytes that are no packet" if text == NO_PACKET else text[:1].upper() + text[1:]
        if reason.account is Account.NOT_AS_DEFINED:
            title = f"Not as defined: {text}"
        yield _note("warn", title, where)
    if len(reasons) > _SHOWN:
        yield _note("warn", f"{len(reasons) - _SHOWN:,} more reasons for damage", "")


def _valueless_notes(report: Report) -> Iterator[str]:
    ledger = report.ledger
    told = [valueless_text(*item, ledger) for item in list(ledger.valueless.items())[:_SHOWN]]
    if len(ledger.valueless) > _SHOWN:
        told.append(f"{len(ledger.valueless) - _SHOWN:,} more fields")
    if told:
        yield _note("warn", "Fields without a value", "; ".join(told))


def _worst_gaps(report: Report) -> Iterator[str]:
    for apid, record in sorted(report.ledger.apids.items()):
        sequence = record.sequence
        if not sequence.gap_count:
            continue
        widest = max(sequence.gaps, key=lambda gap: gap.missing)
        text = (
            f"{count(sequence.missing, 'packet')} missing in {count(sequence.gap_count, 'gap')}; "
            f"the widest, of {widest.missing:,}, is before "
            f"{report.ledger.where(widest.offset)}, after sequence count "
            f"{widest.after_count:,}{_gap_span(report, apid, widest.missing)}."
        )
        yield _note("warn", f"Gaps in APID {apid}", text)


def _gap_span(report: Report, apid: int, missing: int) -> str:
    """Return from when to when the widest gap of an APID is, where packets have times."""
    seen = report.statistics.apids.get(apid)
    if seen is None or not seen.has_time:
        return ""
    marks = (gap for gap in seen.gaps if gap.missing == missing)
    return next((f", {moment_text(m.start)} to {moment_text(m.end)}" for m in marks), "")


def _clock_notes(report: Report) -> Iterator[str]:
    for apid, record in sorted(report.ledger.apids.items()):
        if told := clock_texts(record):
            first = record.clock_events[0].offset
            when, place = report.time_of(first, apid), report.ledger.where(first)
            about = f", {when}" if when else ""
            text = f"It {', '.join(told)}; first before the packet at {place}{about}."
            kind = "good" if record.clock.total() == record.clock[ClockStep.ROLLOVER] else "warn"
            yield _note(kind, f"The clock of APID {apid}", text)


# --- Plots ----------------------------------------------------------------------------------------


def _plots(report: Report, plots: list[Plot], more: int) -> str:
    if not plots:
        return f'<h2>Plots</h2><p class="quiet">{escape(_nothing_drawn(report))}</p>\n'
    cards = "".join(_plot(plot, index, report.end) for index, plot in enumerate(plots))
    rest = (
        f" {count(more, 'column')} more could be drawn: --columns chooses."
        if more
        else " Columns that never change are not drawn."
    )
    hint = (
        "Times are UTC. Drag to zoom, double-click to go back; plots of one APID move together. "
        "Solid red lines: alarm limits; dashed: warning limits; dots: values in violation; rings: "
        "beyond a limit, but not for long enough to count. Grey: packets missing. Ticks at the "
        "bottom: red where a CRC does not hold (its values are not drawn), blue where a packet "
        "came again, amber where bytes are no packet. No line leads over values that were left "
        "out. Dotted upright lines: the clock began again, was set back or rolled over. Where "
        "there are more points than pixels, the lowest and the highest of each stretch are drawn."
    )
    return (
        f'<h2>Plots</h2>\n<p class="quiet small">{escape(hint + rest)}</p>\n'
        f'<section class="plots">{cards}</section>\n'
    )


def _nothing_drawn(report: Report) -> str:
    """Say why there is no plot."""
    names = [column.name for _, column in report.columns if not column.is_number]
    if report.statistics.options.columns and names:
        shown = ", ".join(names[:_SHOWN]) + (" and more" if len(names) > _SHOWN else "")
        return f"{shown}: bytes or text; only numbers can be drawn"
    return "No column of numbers varies: there is nothing to draw."


def _plot(plot: Plot, index: int, octets: int) -> str:
    column = plot.column
    unit = f" [{column.unit}]" if column.unit else ""
    axis = ", by the time of reception" if plot.apid.is_received else ", by time"
    packet_axis = axis if plot.apid.has_time else ", by packet number"
    quality = "; ".join(text for text in (quality_text(column, octets),) if text)
    judged = limits_text(column)
    kind = "bad" if column.alarms else "warn" if column.violations else "good"
    badge = f'<span class="badge {kind}">{escape(judged)}</span>' if judged else ""
    remark = f" Left out: {quality}." if quality else ""
    contexts = " The limits depend on context; drawn are those that hold outside of any."
    note = contexts if plot.limits and plot.limits.contexts else ""
    held = persistence_text(plot.limits)
    persistence = f" Violations are {held}." if held else ""
    text = (
        f"APID {plot.apid.apid}{packet_axis}; {count(column.values, 'value')}."
        f"{remark}{persistence}{note}"
    )
    steps = " steps" if plot.is_steps else ""
    return (
        f'<article class="card plot{steps}"><div class="head"><h3>{escape(column.name + unit)}</h3>'
        f'{badge}<span class="quiet small">{escape(text)}</span></div>'
        f'<div class="chart" id="plot-{index}"></div></article>'
    )


def _foot(report: Report) -> str:
    from importlib.metadata import PackageNotFoundError, version

    def version_of(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "not installed"

    made = "".join(
        render_row(("", escape(name)), ("number", escape(text)))
        for name, text in (
            ("fw-tools", version_of("fw-tools")),
            ("plotly", version_of("plotly")),
            ("Python", platform.python_version()),
        )
    )
    return (
        '<h2>How to repeat this</h2>\n<section class="foot"><div class="card">'
        f"<h3>The same report</h3><pre>{escape(report.command)}</pre></div>"
        f'<div class="card"><h3>Made with</h3><table><tbody>{made}</tbody></table></div>'
        "</section>\n"
    )
