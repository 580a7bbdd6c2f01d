# SPDX-License-Identifier: Apache-2.0
"""What a code costs in two-input XOR gates, each row as a plain balanced tree."""

from collections.abc import Iterable
from dataclasses import dataclass

from fw_tools.ecc.code import LinearCode


@dataclass(frozen=True, slots=True)
class XorCost:
    """Gates and levels of a set of XOR trees that share nothing."""

    xor2: int
    depth: int


def encoder_cost(code: LinearCode) -> XorCost:
    """Return the cost of all check bits from the data."""
    return _tree_cost(mask.bit_count() for mask in code.data_masks)


def syndrome_cost(code: LinearCode) -> XorCost:
    """Return the cost of all syndrome bits from the codeword."""
    return _tree_cost(mask.bit_count() for mask in code.row_masks)


def _tree_cost(fan_ins: Iterable[int]) -> XorCost:
    # A tree of two-input gates over f leaves has f - 1 gates and ceil(log2 f) levels.
    leaves = [max(fan_in, 1) for fan_in in fan_ins]
    return XorCost(sum(f - 1 for f in leaves), max((f - 1).bit_length() for f in leaves))
