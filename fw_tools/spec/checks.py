# SPDX-License-Identifier: Apache-2.0
"""What must hold between the tables of a payload.

References are checked on the text of the file, so that a table with one mistake still shows its
others.
"""

from fw_tools.spec.draft import Draft
from fw_tools.spec.packets import check_packets
from fw_tools.spec.rails import check_rails

# Endings of generated modules: a memory becomes the module <payload>_<memory>.
MODULE_NAMES = frozenset(
    {"csr", "housekeeping", "packetiser", "registers", "regs", "sequencer", "telemetry", "top"}
)


def check_across_tables(draft: Draft) -> None:
    """Add every mistake that shows only between tables to the findings of `draft`."""
    _check_names(draft)
    check_rails(draft)
    check_packets(draft)


def _check_names(draft: Draft) -> None:
    first: dict[str, str] = {}
    for kind in ("memory", "rail", "packet"):
        for name in draft.raw(kind):
            if name in first:
                message = f"{first[name]} {name} has the same name; registers are named after both"
                draft.findings.add((kind, name), f"{kind} {name}", message)
            first.setdefault(name, kind)
    for name in MODULE_NAMES & draft.raw("memory").keys():
        message = f"the name is taken by a generated module; for example '{name}_memory'"
        draft.findings.add(("memory", name), f"memory {name}", message)
