# SPDX-License-Identifier: Apache-2.0
"""Millions of points as few that look the same: the extremes of equal stretches."""

from dataclasses import dataclass, field

import numpy as np

from telemetry.columns.column import Array

MAX_STRETCHES = 1000  # Each is drawn as two points; a plot is about as many pixels wide.


@dataclass(slots=True)
class MinMaxSeries:
    """The lowest and the highest point of each stretch of points, in bounded memory.

    All stretches hold the same number of points, but for the last. That number is 1 as long as
    there is room, so that nothing is lost of what is short; then it doubles, again and again.
    """

    max_stretches: int = MAX_STRETCHES
    points: int = 0  # That came.
    width: int = 1  # Points for each stretch.
    _low: Array = field(default_factory=lambda: np.empty((5, 0)))  # Rows: see `add`.
    _high: Array = field(default_factory=lambda: np.empty((5, 0)))
    _rest: Array = field(default_factory=lambda: np.empty((5, 0)))  # Points of the last stretch.

    def add(
        self, x: Array, y: Array, marks: Array | None = None, holes: Array | None = None
    ) -> None:
        """Add points in order; `y` has no NaN. A mark is a small number that a point keeps.

        `holes` says how wide a hole right before a point is, over which no line leads: 0 for none.
        """
        none = np.zeros(len(y))
        widths = none if holes is None else holes
        # Beside each point the widest hole of its stretch: where it ends, and its width.
        points = (x, y, none if marks is None else marks, x, widths)
        block = np.concatenate((self._rest, np.stack(points).astype(np.float64)), axis=1)
        self.points += len(y)
        while block.shape[1] // self.width + self._low.shape[1] > self.max_stretches:
            block = self._halve(block)
        whole = block.shape[1] // self.width * self.width
        if whole:
            low, high = _extremes(block[:, :whole], self.width)
            self._low = np.concatenate((self._low, low), axis=1)
            self._high = np.concatenate((self._high, high), axis=1)
        self._rest = block[:, whole:]

    def _halve(self, block: Array) -> Array:
        """Join stretches in pairs; a single one at the end goes back to the points."""
        count = self._low.shape[1]
        if count % 2:
            last = _in_order(self._low[:, -1:], self._high[:, -1:])
            # Of a joined stretch only the extremes are left; it counts as its full width.
            filler = np.repeat(last[:, -1:], self.width - min(self.width, last.shape[1]), axis=1)
            block = np.concatenate((last[:, : self.width], filler, block), axis=1)
            self._low, self._high = self._low[:, :-1], self._high[:, :-1]
        if count > 1:
            self._low = _better(self._low, np.less)
            self._high = _better(self._high, np.greater)
        self.width *= 2
        return block

    def drawn(self) -> Array:
        """Return the points to draw, in order: an array of x, y and mark, of shape (3, n)."""
        low, high = self._stretches()
        return _in_order(low, high)[:3]

    def holes(self) -> list[float]:
        """Return where the widest hole of each stretch ends, of those that have one."""
        low, _ = self._stretches()
        ends: list[float] = low[3, low[4] > 0].tolist()
        return ends

    def _stretches(self) -> tuple[Array, Array]:
        """Return the lowest and the highest points of all stretches."""
        low, high = self._low, self._high
        if self._rest.shape[1]:
            last_low, last_high = _extremes(self._rest, self._rest.shape[1])
            low = np.concatenate((low, last_low), axis=1)
            high = np.concatenate((high, last_high), axis=1)
        return low, high


def _extremes(block: Array, width: int) -> tuple[Array, Array]:
    rows = block[1].reshape(-1, width)
    first = np.arange(len(rows)) * width
    low, high = block[:, first + rows.argmin(axis=1)], block[:, first + rows.argmax(axis=1)]
    widest = first + block[4].reshape(-1, width).argmax(axis=1)
    low[3:] = high[3:] = block[3:, widest]
    return low, high


def _better(points: Array, is_better: "np.ufunc") -> Array:
    left, right = points[:, 0::2], points[:, 1::2]
    chosen: Array = np.where(is_better(right[1], left[1]), right, left)
    chosen[3:] = np.where(right[4] > left[4], right[3:], left[3:])
    return chosen


def _in_order(low: Array, high: Array) -> Array:
    """Return the points of both, those of one stretch in order of x, and no point twice."""
    is_low_first = low[0] <= high[0]
    first, second = np.where(is_low_first, low, high), np.where(is_low_first, high, low)
    pairs = np.stack((first, second), axis=2).reshape(5, -1)
    is_same = np.zeros(pairs.shape[1], np.bool_)
    is_same[1::2] = (low[0] == high[0]) & (low[1] == high[1])
    drawn: Array = pairs[:, ~is_same]
    return drawn
