# SPDX-License-Identifier: Apache-2.0
"""What a campaign of upsets found, as the page that is shown to people."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fw_tools.flow.upset import Choice, Prepared
from fw_tools.flow.upset_replay import CrossCheck
from fw_tools.report.campaign import CampaignReport, Section, Tile, render_campaign
from fw_tools.upset.engine import Outcome
from fw_tools.upset.failures import FAILURES, FailuresPerDay
from fw_tools.upset.failures_table import WHY_EXCLUDED, basis, every, rows
from fw_tools.upset.faults import WORDS, Sort
from fw_tools.upset.places import bits_stored
from fw_tools.upset.summary import Case, Row, Share, Summary
from fw_tools.upset.summary_table import HARMLESS, MEANINGS, THINGS
from telemetry.common.files import write_text

REPORT = "report.html"
_MOST_ROWS = 200
_LEAST_SHOWN = 0.0001  # Of a share with two places of a percent.
_LONGEST_LIST = 12  # Of bits of one register.

_MODELS = {
    Sort.FLIPS: "one stored bit inverted at the start of a clock",
    Sort.TRANSIENTS: "the output of one gate inverted for one clock: a model of logic, not of a "
    "pulse's width",
    Sort.MULTIPLE: "several stored bits inverted at once, neighbours by number, not by placement",
    Sort.STUCK_BITS: "one flip-flop held at 0 or at 1 from a clock on",
    Sort.STUCK_NETS: "the output of one gate held at 0 or at 1 from a clock on",
    Sort.RESETS: "a reset that is seen for one clock by the flip-flops of its domain",
    Sort.CLOCKS: "a tick of the clock that is lost, or one more that comes early",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Everything that the page is made of."""

    prepared: Prepared
    choice: Choice
    summary: Summary
    cross_check: CrossCheck | None
    line: Callable[[Case], str]  # The command that replays a case.
    command: str  # That of the whole campaign.

    @property
    def flips(self) -> str:
        """What is done to places."""
        return WORDS[self.summary.sort].faults

    @property
    def thing(self) -> str:
        """What a place is."""
        return WORDS[self.summary.sort].places

    def found(self, outcome: Outcome) -> Share:
        """Return how often an outcome was seen."""
        return next(share for share in self.summary.shares if share.outcome is outcome)


def write_report(told: Told, folder: Path) -> Path:
    """Write the page into `folder` and return where it is."""
    path = folder / REPORT
    write_text(path, render_campaign(report_of(told)))
    return path


def report_of(told: Told) -> CampaignReport:
    """Return the page's contents."""
    kind, verdict = _verdict(told)
    return CampaignReport(
        title=f"Upsets of {told.prepared.machine.top}",
        verdict=verdict,
        kind=kind,
        lead=_lead(told),
        tiles=tuple(_tiles(told)),
        sections=tuple(_sections(told)),
        command=told.command,
    )


def _failures(summary: Summary) -> int:
    return sum(share.found for share in summary.shares if share.outcome in FAILURES)


def _failing(summary: Summary) -> str:
    share = sum(share.share for share in summary.shares if share.outcome in FAILURES)
    return f"{share:.2%}" if share >= _LEAST_SHOWN or not share else f"{share:.1e}"


def _verdict(told: Told) -> tuple[str, str]:
    if told.cross_check and not told.cross_check.is_good:
        return "bad", "Not to be relied on: Verilator disagrees"
    if _failures(told.summary):
        return "bad", f"{_failing(told.summary)} of all {told.flips} end in a failure"
    if told.summary.is_exhaustive:
        return "good", f"None of all {told.flips} ends in a failure"
    return "good", f"No failure in a sample of {told.summary.flips:,}"


def _lead(told: Told) -> str:
    summary = told.summary
    what = (
        f"each of {len(told.prepared.places):,} {told.thing} in each clock"
        if summary.is_exhaustive
        else f"a sample of {summary.flips:,} of all {summary.faults:,} {told.flips}"
    )
    counts = ", ".join(f"{told.found(each).found:,} {each.name.lower()}" for each in FAILURES)
    return f"One at a time, {what}: {counts}. Failures are what is unsafe, silent or hangs."


