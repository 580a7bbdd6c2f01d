# SPDX-License-Identifier: Apache-2.0
"""How much of each generated block is hardened, and how many upsets may get through."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fw_tools.spec.profiles import Profile

if TYPE_CHECKING:
    from fw_tools.spec.draft import Draft

SEQUENCER = "sequencer"  # The block that the rails make; each memory is one by its name.


class Harden(StrEnum):
    """`harden` of a block; `hdl/rtl/common/harden_pkg.sv` says the same to the gateware."""

    NONE = "none"  # States and registers are plain.
    FSM = "fsm"  # States are code words, timers carry parity, what drives pins is kept twice.
    TMR = "tmr"  # Besides, registers are voted.

    @property
    def literal(self) -> str:
        """The value in SystemVerilog."""
        return f"Harden{self.value.capitalize()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsetBound:
    """The largest shares, in millionths, of a block's upsets that `verify` lets pass."""

    silent_ppm: int = 10_000
    hang_ppm: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardening:
    """What is asked of one block."""

    block: str
    harden: Harden = Harden.FSM
    bound: UpsetBound = UpsetBound()


def check_hardening(draft: "Draft") -> None:
    """Add levels for which there is no room, and those of a block that is not there."""
    if draft.profile is Profile.SMALL:
        for path, where in _asked_for_tmr(draft):
            message = (
                "'tmr' has no room in profile 'small': three flip-flops and a voter for each bit; "
                "at most 'fsm'"
            )
            draft.findings.add((*path, "harden"), f"{where}: harden", message)
    if draft.source.values.get(SEQUENCER) is not None and not draft.raw("rail"):
        draft.findings.add((SEQUENCER,), SEQUENCER, "without a [rail.NAME] there is no sequencer")


def _asked_for_tmr(draft: "Draft") -> Iterator[tuple[tuple[str, ...], str]]:
    if draft.board is not None and draft.board.harden is Harden.TMR:
        yield ("board",), "board"
    if draft.sequencer is not None and draft.sequencer.harden is Harden.TMR:
        yield (SEQUENCER,), SEQUENCER
    for name, table in draft.memories.items():
        if table is not None and table.harden is Harden.TMR:
            yield ("memory", name), f"memory {name}"
