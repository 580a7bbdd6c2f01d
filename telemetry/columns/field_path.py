# SPDX-License-Identifier: Apache-2.0
"""Where in a definition a parse failed: `housekeeping.fields[3].rail`.

construct's own path leaves out array indices, and only its own errors have one. The frames of the
traceback know both, for every kind of exception.
"""

import io
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Any

import construct

from telemetry.columns.unreadable import find_unreadable, letting_go, reason_of


class FieldError(Exception):
    """A field of a definition that could not be parsed from a packet."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Parsed:
    """What construct makes of a packet data field."""

    value: Any  # With an `Unreadable` in the place of each value that is not there.
    unreadable: tuple[tuple[str, str], ...] = ()  # The names of these, as rows have them, and why.


class PacketParser:
    """Parses packets of one layout; `label` is where it was found."""

    def __init__(self, layout: Any, label: str) -> None:
        self._layout, self._label = layout, label

    def parse(self, data_field: bytes) -> Parsed:
        """Parse a packet data field with construct.

        What construct refuses is parsed once more without the values that cannot be made of their
        octets (text that is none). `FieldError` if that fails, too, or octets stay unread.
        """
        try:
            return Parsed(parse_once(self._layout, self._label, data_field))
        except FieldError:
            if not self.lets_go:
                raise
        value = parse_once(self._letting_go, self._label, data_field)
        return Parsed(value, tuple(find_unreadable(value)))

    @property
    def lets_go(self) -> bool:
        """Whether the layout has fields that may be left without a value."""
        return self._letting_go is not self._layout

    @cached_property
    def _letting_go(self) -> Any:
        return letting_go(self._layout)


def parse_data_field(layout: Any, label: str, data_field: bytes) -> Parsed:
    """Parse one packet data field as `PacketParser` does."""
    return PacketParser(layout, label).parse(data_field)


def parse_once(layout: Any, label: str, data_field: bytes) -> Any:
    """Return what construct itself parses; `FieldError` also when octets stay unread."""
    stream = io.BytesIO(data_field)
    try:
        value = layout.parse_stream(stream)
    except Exception as error:
        raise FieldError(_field_path(label, error.__traceback__), reason_of(error)) from error
    unread = len(data_field) - stream.tell()
    if unread:
        raise FieldError(label, f"{unread} of {len(data_field)} octets stay unread")
    return value


def _field_path(label: str, traceback: TracebackType | None) -> str:
    path = label
    while traceback is not None:
        frame = traceback.tb_frame
        here = frame.f_locals.get("self")
        if frame.f_code.co_name == "_parse" and isinstance(here, construct.Construct):
            path += _step(here, frame.f_locals)
        traceback = traceback.tb_next
    return path


def _step(here: Any, names: dict[str, Any]) -> str:
    if isinstance(here, construct.Renamed):
        # `"name" / X * "remark"` is two Renamed with the same name.
        inner = here.subcon.name if isinstance(here.subcon, construct.Renamed) else None
        return f".{here.name}" if here.name and here.name != inner else ""
    is_array = isinstance(here, construct.Array | construct.GreedyRange | construct.RepeatUntil)
    return f"[{names['i']}]" if is_array and "i" in names else ""