def _tiles(told: Told) -> Iterator[Tile]:
    summary, failures = told.summary, _failures(told.summary)
    yield Tile(f"{summary.flips:,}", told.flips)
    if failures:
        yield Tile(_failing(summary), "failures", "bad")
    else:
        yield Tile("0", "failures seen", "good")
    yield Tile(f"{told.found(Outcome.OUTAGE).share:.2%}", "needless outages")
    if summary.daily:
        row = summary.daily.rows[0]
        if row.per_day or row.high:
            at_most = "" if row.per_day else ", at most"
            yield Tile(f"{row.per_day or row.high:.1e}", f"failures a day{at_most}")
    if told.cross_check:
        kind = "good" if told.cross_check.is_good else "bad"
        good = told.cross_check.size - len(told.cross_check.differences)
        yield Tile(f"{good} of {told.cross_check.size}", "the same in Verilator", kind)


def _sections(told: Told) -> Iterator[Section]:
    yield _outcomes(told)
    if told.summary.daily:
        yield _daily(told)
    yield _unprotected(told)
    yield _parts(told, "modules", "By instance, worst first", told.summary.modules)
    if told.summary.sort not in THINGS:
        yield _parts(told, "registers", "By register, worst first", told.summary.rows)
    if told.summary.latencies:
        yield _latency(told)
    yield _cross_check(told)
    yield _asked(told)


def _outcomes(told: Told) -> Section:
    summary, whole = told.summary, told.summary.is_exhaustive
    interval = () if whole else (f"{summary.confidence:.0%} interval",)
    columns = ("Outcome", told.flips.capitalize(), "Share", *interval, "")
    cells = tuple(
        (
            share.outcome.name.lower(),
            f"{share.found:,}",
            f"{share.share:.3%}",
            *(() if whole else (f"{share.low:.3%} to {share.high:.3%}",)),
            MEANINGS[share.outcome],
        )
        for share in summary.shares
    )
    return Section(
        identifier="outcomes",
        title=f"What came of the {told.flips}",
        words=(
            "All were done: there is no interval."
            if whole
            else "Shares of all there are, each instance weighted by its size. Intervals are those "
            f"of Clopper and Pearson for each of {len(summary.modules)} instances, summed: wide, "
            "never too narrow."
        ),
        columns=columns,
        texts=frozenset({0, len(columns) - 1}),
        rows=cells,
        bars=tuple(share.share for share in summary.shares),
    )


def _daily(told: Told) -> Section:
    daily = told.summary.daily
    assert daily is not None
    interval = () if daily.is_exhaustive else (f"{daily.confidence:.0%} interval",)
    return Section(
        identifier="daily",
        title="Failures a day",
        words=f"{basis(daily)}. The clocks of the stimulus stand for the whole day.",
        columns=("In a day", "", *interval, ""),
        rows=(*(tuple(row) for row in rows(daily)), _configuration(daily)),
        texts=frozenset({0, 2 + len(interval)}),
    )


def _configuration(daily: FailuresPerDay) -> tuple[str, ...]:
    upsets = daily.configuration_upsets
    number, often = ("", "") if upsets is None else (f"{upsets:.2e}", f"{every(upsets)}; ")
    interval = () if daily.is_exhaustive else ("",)
    return ("configuration memory, excluded", number, *interval, f"{often}{WHY_EXCLUDED}")


def _unprotected(told: Told) -> Section:
    bad = [row for row in told.summary.rows if row.count(FAILURES)]
    register_of = {place.name: place.register for place in told.prepared.places}
    bits: dict[str, list[str]] = {}
    for each in told.summary.unprotected:
        bits.setdefault(register_of[each.name], []).append(each.name.rpartition(".")[2])
    return Section(
        identifier="unprotected",
        title=f"Where the unprotected {told.thing} are",
        words=(
            "Each with the command that replays its first case in Verilator, and writes the waves "
            "with and without it."
            if bad
            else f"None of the {told.thing} was unsafe, silent or hung."
        ),
        columns=(
            THINGS.get(told.summary.sort, "register").capitalize(),
            told.thing.capitalize(),
            *(each.name.lower() for each in FAILURES),
        ),
        texts=frozenset({0, 1}),
        rows=tuple(
            (
                row.name,
                _listed(bits.get(row.name, []), row.places),
                *(_percent(row, each) for each in FAILURES),
            )
            for row in bad[:_MOST_ROWS]
        ),
        lines=tuple(told.line(row.case) if row.case else "" for row in bad[:_MOST_ROWS]),
    )


