# SPDX-License-Identifier: Apache-2.0
"""Pins of a board by name, and sequences of their states: how it is reset, and strapped."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fw_tools.spec.findings import Findings, suggestion
from fw_tools.spec.quantities import TIME, parse_between
from fw_tools.spec.toml_source import KeyPath

HOLD = "for"  # The key of a step that is no pin.
LONGEST_HOLD = "60s"


class Line(StrEnum):
    """What a serial port can drive besides its data; on is asserted, as pyserial's True."""

    DTR = "dtr"
    RTS = "rts"
    BREAK = "break"


@dataclass(frozen=True, slots=True)
class Step:
    """States that lines take at once, and how long they are held before the next step."""

    states: tuple[tuple[Line, bool], ...]
    hold_s: float = 0.0


def _step(hold_s: float = 0.0, **states: bool) -> Step:
    return Step(tuple((Line(name), is_on) for name, is_on in states.items()), hold_s)


# As esptool documents them ("Boot Mode Selection", "Configuration File": custom_reset_sequence),
# where DTR pulls the boot pin low and RTS the reset; and the plain pulses.
STRATEGIES: Mapping[str, tuple[Step, ...]] = {
    "dtr": (_step(0.05, dtr=False), _step(dtr=True)),
    "rts": (_step(0.05, rts=False), _step(rts=True)),
    "classic": (
        _step(dtr=False),
        _step(0.1, rts=True),
        _step(dtr=True),
        _step(0.05, rts=False),
        _step(dtr=False),
    ),
    "tight": (
        _step(dtr=False, rts=False),
        _step(dtr=True, rts=True),
        _step(0.1, dtr=False, rts=True),
        _step(0.05, dtr=True, rts=False),
        _step(dtr=False, rts=False),
    ),
    "usb_jtag": (
        _step(rts=False),
        _step(0.1, dtr=False),
        _step(dtr=True),
        _step(0.1, rts=False),
        _step(rts=True),
        _step(dtr=False),
        _step(0.1, rts=True),
        _step(dtr=False),
        _step(rts=False),
    ),
    "hard": (_step(0.1, rts=True), _step(rts=False)),
    "hard_usb": (_step(0.2, rts=True), _step(0.2, rts=False)),
}


@dataclass(frozen=True, slots=True)
class Pin:
    """A name of a line; inverted, the pin is high while the line is off."""

    line: Line
    is_inverted: bool = False


def read_pins(table: object, findings: Findings) -> dict[str, Pin]:
    """Return what each name of [pins] leads to, lines under their own names among them.

    A value is a line, or another pin, with '!' before it for the inverse. Mistakes are added.
    """
    found = {str(line): Pin(line) for line in Line}
    if not isinstance(table, dict):
        findings.add(("pins",), "pins", 'expected a table, as [pins] and reset = "!dtr"')
        return found
    for name in table:
        if name in found or name == HOLD:
            findings.add(("pins", name), "pins", f"{name!r} is a word of its own; choose another")
    return found | {
        name: pin for name in table if name not in found and (pin := _pin(name, table, findings))
    }


def _pin(name: str, table: dict[str, Any], findings: Findings) -> Pin | None:
    """Follow a name to its line."""
    is_inverted, seen, here = False, [name], name
    while True:
        value = table[here]
        if not isinstance(value, str):
            findings.add(("pins", here), "pins", f'{here}: expected text, as {here} = "!dtr"')
            return None
        is_inverted ^= value.startswith("!")
        target = value.removeprefix("!")
        if target in tuple(Line):
            return Pin(Line(target), is_inverted)
        if target not in table:
            known = [*map(str, Line), *table]
            message = f"{here}: no pin {target!r}; {suggestion(target, known)}"
            findings.add(("pins", here), "pins", message)
            return None
        if target in seen:
            if target != name or name != min(seen):
                return None  # Told once, of one of those in the circle.
            findings.add(("pins", name), "pins", f"{name}: leads in a circle: {' -> '.join(seen)}")
            return None
        seen.append(target)
        here = target


def read_steps(
    steps: list[dict[str, Any]], pins: Mapping[str, Pin], place: KeyPath, findings: Findings
) -> tuple[Step, ...]:
    """Return the steps of a sequence at `place` in the file; mistakes are added."""
    table = " ".join(map(str, place))
    return tuple(
        read_step(step, pins, (*place, "steps", index), f"{table}: steps[{index}]", findings)
        for index, step in enumerate(steps)
    )


def read_step(
    step: Mapping[str, Any],
    pins: Mapping[str, Pin],
    place: KeyPath,
    where: str,
    findings: Findings,
) -> Step:
    """Return one step: states of pins, and how long they are held; mistakes are added."""
    states: dict[Line, bool] = {}
    hold_us = 0
    for name, value in step.items():
        path = (*place, name)
        if name == HOLD:
            hold_us = _hold(value, path, where, findings)
        elif (pin := pins.get(name)) is None:
            known = [*pins, HOLD]
            findings.add(path, where, f"no pin {name!r}; {suggestion(name, known)}")
        elif not isinstance(value, bool):
            findings.add(path, where, f"{name}: expected true (high) or false, got {value!r}")
        elif pin.line in states:
            findings.add(path, where, f"{name}: the line {pin.line} is set twice in this step")
        else:
            states[pin.line] = value ^ pin.is_inverted
    return Step(tuple(states.items()), hold_us / 1e6)


def _hold(value: object, path: KeyPath, where: str, findings: Findings) -> int:
    try:
        return parse_between(value, TIME, "0us", LONGEST_HOLD)
    except ValueError as error:
        findings.add(path, where, f"{HOLD}: {error}")
        return 0


def strategy_steps(name: str, place: KeyPath, findings: Findings) -> tuple[Step, ...]:
    """Return the steps of a known strategy; a mistake is added."""
    if name not in STRATEGIES:
        message = f"unknown strategy {name!r}; {suggestion(name, STRATEGIES)}"
        findings.add((*place, "strategy"), ".".join(map(str, place)), message)
    return STRATEGIES.get(name, ())
