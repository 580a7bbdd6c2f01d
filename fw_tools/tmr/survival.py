# SPDX-License-Identifier: Apache-2.0
"""Whether synthesis left three of everything: counted in the netlist, by name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fw_tools.netlist.records import CONSTANTS, Cell, Net, Netlist
from fw_tools.tmr.naming import REPLICAS
from fw_tools.tmr.plan import Plan
from fw_tools.tmr.render import Rendered

FAMILIES = ("ecp5", "ice40")
_LOOK_UP_TABLES = ("LUT4", "SB_LUT4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """What one family's synthesis left."""

    family: str
    flip_flops: int  # Of replicas.
    flip_flops_due: int
    voters: int  # Bits voted in a look-up table of their own.
    voters_due: int
    lost: tuple[str, ...]  # Signals without a cell of their own.


def count(netlist: Netlist, plan: Plan, rendered: Rendered) -> Survival:
    """Count flip-flops and voters of a result in its netlist."""
    stored = list(stored_signals(plan, rendered))
    voters = list(_voters(plan, rendered))
    flip_flops, no_flip_flop = _own_cells(netlist, stored, is_flip_flop=True)
    tables, no_table = _own_cells(netlist, voters, is_flip_flop=False)
    return Survival(
        family=netlist.family,
        flip_flops=flip_flops,
        flip_flops_due=sum(bits for _, bits in stored),
        voters=tables,
        voters_due=sum(bits for _, bits in voters),
        lost=(*no_flip_flop, *no_table),
    )


def stored_signals(plan: Plan, rendered: Rendered) -> Iterator[tuple[str, int]]:
    """Yield what the flip-flops of every replica hold, and its width."""
    for each in plan.triplicated:
        for replica in range(REPLICAS):
            yield f"u_replica_{replica}.{rendered.stored[each.name]}", len(each.q)


def _voters(plan: Plan, rendered: Rendered) -> Iterator[tuple[str, int]]:
    """Yield what voters give: one in every replica, or one beside them."""
    for each in plan.triplicated:
        voter = f"u_vote_{rendered.stored[each.name].removesuffix('_stored')}.majority_o"
        if plan.options.voters == "single":
            yield voter, len(each.q)
            continue
        for replica in range(REPLICAS):
            yield f"u_replica_{replica}.{voter}", len(each.q)


def _own_cells(
    netlist: Netlist, signals: Sequence[tuple[str, int]], *, is_flip_flop: bool
) -> tuple[int, list[str]]:
    """Return how many bits have a cell of their own, and the names of those that have none."""
    taken: set[str] = set()
    lost = []
    for name, width in signals:
        nets = netlist.signals.get(name, ())
        for bit in range(width):
            cell = _maker(netlist, nets[bit], is_flip_flop=is_flip_flop) if nets[bit:] else None
            if cell is None or cell.name in taken:
                lost.append(f"{name}[{bit}]" if width > 1 else name)
            else:
                taken.add(cell.name)
    return len(taken), lost


def _maker(netlist: Netlist, net: Net, *, is_flip_flop: bool) -> Cell | None:
    """Return the flip-flop behind a net, or its look-up table."""
    if is_flip_flop:
        return flip_flop_behind(netlist, net)
    driver = netlist.driver(net)
    return driver[0] if driver and driver[0].kind in _LOOK_UP_TABLES else None


def flip_flop_behind(netlist: Netlist, net: Net) -> Cell | None:
    """Return the flip-flop that a net shows; None where it shows none.

    An iCE40 starts at 0: a bit that starts at 1 is stored inverted, behind a table of one input.
    """
    driver = netlist.driver(net)
    if driver and driver[0].kind in _LOOK_UP_TABLES:
        cell = driver[0]
        inputs = {n for pin, nets in cell.pins.items() if pin not in cell.outputs for n in nets}
        sources = [net for net in inputs if net >= CONSTANTS]
        driver = netlist.driver(sources[0]) if len(sources) == 1 else None
    return driver[0] if driver and driver[0].is_flip_flop else None
