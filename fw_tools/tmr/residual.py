# SPDX-License-Identifier: Apache-2.0
"""What of a result is still there once: where one upset or one transient is enough."""

from collections.abc import Iterator
from dataclasses import dataclass

from fw_tools.tmr.plan import Plan
from fw_tools.tmr.render import Rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class SinglePoint:
    """One kind of single point: how many bits of it, and where."""

    kind: str
    bits: int
    where: tuple[str, ...]


def single_points(plan: Plan, rendered: Rendered) -> tuple[SinglePoint, ...]:
    """Return every kind that a result has."""
    return tuple(point for point in _points(plan, rendered) if point.bits)


def _points(plan: Plan, rendered: Rendered) -> Iterator[SinglePoint]:
    clocks = {each.clock for each in plan.design.registers}
    resets = {each.reset for each in plan.triplicated if each.reset is not None}
    for kind, nets in (("clock", clocks), ("reset", resets - clocks)):
        names = [port.name for port in plan.design.ports if nets & set(port.bits)]
        yield SinglePoint(kind=kind, bits=len(names), where=tuple(names))
    inputs = [
        port for port in plan.design.ports if port.is_input and not (clocks | resets) & {*port.bits}
    ]
    yield SinglePoint(
        kind="shared input",
        bits=sum(len(port.bits) for port in inputs),
        where=tuple(port.name for port in inputs),
    )
    yield SinglePoint(
        kind="boundary voter", bits=rendered.boundary_voter_bits, where=rendered.exports
    )
    if plan.options.voters == "single":
        yield SinglePoint(
            kind="single voter",
            bits=rendered.single_voter_bits,
            where=tuple(each.name for each in plan.triplicated),
        )
        logic = sum(len(each.output) for each in plan.design.operators)
        yield SinglePoint(kind="shared logic", bits=logic, where=(plan.design.top,))
    yield SinglePoint(
        kind="register left as it is",
        bits=sum(len(one.register.q) for one in plan.left),
        where=tuple(f"{one.register.name} ({one.reason})" for one in plan.left),
    )
    yield SinglePoint(
        kind="memory left as it is",
        bits=sum(memory.width * memory.depth for memory in plan.design.memories),
        where=tuple(memory.name for memory in plan.design.memories),
    )
