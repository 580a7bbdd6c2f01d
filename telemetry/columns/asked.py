# SPDX-License-Identifier: Apache-2.0
"""Steps that Python does packet by packet: functions of a definition, and construct's own parse.

A function is expected to give the same for the same packet: it may be called more than once.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import construct
import numpy as np

from telemetry.columns.context import Contexts, Lanes
from telemetry.columns.frame import Array, Frame, Slot
from telemetry.columns.kinds import BooleanKind, PythonKind, dtype_of
from telemetry.columns.program import emit
from telemetry.columns.separation import InseparableError, SeparationError
from telemetry.columns.unreadable import Unreadable, UnreadableError, find_unreadable

LETS_GO = Slot(BooleanKind())  # Whether a packet is read without the values that are none.
_LOW, _HIGH = -(1 << 63), (1 << 63) - 1
_FOR_OTHERS = (construct.StopFieldError, construct.CancelParsing)  # For a construct around it.


@dataclass(frozen=True, slots=True)
class Call:
    """A value that a function gives; `convert` makes of it what is kept."""

    path: str
    function: Callable[[Any], Any]
    convert: Callable[[Any], Any]
    contexts: Contexts
    slot: Slot
    column: str | None
    has_stream: bool
    is_of_python: ClassVar[bool] = True

    def run(self, frame: Frame) -> None:
        """Call it for every lane; where it raises, the packet cannot be read."""
        lanes = Lanes(frame, self.has_stream)
        found = np.zeros(len(frame), dtype_of(self.slot.kind))
        failed = np.zeros(len(frame), np.bool_)
        for lane in range(len(frame)):
            try:
                found[lane] = self.convert(self.function(self.contexts.make(lanes, lane)))
            except (InseparableError, construct.ExplicitError, *_FOR_OTHERS) as error:
                raise SeparationError(self.path, str(error)) from error
            except UnreadableError as error:
                failed[lane] = not self._is_value
                found[lane] = Unreadable(str(error)) if self._is_value else 0
            except Exception:  # As construct has it.
                failed[lane] = True
        frame.fail(failed)
        if self.column is not None and self._is_value:
            _note(frame, self.path, found)
        emit(frame, self.column, self.slot, found)

    @property
    def _is_value(self) -> bool:
        """Whether it gives a field, which may be left without a value; not a length or a choice."""
        return isinstance(self.slot.kind, PythonKind)


@dataclass(frozen=True, slots=True)
class Parse:
    """A field that construct parses, from where each lane stands."""

    path: str
    subcon: Any
    letting_go: Any  # The same for packets that are refused with all their values.
    contexts: Contexts
    slot: Slot
    column: str | None
    is_of_python: ClassVar[bool] = True

    def run(self, frame: Frame) -> None:
        """Parse it in every lane, and move behind it."""
        lanes = Lanes(frame, has_stream=True)
        found = np.empty(len(frame), object)
        taken = np.zeros(len(frame), np.int64)
        failed = np.zeros(len(frame), np.bool_)
        lets_go = frame.get(LETS_GO).tolist()
        for lane in range(len(frame)):
            subcon = self.letting_go if lets_go[lane] else self.subcon
            context, stream = self.contexts.make(lanes, lane), lanes.stream(lane)
            dict.__setitem__(context, "_io", stream)
            begin = stream.tell()
            try:
                found[lane] = subcon._parsereport(stream, context, "(parsing)")
                taken[lane] = stream.tell() - begin
            except (InseparableError, *_FOR_OTHERS) as error:
                raise SeparationError(self.path, str(error)) from error
            except Exception:
                failed[lane] = True
        frame.fail(failed)
        frame.advance_each(taken)
        if self.column is not None:
            _note(frame, self.path, found)
        emit(frame, self.column, self.slot, found)


def _note(frame: Frame, path: str, found: Array) -> None:
    """Note the values that are not there, in packets that are read without such."""
    for lane in np.flatnonzero(frame.get(LETS_GO)).tolist():
        for name, reason in find_unreadable(found[lane], path):
            frame.note_let_go(lane, name, reason)


def as_length(value: Any) -> int:
    """Return a length that a function gave, cut to 64 bits; `TypeError` for what is none."""
    return min(max(operator.index(value), _LOW), _HIGH)


def keep(value: Any) -> Any:
    """Return the value itself."""
    return value


def keep_single(value: Any) -> Any:
    """Return the value itself, if it is a single one."""
    if value is None or isinstance(value, int | float | str | bytes | Unreadable):
        return value
    raise InseparableError("a function that gives more than one value, in a list")


def choice_of(cases: dict[Any, Any]) -> Callable[[Any], int]:
    """Return what tells the number of the case of a key; of none, that behind the last."""
    numbers = {key: number for number, key in enumerate(cases)}
    return lambda key: numbers.get(key, len(numbers))
