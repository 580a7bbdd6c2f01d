# SPDX-License-Identifier: Apache-2.0
"""Where in a definition a parse failed: `housekeeping.fields[3].rail`.

construct's own path leaves out array indices, and only its own errors have one. The frames of the
traceback know both, for every kind of exception.
"""

import io
from types import TracebackType
from typing import Any

import construct


class FieldError(Exception):
    """A field of a definition that could not be parsed from a packet."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def parse_data_field(layout: Any, label: str, data_field: bytes) -> Any:
    """Parse a packet data field with construct; `FieldError` also when octets stay unread."""
    stream = io.BytesIO(data_field)
    try:
        value = layout.parse_stream(stream)
    except Exception as error:
        raise explain_failure(label, error) from error
    unread = len(data_field) - stream.tell()
    if unread:
        raise FieldError(label, f"{unread} of {len(data_field)} octets stay unread")
    return value


def explain_failure(label: str, error: Exception) -> FieldError:
    """Name the field that raised `error`; `label` is where the definition was found."""
    return FieldError(_field_path(label, error.__traceback__), _reason(error))


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


def _reason(error: Exception) -> str:
    text = str(error)
    if not isinstance(error, construct.ConstructError):
        return f"{type(error).__name__}: {text}" if text else type(error).__name__
    if getattr(error, "path", None) is not None:
        text = text.partition("\n")[2]  # The first line holds construct's own path.
    return text.strip() or type(error).__name__