def _listed(names: list[str], of: int) -> str:
    shown = ", ".join(sorted(names)[:_LONGEST_LIST])
    more = f" and {len(names) - _LONGEST_LIST} more" if len(names) > _LONGEST_LIST else ""
    return f"{len(names)} of {of}: {shown}{more}"


def _percent(row: Row, outcome: Outcome) -> str:
    return f"{row.counts[outcome] / row.flips:.2%}" if row.counts[outcome] else ""


def _parts(told: Told, identifier: str, title: str, found: tuple[Row, ...]) -> Section:
    harmful = [row for row in found if row.count(set(Outcome) - HARMLESS)]
    seen = [each for each in Outcome if any(row.counts[each] for row in harmful)]
    left = len(found) - len(harmful)
    words = f"{left} more had nothing but what was corrected or masked." if left else ""
    if len(harmful) > _MOST_ROWS:
        words = f"The worst {_MOST_ROWS} of {len(harmful)}; all are in summary.json. {words}"
    return Section(
        identifier=identifier,
        title=title,
        words=words,
        columns=(
            identifier[:-1].capitalize().replace("Module", "Instance"),
            told.thing.capitalize(),
            told.flips.capitalize(),
            *(each.name.lower() for each in seen),
        ),
        rows=tuple(
            (row.name, f"{row.places:,}", f"{row.flips:,}", *(_percent(row, each) for each in seen))
            for row in harmful[:_MOST_ROWS]
        ),
    )


def _latency(told: Told) -> Section:
    bins = told.summary.latencies
    least, median, most_99, most = told.summary.latency_quantiles
    highest = max(count for _, _, count in bins)
    return Section(
        identifier="latency",
        title="Clocks from an upset to its alarm",
        words=f"{least} at least, {median} the median, {most_99} for 99 %, {most} at most.",
        columns=("Clocks", "Alarms"),
        rows=tuple(
            (f"{first}" if first == last else f"{first} to {last}", f"{count:,}")
            for first, last, count in bins
        ),
        bars=tuple(count / highest for _, _, count in bins),
    )


def _cross_check(told: Told) -> Section:
    check = told.cross_check
    is_rtl = told.prepared.faults.are_of_state
    rtl = "the RTL itself" if is_rtl else "the netlist written out as Verilog"
    return Section(
        identifier="cross-check",
        title="Cross-check in Verilator",
        words=(
            f"On {rtl}: {check}." if check else "It was left out: nothing but the engine says so."
        ),
        columns=("Differs", "Here", "In Verilator") if check and check.differences else (),
        texts=frozenset({0, 1, 2}),
        rows=tuple(
            (each.case.name, each.case.outcome.name.lower(), each.outcome.name.lower())
            for each in (check.differences if check else ())
        ),
    )


def _asked(told: Told) -> Section:
    prepared, choice, summary = told.prepared, told.choice, told.summary
    machine, limits = prepared.machine, prepared.limits
    roles = {
        role.lower(): len(nets) for role, nets in prepared.observation.by_role().items() if nets
    }
    plan = (
        f"exhaustive: every one of {len(prepared.places):,} {told.thing} in every clock, "
        f"{summary.faults:,} {told.flips}"
        if summary.is_exhaustive
        else f"a sample, stratified by instance: {summary.flips:,} of {summary.faults:,} "
        f"(Leveugle's formula: {choice.margin:.1%} at {choice.confidence:.0%} of each instance)"
    )
    return Section(
        identifier="asked",
        title="What was asked",
        rows=(
            ("Top", machine.top),
            ("Design", f"{bits_stored(machine):,} stored bits, {len(machine.gates):,} gates"),
            ("Digest", prepared.digest),
            ("Upset", _MODELS[summary.sort]),
            ("Plan", plan),
            ("Stimulus", f"{len(prepared.inputs):,} clocks with {prepared.stimulus}"),
            ("Storage without reset", f"starts at random, seed {choice.seed}"),
            ("Horizon H", f"{limits.horizon:,} clocks watched after each"),
            ("Alarm window A", f"{limits.alarm_window:,} clocks from the first wrong data on"),
            ("Hang", f"nothing handed over for {limits.hang_after:,} clocks where it is due"),
            ("Outputs by role", ", ".join(f"{name} {bits}" for name, bits in roles.items())),
            ("Seed", str(choice.seed)),
            ("Machines at a time", f"{prepared.lanes} lanes, lane 0 without any upset"),
        ),
        texts=frozenset({0, 1}),
    )
