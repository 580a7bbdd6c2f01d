# SPDX-License-Identifier: Apache-2.0
"""A campaign of upsets as one HTML file: a verdict, and tables in the order of what matters."""

from dataclasses import dataclass

from telemetry.common.page import Page, asset, render_page


@dataclass(frozen=True, slots=True)
class Tile:
    """One large number."""

    value: str
    words: str
    kind: str = ""  # "good", "warn" or "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, what is to be said of it, and a table."""

    identifier: str
    title: str
    words: str = ""
    columns: tuple[str, ...] = ()
    texts: frozenset[int] = frozenset({0})  # Columns that are no numbers.
    rows: tuple[tuple[str, ...], ...] = ()
    bars: tuple[float, ...] = ()  # 0 to 1, one for each row, behind its last cell.
    lines: tuple[str, ...] = ()  # A command below each row, to be copied; "": none.


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport:
    """What the page shows, in words and numbers."""

    title: str
    verdict: str
    kind: str  # Of the verdict: "good", "warn" or "bad"
    lead: str
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
    command: str  # That does all of it again.


def render_campaign(report: CampaignReport) -> str:
    """Return the page; it needs no network and runs no script."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("fw_tools.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return render_page(
        Page(
            title=f"{report.title}: {report.verdict}",
            body=environment.get_template("campaign.html.j2").render(report=report),
            style=asset("fw_tools.report", "campaign.css"),
        )
    )
