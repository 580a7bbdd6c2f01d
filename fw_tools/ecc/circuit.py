# SPDX-License-Identifier: Apache-2.0
"""Circuits of two-input XOR gates: what sums of many bits cost when they share."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

Gate = tuple[int, int]  # The two nodes that it adds.


@dataclass(frozen=True)
class XorCircuit:
    """Node i below `inputs` is input bit i; above, node `inputs + g` is the output of gate g."""

    inputs: int
    gates: tuple[Gate, ...]  # Each behind the gates that it needs.
    outputs: tuple[int, ...]  # The node of each output bit.

    @cached_property
    def depth(self) -> int:
        """Return the levels of gates on the longest way from an input to an output."""
        levels = [0] * self.inputs
        for first, second in self.gates:
            levels.append(1 + max(levels[first], levels[second]))
        return max((levels[node] for node in self.outputs), default=0)

    @cached_property
    def masks(self) -> tuple[int, ...]:
        """Return, for each output, the input bits of which it is the sum."""
        sums = [1 << i for i in range(self.inputs)]
        for first, second in self.gates:
            sums.append(sums[first] ^ sums[second])
        return tuple(sums[node] for node in self.outputs)


class CircuitWriter:
    """Adds gates, and trees of them as shallow as their leaves allow."""

    def __init__(self, inputs: int) -> None:
        self._inputs = inputs
        self._gates: list[Gate] = []
        self._levels = [0] * inputs

    def gate(self, first: int, second: int) -> int:
        """Add a gate and return its node."""
        self._gates.append((first, second))
        self._levels.append(1 + max(self._levels[first], self._levels[second]))
        return self._inputs + len(self._gates) - 1

    def tree(self, leaves: Sequence[int]) -> int:
        """Add leaves up, the earliest first, and return the node of the sum.

        It has the fewest levels that there can be: 2^levels is at least the sum of 2^level of each
        leaf (Huffman's merge for the maximum; M. C. Golumbic, IEEE Trans. Comput. C-25, 1976).
        """
        waiting = [(self._levels[leaf], leaf) for leaf in leaves]
        heapq.heapify(waiting)
        while len(waiting) > 1:
            (_, first), (_, second) = heapq.heappop(waiting), heapq.heappop(waiting)
            node = self.gate(first, second)
            heapq.heappush(waiting, (self._levels[node], node))
        return waiting[0][1]

    def finished(self, outputs: Sequence[int]) -> XorCircuit:
        """Return the circuit."""
        return XorCircuit(self._inputs, tuple(self._gates), tuple(outputs))
