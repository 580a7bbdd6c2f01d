# SPDX-License-Identifier: Apache-2.0
"""Values that cannot be made of their octets, such as text that is none, cost no packet.

construct refuses a whole packet for one such field. Where it does, the packet is read once more by
a copy of the layout that lets these fields go. It reads the same octets in the same order; what
asks for a value that is not there fails as before.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import construct

_OWN_SAY = (construct.ExplicitError, construct.StopFieldError, construct.CancelParsing)
_LEFT_ALONE = (
    construct.Select, construct.Peek,  # What fails inside tells them what to take.
    construct.Lazy, construct.LazyArray, construct.LazyStruct,
)  # fmt: skip
_NEVER_FAIL = (construct.Enum, construct.FlagsEnum, construct.Hex, construct.HexDump)
_SHOWN_OCTETS = 12


class UnreadableError(Exception):
    """A value that could not be read is asked for."""


class Unreadable:
    """Stands in a parsed packet for a value that could not be made of its octets.

    Whatever looks at it, other than to carry it on, raises `UnreadableError`.
    """

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def _refuse(self, *_: Any) -> NoReturn:
        raise UnreadableError(f"asks for a field that has no value ({self.reason})")

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        self._refuse()

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = _refuse
    __floordiv__ = __rfloordiv__ = __truediv__ = __rtruediv__ = __pow__ = __rpow__ = _refuse
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = _refuse
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __neg__ = __pos__ = __abs__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = __bool__ = _refuse
    __int__ = __index__ = __float__ = __str__ = __bytes__ = __format__ = _refuse
    __len__ = __iter__ = __getitem__ = __contains__ = __call__ = _refuse


def find_unreadable(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name of each value that is not there, as rows have it, and why."""
    if isinstance(value, Unreadable):
        yield name or "value", value.reason
    elif isinstance(value, Mapping):
        prefix = f"{name}." if name else ""
        for key, item in value.items():
            if str(key)[:1] != "_":
                yield from find_unreadable(item, f"{prefix}{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from find_unreadable(item, f"{name}[{index}]")


# --- A layout that lets go ------------------------------------------------------------------------


class _LettingGo(construct.Subconstruct):  # type: ignore[misc]  # construct carries no types.
    """An adapter whose value is not there when it cannot be made of octets that were read."""

    def __init__(self, subcon: Any, adapter: Any) -> None:
        super().__init__(subcon)
        self._adapter = adapter

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        begin = stream.tell()
        found = self.subcon._parsereport(stream, context, path)
        if isinstance(found, Unreadable):
            return found
        try:
            return self._adapter._decode(found, context, path)
        except _OWN_SAY:
            raise
        except Exception as error:
            if stream.tell() == begin:  # Nothing is passed over: a list of these had no end.
                raise
            return Unreadable(_why(self._adapter, found, error))


class _Computed(construct.Construct):  # type: ignore[misc]
    """A value from other values, which is not there when one of them is not."""

    def __init__(self, func: Any) -> None:
        super().__init__()
        self._func = func

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        del stream, path
        try:
            return self._func(context) if callable(self._func) else self._func
        except UnreadableError as error:
            return Unreadable(str(error))


def _why(adapter: Any, found: Any, error: Exception) -> str:
    if isinstance(adapter, construct.StringEncoded) and isinstance(found, bytes):
        more = "..." if len(found) > _SHOWN_OCTETS else ""
        return f"no text in {adapter.encoding}: {found[:_SHOWN_OCTETS].hex(' ')}{more}"
    return reason_of(error)


def reason_of(error: Exception) -> str:
    """Return what an exception says, without the path that construct puts before it."""
    text = str(error)
    if not isinstance(error, construct.ConstructError):
        return f"{type(error).__name__}: {text}" if text else type(error).__name__
    if getattr(error, "path", None) is not None:
        text = text.partition("\n")[2]  # The first line holds construct's own path.
    return text.strip() or type(error).__name__


def letting_go(layout: Any) -> Any:
    """Return a copy of `layout` that lets values go; `layout` itself if it has none that could.

    A Validator, Const or Check refuses the packet as before. Inside of Select, Optional and Peek
    nothing is let go, for there a failure is a choice.
    """
    found: list[Any] = []
    copied = _copy(layout, found)
    return copied if found else layout


def _copy(layout: Any, found: list[Any]) -> Any:
    def inside(part: Any) -> Any:
        return _copy(part, found)

    if isinstance(layout, _LEFT_ALONE):
        return layout
    if isinstance(layout, construct.Compiled):
        return inside(layout.defersubcon)
    if type(layout) is construct.Computed:
        return _Computed(layout.func)
    if _may_let_go(layout):
        return _adapter(layout, found)
    copied = copy.copy(layout)
    if isinstance(layout, construct.IfThenElse):
        copied.thensubcon = inside(layout.thensubcon)
        copied.elsesubcon = inside(layout.elsesubcon)
    elif isinstance(layout, construct.Switch):
        copied.cases = {key: inside(case) for key, case in layout.cases.items()}
        copied.default = inside(layout.default)
    elif isinstance(layout, construct.LazyBound):
        found.append(layout)
        copied.subconfunc = lambda: letting_go(layout.subconfunc())
    elif isinstance(layout, construct.Subconstruct):
        copied.subcon = inside(layout.subcon)
    elif isinstance(getattr(layout, "subcons", None), list):  # Structs, sequences, unions.
        copied.subcons = [inside(part) for part in layout.subcons]
    else:
        return layout
    return copied


def _may_let_go(layout: Any) -> bool:
    is_adapter = isinstance(layout, construct.Adapter)
    is_plain = is_adapter and type(layout)._parse is construct.Adapter._parse
    return is_plain and not isinstance(layout, construct.Validator)


def _adapter(layout: Any, found: list[Any]) -> Any:
    inner: list[Any] = []
    subcon = _copy(layout.subcon, inner)
    if isinstance(layout, _NEVER_FAIL) and not inner:
        return layout
    found.append(layout)
    return _LettingGo(subcon, layout)
