# SPDX-License-Identifier: Apache-2.0
"""The members of a Verilated model, for C++ that looks for some of them by their names."""

import math
import re
from pathlib import Path

# As in "CData/*3:0*/ top__DOT__u_tick__DOT__count_q;"; a constant has a value besides.
_MEMBER = re.compile(
    r"^\s+(?P<constant>static constexpr )?"
    r"(?:[CSIQ]Data/\*[\d:]+\*/|VlUnpacked<.*>) (?P<name>\w+__DOT__\w+)(?: = .*)?;$",
    re.MULTILINE,
)
# As in "VlUnpacked<VlWide<3>/*71:0*/, 1024> top__DOT__u_array__DOT__mem;": what may be storage.
_VARIABLE = re.compile(
    r"^\s+(?:VlUnpacked<)*(?:[CSIQ]Data|VlWide<\d+>)/\*(?P<high>\d+):0\*/(?P<words>[ ,>\d]*)"
    r" (?P<name>(?!__V)\w+?__DOT__(?P<path>(?:(?!__V)\w)+));$",
    re.MULTILINE,
)
_SPELT = {"__BRA__": "[", "__KET__": "]", "__DOT__": "."}
_STATE = re.compile(r"// DESIGN SPECIFIC STATE\n(?P<state>.*?)// INTERNAL VARIABLES", re.DOTALL)


def write_members(folder: Path, prefix: str) -> None:
    """Write PREFIX_members.h and PREFIX_storage.h beside the model PREFIX in `folder`.

    Of the former one line each, in the order in which they lie: MEMBER(name) for a signal or
    memory, PARAMETER(name) for a constant. Nothing at all when the model keeps state elsewhere too.
    Of the latter VARIABLE("u_array.mem", name, words, bits) for what may be a register or a memory.
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
    variables = _VARIABLE.finditer(root.read_text(encoding="utf-8"))
    table = (
        f'VARIABLE("{_path(match["path"])}", {match["name"]}, {_words(match["words"])}, '
        f"{int(match['high']) + 1})\n"
        for match in variables
    )
    (folder / f"{prefix}_storage.h").write_text("".join(table), encoding="utf-8")


def _path(name: str) -> str:
    """Return a name of Verilator's as its source has it, as in "u_state.gen_replica[2].q"."""
    for spelling, text in _SPELT.items():
        name = name.replace(spelling, text)
    return name


def _words(lengths: str) -> int:
    """Return the words of an array, as in ", 4>, 8>"; 1 where there is none."""
    return math.prod(map(int, re.findall(r"\d+", lengths)))


def _has_state(header: Path) -> bool:
    """Tell whether a class of the model has members of the design's."""
    match = _STATE.search(header.read_text(encoding="utf-8"))
    return bool(match and match["state"].strip())
