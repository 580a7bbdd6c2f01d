# SPDX-License-Identifier: Apache-2.0
"""SEC-DED codes whose matrix is chosen for what its encoder shares.

Every data bit is added to two nodes: a check bit or an earlier data bit (odd), and a group (even,
the sum of two check bits' columns). Its column is the sum of theirs, so it is odd; all are
distinct, which makes the distance 4 (Hsiao 1970). An encoder then takes 2k + groups - checks gates,
whatever the weights. The tables were found by simulated annealing under a bound on depth; what they
claim is tested. A shorter code leaves out the last data bits.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fw_tools.ecc.circuit import CircuitWriter, XorCircuit
from fw_tools.ecc.code import CodeError, LinearCode

MIN_DATA_BITS = 4
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Chain:
    """Which two nodes each group and each data bit is added to.

    Nodes are numbered: check bits, then groups, then data bits; each is added to earlier ones.
    """

    check_bits: int
    groups: tuple[Pair, ...]
    bits: tuple[Pair, ...]

    def columns(self) -> tuple[int, ...]:
        """Return the columns of the data bits."""
        found = [1 << j for j in range(self.check_bits)]
        for first, second in (*self.groups, *self.bits):
            found.append(found[first] ^ found[second])
        return tuple(found[self.check_bits + len(self.groups) :])

    def circuit(self) -> XorCircuit:
        """Return the encoder: check bits from data bits."""
        writer = CircuitWriter(len(self.bits))
        owners = [*self.groups, *self.bits]
        leaves: list[list[int]] = [[] for _ in range(self.check_bits + len(owners))]
        for bit in range(len(self.bits)):
            leaves[self.check_bits + len(self.groups) + bit].append(bit)
        for node in range(len(leaves) - 1, self.check_bits - 1, -1):
            if leaves[node]:
                total = writer.tree(leaves[node])
                for owner in owners[node - self.check_bits]:
                    leaves[owner].append(total)
        return writer.finished([writer.tree(each) for each in leaves[: self.check_bits]])


def chain(data_bits: int) -> Chain:
    """Return how a code of `data_bits` is chained, with the fewest check bits that there can be.

    Raise `CodeError` for a width without a table.
    """
    longest = max(len(each.bits) for each in _tables())
    if not MIN_DATA_BITS <= data_bits <= longest:
        raise CodeError(f"secded: {data_bits} data bits; must be {MIN_DATA_BITS} to {longest}")
    whole = next(each for each in _tables() if len(each.bits) >= data_bits)
    return Chain(whole.check_bits, whole.groups, whole.bits[:data_bits])


def secded(data_bits: int) -> LinearCode:
    """Return the [n, k, 4] code of `data_bits`; raise `CodeError` as `chain` does."""
    made = chain(data_bits)
    identity = (1 << j for j in range(made.check_bits))
    return LinearCode("secded", data_bits, made.check_bits, (*made.columns(), *identity))


@cache
def _tables() -> tuple[Chain, ...]:
    """Return the tables, short ones first."""
    document = json.loads((files("fw_tools.ecc") / "chained.json").read_text())
    return tuple(
        Chain(table["check_bits"], _pairs(table["groups"]), _pairs(table["bits"]))
        for table in document["tables"]
    )


def _pairs(values: Sequence[Sequence[int]]) -> tuple[Pair, ...]:
    return tuple((first, second) for first, second in values)
