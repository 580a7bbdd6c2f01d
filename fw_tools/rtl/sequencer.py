# SPDX-License-Identifier: Apache-2.0
"""A table of rails to the module that powers them up and down: one readable block per rail."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from fw_tools.power.checks import clock_mistake, rail_findings
from fw_tools.power.graph import dependants, dependency_graph, kill_tree, power_up_levels
from fw_tools.power.records import FaultResponse, OnUpset, RailSpec
from fw_tools.rtl.digest import model_digest
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.library import COUNTER_CELLS, library_files
from fw_tools.rtl.render import header, render
from fw_tools.spec.hardening import SEQUENCER, Harden, Hardening

CELLS = (
    "harden_pkg",
    "rail_pkg",
    *COUNTER_CELLS,
    "fsm_reg",
    "sync_2ff",
    "glitch_filter",
    "tick_gen",
    "rail_timer",
    "rail_ctrl",
    "rail_supervisor",
)
_RESPONSES = {
    FaultResponse.IGNORE: "Ignore",
    FaultResponse.KILL_RAIL: "KillRail",
    FaultResponse.KILL_TREE: "KillTree",
    FaultResponse.KILL_BOARD: "KillBoard",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RailBlock:
    """One rail as its block of the module shows it."""

    name: str
    index_name: str  # The constant that holds its number.
    title: str
    kind: str
    after: str
    before: str
    want: str  # SystemVerilog expressions from here on.
    deps_on: str
    dependants_down: str
    kill: str
    parameters: tuple[tuple[str, str, str], ...]  # Name, value, meaning.


def sequencer_module(payload_name: str) -> str:
    """Return the name of a payload's sequencer module."""
    return f"{payload_name}_sequencer"


def render_sequencer(
    payload_name: str,
    rails: Sequence[RailSpec],
    clock_hz: int,
    harden: Harden = Harden.TMR,
) -> tuple[GeneratedFile, ...]:
    """Return the library cells and `<payload>_sequencer`, in compile order.

    `ValueError` is raised for a table with findings (see `rail_findings`), for an empty one and for
    a clock that is no whole number of MHz.
    """
    _refuse_mistakes(rails, clock_hz)
    graph = dependency_graph(rails)
    module = sequencer_module(payload_name)
    digest = model_digest(Hardening(block=SEQUENCER, harden=harden), *rails)
    text = render(
        "sequencer.sv.j2",
        head=header("//", digest, f"Power sequencer of {payload_name}."),
        module=module,
        rails=[_block(rail, graph, harden) for rail in rails],
        harden=harden,
        order=" | ".join(", ".join(level) for level in power_up_levels(graph)),
        clocks_per_us=clock_hz // 1_000_000,
        last=f"{len(rails) - 1:2d}",
    )
    return (*library_files(*CELLS), GeneratedFile(PurePosixPath(f"rtl/{module}.sv"), text))


def _refuse_mistakes(rails: Sequence[RailSpec], clock_hz: int) -> None:
    mistakes = [f"{item.rail}: {item.key}: {item.message}" for item in rail_findings(rails)]
    clock = clock_mistake(clock_hz)
    if clock:
        mistakes.append(clock)
    if not rails:
        mistakes.append("a sequencer needs at least one rail")
    if mistakes:
        raise ValueError("; ".join(mistakes))


def _block(rail: RailSpec, graph: dict[str, tuple[str, ...]], harden: Harden) -> RailBlock:
    above = dependants(graph)[rail.name]
    below = [name for name in graph if rail.name in kill_tree(graph, name)]
    kills = [f"kill_tree[{_index(name)}]" for name in below]
    if not rail.keep_alive:
        kills.insert(0, "kill_switched")
    return RailBlock(
        name=rail.name,
        index_name=_index(rail.name),
        title=f"{rail.name}: {_units(rail.nominal_mv, 'V')}, {_units(rail.rated_ma, 'A')}",
        kind="Keep-alive." if rail.keep_alive else "Switched.",
        after=", ".join(rail.after),
        before=", ".join(above),
        want="1'b1" if rail.keep_alive else "request",
        deps_on=" && ".join(f"on_o[{_index(name)}]" for name in rail.after) or "1'b1",
        dependants_down=" && ".join(f"down[{_index(name)}]" for name in above) or "1'b1",
        kill=_any_of(kills),
        parameters=_parameters(rail, harden),
    )


def _parameters(rail: RailSpec, harden: Harden) -> tuple[tuple[str, str, str], ...]:
    trip = rail.hard_trip
    blank_us = trip.blank_us if trip else 0
    trip_meaning = f"{trip.input}: above {_units(trip.limit_ma, 'A')}" if trip else ""
    power_good = rail.power_good
    comparator = f"{power_good.input}: {power_good.on_percent}% / {power_good.off_percent}%"
    corrects = rail.on_upset is OnUpset.CORRECT
    return (
        ("RampMin", f"ticks({rail.ramp_min_us})", _ms(rail.ramp_min_us)),
        ("RampMax", f"ticks({rail.ramp_max_us})", _ms(rail.ramp_max_us)),
        ("Timeout", f"ticks({rail.timeout_us})", _ms(rail.timeout_us)),
        ("Settle", f"ticks({rail.settle_us})", _ms(rail.settle_us)),
        ("OffTimeout", f"ticks({rail.off_timeout_us})", _ms(rail.off_timeout_us)),
        ("PgFilterClocks", f"clocks({power_good.filter_us})", comparator),
        ("HasTrip", f"1'b{trip is not None:d}", trip_meaning),
        ("OcBlankClocks", f"clocks({blank_us})", ""),
        ("KeepAlive", f"1'b{rail.keep_alive:d}", ""),
        ("CorrectUpsets", f"1'b{corrects:d}", "" if corrects else "Any upset: switched rails off."),
        ("Harden", harden.literal, ""),
        ("OnRampEarly", _RESPONSES[rail.on_fault.ramp_early], ""),
        ("OnRampTimeout", _RESPONSES[rail.on_fault.ramp_timeout], ""),
        ("OnPgLost", _RESPONSES[rail.on_fault.pg_lost], ""),
        ("OnOc", _RESPONSES[rail.on_fault.oc], ""),
        ("OnStuckOn", _RESPONSES[rail.on_fault.stuck_on], ""),
    )


def _any_of(terms: Sequence[str]) -> str:
    """Return the terms joined by `||`, a few to a line."""
    lines = [" || ".join(terms[start : start + 3]) for start in range(0, len(terms), 3)]
    return "\n      || ".join(lines) or "1'b0"


def _index(name: str) -> str:
    return name.upper()


def _units(milli: int, unit: str) -> str:
    return f"{milli / 1000:g} {unit}"


def _ms(time_us: int) -> str:
    return f"{time_us / 1000:g} ms"
