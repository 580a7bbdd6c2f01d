# SPDX-License-Identifier: Apache-2.0
"""What the names in `this.x` stand for while a definition is compiled."""

from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from telemetry.columns.frame import Slot
from telemetry.columns.kinds import (
    IntegerKind,
    OctetsKind,
    PythonKind,
    UnsupportedError,
    UntoldError,
)
from telemetry.columns.values import Constant, Steps, Value, read_slot

# What construct itself puts into a context; a field of this name would hide it.
CONTEXT_NAMES = frozenset(
    ("_", "_params", "_root", "_parsing", "_building", "_sizing", "_subcons", "_io", "_index")
)


MAY_BE_ABSENT = "a field that an If or Switch may leave out"
EVERYWHERE = "ask for a field that every packet has"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A parsed value that no expression can ask for, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Group:
    """What a Struct or a FlagsEnum gave: values by name."""

    members: "dict[str, Binding]"
    is_flags: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """What a list of constant length gave."""

    items: "tuple[Binding, ...]"


@dataclass(frozen=True, slots=True)
class Run:
    """A list or octets of varying length; expressions can ask for the length, functions for all."""

    length: Slot
    found: Slot
    keepers: "tuple[Keeper, ...]" = ()  # Of the elements of a list.


@dataclass(frozen=True, slots=True)
class Choice:
    """What one of several cases gave, in which packets differ; for functions only."""

    found: Slot
    keepers: "tuple[Keeper, ...]"  # Of each case.


class Keeper(Protocol):
    """What keeps values that only a function can ask for."""

    def begin(self) -> None:
        """Keep them from now on."""


NO_INDEX = Unknown("no index")
Binding: TypeAlias = Slot | Constant | Unknown | Group | Items | Run | Choice


@dataclass(slots=True)
class Scope:
    """The context of one Struct: the fields read so far, and the context around it."""

    parent: "Scope | None" = None
    names: dict[str, Binding] = field(default_factory=dict)
    index: Binding = NO_INDEX  # `this._index`
    subcons: object = None  # Of the Struct.

    def nested(self, subcons: object = None) -> "Scope":
        """Return the context of a Struct inside this one."""
        return Scope(self, index=self.index, subcons=subcons)

    def is_within(self, other: object) -> bool:
        """Whether `other` is this context, or one around it."""
        return self is other or (self.parent is not None and self.parent.is_within(other))

    def resolve(self, steps: Steps) -> Value:
        """Return the value at the end of a path; `UnsupportedError` if there is none to be had."""
        match self._find(steps):
            case Slot(kind=PythonKind()):
                raise UnsupportedError("a value that construct, or a function, gives")
            case Slot() as slot:
                return read_slot(slot)
            case Constant() as constant:
                return constant
            case Choice():
                raise UnsupportedError(MAY_BE_ABSENT, EVERYWHERE)
        raise UnsupportedError("a value that is no number")

    def measure(self, steps: Steps) -> Value:
        """Return the length of the value at the end of a path; `UnsupportedError` if unknown."""
        match self._find(steps):
            case Run(length):
                return read_slot(length)
            case Items(items):
                return Constant(len(items))
            case Slot(kind=OctetsKind(int() as length)):
                return Constant(length)
        raise UnsupportedError("the length of something else than a list or octets")

    def _find(self, steps: Steps) -> "Binding | Scope":
        found: Binding | Scope = self
        owner = self
        for step in steps:
            found = _step(found, step)
            owner = found if isinstance(found, Scope) else owner
        if found is NO_INDEX:
            raise UnsupportedError("an index outside of a list")
        if isinstance(found, Unknown):
            raise UntoldError(found.why, owner)
        return found


def _step(found: "Binding | Scope", step: str | int) -> "Binding | Scope":
    match found:
        case Scope():
            return _member(found, step)
        case Group(members) if step in members:
            return members[str(step)]
        case Items(items) if isinstance(step, int) and -len(items) <= step < len(items):
            return items[step]
        case Unknown():
            return found
        case Choice():
            raise UnsupportedError(MAY_BE_ABSENT, EVERYWHERE)
    raise UnsupportedError(f"the name {step!r}, which is not known here")


def _member(scope: Scope, step: str | int) -> "Binding | Scope":
    if step in scope.names:
        return scope.names[str(step)]
    if step == "_index":
        return scope.index
    if step == "_" and scope.parent is not None and scope.parent.parent is not None:
        return scope.parent
    if step == "_root":
        while scope.parent is not None and scope.parent.parent is not None:
            scope = scope.parent
        return scope
    raise UnsupportedError(f"the name {step!r}, which is not known here")


NOTHING = Constant(None)


def length_slot() -> Slot:
    """Return room for a length or an index; no packet is so long that it would not do."""
    return Slot(IntegerKind(0, (1 << 32) - 1))
