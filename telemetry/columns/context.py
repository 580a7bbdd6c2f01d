# SPDX-License-Identifier: Apache-2.0
"""The context that construct hands to functions, made of what has been read side by side.

A function sees what it would see in construct's own parse, fetched when it asks. What cannot be
told from the columns (or is no business of a function, as to change the context) raises
`InseparableError`; then construct has to parse more than that field.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, NoReturn, TypeAlias

import construct

from telemetry.columns.frame import Frame, Slot
from telemetry.columns.kinds import CategoryKind
from telemetry.columns.scope import NO_INDEX, Binding, Choice, Group, Items, Run, Scope, Unknown
from telemetry.columns.separation import InseparableError
from telemetry.columns.values import Constant

Getter: TypeAlias = Callable[["_Lazy"], Any]


@dataclass(slots=True)
class Lanes:
    """The values of a frame, as Python objects."""

    frame: Frame
    has_stream: bool
    _lists: dict[Slot, list[Any]] = field(default_factory=dict)

    def value(self, slot: Slot, lane: int) -> Any:
        """Return what construct would have read into `slot`."""
        if slot not in self._lists:
            self._lists[slot] = _as_construct(slot, self.frame.get(slot).tolist())
        values = self._lists[slot]
        if isinstance(values[lane], Later):
            values[lane] = values[lane].value()
        return values[lane]

    def stream(self, lane: int) -> BytesIO:
        """Return the data field, at the place where the lane stands."""
        frame = self.frame
        if not self.has_stream or frame.stream is None:
            raise InseparableError("a look at the octets among bits, in a list or within a length")
        start = int(frame.stream[lane])
        stream = BytesIO(frame.octets[start : int(frame.end[lane])].tobytes())
        stream.seek(int(frame.base[lane]) - start)
        return stream


def _as_construct(slot: Slot, values: list[Any]) -> list[Any]:
    if not isinstance(slot.kind, CategoryKind):
        return values
    known = {n: construct.EnumIntegerString.new(n, name) for n, name in slot.kind.names}
    return [known[n] if n in known else construct.EnumInteger(n) for n in values]


class _Lazy(construct.Container):  # type: ignore[misc]  # construct carries no types.
    """A Container of which each value is made when it is asked for."""

    __slots__ = ("__getters__", "__lane__", "__lanes__", "__recursion_lock__")

    def __init__(self, getters: dict[str, Getter], lanes: Lanes, lane: int) -> None:
        object.__setattr__(self, "__getters__", getters)
        object.__setattr__(self, "__lanes__", lanes)
        object.__setattr__(self, "__lane__", lane)

    def __missing__(self, key: str) -> Any:
        value = self.__getters__[key](self)
        dict.__setitem__(self, key, value)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        if key != "_index":
            raise InseparableError("a function that changes what has been parsed")
        dict.__setitem__(self, key, value)

    def get(self, key: Any, default: Any = None) -> Any:
        """Return a value, or `default`."""
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key: Any) -> bool:
        return dict.__contains__(self, key) or key in self.__getters__

    def __iter__(self) -> Iterator[str]:
        for key in self.__getters__:
            self[key]  # Now it is there.
        return iter(dict.fromkeys((*self.__getters__, *dict.keys(self))))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def keys(self) -> Any:
        """Return all names."""
        return dict.fromkeys(self).keys()

    def values(self) -> Any:
        """Return all values."""
        return {key: self[key] for key in self}.values()

    def items(self) -> Any:
        """Return all names and values."""
        return {key: self[key] for key in self}.items()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise InseparableError("a function that changes what has been parsed")

    __delitem__ = pop = popitem = clear = setdefault = _refuse


class _Untold:
    """An index that cannot be told; construct may carry it about, but nobody may look at it."""

    def _refuse(self, *_: Any) -> NoReturn:
        raise InseparableError("the index behind a list")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __floordiv__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __int__ = __index__ = __bool__ = __str__ = __repr__ = __hash__ = __and__ = _refuse


_UNTOLD = _Untold()


@dataclass(frozen=True, slots=True)
class Contexts:
    """What makes the context of a place in a definition, for each lane."""

    getters: dict[str, Getter]

    def make(self, lanes: Lanes, lane: int) -> Any:
        """Return a fresh context."""
        return _Lazy(self.getters, lanes, lane)


class Kept:
    """The values that a part of a definition gives, for functions behind it."""

    def __init__(self, name: str, binding: Binding) -> None:
        self._name, self._binding = name, binding
        self._get: Getter | None = None

    def begin(self) -> None:
        """Keep them from now on."""
        self._get = _getter(self._name, self._binding)

    def each(self, frame: Frame) -> "list[Later]":
        """Return what construct would have given in each lane."""
        lanes = Lanes(frame, has_stream=False)
        return [Later(self, lanes, lane) for lane in range(len(frame))]

    def lists(self, frame: Frame, begins: list[int], counts: list[int]) -> "list[Later]":
        """Return the lists that begin at these lanes."""
        lanes = Lanes(frame, has_stream=False)
        pairs = zip(begins, counts, strict=True)
        return [Later(self, lanes, begin, begin + count) for begin, count in pairs]

    def value(self, lanes: Lanes, lane: int) -> Any:
        """Return what construct would have given in a lane."""
        assert self._get is not None
        return self._get(_Lazy({}, lanes, lane))


@dataclass(frozen=True, slots=True)
class Later:
    """A value, or a list of those of several lanes, that is made when a function asks for it."""

    kept: Kept
    lanes: Lanes
    lane: int
    end: int | None = None

    def value(self) -> Any:
        """Return it."""
        if self.end is None:
            return self.kept.value(self.lanes, self.lane)
        lanes = range(self.lane, self.end)
        return construct.ListContainer(self.kept.value(self.lanes, lane) for lane in lanes)


def contexts_of(scope: Scope) -> Contexts:
    """Return the contexts of the fields of a Struct; its values are kept for them from now on."""
    flags = {"_parsing": True, "_building": False, "_sizing": False}
    getters: dict[str, Getter] = {}
    if scope.parent is None:
        getters |= {name: _constant(value) for name, value in flags.items()}
        getters["_params"] = lambda lazy: lazy
        if scope.index is not NO_INDEX:
            getters["_index"] = _index(scope.index)
        return Contexts(getters)
    above, is_outermost = contexts_of(scope.parent), scope.parent.parent is None
    getters["_"] = lambda lazy: above.make(lazy.__lanes__, lazy.__lane__)
    getters["_params"] = lambda lazy: lazy["_"] if is_outermost else lazy["_"]["_params"]
    getters["_root"] = lambda lazy: lazy if is_outermost else lazy["_"]["_root"]
    getters |= {name: _constant(value) for name, value in flags.items()}
    getters["_subcons"] = _constant(scope.subcons)
    getters["_io"] = lambda lazy: lazy.__lanes__.stream(lazy.__lane__)
    getters["_index"] = _constant(None) if scope.index is NO_INDEX else _index(scope.index)
    getters |= {name: _getter(name, binding) for name, binding in scope.names.items()}
    return Contexts(getters)


def _constant(value: Any) -> Getter:
    return lambda _: value


def _index(binding: Binding) -> Getter:
    return _constant(_UNTOLD) if isinstance(binding, Unknown) else _getter("_index", binding)


def _getter(name: str, binding: Binding) -> Getter:
    match binding:
        case Slot() as slot:
            slot.is_used = True
            return lambda lazy: lazy.__lanes__.value(slot, lazy.__lane__)
        case Constant(value):
            return _constant(value)
        case Run(_, found, keepers) | Choice(found, keepers):
            for keeper in keepers:
                keeper.begin()
            return _getter(name, found)
        case Items(items):
            each = [_getter(f"{name}[{i}]", item) for i, item in enumerate(items)]
            return lambda lazy: construct.ListContainer(getter(lazy) for getter in each)
        case Group(members, is_flags):
            return _group(name, members, is_flags=is_flags)
    return _unavailable(name)


def _group(name: str, members: dict[str, Binding], *, is_flags: bool) -> Getter:
    first = {"_flagsenum": _constant(True)} if is_flags else {"_io": _unavailable(f"{name}._io")}
    getters = first | {key: _getter(f"{name}.{key}", item) for key, item in members.items()}
    return lambda lazy: _Lazy(getters, lazy.__lanes__, lazy.__lane__)


def _unavailable(name: str) -> Getter:
    def refuse(_: "_Lazy") -> NoReturn:
        raise InseparableError(f"a function that asks for {name}")

    return refuse
