# SPDX-License-Identifier: Apache-2.0
"""Which benches a payload has."""

from pathlib import Path

from fw_tools.flow.benches.ecc import ecc_benches
from fw_tools.flow.benches.housekeeping import housekeeping_benches
from fw_tools.flow.benches.link import link_benches
from fw_tools.flow.benches.power import power_benches
from fw_tools.flow.benches.registers import registers_benches
from fw_tools.flow.benches.top import top_benches
from fw_tools.spec.records import BenchSpec, Payload

_AREAS = (
    *(ecc_benches, power_benches, registers_benches),
    *(housekeeping_benches, top_benches, link_benches),
)


def payload_benches(payload: Payload, generated: Path, work: Path) -> tuple[BenchSpec, ...]:
    """Return the benches of everything that `payload` describes, in the order of the areas.

    `generated` is the output folder of the gateware; configurations go below `work`.
    """
    return tuple(bench for area in _AREAS for bench in area(payload, generated, work))
