# SPDX-License-Identifier: Apache-2.0
"""Commands to the compute node's twin over a line that flips, drops, duplicates, inserts, stalls.

    python tests/benchmarks/link_line_faults.py [EXCHANGES]   of each kind; 1,450 by default

Each exchange is a function (TC[8,1]) with as many tries as it takes. It counts once a fault has hit
it; the twin tells. Before and after each kind the payload's own count of functions is read over a
line without faults: it has grown by the commands that were acknowledged, and by no more than those
that ended with an error. One seed for each kind. The first row is the control, without faults.
"""

import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from rows import ROOT

from fw_tools.board.bench import Bench, open_bench
from fw_tools.board.exchange import ExchangeOptions
from fw_tools.board.twin_messages import Direction, LineFaults, after, cut
from fw_tools.errors import LinkError

SPEC = ROOT / "examples" / "compute_node" / "payload.toml"
OPTIONS = ExchangeOptions(timeout_s=0.1, tries=30, window=1)
CHANCE = 0.012  # Per octet: a command and its answer have about 60.
STALL_S = 0.0005  # Of the payload's time.
CUT_S = 0.0002
COUNTS = 1 << 16
KINDS = ("none", "flip", "drop", "duplicate", "insert", "stall", "cut")
LINES = tuple(Direction)


@dataclass
class Run:
    """What became of the exchanges of one kind of fault."""

    kind: str
    hit: int = 0
    faults: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    done_by_payload: int = 0
    longest_s: float = 0.0

    @property
    def is_right(self) -> bool:
        """Every command done once, and none that nobody saw fail done more than once."""
        surplus = self.done_by_payload - self.outcomes["done"]
        return 0 <= surplus <= sum(self.outcomes.values()) - self.outcomes["done"]


def faults_so_far(bench: Bench) -> int:
    found = bench.twin.statistics()
    wires = (found["to_payload"], found["from_payload"])
    return sum(n for wire in wires for name, n in wire.items() if name != "octets")


def disturb(bench: Bench, kind: str, seed: int) -> None:
    if kind == "cut":
        return
    chances = {kind: CHANCE} if kind != "none" else {}
    pause = {"stall_s": STALL_S} if kind == "stall" else {}
    for line in LINES:
        bench.twin.disturb_line(line, LineFaults(**chances, **pause), seed=seed + line)


def cut_for_a_moment(bench: Bench, number: int) -> None:
    """Cut a wire now and mend it a little later, by the payload's clock."""
    line = LINES[number % 2]
    bench.twin._process.send(cut(line, True))
    cycles = int(bench.client.description.clock_hz * CUT_S)
    bench.twin._process.send(after(cycles, cut(line, False)))


def exchanges(bench: Bench, kind: str, wanted: int) -> Run:
    run = Run(kind)
    before = bench.client.get("link.functions_done")
    disturb(bench, kind, seed=1000 * KINDS.index(kind))
    while run.hit < wanted:
        faults, started = faults_so_far(bench), time.monotonic()
        if kind == "cut":
            cut_for_a_moment(bench, sum(run.outcomes.values()))
        try:
            bench.client.perform("clear_faults")
            run.outcomes["done"] += 1
        except LinkError as error:
            run.outcomes[type(error).__name__] += 1
        run.longest_s = max(run.longest_s, time.monotonic() - started)
        new = faults_so_far(bench) - faults
        run.faults += new
        run.hit += new > 0 or kind == "none"
    disturb(bench, "none", seed=0)
    bench.probe.until_alive()
    run.done_by_payload = (bench.client.get("link.functions_done") - before) % COUNTS
    return run


def main() -> int:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1450
    table = Table(caption=f"seeds 0 to {1000 * (len(KINDS) - 1)}; compute node, divisor 16, TCP")
    headings = ("fault", "exchanges", "hit", "faults", "done", "errors", "by payload", "longest s")
    for heading in (*headings, "right"):
        table.add_column(heading, justify="right" if heading != "fault" else "left")
    is_right = True
    with open_bench(f"twin:{SPEC}", options=OPTIONS) as bench:
        bench.client.set_housekeeping(is_enabled=False)
        for kind in KINDS:
            run = exchanges(bench, kind, wanted)
            total, done = sum(run.outcomes.values()), run.outcomes["done"]
            counts = (total, 0 if kind == "none" else run.hit, run.faults, done, total - done)
            texts = (*map(str, counts), str(run.done_by_payload), f"{run.longest_s:.2f}")
            table.add_row(kind, *texts, "yes" if run.is_right else "NO")
            print(kind, *texts, run.outcomes, flush=True)
            is_right &= run.is_right
    Console(width=120).print(table)
    return 0 if is_right else 4


if __name__ == "__main__":
    sys.exit(main())
