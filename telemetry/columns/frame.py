# SPDX-License-Identifier: Apache-2.0
"""Packets being read side by side: where each stands, and what has been read of it.

A frame holds lanes that take the same path through a definition: all packets of a block, those that
took one case of a Switch, or the elements of a list of all packets. A program runs over a frame and
moves every lane forward by what it reads.
"""

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.columns.bits import Table
from telemetry.columns.gather import gather_rows
from telemetry.wire.batch import Indices, Octets

if TYPE_CHECKING:
    from telemetry.columns.kinds import Kind
    from telemetry.columns.store import Space

Array: TypeAlias = NDArray[Any]
Mask: TypeAlias = NDArray[np.bool_]


class Slot:
    """A value that a program reads, for the expressions that ask for it."""

    def __init__(self, kind: "Kind") -> None:
        self.kind = kind
        self.is_used = False


class LetGo(NamedTuple):
    """A value that is not there, of a field that a packet has."""

    packet: int  # Its lane in the outermost frame.
    path: str
    reason: str


class LanesFailedError(Exception):
    """Packets of a block that construct would refuse, too: the others have to be read again."""

    def __init__(self, failed: Mask) -> None:
        super().__init__(f"{failed.sum()} packets")
        self.failed = failed


class Frame:
    """Lanes, each at octet `base` of `octets`, with nothing to be read from `end` on.

    `stride` is the distance of the bases where it is the same for all. Column values go to `space`,
    at `lanes` of it (None: one per lane). `origin` says which lane of the parent each lane is of
    (None: the same).
    """

    def __init__(
        self,
        octets: Octets,
        base: Indices,
        end: Indices,
        space: "Space",
        *,
        stride: int | None = None,
        lanes: Indices | None = None,
        parent: "Frame | None" = None,
        origin: Indices | None = None,
        stream: Indices | None = None,
    ) -> None:
        self.octets, self.base, self.end, self.space = octets, base, end, space
        self.stride, self.lanes, self.parent, self.origin = stride, lanes, parent, origin
        self.stream = stream  # Where construct's stream begins; None where it is another.
        self.failed: Mask | None = None  # Collects failures where they do not fail the packet.
        self.let_go: list[LetGo] = [] if parent is None else parent.let_go
        self._values: dict[Slot, Array] = {}

    def __len__(self) -> int:
        return len(self.base)

    def keep(self, slot: Slot, values: Array) -> None:
        """Remember what was read, one value per lane."""
        self._values[slot] = values

    def get(self, slot: Slot) -> Array:
        """Return what was read here or above, one value per lane here."""
        if slot in self._values:
            return self._values[slot]
        if self.parent is None:
            raise AssertionError("an expression asks for what has not been read")
        values = self.parent.get(slot)
        self._values[slot] = values = values if self.origin is None else values[self.origin]
        return values

    def fail(self, failed: Mask) -> None:
        """Note the lanes that cannot be read; does not return if that makes packets fail."""
        if not failed.any():
            return
        if self.failed is not None:
            self.failed |= failed
        elif self.parent is None:
            raise LanesFailedError(failed)
        elif self.origin is None:
            self.parent.fail(failed)
        else:
            above = np.zeros(len(self.parent), np.bool_)
            above[self.origin[failed]] = True
            self.parent.fail(above)

    def note_let_go(self, lane: int, path: str, reason: str) -> None:
        """Note a value that is not there."""
        frame = self
        while frame.parent is not None:
            lane = lane if frame.origin is None else int(frame.origin[lane])
            frame = frame.parent
        self.let_go.append(LetGo(lane, path, reason))

    def remaining(self) -> Indices:
        """Return how many octets each lane has left."""
        return self.end - self.base

    def table(self, size: int) -> Table:
        """Return the next `size` octets of each lane; lanes that have fewer fail."""
        self.fail(self.remaining() < size)
        if self.stride is not None or not len(self):
            start = int(self.base[0]) if len(self) else 0
            return Table(self.octets, start, self.stride or size, len(self), size)
        rows = gather_rows(self.octets, self.base, size)
        return Table(rows.reshape(-1), 0, size, len(self), size)

    def advance(self, octets: int) -> None:
        """Move every lane by the same number of octets."""
        self.base = self.base + octets

    def advance_each(self, octets: Indices) -> None:
        """Move each lane by its own number of octets."""
        self.base = self.base + octets
        self.stride = None

    def select(self, chosen: Mask) -> "Frame":
        """Return a frame of the chosen lanes, which writes to the same columns."""
        if chosen.all():
            inner = self.within(self.end)
            inner.stream = self.stream
            return inner
        index = np.flatnonzero(chosen)
        lanes = index if self.lanes is None else self.lanes[index]
        return Frame(
            self.octets,
            self.base[index],
            self.end[index],
            self.space,
            lanes=lanes,
            parent=self,
            origin=index,
            stream=None if self.stream is None else self.stream[index],
        )

    def within(self, end: Indices) -> "Frame":
        """Return a frame of the same lanes with another end."""
        return Frame(
            self.octets,
            self.base,
            end,
            self.space,
            stride=self.stride,
            lanes=self.lanes,
            parent=self,
        )
