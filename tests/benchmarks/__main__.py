# SPDX-License-Identifier: Apache-2.0
"""Run the benchmark cases whose names begin with the argument, and print one table."""

import sys

import bitstreams
import flash_cuts
import flash_link
import link_false_accepts
import link_fit
import link_latency
import link_twin
import simulation
import telemetry_columns
import telemetry_pipeline
import triplication
import upset_engine
from rich.console import Console
from rich.table import Table
from rows import RESULTS, Case, Row, rows, store

CASES: dict[str, Case] = {
    **bitstreams.CASES,
    **flash_cuts.CASES,
    **flash_link.CASES,
    **link_false_accepts.CASES,
    **link_fit.CASES,
    **link_latency.CASES,
    **link_twin.CASES,
    **simulation.CASES,
    **telemetry_columns.CASES,
    **telemetry_pipeline.CASES,
    **triplication.CASES,
    **upset_engine.CASES,
}


def main() -> int:
    prefix = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = {name: case for name, case in CASES.items() if name.startswith(prefix)}
    if not chosen:
        print(f"no case begins with {prefix!r}; there are: {', '.join(CASES)}", file=sys.stderr)
        return 2
    found: list[Row] = []
    for name, case in chosen.items():
        print(f"{name} ...", file=sys.stderr)
        found += [row for measurement in case() for row in rows(measurement)]
    if not found:
        print("nothing was measured", file=sys.stderr)
        return 5
    store(found, prefix)
    Console(width=150).print(_table(found))
    print(f"rows in {RESULTS.relative_to(RESULTS.parent.parent)}")
    return 0 if all(row.met is not False for row in found) else 4


def _table(found: list[Row]) -> Table:
    table = Table(caption=f"{found[0].cpu}, commit {found[0].commit}")
    for heading in ("case", "ours", "unit", "peer", "peer's", "ratio", "bar", "met"):
        is_number = heading in ("ours", "peer's", "ratio", "bar")
        table.add_column(heading, justify="right" if is_number else "left")
    for row in found:
        bar = "" if row.bar is None else f"{row.bar:g} on {row.bar_on}"
        met = {None: "", True: "yes", False: "[red]no[/]"}[row.met]
        peer = (row.peer or "", _figure(row.peer_value), _figure(row.ratio))
        table.add_row(row.case, _figure(row.ours), row.unit, *peer, bar, met)
    return table


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


sys.exit(main())
