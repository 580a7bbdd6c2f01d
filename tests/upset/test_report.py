# SPDX-License-Identifier: Apache-2.0
"""The page of a campaign, in a real browser: its tables hold what came of the flips."""

import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from fw_tools.report.campaign import CampaignReport, Section, render_campaign
from fw_tools.upset.summary import _latencies, _quantiles

DESIGNS = Path(__file__).parent / "designs"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium or google-chrome")


class Tables(HTMLParser):
    """The rows of every table by its identifier, and what a page would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self.texts: dict[str, str] = {}  # Of elements with an identifier that are no table.
        self.headings: list[str] = []
        self.loaded: list[str] = []
        self._table = self._into = ""
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loaded += [tag] if tag in ("script", "link", "img", "iframe") else []
        if tag == "table":
            self._table = given["id"] or ""
            self.rows[self._table] = []
        elif tag == "tr":
            self.rows[self._table].append([])
        elif tag in ("td", "th"):
            self.rows[self._table][-1].append("")
        elif tag == "h2":
            self.headings.append("")
        self._in_cell = tag in ("td", "th") or (self._in_cell and tag in ("pre", "i", "code"))
        self._into = "heading" if tag == "h2" else given.get("id") or ""

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")
        self._into = ""

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[self._table][-1][-1] += data.strip()
        elif self._into == "heading":
            self.headings[-1] += data
        elif self._into:
            self.texts[self._into] = self.texts.get(self._into, "") + data


def opened(page: Path, profile: Path) -> Tables:
    done = subprocess.run(
        [
            str(CHROMIUM),
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
            *(f"--user-data-dir={profile}", "--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return Tables(done.stdout)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outcomes by name, each register one of its kind; 890 clocks of 1,000."""
    folder = tmp_path_factory.mktemp("campaign")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "fw_tools", "upset", str(DESIGNS / "outcomes.sv")),
            *("--top", "outcomes", "--clocks", "1000", "--horizon", "100", "--hang-after", "50"),
            *("--alarm-window", "7", "--seed", "3", "--exhaustive", "--rate", "24FIT/bit"),
            *("--cross-check", "5", "-o", str(folder)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"report: {folder / 'report.html'}" in done.stdout
    return folder


@needs_browser
def test_a_browser_shows_what_came_of_the_flips(campaign: Path, tmp_path: Path) -> None:
    """By hand: of 32 bits 8 are silent, 4 detected, 12 corrected, 1 or 2 of each of the others."""
    page = opened(campaign / "report.html", tmp_path)
    clocks = 1000 - 100 - 10
    outcomes = {row[0]: row[1:3] for row in page.rows["outcomes"]}
    for outcome, bits in {
        "unsafe": 1, "silent": 8, "hang": 1, "detected": 4, "outage": 2,
        "corrected": 12, "timing": 2, "latent": 1, "masked": 1,
    }.items():  # fmt: skip
        assert outcomes[outcome] == [f"{bits * clocks:,}", f"{bits / 32:.3%}"]
    assert page.texts["verdict"] == "31.25% of all flips end in a failure"
    assert page.headings[0] == "What came of the flips"
    assert page.rows["registers"][1][:2] == ["unsafe_q", "1"]
    assert page.rows["modules"][1][:3] == ["the top", "32", f"{32 * clocks:,}"]
    assert page.rows["daily"][2][:3] == ["failures", "5.76e-06", "one in 475 years"]
    assert page.rows["daily"][-1][0] == "configuration memory, excluded"
    assert ["0", f"{6 * clocks:,}", ""] in page.rows["latency"]


@needs_browser
def test_a_browser_shows_where_and_how_to_see_it_again(campaign: Path, tmp_path: Path) -> None:
    page = opened(campaign / "report.html", tmp_path)
    rows = page.rows["unprotected"]
    assert ["unsafe_q", "1 of 1: unsafe_q", "100.00%", "", ""] in rows
    silent = "8 of 8: " + ", ".join(f"silent_q[{bit}]" for bit in range(8))
    at = rows.index(["silent_q", silent, "", "100.00%", ""])
    (line,) = rows[at + 1]
    assert line.startswith("fw-tools upset ")
    assert "--replay '10:silent_q[" in line
    assert "--exhaustive" not in line
    assert "--alarm-window 7" in line
    assert "--exhaustive" in page.texts["command"]
    assert "--rate 24FIT/bit" in page.texts["command"]


@needs_browser
def test_a_browser_shows_what_was_asked(campaign: Path, tmp_path: Path) -> None:
    page = opened(campaign / "report.html", tmp_path)
    asked = dict(row for row in page.rows["asked"])
    assert asked["Top"] == "outcomes"
    assert len(asked["Digest"]) == 64
    assert asked["Horizon H"].startswith("100 clocks")
    assert asked["Alarm window A"].startswith("7 clocks")
    assert asked["Seed"] == "3"
    assert asked["Plan"].startswith("exhaustive: every one of 32 bits in every clock, 28,480")
    assert asked["Stimulus"] == "1,000 clocks with the world inside the top"
    assert "lanes" in asked["Machines at a time"]


def test_the_page_loads_nothing_and_says_what_the_cross_check_found(campaign: Path) -> None:
    text = (campaign / "report.html").read_text()
    assert "On the RTL itself: 5 of them, drawn at random from every outcome, end in" in text
    assert "default-src &#39;none&#39;" in text or "default-src &#x27;none&#x27;" in text
    assert Tables(text).loaded == []
    assert "http" not in text.replace("http-equiv", "")


def test_names_of_a_design_are_text_and_never_markup() -> None:
    evil = "<script>alert(1)</script>"
    report = CampaignReport(
        title=evil, verdict=evil, kind="bad", lead=evil, tiles=(), command=evil,
        sections=(Section(identifier="a", title=evil, rows=((evil,),), lines=(evil,)),),
    )  # fmt: skip
    assert Tables(render_campaign(report)).loaded == []


def test_latencies_count_what_each_injection_stands_for() -> None:
    """One alarm after a clock, and nine after five that one injection of a class stands for."""
    values, weights = np.array([5, 1]), np.array([9, 1])
    assert _latencies(values, weights) == [(0, 0, 0), (1, 1, 1), (2, 3, 0), (4, 7, 9)]
    assert _quantiles(values, weights) == (1, 5, 5, 5)
    assert _quantiles(np.arange(101), np.ones(101, int)) == (0, 50, 99, 100)
