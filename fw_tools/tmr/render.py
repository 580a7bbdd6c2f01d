# SPDX-License-Identifier: Apache-2.0
"""A plan as SystemVerilog: one module that is there three times, and one around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.library import library_files
from fw_tools.tmr.around import render_around
from fw_tools.tmr.naming import Naming
from fw_tools.tmr.plan import Plan
from fw_tools.tmr.replica import render_bank, render_replica

_CELLS = ("kept_flip_flops", "tmr_majority")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text of a result, and what its parts are called there."""

    files: tuple[GeneratedFile, ...]
    stored: Mapping[str, str]  # Register of the sources -> its flip-flops in a replica.
    single: Mapping[str, str]  # Register that is left -> its name in the top.
    exports: tuple[str, ...]  # What a replica hands over besides what it stores.
    memories: Mapping[str, str]
    boundary_voter_bits: int
    single_voter_bits: int


def render(plan: Plan, digest: str) -> Rendered:
    """Return the files of a plan, in the folder `rtl`."""
    names = Naming(plan, digest)
    replica = render_replica(names) if names.is_triple else render_bank(names)
    left = [one.register.name for one in plan.left]
    voted_bits = sum(len(each.q) for each in plan.triplicated)
    return Rendered(
        files=_files(names.top, replica.text, render_around(names, replica.needs)),
        stored={name: f"{voted}_stored" for name, voted in names.voted.items()},
        single={name: names.sources[name] for name in left},
        exports=tuple(names.exports.values()),
        memories=names.memories,
        boundary_voter_bits=sum(map(len, names.exports)),
        single_voter_bits=0 if names.is_triple else voted_bits,
    )


def _files(top: str, replica: str, around: str) -> tuple[GeneratedFile, ...]:
    order = [*(f"lib/{cell}.sv" for cell in _CELLS), f"{top}_replica.sv", f"{top}.sv"]
    return (
        GeneratedFile(PurePosixPath(f"rtl/{top}_replica.sv"), replica),
        GeneratedFile(PurePosixPath(f"rtl/{top}.sv"), around),
        *library_files(*_CELLS),
        GeneratedFile(PurePosixPath("rtl/filelist.f"), "".join(f"{name}\n" for name in order)),
    )
