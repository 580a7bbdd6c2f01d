# SPDX-License-Identifier: Apache-2.0
"""How long a ping takes in the examples' gateware, in simulated time at 12 MHz, divisor 16.

From the first start bit of TC[17,1] on an idle line to the last stop bit of what it leads to. The
bench of the line measures it, here with the clock and the times of hardware.
"""

import re
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from rows import ROOT, Case, Measurement

from fw_tools.flow.benches.link import DIVISOR, link_benches
from fw_tools.flow.generate import generate
from fw_tools.sim.build import BuildOptions, build
from fw_tools.sim.run import RUN_LOG, RunOptions, run
from fw_tools.spec.load import load_payload

CLOCK_HZ = 12_000_000
TEST = "a_ping_is_answered_in_time"
TOLD = re.compile(r"TC\[17,1\] with (\d) acknowledgements: (\d+) clocks")
PARAMETERS = {"ClockHz": CLOCK_HZ, "TimeScale": 1, "BaudDivisor": DIVISOR}


def ping(case: str, example: str) -> list[Measurement]:
    """Return the longest of some pings without acknowledgements, and with three."""
    spec = ROOT / "examples" / example / "payload.toml"
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        generate(spec, work / "generated")
        (bench,) = link_benches(load_payload(spec), work / "generated", work)
        parameters = tuple((name, str(value)) for name, value in PARAMETERS.items())
        bench = replace(bench, parameters=parameters)
        records = run(
            build(bench, BuildOptions(work=work)), bench, RunOptions(work=work, pattern=TEST)
        )
        assert [record.is_good for record in records] == [True], records
        told = dict(TOLD.findall((work / RUN_LOG).read_text()))
    return [
        Measurement(
            case=f"{case}_{name}",
            ours=int(told[acks]) / CLOCK_HZ * 1e3,
            unit="ms",
            better="lower",
        )
        for acks, name in (("0", "without_acks"), ("3", "with_3_acks"))
    ]


CASES: dict[str, Case] = {
    "link/full_ping": partial(ping, "link/full_ping", "compute_node"),
    "link/small_ping": partial(ping, "link/small_ping", "breaker_mini"),
}
