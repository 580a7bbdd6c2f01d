# SPDX-License-Identifier: Apache-2.0
"""The members of a Verilated model, for C++ that looks for some of them by their names."""

import re
from pathlib import Path

# As in "CData/*3:0*/ top__DOT__u_tick__DOT__count_q;"; a constant has a value besides.
_MEMBER = re.compile(
    r"^\s+(?P<constant>static constexpr )?"
    r"(?:[CSIQ]Data/\*[\d:]+\*/|VlUnpacked<.*>) (?P<name>\w+__DOT__\w+)(?: = .*)?;$",
    re.MULTILINE,
)
_STATE = re.compile(r"// DESIGN SPECIFIC STATE\n(?P<state>.*?)// INTERNAL VARIABLES", re.DOTALL)


def write_members(folder: Path, prefix: str) -> None:
    """Write PREFIX_members.h beside the model PREFIX in `folder`.

    One line each, in the order in which they lie: MEMBER(name) for a signal or memory,
    PARAMETER(name) for a constant. Nothing at all when the model keeps state elsewhere too.
    """
    root = folder / f"{prefix}___024root.h"
    others = set(folder.glob(f"{prefix}_*.h")) - {root}
    is_whole = not any(map(_has_state, others))
    model = root.read_text(encoding="utf-8") if is_whole else ""
    lines = (
        f"{'PARAMETER' if match['constant'] else 'MEMBER'}({match['name']})\n"
        for match in _MEMBER.finditer(model)
    )
    (folder / f"{prefix}_members.h").write_text("".join(lines), encoding="utf-8")


def _has_state(header: Path) -> bool:
    """Tell whether a class of the model has members of the design's."""
    match = _STATE.search(header.read_text(encoding="utf-8"))
    return bool(match and match["state"].strip())
