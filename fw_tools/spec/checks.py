# SPDX-License-Identifier: Apache-2.0
"""What must hold between the tables of a payload.

References are checked on the text of the file, so that a table with one mistake still shows its
others.
"""

from fw_tools.spec.draft import Draft
from fw_tools.spec.packets import check_packets
from fw_tools.spec.rails import check_rails

# Names that generated modules, ports and instances have already: a memory becomes the module
# <payload>_<memory> with signals <memory>_corrected and others, a rail the instance u_<rail>.
TAKEN = {
    "memory": frozenset(
        {"apb4", "csr", "housekeeping", "regs", "regs_pkg", "sequencer", "telemetry", "top"}
        | {"field", "housekeeping", "rails", "upsets"}
    ),
    "rail": frozenset({"request", "supervisor", "tick"}),
}


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
                message = f"{first[name]} {name} has the same name; generated names would collide"
                draft.findings.add((kind, name), f"{kind} {name}", message)
            first.setdefault(name, kind)
    for kind, taken in TAKEN.items():
        for name in draft.raw(kind):
            if name in taken:
                message = f"the generated design has a {name!r} already; for example '{name}_0'"
                draft.findings.add((kind, name), f"{kind} {name}", message)
