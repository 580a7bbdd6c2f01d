# SPDX-License-Identifier: Apache-2.0
"""A run as one HTML file that needs nothing else: no script, no font, no network."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from fw_tools.report.progress import build_words, outcome_words
from fw_tools.report.records import BenchSummary, RunReport, Status, TestRecord
from fw_tools.report.table import sim_time

TAIL_LINES = 25  # Of a failed test's log.
_TAIL_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class _Bench:
    """A bench with its tests, as the page shows it."""

    summary: BenchSummary
    records: tuple[TestRecord, ...]

    @property
    def is_good(self) -> bool:
        return bool(self.records) and all(record.is_good for record in self.records)

    @property
    def outcome(self) -> str:
        return outcome_words(self.records)

    @property
    def build(self) -> str:
        return build_words(self.summary)


def render_page(report: RunReport, folder: Path) -> str:
    """Return the page. Logs of failures are read below `folder`; an absent one is left out."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("fw_tools.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sim_time"] = sim_time
    environment.filters["words"] = _words
    return environment.get_template("report.html.j2").render(
        report=report,
        benches=_benches(report),
        failures=[record for record in report.records if not record.is_good],
        tails=_log_tails(report, folder),
        counts=_counts(report),
        covered=_covered(report),
    )


def _words(record: TestRecord) -> str:
    """Return what a test checks: its description, else its name read as a sentence."""
    name = record.test.partition("/")[0].rpartition(".")[2]
    sentence = name.replace("_", " ").strip()
    return record.description or f"{sentence[:1].upper()}{sentence[1:]}"


def _benches(report: RunReport) -> list[_Bench]:
    grouped = {
        name: tuple(records)
        for name, records in groupby(report.records, key=lambda record: record.bench)
    }
    return [_Bench(bench, grouped.get(bench.name, ())) for bench in report.benches]


def _counts(report: RunReport) -> Mapping[str, int]:
    return {
        "ran": len(report.records) - report.count(Status.SKIPPED),
        "passed": report.count(Status.PASSED),
        "wrong": report.count(Status.FAILED) + report.count(Status.ERROR),
        "skipped": report.count(Status.SKIPPED),
    }


def _covered(report: RunReport) -> float | None:
    total = sum(row.total for row in report.coverage)
    return 100.0 * sum(row.covered for row in report.coverage) / total if total else None


def _log_tails(report: RunReport, folder: Path) -> dict[str, str]:
    logs = {record.log for record in report.records if record.log and not record.is_good}
    return {log: _tail(folder / log) for log in logs}


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-TAIL_LINES:])
