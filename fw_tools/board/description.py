# SPDX-License-Identifier: Apache-2.0
"""link.json: what a client knows of a payload. It is read as data; nothing in it is executed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from fw_tools.errors import InputError, UsageError
from fw_tools.pus.identifiers import Severity

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDescription:
    """Some bits of a register."""

    name: str
    low: int
    high: int
    access: str  # "r", "w" or "rw"
    values: Mapping[str, int]  # Names of values; empty where they have none.

    @property
    def mask(self) -> int:
        """The field's bits in the register."""
        return (1 << self.high + 1) - (1 << self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterDescription:
    """A register, as service 20 knows it."""

    name: str
    id: int
    access: str
    fields: tuple[FieldDescription, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDescription:
    """A memory, as service 6 knows it."""

    name: str
    id: int
    octets: int
    word_octets: int
    is_writable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDescription:
    """An event, as service 5 knows it."""

    name: str
    id: int
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDescription:
    """A function, as service 8 knows it."""

    name: str
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDescription:
    """All of it."""

    payload: str
    digest: str  # Of the model.
    rtl_digest: str  # Of the gateware, as the payload itself tells it; 16 hex digits.
    apid: int
    clock_hz: int
    baud_divisor: int
    structure_id: int
    slot_octets: int  # 0: its flash has no boot slots.
    commands: tuple[tuple[int, int], ...]  # Service and subtype of what it offers.
    parameters: tuple[ParameterDescription, ...]
    memories: tuple[MemoryDescription, ...]
    events: tuple[EventDescription, ...]
    functions: tuple[FunctionDescription, ...]

    @property
    def baud(self) -> int:
        """Bits per second of the payload's UART."""
        return round(self.clock_hz / self.baud_divisor)

    def parameter(self, name: str) -> ParameterDescription:
        """Return a register by its name. Raises `UsageError`."""
        return _named("register", name, self.parameters)

    def field(self, name: str) -> tuple[ParameterDescription, FieldDescription | None]:
        """Return what REGISTER or REGISTER.FIELD names; a register has no field.

        The name of a register may itself hold dots.
        """
        registers = {each.name: each for each in self.parameters}
        if name in registers:
            return registers[name], None
        register, dot, field_name = name.rpartition(".")
        if dot and register in registers:
            parameter = registers[register]
            return parameter, _named(f"field of {register}", field_name, parameter.fields)
        return self.parameter(name), None  # Raises, and names the nearest.

    def readable(self, name: str) -> tuple[ParameterDescription, FieldDescription | None]:
        """Return what `field` does; `UsageError` for what can only be set."""
        register, field = self.field(name)
        if "r" not in (field or register).access:
            raise UsageError(f"{name}: can only be set, not read")
        return register, field

    def settable(self, name: str) -> tuple[ParameterDescription, FieldDescription | None]:
        """Return what `field` does; `UsageError` for what can only be read."""
        register, field = self.field(name)
        if "w" not in (field or register).access:
            known = ", ".join(each.name for each in self.parameters if "w" in each.access)
            raise UsageError(f"{name}: can only be read; to be set there are: {known or 'none'}")
        return register, field

    def memory(self, name: str) -> MemoryDescription:
        """Return a memory by its name. Raises `UsageError`."""
        return _named("memory", name, self.memories)

    def event(self, name: str) -> EventDescription:
        """Return an event by its name. Raises `UsageError`."""
        return _named("event", name, self.events)

    def function(self, name: str) -> FunctionDescription:
        """Return a function by its name. Raises `UsageError`."""
        return _named("function", name, self.functions)


_Named = TypeVar(
    "_Named",
    ParameterDescription,
    FieldDescription,
    MemoryDescription,
    EventDescription,
    FunctionDescription,
)


def _named(kind: str, name: str, known: tuple[_Named, ...]) -> _Named:
    by_name = {each.name: each for each in known}
    if name in by_name:
        return by_name[name]
    near = get_close_matches(name, by_name, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(by_name) or 'none'}"
    raise UsageError(f"no {kind} {name!r}; {hint}")


def load_description(path: Path) -> LinkDescription:
    """Read link.json. Raises `InputError` with the place of the first thing that is wrong."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{path}: no JSON: {error}") from None
    try:
        return parse_description(values)
    except (KeyError, TypeError, ValueError) as error:
        what = f"key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{path}: {what}; generate it anew with `fw-tools generate`") from None


def parse_description(values: Any) -> LinkDescription:
    """Return the description that the values of a link.json hold.

    Raises `KeyError`, `TypeError` or `ValueError` where they hold none.
    """
    if not isinstance(values, dict):
        raise TypeError("no object")
    if values["format"] != FORMAT:
        raise ValueError(f"format {values['format']}; this client reads format {FORMAT}")
    return LinkDescription(
        payload=_text(values, "payload"),
        digest=_text(values, "digest"),
        rtl_digest=_text(values, "rtl_digest"),
        apid=_number(values, "apid"),
        clock_hz=_number(values, "clock_hz", 1),
        baud_divisor=_number(values, "baud_divisor", 1),
        structure_id=_number(values, "structure_id"),
        slot_octets=_number(values, "slot_octets"),
        commands=tuple((service, subtype) for service, subtype in values["commands"]),
        parameters=tuple(_parameter(each) for each in values["parameters"]),
        memories=tuple(_memory(each) for each in values["memories"]),
        events=tuple(_event(each) for each in values["events"]),
        functions=tuple(
            FunctionDescription(name=_text(each, "name"), id=_number(each, "id"))
            for each in values["functions"]
        ),
    )


def _parameter(values: dict[str, Any]) -> ParameterDescription:
    return ParameterDescription(
        name=_text(values, "name"),
        id=_number(values, "id"),
        access=_access(values),
        fields=tuple(_field(each) for each in values["fields"]),
    )


def _field(values: dict[str, Any]) -> FieldDescription:
    low, high = _number(values, "low"), _number(values, "high")
    if not low <= high < 32:
        raise ValueError(f"field {values['name']!r}: bits {high}..{low} are not within 31..0")
    return FieldDescription(
        name=_text(values, "name"),
        low=low,
        high=high,
        access=_access(values),
        values={str(name): int(value) for name, value in values.get("enum", {}).items()},
    )


def _memory(values: dict[str, Any]) -> MemoryDescription:
    return MemoryDescription(
        name=_text(values, "name"),
        id=_number(values, "id"),
        octets=_number(values, "octets"),
        word_octets=_number(values, "word_octets", 1),
        is_writable=bool(values["is_writable"]),
    )


def _event(values: dict[str, Any]) -> EventDescription:
    severity = _text(values, "severity").upper()
    if severity not in Severity.__members__:
        raise ValueError(f"event {values['name']!r}: unknown severity {values['severity']!r}")
    return EventDescription(
        name=_text(values, "name"), id=_number(values, "id"), severity=Severity[severity]
    )


def _text(values: dict[str, Any], key: str) -> str:
    value = values[key]
    if not isinstance(value, str):
        raise TypeError(f"{key!r} is no text")
    return value


def _number(values: dict[str, Any], key: str, least: int = 0) -> int:
    value = values[key]
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{key!r} is no whole number of {least} or more")
    return value


def _access(values: dict[str, Any]) -> str:
    access = _text(values, "access")
    if access not in ("r", "w", "rw"):
        raise ValueError(f"access {access!r}; expected r, w or rw")
    return access
