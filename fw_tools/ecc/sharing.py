# SPDX-License-Identifier: Apache-2.0
"""Sums that share terms, no deeper than asked: the pair that most rows have in common, first.

C. Paar, "Optimized arithmetic for Reed-Solomon encoders", IEEE ISIT 1997 (greedy cancellation-free
sharing); the bound on depth and the choice among equals are ours.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fw_tools.ecc.circuit import CircuitWriter, XorCircuit

Words = NDArray[np.int64]


def shared(masks: Sequence[int], inputs: int, depth: int, seed: int = 0) -> XorCircuit:
    """Return a circuit of the sums in `masks` (at most 63) of `inputs` bits.

    Another `seed` decides otherwise among pairs that are as good. `depth` is raised to that of
    plain trees where it is less.
    """
    return _Sharing(masks, inputs, depth, seed).circuit()


class _Sharing:
    def __init__(self, masks: Sequence[int], inputs: int, depth: int, seed: int) -> None:
        self._rows = len(masks)
        self._writer = CircuitWriter(inputs)
        fan_in = [mask.bit_count() for mask in masks]
        self._room = max(1 << depth, *(1 << (count - 1).bit_length() for count in fan_in))
        self._count = inputs  # Of nodes so far; at most one gate joins for each term of a row.
        most = inputs + sum(fan_in)
        # Of each node: the rows that it is a leaf of, and its level.
        self._members = np.zeros(most, np.int64)
        self._levels = np.zeros(most, np.int64)
        for i in range(inputs):
            self._members[i] = sum((mask >> i & 1) << j for j, mask in enumerate(masks))
        self._loads = fan_in  # Of each row, the sum of 2^level of its leaves.
        self._rng = np.random.default_rng(seed)
        self._common = _Common(self._members, inputs)

    def circuit(self) -> XorCircuit:
        """Share while it helps, then add up what is left of each row."""
        while self._share():
            pass
        members = self._members[: self._count]
        leaves = [np.flatnonzero(members >> row & 1) for row in range(self._rows)]
        return self._writer.finished([self._writer.tree(row.tolist()) for row in leaves])

    def _share(self) -> bool:
        for count in range(self._common.most(), 1, -1):
            firsts, seconds = self._common.pairs(count)
            levels = np.maximum(self._levels[firsts], self._levels[seconds])
            order = np.lexsort((self._rng.random(len(firsts)), levels))
            for index in order:
                if self._fits(int(firsts[index]), int(seconds[index])):
                    return True
        return False

    def _fits(self, first: int, second: int) -> bool:
        """Add a gate for two nodes in every row that has both, if no row becomes too deep."""
        rows = int(self._members[first] & self._members[second])
        level = 1 + int(max(self._levels[first], self._levels[second]))
        more = (1 << level) - (1 << int(self._levels[first])) - (1 << int(self._levels[second]))
        taken = [row for row in range(self._rows) if rows >> row & 1]
        if any(self._loads[row] + more > self._room for row in taken):
            return False
        for row in taken:
            self._loads[row] += more
        self._members[[first, second]] &= ~rows
        self._members[self._count] = rows
        self._levels[self._count] = level
        self._count += 1
        self._common.update(first, second)
        self._writer.gate(first, second)
        return True


class _Common:
    """How many rows each pair of nodes has in common; the second node is the higher one."""

    def __init__(self, members: Words, count: int) -> None:
        self._members = members
        self._count = count
        self._table = np.zeros((len(members), len(members)), np.int8)
        for node in range(count):
            self._fill(node)
        self._most = self._table.max(axis=1)

    def most(self) -> int:
        """Return the largest number."""
        return int(self._most.max())

    def pairs(self, count: int) -> tuple[Words, Words]:
        """Return the pairs with that number, ordered by their first nodes."""
        rows = np.flatnonzero(self._most >= count)
        first, second = np.nonzero(self._table[rows, : self._count] == count)
        return rows[first], second

    def update(self, first: int, second: int) -> None:
        """Take over that two nodes were changed and one was added."""
        self._count += 1
        touched = [first, second, self._count - 1]
        before = self._table[: self._count, touched].max(axis=1)
        for node in touched:
            self._fill(node)
        after = self._table[: self._count, touched].max(axis=1)
        self._most[: self._count] = np.maximum(self._most[: self._count], after)
        stale = np.flatnonzero((before == self._most[: self._count]) & (after < before))
        for node in (*touched, *stale):
            self._most[node] = self._table[node, : self._count].max()

    def _fill(self, node: int) -> None:
        members = self._members[: self._count]
        shares = np.bitwise_count(members & members[node]).astype(np.int8)
        self._table[:node, node] = shares[:node]
        self._table[node, node + 1 : self._count] = shares[node + 1 :]
