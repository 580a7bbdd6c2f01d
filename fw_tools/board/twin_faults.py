# SPDX-License-Identifier: Apache-2.0
"""A schedule of faults in TOML, for a twin or a line: what goes wrong, and when.

seed = 7

[to_payload]            # and [from_payload]: chances per octet
flip = 0.001
stall = 0.0001
stall_for = "2ms"

[[event]]
at = "120ms"            # After the start, in the payload's time.
do = "upset"
path = "u_payload.u_link.u_ram.u_array.mem"
word = 7
bit = 3

A bit of the flash that is stuck from then on is `do = "stuck"`, with `address`, `bit` and `value`.

A line between two serial ports (`fw-tools faultline`) takes `cut` as its only event, by the wall
clock. Chances are per octet, and so are the faults: a flip inverts one data bit; a drop, a
duplicate and an insert are of whole octets; a stall comes before one. Start and stop bits stay.
Only a cut of the wire to a twin's payload takes effect within a frame.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from fw_tools.board import twin_messages as messages
from fw_tools.board.twin_messages import Direction, LineFaults, Message, RailFault
from fw_tools.spec.findings import Findings, suggestion
from fw_tools.spec.quantities import TIME, parse_between
from fw_tools.spec.toml_source import KeyPath, TomlSource, read_toml

_LONGEST = "24h"
_US = 1_000_000  # Microseconds a second.
_CHANCES = ("flip", "drop", "duplicate", "insert", "stall")
_LINES = {"to_payload": Direction.TO_PAYLOAD, "from_payload": Direction.FROM_PAYLOAD}
# What an event does -> the keys it needs, and those it may have.
_ACTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "upset": (("path", "bit"), ("word",)),
    "rail": (("rail", "fault"), ()),
    "stuck": (("address", "bit", "value"), ()),
    "cut": (("line", "for"), ()),
    "reset": (("for",), ()),
    "brown_out": (("for",), ()),
    "power_loss": (("for",), ()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upset:
    """A bit of a register or memory that flips."""

    path: str
    word: int
    bit: int
    place: KeyPath  # In the file.


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSchedule:
    """What a twin is sent at its start."""

    seed: int
    messages: tuple[Message, ...]
    upsets: tuple[Upset, ...] = ()  # Those among them, whose targets a twin knows.
    source: TomlSource


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCut:
    """A wire carries nothing for a while."""

    direction: Direction
    from_s: float  # After the start.
    to_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSchedule:
    """What goes wrong on a line, whatever is at its ends."""

    seed: int = 1
    faults: Mapping[Direction, LineFaults] = field(default_factory=dict)
    cuts: tuple[LineCut, ...] = ()

    def is_cut(self, direction: Direction, at_s: float) -> bool:
        """Tell whether a wire is cut so long after the start."""
        return any(
            cut.direction is direction and cut.from_s <= at_s < cut.to_s for cut in self.cuts
        )


def load_line_faults(path: Path) -> LineSchedule:
    """Read a schedule for a line alone; what only a twin can do is a mistake in it.

    Raises `InputError` with every mistake, each with its line.
    """
    reader = _Reader(path, _US, (), has_flash=False)
    schedule = reader.line_schedule()
    reader.findings.raise_if_any()
    return schedule


def load_faults(
    path: Path, clock_hz: int, rails: tuple[str, ...], *, has_flash: bool = True
) -> FaultSchedule:
    """Read a schedule for a payload with this clock, these rails, and a flash or none.

    Raises `InputError` with every mistake, each with its line.
    """
    reader = _Reader(path, clock_hz, rails, has_flash=has_flash)
    schedule = reader.schedule()
    reader.findings.raise_if_any()
    return schedule


def _event_name(path: KeyPath) -> str:
    return f"event {int(path[-1]) + 1}"


class _Reader:
    def __init__(
        self, path: Path, clock_hz: int, rails: tuple[str, ...], *, has_flash: bool
    ) -> None:
        self._has_flash = has_flash
        self._source = read_toml(path)
        self._upsets: list[Upset] = []
        self.findings = Findings(self._source)
        self._clock_hz = clock_hz
        self._rails = rails

    def schedule(self) -> FaultSchedule:
        seed, lines = self._seed_and_lines()
        sent = [messages.line_faults(direction, seed, faults) for direction, faults in lines]
        for place, event in self._events():
            sent += self._event(place, event)
        upsets = tuple(self._upsets)
        return FaultSchedule(seed=seed, messages=tuple(sent), upsets=upsets, source=self._source)

    def line_schedule(self) -> LineSchedule:
        seed, lines = self._seed_and_lines()
        cuts: list[LineCut] = []
        for place, event in self._events():
            cuts += self._line_event(place, event)
        return LineSchedule(seed=seed, faults=dict(lines), cuts=tuple(cuts))

    def _seed_and_lines(self) -> tuple[int, list[tuple[Direction, LineFaults]]]:
        values = self._source.values
        self._known((), "", values, ("seed", *_LINES, "event"))
        seed = self._number((), "", values, "seed", 2**63 - 1, 1)
        lines = [
            (direction, self._line(name, values[name]))
            for name, direction in _LINES.items()
            if name in values
        ]
        return seed, lines

    def _events(self) -> Iterator[tuple[KeyPath, Any]]:
        events = self._source.values.get("event", [])
        if not isinstance(events, list):
            self.findings.add(("event",), "", "'event' is a list; begin each with [[event]]")
            return
        for index, event in enumerate(events):
            yield ("event", index), event

    def _line(self, name: str, table: Any) -> LineFaults:
        if not self._is_table((name,), name, table):
            return LineFaults()
        self._known((name,), name, table, (*_CHANCES, "stall_for"))
        chances = {key: self._chance((name,), name, table, key) for key in _CHANCES if key in table}
        if "stall" in table and "stall_for" not in table:
            self.findings.add((name, "stall"), name, "'stall' needs 'stall_for', as in \"2ms\"")
        stall_us = self._time((name,), name, table, "stall_for") if "stall_for" in table else 0
        return LineFaults(**chances, stall_s=stall_us / 1e6)

    def _event(self, path: KeyPath, table: Any) -> Iterator[Message]:
        where = _event_name(path)
        action = self._action(path, where, table)
        if not action:
            return
        at = self._cycles(self._time(path, where, table, "at"))
        if action == "upset":
            yield from self._upset(at, path, where, table)
        elif action == "rail":
            yield from self._rail(at, path, where, table)
        elif action == "stuck":
            yield from self._stuck(at, path, where, table)
        else:
            yield from self._spell(at, action, path, where, table)

    def _line_event(self, path: KeyPath, table: Any) -> Iterator[LineCut]:
        where = _event_name(path)
        action = self._action(path, where, table)
        if action == "cut":
            line = self._one_of(path, where, table, "line", tuple(_LINES))
            at, length = (self._time(path, where, table, key) / _US for key in ("at", "for"))
            direction = _LINES.get(line, Direction.TO_PAYLOAD)
            yield LineCut(direction=direction, from_s=at, to_s=at + length)
        elif action:
            only = f"{action!r} needs a twin (fw-tools twin --faults); a line can be 'cut' alone"
            self.findings.add((*path, "do"), where, only)

    def _action(self, path: KeyPath, where: str, table: Any) -> str:
        """Return what an event does; "" when it cannot be told, or keys are missing."""
        if not self._is_table(path, where, table):
            return ""
        action = table.get("do")
        if not isinstance(action, str) or action not in _ACTIONS:
            known = suggestion(str(action), _ACTIONS)
            what = "missing key 'do'" if action is None else f"unknown fault {action!r}"
            self.findings.add((*path, "do"), where, f"{what}; {known}")
            return ""
        needed, optional = _ACTIONS[action]
        self._known(path, where, table, ("at", "do", *needed, *optional))
        missing = [key for key in ("at", *needed) if key not in table]
        for key in missing:
            self.findings.add(path, where, f"missing key {key!r}")
        return "" if missing else action

    def _upset(
        self, at: int, path: KeyPath, where: str, table: Mapping[str, Any]
    ) -> Iterator[Message]:
        name = table["path"]
        if not isinstance(name, str) or not name:
            self.findings.add((*path, "path"), where, "expected a path such as 'u_engine.state_q'")
            return
        word = self._number(path, where, table, "word", 2**32 - 1, 0)
        bit = self._number(path, where, table, "bit", 2**32 - 1, 0)
        self._upsets.append(Upset(path=name, word=word, bit=bit, place=path))
        yield messages.after(at, messages.upset(name, word, bit, is_asked=False))

    def _rail(
        self, at: int, path: KeyPath, where: str, table: Mapping[str, Any]
    ) -> Iterator[Message]:
        name, fault = (
            self._one_of(path, where, table, "rail", self._rails),
            self._one_of(path, where, table, "fault", tuple(RailFault)),
        )
        if name and fault:
            number = self._rails.index(name)
            yield messages.after(at, messages.rail_fault(number, RailFault(fault)))

    def _stuck(
        self, at: int, path: KeyPath, where: str, table: Mapping[str, Any]
    ) -> Iterator[Message]:
        if not self._has_flash:
            self.findings.add(
                (*path, "do"), where, "'stuck' needs a flash, and the payload has none"
            )
            return
        address = self._number(path, where, table, "address", messages.FLASH_OCTETS - 1, 0)
        bit = self._number(path, where, table, "bit", 7, 0)
        value = self._number(path, where, table, "value", 1, 0)
        yield messages.after(at, messages.stuck(address, bit, value))

    def _spell(
        self, at: int, action: str, path: KeyPath, where: str, table: Mapping[str, Any]
    ) -> Iterator[Message]:
        """Yield the two ends of something that lasts a while."""
        make: Callable[[bool], Message] = {
            "reset": messages.reset,
            "brown_out": messages.brown_out,
            "power_loss": lambda is_lost: messages.power(not is_lost),
        }.get(action, messages.reset)
        if action == "cut":
            line = self._one_of(path, where, table, "line", tuple(_LINES))
            direction = _LINES.get(line, Direction.TO_PAYLOAD)

            def make(is_cut: bool) -> Message:
                return messages.cut(direction, is_cut)

        end = at + self._cycles(self._time(path, where, table, "for"))
        yield messages.after(at, make(True))
        yield messages.after(end, make(False))

    def _cycles(self, us: int) -> int:
        return us * self._clock_hz // _US

    def _is_table(self, path: KeyPath, where: str, value: Any) -> bool:
        if not isinstance(value, dict):
            self.findings.add(path, where, "is no table")
        return isinstance(value, dict)

    def _known(
        self, path: KeyPath, where: str, table: Mapping[str, Any], known: tuple[str, ...]
    ) -> None:
        for key in table:
            if key not in known:
                self.findings.add(
                    (*path, key), where, f"unknown key {key!r}; {suggestion(key, known)}"
                )

    def _one_of(
        self, path: KeyPath, where: str, table: Mapping[str, Any], key: str, known: tuple[str, ...]
    ) -> str:
        value = table[key]
        if isinstance(value, str) and value in known:
            return value
        self.findings.add(
            (*path, key), where, f"unknown {key} {value!r}; {suggestion(str(value), known)}"
        )
        return ""

    def _number(
        self,
        path: KeyPath,
        where: str,
        table: Mapping[str, Any],
        key: str,
        highest: int,
        default: int,
    ) -> int:
        value = table.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= highest:
            return value
        is_bound_told = highest < 2**32 - 1
        bounds = f"from 0 to {highest}" if is_bound_told else "from 0"
        self.findings.add((*path, key), where, f"{key!r} is a whole number {bounds}, not {value!r}")
        return default

    def _chance(self, path: KeyPath, where: str, table: Mapping[str, Any], key: str) -> float:
        value = table[key]
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
        self.findings.add(
            (*path, key), where, f"{key!r} is a chance per octet from 0 to 1, not {value}"
        )
        return 0.0

    def _time(self, path: KeyPath, where: str, table: Mapping[str, Any], key: str) -> int:
        try:
            return parse_between(table[key], TIME, "0us", _LONGEST)
        except ValueError as error:
            self.findings.add((*path, key), where, f"{key}: {error}")
            return 0
