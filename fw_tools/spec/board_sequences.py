# SPDX-License-Identifier: Apache-2.0
"""[idle], [reset] and [strap.NAME] of a board.toml, to states of the lines of its port."""

from collections.abc import Mapping
from dataclasses import dataclass

from fw_tools.spec.board_lines import (
    HOLD,
    Line,
    Pin,
    Step,
    read_pins,
    read_step,
    read_steps,
    strategy_steps,
)
from fw_tools.spec.board_schema import SequenceTable
from fw_tools.spec.findings import Findings
from fw_tools.spec.toml_source import KeyPath, TomlSource
from fw_tools.spec.validate import validate_table


@dataclass(frozen=True, slots=True)
class Sequences:
    """What the lines of the board's port do."""

    idle: Mapping[Line, bool]  # While the port is open; a line that is not named is on.
    reset: tuple[Step, ...] | None  # None: nothing resets it.
    straps: Mapping[str, tuple[Step, ...]]


def read_sequences(source: TomlSource, findings: Findings) -> Sequences:
    """Return the sequences of a board; mistakes are added to `findings`."""
    values = source.values
    pins = read_pins(values.get("pins", {}), findings)
    reset = None
    if "reset" in values:
        reset = _sequence(values["reset"], ("reset",), pins, findings)
    straps = values.get("strap", {})
    if not isinstance(straps, dict):
        findings.add(("strap",), "strap", "expected tables by name, as [strap.loader]")
        straps = {}
    return Sequences(
        _idle(values.get("idle", {}), pins, findings),
        reset,
        {name: _sequence(table, ("strap", name), pins, findings) for name, table in straps.items()},
    )


def _idle(values: object, pins: Mapping[str, Pin], findings: Findings) -> Mapping[Line, bool]:
    if not isinstance(values, dict):
        findings.add(("idle",), "idle", "expected a table, as [idle] and reset = false")
        return {}
    if HOLD in values:
        findings.add(("idle", HOLD), "idle", f"{HOLD!r} is for steps; these states stay")
    states = {name: state for name, state in values.items() if name != HOLD}
    return dict(read_step(states, pins, ("idle",), "idle", findings).states)


def _sequence(
    values: object, place: KeyPath, pins: Mapping[str, Pin], findings: Findings
) -> tuple[Step, ...]:
    where = " ".join(map(str, place))
    table = validate_table(SequenceTable, values, place, where, findings)
    if table is None:
        return ()
    if (table.strategy is None) == (table.steps is None):
        findings.add(place, where, "expected one of 'strategy' and 'steps'")
        return ()
    if table.strategy is not None:
        return strategy_steps(table.strategy, place, findings)
    return read_steps(table.steps or [], pins, place, findings)
